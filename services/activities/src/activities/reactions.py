"""What the events of others do to meetings and tasks: customers go, come back, and stand for one another; users go."""

from datetime import UTC, datetime
from typing import Any

from activities import following
from activities.following import Turn, turn
from contracts.customers import CustomerDeleted, CustomerMerged, CustomerRestored, CustomerUnmerged
from contracts.users import UserDeleted
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.subscribers import EVER, Reaction

goings = Reaction("activities.goings", since=EVER)


@goings.on(CustomerDeleted)
async def deleted(tx: Tx, event: CustomerDeleted, meta: Meta) -> None:
    await _turn(tx, event, Turn(what="deleted"))


@goings.on(CustomerRestored)
async def restored(tx: Tx, event: CustomerRestored, meta: Meta) -> None:
    await _turn(tx, event, Turn(what="restored"))


@goings.on(CustomerMerged)
async def merged(tx: Tx, event: CustomerMerged, meta: Meta) -> None:
    await _turn(tx, event, Turn(what="merged"))


@goings.on(CustomerUnmerged)
async def unmerged(tx: Tx, event: CustomerUnmerged, meta: Meta) -> None:
    await _turn(tx, event, Turn(what="unmerged"))


@goings.on(UserDeleted)
async def left(tx: Tx, event: UserDeleted, meta: Meta) -> None:
    await following.handover.leave(tx, event.user_id, event.successor_id)


async def _turn(tx: Tx, event: Any, said: Turn) -> None:
    await turn.set(tx, event.customer_id, datetime.now(UTC), said)
