"""What clients send: a meeting or a task as it is to be, whole, and what became of it."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from activities.recurrence import LONGEST, canonical
from contracts.activities import MeetingStatus, Priority, TaskStatus
from tailrace.core.personal_data import Personal
from tailrace.core.values.days import TimeZone
from tailrace.core.values.fields import Day, Email, Moment, Name, Note, Sentence, Text
from tailrace.core.values.wire import WrongFields
from tailrace.http.routing import Body

_A_WEEK, _A_MONTH = 7 * 24 * 60, 31 * 24 * 60
LONGEST_MEETING = 14
"""In days."""


def _rule(text: str) -> str:
    try:
        return canonical(text)
    except ValueError as error:
        raise ValueError(f"{str(error)[:200]}") from None


RecurrenceRule = Annotated[
    str,
    Field(
        min_length=6,
        max_length=LONGEST,
        pattern="^[A-Za-z0-9=;,:+-]+$",
        examples=["FREQ=WEEKLY;BYDAY=MO"],
        description="A rule as RFC 5545 writes it (RRULE), by days, weeks, months or years.",
    ),
    AfterValidator(_rule),
]
Lead = Annotated[int, Field(ge=0, le=_A_MONTH)]


class RecurrenceBody(Body):
    """When it comes again. The first time has to be one of the rule's own."""

    rule: RecurrenceRule
    exceptions: Annotated[list[Day], Field(max_length=200)] = []
    """Days on which it does not come."""


class AttendeeBody(Body):
    """Somebody at a meeting: a user, one of the customer's people, or another by name."""

    user_id: UUID | None = None
    """A user of the company."""
    person_id: UUID | None = None
    """One of those who speak for the customer."""
    name: Personal[Name] | None = None
    email: Personal[Email] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(each is not None for each in (self.user_id, self.person_id, self.name)) != 1:
            raise WrongFields(
                "say a user_id, a person_id or a name, and one of them alone", "user_id", "person_id", "name"
            )
        if self.email is not None and self.name is None:
            raise WrongFields("only somebody who is named has an e-mail address here", "email")
        return self


class MeetingBody(Body):
    """A meeting as it is to be. How it went is said by its status."""

    title: Name
    customer_id: UUID
    """The customer it is with."""
    owner_id: UUID | None = None
    """Whose meeting it is; the caller's when left out."""
    opportunity_id: UUID | None = None
    """What it is about; kept as it is given."""
    starts_at: Moment
    ends_at: Moment
    time_zone: TimeZone | None = None
    """Where it is planned by: its hour stays when the clocks there are moved. The company's when left out."""
    location: Text | None = None
    attendees: Annotated[list[AttendeeBody], Field(max_length=100)] = []
    """Who is there besides the owner."""
    agenda: Note | None = None
    outcome: Note | None = None
    next_step: Sentence | None = None
    reminder_minutes: Annotated[int, Field(ge=0, le=_A_WEEK)] | None = None
    """How long before it begins to remind of it; null for not at all."""
    recurrence: RecurrenceBody | None = None
    """How it comes again; null for once."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.ends_at <= self.starts_at:
            raise WrongFields("ends_at must lie after starts_at", "ends_at")
        if (self.ends_at - self.starts_at).days > LONGEST_MEETING:
            raise WrongFields(f"a meeting lasts at most {LONGEST_MEETING} days", "ends_at")
        return self

    def values(self) -> dict[str, Any]:
        as_json = {"attendees", "recurrence"}
        return {**self.model_dump(exclude=as_json), **self.model_dump(mode="json", include=as_json)}


class MeetingStatusBody(Body):
    """What became of a meeting."""

    status: MeetingStatus
    """How it stands now."""
    outcome: Note | None = None
    next_step: Sentence | None = None
    reason: Sentence | None = None


class NextStepBody(Body):
    """What the task is to be besides what the meeting says."""

    user_id: UUID | None = None
    """Who is to do it; the meeting's owner when left out."""
    due_at: Moment | None = None
    due_on: Day | None = None
    priority: Priority = "normal"
    """How much it matters."""

    @model_validator(mode="after")
    def _once(self) -> Self:
        _ensure_due_once(self.due_at, self.due_on)
        return self


class ChecklistItemBody(Body):
    """A step of a task."""

    text: Text
    done: bool = False
    """Whether it is done."""


class TaskBody(Body):
    """A task as it is to be. Its status has a route of its own."""

    title: Name
    description: Note | None = None
    user_id: UUID | None = None
    """Who is to do it; the caller when left out."""
    priority: Priority = "normal"
    """How much it matters."""
    due_at: Moment | None = None
    due_on: Day | None = None
    """The last day for it, in place of a moment."""
    time_zone: TimeZone | None = None
    """Where its days and hours are counted; the company's when left out."""
    lead_minutes: Lead | None = None
    """How long before it is due to say so; as the company has it when null."""
    customer_id: UUID | None = None
    """The customer it is about."""
    opportunity_id: UUID | None = None
    """The opportunity it is about; kept as it is given."""
    quote_id: UUID | None = None
    """The quote it is about; kept as it is given."""
    order_id: UUID | None = None
    """The order it is about; kept as it is given."""
    checklist: Annotated[list[ChecklistItemBody], Field(max_length=100)] = []
    """Its steps."""
    recurrence: RecurrenceBody | None = None
    """How it comes again; null for once."""

    @model_validator(mode="after")
    def _once(self) -> Self:
        _ensure_due_once(self.due_at, self.due_on)
        return self

    def values(self) -> dict[str, Any]:
        as_json = {"checklist", "recurrence"}
        return {**self.model_dump(exclude=as_json), **self.model_dump(mode="json", include=as_json)}


class TaskStatusBody(Body):
    """How a task stands now."""

    status: TaskStatus
    """How it stands now."""
    reason: Sentence | None = None


class LeadTimeBody(Body):
    minutes: Lead
    """How long before they are due tasks are announced that do not say so themselves."""


class CalendarFeedBody(Body):
    """What a calendar is to show."""

    name: Name = "Calendar"
    includes: Annotated[list[Literal["meetings", "tasks"]], Field(min_length=1, max_length=2)] = ["meetings", "tasks"]
    """What of the user's it shows."""


def _ensure_due_once(at: datetime | None, on: date | None) -> None:
    if at is not None and on is not None:
        raise WrongFields("say due_at or due_on, not both", "due_at", "due_on")
