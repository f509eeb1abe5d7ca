"""What time does to orders: batch by batch, they follow a user who is gone to the one who takes over, and their returns with them."""

from uuid import UUID

from sqlalchemy import Select, select

from orders.models import Order
from orders.projections import Leaver, UserCopy
from orders.returns.models import Return
from orders.returns.states import OVER
from tailrace.db.database import Tx
from tailrace.messaging.handover import Handover, Owner, Share


def _sold_by(user_id: UUID) -> Select[UUID]:
    """The orders of which something is still to come."""
    open = (Order.status != "cancelled", Order.shipment != "full")
    return select(Order.id).where(Order.owner_id == user_id, *open).order_by(Order.id)


async def _give(tx: Tx, id: UUID, to: Owner) -> None:
    order = await tx.load(Order, id)
    order.hand_over(to, "The user was deleted." if to.id else "The user was deleted, and nobody takes over.")


def _returned_to(user_id: UUID) -> Select[UUID]:
    """The returns of which something is still to come."""
    return select(Return.id).where(Return.owner_id == user_id, Return.status.not_in(OVER)).order_by(Return.id)


async def _give_return(tx: Tx, id: UUID, to: Owner) -> None:
    (await tx.load(Return, id)).hand_over(to)


handover = Handover(
    "orders.handover",
    Leaver,
    UserCopy,
    Share(_sold_by, _give),
    Share(_returned_to, _give_return),
    at_once=200,
)
