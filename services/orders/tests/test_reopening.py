"""An order that binds is changed by taking it back: shipments and stock first, then it is a draft again, and binds anew as it is by then."""

from typing import Any

import pytest

from contracts import inventory
from tailrace.core.ids import uuid7

from .conftest import Desk, shipping


async def reopened(desk: Desk, **given: Any) -> dict[str, Any]:
    """An order that had a shipment under way, and is a draft again."""
    order, request, shipment = await shipping(desk, **given)
    await desk.act(order, "reopen", reason="Twice as many.")
    await desk.shipments_cancelled(order, shipment.shipment_id)
    await desk.answer(inventory.ReservationReleased, request, reason="asked")
    return order


async def versions(desk: Desk, order: dict[str, Any]) -> list[Any]:
    return list((await desk.h.client.get(f"/v1/orders/{order['id']}/versions")).json()["items"])


async def test_shipments_and_then_stock_are_freed_before_it_is_a_draft_again(desk: Desk) -> None:
    order, request, shipment = await shipping(desk)
    now = await desk.act(order, "reopen", reason="Twice as many.")
    assert (now["status"], now["reopen_reason"]) == ("reopening", "Twice as many.")
    (cancel,) = await desk.asked("order.shipment_cancellation_requested")
    assert (cancel.reservation_id, cancel.reason) == (None, "The order is being changed.")
    assert await desk.asked("order.reservation_release_requested") == []
    await desk.shipments_cancelled(order, shipment.shipment_id)
    assert len(await desk.asked("order.reservation_release_requested")) == 1
    assert (await desk.read(order))["status"] == "reopening"
    await desk.answer(inventory.ReservationReleased, request, reason="asked")
    now = await desk.read(order)
    assert (now["status"], now["revision"], now["allocation"], now["allocating"]) == ("draft", 2, "none", False)
    assert now["lines"][0]["allocated"] == "0"
    assert await desk.states(order) == ["reserving", "shipping", "reopening", "reopening", "reopened"]
    (event,) = await desk.asked("order.reopened")
    assert (event.revision, event.number, event.reason) == (2, order["number"], "Twice as many.")
    assert await desk.asked("order.allocation_failed") == []


async def test_it_is_changed_and_binds_anew_and_what_it_was_is_kept(desk: Desk) -> None:
    order = await reopened(desk)
    answer = await desk.h.client.put(f"/v1/orders/{order['id']}", json=desk.body(desk.line(quantity="20")))
    assert (answer.status_code, answer.json()["reopen_reason"]) == (200, None)
    again = await desk.act(order, "confirm")
    assert (again["status"], again["revision"], again["net"]) == ("confirmed", 2, 2 * order["net"])
    first, second = await desk.asked("order.confirmed")
    assert (first.revision, second.revision) == (1, 2)
    request = await desk.reservation()
    assert [line.quantity for line in request.lines] == [20]
    await desk.reserve(request)
    *_, shipment = await desk.asked("order.shipment_requested")
    await desk.dispatch(shipment)
    now = await desk.read(order)
    assert (now["status"], now["shipment"], (await desk.states(order))[-1]) == ("confirmed", "full", "done")
    (kept,) = await versions(desk, order)
    assert (kept["revision"], kept["net"], kept["reason"]) == (1, order["net"], "Twice as many.")
    assert [line["quantity"] for line in kept["lines"]] == ["10"]
    assert kept["lines"][0]["line_id"] == order["lines"][0]["id"]


async def test_it_is_reopened_again(desk: Desk) -> None:
    order = await reopened(desk)
    await desk.act(order, "confirm")
    await desk.act(order, "reopen", reason="Once more.")
    await desk.answer(inventory.ReservationRejected, await desk.reservation(), lines=[], reason="None.")
    now = await desk.read(order)
    assert (now["status"], now["revision"], now["shortage"]) == ("draft", 3, None)
    assert [each["revision"] for each in await versions(desk, order)] == [1, 2]
    assert await desk.asked("order.allocation_failed") == []


@pytest.mark.parametrize("answers_first", [False, True])
async def test_what_left_meanwhile_leaves_it_confirmed_and_the_rest_is_asked_for_again(
    desk: Desk, *, answers_first: bool
) -> None:
    order, request, shipment = await shipping(desk)
    await desk.act(order, "reopen", reason="Too late?")
    if not answers_first:
        await desk.dispatch(shipment, "4")
    await desk.shipments_cancelled(order, shipment.shipment_id, departed=[desk.departure(shipment, "4")])
    await desk.answer(inventory.ReservationReleased, request, reason="asked")
    if answers_first:
        await desk.dispatch(shipment, "4")
    now = await desk.read(order)
    assert (now["status"], now["shipment"], now["revision"], now["reopen_reason"]) == ("confirmed", "partial", 1, None)
    assert now["correction"] == "Some of it had left before it was reopened: Too late?"
    assert [line.quantity for line in (await desk.reservation()).lines] == [6]
    assert len(await desk.asked("order.reinstated")) == 1
    assert await versions(desk, order) == []


async def test_when_everything_left_meanwhile_it_is_done(desk: Desk) -> None:
    order, _, shipment = await shipping(desk)
    await desk.act(order, "reopen", reason="Too late?")
    await desk.dispatch(shipment)
    now = await desk.read(order)
    assert (now["status"], now["shipment"]) == ("confirmed", "full")
    assert now["correction"] == "Everything had left before it was reopened: Too late?"
    await desk.shipments_cancelled(order, departed=[desk.departure(shipment)])
    assert (await desk.states(order))[-1] == "done"
    assert await desk.asked("order.reservation_release_requested") == []


async def test_while_stock_is_asked_for_the_answer_is_given_back(desk: Desk) -> None:
    order = await desk.confirmed()
    request = await desk.reservation()
    await desk.act(order, "reopen", reason="Another size.")
    await desk.reserve(request)
    assert await desk.asked("order.shipment_requested") == []
    await desk.answer(inventory.ReservationReleased, request, reason="asked")
    assert ((await desk.read(order))["status"], (await desk.states(order))[-1]) == ("draft", "reopened")
    await desk.h.make_timers_due()
    assert await desk.h.fire_timers() == 0


async def test_what_waits_for_goods_waits_no_more(desk: Desk) -> None:
    order = await desk.confirmed(partial_allowed=True, when_short="wait")
    request = await desk.reservation()
    rejected = {"lines": [line.model_dump() | {"requested": line.quantity, "reserved": 0} for line in request.lines]}
    await desk.answer(inventory.ReservationRejected, request, **rejected, reason="None.", waiting=True)
    assert (await desk.read(order))["backordered"]
    await desk.act(order, "reopen", reason="Another size.")
    now = await desk.read(order)
    assert (now["status"], now["backordered"], now["lines"][0]["backordered"]) == ("draft", False, "0")
    assert len(await desk.asked("order.backorder_cancellation_requested")) == 1


async def test_on_hold_it_is_reopened_as_well(desk: Desk) -> None:
    order, request, shipment = await shipping(desk)
    await desk.act(order, "hold", reason="Credit.")
    now = await desk.act(order, "reopen", reason="Less.")
    assert (now["status"], now["hold_reason"]) == ("reopening", None)
    await desk.shipments_cancelled(order, shipment.shipment_id)
    await desk.answer(inventory.ReservationReleased, request, reason="asked")
    assert (await desk.read(order))["status"] == "draft"


async def test_cancelled_while_it_is_reopened_everything_is_taken_back_once(desk: Desk) -> None:
    order, request, shipment = await shipping(desk)
    await desk.act(order, "reopen", reason="Less.")
    await desk.act(order, "cancel", reason="Nothing at all.")
    assert len(await desk.asked("order.shipment_cancellation_requested")) == 1
    await desk.shipments_cancelled(order, shipment.shipment_id)
    await desk.answer(inventory.ReservationReleased, request, reason="asked")
    now = await desk.read(order)
    assert (now["status"], now["cancel_reason"], (await desk.states(order))[-1]) == (
        "cancelled",
        "Nothing at all.",
        "compensated",
    )
    assert await desk.asked("order.reopened") == []


async def test_a_draft_again_can_be_dropped(desk: Desk) -> None:
    order = await reopened(desk)
    assert (await desk.h.client.delete(f"/v1/orders/{order['id']}")).status_code == 204
    await desk.h.pump()
    assert ((await desk.read(order))["status"], (await desk.states(order))[-1]) == ("cancelled", "compensated")


async def test_reopened_and_confirmed_before_the_saga_has_heard_of_either(desk: Desk) -> None:
    order = await desk.confirmed()
    request = await desk.reservation()
    here = f"/v1/orders/{order['id']}"
    assert (await desk.h.client.post(f"{here}/reopen", json={"reason": "Quick."})).status_code == 200
    rejected = inventory.ReservationRejected(
        reservation_id=request.reservation_id, order_id=request.order_id, lines=[], reason="None."
    )
    await desk.h.deliver(rejected, aggregate_id=request.reservation_id)
    assert (await desk.read(order))["status"] == "draft"
    assert (await desk.h.client.post(f"{here}/confirm")).status_code == 200
    await desk.h.pump()
    assert ((await desk.read(order))["status"], (await desk.states(order))[-1]) == ("confirmed", "reserving")
    assert len(await desk.asked("order.reservation_requested")) == 2


async def test_what_cannot_be_reopened(desk: Desk) -> None:
    draft = await desk.create()
    assert (await desk.act(draft, "reopen", 409, reason="Why not."))["type"].endswith("order-not-confirmed")
    order, _, shipment = await shipping(desk)
    await desk.dispatch(shipment, "4", shipment=uuid7())
    for reason in ("Less.", "More."):
        assert (await desk.act(order, "reopen", 409, reason=reason))["type"].endswith("order-partly-shipped")
    assert (await desk.h.client.post(f"/v1/orders/{order['id']}/reopen", json={})).status_code == 422
