"""Tasks and meetings: planned, done, on time or late, cancelled, open and due.

A task that is due on a day is late from the end of that day on, in the task's own zone. What was taken away counts no more from then on.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from analytics.standings.standing import Entry, Source, Standing, whole_seconds
from contracts import activities as events
from tailrace.core.values.days import ALWAYS, Calendar, Since


class Task(Standing):
    """Where a task stands. `label` is its priority."""

    created_at: datetime
    status: events.TaskStatus = "open"
    due: datetime | None = None
    ended_at: datetime | None = None
    gone: bool = False

    def entries(self) -> Iterator[Entry]:
        if self.gone:
            return
        yield Entry("task_created", self.created_at)
        if self.status == "cancelled":
            yield Entry("task_cancelled", self.ended_at or self.created_at)
        elif self.status == "done":
            ended_at = self.ended_at or self.created_at
            yield Entry("task_completed", ended_at, seconds=whole_seconds(self.created_at, ended_at))
            if self.due is not None:
                yield Entry("task_on_time" if ended_at < self.due else "task_late", ended_at)
        else:
            yield Entry("task_open", self.created_at)
            if self.due is not None:
                yield Entry("task_due", self.due)

    def moved_to(self, status: events.TaskStatus, at: datetime) -> dict[str, Any]:
        """What is different when it is of this status from a moment on."""
        if status == self.status:
            return {}
        return {"status": status, "ended_at": at if status in {"done", "cancelled"} else None}


def _due(event: events.TaskDescription) -> datetime | None:
    if event.due_on is None:
        return event.due_at
    return Calendar([Since(ALWAYS, event.time_zone)]).first_moment(event.due_on + timedelta(days=1))


def fold_task(standing: Task | None, event: Any, at: datetime) -> Task | None:
    """Where the task stands after the event."""
    if isinstance(event, events.TaskDescription):
        standing = standing or Task(created_at=at)
        said = {
            "owner_id": event.user_id,
            "customer_id": event.customer_id,
            "label": event.priority,
            "due": _due(event),
        }
        # What is gone is handed over, too.
        gone = standing.gone and not isinstance(event, events.TaskRestored)
        return standing.model_copy(update={**said, "gone": gone, **standing.moved_to(event.status, at)})
    if standing is None:
        return None
    change: dict[str, Any] = {}
    match event:
        case events.TaskAssigned():
            change = {"owner_id": event.user_id}
        case events.TaskStarted():
            change = standing.moved_to("in_progress", at)
        case events.TaskCompleted():
            change = standing.moved_to("done", event.completed_at)
        case events.TaskCancelled():
            change = standing.moved_to("cancelled", at)
        case events.TaskReopened():
            change = standing.moved_to("open", at)
        case events.TaskDeleted():
            change = {"gone": True}
    return standing.model_copy(update=change)


class Meeting(Standing):
    """Where a meeting stands."""

    created_at: datetime
    starts_at: datetime
    status: events.MeetingStatus = "planned"
    ended_at: datetime | None = None
    gone: bool = False

    def entries(self) -> Iterator[Entry]:
        if self.gone:
            return
        yield Entry("meeting_created", self.created_at)
        if self.status == "held":
            yield Entry("meeting_held", self.starts_at)
        elif self.status == "cancelled":
            yield Entry("meeting_cancelled", self.ended_at or self.created_at)
        else:
            yield Entry("meeting_planned", self.starts_at)

    def moved_to(self, status: events.MeetingStatus, at: datetime) -> dict[str, Any]:
        """What is different when it is of this status from a moment on."""
        return {} if status == self.status else {"status": status, "ended_at": None if status == "planned" else at}


def fold_meeting(standing: Meeting | None, event: Any, at: datetime) -> Meeting | None:
    """Where the meeting stands after the event."""
    if isinstance(event, events.MeetingDescription):
        standing = standing or Meeting(created_at=at, starts_at=event.starts_at)
        said = {name: getattr(event, name) for name in ("owner_id", "customer_id", "starts_at")}
        gone = standing.gone and not isinstance(event, events.MeetingRestored)
        return standing.model_copy(update={**said, "gone": gone, **standing.moved_to(event.status, at)})
    if standing is None:
        return None
    change: dict[str, Any] = {}
    match event:
        case events.MeetingHeld():
            change = standing.moved_to("held", at)
        case events.MeetingCancelled():
            change = standing.moved_to("cancelled", at)
        case events.MeetingReopened():
            change = standing.moved_to("planned", at)
        case events.MeetingDeleted() | events.MeetingHidden():
            change = {"gone": True}
    return standing.model_copy(update=change)


TASKS = Source(
    "task",
    "task_id",
    Task,
    fold_task,
    (
        events.TaskCreated,
        events.TaskUpdated,
        events.TaskAssigned,
        events.TaskStarted,
        events.TaskCompleted,
        events.TaskCancelled,
        events.TaskReopened,
        events.TaskDeleted,
        events.TaskRestored,
    ),
)
MEETINGS = Source(
    "meeting",
    "meeting_id",
    Meeting,
    fold_meeting,
    (
        events.MeetingCreated,
        events.MeetingUpdated,
        events.MeetingRestored,
        events.MeetingHeld,
        events.MeetingCancelled,
        events.MeetingReopened,
        events.MeetingDeleted,
        events.MeetingHidden,
    ),
)
