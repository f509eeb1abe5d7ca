"""The main job, small: an order becomes a reservation, a shipment and balanced journals, with Kafka alone between the services."""

import asyncio
from typing import Any

from company import COST, OPENING, PRICE, Company, dead_letters

from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import Gateway, eventually


async def test_an_order_is_reserved_shipped_and_booked(fleet: Stack, gateway: Gateway) -> None:
    company = await Company.found(gateway)
    order = await company.order(10)
    # What binds is changed as a new version, as long as nothing has left.
    here = f"/v1/orders/{order['id']}"
    await company.member.post(f"{here}/reopen", {"reason": "Two more."})
    await eventually(lambda: company.read(order["id"]), lambda o: o["status"] == "draft", what="the order let go of")
    body = company.body(12)
    del body["confirm"]
    await company.member.put(here, body)
    order = await company.member.post(f"{here}/confirm")
    company.accepted[order["id"]] = 12
    assert (order["status"], order["net"], order["tax"]) == ("confirmed", 12 * PRICE, 12 * PRICE // 10)
    (before,) = await company.member.every(f"{here}/versions")
    assert before["net"] == 10 * PRICE
    await eventually(lambda: company.read(order["id"]), lambda o: o["allocation"] == "full", what="allocation")
    assert float((await company.stock())["reserved"]) == 12
    await company.ship(order["id"])
    await company.settled(fleet)
    balances = await company.balances()
    assert sum(balances.values()) == 0
    assert await dead_letters(fleet, company) == []


async def test_a_cancelled_order_gives_everything_back(gateway: Gateway) -> None:
    company = await Company.found(gateway)
    order = await company.order(5)
    shipments = await eventually(lambda: company.shipments(order["id"]), bool, what="a shipment")
    await company.member.post(f"/v1/orders/{order['id']}/cancel", {"reason": "changed their mind"})
    await eventually(company.stock, lambda s: float(s["reserved"]) == 0, what="the reservation released")
    await eventually(
        lambda: company.shipments(order["id"]), lambda s: s[0]["status"] == "cancelled", what="the shipment cancelled"
    )
    assert float((await company.stock())["on_hand"]) == OPENING
    late = await company.member.send("POST", f"/v1/shipments/{shipments[0]['id']}/dispatch", json={})
    assert late.status_code == 409


async def test_an_order_that_cannot_be_filled_waits_and_goes_on_when_there_is_stock(gateway: Gateway) -> None:
    company = await Company.found(gateway)
    order = await company.order(OPENING + 5)
    await eventually(
        lambda: company.member.get(f"/v1/orders/{order['id']}/history"),
        lambda h: "short" in str(h),
        what="the shortage in the order's history",
    )
    assert (await company.read(order["id"]))["allocation"] == "none"
    await company.receive(5)
    await company.member.post(f"/v1/orders/{order['id']}/allocate")
    await eventually(
        lambda: company.read(order["id"]), lambda o: o["allocation"] == "full", what="allocation after the receipt"
    )


async def test_partial_shipments_add_up(gateway: Gateway) -> None:
    company = await Company.found(gateway)
    order = await company.order(10)
    (shipment,) = await eventually(lambda: company.shipments(order["id"]), bool, what="a shipment")
    line = shipment["lines"][0]["line_id"]

    async def split_off(quantity: str) -> Any:
        part = {"lines": [{"line_id": line, "quantity": quantity}]}
        return await company.member.post(f"/v1/shipments/{shipment['id']}/split", part)

    split, small = await split_off("2"), await split_off("1")
    merged = await company.member.post(f"/v1/shipments/{split['id']}/merge", {"shipment_id": small["id"]})
    assert [each["quantity"] for each in merged["lines"]] == ["3"]
    await company.member.post(f"/v1/shipments/{split['id']}/dispatch", {})
    await eventually(lambda: company.read(order["id"]), lambda o: o["shipment"] == "partial", what="a partial shipment")
    await company.member.post(f"/v1/shipments/{shipment['id']}/dispatch", {})
    await eventually(lambda: company.read(order["id"]), lambda o: o["shipment"] == "full", what="the rest shipped")
    await eventually(company.balances, lambda b: b.get("5000") == 10 * COST, what="the cost of both parts")
    await eventually(company.balances, lambda b: b.get("4000") == -10 * PRICE, what="the revenue of both parts")


async def test_companies_do_not_see_one_another(gateway: Gateway) -> None:
    mine, theirs = await asyncio.gather(Company.found(gateway), Company.found(gateway))
    order = await mine.order(1)
    for path in (
        f"/v1/orders/{order['id']}",
        f"/v1/items/{mine.item_id}",
        f"/v1/inventory/stock/{mine.item_id}/{mine.warehouse_id}",
    ):
        assert (await theirs.member.send("GET", path)).status_code == 404, path
    assert await theirs.member.every("/v1/orders") == []
    answer = await theirs.member.send("POST", "/v1/orders", json=mine.body(1))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "/lines/0/item_id")
