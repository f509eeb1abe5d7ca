"""What was deleted can be restored, and a deletion that was overtaken by a use is undone."""

from datetime import UTC, datetime
from typing import Any

import pytest

from contracts import inventory
from contracts.catalog import ItemRestored, PriceListRestored, UnitRestored, WarehouseRestored

from .conftest import Answer, Store

RESOURCES: dict[str, tuple[Any, Answer]] = {
    "items": (
        ItemRestored,
        {"sku": "GLUE", "name": "Glue", "tax_rate": "0", "conversions": [{"unit": "box", "factor": "2"}]},
    ),
    "units": (UnitRestored, {"code": "t", "name": "Tonne", "dimension": "mass", "factor": "1000"}),
    "warehouses": (WarehouseRestored, {"code": "SOUTH", "name": "South", "country": "DE"}),
    "price-lists": (PriceListRestored, {"code": "RETAIL", "name": "Retail", "currency": "EUR"}),
}


@pytest.mark.parametrize(("path", "event", "body"), [(path, *each) for path, each in RESOURCES.items()])
async def test_what_was_deleted_is_listed_and_restored(store: Store, path: str, event: Any, body: Answer) -> None:
    prices = {"prices": [{"item_id": str(store.item_id), "unit_price": "5"}]} if path == "price-lists" else {}
    made = await store.post(path, **body, **prices)
    at = f"/v1/{path}/{made['id']}"
    await store.h.client.delete(at)
    (gone,) = (await store.h.client.get(f"/v1/{path}", params={"deleted": True})).json()["items"]
    assert (gone["id"], gone["version"]) == (made["id"], 2)
    back = await store.h.client.post(f"{at}/restore", headers={"If-Match": '"2"'})
    assert (back.status_code, back.headers["etag"]) == (200, '"3"')
    assert (await store.h.client.get(at)).json() == back.json()
    assert {**back.json(), "version": 1, "updated_at": made["updated_at"]} == made
    assert (await store.h.client.get(f"/v1/{path}", params={"deleted": True})).json()["items"] == []
    (told,) = [p.event for p in await store.h.published() if isinstance(p.event, event)]
    code = "sku" if path == "items" else "code"
    assert getattr(told, code) == body[code]
    await store.h.client.delete(at)
    await store.post(path, **body)
    taken = await store.h.client.post(f"{at}/restore")
    assert (taken.status_code, taken.json()["errors"][0]["field"]) == (409, f"/{code}")


async def test_nothing_is_restored_that_refers_to_something_deleted(store: Store) -> None:
    client = store.h.client
    ton = await store.post("units", code="t", name="Tonne", dimension="mass", factor="1000")
    sand = await store.post("items", sku="SAND", name="Sand", tax_rate="0", unit="t")
    price = {"item_id": sand["id"], "unit_price": "5"}
    listed = await store.post("price-lists", code="RETAIL", name="Retail", currency="EUR", prices=[price])
    for path, id in (("price-lists", listed["id"]), ("items", sand["id"]), ("units", ton["id"])):
        assert (await client.delete(f"/v1/{path}/{id}")).status_code == 204
    for path, id, field in (("price-lists", listed["id"], "/prices/0/item_id"), ("items", sand["id"], "/unit")):
        problem = await store.post(f"{path}/{id}/restore", 409)
        assert (problem["type"], problem["errors"][0]["field"]) == ("urn:tailrace:problem:refers-to-deleted", field)
    for path, id in (("units", ton["id"]), ("items", sand["id"]), ("price-lists", listed["id"])):
        await store.post(f"{path}/{id}/restore", 200)


@pytest.mark.parametrize("begun", ["order", "stock", "shipment"])
async def test_a_use_that_is_heard_of_after_the_deletion_undoes_it(store: Store, begun: str) -> None:
    await store.deleted()
    await store.hear({"order": store.order(), "stock": store.received(5), "shipment": store.shipment()}[begun])
    for path in store.both:
        assert (await store.h.client.get(path)).json()["version"] == 3
    await store.refused()
    restored = [p for p in await store.h.published() if isinstance(p.event, ItemRestored | WarehouseRestored)]
    assert len(restored) == 2
    assert all(each.causation_id is not None for each in restored)


async def test_several_uses_that_are_heard_of_together_undo_it_once_because_of_the_first(store: Store) -> None:
    await store.deleted()
    async with store.h.together():
        first = await store.h.deliver(store.received(5), aggregate_id=store.line_id)
        await store.h.deliver(store.received(6), aggregate_id=store.line_id)
        await store.h.deliver(store.order(), aggregate_id=store.order_id)
    restored = [p for p in await store.h.published() if isinstance(p.event, ItemRestored | WarehouseRestored)]
    assert sorted(type(each.event).__name__ for each in restored) == ["ItemRestored", "WarehouseRestored"]
    assert {str(each.causation_id) for each in restored} == {dict(first.headers)["ce_id"].decode()}


async def test_what_is_heard_of_again_from_long_ago_restores_nothing(store: Store) -> None:
    await store.deleted()
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    await store.h.deliver(store.received(5), aggregate_id=store.line_id, time=long_ago)
    assert (await store.h.client.get(store.both[0])).status_code == 404


async def test_what_only_ends_restores_nothing(store: Store) -> None:
    await store.hear(store.stock(inventory.StockAdjusted, 5), store.stock(inventory.StockAdjusted, -5))
    await store.deleted()
    await store.hear(store.stock(inventory.StockAdjusted, -5), store.issued(1), store.order_cancelled())
    assert (await store.h.client.get(store.both[0])).status_code == 404


async def test_one_whose_code_is_taken_stays_deleted_and_its_use_is_kept(store: Store) -> None:
    await store.deleted()
    other = await store.post("items", sku="BOLT", name="Another bolt", tax_rate="0")
    await store.hear(store.received(5))
    assert (await store.h.client.get(store.both[0])).status_code == 404
    assert (await store.h.client.get(store.both[1])).status_code == 200
    assert (await store.h.client.get(f"/v1/items/{other['id']}")).json()["version"] == 1
    assert await store.h.admin.fetchval("SELECT count(*) FROM use WHERE used_id = $1", store.item_id) == 1


async def test_one_whose_code_is_taken_in_another_spelling_stays_deleted_too(store: Store) -> None:
    await store.deleted()
    await store.post("items", sku="bolt", name="Another bolt", tax_rate="0")
    await store.hear(store.received(5))
    assert (await store.h.client.get(store.both[0])).status_code == 404


async def test_one_that_refers_to_something_deleted_stays_deleted_until_that_is_back(store: Store) -> None:
    await store.deleted()
    unit = (await store.h.client.get("/v1/units", params={"code": "pcs"})).json()["items"][0]
    assert (await store.h.client.delete(f"/v1/units/{unit['id']}")).status_code == 204
    await store.hear(store.received(5))
    assert (await store.h.client.get(store.both[0])).status_code == 404
    assert (await store.h.client.get(store.both[1])).status_code == 200
    refused = await store.h.client.post(f"{store.both[0]}/restore")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (409, "/unit")
    await store.post(f"units/{unit['id']}/restore", 200)
    await store.hear(store.received(5))
    assert (await store.h.client.get(store.both[0])).status_code == 200
