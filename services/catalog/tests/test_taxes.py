"""Tax codes with dated rates, how an item refers to them, and how a tenant rounds."""

from typing import Any
from uuid import UUID

import pytest

from contracts.catalog import ItemCreated, TaxCodeCreated, TaxPolicyUpdated
from contracts.users import DateBounds, TenantDatePolicyChanged
from tailrace.core.ids import uuid7
from tailrace_testing import Harness, SetClock

RATES = [{"valid_from": "2020-07-01", "rate": "0.16"}, {"valid_from": "2021-01-01", "rate": "0.19"}]
CODE: dict[str, Any] = {"code": "STANDARD", "name": "Standard rate", "rates": RATES}
ITEM = {"sku": "BOLT-8", "name": "Bolt M8"}
POLICY = "/v1/tax-policy"


async def make(catalog: Harness, path: str = "/v1/tax-codes", **fields: Any) -> dict[str, Any]:
    base = CODE if path == "/v1/tax-codes" else ITEM
    answer = await catalog.client.post(path, json={**base, **fields})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def refused(catalog: Harness, path: str, body: dict[str, Any], status: int = 422) -> str:
    answer = await catalog.client.post(path, json=body)
    assert answer.status_code == status, answer.text
    return str(answer.json()["errors"][0]["field"])


async def test_rates_are_kept_in_the_order_of_their_days_and_published(catalog: Harness) -> None:
    made = await make(catalog, rates=RATES[::-1])
    assert (made["rates"], made["roundings"]) == (RATES, [])
    (created,) = await catalog.published("catalog.tax_code.created")
    assert isinstance(created.event, TaxCodeCreated)
    assert [str(one.rate) for one in created.event.rates] == ["0.16", "0.19"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"rates": []}, "/rates"),
        ({"rates": [RATES[0], {**RATES[1], "valid_from": "2020-07-01"}]}, "/rates"),
        ({"rates": [{"valid_from": "2020-07-01", "rate": "1.5"}]}, "/rates/0/rate"),
        ({"rates": [{"valid_from": "2020-07-01", "rate": "0.1234567"}]}, "/rates/0/rate"),
        ({"rates": [{"valid_from": "2020-02-30", "rate": "0.1"}]}, "/rates/0/valid_from"),
        ({"rates": [{"valid_from": "2020-07-01T00:00:00Z", "rate": "0.1"}]}, "/rates/0/valid_from"),
        ({"roundings": [{"valid_from": "2020-07-01", "level": "page"}]}, "/roundings/0/level"),
        ({"roundings": [{"valid_from": "2020-07-01", "mode": "up"}]}, "/roundings/0/mode"),
        ({"roundings": [{"valid_from": "2020-07-01"}] * 2}, "/roundings"),
        ({"code": " "}, "/code"),
    ],
)
async def test_a_bad_tax_code_is_named(catalog: Harness, given: dict[str, Any], field: str) -> None:
    assert await refused(catalog, "/v1/tax-codes", {**CODE, **given}) == field


async def test_an_item_is_taxed_in_one_way(catalog: Harness) -> None:
    code = await make(catalog)
    neither, both = ITEM, {**ITEM, "tax_rate": "0.1", "tax_code_id": code["id"]}
    assert await refused(catalog, "/v1/items", neither) == "/tax_rate"
    assert await refused(catalog, "/v1/items", both) == "/tax_rate"
    assert await refused(catalog, "/v1/items", {**ITEM, "tax_code_id": str(uuid7())}) == "/tax_code_id"
    item = await make(catalog, "/v1/items", tax_code_id=code["id"])
    assert (item["tax_rate"], item["tax_code_id"]) == (None, code["id"])
    (created,) = await catalog.published("catalog.item.created")
    assert isinstance(created.event, ItemCreated)
    assert (created.event.tax_rate, created.event.tax_code_id) == (None, UUID(code["id"]))

    at = f"/v1/items/{item['id']}"
    assert (await catalog.client.put(at, json=both)).json()["errors"][0]["field"] == "/tax_rate"
    changed = (await catalog.client.put(at, json={**ITEM, "tax_rate": "0.1"})).json()
    assert (changed["tax_rate"], changed["tax_code_id"]) == ("0.1", None)


async def test_a_code_that_items_are_taxed_by_stays(catalog: Harness) -> None:
    code = await make(catalog)
    item = await make(catalog, "/v1/items", tax_code_id=code["id"])
    listed = (await catalog.client.get("/v1/items", params={"tax_code_id": code["id"]})).json()["items"]
    assert [one["id"] for one in listed] == [item["id"]]
    at = f"/v1/tax-codes/{code['id']}"
    kept = await catalog.client.delete(at)
    assert (kept.status_code, kept.json()["type"]) == (409, "urn:tailrace:problem:in-use")
    await catalog.client.put(f"/v1/items/{item['id']}", json={**ITEM, "tax_rate": "0.1"})
    assert (await catalog.client.delete(at)).status_code == 204
    assert await refused(catalog, "/v1/items", {**ITEM, "sku": "N", "tax_code_id": code["id"]}) == "/tax_code_id"


async def test_a_policy_is_the_default_until_it_is_changed(catalog: Harness) -> None:
    first = await catalog.client.get(POLICY)
    assert (first.json(), first.headers["etag"][:3]) == ({"version": 0, "roundings": []}, '"0-')
    assert (await catalog.client.put(POLICY, json={"roundings": []}, headers={"If-Match": '"1"'})).status_code == 412
    late = {"valid_from": "2026-07-01", "level": "line", "mode": "down"}
    early = {"valid_from": "2026-01-01", "level": "document", "mode": "half_even"}
    changed = await catalog.client.put(POLICY, json={"roundings": [late, early]}, headers={"If-Match": '"0"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"1"')
    assert changed.json() == (await catalog.client.get(POLICY)).json() == {"version": 1, "roundings": [early, late]}
    for stale in ('"0"', '"2"'):
        answer = await catalog.client.put(POLICY, json={"roundings": []}, headers={"If-Match": stale})
        assert answer.status_code == 412
    again = await catalog.client.put(POLICY, json={"roundings": []}, headers={"If-Match": '"1"'})
    assert again.json() == {"version": 2, "roundings": []}
    events = [published.event for published in await catalog.published(TaxPolicyUpdated)]
    assert [[rounding.mode for rounding in event.roundings] for event in events] == [["half_even", "down"], []]
    assert len({event.tax_policy_id for event in events}) == 1


async def test_each_tenant_has_a_policy_of_its_own(catalog: Harness) -> None:
    body = {"roundings": [{"valid_from": "2026-01-01", "level": "line"}]}
    assert (await catalog.client.put(POLICY, json=body)).json()["roundings"][0]["mode"] == "half_up"
    stranger = catalog.client_as(tenant=catalog.other_tenant)
    assert (await stranger.get(POLICY)).json()["version"] == 0
    assert (await stranger.put(POLICY, json=body)).json()["version"] == 1
    reader = catalog.client_as("catalog:read")
    assert ((await reader.get(POLICY)).status_code, (await reader.put(POLICY, json=body)).status_code) == (200, 403)


async def test_days_that_nobody_can_mean_are_named_where_they_stand(catalog: Harness) -> None:
    far = {"valid_from": "2199-01-01", "rate": "0.2"}
    prices = {"code": "L", "name": "List", "currency": "EUR"}
    for path, body, field in (
        ("/v1/tax-codes", {**CODE, "rates": [far, *RATES]}, "/rates/0/valid_from"),
        ("/v1/tax-codes", {**CODE, "roundings": [{"valid_from": "2199-01-01"}]}, "/roundings/0/valid_from"),
        ("/v1/price-lists", {**prices, "valid_from": "2199-01-01"}, "/valid_from"),
        ("/v1/price-lists", {**prices, "valid_until": "1900-01-01"}, "/valid_until"),
    ):
        answer = await catalog.client.post(path, json=body)
        said = answer.json()
        assert (answer.status_code, said["type"]) == (422, "urn:tailrace:problem:implausible-date"), answer.text
        assert said["errors"][0]["field"] == field
    rounded = await catalog.client.put(POLICY, json={"roundings": [{"valid_from": "2199-01-01"}]})
    assert (rounded.status_code, rounded.json()["errors"][0]["field"]) == (422, "/roundings/0/valid_from")
    # For ever since, and for ever after.
    always = {**prices, "valid_from": "1900-01-01", "valid_until": "2199-12-31"}
    assert (await catalog.client.post("/v1/price-lists", json=always)).status_code == 201


async def test_a_company_says_how_far_off_prices_and_taxes_are(catalog: Harness, clock: SetClock) -> None:
    # 28 November in Tokyo.
    clock("2026-11-27T16:00:00Z")
    await catalog.count_days_in("Asia/Tokyo")
    client, prices = catalog.client, {"name": "List", "currency": "EUR"}
    over = {**prices, "code": "OVER", "valid_from": "2027-11-01", "valid_until": "2027-12-01"}
    over = (await client.post("/v1/price-lists", json=over)).json()
    code = {**CODE, "rates": [*RATES, {"valid_from": "2030-01-01", "rate": "0.21"}]}
    code = (await client.post("/v1/tax-codes", json=code)).json()
    rounded = [{"valid_from": "2030-01-01", "level": "line", "mode": "half_up"}]
    assert (await client.put(POLICY, json={"roundings": rounded})).status_code == 200
    bounds = [DateBounds(kind="price_list", days_back=2, days_ahead=3), DateBounds(kind="tax", days_ahead=4)]
    policy = TenantDatePolicyChanged(tenant_id=catalog.tenant, bounds=bounds)
    await catalog.deliver(policy, aggregate_id=catalog.tenant)
    refused = []
    for number, validity in enumerate(
        (
            {"valid_from": "2026-12-01", "valid_until": "2026-12-31"},
            {"valid_from": "2026-12-02"},
            {"valid_until": "2026-11-26"},
            {"valid_until": "2026-11-25"},
        )
    ):
        answer = await client.post("/v1/price-lists", json={**prices, "code": f"L{number}", **validity})
        refused.append(answer.json()["errors"][0]["field"] if answer.status_code == 422 else "")
    assert refused == ["", "/valid_from", "", "/valid_until"]
    soon, far = ({"valid_from": day, "rate": "0.2"} for day in ("2026-12-02", "2026-12-03"))
    named = {"name": "Named", "active": False}
    for path, body, field in (
        # What is kept is not asked again.
        (f"/v1/price-lists/{over['id']}", {**prices, **named, "code": "OVER", **_days(over)}, ""),
        (f"/v1/tax-codes/{code['id']}", {**CODE, "name": "Named", "rates": [*code["rates"], soon]}, ""),
        (f"/v1/tax-codes/{code['id']}", {**CODE, "rates": [*code["rates"], far]}, "/rates/3/valid_from"),
        (POLICY, {"roundings": rounded}, ""),
        (POLICY, {"roundings": [*rounded, {**rounded[0], "valid_from": "2026-12-03"}]}, "/roundings/1/valid_from"),
    ):
        answer = await client.put(path, json=body)
        assert answer.status_code == (422 if field else 200), answer.text
        assert not field or answer.json()["errors"][0]["field"] == field


def _days(row: Any) -> Any:
    return {name: row[name] for name in ("valid_from", "valid_until")}
