"""The lots of a shipment: split with its lines, named when it leaves, and held back when quality has stopped one or its day is over."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from ordered import Order

from contracts.inventory import LotCreated, LotStatus, LotStatusChanged
from contracts.lots import LotQuantity
from contracts.return_shipments import ReturnInspected
from contracts.shipments import ShipmentDispatched
from tailrace.core.ids import uuid7
from tailrace_testing import Harness, SetClock

from .test_returns import Back


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
    left = {one.event.shipment_id: one.event for one in await shipping.published(ShipmentDispatched)}
    shown = {str(id): [(one.number, int(one.quantity)) for one in event.lines[0].lots] for id, event in left.items()}
    assert shown == {other["id"]: [("A", 4), ("B", 3)], shipment: [("B", 3)]}
    assert len({event.customer_id for event in left.values()}) == 1
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


async def told_of(shipping: Harness, *lots: LotQuantity, serial: bool) -> None:
    for one in lots:
        told = LotCreated(lot_id=one.lot_id, item_id=uuid7(), number=one.number, serial=serial, status="released")
        await shipping.deliver(told, aggregate_id=one.lot_id)


async def returned(shipping: Harness, order: Order, shipment: str, quantity: str, decimals: int = 0) -> Back:
    """So many bolts of a shipment that are expected back."""
    back = Back(shipping, UUID(shipment))
    line = back.line(back.bolts, "BOLT", quantity, decimals).model_copy(update={"line_id": order.bolts})
    await back.authorised([line])
    return back


async def named(back: Back, quantity: str, status: int, **lots: str) -> Any:
    """An inspection that names so much of these; the field that is at fault."""
    said = [{"number": number, "quantity": much} for number, much in lots.items()]
    line = {"return_line_id": str(back.bolts), "verdict": "restock", "quantity": quantity, "lots": said}
    answer = await back.post("inspect", status, lines=[line])
    return answer if status == 200 else answer["errors"][0]["field"]


async def test_of_a_lot_no_finer_part_comes_back_than_its_unit_has_and_of_a_piece_none(
    order: Order, shipping: Harness
) -> None:
    boxes, pieces = [lot(number, 4) for number in "AB"], [lot(number, 1) for number in ("S1", "S2")]
    await told_of(shipping, *boxes, serial=False)
    await told_of(shipping, *pieces, serial=True)
    for decimals, lots in ((0, boxes), (1, boxes), (1, pieces)):
        shipment = await ask(order, *lots)
        assert (await order.post(shipment, "dispatch")).status_code == 200
        back = await returned(shipping, order, shipment, "2", decimals)
        await back.came("2")
        halves = {one.number: "0.5" for one in lots}
        if decimals and lots is boxes:
            assert (await named(back, "1", 200, **halves))["status"] == "received"
        else:
            assert await named(back, "1", 422, **halves) == "/lines/0/lots/0/quantity"
        order.id, order.bolts = uuid7(), uuid7()


async def test_that_a_lot_is_a_piece_outlasts_what_quality_says_and_is_waited_for(
    order: Order, shipping: Harness
) -> None:
    pieces = [lot(number, 1) for number in ("S1", "S2")]
    shipment = await ask(order, *pieces)
    assert (await order.post(shipment, "dispatch")).status_code == 200
    back = await returned(shipping, order, shipment, "2")
    answer = await back.judge(409, restock="1")
    assert answer["type"].endswith("shipment-state"), "nothing has come: which lots are said is no question yet"
    await back.came("1")
    assert (await back.judge(409, restock="1"))["type"].endswith("not-yet-known"), "a copy that has yet to fill"
    await told_of(shipping, *pieces, serial=True)
    for one in pieces:
        of = {"lot_id": one.lot_id, "item_id": uuid7(), "number": one.number}
        stopped = LotStatusChanged(**of, status="on_hold", previous="released", reason="a sample")
        await shipping.deliver(stopped, aggregate_id=one.lot_id)
    assert (await back.judge(422, restock="1"))["errors"][0]["field"] == "/lines/0/lots"
    assert (await named(back, "1", 200, S2="1"))["status"] == "partly_received"


async def test_a_return_names_which_piece_it_is_of_those_that_left(order: Order, shipping: Harness) -> None:
    pieces = [lot(number, 1) for number in ("S1", "S2", "S3")]
    await told_of(shipping, *pieces, serial=True)
    shipment = await ask(order, *pieces)
    assert (await order.post(shipment, "dispatch")).status_code == 200

    async def expected(quantity: str) -> tuple[str, str]:
        back = await returned(shipping, order, shipment, quantity)
        await back.came(quantity)
        return f"/v1/return-shipments/{back.id}", str(back.bolts)

    async def judge(of: tuple[str, str], status: int, *said: tuple[str, list[str] | None], many: int = 1) -> Any:
        at, line = of
        lines = [
            {"return_line_id": line, "verdict": verdict, "quantity": str(len(numbers) if numbers else many)}
            | ({"lots": [{"number": each, "quantity": "1"} for each in numbers]} if numbers else {})
            for verdict, numbers in said
        ]
        answer = await shipping.client.post(f"{at}/inspect", json={"lines": lines})
        assert answer.status_code == status, answer.text
        return answer.json() if status == 200 else answer.json()["errors"][0]["field"]

    one = await expected("2")
    assert await judge(one, 422, ("restock", None)) == "/lines/0/lots", "another piece would be taken for it"
    assert await judge(one, 422, ("restock", ["S9"])) == "/lines/0/lots/0"
    assert await judge(one, 422, ("restock", ["S2", "S2"])) == "/lines/0/lots/1/number"
    assert await judge(one, 422, ("restock", ["S2"]), ("scrap", ["s2"])) == "/lines/1/lots/0"
    shown = await judge(one, 200, ("restock", ["s2"]))
    assert [each["number"] for each in shown["lines"][0]["lots"]] == ["S2"]
    assert await judge(one, 422, ("restock", ["S2"])) == "/lines/0/lots/0", "it is back"
    await judge(one, 200, ("send_back", ["S3"]))
    other = await expected("2")
    assert await judge(other, 422, ("restock", ["S2"])) == "/lines/0/lots/0", "nor by another return"
    known = "UPDATE return_shipment_line SET lots = $1"
    before = await shipping.admin.fetchval("SELECT lots FROM return_shipment_line WHERE lots <> '[]'")
    await shipping.admin.execute(known, "[]")
    assert await judge(other, 422, ("restock", ["S1"])) == "/lines/0/lots/0", "the first was kept, where none was said"
    await shipping.admin.execute(f"{known} WHERE restocked > 0", before)
    await judge(other, 200, ("scrap", None), many=2)
    said = [each.event for each in await shipping.published("shipment.return_inspected")]
    assert [[lot.number for lot in each.lines[0].lots] for each in said if isinstance(each, ReturnInspected)] == [
        ["S2"],
        ["S3"],
        ["S1", "S3"],
    ]
