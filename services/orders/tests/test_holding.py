"""An order on hold: what is under way waits, and goes on when the order does."""

from typing import Any

import pytest

from contracts import inventory

from .conftest import Desk, shipping


async def test_held_before_the_saga_began(desk: Desk) -> None:
    """Confirmed before `order.created` is back: the saga begins from the topic, and by then the order is on hold."""
    order = await desk.create()
    assert (await desk.h.client.post(f"/v1/orders/{order['id']}/confirm")).json()["version"] == 2
    await desk.act(order, "hold", reason="Check the address.")
    assert await desk.asked("order.reservation_requested") == []
    await desk.act(order, "resume")
    assert len(await desk.asked("order.reservation_requested")) == 1
    assert await desk.states(order) == ["held", "held", "reserving"]


async def test_confirmed_once_its_history_is_heard_begins_at_once(desk: Desk) -> None:
    order = await desk.create()
    await desk.h.pump()
    assert (await desk.h.client.post(f"/v1/orders/{order['id']}/confirm")).json()["version"] == 3
    assert (await desk.states(order), len(await desk.asked("order.reservation_requested"))) == (["reserving"], 1)
    await desk.h.pump()
    assert (await desk.states(order), len(await desk.asked("order.reservation_requested"))) == (["reserving"], 1)


async def test_held_while_reserving_uses_the_answer_when_resumed(desk: Desk) -> None:
    order = await desk.confirmed()
    await desk.act(order, "hold", reason="Credit.")
    await desk.reserve(await desk.reservation())
    assert (await desk.read(order))["allocation"] == "none"
    assert await desk.asked("order.shipment_requested") == []
    await desk.act(order, "resume")
    assert (await desk.read(order))["allocation"] == "full"
    assert await desk.states(order) == ["reserving", "held", "held", "shipping"]


async def test_held_while_reserving_waits_for_the_answer_again(desk: Desk) -> None:
    order = await desk.confirmed()
    await desk.act(order, "hold", reason="Credit.")
    await desk.h.make_timers_due()
    assert await desk.h.fire_timers() == 0
    await desk.act(order, "resume")
    assert len(await desk.asked("order.reservation_requested")) == 1
    assert (await desk.states(order))[-1] == "reserving"
    await desk.h.make_timers_due()
    assert await desk.h.fire_timers() == 1
    assert (await desk.states(order))[-1] == "short"


async def test_an_answer_counts_the_hold_that_the_saga_has_not_heard_of(desk: Desk) -> None:
    order = await desk.confirmed()
    assert (await desk.h.client.post(f"/v1/orders/{order['id']}/hold", json={"reason": "Now."})).status_code == 200
    request = await desk.reservation()
    lines = [
        inventory.ReservedLine(**line.model_dump(exclude={"quantity"}), requested=line.quantity, reserved=line.quantity)
        for line in request.lines
    ]
    event = inventory.ReservationMade(
        reservation_id=request.reservation_id, order_id=request.order_id, lines=lines, complete=True
    )
    await desk.h.deliver(event, aggregate_id=request.reservation_id)
    assert await desk.asked("order.allocated") == []
    await desk.h.pump()
    assert await desk.states(order) == ["reserving", "held", "held"]


async def test_held_while_shipping_and_while_short(desk: Desk) -> None:
    order, request, _ = await shipping(desk)
    await desk.act(order, "hold", reason="Wait.")
    await desk.act(order, "resume")
    assert await desk.states(order) == ["reserving", "shipping", "held", "shipping"]
    assert len(await desk.asked("order.shipment_requested")) == 1
    await desk.lose(order, request)
    await desk.act(order, "hold", reason="Wait again.")
    assert (await desk.act(order, "allocate", 409))["type"].endswith("order-not-confirmed")
    await desk.act(order, "resume")
    assert (await desk.states(order))[-3:] == ["short", "held", "short"]


@pytest.mark.parametrize("kind", [inventory.ReservationRejected, inventory.ReservationExpired])
async def test_stock_lost_while_on_hold_leaves_the_order_short(desk: Desk, kind: Any) -> None:
    order = await desk.confirmed()
    request = await desk.reservation()
    await desk.act(order, "hold", reason="Wait.")
    if kind is inventory.ReservationRejected:
        await desk.answer(kind, request, lines=[], reason="None.")
    else:
        await desk.reserve(request)
        await desk.answer(kind, request)
        assert await desk.asked("order.shipment_cancellation_requested") == []
        assert len(await desk.asked("order.reservation_release_requested")) == 1
        await desk.answer(inventory.ReservationReleased, request, reason="asked")
    await desk.act(order, "resume")
    assert (await desk.states(order))[-1] == "short"
    await desk.act(order, "allocate")
    assert (await desk.states(order))[-1] == "reserving"
