"""The stock ledger and its valuation know the company's days; and nothing moves on a day that nobody can mean."""

from typing import Any

import pytest
from depot import Depot

from contracts.users import DateBounds, TenantDatePolicyChanged
from tailrace_testing import SetClock

MOVES: dict[str, dict[str, Any]] = {
    "receipts": {"value": 100, "currency": "EUR", "reason": "purchase", "quantity": "1"},
    "issues": {"reason": "scrap", "quantity": "1"},
    "adjustments": {"reason": "count", "quantity": "-1"},
    "transfers": {"quantity": "1"},
}


@pytest.fixture
async def october(depot: Depot, clock: SetClock) -> Depot:
    """Tokyo: 1 piece on 31 October, 2 on the morning of 1 November, when it is still October in UTC, and 4 on 2 November."""
    await depot.h.count_days_in("Asia/Tokyo")
    clock("2026-11-02T12:00:00+09:00")
    for quantity, at in (
        ("1", "2026-10-31T23:59:59+09:00"),
        ("2", "2026-11-01T08:30:00+09:00"),
        ("4", "2026-11-02T00:00:00+09:00"),
    ):
        await depot.receive(quantity, 100, effective_at=at)
    return depot


async def test_movements_of_a_day_are_those_of_the_companys(october: Depot) -> None:
    async def moved(**query: str) -> list[str]:
        return [each["quantity"] for each in (await october.get("movements", **query))["items"]]

    assert await moved(effective_from="2026-11-01", effective_until="2026-11-02") == ["2"]
    assert await moved(effective_until="2026-11-01") == ["1"]
    assert await moved(effective_from="2026-11-01") == ["2", "4"]


async def test_stock_as_of_a_day_is_that_at_its_end(october: Depot) -> None:
    async def quantity(**at: str) -> str:
        return str((await october.get("valuation", **at))["items"][0]["quantity"])

    days = ("2026-10-30", "2026-10-31", "2026-11-01", "2026-11-02")
    assert [await quantity(effective=day) for day in days] == ["0", "1", "3", "7"]
    assert await quantity(effective="2026-11-01T08:29:59+09:00") == "1"
    # Nothing of this was written down by then.
    assert await quantity(recorded="2025-01-01") == "0"
    answer = await october.h.client.get("/v1/inventory/valuation", params={"effective": "2026-11-31"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "effective")


@pytest.mark.parametrize("path", MOVES)
async def test_goods_do_not_move_on_a_day_that_nobody_can_mean(depot: Depot, clock: SetClock, path: str) -> None:
    clock("2026-11-27T12:00:00Z")
    await depot.receive("10", 1000, effective_at="2025-11-27T00:00:00Z")
    where = {"from_warehouse_id": depot.north, "to_warehouse_id": depot.south} if path == "transfers" else {}
    for at in ("1999-01-01T00:00:00Z", "2025-11-25T00:00:00Z", "2026-11-27T12:06:00Z", "2199-01-01T00:00:00Z"):
        refused = await depot.post(path, 422, **MOVES[path], **where, effective_at=at)
        assert (refused["type"], refused["errors"][0]["field"]) == (
            "urn:tailrace:problem:implausible-date",
            "/effective_at",
        )
    for at in ("2025-11-28T00:00:00Z", "2026-11-27T12:04:00Z"):
        await depot.post(path, **MOVES[path], **where, effective_at=at)


async def test_a_company_says_how_long_ago_goods_may_have_moved(depot: Depot, clock: SetClock) -> None:
    clock("2026-11-27T12:00:00Z")
    bounds = [DateBounds(kind="movement", days_back=2), DateBounds(kind="opening_stock", days_back=9000)]
    said = TenantDatePolicyChanged(tenant_id=depot.h.tenant, bounds=bounds)
    await depot.h.deliver(said, aggregate_id=depot.h.tenant)
    await depot.receive("9", 900, reason="opening", effective_at="2003-01-01T00:00:00Z")
    for path in MOVES:
        where = {"from_warehouse_id": depot.north, "to_warehouse_id": depot.south} if path == "transfers" else {}
        await depot.post(path, 422, **MOVES[path], **where, effective_at="2026-11-24T23:59:59Z")
        await depot.post(path, **MOVES[path], **where, effective_at="2026-11-25T00:00:00Z")


async def test_a_plain_day_is_its_first_moment_where_the_company_is(depot: Depot, clock: SetClock) -> None:
    await depot.h.count_days_in("Asia/Tokyo")
    clock("2026-11-02T07:00:00+09:00")
    await depot.receive("10", 1000, effective_at="2026-10-20")
    for path in MOVES:
        where = {"from_warehouse_id": depot.north, "to_warehouse_id": depot.south} if path == "transfers" else {}
        said = await depot.post(path, **MOVES[path], **where, effective_at="2026-11-02")
        moved = said["incoming"][0] if path == "transfers" else said
        assert moved["effective_at"] == "2026-11-01T15:00:00Z"
        for at, kind in (
            ("2026-11-03", "implausible-date"),
            ("2026-11-31", "invalid"),
            ("2026-11-02T00:00", "invalid"),
        ):
            refused = await depot.post(path, 422, **MOVES[path], **where, effective_at=at)
            assert (refused["type"], refused["errors"][0]["field"]) == (f"urn:tailrace:problem:{kind}", "/effective_at")


async def test_what_goes_back_on_the_day_that_it_came_goes_after_it_came(depot: Depot, clock: SetClock) -> None:
    clock("2026-11-27T12:00:00Z")
    came = await depot.receive("10", 1000, reason="purchase", effective_at="2026-11-27T09:00:00Z")
    back = {"quantity": "1", "reason": "return_to_supplier", "receipt_id": came["id"]}
    assert (await depot.post("issues", **back, effective_at="2026-11-27"))["effective_at"] == "2026-11-27T09:00:00Z"
    refused = await depot.post("issues", 422, **back, effective_at="2026-11-26")
    assert refused["errors"][0]["field"] == "/effective_at"


async def test_opening_stock_may_be_older(depot: Depot, clock: SetClock) -> None:
    clock("2026-11-27T12:00:00Z")
    await depot.receive("1", 100, reason="opening", effective_at="2017-01-01T00:00:00Z")
    refused = await depot.receive("1", 100, 422, reason="opening", effective_at="1999-01-01T00:00:00Z")
    assert refused["errors"][0]["field"] == "/effective_at"
