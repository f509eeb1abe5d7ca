"""The lots of a shipment: split with its lines, named when it leaves, and held back when quality has stopped one or its day is over."""

from datetime import date, timedelta
from decimal import Decimal

from ordered import Order

from contracts.inventory import LotCreated, LotStatus, LotStatusChanged
from contracts.lots import LotQuantity
from tailrace.core.ids import uuid7
from tailrace_testing import Harness, SetClock


def lot(number: str, quantity: int, expires_on: date | None = None) -> LotQuantity:
    return LotQuantity(lot_id=uuid7(), number=number, quantity=Decimal(quantity), expires_on=expires_on)


async def ask(order: Order, *lots: LotQuantity) -> str:
    line = order.line(order.bolts, "BOLT", str(sum(one.quantity for one in lots)))
    asked = order.request(lines=[line.model_copy(update={"lots": list(lots)})], customer_id=uuid7())
    await order.hear(asked)
    return str(asked.shipment_id)


async def test_lots_go_with_the_lines_and_leave_by_name(order: Order, shipping: Harness) -> None:
    shipment = await ask(order, lot("A", 4), lot("B", 6))
    listed = (await shipping.client.get(f"/v1/shipments/{shipment}/pick-list")).json()["lines"]
    assert [[(one["number"], one["quantity"]) for one in line["lots"]] for line in listed] == [[("A", "4"), ("B", "6")]]
    other = (await order.post(shipment, "split", lines=order.some("7"))).json()
    for id in (shipment, other["id"]):
        assert (await order.post(id, "dispatch")).status_code == 200
    left = {one.event.shipment_id: one.event for one in await shipping.published("shipment.dispatched")}
    shown = {
        str(id): [(one.number, int(one.quantity)) for one in event.lines[0].lots]
        for id, event in left.items()  # type: ignore[attr-defined]
    }
    assert shown == {other["id"]: [("A", 4), ("B", 3)], shipment: [("B", 3)]}
    assert len({event.customer_id for event in left.values()}) == 1  # type: ignore[attr-defined]
    ((said,),) = [[one["lots"] for one in each["lines"]] for each in await order.shipments() if each["id"] == shipment]
    assert [(one["number"], one["quantity"]) for one in said] == [("B", "3")]


async def test_what_quality_has_stopped_does_not_leave(order: Order, shipping: Harness, clock: SetClock) -> None:
    clock("2026-06-15T12:00:00+00:00")
    today = date(2026, 6, 15)
    good = lot("A", 4, today + timedelta(days=9))
    shipment = await ask(order, good)
    of_lot = {"lot_id": good.lot_id, "item_id": uuid7(), "number": "A"}

    async def say(status: LotStatus, previous: LotStatus) -> None:
        told = LotStatusChanged(**of_lot, status=status, previous=previous, reason="a sample")
        await shipping.deliver(told, aggregate_id=good.lot_id)

    await shipping.deliver(LotCreated(**of_lot, serial=False, status="released"), aggregate_id=good.lot_id)
    for status in ("blocked", "on_hold"):
        await say(status, "released")
        refused = await order.post(shipment, "dispatch")
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:tailrace:problem:lot-stopped")
        assert refused.json()["errors"][0]["field"] == "/lines/0/lots"
    assert await shipping.published("shipment.dispatched") == []
    await say("released", "on_hold")
    assert (await order.post(shipment, "dispatch")).status_code == 200
    old = await ask(order, lot("OLD", 1, today - timedelta(days=2)))
    assert "expired" in (await order.post(old, "dispatch")).json()["detail"]
