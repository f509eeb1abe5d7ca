"""How an item is tracked: said once, where it means something."""

from typing import Any

from tailrace_testing import Harness

MILK = {"sku": "MILK", "name": "Milk", "unit": "l", "tax_rate": "0.1", "tracking": "lot", "expires": True}


async def test_tracking_is_said_once_where_it_means_something(catalog: Harness) -> None:
    made = (await catalog.client.post("/v1/items", json={**MILK, "shelf_life_days": 12})).json()
    assert (made["tracking"], made["expires"], made["shelf_life_days"]) == ("lot", True, 12)
    (told,) = await catalog.published("catalog.item.created")
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
