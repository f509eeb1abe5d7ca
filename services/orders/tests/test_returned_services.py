"""A service that was performed is taken back by the same return as goods, and waits for nothing of the warehouse."""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from contracts.return_shipments import (
    InspectedLine,
    ReceivedInAll,
    ReceivedLine,
    ReturnExpectationEnded,
    ReturnInspected,
    ShipmentReturned,
)
from contracts.users import UserCreated, UserDeleted
from orders.credit import commands as credit
from tailrace.core import clock
from tailrace.core.ids import uuid7
from tailrace.http import read_your_writes

from .conftest import Desk, shipping
from .credit import Buyer
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
    assert (told.lines[0].performed, told.lines[0].shipment_id) == (True, shop.parts[0])
    assert isinstance(told.return_shipment_id, UUID), "what has always been said is said, though nothing is expected"
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


async def test_what_is_exchanged_of_an_order_that_stayed_with_a_leaver_is_ordered_by_who_took_over(desk: Desk) -> None:
    ada, bo = uuid7(), uuid7()
    for id, name in ((ada, "Ada"), (bo, "Bo")):
        user = UserCreated(user_id=id, email=f"{id}@a.example", name=name, roles=["sales"])
        await desk.h.deliver(user, aggregate_id=id)
    desk.h.client = desk.h.client_as("orders:read orders:write", user=ada)
    shop = await Workshop(desk).open()
    made = await shop.ask(shop.line("3", outcome="exchange"))
    await desk.h.deliver(UserDeleted(user_id=ada, successor_id=bo), aggregate_id=ada)
    await desk.h.make_timers_due()
    await desk.h.fire_timers()
    assert (await desk.read(shop.order))["owner_id"] == str(ada), "of which nothing was to come"
    desk.h.client = desk.h.client_as("orders:read:own orders:write:own", user=bo)
    agreed = await shop.act(made, "authorise")
    again = (await desk.h.client.get(f"/v1/orders/{agreed['exchange_order_id']}")).json()
    assert (again["owner_name"], again["lines"][0]["quantity"]) == ("Bo", "3")


async def test_what_a_shipping_of_before_says_of_it_settles_nothing_twice(desk: Desk) -> None:
    """It would have expected the hours as goods; what is closed stays closed."""
    shop = await Workshop(desk).open()
    made = await shop.ask(shop.line("2"), authorise=True)
    await shop.settle()
    before = await shop.read(made)
    (told,) = await desk.asked("order.return_authorised")
    as_expected = {**made, "return_shipment_id": str(told.return_shipment_id)}
    (line,) = made["lines"]
    much = {"return_line_id": line["id"], "quantity": Decimal(2)}
    ids = {name: line[name] for name in ("shipment_id", "line_id", "item_id", "warehouse_id")}
    came, at = [ReceivedLine(**much)], clock.now()
    await shop.tell(ShipmentReturned, as_expected, lines=came, complete=True, received_at=at)
    looked_at = [InspectedLine(**much, **ids, verdict="restock")]
    await shop.tell(ReturnInspected, as_expected, lines=looked_at, complete=True, inspected_at=at)
    assert before["status"] == "closed"
    assert await shop.read(made) == before
    assert len(await desk.asked("order.return_settlement_requested")) == 1


async def test_the_customer_is_locked_before_the_order_where_it_may_be_ordered_once_more(desk: Desk) -> None:
    buyer = await Buyer(desk).described()
    shop = await Workshop(desk).open(customer_id=str(buyer.id))
    body = shop.body(shop.line("3", outcome="exchange"), authorise=True)
    here = "(SELECT oid FROM pg_database WHERE datname = current_database())"
    waits = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = {here}"
    async with desk.h.tx() as tx:
        await credit.lock(tx, buyer.id)
        asked = asyncio.create_task(desk.h.client.post(AT, json=body))
        async with asyncio.timeout(20):
            while not await desk.h.admin.fetchval(waits):  # noqa: ASYNC110  (a lock in the database tells nobody)
                await asyncio.sleep(0.01)
        # Raises while somebody has the order locked.
        await desk.h.admin.execute("SELECT 1 FROM sales_order WHERE id = $1 FOR UPDATE NOWAIT", UUID(shop.order["id"]))
    assert (await asked).status_code == 201


async def test_only_who_asks_for_it_back_waits_for_what_was_performed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_your_writes, "LONGEST", 0.1)
    shop = await Workshop(desk).open()
    made = await shop.ask(shop.line("1"))
    order = await desk.confirmed(desk.line(item_id=str(desk.hour), quantity="8", unit_price="100"))
    performed = await desk.h.client.post(f"/v1/orders/{order['id']}/perform")
    after = {read_your_writes.HEADER: performed.headers["Tailrace-Event"]}
    body = shop.body(shop.line("1"))

    async def answers() -> list[int]:
        client = desk.h.client
        returnable = await client.get(f"/v1/orders/{order['id']}/returnable", headers=after)
        asked = await client.post(AT, json=body, headers=after)
        read = await client.get(f"{AT}/{made['id']}", headers=after)
        return [each.status_code for each in (returnable, asked, read)]

    assert await answers() == [503, 503, 200]
    await desk.h.pump()
    assert await answers() == [200, 201, 200]
