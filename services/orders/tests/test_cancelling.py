"""What the saga takes back when an order is cancelled, at whatever point of its way."""

from typing import Any

from contracts import inventory
from tailrace.core.ids import uuid7

from .conftest import Desk, shipping


async def test_cancelled_while_reserving(desk: Desk) -> None:
    order = await desk.confirmed()
    request = await desk.reservation()
    await desk.act(order, "cancel", reason="Changed my mind.")
    (release,) = await desk.asked("order.reservation_release_requested")
    assert release.reservation_id == request.reservation_id
    await desk.reserve(request)
    assert (await desk.states(order))[-1] == "compensating"
    await desk.answer(inventory.ReservationReleased, request, reason="asked")
    assert (await desk.states(order))[-1] == "compensated"
    now = await desk.read(order)
    assert (now["status"], now["allocation"], now["cancel_reason"]) == ("cancelled", "none", "Changed my mind.")
    assert await desk.asked("order.shipment_requested") == []
    await desk.h.make_timers_due()
    assert await desk.h.fire_timers() == 0


async def test_cancelled_while_shipping_frees_the_shipment_and_then_the_stock(desk: Desk) -> None:
    order, request, shipment = await shipping(desk)
    await desk.act(order, "cancel", reason="No longer needed.")
    assert [cancel.reservation_id for cancel in await desk.asked("order.shipment_cancellation_requested")] == [None]
    assert await desk.asked("order.reservation_release_requested") == []
    await desk.shipments_cancelled(order, shipment.shipment_id)
    assert len(await desk.asked("order.reservation_release_requested")) == 1
    await desk.answer(inventory.ReservationReleased, request, reason="asked")
    assert await desk.states(order) == ["reserving", "shipping", "compensating", "compensating", "compensated"]
    assert (await desk.read(order))["allocation"] == "none"
    assert await desk.asked("order.allocation_failed") == []


async def test_cancelled_when_partly_shipped_keeps_what_left(desk: Desk) -> None:
    order, request, shipment = await shipping(desk)
    await desk.dispatch(shipment, "4")
    await desk.act(order, "cancel", reason="The rest is not needed.")
    await desk.shipments_cancelled(order, shipment.shipment_id)
    await desk.answer(inventory.ReservationReleased, request, reason="asked")
    now = await desk.read(order)
    assert (now["status"], now["shipment"], now["lines"][0]["allocated"]) == ("cancelled", "partial", "4")
    assert (await desk.states(order))[-1] == "compensated"


async def stands(desk: Desk, order: dict[str, Any]) -> None:
    """The order is confirmed and done, says why, and has nothing under way."""
    now = await desk.read(order)
    assert (now["status"], now["shipment"], now["allocation"], now["allocating"]) == (
        "confirmed",
        "full",
        "full",
        False,
    )
    assert (now["cancel_reason"], now["hold_reason"]) == (None, None)
    assert now["correction"].endswith("Too late?")
    assert (await desk.states(order))[-1] == "done"
    for action in ("cancel", "hold"):
        assert (await desk.act(order, action, 409, reason="Again."))["type"].endswith("order-shipped")


async def test_an_order_whose_goods_left_while_it_was_cancelled_is_reinstated(desk: Desk) -> None:
    order, _, shipment = await shipping(desk)
    await desk.act(order, "cancel", reason="Too late?")
    await desk.dispatch(shipment)
    await stands(desk, order)
    await desk.shipments_cancelled(order, departed=[desk.departure(shipment)])
    await stands(desk, order)
    assert await desk.asked("order.reservation_release_requested") == []
    (event,) = await desk.asked("order.reinstated")
    assert event.reason == (await desk.read(order))["correction"]


async def test_reinstated_by_the_answer_to_the_cancellation(desk: Desk) -> None:
    """Shipping answers before its event of the departure arrives."""
    order, _, shipment = await shipping(desk)
    await desk.act(order, "cancel", reason="Too late?")
    await desk.shipments_cancelled(order, departed=[desk.departure(shipment)])
    await stands(desk, order)
    await desk.dispatch(shipment)
    await stands(desk, order)
    assert len(await desk.asked("order.reinstated")) == len(await desk.asked("order.shipment_progressed")) == 1


async def test_reinstated_before_the_saga_has_heard_of_the_cancellation(desk: Desk) -> None:
    order, _, shipment = await shipping(desk)
    cancelled = await desk.h.client.post(f"/v1/orders/{order['id']}/cancel", json={"reason": "Too late?"})
    assert cancelled.json()["status"] == "cancelled"
    await desk.dispatch(shipment)
    await stands(desk, order)
    assert await desk.asked("order.shipment_cancellation_requested") == []


async def test_reinstated_when_the_last_of_several_parts_has_left(desk: Desk) -> None:
    order, _, shipment = await shipping(desk)
    await desk.dispatch(shipment, "4")
    await desk.act(order, "cancel", reason="Too late?")
    await desk.dispatch(shipment, "3", shipment=uuid7())
    assert ((await desk.read(order))["status"], (await desk.read(order))["correction"]) == ("cancelled", None)
    await desk.dispatch(shipment, "3", shipment=uuid7())
    await stands(desk, order)


async def test_what_left_in_part_while_the_order_was_cancelled_is_noted_and_the_rest_is_cancelled(desk: Desk) -> None:
    order, request, shipment = await shipping(desk)
    await desk.act(order, "cancel", reason="Too late?")
    await desk.dispatch(shipment, "4")
    await desk.shipments_cancelled(order, shipment.shipment_id, departed=[desk.departure(shipment, "4")])
    await desk.answer(inventory.ReservationReleased, request, reason="asked")
    now = await desk.read(order)
    assert (now["status"], now["shipment"], (await desk.states(order))[-1]) == ("cancelled", "partial", "compensated")
    assert now["lines"][0]["allocated"] == now["lines"][0]["shipped"] == "4"
    assert await desk.asked("order.reinstated") == []


async def test_an_order_whose_goods_left_while_it_was_put_on_hold_goes_on(desk: Desk) -> None:
    order, _, shipment = await shipping(desk)
    await desk.act(order, "hold", reason="Too late?")
    await desk.dispatch(shipment, "4")
    assert (await desk.read(order))["status"] == "on_hold"
    await desk.dispatch(shipment, "6", shipment=uuid7())
    await stands(desk, order)
    (event,) = await desk.asked("order.resumed")
    assert event.reason == (await desk.read(order))["correction"]


async def test_cancelled_while_short_has_nothing_to_undo(desk: Desk) -> None:
    order = await desk.confirmed()
    await desk.answer(inventory.ReservationRejected, await desk.reservation(), lines=[], reason="None.")
    await desk.act(order, "cancel", reason="Bought elsewhere.")
    assert await desk.states(order) == ["reserving", "short", "compensated"]
    assert await desk.asked("order.reservation_release_requested") == []


async def test_cancelled_on_hold_with_stock_waiting(desk: Desk) -> None:
    order = await desk.confirmed()
    await desk.act(order, "hold", reason="Credit.")
    request = await desk.reservation()
    await desk.reserve(request)
    await desk.act(order, "cancel", reason="No credit.")
    await desk.answer(inventory.ReservationReleased, request, reason="asked")
    assert (await desk.states(order))[-1] == "compensated"
    assert await desk.asked("order.allocated") == []


async def test_a_done_order_is_not_cancelled_or_held(desk: Desk) -> None:
    order, _, shipment = await shipping(desk)
    await desk.dispatch(shipment)
    for action in ("cancel", "hold"):
        assert (await desk.act(order, action, 409, reason="Late."))["type"].endswith("order-shipped")


async def test_a_cancellation_counts_before_the_saga_has_heard_of_it(desk: Desk) -> None:
    order = await desk.confirmed()
    cancelled = await desk.h.client.post(f"/v1/orders/{order['id']}/cancel", json={"reason": "Now."})
    assert cancelled.status_code == 200
    request = await desk.reservation()
    rejected = inventory.ReservationRejected(
        reservation_id=request.reservation_id, order_id=request.order_id, lines=[], reason="None."
    )
    await desk.h.deliver(rejected, aggregate_id=request.reservation_id)
    assert await desk.states(order) == ["reserving", "compensated"]
    assert await desk.asked("order.allocation_failed") == []
    await desk.h.pump()
    assert (await desk.states(order))[-1] == "compensated"


async def test_nothing_is_asked_for_again_while_shipments_are_being_cancelled(desk: Desk) -> None:
    order = await desk.confirmed(partial_allowed=True)
    request = await desk.reservation()
    await desk.reserve(request, "7")
    (shipment,) = await desk.asked("order.shipment_requested")
    await desk.answer(inventory.ReservationExpired, request)
    await desk.act(order, "allocate")
    assert len(await desk.asked("order.reservation_requested")) == 1
    await desk.dispatch(shipment, "4")
    await desk.shipments_cancelled(order, departed=[desk.departure(shipment, "4")])
    assert [line.quantity for line in (await desk.reservation()).lines] == [3]
    assert (await desk.states(order))[-1] == "reserving"
