"""What has left of each order line, and what an order is told when it asks that nothing more of it leaves."""

from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from contracts import shipments as events
from shipping.base import Base
from tailrace.db.models import Aggregate, TenantRow


class CancelAnswer(Aggregate, Base):
    """Speaks for an order as a whole: that nothing more of it will leave. Under an id of its own, since the order's id counts the order's events."""

    __tablename__ = "cancel_answer"

    order_id: Mapped[UUID]

    def give(self, shipments: list[UUID], departed: list[events.ReservedDeparture]) -> None:
        self.record(events.ShipmentsCancelled(order_id=self.order_id, shipments=shipments, departed=departed))


class DispatchedLine(TenantRow, Base):
    """How much of an order's line has left, over all shipments."""

    __tablename__ = "dispatched_line"

    line_id: Mapped[UUID] = mapped_column(primary_key=True)
    quantity: Mapped[Decimal]
