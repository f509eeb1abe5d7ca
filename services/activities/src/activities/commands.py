"""What is done with meetings and tasks: whose they are and whom they are with is checked, and what is to come of them is planned."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from activities import timers
from activities.bodies import MeetingBody, MeetingStatusBody, NextStepBody, TaskBody
from activities.copies import CustomerCopy, MergeCopy, UserCopy
from activities.meetings import Meeting
from activities.projections import dates, days
from activities.tasks import OPEN, LeadTime, Task
from contracts.activities import TaskStatus
from tailrace.core import clock
from tailrace.core.errors import Invalid, NotDeleted, RefersToDeleted, Unknown
from tailrace.core.ids import uuid7
from tailrace.core.values.plausible import Bounds, checked_day
from tailrace.core.values.text import shortened
from tailrace.db.database import Tx
from tailrace.messaging.replica import Known, by_ids, followed

APPOINTED = Bounds(back=timedelta(days=3660), ahead=timedelta(days=3660))
"""When a meeting or what is to be done may be, from now: what was forgotten is written down later. What is repeated reaches as far as its rule.
What the company says of either goes before."""
_LONGEST_TITLE = 200


async def create_task(tx: Tx, body: TaskBody, **given: Any) -> Task:
    """Raises what is said of a user or a customer that is not there, Invalid for a rule that is none, and Implausible."""
    values = await _task_values(tx, body, None)
    task = Task.create({**_NO_LINKS, **values, **given})
    tx.add(task)
    await timers.plan_task(tx, task)
    return task


async def replace_task(tx: Tx, id: UUID, match: int | None, body: TaskBody) -> Task:
    """Raises what `create_task` raises."""
    task = await tx.load(Task, id, match)
    task.replace(await _task_values(tx, body, task))
    await timers.plan_task(tx, task)
    return task


async def change_task_status(tx: Tx, id: UUID, match: int | None, status: TaskStatus, reason: str | None) -> Task:
    """Said again, it has no further effect. The next of a series is made when one is done or given up. Raises NotInThisStatus."""
    task = await tx.load(Task, id, match)
    if status != task.status:
        task.move_to(status, clock.now(), reason)
        await timers.plan_task(tx, task)
        if not task.is_open:
            await timers.follow_task(tx, task)
    return task


async def delete_task(tx: Tx, id: UUID, match: int | None) -> None:
    """Take a task away; a series ends with its newest one."""
    task = await tx.load(Task, id, match)
    task.delete(clock.now())
    await timers.plan_task(tx, task)


async def restore_task(tx: Tx, id: UUID, match: int | None) -> Task:
    """Take a deleted task back; a series goes on with it. Raises NotDeleted, and RefersToDeleted while the customer of an open one is gone."""
    task = await tx.load(Task, id, match, even_deleted=True)
    if task.deleted_at is None:
        raise NotDeleted(f"The task {task.title} is there.")
    if task.customer_id is not None and task.status in OPEN:
        await _ensure_customer(tx, task.customer_id)
    task.restore()
    await timers.plan_task(tx, task)
    return task


async def create_meeting(tx: Tx, body: MeetingBody) -> Meeting:
    """Raises what is said of a user, a customer or a person that is not there, Invalid for a rule that is none, and Implausible."""
    values = await _meeting_values(tx, body, None)
    none = {"next_task_id": None, "reminded_for": None, "reason": None}
    meeting = Meeting.create({**none, **values})
    tx.add(meeting)
    await timers.plan_meeting(tx, meeting)
    return meeting


async def replace_meeting(tx: Tx, id: UUID, match: int | None, body: MeetingBody) -> Meeting:
    """Raises what `create_meeting` raises."""
    meeting = await tx.load(Meeting, id, match)
    meeting.replace(await _meeting_values(tx, body, meeting))
    await timers.plan_meeting(tx, meeting)
    return meeting


async def change_meeting_status(tx: Tx, id: UUID, match: int | None, body: MeetingStatusBody) -> Meeting:
    """Said again, it has no further effect. The next of a series is made when one was held or is cancelled. Raises NotInThisStatus."""
    meeting = await tx.load(Meeting, id, match)
    if body.status != meeting.status:
        meeting.move_to(body.status, body.model_dump(exclude={"status"}))
        await timers.plan_meeting(tx, meeting)
        if not meeting.is_to_come:
            await timers.follow_meeting(tx, meeting)
    return meeting


async def delete_meeting(tx: Tx, id: UUID, match: int | None) -> None:
    """Take a meeting away; a series ends with its newest one."""
    meeting = await tx.load(Meeting, id, match)
    meeting.delete(clock.now())
    await timers.plan_meeting(tx, meeting)


async def restore_meeting(tx: Tx, id: UUID, match: int | None) -> Meeting:
    """Take a deleted meeting back; a series goes on with it. Raises NotDeleted, and RefersToDeleted while its customer is gone, with whom a hidden
    one comes back by itself."""
    meeting = await tx.load(Meeting, id, match, even_deleted=True)
    if meeting.deleted_at is None:
        raise NotDeleted(f"The meeting {meeting.title} is there.")
    await _ensure_customer(tx, meeting.customer_id)
    if meeting.is_hidden:
        raise NotDeleted(f"The meeting {meeting.title} comes back with its customer, by itself.")
    meeting.restore()
    await timers.plan_meeting(tx, meeting)
    return meeting


async def take_next_step(tx: Tx, meeting_id: UUID, match: int | None, body: NextStepBody) -> Task:
    """The task that the meeting's next step becomes, once. Raises NoNextStep, NextStepTaken."""
    meeting = await tx.load(Meeting, meeting_id, match)
    task_id = uuid7()
    step = meeting.take_next_step(task_id)
    title = shortened(step, _LONGEST_TITLE)
    said = TaskBody(
        title=title,
        description=None if title == step else step,
        user_id=body.user_id or meeting.owner_id,
        priority=body.priority,
        due_at=body.due_at,
        due_on=body.due_on,
        time_zone=meeting.time_zone,
        customer_id=meeting.home_customer_id,
        opportunity_id=meeting.opportunity_id,
    )
    values = await _task_values(tx, said, None)
    task = Task.create({**_NO_LINKS, **values, "meeting_id": meeting.id}, task_id)
    tx.add(task)
    await timers.plan_task(tx, task)
    return task


async def set_lead_time(tx: Tx, minutes: int) -> LeadTime:
    """Announce tasks so long before they are due, from now on; those that are planned are planned again."""
    id = timers.lead_time_id(tx.tenant_id)
    kept = await tx.get(LeadTime, (tx.tenant_id, id), with_for_update=True)
    if kept is None:
        kept = LeadTime(id=id, minutes=-1)
        tx.add(kept)
    if kept.minutes != minutes:
        kept.change(minutes)
        await timers.replanning.set(tx, tx.tenant_id, datetime.now(UTC), timers.After())
    return kept


async def require_customer(tx: Tx, id: UUID) -> None:
    """Raises Unknown."""
    known = (await by_ids(tx, CustomerCopy, [id])).get(id)
    if known is None or not known.active:
        raise Unknown("Customer", id)


_NO_LINKS: Mapping[str, Any] = {
    "meeting_id": None,
    "announced_for": None,
    "completed_at": None,
    "reason": None,
    "ended_from": None,
}


async def _task_values(tx: Tx, body: TaskBody, task: Task | None) -> dict[str, Any]:
    values = body.values()
    if body.due_at is not None and (task is None or body.due_at != task.due_at):
        await dates.moment(tx, "task", APPOINTED, body.due_at, "/due_at")
    if body.due_on is not None and (task is None or body.due_on != task.due_on):
        today = await days.today(tx)
        bounds = await dates.days(tx, "task", today, today - APPOINTED.back, today + APPOINTED.ahead)
        checked_day(body.due_on, *bounds, "/due_on")
    values["user_id"] = await _user(tx, body.user_id, None if task is None else task.user_id, task is None, "/user_id")
    values["time_zone"] = body.time_zone or await _zone(tx)
    customer = None if body.customer_id is None else await _customer(tx, body.customer_id)
    return {**values, **_with(body.customer_id, customer, None if task is None else task)}


async def _meeting_values(tx: Tx, body: MeetingBody, meeting: Meeting | None) -> dict[str, Any]:
    values = body.values()
    if meeting is None or body.starts_at != meeting.starts_at:
        await dates.moment(tx, "meeting", APPOINTED, body.starts_at, "/starts_at")
    known = None if meeting is None else meeting.owner_id
    values["owner_id"] = await _user(tx, body.owner_id, known, meeting is None, "/owner_id")
    values["time_zone"] = body.time_zone or await _zone(tx)
    customer = await _customer(tx, body.customer_id)
    await _check_attendees(tx, body, customer, meeting)
    return {**values, **_with(body.customer_id, customer, meeting)}


def _with(given: UUID | None, customer: CustomerCopy | None, row: Task | Meeting | None) -> dict[str, Any]:
    """Whom it is with. Sent back as it was shown, it stays with the customer that was named at first."""
    at = None if customer is None else customer.id
    if row is not None and given == row.customer_id and at == row.customer_id:
        return {"customer_id": at, "home_customer_id": row.home_customer_id}
    return {"customer_id": at, "home_customer_id": given}


async def _user(tx: Tx, given: UUID | None, known: UUID | None, is_new: bool, field: str) -> UUID | None:
    """Who is to do it. Left out, it is the caller's who makes it, and stays whose it is."""
    if given is None:
        caller = tx.context.user_id
        if not is_new or caller is None:
            return known
        copy = (await _hold_user(tx, caller)).get(caller)
        if copy is not None and not copy.active:
            raise Invalid.field(field, "You are gone.")
        return caller
    if given != known:
        (await _hold_user(tx, given)).in_use(given, field)
    return given


async def _hold_user(tx: Tx, user_id: UUID) -> Known[UserCopy]:
    """The copy of a user, held until this is committed: who leaves meanwhile is found by the handover, which waits for the copy to say so."""
    held = select(UserCopy).where(UserCopy.id == user_id).with_for_update(read=True)
    return Known(UserCopy, (await tx.scalars(held)).all())


async def _customer(tx: Tx, customer_id: UUID) -> CustomerCopy:
    """The customer, or the one that stands for it, held as users are. Raises NotYetKnown, and Invalid for one that was deleted."""
    held = select(CustomerCopy).where(CustomerCopy.id == customer_id).with_for_update(read=True)
    known = Known(CustomerCopy, (await tx.scalars(held)).all())
    id = await followed(tx, MergeCopy.into_customer_id, customer_id)
    if id != customer_id:
        held = select(CustomerCopy).where(CustomerCopy.id == id).with_for_update(read=True)
        known = Known(CustomerCopy, (await tx.scalars(held)).all())
    return known.in_use(id, "/customer_id")


async def _ensure_customer(tx: Tx, customer_id: UUID) -> None:
    """Raises RefersToDeleted for a customer that was deleted."""
    try:
        await _customer(tx, customer_id)
    except Invalid as error:
        raise RefersToDeleted(error.detail, errors=error.errors) from error


async def _zone(tx: Tx) -> str:
    """The zone that the company counts its days in now."""
    calendar = await days.calendar(tx)
    return calendar.zone_of(calendar.day_of(clock.now()))


async def _check_attendees(tx: Tx, body: MeetingBody, customer: CustomerCopy, meeting: Meeting | None) -> None:
    """Raises what is said of a user or a person that is not there; those who are at it already may be gone by now."""
    before = [] if meeting is None else meeting.attendees
    there = {each[name] for each in before for name in ("user_id", "person_id")}
    ids = {each.user_id for each in body.attendees if each.user_id is not None}
    users = await by_ids(tx, UserCopy, ids)
    people = {person["person_id"] for person in customer.people}
    for number, each in enumerate(body.attendees):
        at = f"/attendees/{number}"
        if each.user_id is not None and str(each.user_id) not in there:
            users.in_use(each.user_id, f"{at}/user_id")
        if each.person_id is not None and str(each.person_id) not in {*people, *there}:
            raise Invalid.field(f"{at}/person_id", f"There is no such person at {customer.number}.")
