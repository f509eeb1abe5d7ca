"""What time does to orders: batch by batch, they follow a user who is gone to the one who takes over."""

from uuid import UUID

from sqlalchemy import Select, select

from orders.models import Order
from orders.projections import Leaver, UserCopy
from tailrace.db.database import Tx
from tailrace.messaging.handover import Handover, Owner, Share


def _sold_by(user_id: UUID) -> Select[UUID]:
    """The orders of which something is still to come."""
    open = (Order.status != "cancelled", Order.shipment != "full")
    return select(Order.id).where(Order.owner_id == user_id, *open).order_by(Order.id)


async def _give(tx: Tx, id: UUID, to: Owner) -> None:
    order = await tx.load(Order, id)
    order.hand_over(to, "The user was deleted." if to.id else "The user was deleted, and nobody takes over.")


handover = Handover("orders.handover", Leaver, UserCopy, Share(_sold_by, _give), at_once=200)
