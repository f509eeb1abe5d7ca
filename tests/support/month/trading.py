"""What people do in a month, by the seed: order, change their minds, ship in parts, invoice, pay wrongly, count and put right. All of it is noted.

What takes several steps has a module of its own: `approving`, `offering`, `reminding`, `returning`, `sending`. A company's requests come one after
another, dated within its own day, so that what follows from them is certain; the companies trade at the same time.
"""

import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from month import approving, offering, reminding, returning, sending
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
    drafts: list[tuple[str, list[str]]] = field(default_factory=list)
    """Invoices that nobody has issued yet, and the shipments that they are of."""
    gone: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By shipment, what left and is still with the customer: its order, and quantities by line."""
    arrived: set[str] = field(default_factory=set)
    """Shipments of which somebody has said what became of them."""
    refused: list[str] = field(default_factory=list)
    """Shipments that the carrier brings back."""
    marks: dict[str, str] = field(default_factory=dict)
    """By shipment and order, the event that others have to have heard of before they are asked about it."""
    tales: set[str] = field(default_factory=set)
    """What happened besides what the reckoning reads."""

    async def run(self, days: int) -> None:
        """So many days that end yesterday; mistakes are put right today."""
        today = self.firm.today
        await self.opening(today - timedelta(days=days + 1))
        for ago in range(days, 0, -1):
            await self.day(today - timedelta(days=ago), days - ago)
        await self.put_right()
        await self.today(days)

    def did(self, what: str, **said: Any) -> None:
        self.log.append({"did": what, "day": self.firm.day, "currency": self.firm.kind.currency, **said})

    async def opening(self, day: date) -> None:
        self.firm.begin(day)
        for sku, _, cost, _ in self.firm.kind.goods:
            for warehouse in self.firm.warehouses:
                await self.receive(sku, warehouse, self.dice.randint(200, 400), cost, "opening")

    async def day(self, day: date, number: int) -> None:
        """`number` counts from 0. Some things happen on certain days of each dozen, and what is left to chance besides."""
        self.firm.begin(day)
        for _ in range(2):
            await self.order()
        for act in self._certain().get(number % 12, []):
            await act()
        await self._some_of({**self._usual(), self.buy: 1, self.use: 1, self.count: 1, self.cancel: 1}, 4)

    def _certain(self) -> dict[int, list[Did]]:
        """By day. The manager is away from the third to the fifth."""
        return {
            0: [lambda: reminding.sell_to_who_pays_late(self), self.buy],
            1: [lambda: offering.ask_ahead(self), self.use, self.count],
            2: [self.firm.leave, lambda: approving.exceed(self)],
            3: [lambda: offering.quote(self), self.cancel, lambda: sending.sign(self)],
            4: [self.firm.come_back, lambda: returning.lose(self)],
            5: [lambda: sending.deliver_in_part(self)],
            6: [lambda: sending.sign(self)],
            7: [lambda: offering.quote(self), lambda: offering.ask_ahead(self)],
            9: [lambda: approving.exceed(self)],
            10: [lambda: offering.ask_ahead(self)],
        }

    async def today(self, days: int) -> None:
        """What holds from the moment at which it is done: goods come back, and who pays late is reminded."""
        await reminding.remind(self)
        for id in self.refused:
            await returning.bring_back(self, id)
        for number in range(max(2, days // 4)):
            await returning.give_back(self, "refund" if number % 2 else "exchange")
            await self._some_of({**self._usual(), self.issue: 3}, 2)
        while self.drafts:
            await self.issue()

    def _usual(self) -> dict[Did, int]:
        return {self.ship: 5, self.invoice: 3, self.pay: 4, self.credit: 1}

    async def _some_of(self, acts: dict[Did, int], many: int) -> None:
        for act in self.dice.choices(list(acts), list(acts.values()), k=many):
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
        await self.place([self.line() for _ in range(self.dice.randint(1, 3))], self.dice.choice(self.firm.customers))

    async def place(
        self, lines: list[dict[str, str]], customer: str, yes: bool | None = None, **more: Any
    ) -> dict[str, Any]:
        """An order as it is kept here, whatever becomes of it; `yes` is the answer to one that waits for credit."""
        terms = {
            "customer_id": customer,
            "customer_reference": f"PO-{len(self.log)}",
            "currency": self.firm.kind.currency,
            "ordered_at": self.firm.tick(self.dice.randint(1, 30)),
            **more,
        }
        changes, lost, key = self.dice.random() < 0.25, self.dice.random() < 0.15, str(uuid7())
        asked = {**terms, "lines": _asked([self.line()] if changes else lines), "confirm": not changes}
        marks: list[str] = []
        order = await self.firm.member.post("/v1/orders", asked, key=key, marks=marks)
        self.marks[order["id"]] = marks[-1]
        if lost:
            again = await self.firm.member.post("/v1/orders", asked, key=key)
            assert again["id"] == order["id"], "sent twice, made once"
        if changes:
            at = f"/v1/orders/{order['id']}"
            order = await self.firm.member.put(at, {**terms, "lines": _asked(lines)})
            order = await self.firm.member.post(f"{at}/confirm")
        self.did("ordered", order=order["id"], customer=customer, lines=lines)
        kept = self.keep(order, lines)
        await approving.bind(self, order, kept, yes)
        return kept

    def keep(self, order: dict[str, Any], lines: list[dict[str, str]]) -> dict[str, Any]:
        """Note an order that is going to be shipped; `lines` are as they were asked for."""
        parts = [line["id"] for line in order["lines"]]
        kept = {"id": order["id"], "customer": order["customer_id"], "parts": parts, "lines": lines}
        self.open_orders.append(kept)
        return kept

    def line(self) -> dict[str, str]:
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
        if fresh := self.fresh():
            await self.drop(self.dice.choice(fresh), "They changed their minds.")

    def fresh(self) -> list[dict[str, Any]]:
        """Orders of which nothing has left, and nothing was asked for ahead."""
        return [order for order in self.open_orders if "left" not in order and "ahead" not in order]

    async def drop(self, order: dict[str, Any], reason: str) -> None:
        self.open_orders.remove(order)
        await self.firm.member.post(f"/v1/orders/{order['id']}/cancel", {"reason": reason})
        self.did("cancelled", order=order["id"])

    async def ship(self) -> None:
        """An order leaves whole, or a part of it does and the rest later."""
        if not self.open_orders:
            return
        await self.ship_some(self.dice.choice(self.open_orders), 0.4)

    async def ship_some(self, order: dict[str, Any], chance: float) -> None:
        """A part of it by that chance."""
        shipment, member = await self.shipment_of(order), self.firm.member
        line = self.dice.choice(shipment["lines"])
        if int(line["quantity"]) > 1 and self.dice.random() < chance:
            part = {"line_id": line["line_id"], "quantity": str(self.dice.randint(1, int(line["quantity"]) - 1))}
            shipment = await member.post(f"/v1/shipments/{shipment['id']}/split", {"lines": [part]})
            await self.dispatch(order, shipment["id"], {part["line_id"]: part["quantity"]})
        else:
            self.open_orders.remove(order)
            await self.dispatch(order, shipment["id"], quantities_of(shipment))

    async def shipment_of(self, order: dict[str, Any]) -> dict[str, Any]:
        """What is to leave of an order, as soon as it is known."""
        found = await eventually(
            lambda: self.firm.member.every("/v1/shipments", order_id=order["id"], status="pending"),
            bool,
            what="a shipment",
        )
        shipment: dict[str, Any] = found[0]
        return shipment

    async def dispatch(self, order: dict[str, Any], shipment: str, quantities: dict[str, str]) -> None:
        """`quantities` leave, by line of the order."""
        order["left"] = True
        marks, at = list[str](), self.firm.tick(11)
        await self.firm.member.post(f"/v1/shipments/{shipment}/dispatch", {"dispatched_at": at}, marks=marks)
        # What left is issued before anything else moves, so that it is certain which goods those were.
        await self.firm.member.get("/v1/inventory/stock", having_seen=marks[-1])
        self.shipped.setdefault(order["customer"], []).append(shipment)
        self.marks[shipment] = marks[-1]
        self.gone[shipment] = {"order": order, "with": {id: int(q) for id, q in quantities.items()}}
        left = [quantities.get(part, "0") for part in order["parts"]]
        self.did("shipped", order=order["id"], shipment=shipment, quantities=left, at=at)

    # Money.

    async def invoice(self) -> None:
        """Everything that has left for a customer."""
        if self.shipped:
            await self.invoice_to(self.dice.choice(sorted(self.shipped)))

    async def invoice_to(self, customer: str) -> None:
        """Some are dropped by mistake, and made again; today, some wait."""
        shipments = self.shipped.pop(customer)
        draft = await self.draft(shipments)
        if self.dice.random() < 0.2:
            await self.firm.member.delete(f"{V1}/invoices/{draft['id']}")
            draft = await self.draft(shipments)
        self.drafts.append((draft["id"], shipments))
        if not self.firm.live or self.dice.random() < 0.5:
            await self.issue()

    async def draft(self, shipments: list[str]) -> dict[str, Any]:
        """An invoice of what left, as soon as the books have heard of it."""
        for id in shipments:
            await self.firm.member.get(f"{V1}/invoices", limit=1, having_seen=self.marks[id])
        made: dict[str, Any] = await self.firm.member.post(f"{V1}/invoices", {"shipment_ids": shipments})
        return made

    async def issue(self) -> None:
        """The last draft. One is dropped meanwhile when all that it was of came back."""
        if not self.drafts:
            return
        id, shipments = self.drafts.pop()
        draft = await self.firm.member.get(f"{V1}/invoices/{id}")
        if draft["status"] == "draft":
            await self.issued(id)
            self.did("invoiced", invoice=id, shipments=shipments)
            self.tales |= {"an invoice of what was left"} if draft["version"] > 1 else set()

    async def issued(self, id: str) -> dict[str, Any]:
        """Let an invoice bind, dated today."""
        invoice: dict[str, Any] = await self.firm.member.post(f"{V1}/invoices/{id}/issue", {"dated": self.firm.day})
        self.invoices.append(invoice)
        return invoice

    async def pay(self) -> None:
        """What is open, a part of it, or too much; with a name and an invoice, or without. One customer pays late."""
        late = [] if self.firm.live else [self.firm.customers[1]]
        open_ = [each for each in await self.known_invoices() if each["open"] and each["customer_id"] not in late]
        if open_:
            await self.pay_some(self.dice.choice(open_))

    async def pay_some(self, invoice: dict[str, Any]) -> None:
        part = self.dice.randint(0, invoice["open"] // 2)
        amount = max(invoice["open"] + self.dice.choice([0, 0, -part, 77]), 1)
        known, named = self.dice.random() < 0.6, self.dice.random() < 0.6
        await self.money(invoice["customer_id"], amount, [invoice["id"]] if named else [], known=known)

    async def money(self, customer: str, amount: int, invoices: list[str], *, known: bool = True) -> None:
        """It came in, for these invoices as far as it goes."""
        body = {
            "bank_account_id": self.firm.bank,
            "amount": amount,
            "value_day": self.firm.day,
            "allocations": [{"invoice_id": id} for id in invoices],
            **({"customer_id": customer} if known else {}),
        }
        payment = await self.firm.member.post(f"{V1}/payments", body)
        self.payments.append(payment["id"])
        self.did("paid", payment=payment["id"], amount=amount, known=known, invoices=invoices, customer=customer)

    async def credit(self) -> None:
        """Some lines cost less than was asked for, or the whole is taken back; of what was asked for ahead, what is left."""
        found = [each for each in await self.known_invoices() if each["status"] != "credited"]
        if not found:
            return
        invoice = await self.firm.member.get(f"{V1}/invoices/{self.dice.choice(found)['id']}")
        if invoice["kind"] == "prepayment" and (self.firm.live or not invoice["open"]):
            return
        left = {at: line["net"] - line["credited_net"] for at, line in enumerate(invoice["lines"])}
        nets = {at: self.dice.randint(1, net) for at, net in left.items() if net > 0 and self.dice.random() < 0.5}
        if not any(net > 0 for net in left.values()):
            return
        nets = {} if invoice["kind"] == "prepayment" else nets
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
                customer = self.dice.choice(self.firm.customers)
                await member.post(f"{here}/assign", {"customer_id": customer})
                self.did("assigned", payment=id, customer=customer)
            elif payment["unallocated"] and payment["customer_id"] and dice < 0.5:
                parts = [{"payment_id": id}]
                body = {"bank_account_id": self.firm.bank, "payments": parts, "reason": "It was paid twice."}
                await member.post(f"{V1}/refunds", body)
                self.did("refunded", payment=id)
            elif not payment["allocated"] and dice < 0.8:
                await member.post(f"{here}/reverse", {"reason": "The bank returned it."})
                self.did("reversed", payment=id)
            elif payment["unallocated"] and payment["customer_id"]:
                await self._use(payment)

    async def _use(self, payment: dict[str, Any]) -> None:
        for invoice in await self.known_invoices():
            if invoice["open"] and invoice["customer_id"] == payment["customer_id"]:
                body = {"allocations": [{"invoice_id": invoice["id"]}]}
                await self.firm.member.post(f"{V1}/payments/{payment['id']}/allocate", body)
                self.did("allocated", payment=payment["id"], invoice=invoice["id"])
                return

    async def known_invoices(self) -> list[dict[str, Any]]:
        """In the order in which they were issued."""
        found = {each["id"]: each for each in await self.firm.member.every(f"{V1}/invoices")}
        return [found[invoice["id"]] for invoice in self.invoices]


def quantities_of(shipment: dict[str, Any]) -> dict[str, str]:
    """By line of the order, all that a shipment is of."""
    return {each["line_id"]: each["quantity"] for each in shipment["lines"]}


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
