"""An invoice, from a draft that is of what has left to its last payment. Issued, it never changes; how it stands does.

Amounts are whole minor units of its currency; those of the lines add up to the invoice's. `open` is what is still to be paid: `total` less what was
paid and what was credited. Every change is a method that refuses, or records an event.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from accounting.invoices.lines import InvoiceLine
from accounting.invoices.prepaid import keep_received, taxes_due
from accounting.invoices.refusals import InvoiceState
from accounting.models import Base
from accounting.naming import squeezed
from contracts import invoices as events
from contracts.orders import RateOfTax
from tailrace.core.ids import uuid7
from tailrace.core.transitions import Transitions
from tailrace.db.keys import tenant_index
from tailrace.db.models import Aggregate
from tailrace.db.unique import unique_value

Status = Literal["draft", "issued", "partly_paid", "paid", "credited", "cancelled"]
Kind = Literal["invoice", "prepayment"]
UNPAID: Sequence[Status] = ("issued", "partly_paid")
"""In these, something is to be paid."""
STATES = Transitions[Status](
    "Invoice",
    {
        "draft": {"changed": "draft", "issued": "issued", "deleted": "cancelled"},
        "issued": {"settled": "issued", "credited": "issued"},
        "partly_paid": {"settled": "partly_paid", "credited": "partly_paid"},
        "paid": {"settled": "paid", "credited": "paid"},
        "credited": {},
        "cancelled": {},
    },
    InvoiceState,
)


@dataclass(frozen=True, slots=True)
class Issue:
    """What an invoice gets when it is issued. `seller` is what the document says of the company; `prepaid_tax` was due on what it deducts."""

    number: str
    dated: date
    due_on: date
    at: datetime
    seller: Mapping[str, Any]
    prepaid_tax: int = 0


class Invoice(Aggregate, Base):
    __tablename__ = "invoice"
    __table_args__ = (
        unique_value("number", where="number IS NOT NULL"),
        tenant_index("customer_id", "id"),
        tenant_index("status", "id"),
        tenant_index("due_on", "id"),
        tenant_index("dated"),
        tenant_index("currency", "number_key", where="status IN ('issued', 'partly_paid')"),
        tenant_index("order_id", where="order_id IS NOT NULL"),
    )

    kind: Mapped[Kind] = mapped_column(server_default=text("'invoice'"))
    number: Mapped[str | None]
    number_key: Mapped[str | None]
    """Its letters and digits, by which the line of a bank's statement names it."""
    status: Mapped[Status]
    order_id: Mapped[UUID | None]
    """The order that a prepayment is for; the lines of other invoices say theirs."""
    taxed_when_received: Mapped[bool] = mapped_column(server_default=text("true"))
    """Of a prepayment: whether its tax is due when it is received, and not when goods leave."""
    customer_id: Mapped[UUID | None]
    customer: Mapped[dict[str, Any]]
    """What the document says of the customer, as it was when the invoice was drafted."""
    seller: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    currency: Mapped[str]
    payment_terms_days: Mapped[int]
    customer_reference: Mapped[str | None]
    notes: Mapped[str | None]
    custom_fields: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    """Values of the fields that the company adds, by their keys."""
    supplied_from: Mapped[date | None]
    supplied_until: Mapped[date | None]
    dated: Mapped[date | None]
    taken_over_on: Mapped[date | None]
    """Of what is open of an invoice of another system: the day from which it counts here."""
    due_on: Mapped[date | None]
    issued_at: Mapped[datetime | None]
    net: Mapped[int]
    tax: Mapped[int]
    paid: Mapped[int]
    credited: Mapped[int]
    prepaid: Mapped[int] = mapped_column(server_default=text("0"))
    """What it deducts that was received ahead, tax included."""
    prepayments: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    """What that is of: the prepayment invoices, by rate, with net and tax."""
    overdue_since: Mapped[date | None]
    """The day after it was due, once that has come with something open; None again when nothing is."""
    dunning_level: Mapped[int]
    """The highest level that the customer was reminded at; 0 for never."""
    lines: Mapped[list[InvoiceLine]] = relationship(
        back_populates="invoice", cascade="all, delete-orphan", lazy="selectin", order_by="InvoiceLine.position"
    )

    @property
    def name(self) -> str:
        """What people call it."""
        return self.number or "(draft)"

    @property
    def customer_name(self) -> str:
        return str(self.customer["name"])

    @property
    def total(self) -> int:
        return self.net + self.tax

    @property
    def open(self) -> int:
        left = self.total - self.prepaid - self.paid - self.credited
        return left if self.status in ("issued", "partly_paid", "paid") else 0

    @property
    def counts_from(self) -> date | None:
        """The day from which it counts in these books; None for a draft."""
        return self.taken_over_on or self.dated

    @property
    def overdue(self) -> bool:
        return self.overdue_since is not None

    @property
    def taxes(self) -> list[RateOfTax]:
        """What is taxed at each rate, the lowest first."""
        return RateOfTax.of(self.lines)

    @property
    def orders(self) -> list[events.OrderAmount]:
        """What of it falls to each order, less what was credited, as shares of the order's own net and tax."""
        return [
            events.OrderAmount(order_id=order_id, net=net, tax=tax)
            for order_id, (net, tax) in self.order_amounts({}).items()
        ]

    def order_amounts(self, credited: Mapping[UUID, tuple[int, int]]) -> dict[UUID, tuple[int, int]]:
        """The same as net and tax by order, once net and tax of these lines are credited too. Nothing of an invoice that is credited whole."""
        amount = self.credited + sum(net + tax for net, tax in credited.values())
        over = bool(amount) and amount == self.total
        sums: dict[UUID, tuple[int, int]] = {}
        for line in self.lines:
            if line.order_id is not None:
                net, tax = sums.get(line.order_id, (0, 0))
                own, booked = (0, 0) if over else line.left_of_order(credited.get(line.id, (0, 0))[0])
                sums[line.order_id] = (net + own, tax + booked)
        return sums

    # Until it is issued.

    @classmethod
    def drafted(cls, terms: Mapping[str, Any], lines: list[InvoiceLine]) -> "Invoice":
        """A new draft. `terms` are the columns that say whose it is, and on what terms."""
        begin: dict[str, Any] = {"kind": "invoice", "taxed_when_received": True, "paid": 0, "credited": 0, "prepaid": 0}
        invoice = cls(id=uuid7(), status="draft", dunning_level=0, prepayments=[], custom_fields={}, **begin)
        invoice._take(terms, lines)
        invoice.record(events.InvoiceCreated(**invoice._description()))
        return invoice

    def after(self, step: str) -> Status:
        """The status that a step leads to. Raises InvoiceState."""
        return STATES.after(self.status, step, self.name)

    def change(self, terms: Mapping[str, Any], lines: list[InvoiceLine]) -> None:
        self.status = self.after("changed")
        self._take(terms, lines)
        self.record(events.InvoiceUpdated(**self._description()))

    def add_up(self) -> None:
        """Come to what the lines do."""
        self.net = sum(line.net for line in self.lines)
        self.tax = sum(line.tax for line in self.lines)

    def take_off(self, part: tuple[UUID, UUID], quantity: Decimal, net: int, tax: int) -> bool:
        """Ask no more for so much of `part`, a supply and a line of its order, and what was booked for it. Whether that is on this draft."""
        line = next((each for each in self.lines if (each.supply_id, each.order_line_id) == part), None)
        if line is None:
            return False
        line.quantity, line.net, line.booked_tax = line.quantity - quantity, line.net - net, line.booked_tax - tax
        return True

    def delete(self) -> None:
        """Drop a draft. What it was of can be invoiced again."""
        self.status = self.after("deleted")
        self.lines = []
        self.net = self.tax = 0
        self.record(events.InvoiceDeleted(invoice_id=self.id))

    def issue(self, issue: Issue) -> None:
        """Let it bind, under its number."""
        self.status = self.after("issued")
        self.number, self.number_key = issue.number, squeezed(issue.number)
        self.dated, self.due_on = issue.dated, issue.due_on
        self.issued_at, self.seller = issue.at, dict(issue.seller)
        delivered = [line for line in self.lines if line.supplied]
        self.record(
            events.InvoiceIssued(
                **self._description(),
                number=issue.number,
                dated=issue.dated,
                due_on=issue.due_on,
                delivered_net=sum(line.net for line in delivered),
                delivered_tax=sum(line.booked_tax for line in delivered),
                orders=self.orders,
                kind=self.kind,
                taken_over_on=self.taken_over_on,
                order_id=self.order_id,
                prepaid_net=self.prepaid - issue.prepaid_tax,
                prepaid_tax=issue.prepaid_tax,
                prepayments=[events.Prepayment.model_validate(each) for each in self.prepayments],
                effective_at=issue.at,
            )
        )
        if not self.open:
            self._stand(issue.dated)

    # From then on.

    def ensure_written_here(self) -> None:
        """Raises InvoiceState for one that another system wrote: only that has its document."""
        if self.taken_over_on is not None:
            raise InvoiceState(f"Invoice {self.name} was written by the system that the company came from.")

    def settle(self, amount: int, day: date) -> int:
        """So much more of it is paid; less, when it is below zero. Returns the tax that is due by that, of a prepayment. Raises InvoiceState."""
        self.after("settled")
        assert 0 <= self.paid + amount <= self.total - self.prepaid - self.credited, "nobody pays more than is open"
        self.paid += amount
        before = taxes_due(self)
        self.rest()
        if not self._stand(day):
            self.record(events.InvoicePartlyPaid(**self._standing(day)))
        return taxes_due(self) - before

    def rest(self) -> None:
        """Let the lines of a prepayment have received what is paid of it."""
        if self.kind == "prepayment":
            keep_received(self)

    def lose(self, amount: int, kept: list[dict[str, Any]], day: date) -> None:
        """So much of what it deducted is paid ahead again, and it is open by that; `kept` is what it still deducts."""
        self.prepayments, self.prepaid = kept, self.prepaid - amount
        self._stand(day)

    def deduct(self, amount: int, invoice_id: UUID) -> None:
        """Note that an invoice deducted so much of this prepayment; less again, when it is below zero."""
        said = {"invoice_id": self.id, "deducted_by": invoice_id, "amount": amount}
        self.record(events.PrepaymentDeducted(**said, deducted=sum(line.deducted for line in self.lines)))

    def credit(self, amounts: Mapping[UUID, tuple[int, int]], day: date) -> None:
        """Take back net and tax of these lines. Raises InvoiceState. What was paid beyond the rest is given free before."""
        self.after("credited")
        for line in self.lines:
            net, tax = amounts.get(line.id, (0, 0))
            line.credited_net += net
            line.credited_tax += tax
            self.credited += net + tax
        assert self.open >= 0, "what was paid is given free before it is credited"
        self.record(events.InvoiceCredited(**self._standing(day)))
        self._stand(day)

    def reach_overdue(self, since: date) -> None:
        """Note that the day it was due is over."""
        assert self.due_on is not None and self.open
        self.overdue_since = since
        about = {"customer_id": self.customer_id, "currency": self.currency, "open": self.open, "due_on": self.due_on}
        self.record(events.InvoiceOverdueReached(invoice_id=self.id, number=self.name, **about))

    def remind(self, level: int, dunning_notice_id: UUID) -> None:
        """Note that the customer was reminded of it."""
        self.dunning_level = level
        about = {"number": self.name, "level": level, "open": self.open, "dunning_notice_id": dunning_notice_id}
        self.record(events.InvoiceReminded(invoice_id=self.id, **about))

    def _stand(self, day: date) -> bool:
        """Note how it stands. Whether it became paid by that, or is paid no more, which is said."""
        was = self.status
        if self.open == 0:
            self.status = "paid" if self.paid or self.prepaid or not self.total else "credited"
            self.overdue_since = None
        else:
            self.status = "partly_paid" if self.paid else "issued"
        if (was == "paid") == (self.status == "paid"):
            return False
        kind = events.InvoicePaid if self.status == "paid" else events.InvoiceReopened
        self.record(kind(**self._standing(day)))
        return True

    def _standing(self, day: date) -> dict[str, Any]:
        said = {
            name: getattr(self, name)
            for name in ("customer_id", "currency", "paid", "credited", "prepaid", "open", "orders")
        }
        return {"invoice_id": self.id, "number": self.name, "day": day, **said}

    def _take(self, terms: Mapping[str, Any], lines: list[InvoiceLine]) -> None:
        for name, value in terms.items():
            setattr(self, name, value)
        self.lines = lines
        self.add_up()

    def _description(self) -> dict[str, Any]:
        said = {
            name: getattr(self, name)
            for name in ("customer_id", "customer_name", "currency", "net", "tax", "taxes", "custom_fields")
        }
        return {"invoice_id": self.id, "lines": [line.described() for line in self.lines], **said}


def of_order(id: UUID) -> ColumnElement[bool]:
    """Of invoices: something of this order is on it, or it is paid ahead by it."""
    return (Invoice.order_id == id) | Invoice.lines.any(InvoiceLine.order_id == id)
