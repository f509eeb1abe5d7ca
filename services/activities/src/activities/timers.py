"""What time does to meetings and tasks: they are announced once before they come, and the next of a series is made when one has come.

Each deadline is set in the transaction that makes it necessary. What it does depends on what the row says by then, so that it is right
however late it fires.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from activities.meetings import Meeting
from activities.recurring import Recurring, is_newest
from activities.tasks import NEVER, OPEN, LeadTime, Task
from tailrace.core import clock
from tailrace.core.errors import Unknown
from tailrace.core.ids import derived_id
from tailrace.core.payload import Payload
from tailrace.db.database import Tx
from tailrace.messaging.timers import Timer

DEFAULT_LEAD = 24 * 60
"""Minutes before a task is due, where nobody said otherwise."""
AT_ONCE = 500
"""How many tasks are planned again in one transaction."""


class After(Payload):
    """Up to where tasks were planned again."""

    id: UUID | None = None


due_soon = Timer("activities.due_soon")
task_series = Timer("activities.task_series")
reminder = Timer("activities.reminder")
meeting_series = Timer("activities.meeting_series")
replanning = Timer("activities.replanning", carries=After)


def lead_time_id(tenant_id: UUID) -> UUID:
    """The id of a tenant's lead time."""
    return derived_id("activities.lead_time", tenant_id)


async def lead_minutes(tx: Tx) -> int:
    """The tenant's lead time, in minutes."""
    kept = await tx.get(LeadTime, (tx.tenant_id, lead_time_id(tx.tenant_id)))
    return DEFAULT_LEAD if kept is None else kept.minutes


async def plan_task(tx: Tx, task: Task) -> None:
    """Set what is to come of a task, as it is now; clear what is not."""
    if task.is_open and task.due_by < NEVER and task.announced_for != task.due_by and task.due_by > clock.now():
        await due_soon.set(tx, task.id, await _announced_at(tx, task))
    else:
        await due_soon.clear(tx, task.id)
    if task.rule is not None and task.is_open:
        await task_series.set(tx, task.id, task.due_by)
    else:
        await task_series.clear(tx, task.id)


async def plan_meeting(tx: Tx, meeting: Meeting) -> None:
    """Set what is to come of a meeting, as it is now; clear what is not."""
    lead = meeting.reminder_minutes
    coming = meeting.is_to_come and meeting.starts_at > clock.now()
    if coming and lead is not None and meeting.reminded_for != meeting.starts_at:
        await reminder.set(tx, meeting.id, meeting.starts_at - timedelta(minutes=lead))
    else:
        await reminder.clear(tx, meeting.id)
    if meeting.rule is not None and meeting.is_to_come:
        await meeting_series.set(tx, meeting.id, meeting.starts_at)
    else:
        await meeting_series.clear(tx, meeting.id)


@due_soon.due
async def announce(tx: Tx, task_id: UUID) -> None:
    """Say that a task is due before long, unless it is done, was said, or is due later by now."""
    task = await _task(tx, task_id)
    if task is None or not task.is_open or task.due_by >= NEVER or task.announced_for == task.due_by:
        return
    at = await _announced_at(tx, task)
    if at > datetime.now(UTC):
        await due_soon.set(tx, task_id, at)
    else:
        task.announce()


@reminder.due
async def remind(tx: Tx, meeting_id: UUID) -> None:
    """Say that a meeting begins soon, unless it does not, or not yet."""
    meeting = await _meeting(tx, meeting_id)
    if meeting is None or not meeting.is_to_come or meeting.reminder_minutes is None:
        return
    at = meeting.starts_at - timedelta(minutes=meeting.reminder_minutes)
    if at > datetime.now(UTC):
        await reminder.set(tx, meeting_id, at)
    elif meeting.reminded_for != meeting.starts_at:
        meeting.remind()


@task_series.due
async def go_on_with_task(tx: Tx, task_id: UUID) -> None:
    """Make the next of a series when one is due, done or not."""
    task = await _task(tx, task_id)
    if task is not None and task.is_open and task.due_by > datetime.now(UTC):
        await task_series.set(tx, task_id, task.due_by)
    elif task is not None:
        await follow_task(tx, task)


@meeting_series.due
async def go_on_with_meeting(tx: Tx, meeting_id: UUID) -> None:
    """Make the next of a series when one begins."""
    meeting = await _meeting(tx, meeting_id)
    if meeting is not None and meeting.is_to_come and meeting.starts_at > datetime.now(UTC):
        await meeting_series.set(tx, meeting_id, meeting.starts_at)
    elif meeting is not None:
        await follow_meeting(tx, meeting)


async def follow_task(tx: Tx, task: Task) -> Task | None:
    """The next of the task's series, made now; None when there is one already, or none to come."""
    if task.rule is None or task.deleted_at is not None or task.ended_from is not None:
        return None
    due = task.next_due(clock.now())
    if due is None:
        return None
    following = task.next_of_series(due)
    if not await _goes_on(tx, task, following):
        return None
    await plan_task(tx, following)
    return following


async def follow_meeting(tx: Tx, meeting: Meeting) -> Meeting | None:
    """The next of the meeting's series, made now; None when there is one already, or none to come."""
    if meeting.rule is None or meeting.deleted_at is not None:
        return None
    starts_at = meeting.next_start(clock.now())
    if starts_at is None:
        return None
    following = meeting.next_of_series(starts_at)
    if not await _goes_on(tx, meeting, following):
        return None
    await plan_meeting(tx, following)
    return following


@replanning.due
async def plan_again(tx: Tx, key: UUID, after: After) -> None:
    """The lead time is another one: a batch of the tasks that go by it at a time, until there are no more."""
    waiting = select(Task.id).where(Task.status.in_(OPEN), Task.lead_minutes.is_(None), Task.due_by < NEVER)
    if after.id is not None:
        waiting = waiting.where(Task.id > after.id)
    ids = list(await tx.scalars(waiting.where(Task.deleted_at.is_(None)).order_by(Task.id).limit(AT_ONCE)))
    for id in ids:
        await plan_task(tx, await tx.load(Task, id, even_deleted=True))
    if len(ids) == AT_ONCE:
        await replanning.set(tx, key, datetime.now(UTC), After(id=ids[-1]))


async def _goes_on(tx: Tx, row: Recurring, following: Task | Meeting) -> bool:
    """Keep the following one, unless another has been made before."""
    with tx.seeing_all():
        series = await is_newest(tx, row)
        if series is None:
            return False
        series.newest_id = following.id
        tx.add(following)
        # Whose it is, its series says: within nobody's reach but the service's own.
        await tx.flush()
    return True


async def _announced_at(tx: Tx, task: Task) -> datetime:
    lead = task.lead_minutes if task.lead_minutes is not None else await lead_minutes(tx)
    return task.due_by - timedelta(minutes=lead)


async def _task(tx: Tx, id: UUID) -> Task | None:
    try:
        return await tx.load(Task, id)
    except Unknown:
        return None


async def _meeting(tx: Tx, id: UUID) -> Meeting | None:
    try:
        return await tx.load(Meeting, id)
    except Unknown:
        return None
