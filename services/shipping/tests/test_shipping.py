"""Shipping on PostgreSQL: what orders ask for arrives as events, what people do arrives over HTTP."""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from contracts.orders import (
    Address,
    OrderHeld,
    OrderResumed,
    ShipmentCancellationRequested,
    ShipmentLineRequest,
    ShipmentRequested,
)
from contracts.shipments import ShipmentDispatched
from contracts.users import DateBounds, TenantDatePolicyChanged
from shipping.carriers import Carrier
from tailrace.core.ids import uuid7
from tailrace.db import master_data
from tailrace_testing import Harness, SetClock
from tailrace_testing.gateway import eventually

Answer = dict[str, Any]


class Order:
    """An order as shipping hears of it, with lines of 10 and 2.5."""

    def __init__(self, shipping: Harness) -> None:
        self.shipping = shipping
        self.id, self.bolts, self.flour, self.reservation = uuid7(), uuid7(), uuid7(), uuid7()

    def line(self, line_id: UUID, sku: str, quantity: str) -> ShipmentLineRequest:
        figures = {"quantity": quantity, "line_quantity": quantity, "line_net": 1000, "line_tax": 190}
        return ShipmentLineRequest(
            line_id=line_id, item_id=uuid7(), sku=sku, name=sku.title(), warehouse_id=uuid7(), **figures
        )

    def request(self, **changes: Any) -> ShipmentRequested:
        fields: Answer = {
            "order_id": self.id,
            "shipment_id": uuid7(),
            "reservation_id": self.reservation,
            "number": "SO-000001",
            "customer_reference": "PO 7",
            "customer_name": "Hanako Sato",
            "ship_to": Address(lines=["1-1 Chiyoda"], city="Tokyo", country="JP"),
            "currency": "JPY",
            "lines": [self.line(self.bolts, "BOLT", "10"), self.line(self.flour, "FLOUR", "2.5")],
        }
        return ShipmentRequested(**{**fields, **changes})

    async def hear(self, event: Any) -> Any:
        return await self.shipping.deliver(event, aggregate_id=self.id)

    async def shipment(self) -> str:
        asked = self.request()
        await self.hear(asked)
        return str(asked.shipment_id)

    async def post(self, shipment: str, what: str, **body: Any) -> Any:
        return await self.shipping.client.post(f"/v1/shipments/{shipment}/{what}", json=body)

    async def shipments(self) -> list[Answer]:
        answer = await self.shipping.client.get("/v1/shipments", params={"order_id": str(self.id)})
        return list(answer.json()["items"])

    def some(self, bolts: str | None = None, flour: str | None = None) -> list[Answer]:
        wanted = ((self.bolts, bolts), (self.flour, flour))
        return [{"line_id": str(line), "quantity": quantity} for line, quantity in wanted if quantity]


@pytest.fixture
def order(shipping: Harness) -> Order:
    return Order(shipping)


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
    changed = await shipping.published("shipment.lines_changed")
    assert [line.quantity for line in changed[0].event.lines] == [Decimal(3)]  # type: ignore[attr-defined]


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


async def test_cancelling_leaves_what_has_left_and_always_answers(order: Order, shipping: Harness) -> None:
    shipment = await order.shipment()
    rest = (await order.post(shipment, "split", lines=order.some("4"))).json()["id"]
    await order.post(shipment, "dispatch")
    record = await order.hear(ShipmentCancellationRequested(order_id=order.id, reason="customer"))
    await shipping.redeliver(record)
    assert {s["id"]: s["status"] for s in await order.shipments()} == {shipment: "dispatched", rest: "cancelled"}
    assert (await order.post(rest, "dispatch")).json()["type"] == "urn:tailrace:problem:shipment-state"
    await order.hear(ShipmentCancellationRequested(order_id=order.id, reason="again"))
    answers = await shipping.published("shipment.order_cancelled")
    assert [(a.sequence, [str(id) for id in a.event.shipments]) for a in answers] == [(1, [rest]), (2, [])]  # type: ignore[attr-defined]
    for answer in answers:
        (left,) = answer.event.departed  # type: ignore[attr-defined]
        assert (str(left.shipment_id), left.reservation_id) == (shipment, order.reservation)
        assert {line.line_id: line.quantity for line in left.lines} == {order.bolts: 6, order.flour: Decimal("2.5")}
    stranger = Order(shipping)
    await stranger.hear(ShipmentCancellationRequested(order_id=stranger.id, reason="never shipped"))
    assert len(await shipping.published("shipment.order_cancelled")) == 3


async def test_one_reservations_shipments_are_cancelled_alone(order: Order, shipping: Harness) -> None:
    kept = await order.shipment()
    lost = order.request(reservation_id=uuid7())
    await order.hear(lost)
    await order.hear(
        ShipmentCancellationRequested(order_id=order.id, reason="expired", reservation_id=lost.reservation_id)
    )
    by_id = {s["id"]: s["status"] for s in await order.shipments()}
    assert by_id == {kept: "pending", str(lost.shipment_id): "cancelled"}
    await order.post(kept, "dispatch")
    await order.hear(
        ShipmentCancellationRequested(order_id=order.id, reason="again", reservation_id=lost.reservation_id)
    )
    assert [a.event.departed for a in await shipping.published("shipment.order_cancelled")] == [[], []]  # type: ignore[attr-defined]


async def test_a_race_between_cancel_and_dispatch_has_one_winner(order: Order, shipping: Harness) -> None:
    for _ in range(5):
        racing = Order(shipping)
        shipment = await racing.shipment()
        cancel = ShipmentCancellationRequested(order_id=racing.id, reason="race")
        sent, _ = await asyncio.gather(racing.post(shipment, "dispatch"), racing.hear(cancel))
        (now,) = await racing.shipments()
        answer = (await shipping.published("shipment.order_cancelled"))[-1].event
        won = (sent.status_code, now["status"], [str(id) for id in answer.shipments])  # type: ignore[attr-defined]
        assert won in ((200, "dispatched", []), (409, "cancelled", [shipment]))


async def test_a_split_during_a_cancellation_does_not_escape_it(order: Order, shipping: Harness) -> None:
    for _ in range(5):
        racing = Order(shipping)
        shipment = await racing.shipment()
        cancel = ShipmentCancellationRequested(order_id=racing.id, reason="race")
        split, _ = await asyncio.gather(racing.post(shipment, "split", lines=racing.some("1")), racing.hear(cancel))
        assert len(await racing.shipments()) == {201: 2, 409: 1}[split.status_code]
        assert {s["status"] for s in await racing.shipments()} == {"cancelled"}


async def test_carriers_come_and_go_and_show_the_way(order: Order, shipping: Harness) -> None:
    body = {"code": "DHL", "name": "DHL", "tracking_url": "https://track.example/?id={number}"}
    made = (await shipping.client.post("/v1/carriers", json=body)).json()
    taken = await shipping.client.post("/v1/carriers", json=body)
    assert (taken.status_code, taken.json()["errors"][0]["field"]) == (409, "/code")
    for url in ("javascript:alert({number})", "https://track.example/"):
        bad = await shipping.client.post("/v1/carriers", json={**body, "code": "X", "tracking_url": url})
        assert (bad.status_code, bad.json()["errors"][0]["field"]) == (422, "/tracking_url")
    shipment = await order.shipment()
    sent = (await order.post(shipment, "dispatch", carrier_id=made["id"], tracking_number="A/1")).json()
    assert sent["tracking_link"] == "https://track.example/?id=A%2F1"
    at = f"/v1/carriers/{made['id']}"
    renamed = await shipping.client.put(at, json={**body, "name": "DHL Express"}, headers={"If-Match": '"1"'})
    assert (renamed.status_code, renamed.headers["etag"]) == (200, '"2"')
    assert (await shipping.client.put(at, json=body, headers={"If-Match": '"1"'})).status_code == 412
    on_its_way = await shipping.client.delete(at)
    assert (on_its_way.status_code, on_its_way.json()["type"]) == (409, "urn:tailrace:problem:in-use")
    assert sent["number"] in on_its_way.json()["detail"]
    await order.post(shipment, "deliver", signed_by="Hanako Sato")
    assert (await shipping.client.delete(at)).status_code == 204
    assert (await shipping.client.get(at)).status_code == 404
    (gone,) = (await shipping.client.get("/v1/carriers", params={"deleted": True})).json()["items"]
    assert gone["id"] == made["id"]
    again = (await shipping.client.post("/v1/carriers", json=body)).json()
    taken = await shipping.client.post(f"{at}/restore")
    assert (taken.status_code, taken.json()["errors"][0]["field"]) == (409, "/code")
    await shipping.client.put(f"/v1/carriers/{again['id']}", json={**body, "code": "UPS"})
    restored = await shipping.client.post(f"{at}/restore")
    assert (restored.status_code, restored.json()["name"]) == (200, "DHL Express")
    (told,) = await shipping.published("shipment.carrier.restored")
    assert told.event.code == "DHL"
    assert (await shipping.client.delete(at)).status_code == 204
    other = await Order(shipping).shipment()
    gone = await order.post(other, "dispatch", carrier_id=made["id"])
    assert (gone.status_code, gone.json()["errors"][0]["field"]) == (422, "/carrier_id")


async def test_a_carrier_that_is_deleted_at_the_moment_of_a_dispatch_takes_nothing(
    order: Order, shipping: Harness
) -> None:
    made = (await shipping.client.post("/v1/carriers", json={"code": "DHL", "name": "DHL"})).json()
    shipment = await order.shipment()
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with shipping.tx() as tx:
        await master_data.delete(tx, Carrier, UUID(made["id"]), None)
        await tx.flush()
        sent = asyncio.create_task(order.post(shipment, "dispatch", carrier_id=made["id"]))

        async def settled() -> bool:
            return sent.done() or bool(await shipping.admin.fetchval(waiting))

        await eventually(settled, bool, what="the dispatch, or its wait for the carrier")
    refused = await sent
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "/carrier_id")


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
    bodies = [
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


async def test_a_dispatch_may_be_entered_afterwards(order: Order, clock: SetClock) -> None:
    clock("2026-02-15T12:00:00Z")
    shipment = await order.shipment()
    sent = (await order.post(shipment, "dispatch", dispatched_at="2026-01-05T09:00:00+09:00")).json()
    assert sent["dispatched_at"] == "2026-01-05T00:00:00Z"


async def test_goods_leave_and_arrive_on_a_day_that_somebody_can_mean(order: Order, clock: SetClock) -> None:
    clock("2026-11-27T12:00:00Z")
    shipment = await order.shipment()
    refused = "urn:tailrace:problem:implausible-date"

    async def said(what: str, field: str, at: str) -> Any:
        answer = await order.post(shipment, what, **{field: at}, **({"signed_by": "T"} if what == "deliver" else {}))
        return answer.status_code if answer.status_code == 200 else answer.json()["type"]

    # A year ago at most, and a clock may be a little ahead.
    for at in ("1999-01-01T00:00:00Z", "2025-11-26T11:59:59Z", "2026-11-27T12:05:01Z"):
        assert await said("dispatch", "dispatched_at", at) == refused
    assert await said("dispatch", "dispatched_at", "2025-11-26T12:00:00Z") == 200
    clock("2026-12-24T12:00:00Z")
    for at in ("2025-12-01T00:00:00Z", "2026-12-25T00:00:00Z", "2199-01-01T00:00:00Z"):
        assert await said("deliver", "delivered_at", at) == refused
    assert await said("deliver", "delivered_at", "2026-12-24T12:04:00Z") == 200


async def test_a_company_says_how_long_ago_goods_may_have_left(order: Order, clock: SetClock) -> None:
    clock("2026-11-27T12:00:00Z")
    shipment, tenant = await order.shipment(), order.shipping.tenant
    policy = TenantDatePolicyChanged(tenant_id=tenant, bounds=[DateBounds(kind="movement", days_back=2)])
    await order.shipping.deliver(policy, aggregate_id=tenant)
    for at, status in (("2026-11-25T11:59:59Z", 422), ("2026-11-25T12:00:00Z", 200)):
        assert (await order.post(shipment, "dispatch", dispatched_at=at)).status_code == status
    policy = TenantDatePolicyChanged(tenant_id=tenant, bounds=[DateBounds(kind="movement", days_back=1)])
    await order.shipping.deliver(policy, aggregate_id=tenant)
    for at, status in (("2026-11-26T11:59:59Z", 422), ("2026-11-26T12:00:00Z", 200)):
        assert (await order.post(shipment, "deliver", delivered_at=at, signed_by="T")).status_code == status
