"""A user who is gone looks after nobody: the one who takes over does, or nobody, and `customer.assigned` says so of each customer."""

from contracts.users import UserDeleted
from customers import commands
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.subscribers import EVER, Reaction

leavers = Reaction("customers.leavers", since=EVER)


@leavers.on(UserDeleted)
async def left(tx: Tx, event: UserDeleted, meta: Meta) -> None:
    await commands.leave(tx, event.user_id, event.successor_id)
