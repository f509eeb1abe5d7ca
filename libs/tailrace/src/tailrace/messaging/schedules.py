"""What runs again and again, by a cron expression in the zone that each tenant counts its days in: once per occurrence, with many processes too::

    mornings = Schedule("customers.reviews", "0 6 * * *", days, TenantCreated, TenantTimeZoneChanged)

    @mornings.run
    async def remind(tx: Tx, at: datetime) -> None: ...

and `schedules=[mornings]` in the manifest. Each tenant has one timer, whose firing runs the handler and sets the next in one transaction. What came
due while nothing ran is made up for by one run, however often it came due (or by none, with `missed="skip"`).

What is done about each day that ended is another matter, since a day that nobody looked at stays undone::

    @nights.each_day
    async def close(tx: Tx, day: date, behind: UUID | None) -> UUID | None: ...

is called for every day from the last one that was done to the one before the occurrence, the oldest first and each once, however long nothing ran and
whatever the company's zone did meanwhile.

The expression has five fields and means what Debian's cron makes of it (`cronsim`): a time of day that the clocks leave out comes when they have
moved, one that comes twice comes once; `*/15` goes by time that passes. Nothing is planned further ahead than LOOK_AGAIN, so that a new expression in
the code, and another zone, hold by then.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from tailrace.core import clock
from tailrace.core.errors import Invalid
from tailrace.core.events import Event, Meta
from tailrace.core.payload import Payload
from tailrace.core.values.days import Calendar
from tailrace.db.database import Tx
from tailrace.db.tables import schedule_expression
from tailrace.messaging.days import CompanyDays, DaysNotYetKnown
from tailrace.messaging.subscribers import EVER, Reaction
from tailrace.messaging.timers import Timer

ScheduleHandler = Callable[[Tx, datetime], Awaitable[None]]
AnySchedule = TypeVar("AnySchedule", bound=ScheduleHandler)
DayHandler = Callable[[Tx, date, UUID | None], Awaitable[UUID | None]]
AnyDay = TypeVar("AnyDay", bound=DayHandler)
LOOK_AGAIN = timedelta(hours=6)
_SOON, _SMALLEST = timedelta(seconds=1), timedelta(microseconds=1)
_ONE_DAY = timedelta(days=1)
_MOST_MISSED = 100_000
_LATE = timedelta(minutes=5)

_mine = schedule_expression.c.name == bindparam("of_schedule")
_READ = select(schedule_expression.c.expression).where(_mine)
_DROP = delete(schedule_expression).where(_mine)
_insert = insert(schedule_expression)
_WRITE = _insert.on_conflict_do_update(
    index_elements=["tenant_id", "name"], set_={"expression": _insert.excluded.expression}
)


class Settled(Payload):
    """Up to when a tenant's occurrences have been run, or given up; None before it was first planned.

    Of a schedule that goes by days, `day` is the last one that is done, and `behind` how far the one after it is.
    """

    after: datetime | None = None
    day: date | None = None
    behind: UUID | None = None


class Schedule(Reaction):
    """A handler that is run by the clock, for each tenant by its own. `founded` and `changed` are the events that `days` follows."""

    def __init__(
        self,
        name: str,
        expression: str,
        days: CompanyDays,
        founded: type[Event],
        changed: type[Event],
        *,
        missed: Literal["once", "skip"] = "once",
    ) -> None:
        """`missed`: what is done, at its end, about a time in which nothing ran. Raises ValueError for an expression that never comes."""
        super().__init__(name, since=EVER)
        self.expression = checked(expression)
        self._days, self._missed = days, missed
        self._handler: ScheduleHandler | None = None
        self._by_day: DayHandler | None = None
        self.timer = Timer(f"schedule:{name}", carries=Settled)
        self.timer.actor = self.timer.name
        self.timer.due(self._fire)
        self.on(founded)(self._begin)
        self.on(changed)(self._plan_again)

    def run(self, handler: AnySchedule) -> AnySchedule:
        """Register `async def handler(tx, at)`: `at` is the occurrence that is run, the newest of several that were missed. In UTC."""
        self._handler = handler
        return handler

    def each_day(self, handler: AnyDay) -> AnyDay:
        """Register `async def handler(tx, day, behind)` for each day that ended. It does a part of the day's work and says behind what to go on.

        Each part has a transaction of its own; None says that the day is done. `behind` is None for the first part.
        """
        self._by_day = handler
        return handler

    async def expression_of(self, tx: Tx) -> str:
        """When it runs for the tenant."""
        return await tx.scalar(_READ, {"of_schedule": self.name}) or self.expression

    async def override(self, tx: Tx, expression: str | None) -> None:
        """Let it run for this tenant by another expression from now on; by the service's own again, with None. Raises Invalid."""
        if expression is None:
            await tx.execute(_DROP, {"of_schedule": self.name})
        else:
            try:
                checked(expression)
            except ValueError as error:
                raise Invalid.field("/expression", f"{str(error).capitalize()}.") from None
            await tx.execute(_WRITE, {"tenant_id": tx.tenant_id, "name": self.name, "expression": expression})
        settled = await self.timer.carried(tx, tx.tenant_id) or Settled()
        now = {"after": clock.now()}
        await self.timer.set(tx, tx.tenant_id, _in(timedelta()), settled.model_copy(update=now))

    async def _begin(self, tx: Tx, event: Event, meta: Meta) -> None:
        await self.timer.set(tx, tx.tenant_id, _in(timedelta()), Settled())

    async def _plan_again(self, tx: Tx, event: Event, meta: Meta) -> None:
        """From what is settled, if anything is: `_fire` reads the zones as they are by then."""
        await self.timer.hasten(tx, tx.tenant_id, _in(timedelta()))

    async def _fire(self, tx: Tx, key: UUID, settled: Settled) -> None:
        now = clock.now()
        try:
            calendar = await self._days.calendar(tx)
        except DaysNotYetKnown:
            await self.timer.set(tx, key, _in(_SOON), settled)
            return
        expression, after = await self.expression_of(tx), settled.after or now
        due = newest(expression, calendar, after, now)
        if self._by_day is not None:
            last = settled.day or _last_before(calendar, after, due)
            settled = settled.model_copy(update={"after": after, "day": last})
            if due is not None and last < calendar.day_of(due) - _ONE_DAY:
                # `after` stays where it was until all of them are done.
                behind = await self._by_day(tx, last + _ONE_DAY, settled.behind)
                is_done = {"day": last + _ONE_DAY, "behind": None} if behind is None else {"behind": behind}
                await self.timer.set(tx, key, _in(timedelta()), settled.model_copy(update=is_done))
                return
        elif due is not None and (self._missed == "once" or now - due <= _LATE):
            if self._handler is None:
                raise RuntimeError(f"the schedule {self.name} has no handler")
            await self._handler(tx, due)
        pause = min(following(expression, calendar, now) - now, LOOK_AGAIN)
        # Where the database's clock is ahead of this one, it would come again and again until both agree.
        await self.timer.set(tx, key, _in(max(pause, _SOON)), settled.model_copy(update={"after": now}))


def checked(expression: str) -> str:
    """The expression. Raises ValueError for one that is none, or that never comes."""
    try:
        if len(expression.split()) != 5:
            raise CronSimError("Wrong number of fields")
        next(CronSim(expression, datetime(2024, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        raise ValueError(f"{expression!r} is no cron expression: {str(error).lower()}") from None
    except StopIteration:
        raise ValueError(f"{expression!r} never comes") from None
    return expression


def following(expression: str, calendar: Calendar, moment: datetime) -> datetime:
    """The first occurrence after a moment, in UTC, in the zone that its own day is counted in.

    Where the company changes its zone, hours that the last day of the old one has twice count once, and those that it lost do not come.
    """
    zone, start = calendar.zone_of(calendar.day_of(moment)), moment
    while True:
        found = _next(expression, zone, start)
        change = _next_zone(calendar, zone, start, found)
        if change is not None:
            zone, start = change.zone, max(moment, change.begin - _SMALLEST)
        elif found.astimezone(ZoneInfo(zone)).date() == calendar.day_of(found):
            return found
        else:
            start = found


def newest(expression: str, calendar: Calendar, after: datetime, until: datetime) -> datetime | None:
    """The last occurrence after the one moment and not after the other; None when there is none."""
    found = None
    for _ in range(_MOST_MISSED):
        upcoming = following(expression, calendar, found or after)
        if upcoming > until:
            break
        found = upcoming
    return found


def _last_before(calendar: Calendar, after: datetime, due: datetime | None) -> date:
    """The last day that counts as done where none was noted: the one before it was first planned, and before the one that is due."""
    day = calendar.day_of(after) - _ONE_DAY
    return day if due is None else min(day, calendar.day_of(due) - 2 * _ONE_DAY)


def _in(pause: timedelta) -> datetime:
    """By the clock that timers go by, which is not the one of the business."""
    return datetime.now(UTC) + pause


def _next(expression: str, zone: str, moment: datetime) -> datetime:
    """In one zone. What cronsim finds in an hour that comes twice may lie before the moment: it is the first of the two, and has come."""
    for found in CronSim(expression, moment.astimezone(ZoneInfo(zone))):
        if (at := found.astimezone(UTC)) > moment:
            return at
    raise AssertionError("an expression that was checked comes again and again")


@dataclass(frozen=True, slots=True)
class _Change:
    begin: datetime
    zone: str


def _next_zone(calendar: Calendar, zone: str, start: datetime, end: datetime) -> _Change | None:
    """The first day, between two moments, that is counted in another zone; None when all are counted in this one."""
    day, last = calendar.day_of(start), calendar.day_of(end)
    while day < last:
        day += timedelta(days=1)
        span = calendar.span(day)
        # A day that the next zone leaves out is counted in none.
        if (other := calendar.zone_of(day)) != zone and span.begin < span.end:
            return _Change(span.begin, other)
    return None
