"""A meeting, and what can be done with it. Every change is a method that refuses, or records an event."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy.orm import Mapped

from activities.base import Base
from activities.recurring import Recurring
from activities.refusals import NextStepTaken, NoNextStep, NotInThisStatus
from contracts import activities as events
from contracts.activities import MeetingStatus
from tailrace.core.ids import uuid7
from tailrace.core.transitions import Transitions
from tailrace.db.keys import tenant_index
from tailrace.db.models import SoftDeleted
from tailrace.db.text_search.search import Searchable
from tailrace.db.visibility import Owned

STATES = Transitions[MeetingStatus](
    "Meeting",
    {
        "planned": {"held": "held", "cancelled": "cancelled"},
        "held": {"reopened": "planned"},
        "cancelled": {"reopened": "planned"},
    },
    NotInThisStatus,
)
STEPS: Mapping[MeetingStatus, str] = {"planned": "reopened", "held": "held", "cancelled": "cancelled"}


class Meeting(Recurring, SoftDeleted, Searchable, Owned, Base):
    """When somebody talks with a customer, and what came of it."""

    __tablename__ = "meeting"
    __table_args__ = (
        tenant_index("owner_id", "starts_at", "id"),
        tenant_index("starts_at", "id"),
        tenant_index("created_at", "id"),
        tenant_index("customer_id", "starts_at", "id"),
        tenant_index("home_customer_id"),
        tenant_index("series_id"),
    )
    owned_by = "owner_id"

    title: Mapped[str]
    status: Mapped[MeetingStatus]
    owner_id: Mapped[UUID | None]
    customer_id: Mapped[UUID]
    home_customer_id: Mapped[UUID]
    """The customer that was named; `customer_id` is the one that stands for it by now."""
    opportunity_id: Mapped[UUID | None]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    time_zone: Mapped[str]
    location: Mapped[str | None]
    attendees: Mapped[list[dict[str, Any]]]
    agenda: Mapped[str | None]
    outcome: Mapped[str | None]
    next_step: Mapped[str | None]
    next_task_id: Mapped[UUID | None]
    """The task that the next step became."""
    reminder_minutes: Mapped[int | None]
    reminded_for: Mapped[datetime | None]
    """The `starts_at` that was reminded of."""
    reason: Mapped[str | None]
    """Why it was cancelled."""
    is_hidden: Mapped[bool]
    """Whether it went with its customer, and comes back with it."""

    @classmethod
    def create(cls, values: Mapping[str, Any], id: UUID | None = None) -> Self:
        meeting = cls(id=id or uuid7(), exceptions=[], is_hidden=False, status="planned")
        meeting._take(values)
        meeting.record_as(events.MeetingCreated)
        return meeting

    def replace(self, values: Mapping[str, Any]) -> None:
        """Put the fields of a request in place of what was. Its status has a route of its own."""
        self._take(values)
        self.record_as(events.MeetingUpdated)

    def move_to(self, status: MeetingStatus, said: Mapping[str, Any]) -> None:
        """`said` may hold `outcome` and `next_step` of one that was held, `reason` of one that was cancelled. Raises NotInThisStatus."""
        self.status = STATES.after(self.status, STEPS[status], self.title)
        self.reason = said.get("reason") if status == "cancelled" else None
        if status == "held":
            self.outcome = said.get("outcome") or self.outcome
            self.next_step = said.get("next_step") or self.next_step
            self._index()
            self.record_as(events.MeetingHeld)
        elif status == "cancelled":
            self.record_as(events.MeetingCancelled)
        else:
            self.record_as(events.MeetingReopened)

    def remind(self) -> None:
        """Say that it begins soon."""
        self.reminded_for = self.starts_at
        self.record_as(events.MeetingReminderReached)

    def take_next_step(self, task_id: UUID) -> str:
        """What the task is to be called that the next step becomes, once. Raises NoNextStep, NextStepTaken."""
        if self.next_step is None:
            raise NoNextStep(f"Say first what {self.title} leads to.", field="/next_step")
        if self.next_task_id is not None:
            raise NextStepTaken(f"It is the task {self.next_task_id}.")
        self.next_task_id = task_id
        self.record_as(events.MeetingUpdated)
        return self.next_step

    def delete(self, now: datetime) -> None:
        """Take it away. The row stays for those who refer to its id."""
        self.deleted_at = now
        self.make_searchable()
        self.record_as(events.MeetingDeleted)

    def restore(self) -> None:
        """Be there again, as it was."""
        self.deleted_at = None
        self._index()
        self.record_as(events.MeetingRestored)

    def hand_over(self, owner_id: UUID | None) -> None:
        """Be somebody else's, or nobody's: for when its owner is gone."""
        self.owner_id = owner_id
        self.record_as(events.MeetingUpdated)

    def belong_to(self, customer_id: UUID) -> None:
        """Be with the customer that stands for the one it was with, or with that one again."""
        self.customer_id = customer_id
        self.record_as(events.MeetingUpdated)

    def hide(self, now: datetime) -> None:
        """Its customer was deleted; the customer's return undoes this."""
        self.deleted_at, self.is_hidden = now, True
        self.make_searchable()
        self.record_as(events.MeetingHidden)

    def show(self) -> None:
        """Its customer is back, and so is the meeting."""
        self.deleted_at, self.is_hidden = None, False
        self._index()
        self.record_as(events.MeetingRestored)

    @property
    def is_to_come(self) -> bool:
        return self.deleted_at is None and self.status == "planned"

    def next_start(self, now: datetime) -> datetime | None:
        """When the next of its series begins; None when this is the last."""
        return self._rule_in(self.time_zone).following(self.starts_at, now)

    def next_of_series(self, starts_at: datetime) -> "Meeting":
        """The next one, as long as this one."""
        kept = {name: getattr(self, name) for name in _REPEATED}
        again = Meeting(id=uuid7(), status="planned", is_hidden=False, **kept)
        again.starts_at, again.ends_at = starts_at, starts_at + (self.ends_at - self.starts_at)
        again._index()
        again.record_as(events.MeetingCreated)
        return again

    def _take(self, values: Mapping[str, Any]) -> None:
        time = (self.starts_at, self.time_zone)
        recurrence = values["recurrence"]
        for name, value in values.items():
            if name != "recurrence":
                setattr(self, name, value)
        moved = time != (self.starts_at, self.time_zone)
        self._recur(recurrence, self.starts_at, self.time_zone, moved)
        self._index()

    def _index(self) -> None:
        others = (each.get("name") for each in self.attendees)
        self.make_searchable(self.title, self.location, self.agenda, self.outcome, self.next_step, *others)


_REPEATED = (
    "title owner_id customer_id home_customer_id opportunity_id time_zone location attendees agenda reminder_minutes"
    " rule exceptions series_id series_began_at"
).split()
