"""What is not in stock: it waits for goods and is shipped when they come, is given up, or stops until somebody asks again."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from contracts import inventory, orders
from contracts.catalog import TemplateChoiceUpdated, TemplateCreated
from contracts.lots import LotQuantity
from contracts.templates import ShippingRules, TemplateSettings
from tailrace.core.ids import uuid7

from .conftest import Desk


def answered(request: orders.ReservationRequested, *quantities: str) -> list[inventory.ReservedLine]:
    lines = zip(request.lines, quantities, strict=True)
    return [
        inventory.ReservedLine(
            line_id=line.line_id,
            item_id=line.item_id,
            warehouse_id=line.warehouse_id,
            requested=line.quantity,
            reserved=Decimal(quantity),
        )
        for line, quantity in lines
    ]


async def short(desk: Desk, *quantities: str, **given: Any) -> tuple[dict[str, Any], orders.ReservationRequested]:
    """An order that waits, of ten bolts a line, of which inventory holds `quantities` for now."""
    lines = [desk.line()] * len(quantities)
    order = await desk.confirmed(*lines, **{"when_short": "wait", "partial_allowed": True, **given})
    request = await desk.reservation()
    held = answered(request, *quantities)
    if any(line.reserved for line in held):
        await desk.answer(inventory.ReservationMade, request, lines=held, complete=False, waiting=request.waits)
    else:
        said = {"lines": held, "reason": "nothing", "waiting": request.waits}
        await desk.answer(inventory.ReservationRejected, request, **said)
    return order, request


async def fill(
    desk: Desk, request: orders.ReservationRequested, *quantities: str, of: list[Decimal], lots: Any = ()
) -> UUID:
    """Goods came in: `quantities` of what waits, which is `of`, line by line."""
    lines = answered(request, *quantities)
    given = [
        line.model_copy(update={"requested": waits, "lots": list(lots)})
        for line, waits in zip(lines, of, strict=True)
        if line.reserved
    ]
    left = sum(of) - sum(line.reserved for line in given)
    event = inventory.ReservationMade(
        reservation_id=uuid7(),
        order_id=request.order_id,
        lines=given,
        complete=all(line.reserved == line.requested for line in given),
        fills=request.reservation_id,
        waiting=left > 0,
    )
    await desk.h.deliver(event, aggregate_id=event.reservation_id)
    await desk.h.pump()
    return event.reservation_id


async def waits(desk: Desk, order: dict[str, Any]) -> tuple[bool, list[str], list[str]]:
    """Whether the order waits, and by line how much waits and how much is held or has left."""
    now = await desk.read(order)
    lines = now["lines"]
    return now["backordered"], [line["backordered"] for line in lines], [line["allocated"] for line in lines]


async def test_what_is_there_leaves_and_the_rest_follows_as_goods_come(desk: Desk) -> None:
    wish = {"lot": "A7", "remaining_days": 30}
    order, request = await short(desk, "4", "0", priority=2, requested_date=None)
    assert (request.waits, request.rank.priority if request.rank else None) == (True, 2)
    assert await waits(desk, order) == (True, ["6", "10"], ["4", "0"])
    (first,) = await desk.asked("order.shipment_requested")
    assert [line.quantity for line in first.lines] == [4]
    listed = (await desk.h.client.get("/v1/orders", params={"backordered": "true"})).json()["items"]
    assert [one["id"] for one in listed] == [order["id"]]
    await desk.dispatch(first)
    assert await waits(desk, order) == (True, ["6", "10"], ["4", "0"])

    part = LotQuantity(lot_id=uuid7(), number="A7", quantity=Decimal(10))
    await fill(desk, request, "0", "10", of=[Decimal(6), Decimal(10)], lots=[part])
    assert await waits(desk, order) == (True, ["6", "0"], ["4", "10"])
    second = (await desk.asked("order.shipment_requested"))[-1]
    assert [(line.quantity, line.lots) for line in second.lines] == [(10, [part])]
    await fill(desk, request, "6", "0", of=[Decimal(6), Decimal(0)])
    assert await waits(desk, order) == (False, ["0", "0"], ["10", "10"])
    for shipment in (await desk.asked("order.shipment_requested"))[1:]:
        await desk.dispatch(shipment)
    now = await desk.read(order)
    assert (now["shipment"], now["allocation"], now["shortage"]) == ("full", "full", None)
    assert (await desk.states(order))[-1] == "done"
    waiting = [[line.quantity for line in event.lines] for event in await desk.asked("order.backordered")]
    assert waiting == [[6, 10], [6], []]
    # What was wanted of a lot goes along with the request.
    await desk.confirmed(desk.line(**wish))
    assert (await desk.reservation()).lines[0].model_dump(include={*wish}) == wish


async def test_a_fill_that_comes_too_late_is_given_back(desk: Desk) -> None:
    """On hold the order leaves its turn to others, and asks again when it goes on; cancelled, it wants nothing more."""
    order, request = await short(desk, "0")
    assert await waits(desk, order) == (True, ["10"], ["0"])
    await desk.act(order, "hold", reason="credit")
    (stopped,) = await desk.asked("order.backorder_cancellation_requested")
    assert stopped.reservation_id == request.reservation_id
    assert (await waits(desk, order))[0] is False
    early = late = await fill(desk, request, "10", of=[Decimal(10)])
    released = (await desk.asked("order.reservation_release_requested"))[-1]
    assert (released.reservation_id, await desk.asked("order.shipment_requested")) == (late, [])
    await desk.act(order, "resume")
    again = await desk.reservation()
    assert again.reservation_id != request.reservation_id
    assert [line.quantity for line in again.lines] == [10]
    said = {"lines": answered(again, "0"), "reason": "nothing", "waiting": True}
    await desk.answer(inventory.ReservationRejected, again, **said)
    assert (await waits(desk, order))[0] is True
    await desk.act(order, "cancel", reason="too slow")
    assert [one.reservation_id for one in await desk.asked("order.backorder_cancellation_requested")] == [
        request.reservation_id,
        again.reservation_id,
    ]
    late = await fill(desk, again, "10", of=[Decimal(10)])
    assert (await desk.asked("order.reservation_release_requested"))[-1].reservation_id == late
    for id in (early, late):
        freed = inventory.ReservationReleased(reservation_id=id, order_id=request.order_id, reason="asked")
        await desk.h.deliver(freed, aggregate_id=id)
    await desk.h.pump()
    assert (await desk.states(order))[-1] == "compensated"
    assert await waits(desk, order) == (False, ["0"], ["0"])


async def test_asking_again_takes_the_place_of_what_waits(desk: Desk) -> None:
    order, request = await short(desk, "4")
    await desk.act(order, "allocate")
    again = await desk.reservation()
    assert [line.quantity for line in again.lines] == [6]
    assert [one.reservation_id for one in await desk.asked("order.backorder_cancellation_requested")] == [
        request.reservation_id
    ]
    # Goods were given to the former request a moment before: they go back, and are not had twice.
    late = await fill(desk, request, "6", of=[Decimal(6)])
    assert (await desk.asked("order.reservation_release_requested"))[-1].reservation_id == late
    await desk.reserve(again)
    assert await waits(desk, order) == (False, ["0"], ["10"])


async def test_a_reservation_that_is_lost_does_not_wait_with_the_rest(desk: Desk) -> None:
    order, request = await short(desk, "4")
    shipment = (await desk.asked("order.shipment_requested"))[-1]
    await desk.lose(order, shipment)
    assert await waits(desk, order) == (True, ["6"], ["0"])
    await fill(desk, request, "6", of=[Decimal(6)])
    assert await waits(desk, order) == (False, ["0"], ["6"])
    assert (await desk.read(order))["lines"][0]["quantity"] == "10"


async def test_what_is_not_there_is_given_up(desk: Desk) -> None:
    order, _ = await short(desk, "4", when_short="cancel")
    now = await desk.read(order)
    assert (now["status"], now["allocation"], now["lines"][0]["cancelled"], now["total"]) == (
        "confirmed",
        "full",
        "6",
        1100,
    )
    (shipment,) = await desk.asked("order.shipment_requested")
    await desk.dispatch(shipment)
    now = await desk.read(order)
    assert (now["shipment"], (await desk.states(order))[-1]) == ("full", "done")
    (told,) = await desk.asked("order.rest_cancelled")
    assert [line.quantity for line in told.lines] == [6]
    none, _ = await short(desk, "0", when_short="cancel")
    now = await desk.read(none)
    assert (now["status"], now["cancel_reason"]) == ("cancelled", "It is not in stock.")
    assert await waits(desk, none) == (False, ["0"], ["0"])


async def test_the_template_says_what_an_order_does_not(desk: Desk) -> None:
    assert (await desk.create())["when_short"] == "stop"
    template = uuid7()
    settings = TemplateSettings(shipping=ShippingRules(when_short="wait"))
    said = {"settings": settings, "effective": settings, "parent_id": None}
    told = TemplateCreated(template_id=template, code="T", name="T", level="standard", **said)
    await desk.h.deliver(told, aggregate_id=template)
    chosen = TemplateChoiceUpdated(template_choice_id=uuid7(), template_id=template)
    await desk.h.deliver(chosen, aggregate_id=chosen.template_choice_id)
    assert (await desk.create())["when_short"] == "wait"
    assert (await desk.create(when_short="stop"))["when_short"] == "stop"
    answer = await desk.h.client.post("/v1/orders", json=desk.body(priority=0))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "/priority")
