"""A task, and what can be done with it. Every change is a method that refuses, or records an event."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Self
from uuid import UUID

from sqlalchemy.orm import Mapped

from activities.base import Base
from activities.recurrence import local, moment_of
from activities.recurring import Recurring
from activities.refusals import NotInThisStatus
from contracts import activities as events
from contracts.activities import Priority, TaskStatus
from tailrace.core.ids import uuid7
from tailrace.core.transitions import Transitions
from tailrace.db.keys import tenant_index
from tailrace.db.models import Aggregate, SoftDeleted
from tailrace.db.text_search.search import Searchable
from tailrace.db.visibility import Owned

NEVER = datetime(2200, 1, 1, tzinfo=UTC)
"""The `due_by` of what is due at no time."""
OPEN: tuple[TaskStatus, ...] = ("open", "in_progress")
STATES = Transitions[TaskStatus](
    "Task",
    {
        "open": {"started": "in_progress", "completed": "done", "cancelled": "cancelled"},
        "in_progress": {"reopened": "open", "completed": "done", "cancelled": "cancelled"},
        "done": {"reopened": "open"},
        "cancelled": {"reopened": "open"},
    },
    NotInThisStatus,
)
STEPS: Mapping[TaskStatus, str] = {
    "open": "reopened",
    "in_progress": "started",
    "done": "completed",
    "cancelled": "cancelled",
}
_ONE_DAY, _SMALLEST = timedelta(days=1), timedelta(microseconds=1)


class Task(Recurring, SoftDeleted, Searchable, Owned, Base):
    """Something that somebody is to do, by some time or at none."""

    __tablename__ = "task"
    __table_args__ = (
        tenant_index("user_id", "due_by", "id"),
        tenant_index("due_by", "id"),
        tenant_index("created_at", "id"),
        tenant_index("customer_id", "id"),
        tenant_index("home_customer_id"),
        tenant_index("meeting_id"),
        tenant_index("series_id"),
    )
    owned_by = "user_id"

    title: Mapped[str]
    description: Mapped[str | None]
    status: Mapped[TaskStatus]
    priority: Mapped[Priority]
    user_id: Mapped[UUID | None]
    """Who is to do it."""
    due_at: Mapped[datetime | None]
    due_on: Mapped[date | None]
    due_by: Mapped[datetime]
    """The moment from which on it is overdue, however that was said."""
    time_zone: Mapped[str]
    lead_minutes: Mapped[int | None]
    customer_id: Mapped[UUID | None]
    home_customer_id: Mapped[UUID | None]
    """The customer that was named; `customer_id` is the one that stands for it by now."""
    opportunity_id: Mapped[UUID | None]
    quote_id: Mapped[UUID | None]
    order_id: Mapped[UUID | None]
    meeting_id: Mapped[UUID | None]
    checklist: Mapped[list[dict[str, Any]]]
    announced_for: Mapped[datetime | None]
    """The `due_by` that was announced."""
    completed_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    """Why it was cancelled."""
    ended_from: Mapped[str | None]
    """The status in which the deletion of its customer found it, to go back to."""

    @classmethod
    def create(cls, values: Mapping[str, Any], id: UUID | None = None) -> Self:
        task = cls(id=id or uuid7(), status="open", exceptions=[])
        task._take(values)
        task.record_as(events.TaskCreated)
        return task

    def replace(self, values: Mapping[str, Any]) -> None:
        """Put the fields of a request in place of what was. Its status has a route of its own."""
        previous = self.user_id
        self._take(values)
        if self.user_id != previous:
            self._tell_assigned(previous, None)
        self.record_as(events.TaskUpdated)

    def move_to(self, status: TaskStatus, now: datetime, reason: str | None = None) -> None:
        """Raises NotInThisStatus."""
        self.status = STATES.after(self.status, STEPS[status], self.title)
        self.reason, self.ended_from = (reason if status == "cancelled" else None), None
        self.completed_at = now if status == "done" else None
        if status == "done":
            self.record_as(events.TaskCompleted)
        elif status == "in_progress":
            self.record_as(events.TaskStarted)
        elif status == "cancelled":
            self.record_as(events.TaskCancelled)
        else:
            self.announced_for = None
            self.record_as(events.TaskReopened, reason=reason)

    def delete(self, now: datetime) -> None:
        """Take it away. The row stays for those who refer to its id."""
        self.deleted_at = now
        self.make_searchable()
        self.record_as(events.TaskDeleted)

    def restore(self) -> None:
        """Be there again, as it was."""
        self.deleted_at = None
        self._settle()
        self.record_as(events.TaskRestored)

    def announce(self) -> None:
        """Say that it is due before long."""
        self.announced_for = self.due_by
        self.record_as(events.TaskDueSoon, due_date=self.due_by)

    def hand_over(self, user_id: UUID | None, reason: str) -> None:
        """Let somebody else do it: for when the one who was to do it is gone."""
        previous, self.user_id = self.user_id, user_id
        self._tell_assigned(previous, reason)
        self.record_as(events.TaskUpdated)

    def belong_to(self, customer_id: UUID) -> None:
        """Be about the customer that stands for the one it was about, or about that one again."""
        self.customer_id = customer_id
        self.record_as(events.TaskUpdated)

    def end_with_customer(self, reason: str) -> None:
        """Its customer was deleted; the customer's return undoes this."""
        self.ended_from, self.status, self.reason = self.status, "cancelled", reason
        self.record_as(events.TaskCancelled)

    def return_with_customer(self, reason: str) -> None:
        """Its customer is back: it is what it was."""
        self.status, self.ended_from, self.reason = self.ended_from, None, None  # type: ignore[assignment]
        self.record_as(events.TaskReopened, reason=reason)
        self.record_as(events.TaskUpdated)

    @property
    def is_open(self) -> bool:
        return self.deleted_at is None and self.status in OPEN

    def next_due(self, now: datetime) -> Mapping[str, Any] | None:
        """When the next of its series is due, as fields; None when this is the last."""
        if self.due_on is not None:
            today = _midnight(local(now, self.time_zone).date())
            day = self._rule_in("Etc/UTC").following(_midnight(self.due_on), today - _SMALLEST)
            return None if day is None else {"due_on": day.date(), "due_at": None}
        assert self.due_at is not None
        moment = self._rule_in(self.time_zone).following(self.due_at, now)
        return None if moment is None else {"due_at": moment, "due_on": None}

    def next_of_series(self, due: Mapping[str, Any]) -> "Task":
        """The next one: the same thing, to be done again."""
        kept = {name: getattr(self, name) for name in _REPEATED}
        again = Task(id=uuid7(), status="open", **kept)
        again.checklist = [{**step, "done": False} for step in self.checklist]
        again.due_at, again.due_on = due["due_at"], due["due_on"]
        again._settle()
        again.record_as(events.TaskCreated)
        return again

    def _take(self, values: Mapping[str, Any]) -> None:
        time = (self.due_at, self.due_on, self.time_zone)
        recurrence = values["recurrence"]
        for name, value in values.items():
            if name != "recurrence":
                setattr(self, name, value)
        moved = time != (self.due_at, self.due_on, self.time_zone)
        begin = self.due_at if self.due_on is None else _midnight(self.due_on)
        self._recur(recurrence, begin, self.time_zone if self.due_on is None else "Etc/UTC", moved)
        self._settle()

    def _settle(self) -> None:
        if self.due_on is not None:
            self.due_by = moment_of(datetime.combine(self.due_on + _ONE_DAY, time.min), self.time_zone)
        else:
            self.due_by = self.due_at or NEVER
        self.make_searchable(self.title, self.description, *(step["text"] for step in self.checklist))

    def _tell_assigned(self, previous: UUID | None, reason: str | None) -> None:
        self.record_as(events.TaskAssigned, previous_user_id=previous, reason=reason)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)


_REPEATED = (
    "title description priority user_id time_zone lead_minutes customer_id home_customer_id opportunity_id quote_id"
    " order_id meeting_id rule exceptions series_id series_began_at"
).split()


class LeadTime(Aggregate, Base):
    """How long before it is due a task is announced, unless it says so itself. A tenant has one, under an id that the tenant's makes."""

    __tablename__ = "lead_time"

    minutes: Mapped[int]

    def change(self, minutes: int) -> None:
        self.minutes = minutes
        self.record_as(events.TaskLeadTimeChanged)
