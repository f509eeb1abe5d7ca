"""What was asked for is cancelled but for what has left, also when both happen at once."""

import asyncio
from decimal import Decimal

from ordered import Order

from contracts.orders import (
    ShipmentCancellationRequested,
)
from contracts.shipments import ShipmentsCancelled
from tailrace.core.ids import uuid7
from tailrace_testing import Harness


async def test_cancelling_leaves_what_has_left_and_always_answers(order: Order, shipping: Harness) -> None:
    shipment = await order.shipment()
    rest = (await order.post(shipment, "split", lines=order.some("4"))).json()["id"]
    await order.post(shipment, "dispatch")
    record = await order.hear(ShipmentCancellationRequested(order_id=order.id, reason="customer"))
    await shipping.redeliver(record)
    assert {s["id"]: s["status"] for s in await order.shipments()} == {shipment: "dispatched", rest: "cancelled"}
    assert (await order.post(rest, "dispatch")).json()["type"] == "urn:tailrace:problem:shipment-state"
    await order.hear(ShipmentCancellationRequested(order_id=order.id, reason="again"))
    answers = await shipping.published(ShipmentsCancelled)
    assert [(a.sequence, [str(id) for id in a.event.shipments]) for a in answers] == [(1, [rest]), (2, [])]
    for answer in answers:
        (left,) = answer.event.departed
        assert (str(left.shipment_id), left.reservation_id) == (shipment, order.reservation)
        assert {line.line_id: line.quantity for line in left.lines} == {order.bolts: 6, order.flour: Decimal("2.5")}
    stranger = Order(shipping)
    await stranger.hear(ShipmentCancellationRequested(order_id=stranger.id, reason="never shipped"))
    assert len(await shipping.published(ShipmentsCancelled)) == 3


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
    assert [a.event.departed for a in await shipping.published(ShipmentsCancelled)] == [[], []]


async def test_a_race_between_cancel_and_dispatch_has_one_winner(order: Order, shipping: Harness) -> None:
    for _ in range(5):
        racing = Order(shipping)
        shipment = await racing.shipment()
        cancel = ShipmentCancellationRequested(order_id=racing.id, reason="race")
        sent, _ = await asyncio.gather(racing.post(shipment, "dispatch"), racing.hear(cancel))
        (now,) = await racing.shipments()
        answer = (await shipping.published(ShipmentsCancelled))[-1].event
        won = (sent.status_code, now["status"], [str(id) for id in answer.shipments])
        assert won in ((200, "dispatched", []), (409, "cancelled", [shipment]))


async def test_a_split_during_a_cancellation_does_not_escape_it(order: Order, shipping: Harness) -> None:
    for _ in range(5):
        racing = Order(shipping)
        shipment = await racing.shipment()
        cancel = ShipmentCancellationRequested(order_id=racing.id, reason="race")
        split, _ = await asyncio.gather(racing.post(shipment, "split", lines=racing.some("1")), racing.hear(cancel))
        assert len(await racing.shipments()) == {201: 2, 409: 1}[split.status_code]
        assert {s["status"] for s in await racing.shipments()} == {"cancelled"}
