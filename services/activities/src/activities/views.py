"""What clients are shown of meetings, tasks and calendar feeds."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import model_validator

from activities.tasks import NEVER
from contracts.activities import Attendee, ChecklistItem, MeetingStatus, Priority, Recurrence, TaskStatus
from tailrace.core import clock
from tailrace.http.routing import ResourceView, View


class MeetingView(ResourceView):
    title: str
    """What it is called."""
    status: MeetingStatus
    """Whether it is still to come, was held, or was cancelled."""
    owner_id: UUID | None
    """The user whose meeting it is; null for nobody."""
    customer_id: UUID
    """The customer it is with, or the one that stands for it by now."""
    opportunity_id: UUID | None
    """What it is about."""
    starts_at: datetime
    """When it begins, in UTC."""
    ends_at: datetime
    """When it is over, in UTC."""
    time_zone: str
    """The zone (IANA) that it is planned by."""
    location: str | None
    """Where it is."""
    attendees: list[Attendee]
    """Who is there besides the owner."""
    agenda: str | None
    """What is to be talked about."""
    outcome: str | None
    """What came of it."""
    next_step: str | None
    """What it leads to."""
    next_task_id: UUID | None
    """The task that the next step became."""
    reminder_minutes: int | None
    """How long before it begins somebody is reminded; null for not at all."""
    recurrence: Recurrence | None
    """When it comes again; null for once."""
    series_id: UUID | None
    """What all of one series have in common."""
    reason: str | None
    """Why it was cancelled."""


class TaskView(ResourceView):
    title: str
    """What is to be done."""
    description: str | None
    """More about it."""
    status: TaskStatus
    """How it stands."""
    priority: Priority
    """How much it matters."""
    user_id: UUID | None
    """Who is to do it; null for nobody."""
    due_at: datetime | None
    """The moment by which it is due, in UTC."""
    due_on: date | None
    """The last day for it, in its time zone."""
    due_by: datetime | None
    """When it is late, in UTC, however that was said; null for never."""
    overdue: bool
    """Whether it is late, and neither done nor given up."""
    time_zone: str
    """The zone (IANA) that its days and hours are counted in."""
    lead_minutes: int | None
    """How long before it is due to say so; null for as the company has it."""
    customer_id: UUID | None
    """The customer it is about, or the one that stands for it by now."""
    opportunity_id: UUID | None
    """The opportunity it is about."""
    quote_id: UUID | None
    """The quote it is about."""
    order_id: UUID | None
    """The order it is about."""
    meeting_id: UUID | None
    """The meeting whose next step it is."""
    checklist: list[ChecklistItem]
    """Its steps."""
    recurrence: Recurrence | None
    """When it comes again; null for once."""
    series_id: UUID | None
    """What all of one series have in common."""
    completed_at: datetime | None
    """When it was done, in UTC."""
    reason: str | None
    """Why it was cancelled."""

    @model_validator(mode="before")
    @classmethod
    def _say_when(cls, row: Any) -> Any:
        if isinstance(row, dict):
            return row
        said = {name: getattr(row, name) for name in cls.model_fields if name != "overdue"}
        late = row.is_open and row.due_by <= clock.now()
        return {**said, "due_by": None if row.due_by >= NEVER else row.due_by, "overdue": late}


class LeadTimeView(View):
    minutes: int
    """How long before they are due tasks are announced that do not say so themselves."""


class CalendarFeedView(ResourceView):
    name: str
    """What its user calls it."""
    user_id: UUID
    """Whose meetings and tasks it shows."""
    includes: list[str]
    """What of theirs it shows: `meetings`, `tasks`, or both."""
    revoked: bool
    """Whether its link leads nowhere any more."""


class CalendarLinkView(View):
    path: str
    """Where a calendar program reads it, below the address of this API. It is a secret, and opens the calendar to all who have it."""
