"""The lines of an invoice: parts of orders' lines that left or were performed, and what the invoice itself sells."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Numeric, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from accounting.invoices.refusals import AlreadyInvoiced
from accounting.models import Base
from contracts import invoices as events
from tailrace.core.values.money import round_minor
from tailrace.db.keys import refers_to, tenant_index
from tailrace.db.models import Part
from tailrace.db.unique import unique_value

if TYPE_CHECKING:
    from accounting.invoices.models import Invoice


class InvoiceLine(Part, Base):
    """What is asked for: a part of an order's line that left with a shipment or was performed, or anything else that is sold."""

    __tablename__ = "invoice_line"
    __table_args__ = (
        refers_to("invoice", "invoice_id"),
        tenant_index("invoice_id"),
        tenant_index("order_id", where="order_id IS NOT NULL"),
        unique_value(
            "shipment_id",
            "order_line_id",
            refusal=AlreadyInvoiced,
            where="shipment_id IS NOT NULL",
            field="shipment_ids",
        ),
        unique_value(
            "performance_id",
            "order_line_id",
            refusal=AlreadyInvoiced,
            where="performance_id IS NOT NULL",
            field="order_id",
        ),
    )
    __root__ = "invoice"

    invoice_id: Mapped[UUID]
    position: Mapped[int]
    order_id: Mapped[UUID | None]
    order_number: Mapped[str | None]
    order_line_id: Mapped[UUID | None]
    shipment_id: Mapped[UUID | None]
    shipment_number: Mapped[str | None]
    performance_id: Mapped[UUID | None]
    """By which it was performed, of a service; `shipment_id` is what goods left with."""
    performance_number: Mapped[str | None]
    supplied_on: Mapped[date | None]
    item_id: Mapped[UUID | None]
    sku: Mapped[str | None]
    name: Mapped[str]
    quantity: Mapped[Decimal]
    unit: Mapped[str | None]
    unit_price: Mapped[Decimal]
    net: Mapped[int]
    tax_code: Mapped[str | None]
    tax_rate: Mapped[Decimal] = mapped_column(Numeric(9, 6))
    tax: Mapped[int]
    booked_tax: Mapped[int]
    """What of it was booked when it left: its share of the order's tax. Nothing of what the invoice itself sells."""
    credited_net: Mapped[int]
    credited_tax: Mapped[int]
    credited_quantity: Mapped[Decimal]
    received: Mapped[int] = mapped_column(server_default=text("0"))
    """Of a prepayment: what came in for it, tax included."""
    deducted: Mapped[int] = mapped_column(server_default=text("0"))
    """What of that invoices have deducted."""
    invoice: Mapped["Invoice"] = relationship(back_populates="lines")

    @property
    def own(self) -> bool:
        """Whether the invoice itself sells it: it was not supplied by an order, nor is it of what is paid ahead."""
        return not self.supplied and self.invoice.kind == "invoice"

    @property
    def place(self) -> str:
        """Where the line stands in the invoice, as a JSON pointer."""
        return f"/lines/{self.position - 1}"

    @property
    def gross(self) -> int:
        return self.net + self.tax

    @property
    def supply_id(self) -> UUID | None:
        """The shipment or the performance that it is of; None for what the invoice itself sells."""
        return self.shipment_id or self.performance_id

    @property
    def supplied(self) -> bool:
        """Whether it left or was performed, and is not sold by the invoice itself."""
        return self.supply_id is not None

    def tax_of(self, amount: int) -> int:
        """The tax in so much of the line, tax included."""
        return round_minor(Fraction(self.tax * amount, self.gross)) if self.gross else 0

    def left_of_order(self, more: int) -> tuple[int, int]:
        """Net, and the share of the order's tax, once so much more of its net is credited."""
        credited = self.credited_net + more
        gone = round_minor(Fraction(self.booked_tax * credited, self.net)) if self.net else 0
        return self.net - credited, self.booked_tax - gone

    def described(self) -> events.InvoicedLine:
        names = (
            "order_id",
            "order_line_id",
            "shipment_id",
            "performance_id",
            "item_id",
            "sku",
            "name",
            "quantity",
            "unit",
        )
        others = ("unit_price", "net", "tax_code", "tax_rate", "tax")
        return events.InvoicedLine(line_id=self.id, **{name: getattr(self, name) for name in (*names, *others)})
