"""Shipping on PostgreSQL: what orders ask for arrives as events, what people do arrives over HTTP."""

import asyncio
from decimal import Decimal
from typing import Any

from ordered import Answer, Order

from contracts.orders import (
    OrderHeld,
    OrderResumed,
)
from contracts.shipments import ShipmentDispatched, ShipmentLinesChanged
from tailrace.core.ids import uuid7
from tailrace_testing import Harness


def quantities(shipment: Answer) -> dict[str, str]:
    return {line["sku"]: line["quantity"] for line in shipment["lines"]}


async def test_a_request_becomes_a_shipment_once(order: Order, shipping: Harness) -> None:
    asked = order.request()
    record = await order.hear(asked)
    (before,) = await order.shipments()
    assert (before["id"], before["number"], before["status"]) == (str(asked.shipment_id), "SO-000001-1", "pending")
    assert (before["customer_name"], before["ship_to"]["city"]) == ("Hanako Sato", "Tokyo")
    await shipping.redeliver(record, record)
    await order.hear(asked)
    assert await order.shipments() == [before]
    assert len(await shipping.published("shipment.created")) == 1


async def test_pick_pack_dispatch_deliver(order: Order, shipping: Harness) -> None:
    shipment = await order.shipment()
    assert (await order.post(shipment, "pick", lines=order.some("4"))).json()["status"] == "picking"
    listed = (await shipping.client.get(f"/v1/shipments/{shipment}/pick-list")).json()
    assert {line["sku"]: line["to_pick"] for line in listed["lines"]} == {"BOLT": "6", "FLOUR": "2.5"}
    assert (await order.post(shipment, "pick")).json()["status"] == "picked"
    part = await order.post(shipment, "packages", lines=order.some("10", "1"), weight_grams=1200)
    assert (part.status_code, part.json()["status"]) == (201, "picked")
    whole = (await order.post(shipment, "packages", lines=order.some(flour="1.5"))).json()
    assert (whole["status"], [len(p["lines"]) for p in whole["packages"]]) == ("packed", [2, 1])
    sent = (await order.post(shipment, "dispatch", tracking_number="T 1")).json()
    assert (sent["status"], sent["tracking_number"]) == ("dispatched", "T 1")
    early = await order.post(shipment, "deliver", signed_by="Taro", delivered_at="1999-01-01T00:00:00Z")
    assert (early.status_code, early.json()["errors"][0]["field"]) == (422, "/delivered_at")
    proof = (await order.post(shipment, "deliver", signed_by="Taro", note="at the gate")).json()
    assert (proof["status"], proof["signed_by"], proof["note"]) == ("delivered", "Taro", "at the gate")
    assert [(p.sequence, p.type) for p in await shipping.published()] == [
        (1, "shipment.created"),
        (2, "shipment.picked"),
        (3, "shipment.picked"),
        (4, "shipment.packed"),
        (5, "shipment.packed"),
        (6, "shipment.dispatched"),
        (7, "shipment.delivered"),
    ]


async def test_more_than_there_is_is_refused(order: Order, shipping: Harness) -> None:
    shipment = await order.shipment()
    await order.post(shipment, "pick", lines=order.some("4"))
    for what, lines in (
        ("pick", order.some("6.000001")),
        ("packages", order.some("4.5")),
        ("packages", order.some(flour="1")),
        ("split", order.some("7")),
    ):
        refused = await order.post(shipment, what, lines=lines)
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:tailrace:problem:more-than-there-is")
        assert refused.json()["errors"][0]["field"] == "/lines/0/quantity"
    for lines in (order.some("1") * 2, [{"line_id": str(uuid7()), "quantity": "1"}]):
        wrong = await order.post(shipment, "pick", lines=lines)
        assert wrong.status_code == 422
        assert wrong.json()["errors"][0]["field"] == f"/lines/{len(lines) - 1}/line_id"
    assert [p.type for p in await shipping.published()] == ["shipment.created", "shipment.picked"]


async def test_nothing_is_picked_packed_or_split_finer_than_its_unit(shipping: Harness) -> None:
    order = Order(shipping)
    whole, fine = order.line(order.bolts, "BOLT", "10"), order.line(order.flour, "FLOUR", "2.5")
    counted = [
        whole.model_copy(update={"unit": "pcs", "decimals": 0}),
        fine.model_copy(update={"unit": "kg", "decimals": 3}),
    ]
    asked = order.request(lines=counted)
    await order.hear(asked)
    shipment = str(asked.shipment_id)
    for what in ("pick", "split"):
        for wrong, number in ((order.some("1.5"), 0), (order.some("0.000001"), 0), (order.some("1", "0.0001"), 1)):
            answer = await order.post(shipment, what, lines=wrong)
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, f"/lines/{number}/quantity"), what
    moved = (await order.post(shipment, "split", lines=order.some("4", "0.125"))).json()["id"]
    # The unit goes along into the new shipment.
    assert (await order.post(moved, "pick", lines=order.some("0.5"))).status_code == 422
    assert (await order.post(moved, "pick", lines=order.some("4", "0.125"))).status_code == 200
    assert (await order.post(moved, "packages", lines=order.some("0.5"))).status_code == 422


async def test_a_split_conserves_quantities(order: Order, shipping: Harness) -> None:
    shipment = await order.shipment()
    await order.post(shipment, "pick", lines=order.some("3"))
    answer = await order.post(shipment, "split", lines=order.some("7", "2.5"))
    assert (answer.status_code, answer.json()["split_from"]) == (201, shipment)
    assert answer.json()["number"] == "SO-000001-2"
    left, moved = await order.shipments()
    assert (quantities(left), left["status"]) == ({"BOLT": "3"}, "picked")
    assert (quantities(moved), moved["status"]) == ({"BOLT": "7", "FLOUR": "2.5"}, "pending")
    empty = await order.post(moved["id"], "split", lines=order.some("7", "2.5"))
    assert (empty.status_code, empty.json()["type"]) == (409, "urn:tailrace:problem:nothing-left")
    changed = await shipping.published(ShipmentLinesChanged)
    assert [line.quantity for line in changed[0].event.lines] == [Decimal(3)]


async def test_partial_dispatches_carry_what_left_before(order: Order, shipping: Harness) -> None:
    first = await order.shipment()
    second = (await order.post(first, "split", lines=order.some("7", "1"))).json()["id"]
    third = (await order.post(second, "split", lines=order.some("2"))).json()["id"]
    for shipment in (second, third, first):
        assert (await order.post(shipment, "dispatch")).status_code == 200
    sent = [p.event for p in await shipping.published("shipment.dispatched")]
    lines = [line for event in sent if isinstance(event, ShipmentDispatched) for line in event.lines]
    assert [(line.sku, str(line.quantity), str(line.dispatched_before)) for line in lines if line.sku == "BOLT"] == [
        ("BOLT", "5", "0"),
        ("BOLT", "2", "5"),
        ("BOLT", "3", "7"),
    ]
    assert [(str(line.quantity), str(line.dispatched_before)) for line in lines if line.sku == "FLOUR"] == [
        ("1", "0"),
        ("1.5", "1"),
    ]
    assert {line.line_quantity for line in lines if line.sku == "BOLT"} == {Decimal(10)}


async def test_dispatches_at_the_same_moment_line_up(order: Order, shipping: Harness) -> None:
    shipment = await order.shipment()
    parts = [shipment]
    for _ in range(4):
        parts.append((await order.post(shipment, "split", lines=order.some("2", "0.5"))).json()["id"])
    answers = await asyncio.gather(*(order.post(part, "dispatch") for part in parts))
    assert [answer.status_code for answer in answers] == [200] * 5
    sent = [p.event for p in await shipping.published("shipment.dispatched")]
    before = [line.dispatched_before for e in sent if isinstance(e, ShipmentDispatched) for line in e.lines]
    assert sorted(before) == sorted(Decimal(n) for n in ("0", "2", "4", "6", "8", "0", "0.5", "1", "1.5", "2"))


async def test_a_shipment_leaves_once(order: Order, shipping: Harness) -> None:
    shipment = await order.shipment()
    answers = await asyncio.gather(*(order.post(shipment, "dispatch") for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    for what, body in (("pick", {}), ("split", {"lines": order.some("1")}), ("packages", {"lines": order.some("1")})):
        refused = await order.post(shipment, what, **body)
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:tailrace:problem:shipment-state")
    assert len(await shipping.published("shipment.dispatched")) == 1


async def test_a_held_order_ships_nothing_until_it_is_resumed(order: Order, shipping: Harness) -> None:
    shipment = await order.shipment()
    await order.hear(OrderHeld(order_id=order.id, reason="credit limit"))
    other = (await order.post(shipment, "split", lines=order.some("1"))).json()
    assert (other["held"], other["reason"]) == (True, "credit limit")
    for id in (shipment, other["id"]):
        refused = await order.post(id, "dispatch")
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:tailrace:problem:shipment-held")
    assert await shipping.published("shipment.dispatched") == []
    await order.hear(OrderResumed(order_id=order.id))
    assert [(s["held"], s["reason"]) for s in await order.shipments()] == [(False, None)] * 2
    assert (await order.post(shipment, "dispatch")).status_code == 200


async def test_lists_filter_sort_and_page(order: Order, shipping: Harness) -> None:
    ids = [await order.shipment() for _ in range(3)]
    await order.post(ids[1], "dispatch", tracking_number="T-9")

    async def found(**params: Any) -> list[str]:
        return [s["id"] for s in (await shipping.client.get("/v1/shipments", params=params)).json()["items"]]

    assert await found(status="dispatched") == await found(tracking_number="T-9") == [ids[1]]
    assert await found(number="SO-000001-3") == [ids[2]]
    assert await found(sort="-number") == ids[::-1]
    assert await found(order_id=str(uuid7())) == await found(held=True) == []
    page = (await shipping.client.get("/v1/shipments", params={"limit": 2})).json()
    assert await found(cursor=page["next_cursor"]) == ids[2:]
    assert (await shipping.client.get("/v1/shipments", params={"status": "lost"})).status_code == 422


async def test_requests_that_do_not_fit_change_nothing(order: Order, shipping: Harness) -> None:
    shipment = await order.shipment()
    bodies: list[tuple[str, dict[str, Any], str]] = [
        ("pick", {"lines": []}, "/lines"),
        ("pick", {"lines": order.some("0")}, "/lines/0/quantity"),
        ("split", {}, "/lines"),
        ("dispatch", {"dispatched_at": "2999-01-01T00:00:00Z"}, "/dispatched_at"),
        ("dispatch", {"dispatched_at": "2199-01-01T00:00:00Z"}, "/dispatched_at"),
        ("dispatch", {"dispatched_at": "1999-01-01T00:00:00Z"}, "/dispatched_at"),
        ("dispatch", {"dispatched_at": "2020-01-01T00:00:00"}, "/dispatched_at"),
        ("dispatch", {"carrier_id": str(uuid7())}, "/carrier_id"),
        ("dispatch", {"tenant_id": str(uuid7())}, "/tenant_id"),
        ("deliver", {}, "/signed_by"),
    ]
    for what, body, field in bodies:
        answer = await order.post(shipment, what, **body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), (what, body)
    url = f"/v1/shipments/{shipment}/dispatch"
    assert (await shipping.client.post(url, json={}, headers={"If-Match": '"7"'})).status_code == 412
    stranger = shipping.client_as(tenant=shipping.other_tenant)
    assert (await stranger.post(url, json={})).status_code == 404
    assert (await shipping.client_as("shipping:read").post(url, json={})).status_code == 403
    assert (await shipping.client.get(url.removesuffix("/dispatch"))).headers["etag"].startswith('"1-')
