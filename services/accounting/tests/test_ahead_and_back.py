"""A seeded day of prepayments, invoices, payments, credit notes and returns, in any order: the books come to what the log of requests says."""

import random
from collections.abc import Callable, Coroutine
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from billing import Billing, Ordered
from month.reckoning import MonthLedger

from contracts.return_settlements import ReturnSettled
from contracts.returns import ReturnSettlementRequested, ReturnToSettle
from tailrace.core.ids import uuid7

STEPS = 70
ACCOUNTS = {
    "1000": "cash",
    "1200": "receivable",
    "1210": "unbilled",
    "2200": "tax",
    "2300": "credit",
    "2310": "unknown",
    "2320": "ahead",
    "4000": "revenue",
}


class Day:
    """What was asked, and the log of it."""

    def __init__(self, billing: Billing, dice: random.Random, country: str) -> None:
        self.b, self.dice, self.country = billing, dice, country
        self.log: list[dict[str, Any]] = []
        self.orders: list[Ordered] = []
        self.shipped: list[str] = []
        self.drafts: list[tuple[str, list[str]]] = []
        self.invoices: list[str] = []
        self.payments: list[str] = []
        self.left: dict[tuple[str, int], tuple[Ordered, int]] = {}
        """By shipment and place of a line, how much of it is still with the customer."""
        self.asked_ahead: set[UUID] = set()
        self.bank = ""

    def did(self, what: str, **said: Any) -> None:
        self.log.append({"did": what, "day": str(date.max), "currency": "EUR", **said})

    async def open(self) -> None:
        self.bank = str(
            (await self.b.post("/bank-accounts", code="HB", name="Bank", currency="EUR", account="1000"))["id"]
        )
        taxed = "supplied" if self.country == "JP" else "received"
        await self.b.put("/billing", prepayments_taxed=taxed)
        self.did("received", item="i", warehouse="w", quantity="1000000", value=0, reason="purchase")
        await self.order()

    async def order(self) -> None:
        lines = [
            (str(self.dice.randint(1, 9)), self.dice.randint(1, 400), self.dice.choice(["0.1", "0.08", "0.19", "0"]))
            for _ in range(self.dice.randint(1, 4))
        ]
        order = await self.b.order(*lines)
        self.orders.append(order)
        said = [
            {"item": "i", "warehouse": "w", "quantity": q, "unit_price": f"{net}/{q}", "rate": rate}
            for q, net, rate in lines
        ]
        self.did("ordered", order=str(order.id), customer=str(self.b.ada), lines=said)
        if self.dice.random() < 0.6:
            await self.ahead(order)

    async def ahead(self, order: Ordered) -> None:
        share = self.dice.choice(["0.3", "0.5", "1"])
        amount = (order.event.net + order.event.tax) * Decimal(share)
        if amount < 1:
            return
        draft = await self.b.post("/invoices", order_id=str(order.id), prepayment={"share": share})
        await self.issue_(draft["id"])
        self.did("asked_ahead", invoice=draft["id"], order=str(order.id), share=share)
        if self.dice.random() < 0.7:
            await self.pay_(draft["id"])

    async def ship(self) -> None:
        order = self.dice.choice(self.orders)
        rest = [int(line.quantity - order.left.get(line.line_id, 0)) for line in order.event.lines]
        cut = [each if self.dice.random() < 0.5 else self.dice.randint(0, each) for each in rest]
        if any(cut):
            shipment = str(await self.b.ship(order, *map(str, cut)))
            self.did("shipped", order=str(order.id), shipment=shipment, quantities=[str(each) for each in cut])
            self.shipped.append(shipment)
            self.left |= {(shipment, at): (order, each) for at, each in enumerate(cut) if each}

    async def draft(self) -> None:
        if self.shipped:
            many = self.dice.randint(1, min(3, len(self.shipped)))
            shipments = [self.shipped.pop(self.dice.randrange(len(self.shipped))) for _ in range(many)]
            self.drafts.append(((await self.b.post("/invoices", shipment_ids=shipments))["id"], shipments))

    async def issue(self) -> None:
        if self.drafts:
            id, shipments = self.drafts.pop(self.dice.randrange(len(self.drafts)))
            if (await self.b.get(f"/invoices/{id}"))["status"] == "draft":
                await self.issue_(id)
                self.did("invoiced", invoice=id, shipments=shipments)

    async def issue_(self, id: str) -> None:
        await self.b.post(f"/invoices/{id}/issue", 200)
        self.invoices.append(id)

    async def some(self, which: Callable[[dict[str, Any]], bool]) -> dict[str, Any] | None:
        """One of the invoices that bind."""
        for id in self.dice.sample(self.invoices, len(self.invoices)):
            invoice = await self.b.get(f"/invoices/{id}")
            if which(invoice):
                return invoice
        return None

    async def pay(self) -> None:
        if invoice := await self.some(lambda one: one["open"] > 0):
            await self.pay_(invoice["id"])

    async def pay_(self, id: str) -> None:
        open_ = (await self.b.get(f"/invoices/{id}"))["open"]
        amount = max(open_ + self.dice.choice([0, -self.dice.randint(0, open_), 77]), 1)
        said = {"amount": amount, "customer_id": str(self.b.ada), "allocations": [{"invoice_id": id}]}
        payment = await self.b.post("/payments", bank_account_id=self.bank, **said)
        self.payments.append(payment["id"])
        about = {"payment": payment["id"], "amount": amount, "known": True, "customer": str(self.b.ada)}
        self.did("paid", **about, invoices=[id])

    async def allocate(self) -> None:
        for id in self.dice.sample(self.payments, len(self.payments)):
            payment = await self.b.get(f"/payments/{id}")
            invoice = await self.some(lambda one: one["open"] > 0)
            if payment["unallocated"] and invoice and payment["status"] == "received":
                await self.b.post(f"/payments/{id}/allocate", 200, allocations=[{"invoice_id": invoice["id"]}])
                self.did("allocated", payment=id, invoice=invoice["id"])
                return

    async def undo(self) -> None:
        if self.payments:
            payment = await self.b.get(f"/payments/{self.dice.choice(self.payments)}")
            if len(payment["allocations"]) == 1:
                only = payment["allocations"][0]
                await self.b.post(f"/payments/{payment['id']}/allocations/{only['id']}/undo", 200, reason="no")
                self.did("undone", payment=payment["id"], invoice=only["invoice_id"])

    async def bounce(self) -> None:
        if self.payments:
            id = self.payments.pop(self.dice.randrange(len(self.payments)))
            await self.b.post(f"/payments/{id}/return", 200, reason="The bank took it back.")
            self.did("bounced", payment=id)

    async def credit(self) -> None:
        invoice = await self.some(lambda one: one["status"] in ("issued", "partly_paid", "paid"))
        if invoice is None:
            return
        at = f"/invoices/{invoice['id']}/credit-notes"
        left = {place: line["net"] - line["credited_net"] for place, line in enumerate(invoice["lines"])}
        if invoice["kind"] == "prepayment":
            if (
                invoice["open"]
                and invoice["paid"] == 0
                and not MonthLedger(self.log, self.country).deducted(invoice["id"])
            ):
                await self.b.post(at, reason="a mistake")
                self.did("credited", invoice=invoice["id"], nets={})
            return
        nets = {place: self.dice.randint(1, net) for place, net in left.items() if net > 0 and self.dice.random() < 0.4}
        if any(net > 0 for net in left.values()):
            lines = [{"line_id": invoice["lines"][place]["id"], "net": net} for place, net in nets.items()]
            await self.b.post(at, reason="a mistake", lines=lines)
            self.did("credited", invoice=invoice["id"], nets=nets)

    async def give_back(self) -> None:
        if not self.left:
            return
        shipment, place = self.dice.choice(sorted(self.left))
        order, there = self.left[shipment, place]
        many = self.dice.randint(1, there)
        self.left[shipment, place] = (order, there - many)
        if there == many:
            del self.left[shipment, place]
        line = ReturnToSettle(
            shipment_id=UUID(shipment), line_id=order.event.lines[place].line_id, quantity=Decimal(many)
        )
        about: dict[str, Any] = {"number": "RT-000001", "reason": "Broken", "currency": "EUR", "fee": None}
        asked = ReturnSettlementRequested(
            return_id=uuid7(), order_id=order.id, settlement_id=uuid7(), lines=[line], **about
        )
        await self.b.h.deliver(asked, aggregate_id=asked.return_id)
        parts = [{"shipment": shipment, "at": place, "restock": many, "scrap": 0}]
        self.did("returned", **{"return": str(asked.return_id)}, order=str(order.id), parts=parts)
        if shipment in self.shipped and not any(each[0] == shipment for each in self.left):
            self.shipped.remove(shipment)

    def acts(self) -> dict[Callable[[], Coroutine[Any, Any, None]], int]:
        often = {self.order: 3, self.ship: 6, self.draft: 4, self.issue: 5, self.pay: 5, self.give_back: 5}
        return {**often, self.credit: 3, self.undo: 2, self.allocate: 2, self.bounce: 1}


@pytest.mark.parametrize(("seed", "country"), [(1, "DE"), (2, "JP")])
async def test_the_books_come_to_what_was_asked(billing: Billing, seed: int, country: str) -> None:
    day = Day(billing, random.Random(seed), country)
    await day.open()
    acts = day.acts()
    for act in day.dice.choices(list(acts), list(acts.values()), k=STEPS):
        await act()
    await check(day)
    kinds = {each["did"] for each in day.log}
    assert kinds >= {"asked_ahead", "paid", "invoiced", "credited", "returned", "undone", "bounced"}


async def check(day: Day) -> None:
    billing, ledger = day.b, MonthLedger(day.log, day.country)
    books = await billing.balances()
    found = {ACCOUNTS[code]: amount for code, amount in books.items()}
    assert found == {what: amount for (what, _), amount in ledger.as_of(str(date.max)).items()}
    for id in day.invoices:
        assert (await billing.get(f"/invoices/{id}"))["open"] == ledger.open_of(id)
    for each in await billing.h.published("accounting.return.settled"):
        event = each.event
        assert isinstance(event, ReturnSettled)
        assert [event.credited_net, event.credited_tax] == ledger.taken_back[str(event.return_id)]
