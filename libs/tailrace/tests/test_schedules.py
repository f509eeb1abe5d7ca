"""A schedule runs once per occurrence, in each tenant's zone, also where the clocks move, and makes up for what was missed."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar, Literal
from uuid import UUID

import pytest
from sqlalchemy import MetaData
from toy import Note, service

from tailrace.core.errors import Invalid
from tailrace.core.events import Event
from tailrace.core.values.days import ALWAYS, Calendar, Since
from tailrace.db.database import Tx
from tailrace.messaging.days import CompanyDays, DaysNotYetKnown
from tailrace.messaging.schedules import Schedule, checked, following, newest
from tailrace_testing import MakeHarness, SetClock


class Founded(Event):
    topic: ClassVar[str] = "founding.events"
    type: ClassVar[str] = "company.founded"
    time_zone: str


class Moved(Event):
    topic: ClassVar[str] = "founding.events"
    type: ClassVar[str] = "company.moved"
    time_zone: str
    since: date


class Known(CompanyDays):
    """Calendars by tenant, as a service's copy would hold them."""

    def __init__(self) -> None:
        self.zones: dict[UUID, list[Since]] = {}

    async def calendar(self, tx: Tx) -> Calendar:
        if tx.tenant_id not in self.zones:
            raise DaysNotYetKnown
        return Calendar(self.zones[tx.tenant_id])


class Clocked:
    """The toy with one schedule, and a way to let time come."""

    def __init__(self, expression: str, missed: Literal["once", "skip"] = "once") -> None:
        self.days = Known()
        self.schedule = Schedule("toy.mornings", expression, self.days, Founded, Moved, missed=missed)
        self.fails = False

        @self.schedule.run
        async def note(tx: Tx, at: datetime) -> None:
            if self.fails:
                raise ValueError("cannot")
            tx.add(Note.write(f"{at:%Y-%m-%d %H:%M}"))

    async def start(self, make_harness: MakeHarness) -> None:
        self.h = await make_harness(replace(service, subscribers=[], routers=[], schedules=[self.schedule]))

    async def found(self, zone: str, tenant: UUID | None = None) -> None:
        tenant = tenant or self.h.tenant
        self.days.zones[tenant] = [Since(ALWAYS, zone)]
        await self.h.deliver(Founded(time_zone=zone), aggregate_id=tenant, tenant=tenant)
        await self.come()

    async def come(self) -> None:
        """Let each timer look at the clock."""
        await self.h.make_timers_due()
        await self.h.fire_timers()

    async def sleeps(self) -> timedelta:
        """Until when, to the minute that the machine may have taken since."""
        pause = await self.h.admin.fetchval("SELECT due_at - now() FROM timer")
        return timedelta(minutes=round(pause / timedelta(minutes=5)) * 5)

    async def ran(self, tenant: UUID | None = None) -> list[str]:
        return [each.event.text for each in await self.h.published("note.written", tenant=tenant)]  # type: ignore[attr-defined]


def _calendar(*zones: tuple[date, str]) -> Calendar:
    return Calendar([Since(*each) for each in zones])


def _all(expression: str, calendar: Calendar, begin: str, end: str) -> list[str]:
    at, found = datetime.fromisoformat(begin), []
    while (at := following(expression, calendar, at)) <= datetime.fromisoformat(end):
        found.append(f"{at:%d %H:%M}")
    return found


BERLIN, TOKYO = _calendar((ALWAYS, "Europe/Berlin")), _calendar((ALWAYS, "Asia/Tokyo"))


@pytest.mark.parametrize(
    ("expression", "begin", "end", "expected"),
    [
        # 2026-03-29 02:00 becomes 03:00 in Berlin: what falls into the hour that is left out comes at its end.
        ("30 2 * * *", "2026-03-28T00:00Z", "2026-03-30T12:00Z", ["28 01:30", "29 01:00", "30 00:30"]),
        # 2026-10-25 03:00 becomes 02:00: what falls into the hour that comes twice comes the first time.
        ("30 2 * * *", "2026-10-24T12:00Z", "2026-10-26T12:00Z", ["25 00:30", "26 01:30"]),
        # Asked between the two.
        ("30 2 * * *", "2026-10-25T01:10Z", "2026-10-26T12:00Z", ["26 01:30"]),
        ("30 2 * * *", "2026-10-25T00:30Z", "2026-10-26T12:00Z", ["26 01:30"]),
        # By time that passes: every quarter of both hours.
        (
            "*/30 * * * *",
            "2026-10-24T23:59Z",
            "2026-10-25T02:00Z",
            ["25 00:00", "25 00:30", "25 01:00", "25 01:30", "25 02:00"],
        ),
        ("0 * * * *", "2026-03-28T23:30Z", "2026-03-29T02:30Z", ["29 00:00", "29 01:00", "29 02:00"]),
        ("0 9 * * MON-FRI", "2026-11-27T12:00Z", "2026-12-01T12:00Z", ["30 08:00", "01 08:00"]),
        ("0 0 L * *", "2026-02-01T00:00Z", "2026-03-01T00:00Z", ["27 23:00"]),
    ],
)
def test_where_the_clocks_move_each_time_of_day_comes_once(
    expression: str, begin: str, end: str, expected: list[str]
) -> None:
    assert _all(expression, BERLIN, begin, end) == expected


def test_a_day_whose_midnight_is_left_out_begins_later() -> None:
    """Cairo goes from midnight to one o'clock on 2026-04-24. Apia had no 30 December 2011: its morning came as the 31st began."""
    cairo, apia = _calendar((ALWAYS, "Africa/Cairo")), _calendar((ALWAYS, "Pacific/Apia"))
    assert _all("0 0 * * *", cairo, "2026-04-22T12:00Z", "2026-04-24T22:00Z") == ["22 22:00", "23 22:00", "24 21:00"]
    assert _all("0 6 * * *", apia, "2011-12-29T00:00Z", "2011-12-31T10:00Z") == ["29 16:00", "30 10:00", "30 16:00"]


def test_another_zone_holds_from_its_first_day() -> None:
    moves = _calendar((ALWAYS, "Europe/Berlin"), (date(2026, 12, 2), "Asia/Tokyo"))
    # 6:00 on the 1st in Berlin, on the 2nd in Tokyo, which is only sixteen hours later.
    assert _all("0 6 * * *", moves, "2026-11-30T12:00Z", "2026-12-02T23:00Z") == ["01 05:00", "01 21:00", "02 21:00"]
    back = _calendar((ALWAYS, "Asia/Tokyo"), (date(2026, 12, 2), "America/New_York"))
    # The 1st lasts until the 2nd begins in New York; half past midnight of the 2nd in Tokyo is no time of the 1st.
    assert _all("30 0 * * *", back, "2026-11-30T12:00Z", "2026-12-02T12:00Z") == ["30 15:30", "02 05:30"]
    # Between these two there is no 1st at all.
    over = _calendar((ALWAYS, "Pacific/Pago_Pago"), (date(2026, 12, 2), "Pacific/Kiritimati"))
    assert _all("30 0 * * *", over, "2026-11-29T12:00Z", "2026-12-02T12:00Z") == ["30 11:30", "01 10:30", "02 10:30"]
    # The first moment of the first day counts.
    assert _all("0 0 * * *", moves, "2026-11-30T12:00Z", "2026-12-01T16:00Z") == ["30 23:00", "01 15:00"]


def test_the_newest_of_what_was_missed() -> None:
    after, until = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 27, 12, tzinfo=UTC)
    assert newest("0 6 * * *", TOKYO, after, until) == datetime(2026, 11, 26, 21, tzinfo=UTC)
    assert newest("0 6 1 * *", TOKYO, after, until) is None
    exact = datetime(2026, 11, 26, 21, tzinfo=UTC)
    assert newest("0 6 * * *", TOKYO, exact, until) is None
    assert newest("0 6 * * *", TOKYO, exact - timedelta(seconds=1), exact) == exact


@pytest.mark.parametrize(
    "expression", ["", "* * * *", "61 * * * *", "0 6 * * * *", "0 0 30 2 *", "@daily", "a b c d e"]
)
def test_an_expression_that_never_comes_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"cron expression|never comes"):
        checked(expression)
    with pytest.raises(ValueError, match=r"cron expression|never comes"):
        Schedule("toy.never", expression, Known(), Founded, Moved)


async def test_each_tenant_has_its_own_morning(make_harness: MakeHarness, clock: SetClock) -> None:
    toy = Clocked("0 6 * * *")
    await toy.start(make_harness)
    clock("2026-11-27T00:00Z")
    await toy.found("Asia/Tokyo")
    await toy.found("Europe/Berlin", toy.h.other_tenant)
    assert (await toy.ran(), await toy.ran(toy.h.other_tenant)) == ([], [])
    clock("2026-11-27T05:00Z")
    await toy.come()
    assert (await toy.ran(), await toy.ran(toy.h.other_tenant)) == ([], ["2026-11-27 05:00"])
    clock("2026-11-27T21:00Z")
    await toy.come()
    await toy.come()
    assert (await toy.ran(), await toy.ran(toy.h.other_tenant)) == (["2026-11-27 21:00"], ["2026-11-27 05:00"])
    clock("2026-11-28T21:00Z")
    await toy.come()
    assert await toy.ran() == ["2026-11-27 21:00", "2026-11-28 21:00"]


async def test_it_wakes_at_the_occurrence_and_looks_again_before_that(
    make_harness: MakeHarness, clock: SetClock
) -> None:
    toy = Clocked("0 6 * * *")
    await toy.start(make_harness)
    clock("2026-11-27T00:00Z")
    await toy.found("Asia/Tokyo")
    assert await toy.sleeps() == timedelta(hours=6)
    clock("2026-11-27T18:00Z")
    await toy.come()
    assert await toy.sleeps() == timedelta(hours=3)


async def test_what_was_missed_is_made_up_for_once(make_harness: MakeHarness, clock: SetClock) -> None:
    toy = Clocked("0 6 * * *")
    await toy.start(make_harness)
    clock("2026-11-20T00:00Z")
    await toy.found("Asia/Tokyo")
    clock("2026-11-27T12:00Z")
    await toy.come()
    await toy.come()
    assert await toy.ran() == ["2026-11-26 21:00"]


async def test_or_not_at_all(make_harness: MakeHarness, clock: SetClock) -> None:
    toy = Clocked("0 6 * * *", missed="skip")
    await toy.start(make_harness)
    clock("2026-11-20T00:00Z")
    await toy.found("Asia/Tokyo")
    clock("2026-11-27T12:00Z")
    await toy.come()
    assert await toy.ran() == []
    clock("2026-11-27T21:00:10Z")
    await toy.come()
    assert await toy.ran() == ["2026-11-27 21:00"]


async def test_several_consumers_run_it_once(make_harness: MakeHarness, clock: SetClock) -> None:
    toy = Clocked("0 6 * * *")
    await toy.start(make_harness)
    clock("2026-11-27T20:00Z")
    await toy.found("Asia/Tokyo")
    clock("2026-11-27T21:00Z")
    await toy.h.make_timers_due()
    await asyncio.gather(*[toy.h.fire_timers() for _ in range(6)])
    assert await toy.ran() == ["2026-11-27 21:00"]


async def test_a_run_that_fails_is_run_again(make_harness: MakeHarness, clock: SetClock) -> None:
    toy = Clocked("0 6 * * *")
    await toy.start(make_harness)
    clock("2026-11-27T20:00Z")
    await toy.found("Asia/Tokyo")
    clock("2026-11-27T21:00Z")
    toy.fails = True
    await toy.come()
    assert await toy.ran() == []
    toy.fails = False
    await toy.come()
    assert await toy.ran() == ["2026-11-27 21:00"]


async def test_a_zone_that_changes_moves_what_is_planned(make_harness: MakeHarness, clock: SetClock) -> None:
    toy = Clocked("0 6 * * *")
    await toy.start(make_harness)
    clock("2026-11-27T03:00Z")
    await toy.found("Europe/Berlin")
    assert await toy.sleeps() == timedelta(hours=2)
    toy.days.zones[toy.h.tenant].append(Since(date(2026, 11, 27), "America/New_York"))
    moved = Moved(time_zone="America/New_York", since=date(2026, 11, 27))
    await toy.h.deliver(moved, aggregate_id=toy.h.tenant)
    assert await toy.sleeps() == timedelta()
    clock("2026-11-27T05:00Z")
    await toy.come()
    assert await toy.ran() == []
    clock("2026-11-27T11:00Z")
    await toy.come()
    assert await toy.ran() == ["2026-11-27 11:00"]


async def test_a_tenant_may_have_an_expression_of_its_own(make_harness: MakeHarness, clock: SetClock) -> None:
    toy = Clocked("0 6 * * *")
    await toy.start(make_harness)
    clock("2026-11-27T00:00Z")
    for tenant in (toy.h.tenant, toy.h.other_tenant):
        await toy.found("Etc/UTC", tenant)
    with pytest.raises(Invalid, match="cron expression"):
        async with toy.h.tx() as tx:
            await toy.schedule.override(tx, "every day")
    clock("2026-11-27T05:00Z")
    async with toy.h.tx() as tx:
        # An hour that is past counts from its next time on.
        await toy.schedule.override(tx, "0 4 * * *")
        assert await toy.schedule.expression_of(tx) == "0 4 * * *"
    for moment in ("2026-11-27T07:00Z", "2026-11-28T04:30Z"):
        clock(moment)
        await toy.come()
    assert (await toy.ran(), await toy.ran(toy.h.other_tenant)) == (["2026-11-28 04:00"], ["2026-11-27 06:00"])
    async with toy.h.tx() as tx:
        await toy.schedule.override(tx, None)
    clock("2026-11-28T06:30Z")
    await toy.come()
    assert await toy.ran() == ["2026-11-28 04:00", "2026-11-28 06:00"]


async def test_a_tenant_whose_days_are_not_known_yet_waits(make_harness: MakeHarness, clock: SetClock) -> None:
    toy = Clocked("0 6 * * *")
    await toy.start(make_harness)
    clock("2026-11-27T05:00Z")
    await toy.h.deliver(Founded(time_zone="Etc/UTC"), aggregate_id=toy.h.tenant)
    await toy.come()
    assert await toy.ran() == []
    toy.days.zones[toy.h.tenant] = [Since(ALWAYS, "Etc/UTC")]
    await toy.come()
    clock("2026-11-27T06:00Z")
    await toy.come()
    assert await toy.ran() == ["2026-11-27 06:00"]


def test_a_schedule_is_a_subscriber_and_a_timer_of_its_service() -> None:
    toy = Clocked("0 6 * * *")
    with_it = replace(service, subscribers=[], routers=[], schedules=[toy.schedule], metadata=MetaData())
    assert toy.schedule in with_it.subscribers
    assert toy.schedule.timer in with_it.all_timers
    assert replace(with_it).subscribers == with_it.subscribers


async def test_every_day_that_ended_is_done_once_part_by_part(make_harness: MakeHarness, clock: SetClock) -> None:
    """However long nothing ran; and the day that another zone left out: there was no 1 December between Pago Pago and Kiritimati."""
    toy, halfway = Clocked("30 0 * * *"), UUID(int=1)

    @toy.schedule.each_day
    async def note(tx: Tx, day: date, behind: UUID | None) -> UUID | None:
        tx.add(Note.write(f"{day:%d}{'' if behind is None else ' to its end'}"))
        return halfway if behind is None else None

    def parts(*days: int) -> list[str]:
        return [text for day in days for text in (f"{day:02}", f"{day:02} to its end")]

    await toy.start(make_harness)
    clock("2026-11-25T20:00Z")
    await toy.found("Pacific/Pago_Pago")
    await toy.come()
    assert await toy.ran() == []
    clock("2026-11-29T11:40Z")
    await toy.come()
    assert await toy.ran() == parts(25, 26, 27, 28)
    async with toy.h.tx() as tx:
        await toy.schedule.override(tx, "0 1 * * *")
    await toy.come()
    assert await toy.ran() == parts(25, 26, 27, 28)
    toy.days.zones[toy.h.tenant].append(Since(date(2026, 12, 2), "Pacific/Kiritimati"))
    clock("2026-12-01T11:40Z")
    await toy.come()
    assert await toy.ran() == parts(25, 26, 27, 28, 29, 30, 1)
