"""What people do in a month, by the seed: order, change their minds, ship in parts, invoice, pay wrongly, count and put right. All of it is noted.

A company's requests come one after another, dated within its own day, so that what follows from them is certain; the companies trade at
the same time.
"""

import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from month.firms import V1, Firm
from tailrace.core.ids import uuid7
from tailrace_testing.gateway import eventually

Did = Callable[[], Coroutine[Any, Any, None]]


@dataclass
class Trading:
    """One company's month. `log` is what the reckoning reads."""

    firm: Firm
    dice: random.Random
    log: list[dict[str, Any]] = field(default_factory=list)
    open_orders: list[dict[str, Any]] = field(default_factory=list)
    shipped: dict[str, list[str]] = field(default_factory=dict)
    """By customer, what has left and is on no invoice."""
    invoices: list[dict[str, Any]] = field(default_factory=list)
    payments: list[str] = field(default_factory=list)

    async def run(self, days: int) -> None:
        """So many days that end yesterday; mistakes are put right today."""
        today = self.firm.today
        await self.opening(today - timedelta(days=days + 1))
        for ago in range(days, 0, -1):
            await self.day(today - timedelta(days=ago))
        await self.put_right()

    def did(self, what: str, **said: Any) -> None:
        self.log.append({"did": what, "day": self.firm.day, "currency": self.firm.kind.currency, **said})

    async def opening(self, day: date) -> None:
        self.firm.begin(day)
        for sku, _, cost, _ in self.firm.kind.goods:
            for warehouse in self.firm.warehouses:
                await self.receive(sku, warehouse, self.dice.randint(200, 400), cost, "opening")

    async def day(self, day: date) -> None:
        self.firm.begin(day)
        for _ in range(2):
            await self.order()
        others: dict[Did, int] = {
            self.ship: 5,
            self.invoice: 3,
            self.pay: 4,
            self.credit: 1,
            self.buy: 1,
            self.use: 1,
            self.count: 1,
            self.cancel: 1,
        }
        for act in self.dice.choices(list(others), list(others.values()), k=5):
            await act()

    # Buying and keeping.

    async def buy(self) -> None:
        """At another price than before, which the oldest goods do not know of."""
        sku, _, cost, _ = self.dice.choice(self.firm.kind.goods)
        quantity = self.dice.randint(10, 60)
        await self.receive(
            sku, self.dice.choice(self.firm.warehouses), quantity, cost + self.dice.randint(-2, 9), "purchase"
        )

    async def receive(self, sku: str, warehouse: str, quantity: int, cost: int, reason: str) -> None:
        value = quantity * cost + self.dice.randint(0, 7)
        goods = {"item": self.firm.items[sku], "warehouse": warehouse, "quantity": str(quantity)}
        await self.firm.member.post("/v1/inventory/receipts", self._moved(goods, value=value, reason=reason))
        self.did("received", **goods, value=value, reason=reason)

    async def use(self) -> None:
        goods = self._some(5)
        await self.firm.member.post(
            "/v1/inventory/issues", self._moved(goods, reason=self.dice.choice(["consumption", "scrap"]))
        )
        self.did("used", **goods)

    async def count(self) -> None:
        goods = self._some(3)
        missing = {**goods, "quantity": f"-{goods['quantity']}"}
        await self.firm.member.post("/v1/inventory/adjustments", self._moved(missing, reason="count"))
        self.did("counted", item=goods["item"], warehouse=goods["warehouse"], missing=goods["quantity"])

    def _some(self, most: int) -> dict[str, str]:
        item, warehouse = self.dice.choice(list(self.firm.items.values())), self.dice.choice(self.firm.warehouses)
        return {"item": item, "warehouse": warehouse, "quantity": str(self.dice.randint(1, most))}

    def _moved(self, goods: dict[str, str], **more: Any) -> dict[str, Any]:
        named = {"item_id": goods["item"], "warehouse_id": goods["warehouse"], "quantity": goods["quantity"]}
        return {
            **named,
            "currency": self.firm.kind.currency,
            "effective_at": self.firm.tick(self.dice.randint(1, 20)),
            **more,
        }

    # Selling.

    async def order(self) -> None:
        """Some are drafted first and changed; of some the answer was lost, and they are sent again."""
        lines = [self._line() for _ in range(self.dice.randint(1, 3))]
        customer = self.dice.choice(self.firm.customers)
        terms = {
            "customer_id": customer,
            "customer_reference": f"PO-{len(self.log)}",
            "currency": self.firm.kind.currency,
            "ordered_at": self.firm.tick(self.dice.randint(1, 30)),
        }
        changes, lost, key = self.dice.random() < 0.25, self.dice.random() < 0.15, str(uuid7())
        asked = {**terms, "lines": _asked([self._line()] if changes else lines), "confirm": not changes}
        order = await self.firm.member.post("/v1/orders", asked, key=key)
        if lost:
            again = await self.firm.member.post("/v1/orders", asked, key=key)
            assert again["id"] == order["id"], "sent twice, made once"
        if changes:
            at = f"/v1/orders/{order['id']}"
            order = await self.firm.member.put(at, {**terms, "lines": _asked(lines)})
            order = await self.firm.member.post(f"{at}/confirm")
        parts = [line["id"] for line in order["lines"]]
        self.open_orders.append({"id": order["id"], "customer": customer, "parts": parts})
        self.did("ordered", order=order["id"], lines=lines)

    def _line(self) -> dict[str, str]:
        sku, rate, _, price = self.dice.choice(self.firm.kind.goods)
        return {
            "item": self.firm.items[sku],
            "warehouse": self.dice.choice(self.firm.warehouses),
            "quantity": str(self.dice.randint(1, 12)),
            "unit_price": self.dice.choice([price, price, "0.5"]),
            "rate": rate,
        }

    async def cancel(self) -> None:
        """Before anything of it has left."""
        fresh = [order for order in self.open_orders if "left" not in order]
        if fresh:
            order = self.dice.choice(fresh)
            self.open_orders.remove(order)
            await self.firm.member.post(f"/v1/orders/{order['id']}/cancel", {"reason": "They changed their minds."})
            self.did("cancelled", order=order["id"])

    async def ship(self) -> None:
        """An order leaves whole, or a part of it does and the rest later."""
        if not self.open_orders:
            return
        order, member = self.dice.choice(self.open_orders), self.firm.member
        found = await eventually(
            lambda: member.every("/v1/shipments", order_id=order["id"], status="pending"), bool, what="a shipment"
        )
        shipment = found[0]
        line = self.dice.choice(shipment["lines"])
        if int(line["quantity"]) > 1 and self.dice.random() < 0.4:
            part = {"line_id": line["line_id"], "quantity": str(self.dice.randint(1, int(line["quantity"]) - 1))}
            shipment = await member.post(f"/v1/shipments/{shipment['id']}/split", {"lines": [part]})
            quantities = {part["line_id"]: part["quantity"]}
        else:
            self.open_orders.remove(order)
            quantities = {each["line_id"]: each["quantity"] for each in shipment["lines"]}
        order["left"] = True
        marks: list[str] = []
        await member.post(
            f"/v1/shipments/{shipment['id']}/dispatch", {"dispatched_at": self.firm.tick(11)}, marks=marks
        )
        # What left is issued before anything else moves, so that it is certain which goods those were.
        await member.get("/v1/inventory/stock", having_seen=marks[-1])
        self.shipped.setdefault(order["customer"], []).append(shipment["id"])
        left = [quantities.get(part, "0") for part in order["parts"]]
        self.did("shipped", order=order["id"], shipment=shipment["id"], quantities=left)

    # Money.

    async def invoice(self) -> None:
        """Everything that has left for a customer. Some are dropped by mistake, and made again."""
        if not self.shipped:
            return
        customer = self.dice.choice(sorted(self.shipped))
        asked = {"shipment_ids": self.shipped.pop(customer)}
        draft = await self.firm.member.post(f"{V1}/invoices", asked)
        if self.dice.random() < 0.2:
            await self.firm.member.delete(f"{V1}/invoices/{draft['id']}")
            draft = await self.firm.member.post(f"{V1}/invoices", asked)
        invoice = await self.firm.member.post(f"{V1}/invoices/{draft['id']}/issue", {"dated": self.firm.day})
        self.invoices.append(invoice)
        self.did("invoiced", invoice=invoice["id"], shipments=asked["shipment_ids"])

    async def pay(self) -> None:
        """What is open, a part of it, or too much; with a name and an invoice, or without."""
        open_ = [each for each in await self._invoices() if each["open"]]
        if not open_:
            return
        invoice = self.dice.choice(open_)
        part = self.dice.randint(0, invoice["open"] // 2)
        amount = max(invoice["open"] + self.dice.choice([0, 0, -part, 77]), 1)
        known, named = self.dice.random() < 0.6, self.dice.random() < 0.6
        body = {
            "bank_account_id": self.firm.bank,
            "amount": amount,
            "value_day": self.firm.day,
            "allocations": [{"invoice_id": invoice["id"]}] if named else [],
            **({"customer_id": invoice["customer_id"]} if known else {}),
        }
        payment = await self.firm.member.post(f"{V1}/payments", body)
        self.payments.append(payment["id"])
        self.did("paid", payment=payment["id"], amount=amount, known=known, invoices=[invoice["id"]] if named else [])

    async def credit(self) -> None:
        """Some lines cost less than was asked for, or the whole is taken back."""
        found = [each for each in await self._invoices() if each["status"] != "credited"]
        if not found:
            return
        invoice = await self.firm.member.get(f"{V1}/invoices/{self.dice.choice(found)['id']}")
        left = {at: line["net"] - line["credited_net"] for at, line in enumerate(invoice["lines"])}
        nets = {at: self.dice.randint(1, net) for at, net in left.items() if net > 0 and self.dice.random() < 0.5}
        if not any(net > 0 for net in left.values()):
            return
        lines = [{"line_id": invoice["lines"][at]["id"], "net": net} for at, net in nets.items()]
        body = {"reason": "A mistake.", "lines": lines, "dated": self.firm.day}
        await self.firm.member.post(f"{V1}/invoices/{invoice['id']}/credit-notes", body)
        self.did("credited", invoice=invoice["id"], nets=nets)

    async def put_right(self) -> None:
        """Allocations are undone, unknown payers become known, money goes back, and what is paid ahead is used."""
        self.firm.begin(self.firm.today)
        member = self.firm.member
        for id in self.payments:
            payment, here, dice = await member.get(f"{V1}/payments/{id}"), f"{V1}/payments/{id}", self.dice.random()
            if len(payment["allocations"]) == 1 and dice < 0.3:
                only = payment["allocations"][0]
                await member.post(f"{here}/allocations/{only['id']}/undo", {"reason": "It is another one's."})
                self.did("undone", payment=id, invoice=only["invoice_id"])
            elif payment["customer_id"] is None and dice < 0.6:
                await member.post(f"{here}/assign", {"customer_id": self.dice.choice(self.firm.customers)})
                self.did("assigned", payment=id)
            elif not payment["allocated"] and dice < 0.8:
                await member.post(f"{here}/reverse", {"reason": "The bank returned it."})
                self.did("reversed", payment=id)
            elif payment["unallocated"] and payment["customer_id"]:
                await self._use(payment)

    async def _use(self, payment: dict[str, Any]) -> None:
        for invoice in await self._invoices():
            if invoice["open"] and invoice["customer_id"] == payment["customer_id"]:
                body = {"allocations": [{"invoice_id": invoice["id"]}]}
                await self.firm.member.post(f"{V1}/payments/{payment['id']}/allocate", body)
                self.did("allocated", payment=payment["id"], invoice=invoice["id"])
                return

    async def _invoices(self) -> list[dict[str, Any]]:
        """In the order in which they were issued."""
        found = {each["id"]: each for each in await self.firm.member.every(f"{V1}/invoices")}
        return [found[invoice["id"]] for invoice in self.invoices]


def _asked(lines: list[dict[str, str]]) -> list[dict[str, str]]:
    return [
        {
            "item_id": line["item"],
            "warehouse_id": line["warehouse"],
            "quantity": line["quantity"],
            "unit_price": line["unit_price"],
        }
        for line in lines
    ]
