"""Credit notes: what of an invoice is taken back, with the tax of each rate.

The tax of a rate that is taken back is the difference of two shares of the rate's tax, so that all credit notes of an invoice together take back all
of it and never more; it is given to the lines by largest remainder.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy import Numeric
from sqlalchemy.orm import Mapped, mapped_column, relationship

from accounting.invoices.bodies import CreditLine
from accounting.invoices.lines import InvoiceLine
from accounting.invoices.models import Invoice
from accounting.invoices.refusals import TooMuchCredited
from accounting.models import Base
from contracts import invoices as events
from contracts.orders import RateOfTax
from tailrace.core.errors import Invalid
from tailrace.core.ids import uuid7
from tailrace.core.values.money import RoundingMode, round_minor, share
from tailrace.core.values.taxes import Levy, by_largest_remainder
from tailrace.db.keys import refers_to, tenant_index
from tailrace.db.models import Aggregate, Part
from tailrace.db.unique import unique_value


class CreditNote(Aggregate, Base):
    """Written once, never changed."""

    __tablename__ = "credit_note"
    __table_args__ = (
        unique_value("number"),
        refers_to("invoice", "invoice_id"),
        tenant_index("invoice_id"),
        tenant_index("customer_id", "id"),
        tenant_index("dated"),
    )

    number: Mapped[str]
    invoice_id: Mapped[UUID]
    invoice_number: Mapped[str]
    customer_id: Mapped[UUID | None]
    customer: Mapped[dict[str, Any]]
    seller: Mapped[dict[str, Any]]
    reason: Mapped[str]
    dated: Mapped[date]
    currency: Mapped[str]
    net: Mapped[int]
    tax: Mapped[int]
    lines: Mapped[list["CreditNoteLine"]] = relationship(
        back_populates="credit_note", cascade="all, delete-orphan", lazy="selectin", order_by="CreditNoteLine.position"
    )

    @property
    def customer_name(self) -> str:
        return str(self.customer["name"])

    @property
    def total(self) -> int:
        return self.net + self.tax

    @property
    def taxes(self) -> list[RateOfTax]:
        """What is taken back at each rate, the lowest first."""
        return RateOfTax.of(self.lines)

    @classmethod
    def issued(
        cls,
        invoice: Invoice,
        amounts: Mapping[UUID, tuple[int, int]],
        quantities: Mapping[UUID, Decimal],
        terms: Mapping[str, Any],
        at: datetime,
        released: tuple[int, int] = (0, 0),
    ) -> "CreditNote":
        """Take these amounts of an invoice's lines back. `terms` are the number, the day, the reason and the seller.

        `released` is what the invoice deducted and is paid ahead again, and the tax that is due on that.
        """
        of = {line.id: line for line in invoice.lines}
        lines = [
            CreditNoteLine(
                id=uuid7(),
                position=position,
                line_id=id,
                name=of[id].name,
                sku=of[id].sku,
                unit=of[id].unit,
                unit_price=of[id].unit_price,
                quantity=quantities.get(id),
                net=net,
                tax_code=of[id].tax_code,
                tax_rate=of[id].tax_rate,
                tax=tax,
            )
            for position, (id, (net, tax)) in enumerate(amounts.items(), 1)
        ]
        note = cls(
            id=uuid7(),
            invoice_id=invoice.id,
            invoice_number=invoice.name,
            customer_id=invoice.customer_id,
            customer=invoice.customer,
            currency=invoice.currency,
            net=sum(line.net for line in lines),
            tax=sum(line.tax for line in lines),
            lines=lines,
            **terms,
        )
        note.record(
            events.CreditNoteIssued(
                credit_note_id=note.id,
                number=note.number,
                invoice_id=invoice.id,
                invoice_number=invoice.name,
                customer_id=invoice.customer_id,
                reason=note.reason,
                dated=note.dated,
                currency=note.currency,
                net=note.net,
                tax=note.tax,
                taxes=note.taxes,
                lines=[
                    events.CreditedLine(line_id=line.line_id, quantity=line.quantity, net=line.net, tax=line.tax)
                    for line in lines
                ],
                orders=_by_order(invoice, amounts),
                kind=invoice.kind,
                released_net=released[0],
                released_tax=released[1],
                effective_at=at,
            )
        )
        return note


class CreditNoteLine(Part, Base):
    """What of one line of the invoice is taken back."""

    __tablename__ = "credit_note_line"
    __table_args__ = (refers_to("credit_note", "credit_note_id"), tenant_index("credit_note_id"))
    __root__ = "credit_note"

    credit_note_id: Mapped[UUID]
    position: Mapped[int]
    line_id: Mapped[UUID]
    sku: Mapped[str | None]
    name: Mapped[str]
    quantity: Mapped[Decimal | None]
    unit: Mapped[str | None]
    unit_price: Mapped[Decimal]
    net: Mapped[int]
    tax_code: Mapped[str | None]
    tax_rate: Mapped[Decimal] = mapped_column(Numeric(9, 6))
    tax: Mapped[int]
    credit_note: Mapped[CreditNote] = relationship(back_populates="lines")


def nets_of(invoice: Invoice, asked: Sequence[CreditLine]) -> tuple[dict[UUID, int], dict[UUID, Decimal]]:
    """By line, the net amount that is taken back, and the quantity where it comes back; all that is left when nothing is named.

    Raises Invalid, and TooMuchCredited for more than is left of a line.
    """
    if not asked:
        left = [line for line in invoice.lines if line.net > line.credited_net or line.tax > line.credited_tax]
        rest = {line.id: line.quantity - line.credited_quantity for line in left}
        return {line.id: line.net - line.credited_net for line in left}, {
            id: each for id, each in rest.items() if each > 0
        }
    of = {line.id: line for line in invoice.lines}
    nets: dict[UUID, int] = {}
    quantities: dict[UUID, Decimal] = {}
    for at, each in enumerate(asked):
        line = of.get(each.line_id)
        if line is None or each.line_id in nets:
            raise Invalid.field(f"/lines/{at}/line_id", "The invoice has no such line, or it is named twice.")
        nets[line.id] = _net_of(line, each)
        if each.quantity is not None:
            quantities[line.id] = each.quantity
        beyond = each.quantity is not None and each.quantity > line.quantity - line.credited_quantity
        if beyond or nets[line.id] > line.net - line.credited_net:
            raise TooMuchCredited(
                f"Of line {line.position}, {line.quantity - line.credited_quantity} and {line.net - line.credited_net} are left.",
                field=f"/lines/{at}/{'quantity' if each.quantity is not None else 'net'}",
            )
    return nets, quantities


def taxes_of(
    invoice: Invoice, nets: Mapping[UUID, int], levies: Mapping[tuple[Decimal, str | None], Levy] | None = None
) -> dict[UUID, int]:
    """By line, the tax that is taken back with its net amount: a share of its rate's tax, given to the lines by largest remainder.

    `levies` say how each rate is rounded; half up, where they do not. Where lines are taxed each by itself, it is a share of the line's own.
    """
    taxes: dict[UUID, int] = {}
    for lines, mode in _taxed_together(invoice, levies or {}):
        whole, tax = sum(line.net for line in lines), sum(line.tax for line in lines)
        before = sum(line.credited_net for line in lines)
        now = {line.id: nets[line.id] for line in lines if line.id in nets}
        if not now:
            continue
        part = sum(now.values())
        if before + part == whole:
            total = tax - sum(line.credited_tax for line in lines)
        else:
            total = round_minor(Fraction(tax * (before + part), whole), mode) - sum(line.credited_tax for line in lines)
        exact = [Fraction(total * net, part) if part else Fraction(total, len(now)) for net in now.values()]
        taxes |= dict(zip(now, by_largest_remainder(total, exact), strict=True))
    return taxes


def _taxed_together(
    invoice: Invoice, levies: Mapping[tuple[Decimal, str | None], Levy]
) -> Iterator[tuple[list[InvoiceLine], RoundingMode]]:
    """The lines that are levied alike, whatever codes they have, or one by one; and how their tax is rounded."""
    alike: dict[Levy, list[InvoiceLine]] = {}
    for line in invoice.lines:
        levy = levies.get((line.tax_rate, line.tax_code), Levy(line.tax_code, line.tax_rate))
        alike.setdefault(levy, []).append(line)
    for levy, lines in alike.items():
        for together in [[line] for line in lines] if levy.level == "line" else [lines]:
            yield together, levy.mode


def _net_of(line: InvoiceLine, asked: CreditLine) -> int:
    if asked.net is not None:
        return asked.net
    assert asked.quantity is not None
    return share(line.net, line.credited_quantity, asked.quantity, line.quantity)


def _by_order(invoice: Invoice, amounts: Mapping[UUID, tuple[int, int]]) -> list[events.OrderAmount]:
    before, after = invoice.order_amounts({}), invoice.order_amounts(amounts)
    taken = {id: (net - after[id][0], tax - after[id][1]) for id, (net, tax) in before.items()}
    return [events.OrderAmount(order_id=id, net=net, tax=tax) for id, (net, tax) in taken.items() if net or tax]
