"""An order that binds is changed by taking it back: it is a draft again, in its next revision, when nothing is held for it any more.

What it was is kept: one row for each revision that has bound.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from sqlalchemy import UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from contracts import orders as events
from contracts import reopenings
from orders.base import Base
from orders.refusals import OrderInvoiced, PartlyShipped
from tailrace.core import clock
from tailrace.core.ids import uuid7
from tailrace.db.keys import refers_to
from tailrace.db.models import Part

if TYPE_CHECKING:
    from orders.models import Order


class Versioned:
    """What an order has and does to be changed after it was confirmed."""

    revision: Mapped[int] = mapped_column(server_default=text("1"))
    """One more each time that it was a draft again."""
    reopen_reason: Mapped[str | None]
    """Why it is being reopened, or is a draft again."""

    def reopen(self, reason: str) -> None:
        """Take it back, to change it. Raises NotConfirmed, PartlyShipped, OrderInvoiced."""
        order = _order(self)
        after = order.after("reopened")
        if order.shipment != "none":
            raise PartlyShipped(order.number)
        if order.invoiced:
            raise OrderInvoiced(order.number)
        order.status, order.reopen_reason, order.hold_reason, order.allocating = after, reason, None, False
        order.record(reopenings.OrderReopeningRequested(order_id=order.id, reason=reason))

    def return_to_draft(self) -> "OrderVersion":
        """Be a draft again, of which nothing is held. The answer is what it was."""
        order = _order(self)
        order.status = order.after("freed")
        before = OrderVersion(
            id=uuid7(),
            order=order,
            revision=self.revision,
            customer_reference=order.customer_reference,
            net=order.net,
            tax=order.tax,
            lines=[line.described().model_dump(mode="json") for line in order.lines],
            custom_fields=order.custom_fields,
            confirmed_at=order.confirmed_at,
            reopened_at=clock.now(),
            reason=self.reopen_reason,
        )
        order.forget_fulfilment()
        self.revision += 1
        said = {"number": order.number, "revision": self.revision, "reason": self.reopen_reason}
        order.record(reopenings.OrderReopened(order_id=order.id, **said))
        return before

    def stay_confirmed(self, left: str) -> None:
        """Goods left before it could be a draft again: it stands as it was, and what is open is allocated again. `left` says how much that was."""
        order = _order(self)
        order.correction = f"{left} had left before it was reopened: {self.reopen_reason}"
        order.status, order.reopen_reason, order.allocating = order.after("left"), None, bool(order.open_lines())
        order.record(events.OrderReinstated(order_id=order.id, reason=order.correction))


def _order(versioned: Versioned) -> "Order":
    return cast("Order", versioned)


class OrderVersion(Part, Base):
    """A revision that was confirmed and does not bind any more, with its lines as its event had them."""

    __tablename__ = "order_version"
    __table_args__ = (refers_to("sales_order", "order_id"), UniqueConstraint("tenant_id", "order_id", "revision"))
    __root__ = "order"

    order_id: Mapped[UUID]
    revision: Mapped[int]
    customer_reference: Mapped[str]
    net: Mapped[int]
    tax: Mapped[int]
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    custom_fields: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    confirmed_at: Mapped[datetime | None]
    reopened_at: Mapped[datetime]
    reason: Mapped[str | None]
    order: Mapped["Order"] = relationship()

    @property
    def total(self) -> int:
        return self.net + self.tax
