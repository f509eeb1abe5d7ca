"""A user's meetings and tasks as a calendar (RFC 5545). The newest of a series carries its rule: a calendar shows what is still to be made."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from icalendar import Alarm, Calendar, Event, Todo, vCalAddress, vRecur, vText
from sqlalchemy import select

from activities.copies import CustomerCopy, UserCopy
from activities.feeds import CalendarFeed
from activities.meetings import Meeting
from activities.recurrence import Rule
from activities.recurring import Series
from activities.tasks import NEVER, Task
from tailrace.core import clock
from tailrace.db.database import Tx

PAST = timedelta(days=90)
_ZONES_FROM, _ZONES_UNTIL = timedelta(days=400), timedelta(days=3660)
"""For which days a zone says how its clocks are moved."""
MOST = 2000
"""So many meetings and so many tasks a feed shows at most, the nearest first."""
_PRIORITIES = {"urgent": 1, "high": 3, "normal": 5, "low": 9}
_TASK_STATUS = {"open": "NEEDS-ACTION", "in_progress": "IN-PROCESS", "done": "COMPLETED", "cancelled": "CANCELLED"}
_MEETING_STATUS = {"planned": "CONFIRMED", "held": "CONFIRMED", "cancelled": "CANCELLED"}


async def calendar_of(tx: Tx, feed: CalendarFeed) -> bytes:
    """What the feed's user has, and nothing else: from 90 days ago on."""
    since = clock.now() - PAST
    calendar = Calendar()
    calendar.add("prodid", "-//Tailrace//Activities//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("name", feed.name)
    calendar.add("x-wr-calname", feed.name)
    if "meetings" in feed.includes:
        for each in await _meetings(tx, feed.user_id, since):
            calendar.add_component(each)
    if "tasks" in feed.includes:
        for todo in await _tasks(tx, feed.user_id, since):
            calendar.add_component(todo)
    today = clock.now().date()
    calendar.add_missing_timezones(first_date=today - _ZONES_FROM, last_date=today + _ZONES_UNTIL)
    return bytes(calendar.to_ical())


async def _meetings(tx: Tx, user_id: UUID, since: datetime) -> list[Event]:
    theirs = select(Meeting).where(
        Meeting.owner_id == user_id, Meeting.deleted_at.is_(None), Meeting.starts_at >= since
    )
    rows = list(await tx.scalars(theirs.order_by(Meeting.starts_at, Meeting.id).limit(MOST)))
    newest = await _newest(tx, rows)
    names = await _customers(tx, (row.customer_id for row in rows))
    attending = {each["user_id"] for row in rows for each in row.attendees if each["user_id"]}
    users = {str(user.id): user for user in await tx.scalars(select(UserCopy).where(UserCopy.id.in_(attending)))}
    return [_event(row, names, users, is_newest=row.id in newest) for row in rows]


async def _tasks(tx: Tx, user_id: UUID, since: datetime) -> list[Todo]:
    theirs = select(Task).where(
        Task.user_id == user_id, Task.deleted_at.is_(None), Task.due_by >= since, Task.status != "cancelled"
    )
    rows = list(await tx.scalars(theirs.order_by(Task.due_by, Task.id).limit(MOST)))
    newest = await _newest(tx, rows)
    names = await _customers(tx, (row.customer_id for row in rows if row.customer_id))
    return [_todo(row, names, is_newest=row.id in newest) for row in rows]


def _event(row: Meeting, names: Mapping[UUID, str], users: Mapping[str, UserCopy], *, is_newest: bool) -> Event:
    event = Event()
    zone = ZoneInfo(row.time_zone)
    _head(event, row)
    event.add("dtstart", row.starts_at.astimezone(zone))
    event.add("dtend", row.ends_at.astimezone(zone))
    event.add("status", _MEETING_STATUS[row.status])
    if row.location:
        event.add("location", row.location)
    _describe(event, names.get(row.customer_id), row.agenda, row.outcome, row.next_step)
    for each in row.attendees:
        user = users.get(each["user_id"] or "")
        name, email = (user.name, user.email) if user is not None else (each.get("name"), each.get("email"))
        if email:
            address = vCalAddress(f"MAILTO:{email}")
            address.params["CN"] = vText(name or email)
            event.add("attendee", address, encode=False)
    if is_newest and row.rule is not None and row.status == "planned":
        _repeat(event, row.rule, row._rule_in(row.time_zone), row.starts_at, row.exceptions, zone)
    if row.reminder_minutes is not None and row.status == "planned":
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", row.title)
        alarm.add("trigger", timedelta(minutes=-row.reminder_minutes))
        event.add_component(alarm)
    return event


def _todo(row: Task, names: Mapping[UUID, str], *, is_newest: bool) -> Todo:
    todo = Todo()
    zone = ZoneInfo(row.time_zone)
    _head(todo, row)
    if row.due_on is not None:
        todo.add("dtstart", row.due_on)
        todo.add("due", row.due_on + timedelta(days=1))
    elif row.due_by < NEVER:
        todo.add("dtstart", row.due_by.astimezone(zone) - timedelta(minutes=1))
        todo.add("due", row.due_by.astimezone(zone))
    todo.add("status", _TASK_STATUS[row.status])
    todo.add("priority", _PRIORITIES[row.priority])
    if row.completed_at is not None:
        todo.add("completed", row.completed_at.astimezone(UTC))
    _describe(todo, None if row.customer_id is None else names.get(row.customer_id), row.description)
    return todo


def _head(component: Event | Todo, row: Meeting | Task) -> None:
    component.add("uid", f"{row.id}@tailrace")
    component.add("dtstamp", row.updated_at.astimezone(UTC))
    component.add("last-modified", row.updated_at.astimezone(UTC))
    component.add("created", row.created_at.astimezone(UTC))
    component.add("sequence", row.version)
    component.add("summary", row.title)


def _describe(component: Event | Todo, *lines: str | None) -> None:
    if said := "\n".join(line for line in lines if line):
        component.add("description", said)


def _repeat(event: Event, text: str, rule: Rule, begin: datetime, exceptions: Iterable[str], zone: ZoneInfo) -> None:
    """The rule from this one on: how often it still comes is said by its last time."""
    parts = dict(part.split("=", 1) for part in text.split(";"))
    if parts.pop("COUNT", None) is not None:
        ahead = rule.between(begin, begin + timedelta(days=3650))
        parts["UNTIL"] = max(ahead, default=begin).strftime("%Y%m%dT%H%M%SZ")
    elif "UNTIL" in parts:
        # A time of a zone ends at a time of UTC (RFC 5545, 3.3.10).
        parts["UNTIL"] = rule.until_utc().strftime("%Y%m%dT%H%M%SZ")
    event.add("rrule", vRecur.from_ical(";".join(f"{name}={value}" for name, value in parts.items())))
    hour = begin.astimezone(zone).time()
    for day in exceptions:
        skipped = datetime.combine(datetime.fromisoformat(day).date(), hour, tzinfo=zone)
        if skipped > begin:
            event.add("exdate", skipped)


async def _newest(tx: Tx, rows: Iterable[Meeting | Task]) -> set[UUID]:
    """Which of these have no next one of their series yet."""
    series = {row.series_id for row in rows if row.series_id is not None}
    known = {each.id: each.newest_id for each in await tx.scalars(select(Series).where(Series.id.in_(series)))}
    return {row.id for row in rows if row.series_id is not None and known.get(row.series_id, row.id) == row.id}


async def _customers(tx: Tx, ids: Iterable[UUID]) -> dict[UUID, str]:
    found = await tx.scalars(select(CustomerCopy).where(CustomerCopy.id.in_(set(ids))))
    return {each.id: f"{each.name} ({each.number})" for each in found}
