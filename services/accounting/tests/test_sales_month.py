"""A seeded month of orders, shipments, invoices, credit notes and payments, with mistakes.

The books come to what the log of requests says, now and as of days within it, and receivables agree with what is open.
"""

import random
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from billing import ISSUER, Billing, Ordered
from request_ledger import RequestLedger

from tailrace.core.ids import uuid7
from tailrace_testing import today

DAYS = 24
ACCOUNTS = {
    "1200": "receivable",
    "1210": "unbilled",
    "4000": "revenue",
    "2200": "tax",
    "2300": "credit",
    "2310": "unknown",
    "1001": "cash",
    "1002": "cash",
    "1003": "cash",
}


class Month:
    """What was asked, day by day, and the log of it."""

    def __init__(self, billing: Billing, dice: random.Random) -> None:
        self.b, self.dice = billing, dice
        self.log: list[dict[str, Any]] = []
        self.orders: list[Ordered] = []
        self.shipped: dict[tuple[str, str], list[str]] = {}
        self.invoices: list[dict[str, Any]] = []
        self.payments: list[dict[str, Any]] = []
        self.banks: dict[str, str] = {}
        self.customers: list[Any] = []

    async def open(self) -> None:
        for currency in ("EUR", "JPY", "USD"):
            self.banks[currency] = await self.b.bank(currency)
        self.customers = [self.b.ada, await self.b.customer(uuid7(), "C-2", "Bob Ltd")]
        self.b.count = 0
        await self.b.put("/billing", issuer=ISSUER)

    def did(self, what: str, **said: Any) -> None:
        self.log.append({"did": what, **said})

    async def order(self, day: date) -> None:
        lines = [
            (
                str(self.dice.randint(1, 40)),
                self.dice.randint(0, 30_000),
                self.dice.choice(["0.1", "0.08", "0.19", "0"]),
            )
            for _ in range(self.dice.randint(1, 3))
        ]
        customer, currency = self.dice.choice(self.customers), self.dice.choice(["EUR", "EUR", "JPY"])
        order = await self.b.order(*lines, customer_id=customer, currency=currency)
        self.orders.append(order)
        said = [
            {"quantity": str(line.quantity), "net": line.net, "tax": line.tax, "rate": str(line.tax_rate)}
            for line in order.event.lines
        ]
        self.did("ordered", order=str(order.id), currency=currency, lines=said)

    async def ship(self, day: date) -> None:
        order = self.dice.choice(self.orders)
        rest = [line.quantity - order.left.get(line.line_id, 0) for line in order.event.lines]
        cut = [str(each if self.dice.random() < 0.5 else self.dice.randint(0, int(each))) for each in rest]
        if not any(int(each) for each in cut):
            return
        shipment = await self.b.ship(order, *cut, at=datetime.combine(day, time(12), UTC))
        self.did("shipped", order=str(order.id), shipment=str(shipment), day=str(day), quantities=cut)
        key = (str(order.event.customer_id), order.event.currency)
        self.shipped.setdefault(key, []).append(str(shipment))

    async def invoice(self, day: date) -> None:
        if not self.shipped:
            return
        key = self.dice.choice(sorted(self.shipped))
        shipments = self.shipped.pop(key)
        draft = await self.b.post("/invoices", shipment_ids=shipments)
        if self.dice.random() < 0.2:
            # Dropped by mistake, and made again.
            await self.b.h.client.delete(f"/v1/accounting/invoices/{draft['id']}")
            draft = await self.b.post("/invoices", customer_id=key[0], currency=key[1])
        invoice = await self.b.issue(draft, dated=str(day))
        self.invoices.append(invoice)
        self.did("invoiced", invoice=invoice["id"], shipments=shipments, day=str(day))

    async def pay(self, day: date) -> None:
        open_ = [each for each in [await self.b.read(one) for one in self.invoices] if each["open"]]
        if not open_:
            return
        invoice = self.dice.choice(open_)
        amount = max(invoice["open"] + self.dice.choice([0, 0, -self.dice.randint(0, invoice["open"]), 77]), 1)
        known, named = self.dice.choice([(True, [invoice]), (False, [invoice]), (True, []), (False, [])])
        who = {"customer_id": invoice["customer_id"]} if known else {}
        bank = self.banks[invoice["currency"]]
        payment = await self.b.pay(bank, amount, *named, value_day=str(day), **who)
        self.payments.append(payment)
        about = {"payment": payment["id"], "currency": invoice["currency"], "amount": amount, "known": known}
        self.did("paid", **about, invoices=[each["id"] for each in named], day=str(day))

    async def credit(self, day: date) -> None:
        of = [each for each in [await self.b.read(one) for one in self.invoices] if each["status"] != "credited"]
        if not of:
            return
        invoice = self.dice.choice(of)
        nets = {
            at: self.dice.randint(1, line["net"] - line["credited_net"])
            for at, line in enumerate(invoice["lines"])
            if line["net"] > line["credited_net"] and self.dice.random() < 0.5
        }
        if not nets and not any(line["net"] > line["credited_net"] for line in invoice["lines"]):
            return
        lines = [{"line_id": invoice["lines"][at]["id"], "net": net} for at, net in nets.items()]
        await self.b.post(f"/invoices/{invoice['id']}/credit-notes", reason="a mistake", lines=lines, dated=str(day))
        self.did("credited", invoice=invoice["id"], nets=nets, day=str(day))

    async def put_right(self) -> None:
        """Of today: what was allocated is undone, unknown payers are known, and money goes back."""
        for payment in self.payments:
            now = await self.b.get(f"/payments/{payment['id']}")
            here, dice = f"/payments/{payment['id']}", self.dice.random()
            if now["allocations"] and dice < 0.3 and len(now["allocations"]) == 1:
                only = now["allocations"][0]
                await self.b.post(f"{here}/allocations/{only['id']}/undo", 200, reason="another one's")
                self.did("undone", payment=payment["id"], invoice=only["invoice_id"], day=str(today()))
            elif now["customer_id"] is None and dice < 0.5:
                await self.b.post(f"{here}/assign", 200, customer_id=str(self.dice.choice(self.customers)))
                self.did("assigned", payment=payment["id"], day=str(today()))
            elif not now["allocated"] and dice < 0.6:
                await self.b.post(f"{here}/reverse", 200, reason="returned")
                self.did("reversed", payment=payment["id"], day=str(today()))
            elif now["unallocated"] and now["customer_id"]:
                await self.allocate_rest(now)

    async def allocate_rest(self, payment: dict[str, Any]) -> None:
        for one in self.invoices:
            invoice = await self.b.read(one)
            same = ("currency", "customer_id")
            if invoice["open"] and all(invoice[name] == payment[name] for name in same):
                body = [{"invoice_id": invoice["id"]}]
                await self.b.post(f"/payments/{payment['id']}/allocate", 200, allocations=body)
                self.did("allocated", payment=payment["id"], invoice=invoice["id"], day=str(today()))
                return


async def figures(billing: Billing, day: date) -> dict[tuple[str, str], int]:
    trial = await billing.get("/trial-balance", effective=str(day))
    sums: dict[tuple[str, str], int] = {}
    for row in trial["rows"]:
        key = (ACCOUNTS[row["account"]], row["currency"])
        sums[key] = sums.get(key, 0) + row["balance"]
    return {key: amount for key, amount in sums.items() if amount}


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_books_come_to_what_was_asked(billing: Billing, seed: int) -> None:
    month = Month(billing, random.Random(seed))
    await month.open()
    for ago in range(DAYS, 0, -1):
        day = today() - timedelta(days=ago)
        await month.order(day)
        for _ in range(month.dice.randint(1, 3)):
            await month.dice.choice([month.ship, month.ship, month.invoice, month.pay, month.pay, month.credit])(day)
    await month.put_right()
    kinds = {each["did"] for each in month.log}
    assert kinds >= {"ordered", "shipped", "invoiced", "paid", "credited"}
    assert seed != 1 or kinds >= {"undone", "assigned", "reversed", "allocated"}, "one month has everything"
    await billing.h.pump()
    ledger = RequestLedger(month.log)
    for ago in (DAYS - 5, 12, 3, 0):
        day = today() - timedelta(days=ago)
        assert await figures(billing, day) == ledger.as_of(str(day)), f"as of {day}"
        aged = await billing.get("/receivables/ageing", day=str(day))
        for total in aged["totals"]:
            assert total["open"] == ledger.as_of(str(day)).get(("receivable", total["currency"]), 0)
            assert total["credit"] == -ledger.as_of(str(day)).get(("credit", total["currency"]), 0)
    for one in month.invoices:
        assert (await billing.read(one))["open"] == ledger.open_of(one["id"])
    integrity = await billing.get("/integrity")
    assert integrity["intact"], integrity
