"""Meetings and tasks follow what becomes of customers and users, a batch at a time, until nothing is left that differs.

A customer that is deleted takes its open tasks and its meetings along, and brings them back. One that stands for another has what was with that one,
until they are two again: each row keeps the customer that was named (`home_customer_id`) beside the one that stands for it by now.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import Select, select

from activities import timers
from activities.copies import CustomerCopy, MergeCopy, UserCopy
from activities.meetings import Meeting
from activities.models import CalendarFeed, Leaver
from activities.tasks import OPEN, Task
from tailrace.core import clock
from tailrace.core.payload import Payload
from tailrace.db.database import Tx
from tailrace.messaging.handover import Handover, Owner, Share
from tailrace.messaging.replica import followed
from tailrace.messaging.timers import Timer

AT_ONCE = 200
"""How many rows are changed in one transaction."""
_LOOK_AGAIN = timedelta(seconds=1)
_DELETED = "The customer was deleted."
_BACK = "The customer is back."


class Turn(Payload):
    """What became of a customer. The copy has to say so before anything follows, since until then more may be added for it."""

    what: Literal["deleted", "restored", "merged", "unmerged"]


turn = Timer("activities.customer_turn", carries=Turn)


@turn.due
async def follow_customer(tx: Tx, customer_id: UUID, said: Turn) -> None:
    """Bring a batch of the customer's rows to where they belong by now; again until none is left."""
    # Who adds something for the customer holds this row: either that is here to be found, or it waits, and reads what became of the customer.
    await tx.execute(select(CustomerCopy.id).where(CustomerCopy.id == customer_id).with_for_update())
    if not await _is_known(tx, customer_id, said):
        return await turn.set(tx, customer_id, datetime.now(UTC) + _LOOK_AGAIN, said)
    changed = await _go_home(tx, await _standing_with(tx, customer_id))
    if changed < AT_ONCE:
        copy = await tx.scalar(select(CustomerCopy).where(CustomerCopy.id == customer_id))
        gone = copy is not None and not copy.active
        changed += await (_leave_with if gone else _return_with)(tx, customer_id, AT_ONCE - changed)
    if changed >= AT_ONCE:
        await turn.set(tx, customer_id, datetime.now(UTC), said)
    return None


def _tasks_of(user_id: UUID) -> Select[UUID]:
    return select(Task.id).where(Task.user_id == user_id).order_by(Task.id)


async def _give_task(tx: Tx, id: UUID, to: Owner) -> None:
    reason = "The user was deleted." if to.id else "The user was deleted, and nobody takes over."
    (await tx.load(Task, id, even_deleted=True)).hand_over(to.id, reason)


def _meetings_of(user_id: UUID) -> Select[UUID]:
    return select(Meeting.id).where(Meeting.owner_id == user_id).order_by(Meeting.id)


async def _give_meeting(tx: Tx, id: UUID, to: Owner) -> None:
    (await tx.load(Meeting, id, even_deleted=True)).hand_over(to.id)


def _feeds_of(user_id: UUID) -> Select[UUID]:
    theirs = select(CalendarFeed.id).where(CalendarFeed.user_id == user_id, CalendarFeed.revoked.is_(False))
    return theirs.order_by(CalendarFeed.id)


async def _revoke(tx: Tx, id: UUID, to: Owner) -> None:
    """A calendar goes to nobody."""
    (await tx.load(CalendarFeed, id)).revoke()


handover = Handover(
    "activities.handover",
    Leaver,
    UserCopy,
    Share(_feeds_of, _revoke),
    Share(_tasks_of, _give_task),
    Share(_meetings_of, _give_meeting),
    at_once=AT_ONCE,
)


async def _is_known(tx: Tx, customer_id: UUID, said: Turn) -> bool:
    """Whether the copies have heard of it too."""
    if said.what in ("deleted", "restored"):
        copy = await tx.scalar(select(CustomerCopy).where(CustomerCopy.id == customer_id))
        return copy is not None and copy.active is (said.what == "restored")
    merge = await tx.scalar(select(MergeCopy).where(MergeCopy.id == customer_id))
    return (merge is not None and merge.active) is (said.what == "merged")


async def _standing_with(tx: Tx, customer_id: UUID) -> Sequence[UUID]:
    """The customer, and those that it stands for, or stood for through another."""
    found = [customer_id]
    for id in found:
        merged = select(MergeCopy.id).where(MergeCopy.into_customer_id == id, MergeCopy.active)
        found += [each for each in await tx.scalars(merged.order_by(MergeCopy.id)) if each not in found]
    return found


async def _go_home(tx: Tx, customers: Sequence[UUID]) -> int:
    """Let each row be with the customer that stands now for the one that it names; how many were not."""
    changed = 0
    for home in customers:
        to = await followed(tx, MergeCopy.into_customer_id, home)
        for id in await _ids(tx, Task, Task.home_customer_id == home, Task.customer_id != to, most=AT_ONCE - changed):
            (await tx.load(Task, id, even_deleted=True)).belong_to(to)
            changed += 1
        for id in await _ids(
            tx, Meeting, Meeting.home_customer_id == home, Meeting.customer_id != to, most=AT_ONCE - changed
        ):
            (await tx.load(Meeting, id, even_deleted=True)).belong_to(to)
            changed += 1
    return changed


async def _leave_with(tx: Tx, customer_id: UUID, most: int) -> int:
    """Cancel what is open for a customer that is gone, and hide its meetings; how many."""
    tasks = await _ids(
        tx, Task, Task.customer_id == customer_id, Task.status.in_(OPEN), Task.deleted_at.is_(None), most=most
    )
    for id in tasks:
        task = await tx.load(Task, id)
        task.end_with_customer(_DELETED)
        await timers.plan_task(tx, task)
    here = (Meeting.customer_id == customer_id, Meeting.deleted_at.is_(None))
    meetings = await _ids(tx, Meeting, *here, most=most - len(tasks))
    for id in meetings:
        meeting = await tx.load(Meeting, id)
        meeting.hide(clock.now())
        await timers.plan_meeting(tx, meeting)
    return len(tasks) + len(meetings)


async def _return_with(tx: Tx, customer_id: UUID, most: int) -> int:
    """Bring back what went with a customer that is there again; how many."""
    tasks = await _ids(tx, Task, Task.customer_id == customer_id, Task.ended_from.is_not(None), most=most)
    for id in tasks:
        task = await tx.load(Task, id, even_deleted=True)
        task.return_with_customer(_BACK)
        await timers.plan_task(tx, task)
    meetings = await _ids(
        tx, Meeting, Meeting.customer_id == customer_id, Meeting.is_hidden.is_(True), most=most - len(tasks)
    )
    for id in meetings:
        meeting = await tx.load(Meeting, id, even_deleted=True)
        meeting.show()
        await timers.plan_meeting(tx, meeting)
    return len(tasks) + len(meetings)


async def _ids(tx: Tx, kind: type[Task] | type[Meeting], *conditions: object, most: int) -> list[UUID]:
    query = select(kind.id).where(*conditions).order_by(kind.id).limit(max(most, 0))  # type: ignore[arg-type]
    return list(await tx.scalars(query))
