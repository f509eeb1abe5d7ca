"""What may come back: no more than left, whoever asks at once; what was cancelled may be asked for again; and who may see it."""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from contracts import returns as events
from contracts.return_settlements import ReturnSettled, UnbilledLine
from contracts.return_shipments import (
    InspectedLine,
    ReceivedInAll,
    ReceivedLine,
    ReturnExpectationEnded,
    ReturnInspected,
    ShipmentReturned,
)
from contracts.users import UserCreated, UserDeleted
from orders.returns.bodies import FeeBody
from tailrace.core import clock
from tailrace.core.ids import uuid7

from .conftest import Desk, shipping
from .credit import Buyer

AT = "/v1/returns"


class Counter:
    """Ten bolts have left, six and then four of them."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.h = desk, desk.h
        self.order: dict[str, Any] = {}
        self.parts: list[UUID] = []
        self.reason = ""

    async def open(self, **terms: Any) -> "Counter":
        self.order, _, asked = await shipping(self.desk, **terms)
        self.parts = [asked.shipment_id, uuid7()]
        await self.desk.dispatch(asked, "6")
        await self.desk.dispatch(asked, "4", shipment=self.parts[1])
        made = await self.h.client.post("/v1/return-reasons", json={"code": "BROKEN", "name": "Broken"})
        self.reason = made.json()["id"]
        return self

    def line(self, quantity: str, part: int = 0, **given: Any) -> dict[str, Any]:
        return {
            "shipment_id": str(self.parts[part]),
            "line_id": self.order["lines"][0]["id"],
            "quantity": quantity,
            **given,
        }

    def body(self, *lines: dict[str, Any], **given: Any) -> dict[str, Any]:
        return {"order_id": self.order["id"], "return_reason_id": self.reason, "lines": list(lines), **given}

    async def ask(self, *lines: dict[str, Any], status: int = 201, **given: Any) -> dict[str, Any]:
        answer = await self.h.client.post(AT, json=self.body(*lines, **given))
        assert answer.status_code == status, answer.text
        return dict(answer.json())

    async def act(self, made: dict[str, Any], what: str, status: int = 200, **body: Any) -> dict[str, Any]:
        answer = await self.h.client.post(f"{AT}/{made['id']}/{what}", json=body or None)
        assert answer.status_code == status, answer.text
        return dict(answer.json())

    async def read(self, made: dict[str, Any]) -> dict[str, Any]:
        return dict((await self.h.client.get(f"{AT}/{made['id']}")).json())

    async def returnable(self) -> list[str]:
        found = await self.h.client.get(f"/v1/orders/{self.order['id']}/returnable")
        return [each["returnable"] for each in found.json()["lines"]]

    async def tell(self, kind: Any, made: dict[str, Any], **said: Any) -> None:
        ids = {name: made[name] for name in ("return_shipment_id", "order_id", "number")}
        event = kind(return_id=made["id"], **ids, **said)
        await self.h.deliver(event, aggregate_id=UUID(made["return_shipment_id"]))

    async def came(self, made: dict[str, Any], quantity: int) -> None:
        lines = [ReceivedLine(return_line_id=made["lines"][0]["id"], quantity=Decimal(quantity))]
        await self.tell(ShipmentReturned, made, lines=lines, complete=False, received_at=clock.now())

    async def judged(self, made: dict[str, Any], **verdicts: int) -> None:
        (line, *_) = made["lines"]
        names = ("shipment_id", "line_id", "item_id", "warehouse_id")
        lines = [
            InspectedLine(
                return_line_id=line["id"],
                verdict=verdict,
                quantity=Decimal(quantity),
                **{name: line[name] for name in names},
            )
            for verdict, quantity in verdicts.items()
        ]
        await self.tell(ReturnInspected, made, lines=lines, complete=False, inspected_at=clock.now())

    async def settle(self, *, invoiced: bool = True) -> None:
        """Accounting answers the newest request, with 100 and a tax of 10 for each bolt."""
        asked: events.ReturnSettlementRequested = (await self.desk.asked("order.return_settlement_requested"))[-1]
        many = int(sum(line.quantity for line in asked.lines))
        answer = ReturnSettled(
            return_settlement_id=asked.settlement_id,
            return_id=asked.return_id,
            return_number=asked.number,
            order_id=asked.order_id,
            currency="EUR",
            unbilled=[] if invoiced else [UnbilledLine(**each.model_dump(), net=0, tax=0) for each in asked.lines],
            unbilled_net=0 if invoiced else 100 * many,
            unbilled_tax=0 if invoiced else 10 * many,
            credited_net=100 * many,
            credited_tax=10 * many,
            fee=asked.fee.net if asked.fee else 0,
            effective_at=clock.now(),
        )
        await self.h.deliver(answer, aggregate_id=asked.settlement_id)


@pytest.fixture
async def counter(desk: Desk) -> Counter:
    return await Counter(desk).open()


def fault(answer: dict[str, Any]) -> tuple[str, str]:
    return answer["type"].rpartition(":")[2], answer["errors"][0]["field"]


async def test_no_more_comes_back_than_left_whoever_asks_at_once(counter: Counter) -> None:
    assert await counter.returnable() == ["6", "4"]
    over = await counter.ask(counter.line("5", 1), status=409)
    assert fault(over) == ("more-than-shipped", "/lines/0/quantity")
    both = [counter.line("4"), counter.line("3", outcome="exchange")]
    assert fault(await counter.ask(*both, status=409)) == ("more-than-shipped", "/lines/1/quantity")
    answers = await asyncio.gather(*[counter.h.client.post(AT, json=counter.body(counter.line("4"))) for _ in range(3)])
    assert sorted(each.status_code for each in answers) == [201, 409, 409]
    (made,) = [each.json() for each in answers if each.status_code == 201]
    assert (made["status"], made["number"], await counter.returnable()) == ("requested", "RT-000001", ["2", "4"])
    dropped = await counter.act(made, "cancel", reason="kept after all")
    assert (dropped["status"], await counter.returnable()) == ("cancelled", ["6", "4"])
    assert (await counter.act(made, "authorise", 409))["type"].endswith("return-state")


def test_a_fee_is_the_price_of_one_line() -> None:
    """Accounting asks for it once, at that price: what no invoice could say would never be asked for."""
    assert FeeBody.model_validate({"net": 10**12 - 1, "tax_rate": "0"}).net == 10**12 - 1
    with pytest.raises(ValidationError, match="less than 1000000000000"):
        FeeBody.model_validate({"net": 10**12, "tax_rate": "0"})


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"order_id": str(uuid7())}, "/order_id"),
        ({"return_reason_id": str(uuid7())}, "/return_reason_id"),
        ({"fee": {"net": 101, "tax_rate": "0.1"}}, "/fee/net"),
        ({"fee": {"net": 1}}, "/fee/tax_rate"),
        ({"fee": {"net": 1, "tax_code": "NOWHERE", "tax_rate": "0.1"}}, "/fee/tax_code"),
        ({"fee": {"net": 1, "tax_code": "std", "tax_rate": "0.1"}}, "/fee/tax_rate"),
        ({"line_id": str(uuid7())}, "/lines/0/line_id"),
        ({"shipment_id": "018f2f6e-0000-7000-8000-000000000000"}, "/lines/0/shipment_id"),
        ({"lines": 2}, "/lines/1/line_id"),
    ],
)
async def test_what_is_wrong_is_named(counter: Counter, wrong: dict[str, Any], field: str) -> None:
    line = counter.line(
        "1", **{name: value for name, value in wrong.items() if name in ("quantity", "line_id", "shipment_id")}
    )
    rest = {name: value for name, value in wrong.items() if name in ("order_id", "return_reason_id", "fee")}
    await counter.desk.tax_code(uuid7(), "STD", ("2020-01-01", "0.19"))
    refused = await counter.ask(*[line] * wrong.get("lines", 1), status=422, **rest)
    assert fault(refused)[1] == field
    assert await counter.desk.asked("order.return_requested") == []


async def test_it_is_settled_part_by_part_and_closed_once(counter: Counter) -> None:
    await counter.desk.tax_code(uuid7(), "None", ("2020-01-01", "0"))
    fee = {"net": 20, "tax_code": "NONE"}
    made = await counter.ask(counter.line("5", outcome="exchange"), authorise=True, fee=fee)
    assert (made["fee_tax_code"], made["fee_tax_rate"]) == ("None", "0")
    (told,) = await counter.desk.asked("order.return_authorised")
    assert (told.lines[0].quantity, told.lines[0].shipment_id, told.reason_code) == (5, counter.parts[0], "BROKEN")
    await counter.came(made, 3)
    await counter.judged(made, restock=1, scrap=1)
    await counter.settle()
    await counter.judged(made, send_back=1)
    assert ((await counter.read(made))["status"], await counter.returnable()) == ("partly_received", ["2", "4"])
    await counter.came(made, 2)
    assert (await counter.read(made))["status"] == "received"
    assert (await counter.act(made, "cancel", 409, reason="too late"))["type"].endswith("return-state")
    await counter.judged(made, restock=2)
    now = await counter.read(made)
    assert (now["status"], now["credited_net"], now["exchange_order_number"]) == ("inspected", 200, "SO-000002")
    await counter.settle()
    now = await counter.read(made)
    assert [now[name] for name in ("status", "credited_net", "credited_tax", "fee")] == ["closed", 400, 40, 20]
    asked = await counter.desk.asked("order.return_settlement_requested")
    assert [(sum(line.quantity for line in each.lines), each.fee is not None) for each in asked] == [
        (2, False),
        (2, True),
    ]
    replaced = (await counter.h.client.get(f"/v1/orders/{now['exchange_order_id']}")).json()
    assert [replaced[name] for name in ("status", "net", "tax", "customer_name")] == ["confirmed", 400, 40, "Ada Works"]
    assert await counter.returnable() == ["2", "4"], "what went back to the customer may come once more"


async def test_what_is_sent_in_exchange_is_taxed_as_the_company_rounds(desk: Desk) -> None:
    await desk.item(desk.bolt, "BOLT", tax="0.155")
    await desk.round_by("document", "down")
    counter = await Counter(desk).open()
    made = await counter.ask(counter.line("1", outcome="exchange"), authorise=True)
    await counter.came(made, 1)
    await counter.judged(made, restock=1)
    sent = (await counter.h.client.get(f"/v1/orders/{(await counter.read(made))['exchange_order_id']}")).json()
    assert (sent["net"], sent["tax"]) == (100, 15), "15.5, down"


async def test_what_is_sent_in_exchange_waits_for_credit_as_any_order_does(desk: Desk) -> None:
    ada = await (await Buyer(desk).described()).may_owe(100_000)
    counter = await Counter(desk).open(customer_id=str(ada.id))
    made = await counter.ask(counter.line("1", outcome="exchange"), authorise=True)
    await ada.may_owe(0)
    await counter.came(made, 1)
    await counter.judged(made, restock=1)
    at = f"/v1/orders/{(await counter.read(made))['exchange_order_id']}"
    replaced = (await counter.h.client.get(at)).json()
    assert (replaced["status"], replaced["credit_hold"]["reasons"]) == ("credit_hold", ["limit_exceeded"])


async def test_what_came_back_before_it_was_invoiced_is_owed_no_more(desk: Desk) -> None:
    ada = await (await Buyer(desk).described()).may_owe(2_000)
    counter = await Counter(desk).open(customer_id=str(ada.id))
    waits = await ada.order(10)
    assert (waits["status"], waits["credit_hold"]["exposure"]) == ("credit_hold", 1_100)
    made = await counter.ask(counter.line("2"), authorise=True)
    await counter.came(made, 2)
    await counter.judged(made, restock=2)
    await counter.settle(invoiced=False)
    assert await ada.status(waits) == ["confirmed"], "that made room"
    await ada.invoice(counter.order, 880)
    (sums,) = (await ada.stands())["sums"]
    assert (sums["open_orders"], sums["receivables"]) == (1_100, 880)


async def test_what_never_came_is_free_again_when_shipping_has_answered(counter: Counter) -> None:
    nothing = await counter.ask(counter.line("2"), authorise=True)
    some = await counter.ask(counter.line("3"), authorise=True)
    await counter.came(some, 1)
    for made in (nothing, some):
        assert (await counter.act(made, "cancel", reason="lost"))["cancelling"]
        assert fault_of(await counter.act(made, "cancel", 409, reason="lost")) == "return-being-cancelled"
    assert await counter.returnable() == ["1", "4"], "it may be at the door"
    for made, came in ((nothing, 0), (some, 1)):
        all_ = [ReceivedInAll(return_line_id=made["lines"][0]["id"], quantity=Decimal(came))]
        await counter.tell(ReturnExpectationEnded, made, reason="lost", lines=all_)
    assert await counter.returnable() == ["5", "4"]
    assert [(await counter.read(made))["status"] for made in (nothing, some)] == ["cancelled", "received"]
    await counter.judged(some, send_back=1)
    assert (await counter.read(some))["status"] == "closed", "nothing is left to settle"
    assert await counter.desk.asked("order.return_settlement_requested") == []


async def test_it_is_seen_by_who_sells_the_order_and_goes_on_with_it(desk: Desk) -> None:
    bo, cy = uuid7(), uuid7()
    for id in (bo, cy):
        await desk.h.deliver(
            UserCreated(user_id=id, email=f"{id}@a.example", name="Bo", roles=["sales"]), aggregate_id=id
        )
    desk.h.client = desk.h.client_as("orders:read orders:write", user=bo)
    counter = await Counter(desk).open()
    made = await counter.ask(counter.line("1"))
    assert made["owner_id"] == str(bo)
    own = "orders:read:own orders:write:own"
    for user, status in ((bo, 200), (cy, 404)):
        assert (await desk.h.client_as(own, user=user).get(f"{AT}/{made['id']}")).status_code == status
    asked = await desk.h.client_as(own, user=cy).post(AT, json=counter.body(counter.line("1")))
    assert (asked.status_code, asked.json()["errors"][0]["field"]) == (422, "/order_id")
    await desk.h.deliver(UserDeleted(user_id=bo, successor_id=cy), aggregate_id=bo)
    await desk.h.make_timers_due()
    await desk.h.fire_timers()
    assert (await desk.h.client_as(own, user=cy).get(f"{AT}/{made['id']}")).json()["owner_id"] == str(cy)


def fault_of(answer: dict[str, Any]) -> str:
    return str(answer["type"].rpartition(":")[2])


async def test_what_is_sent_in_exchange_binds_at_the_tax_of_its_day(desk: Desk) -> None:
    counter = await Counter(desk).open()
    made = await counter.ask(counter.line("1", outcome="exchange"), authorise=True)
    await desk.item(desk.bolt, "BOLT", tax="0.12")
    await counter.came(made, 1)
    await counter.judged(made, restock=1)
    at = f"/v1/orders/{(await counter.read(made))['exchange_order_id']}"
    sent = (await desk.h.client.get(at)).json()
    assert (sent["status"], sent["net"], sent["tax"]) == ("draft", 100, 10)
    now = await desk.act(sent, "confirm", reprice=True)
    assert (now["status"], now["net"], now["tax"]) == ("confirmed", 100, 12)
