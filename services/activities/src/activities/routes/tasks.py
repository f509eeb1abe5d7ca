"""/v1/tasks: what somebody is to do, by when, and how it stands."""

from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlalchemy import ColumnElement, and_, case, select

from activities import commands, timers
from activities.bodies import LeadTimeBody, TaskBody, TaskStatusBody
from activities.projections import customers, dates, days, users
from activities.scopes import LeadTimeSetter, TaskReader, TaskWriter
from activities.tasks import NEVER, OPEN, LeadTime, Task
from activities.views import LeadTimeView, TaskView
from contracts.activities import Priority, TaskStatus
from tailrace.core import clock
from tailrace.core.values.fields import MomentOrDay, Search
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import Deleted, Filter, any_of, equal, where
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.lists.searching import paginate_found
from tailrace.http.routing import Tx, tenant_router

router = tenant_router(
    "/v1/tasks",
    tag="tasks",
    about="What somebody is to do, by when, and how it stands.",
    reads=[customers, users, days, dates],
)


def _overdue(wanted: bool) -> ColumnElement[bool]:
    late = and_(Task.due_by <= clock.now(), Task.status.in_(OPEN))
    return late if wanted else ~late


def _due_since(moment: datetime, day: date | None = None) -> ColumnElement[bool]:
    """What is due at no time is not meant. The last moment of a day's task is the one before its `due_by`."""
    of_a_day = Task.due_by > moment if day is None else Task.due_on >= day
    near = and_(Task.due_by >= moment - _ZONES_APART, Task.due_by < NEVER)
    return and_(near, case((Task.due_on.is_(None), Task.due_by >= moment), else_=of_a_day))


def _due_before(moment: datetime, day: date | None = None) -> ColumnElement[bool]:
    of_a_day = Task.due_by <= moment if day is None else Task.due_on < day
    near = Task.due_by < moment + _ZONES_APART
    return and_(near, case((Task.due_on.is_(None), Task.due_by < moment), else_=of_a_day))


_ZONES_APART = timedelta(days=2)
"""More than between a day of the company's and the end of the same day in a task's zone: so far the index is read."""
_DUE = (
    Filter("due_by_from", MomentOrDay, _due_since, "Due at this moment, on this day, or later.", days, _due_since),
    Filter("due_by_until", MomentOrDay, _due_before, "Due before this moment or day.", days, _due_before),
)
_LINKS = (equal(Task.customer_id), equal(Task.opportunity_id), equal(Task.quote_id), equal(Task.order_id))
_NARROWED = (
    any_of(Task.priority, Priority),
    equal(Task.user_id),
    *_LINKS,
    equal(Task.meeting_id),
    equal(Task.series_id),
    *_DUE,
)
_FILTERS = (
    any_of(Task.status, TaskStatus),
    *_NARROWED,
    where("overdue", bool, _overdue, "Those that are late and neither done nor given up, or all others."),
)
_SORT = [Task.due_by, Task.created_at, Task.title]
Tasks = Annotated[PageRequest, listed(Task, *_FILTERS, sort=_SORT)]
Found = Annotated[PageRequest, listed(Task, *_FILTERS, sort=_SORT)]
Late = Annotated[PageRequest, listed(Task, *_NARROWED, sort=_SORT, default="due_by")]
Words = Annotated[Search, Query(description="Words, or parts of them, of the title, the description, or a step.")]
_LIVE = select(Task).where(Task.deleted_at.is_(None))
_DELETED = select(Task).where(Task.deleted_at.is_not(None))


@router.post("", status_code=201, response_model=TaskView)
async def create_task(tx: Tx, who: TaskWriter, body: TaskBody) -> Task:
    """Give somebody something to do; oneself, when nobody is named."""
    return await commands.create_task(tx, body)


@router.get("", response_model=Page[TaskView])
async def list_tasks(tx: Tx, who: TaskReader, page: Tasks, deleted: Deleted = False) -> Listing[Task]:
    """Tasks. By `due_by`, those that are due at no time come last."""
    return await paginate(tx, _DELETED if deleted else _LIVE, page)


@router.get("/overdue", response_model=Page[TaskView])
async def list_overdue_tasks(tx: Tx, who: TaskReader, page: Late) -> Listing[Task]:
    """Tasks that are late, and neither done nor given up, the latest first."""
    return await paginate(tx, _LIVE.where(_overdue(True)), page)


@router.get("/search", response_model=Page[TaskView])
async def list_matching_tasks(tx: Tx, who: TaskReader, page: Found, q: Words | None = None) -> Listing[Task]:
    """Tasks that have all these words, or parts of words; from two characters on anywhere, a single one where a word begins."""
    return await paginate_found(tx, _LIVE, page, Task, q)


@router.get("/lead-time")
async def read_lead_time(tx: Tx, who: TaskReader) -> LeadTimeView:
    """How long before they are due tasks are announced that do not say so themselves."""
    return LeadTimeView(minutes=await timers.lead_minutes(tx))


@router.put("/lead-time", response_model=LeadTimeView)
async def replace_lead_time(tx: Tx, who: LeadTimeSetter, body: LeadTimeBody) -> LeadTime:
    """Say how long before they are due tasks are announced. It holds for those that were given before, too."""
    return await commands.set_lead_time(tx, body.minutes)


@router.get("/{task_id}", response_model=TaskView)
async def read_task(tx: Tx, who: TaskReader, task_id: UUID) -> Task:
    """One task."""
    return await tx.find(Task, task_id)


@router.put("/{task_id}", response_model=TaskView)
async def replace_task(tx: Tx, who: TaskWriter, match: IfMatch, task_id: UUID, body: TaskBody) -> Task:
    """Replace a task; its status stays. Of a series, this one is meant, and those that are made of it."""
    return await commands.replace_task(tx, task_id, match, body)


@router.patch("/{task_id}/status", response_model=TaskView)
async def change_task_status(tx: Tx, who: TaskWriter, match: IfMatch, task_id: UUID, body: TaskStatusBody) -> Task:
    """Say how a task stands. The next of a series is made when one is done or given up."""
    return await commands.change_task_status(tx, task_id, match, body.status, body.reason)


@router.delete("/{task_id}", status_code=204)
async def delete_task(tx: Tx, who: TaskWriter, match: IfMatch, task_id: UUID) -> None:
    """Take a task away. A series ends with its newest one."""
    await commands.delete_task(tx, task_id, match)


@router.post("/{task_id}/restore", response_model=TaskView)
async def restore_task(tx: Tx, who: TaskWriter, match: IfMatch, task_id: UUID) -> Task:
    """Take a deleted task back, as it was; its series goes on."""
    return await commands.restore_task(tx, task_id, match)
