"""A service follows what its companies say of their dates, and has its own defaults for what they say nothing of."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

import pytest
from sqlalchemy import MetaData
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable
from toy import service as toy_service

from tailrace.core.events import Event
from tailrace.core.values.days import ALWAYS, Calendar, Since
from tailrace.core.values.plausible import Bounds, Implausible, Said
from tailrace.db.database import Tx
from tailrace.db.row_security import TENANT_IS_SET
from tailrace.db.tables import NAMING
from tailrace.messaging.date_policy import DatePolicy
from tailrace.messaging.days import CompanyDays
from tailrace.messaging.dispatcher import Dispatcher
from tailrace_testing import Harness, MakeHarness, SetClock

METADATA = MetaData(naming_convention=NAMING)
YEAR = Bounds.of_years(1)


class HouseRuled(Event):
    topic: ClassVar[str] = "house.events"
    type: ClassVar[str] = "house.ruled"
    bounds: list[dict[str, Any]]


class HouseSilent(Event):
    topic: ClassVar[str] = "house.events"
    type: ClassVar[str] = "house.silent"


TOKYO = Calendar([Since(ALWAYS, "Asia/Tokyo")])


class InTokyo(CompanyDays):
    async def calendar(self, tx: Tx) -> Calendar:
        return TOKYO


dates = DatePolicy("toy.dates", METADATA, HouseRuled, InTokyo())


def bound(kind: str, back: int | None = None, ahead: int | None = None) -> dict[str, Any]:
    return {"kind": kind, "days_back": back, "days_ahead": ahead}


@pytest.fixture
async def house(make_harness: MakeHarness) -> Harness:
    harness = await make_harness(replace(toy_service, subscribers=[], routers=[], metadata=METADATA))
    await harness.admin.execute(str(CreateTable(dates.table).compile(dialect=postgresql.dialect())))  # type: ignore[no-untyped-call]
    await harness.admin.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON date_policy TO toy_app")
    await harness.admin.execute("ALTER TABLE date_policy ENABLE ROW LEVEL SECURITY")
    await harness.admin.execute(f"CREATE POLICY tenant ON date_policy USING ({TENANT_IS_SET})")
    harness.dispatcher = Dispatcher("toy", harness.database, [dates])
    return harness


async def test_the_last_word_counts_and_of_the_rest_the_defaults(house: Harness) -> None:
    async def said(kind: str, tenant: Any = None) -> Said:
        async with house.tx(tenant) as tx:
            return await dates.said(tx, kind)

    assert await said("move") == Said()
    records = [
        await house.deliver(HouseRuled(bounds=[bound("move", 10), bound("plan", 0, 30)]), aggregate_id=house.tenant),
        await house.deliver(HouseRuled(bounds=[bound("plan", None, 40)]), aggregate_id=house.tenant),
    ]
    assert [await said("move"), await said("plan")] == [Said(), Said(None, 40)]
    assert await said("plan", house.other_tenant) == Said()
    await house.redeliver(*reversed(records))
    assert await said("plan") == Said(None, 40)
    await house.deliver(HouseRuled(bounds=[]), aggregate_id=house.tenant)
    assert await said("plan") == Said()


async def test_a_moment_and_a_day_are_held_to_them(house: Harness, clock: SetClock) -> None:
    clock("2026-11-27T12:00:00Z")
    today = date(2026, 11, 27)
    ruled = HouseRuled(bounds=[bound("move", 0), bound("plan", 2, 3), bound("wish", None, 0)])
    await house.deliver(ruled, aggregate_id=house.tenant)
    async with house.tx() as tx:
        assert await dates.bounds(tx, "else", YEAR) == YEAR
        # No day at all: what happens today alone, with the clocks' skew.
        assert await dates.bounds(tx, "move", YEAR) == Bounds(timedelta(0), YEAR.ahead)
        assert await dates.days(tx, "plan", today, date.min, date.max) == (date(2026, 11, 25), date(2026, 11, 30))
        assert await dates.days(tx, "wish", today, date(2026, 1, 1), date.max) == (date(2026, 1, 1), today)
        assert await dates.days(tx, "else", today, date.min, date.max) == (date.min, date.max)


def test_bounds_are_included_and_count_days_of_the_companys(clock: SetClock) -> None:
    # 28 November in Tokyo.
    clock("2026-11-27T16:00:00Z")
    bounds = YEAR.as_said(Said(days_back=3, days_ahead=1))
    for at in ("2026-11-25T00:00:00+09:00", "2026-11-29T23:59:59+09:00"):
        moment = datetime.fromisoformat(at)
        assert bounds.checked(moment, "/at", TOKYO) == moment and bounds.takes(moment, TOKYO)
    for at, said in (
        ("2026-11-24T23:59:59+09:00", "2026-11-25 at the"),
        ("2026-11-30T00:00:00+09:00", "2026-11-29 at the"),
    ):
        moment = datetime.fromisoformat(at)
        with pytest.raises(Implausible, match=said) as refused:
            bounds.checked(moment, "/at", TOKYO)
        assert [error.field for error in refused.value.errors] == ["/at"] and not bounds.takes(moment, TOKYO)


async def test_a_plain_day_is_its_first_moment_or_that_of_what_was_before(house: Harness, clock: SetClock) -> None:
    clock("2026-11-27T16:00:00Z")
    await house.deliver(HouseRuled(bounds=[bound("move", 0)]), aggregate_id=house.tenant)
    today, before = date(2026, 11, 28), datetime.fromisoformat("2026-11-28T00:30:00+09:00")
    async with house.tx() as tx:
        assert str(await dates.moment(tx, "move", YEAR, None, "/at")) == "2026-11-27 16:00:00+00:00"
        assert str(await dates.moment(tx, "move", YEAR, today, "/at")) == "2026-11-27 15:00:00+00:00"
        assert await dates.moment(tx, "move", YEAR, today, "/at", after=before) == before
        # The last day of all, and what was before it on another day.
        assert (
            str(await dates.moment(tx, "else", YEAR, date(2025, 11, 27), "/at", after=before))
            == "2025-11-26 15:00:00+00:00"
        )
        for kind, day in (("move", date(2026, 11, 27)), ("move", date(2026, 11, 29)), ("else", date(2025, 11, 26))):
            with pytest.raises(Implausible):
                await dates.moment(tx, kind, YEAR, day, "/at")


def test_what_is_not_said_ahead_is_so_long_after_now(clock: SetClock) -> None:
    clock("2026-11-27T16:00:00Z")
    bounds = Bounds(ahead=timedelta(days=1))
    for said in (bounds, bounds.as_said(Said(days_back=3))):
        assert said.takes(datetime.fromisoformat("2026-11-28T16:00:00Z"), TOKYO)
        assert not said.takes(datetime.fromisoformat("2026-11-28T16:00:01Z"), TOKYO)


async def test_what_holds_begins_soon_enough_and_did_not_end_long_ago(house: Harness, clock: SetClock) -> None:
    # 28 November in Tokyo.
    clock("2026-11-27T16:00:00Z")
    await house.deliver(HouseRuled(bounds=[bound("list", 2, 3)]), aggregate_id=house.tenant)

    async def fault(kind: str, valid_from: str | None, valid_until: str | None = None) -> str:
        first, last = (None if day is None else date.fromisoformat(day) for day in (valid_from, valid_until))
        async with house.tx() as tx:
            try:
                await dates.check_validity(tx, kind, first, last, "/lists/0")
            except Implausible as refused:
                return refused.errors[0].field
        return ""

    assert await fault("list", "0001-01-01", "9999-12-31") == await fault("list", None, None) == ""
    assert await fault("list", "2026-12-01", "2026-11-26") == ""
    assert await fault("list", "2026-12-02", "2026-11-26") == "/lists/0/valid_from"
    assert await fault("list", None, "2026-11-25") == "/lists/0/valid_until"
    # Without a word, ten years ahead and fifty back.
    assert await fault("else", "2036-12-01", "1976-11-01") == ""
    assert await fault("else", "2036-12-09") == "/lists/0/valid_from"
    assert await fault("else", None, "1976-10-15") == "/lists/0/valid_until"


async def test_the_last_day_of_goods_counts_from_the_day_that_they_came(house: Harness) -> None:
    await house.deliver(HouseRuled(bounds=[bound("good", 1, 2)]), aggregate_id=house.tenant)
    came = date(2020, 2, 28)
    async with house.tx() as tx:
        for kind, last in (("good", date(2020, 2, 27)), ("good", date(2020, 3, 1)), ("else", date(2119, 1, 1))):
            await dates.check_last_day(tx, kind, last, came, "/last")
        for kind, last in (("good", date(2020, 2, 26)), ("good", date(2020, 3, 2)), ("else", date(2121, 1, 1))):
            with pytest.raises(Implausible) as refused:
                await dates.check_last_day(tx, kind, last, came, "/last")
            assert [error.field for error in refused.value.errors] == ["/last"]


def test_an_event_that_does_not_tell_is_refused() -> None:
    with pytest.raises(TypeError, match="does not say bounds"):
        DatePolicy("toy.dates", MetaData(), HouseSilent, InTokyo())
