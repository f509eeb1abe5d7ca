"""The saga, path by path: what it asks of others, and what it makes of their answers."""

from typing import Any
from uuid import UUID

from contracts import inventory
from tailrace.core.ids import uuid7

from .conftest import Desk, shipping


async def test_an_order_is_reserved_shipped_in_two_parts_and_done(desk: Desk) -> None:
    order, request, shipment = await shipping(desk)
    assert [(line.item_id, line.quantity) for line in request.lines] == [(desk.bolt, 10)]
    now = await desk.read(order)
    assert (now["status"], now["allocation"], now["shipment"], now["allocating"]) == (
        "confirmed",
        "full",
        "none",
        False,
    )
    assert (shipment.reservation_id, shipment.number) == (request.reservation_id, order["number"])
    assert (shipment.lines[0].line_quantity, shipment.lines[0].line_net, shipment.lines[0].line_tax) == (10, 1000, 100)

    await desk.dispatch(shipment, "4")
    assert (await desk.read(order))["shipment"] == "partial"
    await desk.dispatch(shipment, "6", shipment=uuid7())
    now = await desk.read(order)
    assert (now["allocation"], now["shipment"], now["lines"][0]["shipped"]) == ("full", "full", "10")
    assert [event.shipment for event in await desk.asked("order.shipment_progressed")] == ["partial", "full"]
    assert len(await desk.asked("order.allocated")) == 1
    assert await desk.states(order) == ["reserving", "shipping", "shipping", "done"]


async def test_the_history_says_what_led_to_each_step(desk: Desk) -> None:
    order, _, _ = await shipping(desk)
    shown = (await desk.h.client.get(f"/v1/orders/{order['id']}/history")).json()
    steps = shown["steps"]
    assert (shown["order_id"], shown["state"]) == (order["id"], "shipping")
    assert [(step["from_state"], step["to_state"], step["because"]) for step in steps] == [
        ("begin", "reserving", "order.confirmed"),
        ("reserving", "shipping", "inventory.reservation.made"),
    ]
    assert steps[0]["event_id"] == str((await desk.h.published("order.confirmed"))[0].id)


async def test_all_lines_go_with_one_reservation_and_one_shipment(desk: Desk) -> None:
    flour = desk.line(warehouse_id=str(desk.south), item_id=str(desk.flour))
    order, request, shipment = await shipping(desk, desk.line(), flour, desk.line(quantity="2"))
    placed = [(UUID(line["id"]), UUID(line["warehouse_id"])) for line in order["lines"]]
    assert [(line.line_id, line.warehouse_id) for line in request.lines] == placed
    assert [(line.line_id, line.warehouse_id) for line in shipment.lines] == placed
    await desk.dispatch(shipment, "10", "9", "2")
    assert (await desk.read(order))["shipment"] == "partial"
    await desk.dispatch(shipment.model_copy(update={"lines": shipment.lines[1:2]}), "1", shipment=uuid7())
    assert (await desk.states(order))[-1] == "done"


async def test_a_rejected_order_is_short_until_it_is_allocated_again(desk: Desk) -> None:
    order = await desk.confirmed()
    first = await desk.reservation()
    assert (await desk.act(order, "allocate", 409))["type"].endswith("order-allocation-under-way")
    await desk.answer(inventory.ReservationRejected, first, lines=[], reason="Only 3 there.")
    now = await desk.read(order)
    assert (now["status"], now["allocation"], now["shortage"]) == ("confirmed", "none", "Only 3 there.")
    (short,) = await desk.asked("order.allocation_failed")
    assert [(line.line_id, line.quantity) for line in short.lines] == [(first.lines[0].line_id, 10)]

    await desk.act(order, "allocate")
    second = await desk.reservation()
    assert second.reservation_id != first.reservation_id
    await desk.reserve(second)
    now = await desk.read(order)
    assert (now["allocation"], now["shortage"]) == ("full", None)
    assert (await desk.act(order, "allocate", 409))["type"].endswith("order-allocated")
    assert await desk.states(order) == ["reserving", "short", "reserving", "shipping"]


async def test_a_late_answer_is_compensated(desk: Desk) -> None:
    order = await desk.confirmed()
    request = await desk.reservation()
    assert await desk.h.fire_timers() == 0
    await desk.h.make_timers_due()
    assert await desk.h.fire_timers() == 1
    assert await desk.states(order) == ["reserving", "short"]
    assert len(await desk.asked("order.allocation_failed")) == 1
    assert len(await desk.asked("order.reservation_release_requested")) == 1

    await desk.h.pump()
    await desk.reserve(request)
    releases = await desk.asked("order.reservation_release_requested")
    assert [release.reservation_id for release in releases] == [request.reservation_id] * 2
    assert await desk.asked("order.shipment_requested") == []
    await desk.answer(inventory.ReservationReleased, request, reason="asked")
    now = await desk.read(order)
    assert (now["status"], now["allocation"], now["allocating"]) == ("confirmed", "none", False)

    await desk.act(order, "allocate")
    await desk.reserve(await desk.reservation())
    assert (await desk.read(order))["allocation"] == "full"


async def test_an_answer_in_time_disarms_the_time_out(desk: Desk) -> None:
    await shipping(desk)
    await desk.h.make_timers_due()
    assert await desk.h.fire_timers() == 0


async def test_a_part_is_shipped_and_the_rest_allocated_later(desk: Desk) -> None:
    order = await desk.confirmed(desk.line(), desk.line(item_id=str(desk.flour)), partial_allowed=True)
    first = await desk.reservation()
    assert first.partial_allowed
    await desk.reserve(first, "4", "0")
    now = await desk.read(order)
    assert (now["allocation"], [line["allocated"] for line in now["lines"]]) == ("partial", ["4", "0"])
    (part,) = await desk.asked("order.shipment_requested")
    assert [line.quantity for line in part.lines] == [4]
    await desk.dispatch(part)
    assert (await desk.states(order))[-1] == "short"

    await desk.act(order, "allocate")
    second = await desk.reservation()
    assert [line.quantity for line in second.lines] == [6, 10]
    await desk.reserve(second)
    rest = (await desk.asked("order.shipment_requested"))[-1]
    assert [line.quantity for line in rest.lines] == [6, 10]
    await desk.dispatch(rest)
    now = await desk.read(order)
    assert (now["allocation"], now["shipment"]) == ("full", "full")
    assert (await desk.states(order))[-1] == "done"


async def test_the_first_part_may_leave_while_the_rest_is_asked_for(desk: Desk) -> None:
    order = await desk.confirmed(partial_allowed=True)
    await desk.reserve(await desk.reservation(), "4")
    (part,) = await desk.asked("order.shipment_requested")
    await desk.act(order, "allocate")
    await desk.dispatch(part)
    now = await desk.read(order)
    assert (now["allocating"], now["shipment"], now["lines"][0]["allocated"]) == (True, "partial", "4")
    await desk.answer(inventory.ReservationRejected, await desk.reservation(), lines=[], reason="None left.")
    assert await desk.states(order) == ["reserving", "shipping", "reserving", "short"]


async def test_a_reservation_of_nothing_is_a_shortage(desk: Desk) -> None:
    order = await desk.confirmed(partial_allowed=True)
    await desk.reserve(await desk.reservation(), "0")
    assert (await desk.read(order))["shortage"] == "Nothing of it is in stock."
    assert await desk.states(order) == ["reserving", "short"]


async def test_an_expired_reservation_takes_its_shipment_along(desk: Desk) -> None:
    order, request, _ = await shipping(desk, reservation_expires_in_seconds=3600)
    assert request.expires_at is not None
    await desk.answer(inventory.ReservationExpired, request)
    (cancel,) = await desk.asked("order.shipment_cancellation_requested")
    assert cancel.reservation_id == request.reservation_id
    assert (await desk.read(order))["allocation"] == "full"
    assert await desk.asked("order.reservation_release_requested") == []
    await desk.shipments_cancelled(order)
    (release,) = await desk.asked("order.reservation_release_requested")
    assert (release.reservation_id, release.departed) == (request.reservation_id, [])
    await desk.answer(inventory.ReservationReleased, request, reason="asked")
    now = await desk.read(order)
    assert (now["status"], now["allocation"], now["shortage"]) == ("confirmed", "none", "The reservation expired.")
    assert (await desk.states(order))[-1] == "short"
    await desk.act(order, "allocate")
    await desk.reserve(await desk.reservation())
    assert (await desk.states(order))[-1] == "shipping"


async def test_what_expires_after_a_part_left_is_open_again(desk: Desk) -> None:
    order, request, shipment = await shipping(desk)
    await desk.dispatch(shipment, "4")
    await desk.lose(order, request)
    now = await desk.read(order)
    assert (now["allocation"], now["shipment"], now["lines"][0]["allocated"]) == ("partial", "partial", "4")
    assert [line.quantity for line in (await desk.asked("order.allocation_failed"))[-1].lines] == [6]


async def test_what_left_before_it_was_heard_of_is_not_asked_for_again(desk: Desk) -> None:
    order, request, shipment = await shipping(desk)
    left = desk.departure(shipment, "4")
    await desk.lose(order, request, left)
    (release,) = await desk.asked("order.reservation_release_requested")
    assert [(one.shipment_id, [line.quantity for line in one.lines]) for one in release.departed] == [
        (shipment.shipment_id, [4])
    ]
    now = await desk.read(order)
    assert (now["shipment"], now["allocation"], now["lines"][0]["shipped"]) == ("partial", "partial", "4")
    await desk.act(order, "allocate")
    assert [line.quantity for line in (await desk.reservation()).lines] == [6]
    await desk.dispatch(shipment, "4")
    assert (await desk.read(order))["lines"][0]["shipped"] == "4"
    assert len(await desk.asked("order.shipment_progressed")) == 1


async def test_what_left_is_told_once_when_shipping_answers_twice(desk: Desk) -> None:
    order = await desk.confirmed(partial_allowed=True)
    first = await desk.reservation()
    await desk.reserve(first, "7")
    await desk.act(order, "allocate")
    second = await desk.reservation()
    await desk.reserve(second)
    left = desk.departure((await desk.asked("order.shipment_requested"))[0], "4")
    await desk.answer(inventory.ReservationExpired, first)
    await desk.act(order, "cancel", reason="Enough.")
    assert len(await desk.asked("order.shipment_cancellation_requested")) == 2
    for _ in range(2):
        assert await desk.asked("order.reservation_release_requested") == []
        await desk.shipments_cancelled(order, departed=[left])
    releases = {one.reservation_id: one.departed for one in await desk.asked("order.reservation_release_requested")}
    (told,) = releases.pop(first.reservation_id)
    assert (told.shipment_id, [line.quantity for line in told.lines]) == (left.shipment_id, [4])
    assert releases == {second.reservation_id: []}
    for request in (first, second):
        await desk.answer(inventory.ReservationReleased, request, reason="asked")
    now = await desk.read(order)
    assert ((await desk.states(order))[-1], now["lines"][0]["shipped"], now["allocation"]) == (
        "compensated",
        "4",
        "partial",
    )


async def test_what_somebody_gives_back_is_let_go_of_like_what_expires(desk: Desk) -> None:
    order, request, shipment = await shipping(desk)
    await desk.answer(inventory.ReservationReleased, request, reason="needed elsewhere")
    assert (await desk.read(order))["allocation"] == "full"
    await desk.dispatch(shipment)
    await desk.shipments_cancelled(order, departed=[desk.departure(shipment)])
    assert len(await desk.asked("order.reservation_release_requested")) == 1
    await desk.answer(inventory.ReservationReleased, request, reason="asked")
    now = await desk.read(order)
    assert (now["shipment"], now["shortage"]) == ("full", None)
    assert await desk.asked("order.allocation_failed") == []
    assert (await desk.states(order))[-1] == "done"


async def test_an_attempt_that_goes_on_outlives_the_refusal_of_one_given_up(desk: Desk) -> None:
    order = await desk.confirmed()
    first = await desk.reservation()
    await desk.h.make_timers_due()
    await desk.h.fire_timers()
    await desk.act(order, "allocate")
    await desk.answer(inventory.ReservationRejected, first, lines=[], reason="None.")
    assert (await desk.read(order))["allocating"] is True
    assert len(await desk.asked("order.allocation_failed")) == 1


async def test_stock_lost_while_the_rest_is_asked_for_does_not_end_the_asking(desk: Desk) -> None:
    order = await desk.confirmed(partial_allowed=True)
    first = await desk.reservation()
    await desk.reserve(first, "4")
    await desk.act(order, "allocate")
    second = await desk.reservation()
    assert second.reservation_id != first.reservation_id
    await desk.lose(order, first)
    now = await desk.read(order)
    assert (now["allocating"], now["allocation"], now["shortage"]) == (True, "none", "The reservation expired.")
    assert (await desk.states(order))[-1] == "reserving"
    await desk.reserve(second)
    now = await desk.read(order)
    assert (now["allocating"], now["allocation"], now["lines"][0]["allocated"]) == (False, "partial", "6")


async def test_a_duplicate_answer_leaves_the_same_rows(desk: Desk) -> None:
    order = await desk.confirmed()
    answers = [await desk.reserve(await desk.reservation())]
    (shipment,) = await desk.asked("order.shipment_requested")
    answers.append(await desk.dispatch(shipment, "4"))
    before = await rows(desk)
    for answer in [*answers, *reversed(answers)]:
        await desk.h.redeliver(answer)
    assert await rows(desk) == before
    assert await desk.states(order) == ["reserving", "shipping", "shipping"]


async def rows(desk: Desk) -> list[Any]:
    """Everything that the service has written, but for the harness's own requests."""
    tables = ("sales_order", "order_line", "outbox", "saga", "saga_step", "timer", "inbox")
    return [await desk.h.admin.fetch(f"SELECT * FROM {table} AS t ORDER BY t::text") for table in tables]


async def test_answers_that_concern_nobody_here_are_passed_over(desk: Desk) -> None:
    manual = inventory.ReservationMade(reservation_id=uuid7(), order_id=None, lines=[], complete=True)
    await desk.h.deliver(manual, aggregate_id=manual.reservation_id)
    assert await desk.h.published() == []
