"""How an item is tracked: said once, where it means something; what does not say is as the company's template wants it."""

from typing import Any

import pytest

from contracts.catalog import ItemCreated
from tailrace_testing import Harness

from .test_templates import changed, choose, made

MILK = {"sku": "MILK", "name": "Milk", "unit": "l", "tax_rate": "0.1", "tracking": "lot", "expires": True}


async def test_tracking_is_said_once_where_it_means_something(catalog: Harness) -> None:
    made = (await catalog.client.post("/v1/items", json={**MILK, "shelf_life_days": 12})).json()
    assert (made["tracking"], made["expires"], made["shelf_life_days"]) == ("lot", True, 12)
    (told,) = await catalog.published(ItemCreated)
    assert told.event.model_dump(include={"tracking", "expires", "shelf_life_days"}) == {
        "tracking": "lot",
        "expires": True,
        "shelf_life_days": 12,
    }
    changed: list[dict[str, Any]] = [{"tracking": "none", "expires": False}, {"expires": False}]
    for change in changed:
        answer = await catalog.client.put(f"/v1/items/{made['id']}", json={**MILK, **change})
        assert answer.json()["type"] == "urn:tailrace:problem:fixed", answer.text
    wrong: list[dict[str, Any]] = [
        {"kind": "service"},
        {"negative_stock": "provisional"},
        {"tracking": "none"},
        {"expires": False, "shelf_life_days": 12},
        {"tracking": "serial", "expires": False},
    ]
    for change in wrong:
        answer = await catalog.client.post("/v1/items", json={**MILK, "sku": "OTHER", **change})
        assert answer.status_code == 422, change
    pump = {**MILK, "sku": "PUMP", "unit": "pcs", "tracking": "serial", "expires": False}
    assert (await catalog.client.post("/v1/items", json=pump)).status_code == 201
    found = (await catalog.client.get("/v1/items", params={"tracking": "serial"})).json()["items"]
    assert [one["sku"] for one in found] == ["PUMP"]


NAIL = {"sku": "NAIL", "name": "Nail", "tax_rate": "0.1"}


async def _made(catalog: Harness, status: int = 201, **item: Any) -> dict[str, Any]:
    answer = await catalog.client.post("/v1/items", json={**NAIL, **item})
    assert answer.status_code == status, answer.text
    return dict(answer.json())


@pytest.mark.parametrize(("lots", "tracking"), [(True, "lot"), (False, "none"), (None, "none")])
async def test_goods_that_do_not_say_are_tracked_as_the_template_wants(
    catalog: Harness, lots: bool | None, tracking: str
) -> None:
    await choose(catalog, await made(catalog, "OWN", shipping={"lots": lots, "first_expired_first": True}))
    plain = await _made(catalog)
    # No last day is made up.
    assert (plain["tracking"], plain["expires"], plain["shelf_life_days"]) == (tracking, False, None)
    told = (await catalog.published(ItemCreated))[-1].event
    assert told.tracking == tracking
    for sku, said in (("BOX", "none"), ("PUMP", "serial"), ("ROD", "lot")):
        assert (await _made(catalog, sku=sku, tracking=said))["tracking"] == said
    assert (await _made(catalog, sku="HOUR", kind="service", unit="h"))["tracking"] == "none"
    # What the template makes of it has to fit the rest, and where it does not, that is named.
    below = await _made(catalog, 422 if lots else 201, sku="SAND", negative_stock="provisional")
    expiring = await _made(catalog, 201 if lots else 422, sku="MILK", expires=True)
    wrong, field = (below, "/negative_stock") if lots else (expiring, "/expires")
    assert [each["field"] for each in wrong["errors"]] == [field]


async def test_an_item_keeps_its_tracking_when_a_change_does_not_say_it(catalog: Harness) -> None:
    early = await _made(catalog, sku="EARLY")
    own = await made(catalog, "OWN", shipping={"lots": True})
    await choose(catalog, own)
    late = await _made(catalog, sku="LATE")
    await changed(catalog, own, shipping={"lots": False})
    for item, tracking in ((early, "none"), (late, "lot")):
        body = {**NAIL, "sku": item["sku"], "name": "Long nail"}
        answer = await catalog.client.put(f"/v1/items/{item['id']}", json=body)
        assert (answer.status_code, answer.json()["tracking"]) == (200, tracking), answer.text
        # The same for many at once, of which nothing is different then.
        many = await catalog.client.post("/v1/items/bulk", json={"items": [body], "replace": True})
        assert [each["became"] for each in many.json()["items"]] == ["unchanged"], many.text
    below = await catalog.client.put(
        f"/v1/items/{late['id']}", json={**NAIL, "sku": "LATE", "negative_stock": "provisional"}
    )
    assert (below.status_code, below.json()["errors"][0]["field"]) == (422, "/negative_stock")


async def test_items_from_files_are_tracked_as_they_say_or_as_the_template_wants(catalog: Harness) -> None:
    await choose(catalog, await made(catalog, "OWN", shipping={"lots": True}))
    rows = "sku,name,tax_rate,tracking\nROD,Rod,0.1,\nBOX,Box,0.1,none\nPUMP,Pump,0.1,serial\n"
    assert (await catalog.import_rows("/v1/items/import", rows))["counts"] == {"created": 3}
    items = (await catalog.client.get("/v1/items")).json()["items"]
    assert {item["sku"]: item["tracking"] for item in items} == {"ROD": "lot", "BOX": "none", "PUMP": "serial"}
    assert (await catalog.import_rows("/v1/items/import", rows))["counts"] == {"unchanged": 3}
