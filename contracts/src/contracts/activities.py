"""Events of activities, on `sales.events`: meetings with customers and the tasks of those who sell (CRM design, Sales Activity service).

Each created, updated or restored event carries the whole of what it describes. The others say what just happened, for those who wait for that alone.
"""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from tailrace.core.events import Event
from tailrace.core.personal_data import Personal
from tailrace.core.values.days import TimeZone

TaskStatus = Literal["open", "in_progress", "done", "cancelled"]
MeetingStatus = Literal["planned", "held", "cancelled"]
Priority = Literal["low", "normal", "high", "urgent"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Recurrence(_Value):
    """When something comes again: a rule (RFC 5545, RRULE) that is read on the clocks of the time zone beside it."""

    rule: str
    """As `FREQ=WEEKLY;BYDAY=MO`; the hour is that of the first occurrence."""
    exceptions: list[date] = []
    """Days on which it does not come."""


class Attendee(_Value):
    """Who is at a meeting: a user, somebody who speaks for the customer, or somebody by name."""

    user_id: UUID | None = None
    """A user of the company."""
    person_id: UUID | None = None
    """Somebody who speaks for the customer."""
    name: Personal[str] | None = None
    """What others are called."""
    email: Personal[str] | None = None
    """Where others are written to."""


class ChecklistItem(_Value):
    """A step of a task."""

    text: str
    """What is to be done."""
    done: bool = False
    """Whether it is."""


class SalesEvent(Event):
    topic: ClassVar[str] = "sales.events"
    publisher: ClassVar[str] = "activities"


class MeetingEvent(SalesEvent):
    meeting_id: UUID
    customer_id: UUID
    title: str


class MeetingDescription(MeetingEvent):
    """What the describing events say. Moments are in UTC; `time_zone` is where it is planned by. All of one series share `series_id`."""

    serves: ClassVar[tuple[str, ...]] = ("opportunity_id",)

    owner_id: UUID | None
    opportunity_id: UUID | None = None
    status: MeetingStatus
    starts_at: datetime
    ends_at: datetime
    time_zone: TimeZone
    location: str | None = None
    attendees: list[Attendee] = []
    agenda: str | None = None
    outcome: str | None = None
    next_step: str | None = None
    reminder_minutes: int | None = None
    recurrence: Recurrence | None = None
    series_id: UUID | None = None


class MeetingCreated(MeetingDescription):
    """There is a new meeting, planned or held already."""

    type: ClassVar[str] = "meeting.created"


class MeetingUpdated(MeetingDescription):
    """The meeting is different now; carries the whole of it."""

    type: ClassVar[str] = "meeting.updated"


class MeetingHeld(MeetingEvent):
    """The meeting took place."""

    type: ClassVar[str] = "meeting.held"

    owner_id: UUID | None
    outcome: str | None = None
    next_step: str | None = None


class MeetingCancelled(MeetingEvent):
    """The meeting will not take place."""

    type: ClassVar[str] = "meeting.cancelled"

    owner_id: UUID | None
    reason: str | None = None


class MeetingReopened(MeetingEvent):
    """The meeting is planned again: that it was held, or cancelled, was a mistake."""

    type: ClassVar[str] = "meeting.reopened"

    owner_id: UUID | None


class MeetingReminderReached(MeetingEvent):
    """The meeting begins soon, as somebody wanted to be told."""

    type: ClassVar[str] = "meeting.reminder_reached"

    owner_id: UUID | None
    starts_at: datetime


class MeetingDeleted(MeetingEvent):
    """The meeting is gone: somebody took it away."""

    type: ClassVar[str] = "meeting.deleted"


class MeetingHidden(MeetingEvent):
    """The customer was deleted, and the meeting is not shown any more. It comes back with the customer."""

    type: ClassVar[str] = "meeting.hidden"


class MeetingRestored(MeetingDescription):
    """The meeting is there again, since its customer is back, or somebody took it back; carries the whole of it."""

    type: ClassVar[str] = "meeting.restored"


class TaskEvent(SalesEvent):
    task_id: UUID
    title: str
    customer_id: UUID | None = None


class TaskDescription(TaskEvent):
    """What the describing events say. A task is due at the moment `due_at`, or with the end of the day `due_on` in `time_zone`, or at no time."""

    serves: ClassVar[tuple[str, ...]] = ("opportunity_id", "quote_id", "order_id")

    user_id: UUID | None
    """Who is to do it."""
    description: Personal[str] | None = None
    status: TaskStatus
    priority: Priority
    due_at: datetime | None = None
    due_on: date | None = None
    time_zone: TimeZone
    lead_minutes: int | None = None
    opportunity_id: UUID | None = None
    quote_id: UUID | None = None
    order_id: UUID | None = None
    meeting_id: UUID | None = None
    checklist: list[ChecklistItem] = []
    recurrence: Recurrence | None = None
    series_id: UUID | None = None


class TaskCreated(TaskDescription):
    """There is a new task."""

    type: ClassVar[str] = "task.created"


class TaskUpdated(TaskDescription):
    """The task is different now; carries the whole of it."""

    type: ClassVar[str] = "task.updated"


class TaskAssigned(TaskEvent):
    """Somebody else is to do the task now; nobody, when `user_id` is null."""

    type: ClassVar[str] = "task.assigned"

    user_id: UUID | None
    previous_user_id: UUID | None
    reason: str | None = None


class TaskStarted(TaskEvent):
    """Somebody began with the task."""

    type: ClassVar[str] = "task.started"

    user_id: UUID | None


class TaskCompleted(TaskEvent):
    """The task is done."""

    type: ClassVar[str] = "task.completed"

    user_id: UUID | None
    completed_at: datetime


class TaskCancelled(TaskEvent):
    """The task is not to be done any more."""

    type: ClassVar[str] = "task.cancelled"

    user_id: UUID | None
    reason: str | None = None


class TaskReopened(TaskEvent):
    """The task is to be done after all, from its beginning."""

    type: ClassVar[str] = "task.reopened"

    user_id: UUID | None
    reason: str | None = None


class TaskDueSoon(TaskEvent):
    """The task is due before long, at `due_date`, and is not done. Said once for each time that it is due."""

    type: ClassVar[str] = "task.due_soon"

    due_date: datetime
    user_id: UUID | None


class TaskDeleted(TaskEvent):
    """The task is gone: somebody took it away."""

    type: ClassVar[str] = "task.deleted"


class TaskRestored(TaskDescription):
    """The task is there again: somebody took it back; carries the whole of it."""

    type: ClassVar[str] = "task.restored"


class TaskLeadTimeChanged(SalesEvent):
    """How long before it is due a task is announced, in minutes, unless the task says so itself."""

    type: ClassVar[str] = "task.lead_time_changed"

    lead_time_id: UUID
    minutes: int


class CalendarFeedEvent(SalesEvent):
    feed_id: UUID
    user_id: UUID


class CalendarFeedOpened(CalendarFeedEvent):
    """A user's meetings and tasks can be read by a secret link."""

    type: ClassVar[str] = "sales.calendar_feed.opened"

    name: str


class CalendarFeedRenewed(CalendarFeedEvent):
    """The feed has another secret link; the one before leads nowhere."""

    type: ClassVar[str] = "sales.calendar_feed.renewed"


class CalendarFeedRevoked(CalendarFeedEvent):
    """The feed's link leads nowhere any more."""

    type: ClassVar[str] = "sales.calendar_feed.revoked"


PUBLISHED: tuple[type[SalesEvent], ...] = (
    MeetingCreated,
    MeetingUpdated,
    MeetingHeld,
    MeetingCancelled,
    MeetingReopened,
    MeetingReminderReached,
    MeetingDeleted,
    MeetingHidden,
    MeetingRestored,
    TaskCreated,
    TaskUpdated,
    TaskAssigned,
    TaskStarted,
    TaskCompleted,
    TaskCancelled,
    TaskReopened,
    TaskDueSoon,
    TaskDeleted,
    TaskRestored,
    TaskLeadTimeChanged,
    CalendarFeedOpened,
    CalendarFeedRenewed,
    CalendarFeedRevoked,
)
