"""A price list begins and ends with the company's day."""

from typing import Any

import httpx2

from contracts.users import TenantCreated
from tailrace.core.ids import uuid7
from tailrace_testing import Harness, SetClock


async def price(client: httpx2.AsyncClient, price_list: str, item: str, **on: str) -> tuple[int, str | None]:
    params = {"item_id": item, "quantity": "1", **on}
    answer = await client.get(f"/v1/price-lists/{price_list}/price", params=params)
    return answer.status_code, answer.json().get("on")


async def make(client: httpx2.AsyncClient, path: str, **body: Any) -> str:
    answer = await client.post(path, json={"code": str(uuid7()), "name": "x", **body})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_today_is_the_companys_day(catalog: Harness, clock: SetClock) -> None:
    tenant = catalog.other_tenant
    founded = TenantCreated(tenant_id=tenant, slug="t", name="T", currency="EUR", time_zone="Asia/Tokyo")
    await catalog.deliver(founded, aggregate_id=tenant, tenant=tenant)
    client = catalog.client_as(tenant=tenant)
    answer = await client.post("/v1/items", json={"sku": "BOLT", "name": "Bolt", "tax_rate": "0.1"})
    item = answer.json()["id"]
    prices = {"currency": "EUR", "prices": [{"item_id": item, "unit_price": "5"}]}
    new = await make(client, "/v1/price-lists", valid_from="2026-11-01", **prices)
    old = await make(client, "/v1/price-lists", valid_until="2026-10-31", **prices)
    clock("2026-10-31T23:59:59+09:00")
    assert await price(client, new, item) == (404, None)
    assert await price(client, old, item) == (200, "2026-10-31")
    clock("2026-11-01T08:30:00+09:00")
    assert await price(client, new, item) == (200, "2026-11-01")
    assert await price(client, old, item) == (404, None)
    assert await price(client, old, item, on="2026-10-31") == (200, "2026-10-31")


async def test_whose_days_are_not_known_names_the_day(catalog: Harness) -> None:
    answer = await catalog.client.post("/v1/items", json={"sku": "BOLT", "name": "Bolt", "tax_rate": "0.1"})
    item = answer.json()["id"]
    prices = {"currency": "EUR", "prices": [{"item_id": item, "unit_price": "5"}]}
    listed = await make(catalog.client, "/v1/price-lists", **prices)
    await catalog.admin.execute("DELETE FROM time_zone")
    assert (await price(catalog.client, listed, item))[0] == 409
    assert await price(catalog.client, listed, item, on="2026-11-01") == (200, "2026-11-01")


async def test_a_day_of_no_calendar_is_refused(catalog: Harness) -> None:
    for name in ("valid_from", "valid_until"):
        for day in ("2200-01-01", "1899-12-31", "2026-11-31", "2026-11-01T00:00:00"):
            body = {"code": "A", "name": "A", "currency": "EUR", name: day}
            answer = await catalog.client.post("/v1/price-lists", json=body)
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, f"/{name}")
