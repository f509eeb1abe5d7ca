"""The lines of a return: parts of an order's lines, of what left with one shipment or was performed at once."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from contracts import returns as events
from contracts.returns import Outcome
from orders.base import Base
from orders.lines import NOTHING, OrderLine
from tailrace.core.ids import uuid7
from tailrace.db.keys import refers_to, tenant_index
from tailrace.db.models import Part, TenantRow

if TYPE_CHECKING:
    from orders.returns.models import Return


class DepartedLine(TenantRow, Base):
    """How much of an order's line left with a shipment, or was performed: the copy of `shipment.dispatched` and `order.services_performed`."""

    __tablename__ = "departed_line"
    __table_args__ = (tenant_index("order_id"),)

    shipment_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    line_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-9)
    order_id: Mapped[UUID]
    number: Mapped[str]
    quantity: Mapped[Decimal]
    performed: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether it is of services; `shipment_id` is the performance then."""


class ReturnLine(Part, Base):
    """What may come back of one order line, of one shipment. `accepted` is credited: goods that are restocked or scrapped, and services at once."""

    __tablename__ = "return_line"
    __table_args__ = (
        refers_to("customer_return", "return_id"),
        tenant_index("return_id"),
        tenant_index("line_id", "shipment_id"),
    )
    __root__ = "of"

    return_id: Mapped[UUID]
    position: Mapped[int]
    shipment_id: Mapped[UUID]
    shipment_number: Mapped[str]
    line_id: Mapped[UUID]
    item_id: Mapped[UUID]
    sku: Mapped[str]
    name: Mapped[str]
    warehouse_id: Mapped[UUID]
    unit: Mapped[str]
    decimals: Mapped[int]
    quantity: Mapped[Decimal]
    outcome: Mapped[Outcome]
    received: Mapped[Decimal]
    accepted: Mapped[Decimal]
    sent_back: Mapped[Decimal]
    performed: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether it is of a service; `shipment_id` is the performance then."""
    of: Mapped["Return"] = relationship(back_populates="lines")

    @classmethod
    def of_order(
        cls, position: int, departed: DepartedLine, line: OrderLine, quantity: Decimal, outcome: Outcome
    ) -> "ReturnLine":
        names = ("item_id", "sku", "name", "warehouse_id", "unit", "decimals")
        return cls(
            id=uuid7(),
            position=position,
            shipment_id=departed.shipment_id,
            shipment_number=departed.number,
            line_id=line.id,
            **{name: getattr(line, name) for name in names},
            quantity=quantity,
            outcome=outcome,
            received=NOTHING,
            accepted=NOTHING,
            sent_back=NOTHING,
            performed=departed.performed,
        )

    @property
    def judged(self) -> Decimal:
        """How much of it was looked at."""
        return self.accepted + self.sent_back

    def described(self) -> events.ReturnLine:
        whose = ("shipment_id", "performed", "line_id")
        names = (*whose, "item_id", "sku", "name", "warehouse_id", "unit", "decimals", "quantity")
        return events.ReturnLine(
            return_line_id=self.id, outcome=self.outcome, **{name: getattr(self, name) for name in names}
        )

    def so_far(self) -> dict[str, Any]:
        names = ("quantity", "received", "accepted", "sent_back")
        return {"return_line_id": self.id, **{name: getattr(self, name) for name in names}}
