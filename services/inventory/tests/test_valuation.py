"""Stock as of any pair of times, whatever was entered late: against a list of what moved, kept apart."""

import asyncio
import csv
import io
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from depot import Depot
from sqlalchemy import text

from contracts.inventory import StockAdjusted, StockCostSettled, StockIssued, StockReceived
from tailrace_testing import SetClock

from .test_provisional import allow

FIRST = datetime(2026, 1, 1, tzinfo=UTC)


async def enter(depot: Depot, dice: random.Random) -> None:
    """A movement that took place on some day of January, wherever the ones before lie."""
    at = (FIRST + timedelta(days=dice.randint(0, 30))).isoformat()
    quantity = str(dice.randint(1, 20))
    match dice.choice(["receive", "receive", "issue", "issue", "count"]):
        case "receive":
            await depot.receive(quantity, dice.randint(0, 500), effective_at=at)
        case "issue":
            await depot.post("issues", quantity=quantity, reason="consumption", effective_at=at, currency="EUR")
        case "count":
            body = {"value": dice.randint(0, 99), "currency": "EUR"}
            await depot.post("adjustments", quantity=quantity, reason="count", effective_at=at, **body)


async def as_of(depot: Depot, **times: datetime) -> tuple[str, int]:
    said = await depot.get("valuation", **{name: time.isoformat() for name, time in times.items()})
    (item,), total = said["items"], sum(one["value"] for one in said["totals"])
    assert total == item["value"]
    return item["quantity"], item["value"]


@pytest.mark.parametrize("seed", [1, 2])
async def test_any_pair_of_times_shows_what_was_known_of_then(depot: Depot, clock: SetClock, seed: int) -> None:
    clock("2026-02-15T12:00:00Z")
    dice = random.Random(seed)
    await allow(depot, depot.bolt, "BOLT", "fifo", 2)
    views: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for _ in range(40):
        await enter(depot, dice)
        day = FIRST + timedelta(days=dice.randint(-1, 31))
        said = await depot.get("valuation", effective=day.isoformat())
        views.append(({name: said[name] for name in ("effective", "recorded")}, said))
    # What was said of any day stays said, however much was entered for that day afterwards.
    for times, said in views:
        assert await depot.get("valuation", **times) == said
    assert await depot.h.published(StockCostSettled)
    rows = await depot.h.admin.fetch("SELECT event_id, recorded_at FROM inventory_event")
    recorded = {row["event_id"]: row["recorded_at"] for row in rows}
    known = [(one.event, recorded[one.id]) for one in await depot.h.published() if isinstance(one.event, MOVED)]
    assert len(known) == len(recorded)
    for _ in range(25):
        day, moment = FIRST + timedelta(days=dice.randint(-1, 31)), dice.choice(list(recorded.values()))
        moved = [change(event) for event, at in known if at <= moment and event.effective_at <= day]
        quantity, value = await as_of(depot, effective=day, recorded=moment)
        assert Decimal(quantity) == sum((one for one, _ in moved), Decimal(0))
        assert value == sum(one for _, one in moved)


MOVED = (StockReceived, StockIssued, StockAdjusted, StockCostSettled)


def change(event: StockReceived | StockIssued | StockAdjusted | StockCostSettled) -> tuple[Decimal, int]:
    """What an event did to quantity and value."""
    if isinstance(event, StockCostSettled):
        return Decimal(0), event.provisional - event.value
    sign = -1 if isinstance(event, StockIssued) else 1
    return sign * event.quantity, sign * event.value


async def test_a_late_receipt_revalues_nothing_that_went_out_before(depot: Depot, clock: SetClock) -> None:
    clock("2026-02-15T12:00:00Z")
    await depot.receive("10", 100, effective_at="2026-01-10T00:00:00Z")
    await depot.post("issues", quantity="4", reason="consumption", effective_at="2026-01-12T00:00:00Z")
    before = await depot.get("valuation")
    await depot.receive("10", 20, effective_at="2026-01-05T00:00:00Z")
    january = {day: datetime(2026, 1, day, 12, tzinfo=UTC) for day in (4, 5, 10, 12)}
    assert [await as_of(depot, effective=january[day]) for day in january] == [
        ("0", 0),
        ("10", 20),
        ("20", 120),
        ("16", 80),
    ]
    then = datetime.fromisoformat(before["recorded"])
    assert await as_of(depot, effective=january[10], recorded=then) == ("10", 100)
    # First in is what was entered first: the cost of the next one out is that of the older entry.
    out = await depot.post("issues", quantity="6", reason="consumption")
    assert out["value"] == -60
    assert await depot.layers() == [("10", 20)]


async def test_what_is_under_way_is_not_counted_until_nothing_earlier_can_come(depot: Depot) -> None:
    await depot.receive("1", 10)
    async with depot.h.tx() as tx:
        await tx.execute(text("SELECT 1"))  # a transaction begins with its first statement
        await depot.receive("1", 10)
        said = await depot.get("valuation")
        assert said["totals"] == [{"currency": "EUR", "value": 10}]
    assert (await depot.get("valuation"))["totals"] == [{"currency": "EUR", "value": 20}]


async def test_a_reader_finds_what_it_wrote_while_somebody_else_is_about_to_be_done(depot: Depot) -> None:
    async with depot.h.tx() as tx:
        await tx.execute(text("SELECT 1"))  # a transaction begins with its first statement
        await depot.receive("1", 10)
        reading = asyncio.create_task(depot.get("valuation"))
        await asyncio.sleep(0.2)
        assert not reading.done()
    assert (await reading)["totals"] == [{"currency": "EUR", "value": 10}]


async def test_pages_and_currencies(depot: Depot) -> None:
    await depot.receive("1", 10)
    await depot.receive("2", 30, warehouse_id=depot.south, currency="USD")
    first = await depot.get("valuation", limit=1)
    second = await depot.get("valuation", limit=1, cursor=first["next_cursor"])
    listed = [one for page in (first, second) for one in page["items"]]
    assert [one["stock_id"] for one in listed] == sorted(one["stock_id"] for one in listed)
    assert {one["currency"]: one["value"] for one in listed} == {"EUR": 10, "USD": 30}
    assert first["totals"] == [{"currency": "EUR", "value": 10}, {"currency": "USD", "value": 30}]
    assert second["next_cursor"] is None
    file = await depot.h.client.get("/v1/inventory/valuation", params={"limit": 1}, headers={"Accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(file.text.removeprefix("\ufeff"))))
    assert [(row["stock_id"], row["quantity"], row["value"]) for row in rows] == [
        (one["stock_id"], one["quantity"], str(one["value"])) for one in listed
    ]
    only = await depot.get("valuation", warehouse_id=depot.south)
    assert only["totals"] == [{"currency": "USD", "value": 30}]
