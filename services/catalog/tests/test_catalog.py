"""The catalog through its HTTP interface, on PostgreSQL."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from catalog.service import service
from contracts.catalog import ItemCreated, ItemDeleted, ItemUpdated, PriceListUpdated
from contracts.users import TenantCreated
from tailrace.core.ids import uuid7
from tailrace_testing import Harness, MakeHarness

ITEM = {"sku": "BOLT-8", "name": "Bolt M8", "tax_rate": "0.19", "conversions": [{"unit": "box", "factor": "12"}]}
PLACES: dict[str, tuple[str, dict[str, Any]]] = {
    "/v1/items": ("sku", ITEM),
    "/v1/units": ("code", {"code": "t", "name": "Tonne", "dimension": "mass", "factor": "1000"}),
    "/v1/warehouses": ("code", {"code": "MAIN", "name": "Main store", "country": "DE"}),
    "/v1/price-lists": ("code", {"code": "RETAIL", "name": "Retail", "currency": "EUR"}),
    "/v1/tax-codes": (
        "code",
        {"code": "STANDARD", "name": "Standard rate", "rates": [{"valid_from": "2021-01-01", "rate": "0.19"}]},
    ),
}
each_resource = pytest.mark.parametrize(("path", "code", "body"), [(p, c, b) for p, (c, b) in PLACES.items()])


async def make(catalog: Harness, path: str = "/v1/items", **fields: Any) -> dict[str, Any]:
    answer = await catalog.client.post(path, json={**PLACES[path][1], **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_new_tenant_has_the_standard_units_once(catalog: Harness) -> None:
    event = TenantCreated(tenant_id=catalog.tenant, slug="acme", name="Acme", currency="EUR")
    await catalog.deliver(event, aggregate_id=catalog.tenant, sequence=1)
    units = (await catalog.client.get("/v1/units", params={"sort": "code"})).json()["items"]
    assert [unit["code"] for unit in units] == ["g", "h", "kg", "l", "m", "ml", "pcs"]
    assert len(await catalog.published("catalog.unit.created")) == 7


async def test_before_the_units_arrive_an_item_is_asked_to_wait(make_harness: MakeHarness) -> None:
    catalog = await make_harness(service)
    answer = await catalog.client.post("/v1/items", json=ITEM)
    assert (answer.status_code, answer.headers["retry-after"]) == (409, "1")
    assert answer.json()["type"] == "urn:tailrace:problem:not-yet-known"


@each_resource
async def test_create_read_replace_delete(catalog: Harness, path: str, code: str, body: dict[str, Any]) -> None:
    made = await make(catalog, path)
    at = f"{path}/{made['id']}"
    assert (await catalog.client.get(at)).json() == made
    replaced = await catalog.client.put(at, json={**body, "name": "Renamed"}, headers={"If-Match": '"1"'})
    assert (replaced.status_code, replaced.headers["etag"], replaced.json()["name"]) == (200, '"2"', "Renamed")
    stale = await catalog.client.put(at, json=body, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["type"]) == (412, "urn:tailrace:problem:stale")
    assert (await catalog.client.delete(at, headers={"If-Match": '"1"'})).status_code == 412
    assert (await catalog.client.delete(at, headers={"If-Match": '"2"'})).status_code == 204
    for gone in (
        await catalog.client.get(at),
        await catalog.client.put(at, json=body),
        await catalog.client.delete(at),
    ):
        assert gone.status_code == 404
    events = [p for p in await catalog.published() if p.aggregate_id == UUID(made["id"])]
    assert [(p.sequence, p.type.rsplit(".", 1)[1]) for p in events] == [(1, "created"), (2, "updated"), (3, "deleted")]


@each_resource
async def test_a_live_code_is_taken_and_a_deleted_one_is_free(
    catalog: Harness, path: str, code: str, body: dict[str, Any]
) -> None:
    first = await make(catalog, path)
    refused = await catalog.client.post(path, json=body)
    assert refused.status_code == 409
    assert refused.json()["errors"][0]["field"] == f"/{code}"
    other = await make(catalog, path, **{code: "OTHER"})
    if path != "/v1/units":
        assert (await catalog.client.put(f"{path}/{other['id']}", json=body)).status_code == 409
    await catalog.client.delete(f"{path}/{first['id']}")
    again = await make(catalog, path)
    assert again["id"] != first["id"]
    assert [row["id"] for row in (await catalog.client.get(path, params={code: body[code]})).json()["items"]] == [
        again["id"]
    ]


@each_resource
async def test_what_is_not_asked_for_is_refused(catalog: Harness, path: str, code: str, body: dict[str, Any]) -> None:
    for extra in ("tenant_id", "id", "role", "version", "deleted_at"):
        answer = await catalog.client.post(path, json={**body, extra: str(uuid7())})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, f"/{extra}")
    missing = await catalog.client.post(path, json={k: v for k, v in body.items() if k != code})
    assert (missing.status_code, missing.json()["errors"][0]["field"]) == (422, f"/{code}")


@each_resource
async def test_tenants_and_scopes_are_apart(catalog: Harness, path: str, code: str, body: dict[str, Any]) -> None:
    made = await make(catalog, path)
    stranger = catalog.client_as(tenant=catalog.other_tenant)
    assert (await stranger.get(f"{path}/{made['id']}")).status_code == 404
    assert (await stranger.put(f"{path}/{made['id']}", json=body)).status_code == 404
    assert (await stranger.get(path)).json()["items"] == []
    reader = catalog.client_as("catalog:read")
    assert (await reader.get(path)).status_code == 200
    assert (await reader.post(path, json=body)).status_code == 403
    assert (await catalog.client_as("orders:*").get(path)).status_code == 403
    assert (await catalog.anonymous().get(path)).status_code == 401


async def test_items_page_filter_and_sort(catalog: Harness) -> None:
    for number in range(5):
        await make(catalog, sku=f"S{number}", name=f"Thing {9 - number}", kind="service" if number == 4 else "stock")
    page = (await catalog.client.get("/v1/items", params={"limit": 2, "sort": "-sku"})).json()
    seen = [item["sku"] for item in page["items"]]
    while page["next_cursor"]:
        cursor = page["next_cursor"]
        page = (await catalog.client.get("/v1/items", params={"limit": 2, "sort": "-sku", "cursor": cursor})).json()
        seen += [item["sku"] for item in page["items"]]
    assert seen == ["S4", "S3", "S2", "S1", "S0"]

    async def skus(**params: Any) -> list[str]:
        return [item["sku"] for item in (await catalog.client.get("/v1/items", params=params)).json()["items"]]

    assert await skus(kind="service") == ["S4"]
    assert await skus(name="THING 8") == ["S1"]
    assert await skus(name="%") == []
    assert await skus(active=False) == []
    assert (await skus(sort="name"))[0] == "S4"
    assert (await catalog.client.get("/v1/items", params={"sort": "tax_rate"})).status_code == 400


async def test_item_events_carry_the_whole_item(catalog: Harness) -> None:
    item = await make(catalog)
    await catalog.client.put(f"/v1/items/{item['id']}", json={**ITEM, "tax_rate": "0.07"})
    await catalog.client.delete(f"/v1/items/{item['id']}")
    created, updated, deleted = (p.event for p in await catalog.published() if p.aggregate_id == UUID(item["id"]))
    assert isinstance(created, ItemCreated)
    assert (created.sku, created.unit, str(created.conversions[0].factor)) == ("BOLT-8", "pcs", "12")
    assert isinstance(updated, ItemUpdated)
    assert str(updated.tax_rate) == "0.07"
    assert deleted == ItemDeleted(item_id=UUID(item["id"]), sku="BOLT-8")


async def test_what_others_build_on_is_fixed(catalog: Harness) -> None:
    item = await make(catalog)
    answer = await catalog.client.put(
        f"/v1/items/{item['id']}", json={**ITEM, "unit": "kg", "valuation": "moving_average"}
    )
    assert answer.status_code == 409
    assert [error["field"] for error in answer.json()["errors"]] == ["/unit", "/valuation"]
    pieces = (await catalog.client.get("/v1/units", params={"code": "pcs"})).json()["items"][0]
    assert (await catalog.client.delete(f"/v1/units/{pieces['id']}")).json()["type"] == "urn:tailrace:problem:in-use"
    assert (await catalog.client.post("/v1/items", json={**ITEM, "sku": "X", "unit": "barn"})).status_code == 422


async def test_a_unit_may_become_finer_and_never_coarser(catalog: Harness) -> None:
    made = await make(catalog, "/v1/units", decimals=2)
    at, body = f"/v1/units/{made['id']}", PLACES["/v1/units"][1]
    assert (await catalog.client.put(at, json={**body, "decimals": 3})).json()["decimals"] == 3
    coarser = await catalog.client.put(at, json={**body, "decimals": 2})
    assert (coarser.status_code, coarser.json()["errors"][0]["field"]) == (409, "/decimals")


async def test_quantities_convert_or_are_refused(catalog: Harness) -> None:
    item = await make(catalog)
    convert = "/v1/units/convert"
    plain = await catalog.client.post(convert, json={"quantity": "2.5", "from": "kg", "to": "g"})
    assert plain.json() == {"quantity": "2500", "unit": "g"}
    boxes = await catalog.client.post(
        convert, json={"quantity": "3", "from": "box", "to": "pcs", "item_id": item["id"]}
    )
    assert boxes.json() == {"quantity": "36", "unit": "pcs"}
    across = await catalog.client.post(convert, json={"quantity": "1", "from": "kg", "to": "m"})
    assert (across.status_code, across.json()["type"]) == (422, "urn:tailrace:problem:units-incompatible")
    inexact = await catalog.client.post(convert, json={"quantity": "0.5", "from": "pcs", "to": "pcs"})
    assert (inexact.status_code, inexact.json()["type"]) == (422, "urn:tailrace:problem:conversion-inexact")
    huge = await catalog.client.post(convert, json={"quantity": "999999999999", "from": "kg", "to": "g"})
    assert huge.json() == {"quantity": "999999999999000", "unit": "g"}


async def test_prices_break_by_quantity_and_hold_for_their_days(catalog: Harness) -> None:
    item = await make(catalog, unit="kg")
    prices = [
        {"item_id": item["id"], "unit_price": "1250"},
        {"item_id": item["id"], "unit_price": "1199.5", "min_quantity": "10"},
        {"item_id": item["id"], "unit_price": "999", "min_quantity": "100"},
    ]
    validity = {"valid_from": "2026-01-01", "valid_until": "2026-12-31"}
    made = await make(catalog, "/v1/price-lists", prices=prices, **validity)

    async def price(quantity: str, on: str = "2026-06-01", item_id: str = item["id"]) -> Any:
        params = {"item_id": item_id, "quantity": quantity, "on": on}
        answer = await catalog.client.get(f"/v1/price-lists/{made['id']}/price", params=params)
        return answer.json()["unit_price"] if answer.status_code == 200 else answer.json()["type"]

    assert [await price(q) for q in ("0.5", "9.999999", "10", "99", "100", "5000")] == [
        "1250", "1250", "1199.5", "1199.5", "999", "999"
    ]  # fmt: skip
    none = "urn:tailrace:problem:no-price"
    assert [await price("1", on) for on in ("2025-12-31", "2026-01-01", "2026-12-31", "2027-01-01")] == [
        none, "1250", "1250", none
    ]  # fmt: skip
    assert await price("1", item_id=str(uuid7())) == none
    valid = {"valid_on": "2027-01-01"}
    assert (await catalog.client.get("/v1/price-lists", params=valid)).json()["items"] == []


async def test_no_quantity_of_a_price_is_finer_than_the_items_unit(catalog: Harness) -> None:
    item, flour = await make(catalog), await make(catalog, sku="FLOUR", unit="kg")
    prices = [
        {"item_id": flour["id"], "unit_price": "9", "min_quantity": "0.5"},
        {"item_id": item["id"], "unit_price": "5", "min_quantity": "10.5"},
    ]
    body = {**PLACES["/v1/price-lists"][1], "prices": prices}
    refused = await catalog.client.post("/v1/price-lists", json=body)
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:tailrace:problem:conversion-inexact")
    assert refused.json()["errors"][0]["field"] == "/prices/1/min_quantity"
    made = await make(catalog, "/v1/price-lists", prices=[{"item_id": item["id"], "unit_price": "5"}, prices[0]])
    # What stands where nothing was said is for any quantity, and may be sent again.
    at = f"/v1/price-lists/{made['id']}"
    assert (await catalog.client.put(at, json={**body, "prices": made["prices"]})).status_code == 200
    assert (await catalog.client.put(at, json=body)).json()["errors"][0]["field"] == "/prices/1/min_quantity"
    asked = {"item_id": item["id"], "quantity": "1.5"}
    too_fine = await catalog.client.get(f"{at}/price", params=asked)
    assert (too_fine.status_code, too_fine.json()["errors"][0]["field"]) == (422, "quantity")
    assert (await catalog.client.get(f"{at}/price", params={**asked, "quantity": "1"})).json()["unit_price"] == "5"
    flour_asked = {"item_id": flour["id"], "quantity": "0.5"}
    assert (await catalog.client.get(f"{at}/price", params=flour_asked)).json()["unit_price"] == "9"


async def test_replacing_prices_keeps_adds_and_removes(catalog: Harness) -> None:
    item, other = await make(catalog), await make(catalog, sku="NUT-8")
    first = [
        {"item_id": item["id"], "unit_price": "5"},
        {"item_id": item["id"], "unit_price": "4", "min_quantity": "10"},
    ]
    made = await make(catalog, "/v1/price-lists", prices=first)
    second = [
        {"item_id": other["id"], "unit_price": "7"},
        {"item_id": item["id"], "unit_price": "3", "min_quantity": "10"},
    ]
    at, body = f"/v1/price-lists/{made['id']}", PLACES["/v1/price-lists"][1]
    assert (await catalog.client.put(at, json={**body, "prices": second})).status_code == 200
    shown = {(p["item_id"], p["unit_price"]) for p in (await catalog.client.get(at)).json()["prices"]}
    assert shown == {(other["id"], "7"), (item["id"], "3")}
    (updated,) = await catalog.published("catalog.price_list.updated")
    assert isinstance(updated.event, PriceListUpdated)
    assert {str(p.unit_price) for p in updated.event.prices} == {"7", "3"}


async def test_price_lists_that_contradict_themselves_are_refused(catalog: Harness) -> None:
    item = await make(catalog)
    body = PLACES["/v1/price-lists"][1]
    twice = [{"item_id": item["id"], "unit_price": "5"}] * 2
    unknown = [{"item_id": item["id"], "unit_price": "5"}, {"item_id": str(uuid7()), "unit_price": "5"}]
    refused: list[dict[str, Any]] = [
        {"prices": twice}, {"prices": unknown}, {"valid_from": "2026-02-01", "valid_until": "2026-01-01"},
        {"currency": "EURO"}, {"prices": [{"item_id": item["id"], "unit_price": "-1"}]},
        {"prices": [{"item_id": item["id"], "unit_price": "0.0000001"}]},
    ]  # fmt: skip
    for fields in refused:
        answer = await catalog.client.post("/v1/price-lists", json={**body, **fields})
        assert answer.status_code == 422, answer.text
        if fields == {"prices": unknown}:
            assert answer.json()["errors"][0]["field"] == "/prices/1/item_id"
    assert await catalog.published("catalog.price_list.created") == []


async def test_text_that_cannot_be_stored_is_refused(catalog: Harness) -> None:
    assert (await catalog.client.post("/v1/items", json={**ITEM, "name": "nul\x00"})).status_code == 422
    assert (await catalog.client.get("/v1/items", params={"sku": "\x00"})).status_code in (400, 422)


async def test_of_those_who_want_one_sku_at_once_one_gets_it(catalog: Harness) -> None:
    answers = await asyncio.gather(*(catalog.client.post("/v1/items", json=ITEM) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert len(await catalog.published("catalog.item.created")) == 1


async def test_negative_stock_is_refused_unless_an_item_or_a_warehouse_allows_it(catalog: Harness) -> None:
    strict, lenient = await make(catalog), await make(catalog, sku="GLUE", negative_stock="provisional")
    store = await make(catalog, "/v1/warehouses", negative_stock="provisional")
    assert [one["negative_stock"] for one in (strict, lenient, store)] == ["refused", "provisional", "provisional"]
    for path, made in (("/v1/items", lenient), ("/v1/warehouses", store)):
        found = (await catalog.client.get(path, params={"negative_stock": "provisional"})).json()["items"]
        assert [one["id"] for one in found] == [made["id"]]
    assert [event.event.negative_stock for event in await catalog.published(ItemCreated)] == [
        "refused",
        "provisional",
    ]
    wrong = await catalog.client.post("/v1/items", json={**ITEM, "sku": "X", "negative_stock": "sometimes"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "/negative_stock")


@pytest.mark.parametrize("spelling", ["CAFE\u0301-1", "café-1", "ＣＡＦÉ－１", " Café-1 "])
async def test_a_code_is_one_in_every_spelling(catalog: Harness, spelling: str) -> None:
    for path in ("/v1/items", "/v1/warehouses", "/v1/price-lists"):
        code, body = PLACES[path]
        made = await make(catalog, path, **{code: "Café-1", "name": "Cafe\u0301 au lait"})
        assert (made[code], made["name"]) == ("Café-1", "Café au lait")
        again = await catalog.client.post(path, json={**body, code: spelling})
        assert (again.status_code, again.json()["type"]) == (409, "urn:tailrace:problem:code-taken")
        assert again.json()["errors"][0]["field"] == f"/{code}"
        for query in ({code: spelling}, {"name": "ＣＡＦE\u0301 AU"}):
            found = (await catalog.client.get(path, params=query)).json()["items"]
            assert [each["id"] for each in found] == [made["id"]], query
        replaced = await catalog.client.put(f"{path}/{made['id']}", json={**body, code: spelling})
        assert replaced.status_code == 200
        assert (await catalog.client.delete(f"{path}/{made['id']}")).status_code == 204
        assert (await catalog.client.post(path, json={**body, code: spelling})).status_code == 201


async def test_the_case_of_a_unit_counts_and_its_spelling_does_not(catalog: Harness) -> None:
    body = PLACES["/v1/units"][1]
    await make(catalog, "/v1/units", code="mm", name="Millimetre", dimension="distance", factor="0.001")
    await make(catalog, "/v1/units", code="Mm", name="Megametre", dimension="distance", factor="1000000")
    again = await catalog.client.post("/v1/units", json={**body, "code": "㎜"})
    assert (again.status_code, again.json()["errors"][0]["field"]) == (409, "/code")
    assert (await make(catalog, unit="㎏"))["unit"] == "kg"


async def test_a_tenant_that_never_got_units_is_not_told_to_wait_for_ever(make_harness: MakeHarness) -> None:
    catalog = await make_harness(service)
    long_ago = UUID("01930000-0000-7000-8000-000000000000")
    answer = await catalog.client_as(tenant=long_ago).post("/v1/items", json=ITEM)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "/unit")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_the_path_of_an_action_is_no_unit(catalog: Harness, method: str) -> None:
    answer = await catalog.client.request(method, "/v1/units/convert", json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
