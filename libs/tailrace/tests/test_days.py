"""A service follows the zones of its companies, whatever comes twice or late; and nobody's day is guessed."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import ClassVar

import pytest
from sqlalchemy import MetaData, event
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable
from toy import service as toy_service

from tailrace.core.events import Event, Meta
from tailrace.core.ids import uuid7
from tailrace.db.database import Tx
from tailrace.db.row_security import TENANT_IS_SET
from tailrace.db.tables import NAMING
from tailrace.messaging.days import Days, DaysNotYetKnown
from tailrace.messaging.dispatcher import Dispatcher
from tailrace.messaging.subscribers import EVER, Reaction
from tailrace_testing import Harness, MakeHarness, SetClock

METADATA = MetaData(naming_convention=NAMING)
MOMENT = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)


class HouseEvent(Event):
    topic: ClassVar[str] = "house.events"


class HouseFounded(HouseEvent):
    type: ClassVar[str] = "house.founded"
    time_zone: str = "Etc/UTC"


class HouseMoved(HouseEvent):
    type: ClassVar[str] = "house.moved"
    time_zone: str
    since: date


class GuestCame(Event):
    topic: ClassVar[str] = "guest.events"
    type: ClassVar[str] = "guest.came"


days = Days("toy.days", METADATA, HouseFounded, HouseMoved)
guests = Reaction("toy.guests", since=EVER)


@guests.on(GuestCame)
async def came(tx: Tx, event: GuestCame, meta: Meta) -> None:
    await days.day_of(tx, MOMENT)


@pytest.fixture
async def house(make_harness: MakeHarness) -> Harness:
    harness = await make_harness(replace(toy_service, subscribers=[], routers=[], metadata=METADATA))
    await harness.admin.execute(str(CreateTable(days.table).compile(dialect=postgresql.dialect())))  # type: ignore[no-untyped-call]
    await harness.admin.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON time_zone TO toy_app")
    await harness.admin.execute("ALTER TABLE time_zone ENABLE ROW LEVEL SECURITY")
    await harness.admin.execute(f"CREATE POLICY tenant ON time_zone USING ({TENANT_IS_SET})")
    harness.dispatcher = Dispatcher("toy", harness.database, [days, guests])
    return harness


async def test_the_zones_of_a_company_are_kept_side_by_side(house: Harness) -> None:
    id = house.tenant
    records = [
        await house.deliver(HouseFounded(time_zone="Asia/Tokyo"), aggregate_id=id),
        await house.deliver(HouseMoved(time_zone="Europe/Berlin", since=date(2026, 11, 1)), aggregate_id=id),
        await house.deliver(HouseMoved(time_zone="America/New_York", since=date(2026, 11, 1)), aggregate_id=id),
        await house.deliver(HouseMoved(time_zone="Asia/Tokyo", since=date(2027, 1, 1)), aggregate_id=id),
    ]

    async def zones() -> list[str]:
        async with house.tx() as tx:
            calendar = await days.calendar(tx)
        return [calendar.zone_of(date.fromisoformat(day)) for day in ("2026-10-31", "2026-11-01", "2027-01-01")]

    assert await zones() == ["Asia/Tokyo", "America/New_York", "Asia/Tokyo"]
    await house.redeliver(*reversed(records))
    assert await zones() == ["Asia/Tokyo", "America/New_York", "Asia/Tokyo"]
    await house.admin.execute("DELETE FROM time_zone; DELETE FROM inbox")
    await house.redeliver(*records)
    assert await zones() == ["Asia/Tokyo", "America/New_York", "Asia/Tokyo"]


async def test_one_asks_by_moment_by_day_or_for_today(house: Harness, clock: SetClock) -> None:
    clock("2026-11-01T08:30:00+09:00")
    for tenant, zone, day, today in (
        (house.tenant, "Asia/Tokyo", "2026-11-01", "2026-11-01"),
        (house.other_tenant, "Pacific/Honolulu", "2026-10-31", "2026-10-31"),
    ):
        await house.deliver(HouseFounded(time_zone=zone), aggregate_id=tenant, tenant=tenant)
        async with house.tx(tenant) as tx:
            assert (str(await days.day_of(tx, MOMENT)), str(await days.today(tx))) == (day, today)
            calendar = await days.calendar(tx)
            for given in (date(2026, 11, 1), MOMENT):
                assert await days.begin_of(tx, given) == calendar.begin_of(given)
                assert await days.end_of(tx, given) == calendar.end_of(given)


async def test_a_transaction_asks_for_the_zones_once(house: Harness) -> None:
    asked: list[str] = []
    event.listen(house.database.engine.sync_engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    async with house.tx() as tx:
        await days.note(tx, "Asia/Tokyo")
    asked.clear()
    async with house.tx() as tx:
        assert [await days.day_of(tx, MOMENT) for _ in range(3)] == [date(2026, 11, 1)] * 3
    assert len([each for each in asked if "FROM time_zone" in each]) == 1


async def test_what_a_transaction_notes_itself_counts_at_once_and_not_when_it_is_taken_back(house: Harness) -> None:
    async with house.tx() as tx:
        await days.note(tx, "Asia/Tokyo")
    async with house.tx() as tx:
        assert await days.day_of(tx, MOMENT) == date(2026, 11, 1)
        savepoint = await tx.begin_nested()
        await days.note(tx, "America/New_York")
        assert await days.day_of(tx, MOMENT) == date(2026, 10, 31)
        await savepoint.rollback()
        assert await days.day_of(tx, MOMENT) == date(2026, 11, 1)


async def test_a_day_is_never_guessed(house: Harness) -> None:
    """A request is to come again; an event waits for the one that founds the company."""
    async with house.tx() as tx:
        for asked in (days.today(tx), days.day_of(tx, MOMENT), days.begin_of(tx, date(2026, 11, 1))):
            with pytest.raises(DaysNotYetKnown) as refused:
                await asked
            assert (refused.value.status, refused.value.slug) == (409, "not-yet-known")
        # A moment is one without a calendar.
        assert await days.end_of(tx, MOMENT) == MOMENT
    await house.deliver(GuestCame(), aggregate_id=uuid7(), may_dead_letter=True)
    assert await house.admin.fetchval("SELECT kind FROM dead_letter") == "not_yet"
    await house.deliver(HouseFounded(), aggregate_id=house.tenant)
    await house.deliver(GuestCame(), aggregate_id=uuid7())


def test_events_that_do_not_tell_are_refused() -> None:
    for founded, changed in ((GuestCame, HouseMoved), (HouseFounded, HouseFounded)):
        with pytest.raises(TypeError, match="does not say"):
            Days("toy.days", MetaData(), founded, changed)
