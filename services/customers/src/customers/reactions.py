"""A user who is gone looks after nobody: the customers are left without, and `customer.assigned` says so of each."""

from datetime import UTC, datetime

from contracts.users import UserDeleted
from customers.commands import handover
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.subscribers import EVER, Reaction

leavers = Reaction("customers.leavers", since=EVER)


@leavers.on(UserDeleted)
async def left(tx: Tx, event: UserDeleted, meta: Meta) -> None:
    await handover.set(tx, event.user_id, datetime.now(UTC))
