"""Services are ordered, alone or beside goods, and performed: nothing of them is reserved or shipped, and no order is stuck by them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from contracts import inventory, invoices
from tailrace.core.ids import uuid7
from tailrace_testing import SetClock

from .conftest import Desk, shipping
from .credit import TODAY, Buyer


def hours(desk: Desk, quantity: str = "8", **given: Any) -> dict[str, Any]:
    return desk.line(item_id=str(desk.hour), quantity=quantity, unit_price="9000", **given)


async def test_an_order_of_services_alone_is_performed_in_two_parts_and_done(desk: Desk) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    order = await desk.confirmed(hours(desk), ordered_at=yesterday.isoformat())
    now = await desk.read(order)
    assert (now["allocating"], now["allocation"], now["shipment"], now["shortage"]) == (False, "full", "none", None)
    assert (now["lines"][0]["kind"], now["net"], now["tax"]) == ("service", 72_000, 7_200)

    part = [{"line_id": order["lines"][0]["id"], "quantity": "3"}]
    now = await desk.act(order, "perform", lines=part, performed_at=yesterday.isoformat())
    assert (now["shipment"], now["lines"][0]["shipped"], now["lines"][0]["allocated"]) == ("partial", "3", "3")
    now = await desk.act(order, "perform")
    assert (now["status"], now["shipment"], now["lines"][0]["shipped"]) == ("confirmed", "full", "8")
    assert await desk.states(order) == ["performing", "done"]
    assert await desk.asked("order.reservation_requested") == await desk.asked("order.shipment_requested") == []

    first, second = await desk.asked("order.services_performed")
    assert (first.number, second.number) == (f"{order['number']}/1", f"{order['number']}/2")
    assert (first.performed_at, first.performance_id != second.performance_id) == (yesterday, True)
    amounts = [
        (one.quantity, one.performed_before, one.line_quantity) for each in (first, second) for one in each.lines
    ]
    assert amounts == [(3, 0, 8), (5, 3, 8)]
    assert (first.lines[0].line_net, first.lines[0].line_tax, first.currency) == (72_000, 7_200, "EUR")
    assert [event.shipment for event in await desk.asked("order.shipment_progressed")] == ["partial", "full"]
    assert (await desk.act(order, "perform", 409))["type"].endswith("nothing-to-perform")
    assert (await desk.act(order, "cancel", 409, reason="late"))["type"].endswith("order-shipped")


async def test_beside_goods_the_stock_is_asked_for_these_alone(desk: Desk) -> None:
    order, request, shipment = await shipping(desk, desk.line(), hours(desk))
    assert [line.item_id for line in request.lines] == [line.item_id for line in shipment.lines] == [desk.bolt]
    assert (await desk.read(order))["allocation"] == "full"
    await desk.dispatch(shipment)
    now = await desk.read(order)
    assert (now["shipment"], now["allocation"], (await desk.states(order))[-1]) == ("partial", "full", "performing")
    assert (await desk.act(order, "allocate", 409))["type"].endswith("order-allocated")
    assert (await desk.act(order, "perform"))["shipment"] == "full"
    assert (await desk.states(order))[-1] == "done"


async def test_what_is_performed_first_leaves_the_goods_to_be_shipped(desk: Desk) -> None:
    order = await desk.confirmed(desk.line(), hours(desk))
    assert (await desk.act(order, "perform"))["shipment"] == "partial"
    request = await desk.reservation()
    assert (await desk.states(order))[-1] == "reserving"
    await desk.reserve(request)
    assert [line["allocated"] for line in (await desk.read(order))["lines"]] == ["10", "8"]
    await desk.dispatch((await desk.asked("order.shipment_requested"))[-1])
    assert ((await desk.read(order))["shipment"], (await desk.states(order))[-1]) == ("full", "done")


async def test_what_cannot_be_performed_is_refused_by_its_field(desk: Desk) -> None:
    order = await desk.confirmed(desk.line(), hours(desk))
    goods, service = (line["id"] for line in order["lines"])

    async def refused(status: int, *lines: tuple[str, str], **given: Any) -> tuple[str, str]:
        body = {"lines": [{"line_id": id, "quantity": quantity} for id, quantity in lines]} if lines else {}
        said = await desk.act(order, "perform", status, **body, **given)
        return said["type"].rsplit(":", 1)[-1], said["errors"][0]["field"]

    assert await refused(409, (service, "8.5")) == ("more-than-ordered", "/lines/0/quantity")
    assert (await refused(422, (service, "1"), (goods, "1")))[1] == "/lines/1/line_id"
    assert (await refused(422, (service, "1"), (service, "1")))[1] == "/lines/1/line_id"
    assert (await refused(422, (str(uuid7()), "1")))[1] == "/lines/0/line_id"
    assert (await refused(422, (service, "0.0000001")))[1] == "/lines/0/quantity"
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert (await refused(422, performed_at=tomorrow.isoformat()))[1] == "/performed_at"
    yesterday = datetime.now(UTC) - timedelta(days=1)
    assert (await refused(422, performed_at=yesterday.isoformat()))[1] == "/performed_at", "before it was ordered"
    assert await desk.asked("order.services_performed") == []
    assert [line["shipped"] for line in (await desk.read(order))["lines"]] == ["0", "0"]


async def test_only_what_binds_and_is_not_on_hold_is_performed(desk: Desk) -> None:
    draft = await desk.create(hours(desk))
    assert (await desk.act(draft, "perform", 409))["type"].endswith("order-not-confirmed")
    order = await desk.confirmed(hours(desk))
    await desk.act(order, "hold", reason="not paid")
    assert (await desk.act(order, "perform", 409))["type"].endswith("order-not-confirmed")
    await desk.act(order, "resume")
    await desk.act(order, "perform")
    assert await desk.states(order) == ["performing", "held", "performing", "done"]
    goods = await desk.confirmed()
    assert (await desk.act(goods, "perform", 409))["type"].endswith("nothing-to-perform")


@pytest.mark.parametrize(("field", "value"), [("lot", "A7"), ("remaining_days", 30)])
async def test_a_service_comes_in_no_lots(desk: Desk, field: str, value: Any) -> None:
    answer = await desk.h.client.post("/v1/orders", json=desk.body(desk.line(), hours(desk, **{field: value})))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, f"/lines/1/{field}")


async def test_an_order_of_another_system_may_have_been_performed_long_after_it(desk: Desk) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=2000)
    order = await desk.confirmed(hours(desk), ordered_at=long_ago.isoformat())
    month = datetime.now(UTC) - timedelta(days=30)
    assert (await desk.act(order, "perform", performed_at=month.isoformat()))["shipment"] == "full"


async def test_what_is_performed_on_the_companys_day_of_the_order_is_no_earlier_than_it(
    desk: Desk, clock: SetClock
) -> None:
    clock("2026-11-28T12:00:00+00:00")
    order = await desk.confirmed(hours(desk), ordered_at="2026-11-27T12:00:00Z")
    assert (await desk.act(order, "perform", 422, performed_at="2026-11-26T23:59:00Z"))["errors"][0]["field"] == (
        "/performed_at"
    )
    assert (await desk.act(order, "perform", performed_at="2026-11-27T00:01:00Z"))["shipment"] == "full"
    # Plain days, of the order and of what was performed.
    order = await desk.confirmed(hours(desk), ordered_at="2026-11-27")
    assert order["ordered_at"] == "2026-11-27T00:00:00Z"
    for day in ("2026-11-26", "2026-11-29"):
        refused = await desk.act(order, "perform", 422, performed_at=day)
        assert refused["errors"][0]["field"] == "/performed_at"
    assert (await desk.act(order, "perform", performed_at="2026-11-27"))["shipment"] == "full"


@pytest.mark.parametrize("held", [False, True])
async def test_a_service_that_is_not_wanted_any_more_leaves_the_order_as_what_was_supplied(
    desk: Desk, held: bool
) -> None:
    order, _, shipment = await shipping(desk, desk.line(), hours(desk))
    await desk.dispatch(shipment)
    if held:
        await desk.act(order, "hold", reason="they are not sure")
    now = await desk.act(order, "cancel", reason="they install it themselves")
    assert (now["status"], now["shipment"], now["allocation"]) == ("confirmed", "full", "full")
    assert [line["cancelled"] for line in now["lines"]] == ["0", "8"]
    assert (now["hold_reason"], now["cancel_reason"], now["correction"]) == (None, None, None)
    assert (await desk.states(order))[-1] == "done"
    (rest,) = await desk.asked("order.rest_cancelled")
    assert (rest.reason, [line.quantity for line in rest.lines]) == ("they install it themselves", [8])
    assert await desk.asked("order.cancelled") == []
    assert (await desk.act(order, "perform", 409))["type"].endswith("nothing-to-perform")
    assert (await desk.act(order, "cancel", 409, reason="again"))["type"].endswith("order-shipped")


async def test_what_was_invoiced_and_paid_is_all_of_it_once_the_other_services_are_given_up(desk: Desk) -> None:
    order = await desk.confirmed(hours(desk))
    part = [{"line_id": order["lines"][0]["id"], "quantity": "3"}]
    await desk.act(order, "perform", lines=part)
    invoice_id = await (await Buyer(desk).described()).invoice(order, 29_700)
    paid = invoices.InvoicePaid(
        invoice_id=invoice_id,
        number="INV-1",
        currency="EUR",
        paid=29_700,
        credited=0,
        open=0,
        orders=[invoices.OrderAmount(order_id=UUID(order["id"]), net=27_000, tax=2_700)],
        day=TODAY,
    )
    await desk.h.deliver(paid, aggregate_id=invoice_id)
    now = await desk.read(order)
    assert (now["invoicing"], now["payment"]) == ("partial", "partial")
    now = await desk.act(order, "cancel", reason="three were enough")
    assert (now["status"], now["shipment"], now["invoicing"], now["payment"]) == ("confirmed", "full", "full", "full")


async def test_goods_that_are_still_there_are_cancelled_with_the_services(desk: Desk) -> None:
    order = await desk.confirmed(desk.line(), hours(desk))
    await desk.act(order, "perform", lines=[{"line_id": order["lines"][1]["id"], "quantity": "3"}])
    now = await desk.act(order, "cancel", reason="they moved")
    assert (now["status"], now["shipment"], [line["cancelled"] for line in now["lines"]]) == (
        "cancelled",
        "partial",
        ["0", "0"],
    )


async def test_services_are_changed_until_some_are_performed(desk: Desk) -> None:
    order = await desk.confirmed(hours(desk))
    await desk.act(order, "reopen", reason="fewer hours")
    now = await desk.read(order)
    assert (now["status"], now["revision"], now["allocation"]) == ("draft", 2, "none")
    await desk.act(order, "confirm")
    await desk.act(order, "perform", lines=[{"line_id": order["lines"][0]["id"], "quantity": "1"}])
    assert (await desk.act(order, "reopen", 409, reason="again"))["type"].endswith("order-partly-shipped")


async def test_goods_that_are_given_up_leave_the_services_that_were_performed(desk: Desk) -> None:
    order = await desk.confirmed(desk.line(), hours(desk, "4"), when_short="cancel")
    request = await desk.reservation()
    await desk.act(order, "perform")
    lines = [
        inventory.ReservedLine(
            line_id=line.line_id,
            item_id=line.item_id,
            warehouse_id=line.warehouse_id,
            requested=line.quantity,
            reserved=Decimal(0),
        )
        for line in request.lines
    ]
    await desk.answer(inventory.ReservationRejected, request, lines=lines, reason="none left")
    now = await desk.read(order)
    assert (now["status"], now["shipment"], [line["cancelled"] for line in now["lines"]]) == (
        "confirmed",
        "full",
        ["10", "0"],
    )
    assert (await desk.states(order))[-1] == "done"
