"""What comes back: no more than is expected, no more judged than has come, what nobody expected is noted, and the end of waiting is answered."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from ordered import Answer, Order

from contracts.return_shipments import ReturnExpectationEnded, ReturnInspected, ShipmentReturned
from contracts.returns import ReturnAuthorised, ReturnCancellationRequested, ReturnLine
from tailrace.core import clock
from tailrace.core.ids import uuid7
from tailrace_testing import Harness


class Back:
    """A return that orders agreed to: three bolts, and a kilogram and a half of flour."""

    def __init__(self, shipping: Harness, left: UUID | None = None) -> None:
        self.shipping, self.id, self.asked = shipping, uuid7(), uuid7()
        self.left = left or uuid7()
        self.bolts, self.flour = uuid7(), uuid7()

    def line(self, id: UUID, sku: str, quantity: str, decimals: int) -> ReturnLine:
        ids = {name: uuid7() for name in ("line_id", "item_id", "warehouse_id")} | {"shipment_id": self.left}
        said: Any = {"sku": sku, "name": sku.title(), "quantity": quantity, "decimals": decimals, "outcome": "refund"}
        return ReturnLine(return_line_id=id, **ids, **said)

    async def expect(self) -> "Back":
        await self.authorised([self.line(self.bolts, "BOLT", "3", 0), self.line(self.flour, "FLOUR", "1.5", 3)])
        return self

    async def authorised(self, lines: list[ReturnLine], **given: Any) -> None:
        said: Any = {"customer_name": "Hanako Sato", "reason_code": "BROKEN", "reason": "Broken", "currency": "JPY"}
        asked = ReturnAuthorised(
            return_id=self.asked,
            order_id=uuid7(),
            number="RT-000001",
            order_number="SO-000001",
            lines=lines,
            **{"return_shipment_id": self.id, **said, **given},
        )
        await self.shipping.deliver(asked, aggregate_id=self.asked)

    async def end(self) -> None:
        asked = ReturnCancellationRequested(
            return_shipment_id=self.id, return_id=self.asked, order_id=uuid7(), reason="kept after all"
        )
        await self.shipping.deliver(asked, aggregate_id=self.asked)

    async def post(self, what: str, status: int = 200, **body: Any) -> Answer:
        answer = await self.shipping.client.post(f"/v1/return-shipments/{self.id}/{what}", json=body)
        assert answer.status_code == status, answer.text
        return dict(answer.json())

    async def came(self, bolts: str, status: int = 200, **given: Any) -> Answer:
        return await self.post(
            "receive", status, lines=[{"return_line_id": str(self.bolts), "quantity": bolts}], **given
        )

    async def judge(self, status: int = 200, line: UUID | None = None, /, **verdicts: str) -> Answer:
        of = str(line or self.bolts)
        lines = [{"return_line_id": of, "verdict": each, "quantity": much} for each, much in verdicts.items()]
        return await self.post("inspect", status, lines=lines)

    async def told(self, type: str) -> list[Any]:
        return [each.event for each in await self.shipping.published(type)]


def fault(answer: Answer) -> tuple[str, str]:
    return answer["type"].rpartition(":")[2], answer["errors"][0]["field"]


async def test_services_are_not_expected(shipping: Harness) -> None:
    back = Back(shipping)
    work, bolts = uuid7(), back.line(back.bolts, "BOLT", "3", 0)
    service = back.line(work, "HOUR", "2", 2).model_copy(update={"performed": True})
    await back.authorised([service, bolts])
    (told,) = await back.told("shipment.return_expected")
    assert [line.return_line_id for line in told.lines] == [back.bolts]
    await back.came("3")
    await back.judge(restock="3")
    assert (await back.told("shipment.return_inspected"))[-1].complete
    alone = Back(shipping)
    await alone.authorised([service])
    assert len(await back.told("shipment.return_expected")) == 1
    assert len((await shipping.client.get("/v1/return-shipments")).json()["items"]) == 1


async def test_it_comes_in_parts_and_is_judged_in_parts(shipping: Harness) -> None:
    back = await Back(shipping).expect()
    assert (await back.judge(409, restock="1"))["type"].endswith("shipment-state"), "nothing has come"
    assert (await back.came("2"))["status"] == "partly_received"
    assert fault(await back.judge(409, restock="3")) == ("more-than-there-is", "/lines/0/quantity")
    assert (await back.judge(restock="1", scrap="1"))["status"] == "partly_received"
    rest = [
        {"return_line_id": str(back.bolts), "quantity": "1"},
        {"return_line_id": str(back.flour), "quantity": "1.5"},
    ]
    assert (await back.post("receive", lines=rest))["status"] == "received"
    assert (await back.judge(send_back="1"))["status"] == "received"
    done = await back.judge(200, back.flour, restock="0.5", scrap="1")
    figures = [
        [line[name] for name in ("expected", "received", "restocked", "scrapped", "sent_back")]
        for line in done["lines"]
    ]
    assert (done["status"], figures) == ("inspected", [["3", "3", "1", "1", "1"], ["1.5", "1.5", "0.5", "1", "0"]])
    returned: list[ShipmentReturned] = await back.told("shipment.returned")
    assert [(len(each.lines), each.complete) for each in returned] == [(1, False), (2, True)]
    looked: list[ReturnInspected] = await back.told("shipment.return_inspected")
    assert [each.complete for each in looked] == [False, False, True]
    assert [(line.verdict, line.quantity) for line in looked[0].lines] == [
        ("restock", Decimal(1)),
        ("scrap", Decimal(1)),
    ]


async def test_what_was_not_agreed_is_refused_or_noted(shipping: Harness) -> None:
    back = await Back(shipping).expect()
    assert fault(await back.came("4", 409)) == ("more-than-there-is", "/lines/0/quantity")
    assert fault(await back.came("0.5", 422))[1] == "/lines/0/quantity"
    strange = {"return_line_id": str(uuid7()), "quantity": "1"}
    assert fault(await back.post("receive", 422, lines=[strange])) == ("invalid", "/lines/0/return_line_id")
    twice = [{"return_line_id": str(back.bolts), "quantity": "1"}] * 2
    assert fault(await back.post("receive", 422, lines=twice)) == ("invalid", "/lines/1/return_line_id")
    await back.post("receive", 422)
    assert await back.told("shipment.returned") == [], "nothing was half done"
    nut = {"description": "A nut", "quantity": "1", "note": "not ours"}
    assert (await back.post("receive", unexpected=[nut]))["status"] == "expected"
    assert (await back.came("3", unexpected=[nut]))["unexpected"] == [nut, nut]
    both = await asyncio.gather(
        *[
            shipping.client.post(
                f"/v1/return-shipments/{back.id}/inspect",
                json={"lines": [{"return_line_id": str(back.bolts), "verdict": "restock", "quantity": "2"}]},
            )
            for _ in range(2)
        ]
    )
    assert sorted(each.status_code for each in both) == [200, 409], "of two at once, one finds enough"


async def test_nothing_is_back_before_it_left(shipping: Harness, order: Order) -> None:
    shipment, left = await order.shipment(), clock.now() - timedelta(days=2)
    assert (await order.post(shipment, "dispatch", dispatched_at=left.isoformat())).status_code == 200
    back = await Back(shipping, UUID(shipment)).expect()
    early, late = [(left + timedelta(hours=hours)).isoformat() for hours in (-1, 1)]
    assert fault(await back.came("1", 422, received_at=early)) == ("invalid", "/received_at")
    assert (await back.came("1", received_at=late))["status"] == "partly_received"
    # On the day that it left it came after it left.
    assert fault(await back.came("1", 422, received_at=str((left - timedelta(days=1)).date())))[1] == "/received_at"
    assert (await back.came("1", received_at=str(left.date())))["received_at"] == left.isoformat().replace(
        "+00:00", "Z"
    )


async def test_the_end_of_waiting_is_answered_with_what_had_come(shipping: Harness) -> None:
    nothing, some = await Back(shipping).expect(), await Back(shipping).expect()
    await nothing.end()
    assert (await nothing.came("1", 409))["type"].endswith("shipment-state")
    await some.came("2")
    await some.end()
    await some.judge(restock="2")
    await some.end()
    answers: list[ReturnExpectationEnded] = await some.told("shipment.return_cancelled")
    came = {
        each.return_id: [[line.quantity for line in one.lines] for one in answers if one.return_id == each.return_id]
        for each in answers
    }
    assert came == {nothing.asked: [[0, 0]], some.asked: [[2, 0], [2, 0]]}
    said = (await shipping.client.get("/v1/return-shipments")).json()["items"]
    assert {each["id"]: each["status"] for each in said} == {str(nothing.id): "cancelled", str(some.id): "inspected"}
