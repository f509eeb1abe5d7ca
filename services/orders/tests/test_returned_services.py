"""A service that was performed is taken back by the same return as goods, and waits for nothing of the warehouse."""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import UUID

from contracts.return_shipments import ReceivedInAll, ReturnExpectationEnded

from .conftest import Desk, shipping
from .test_returns import AT, Counter, fault, fault_of

FEE = {"net": 20, "tax_rate": "0.1"}


class Workshop(Counter):
    """Eight hours were performed, three and then five of them: the parts are the performances."""

    async def open(self, **terms: Any) -> "Workshop":
        hours = self.desk.line(item_id=str(self.desk.hour), quantity="8", unit_price="100")
        self.order = await self.desk.confirmed(hours, **terms)
        line_id = self.order["lines"][0]["id"]
        await self.desk.act(self.order, "perform", lines=[{"line_id": line_id, "quantity": "3"}])
        await self.desk.act(self.order, "perform", lines=[{"line_id": line_id, "quantity": "5"}])
        self.parts = [each.performance_id for each in await self.desk.asked("order.services_performed")]
        await self.say_why()
        return self

    async def say_why(self) -> None:
        made = await self.h.client.post("/v1/return-reasons", json={"code": "POOR", "name": "Poorly done"})
        self.reason = made.json()["id"]


async def test_it_is_taken_back_as_soon_as_that_is_agreed(desk: Desk) -> None:
    shop = await Workshop(desk).open()
    assert await shop.returnable() == ["3", "5"]
    made = await shop.ask(shop.line("2"), fee=FEE)
    assert (made["status"], await desk.asked("order.return_settlement_requested")) == ("requested", [])
    agreed = await shop.act(made, "authorise")
    assert (agreed["status"], agreed["return_shipment_id"]) == ("inspected", None)
    line = agreed["lines"][0]
    assert (line["performed"], line["shipment_number"]) == (True, f"{shop.order['number']}/1")
    assert [line[name] for name in ("received", "accepted", "sent_back")] == ["2", "2", "0"]
    (told,) = await desk.asked("order.return_authorised")
    assert (told.return_shipment_id, told.lines[0].performed, told.lines[0].shipment_id) == (None, True, shop.parts[0])
    (asked,) = await desk.asked("order.return_settlement_requested")
    assert [(each.shipment_id, each.quantity) for each in asked.lines] == [(shop.parts[0], 2)]
    assert asked.fee is not None
    assert asked.fee.net == 20
    assert fault_of(await shop.act(made, "cancel", 409, reason="late")) == "return-state"
    await shop.settle()
    now = await shop.read(made)
    assert [now[name] for name in ("status", "credited_net", "credited_tax", "fee")] == ["closed", 200, 20, 20]
    assert await shop.returnable() == ["1", "5"]


async def test_no_more_is_taken_back_than_was_performed_whoever_asks_at_once(desk: Desk) -> None:
    shop = await Workshop(desk).open()
    over = await shop.ask(shop.line("3.5"), status=409)
    assert fault(over) == ("more-than-shipped", "/lines/0/quantity")
    answers = await asyncio.gather(*[desk.h.client.post(AT, json=shop.body(shop.line("2"))) for _ in range(3)])
    assert sorted(each.status_code for each in answers) == [201, 409, 409]
    (made,) = [each.json() for each in answers if each.status_code == 201]
    dropped = await shop.act(made, "cancel", reason="it was well done")
    assert (dropped["status"], await shop.returnable()) == ("cancelled", ["3", "5"]), "a refused one binds nothing"
    assert await desk.asked("order.return_settlement_requested") == []


async def test_beside_goods_it_does_not_wait_for_these_nor_goes_with_them(desk: Desk) -> None:
    shop = Workshop(desk)
    hours = desk.line(item_id=str(desk.hour), quantity="8", unit_price="100")
    shop.order, _, asked = await shipping(desk, desk.line(), hours)
    await desk.dispatch(asked)
    await desk.act(shop.order, "perform")
    (performed,) = await desk.asked("order.services_performed")
    await shop.say_why()
    goods = {"shipment_id": str(asked.shipment_id), "line_id": shop.order["lines"][0]["id"], "quantity": "4"}
    work = {"shipment_id": str(performed.performance_id), "line_id": shop.order["lines"][1]["id"], "quantity": "1"}
    made = await shop.ask(goods, work, authorise=True, fee=FEE)
    assert (made["status"], [line["accepted"] for line in made["lines"]]) == ("partly_received", ["0", "1"])
    await shop.settle()
    assert (await shop.act(made, "cancel", reason="the goods are kept"))["cancelling"]
    nothing = [ReceivedInAll(return_line_id=made["lines"][0]["id"], quantity=Decimal(0))]
    await shop.tell(ReturnExpectationEnded, made, reason="kept", lines=nothing)
    assert [line["quantity"] for line in (await shop.read(made))["lines"]] == ["0", "1"]
    await shop.settle()
    now = await shop.read(made)
    assert [now[name] for name in ("status", "credited_net", "fee")] == ["closed", 100, 20]
    settled = await desk.asked("order.return_settlement_requested")
    assert [([line.line_id for line in each.lines], each.fee is not None) for each in settled] == [
        ([UUID(work["line_id"])], False),
        ([], True),
    ]
    assert await shop.returnable() == ["10", "7"]


async def test_it_is_done_once_more_in_exchange(desk: Desk) -> None:
    shop = await Workshop(desk).open()
    made = await shop.ask(shop.line("3", 1, outcome="exchange"), authorise=True)
    assert made["exchange_order_id"] is not None
    again = (await desk.h.client.get(f"/v1/orders/{made['exchange_order_id']}")).json()
    assert (again["status"], again["lines"][0]["kind"], again["lines"][0]["quantity"]) == ("confirmed", "service", "3")
    await shop.settle()
    assert (await shop.read(made))["status"] == "closed"
    await desk.h.pump()
    assert (await desk.act(again, "perform"))["shipment"] == "full"


async def test_what_was_performed_of_a_cancelled_order_is_taken_back(desk: Desk) -> None:
    shop = Workshop(desk)
    hours = desk.line(item_id=str(desk.hour), quantity="8", unit_price="100")
    shop.order = await desk.confirmed(desk.line(), hours)
    line_id = shop.order["lines"][1]["id"]
    await desk.act(shop.order, "perform", lines=[{"line_id": line_id, "quantity": "3"}])
    assert (await desk.act(shop.order, "cancel", reason="they moved"))["status"] == "cancelled"
    (performed,) = await desk.asked("order.services_performed")
    await shop.say_why()
    work = {"shipment_id": str(performed.performance_id), "line_id": line_id, "quantity": "3"}
    assert (await shop.ask(work, authorise=True))["status"] == "inspected"
    assert fault_of(await shop.ask(work, status=409)) == "more-than-shipped"
