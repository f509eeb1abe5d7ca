"""The lines of a shipment: how much of an order's line it holds, and of which lots."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from contracts import shipments as events
from contracts.orders import LineQuantity, ShipmentLineRequest
from shipping import lots
from shipping.base import Base
from tailrace.core.ids import uuid7
from tailrace.db.keys import refers_to
from tailrace.db.models import Part

if TYPE_CHECKING:
    from shipping.models import Shipment

ZERO = Decimal(0)


class ShipmentLine(Part, Base):
    """How much of an order's line this shipment holds. `line_…` are the whole order line's figures."""

    __tablename__ = "shipment_line"
    __root__ = "shipment"
    __table_args__ = (
        refers_to("shipment", "shipment_id"),
        Index(None, "tenant_id", "shipment_id", "line_id", unique=True),
    )

    shipment_id: Mapped[UUID]
    line_id: Mapped[UUID]
    item_id: Mapped[UUID]
    sku: Mapped[str]
    name: Mapped[str]
    warehouse_id: Mapped[UUID]
    unit: Mapped[str | None]
    decimals: Mapped[int]
    """How fine a quantity in `unit` may be."""
    quantity: Mapped[Decimal]
    picked: Mapped[Decimal]
    line_quantity: Mapped[Decimal]
    line_net: Mapped[int]
    line_tax: Mapped[int]
    lots: Mapped[list[dict[str, Any]]] = mapped_column(server_default=text("'[]'"))
    """Of a tracked item, which lots it holds: they add up to `quantity`."""
    shipment: Mapped["Shipment"] = relationship(back_populates="lines")

    @property
    def unpicked(self) -> Decimal:
        return self.quantity - self.picked

    @classmethod
    def requested(cls, asked: ShipmentLineRequest) -> "ShipmentLine":
        """What an order asks for."""
        lots = [lot.model_dump(mode="json") for lot in asked.lots]
        return cls(id=uuid7(), picked=ZERO, lots=lots, **asked.model_dump(exclude={"lots"}))

    def give(self, quantity: Decimal) -> None:
        """So much of it goes to another shipment: the lots that `part` names."""
        self.lots = lots.as_rows(lots.split(self.lots, quantity)[1])
        self.quantity -= quantity

    def take_in(self, other: "ShipmentLine") -> None:
        """All that another shipment held of the same order line."""
        self.quantity += other.quantity
        self.picked += other.picked
        self.lots = lots.as_rows(lots.joined(self.lots, other.lots))

    def part(self, quantity: Decimal) -> "ShipmentLine":
        """A line of another shipment with `quantity` of the same order line."""
        of_lots = lots.as_rows(lots.split(self.lots, quantity)[0])
        described = {**self.as_event().model_dump(), "quantity": quantity, "lots": of_lots}
        return ShipmentLine(id=uuid7(), unit=self.unit, decimals=self.decimals, picked=ZERO, **described)

    def as_left(self) -> LineQuantity:
        return LineQuantity(line_id=self.line_id, quantity=self.quantity, lots=self.as_event().lots)

    def as_event(self) -> events.ShipmentLine:
        return events.ShipmentLine.model_validate(self, from_attributes=True)
