"""An order is priced, dated and found by the company's days; and dates that nobody can mean are refused."""

from datetime import date
from decimal import Decimal
from typing import Any

from contracts import catalog
from contracts.users import DateBounds, TenantDatePolicyChanged
from tailrace.core.ids import uuid7
from tailrace_testing import SetClock

from .conftest import Desk

MORNING = "2026-11-01T08:30:00+09:00"
"""Still 31 October in UTC."""


async def list_valid(desk: Desk, price: str, first: date | None, last: date | None) -> str:
    id = uuid7()
    listed = catalog.PriceListUpdated(
        price_list_id=id,
        code=f"FROM {first}",
        name="Autumn",
        currency="EUR",
        prices=[catalog.Price(item_id=desk.bolt, min_quantity=Decimal(1), unit_price=Decimal(price))],
        valid_from=first,
        valid_until=last,
    )
    await desk.h.deliver(listed, aggregate_id=id)
    return str(id)


async def test_a_price_list_begins_and_ends_with_the_companys_day(desk: Desk, clock: SetClock) -> None:
    await desk.h.count_days_in("Asia/Tokyo")
    clock(MORNING)
    new = desk.line(price_list_id=await list_valid(desk, "200", date(2026, 11, 1), None))
    old = desk.line(price_list_id=await list_valid(desk, "100", None, date(2026, 10, 31)))
    for given in ({}, {"ordered_at": MORNING}, {"ordered_at": "2026-10-31T23:30:00Z"}):
        assert (await desk.create(new, **given))["lines"][0]["unit_price"] == "200"
        answer = await desk.h.client.post("/v1/orders", json=desk.body(old, **given))
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "/lines/0/price_list_id")
    # The day before, it is the other way round; a draft that is replaced is priced as of its own day.
    evening = {"ordered_at": "2026-10-31T23:59:59+09:00"}
    draft = await desk.create(old, **evening)
    assert draft["lines"][0]["unit_price"] == "100"
    for lines, status in ((old, 200), (new, 422)):
        answer = await desk.h.client.put(f"/v1/orders/{draft['id']}", json=desk.body(lines))
        assert answer.status_code == status, answer.text


async def test_orders_are_found_by_the_companys_days(desk: Desk, clock: SetClock) -> None:
    await desk.h.count_days_in("America/New_York")
    clock("2026-11-03T12:00:00-05:00")
    # 1 November has 25 hours there.
    for reference, at in (
        ("1", "2026-11-01T03:59:59Z"),
        ("2", "2026-11-01T04:00:00Z"),
        ("3", "2026-11-02T04:59:59Z"),
        ("4", "2026-11-02T05:00:00Z"),
    ):
        await desk.create(customer_reference=reference, ordered_at=at)

    async def found(**query: str) -> list[str]:
        items = (await desk.h.client.get("/v1/orders", params=query)).json()["items"]
        return [order["customer_reference"] for order in items]

    assert await found(ordered_from="2026-11-01", ordered_until="2026-11-02") == ["2", "3"]
    assert await found(ordered_until="2026-11-01") == ["1"]
    assert await found(ordered_from="2026-11-02") == ["4"]
    assert await found(ordered_from="2026-11-01", ordered_until="2026-11-01T05:00:00Z") == ["2"]
    answer = await desk.h.client.get("/v1/orders", params={"ordered_from": "2026-11-31"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "ordered_from")


async def test_dates_that_nobody_can_mean_are_refused(desk: Desk, clock: SetClock) -> None:
    await desk.h.count_days_in("Asia/Tokyo")
    clock(MORNING)

    async def answer(**given: Any) -> tuple[int, str | None]:
        answer = await desk.h.client.post("/v1/orders", json=desk.body(**given))
        return answer.status_code, None if answer.status_code == 201 else answer.json()["errors"][0]["field"]

    for at in ("2026-11-01T08:36:00+09:00", "2199-01-01T00:00:00Z", "1950-01-01T00:00:00Z"):
        assert await answer(ordered_at=at) == (422, "/ordered_at")
    # A clock may be a little ahead, and an order from another system old.
    for at in ("2026-11-01T08:35:00+09:00", "1997-01-01T12:00:00Z"):
        assert await answer(ordered_at=at) == (201, None)
    assert await answer(requested_date="2026-11-01") == (201, None)
    for day in ("2026-10-31", "2199-01-01", "0001-01-01"):
        assert await answer(requested_date=day) == (422, "/requested_date")


async def test_a_company_says_which_dates_it_means(desk: Desk, clock: SetClock) -> None:
    clock(MORNING)
    bounds = [DateBounds(kind="order", days_back=7), DateBounds(kind="requested_date", days_ahead=30)]
    said = TenantDatePolicyChanged(tenant_id=desk.h.tenant, bounds=bounds)
    await desk.h.deliver(said, aggregate_id=desk.h.tenant)
    for given, field in (
        ({"ordered_at": "2026-10-23T23:59:59Z"}, "/ordered_at"),
        ({"ordered_at": "2026-10-23"}, "/ordered_at"),
        ({"ordered_at": "2026-11-01"}, "/ordered_at"),
        ({"requested_date": "2026-12-01"}, "/requested_date"),
    ):
        answer = await desk.h.client.post("/v1/orders", json=desk.body(**given))
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    # 31 October is today in UTC.
    await desk.create(ordered_at="2026-10-24", requested_date="2026-11-23")
    await desk.create(requested_date="2026-11-30")


async def test_an_order_waits_until_the_companys_days_are_known(desk: Desk) -> None:
    await desk.h.admin.execute("DELETE FROM time_zone")
    answer = await desk.h.client.post("/v1/orders", json=desk.body())
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:tailrace:problem:not-yet-known")
    assert answer.headers["retry-after"] == "1"
    await desk.h.count_days_in("Asia/Tokyo")
    await desk.create()
