"""Goods come back, over the real services and with events as chance delivers them: stock, revenue, tax and cost are what is computed here from the
requests alone, at each step, and nothing is left when all of it is back."""

from fractions import Fraction
from math import floor
from typing import Any

import pytest
from firm import Firm, Services

from accounting.service import service as accounting
from catalog.service import service as catalog
from contracts.users import TenantCreated
from inventory.service import service as inventory
from orders.service import service as orders
from shipping.service import service as shipping
from tailrace_testing import MakeHarness

NET, RATE, QUANTITY = 1_003, Fraction(1, 10), 7
"""None of these divides another, so that every part has to be rounded."""
OLD, FRESH = (5, 33), (20, 101)
"""Two layers of stock, quantity and value: seven pieces take the first and a part of the second."""
OWED, UNBILLED, STOCK, TAX, REVENUE, COST, USED = "1200 1210 1400 2200 4000 5000 5100".split()


def rounded(amount: Fraction) -> int:
    return floor(amount + Fraction(1, 2))


def cost_of_seven() -> int:
    return OLD[1] + rounded(Fraction(FRESH[1] * (QUANTITY - OLD[0]), FRESH[0]))


def part(amount: int, until: int) -> int:
    """The first `until` of seven pieces' share of an amount."""
    return rounded(Fraction(amount * until, QUANTITY))


class Counter:
    """The people of a company whose customers give things back."""

    def __init__(self, firm: Firm) -> None:
        self.firm = firm
        self.reason = ""
        self.order: dict[str, Any] = {}
        self.shipment = ""

    @classmethod
    async def open(cls, services: Services, seed: int) -> "Counter":
        firm = await Firm.open(services, seed, stock=(OLD, FRESH))
        told = TenantCreated(
            tenant_id=services["accounting"].tenant, slug="h", name="Hagane", currency="EUR", country="DE"
        )
        await services["accounting"].deliver(told, aggregate_id=told.tenant_id)
        counter = cls(firm)
        made = await firm.ask("orders", "POST", "/v1/return-reasons", {"code": "BROKEN", "name": "Broken"})
        counter.reason = made["id"]
        counter.order = await firm.order(1, str(QUANTITY), net=NET)
        await firm.ask("shipping", "POST", f"{await firm.shipment(counter.order)}/dispatch", {})
        await firm.wire.settle()
        counter.shipment = (await firm.shipment(counter.order)).rpartition("/")[2]
        return counter

    async def invoice(self) -> dict[str, Any]:
        drafted = await self.firm.ask(
            "accounting", "POST", "/v1/accounting/invoices", {"shipment_ids": [self.shipment]}
        )
        issued = await self.firm.ask("accounting", "POST", f"/v1/accounting/invoices/{drafted['id']}/issue", {})
        await self.firm.wire.settle()
        return dict(issued)

    async def authorised(self, *quantities: int, outcome: str = "refund", **given: Any) -> dict[str, Any]:
        line = {"shipment_id": self.shipment, "line_id": self.order["lines"][0]["id"], "outcome": outcome}
        body = {"order_id": self.order["id"], "return_reason_id": self.reason, "authorise": True, **given}
        body["lines"] = [{**line, "quantity": str(quantity)} for quantity in quantities]
        made = await self.firm.ask("orders", "POST", "/v1/returns", body)
        await self.firm.wire.settle()
        return dict(made)

    async def came(self, made: dict[str, Any], quantity: int) -> None:
        lines = [{"return_line_id": made["lines"][0]["id"], "quantity": str(quantity)}]
        await self.firm.ask(
            "shipping", "POST", f"/v1/return-shipments/{made['return_shipment_id']}/receive", {"lines": lines}
        )
        await self.firm.wire.settle()

    async def judged(self, made: dict[str, Any], **verdicts: int) -> None:
        lines = [
            {"return_line_id": made["lines"][0]["id"], "verdict": verdict, "quantity": str(quantity)}
            for verdict, quantity in verdicts.items()
        ]
        await self.firm.ask(
            "shipping", "POST", f"/v1/return-shipments/{made['return_shipment_id']}/inspect", {"lines": lines}
        )
        await self.firm.wire.settle()

    async def back(self, **verdicts: int) -> dict[str, Any]:
        """So much is authorised, comes and is looked at."""
        made = await self.authorised(sum(verdicts.values()))
        await self.came(made, sum(verdicts.values()))
        await self.judged(made, **verdicts)
        return await self.read(made)

    async def read(self, made: dict[str, Any]) -> dict[str, Any]:
        return dict(await self.firm.ask("orders", "GET", f"/v1/returns/{made['id']}"))

    async def figures(self) -> dict[str, int]:
        """What is not zero in the books; and nothing is wrong anywhere."""
        assert await self.firm.wire.dead_letters() == []
        integrity = await self.firm.ask("accounting", "GET", "/v1/accounting/integrity")
        assert integrity["intact"], integrity
        stock = await self.firm.ask(
            "inventory", "GET", f"/v1/inventory/stock/{self.firm.item['id']}/{self.firm.place['id']}"
        )
        found = await self.firm.balances()
        assert stock["value"] == found[STOCK]
        bought = OLD[1] + FRESH[1]
        return {code: found.get(code, 0) for code in (OWED, UNBILLED, TAX, REVENUE, COST, USED)} | {
            STOCK: found[STOCK] - bought
        }


def expected(left: int, owed: str, scrapped: int = 0, taxed: int | None = None) -> dict[str, int]:
    """The books when `left` of seven pieces are still sold, and pieces that cost `scrapped` were thrown away.

    `taxed` is the tax of what is left where an invoice of it alone has rounded that; the order's own share otherwise.
    """
    gone = QUANTITY - left
    net, tax = NET - part(NET, gone), rounded(NET * RATE) - part(rounded(NET * RATE), gone)
    tax = tax if taxed is None else taxed
    cost = cost_of_seven() - part(cost_of_seven(), gone)
    empty = dict.fromkeys((OWED, UNBILLED), 0)
    return {**empty, owed: net + tax, REVENUE: -net, TAX: -tax, COST: cost, USED: scrapped, STOCK: -cost - scrapped}


@pytest.fixture
async def services(make_harness: MakeHarness) -> Services:
    return {s.name: await make_harness(s) for s in (catalog, orders, inventory, shipping, accounting)}


@pytest.mark.parametrize("invoiced", ["never", "first", "drafted", "between"])
async def test_parts_that_come_back_add_up_to_the_whole(services: Services, invoiced: str) -> None:
    counter = await Counter.open(services, seed=7)
    draft: dict[str, Any] = {}
    if invoiced == "first":
        await counter.invoice()
    if invoiced == "drafted":
        ask = {"shipment_ids": [counter.shipment]}
        draft = await counter.firm.ask("accounting", "POST", "/v1/accounting/invoices", ask)
    owed = OWED if invoiced == "first" else UNBILLED
    assert await counter.figures() == expected(7, owed)

    first = await counter.back(restock=1, scrap=1)
    lost = part(cost_of_seven(), 2) - part(cost_of_seven(), 1)
    assert await counter.figures() == expected(5, owed, lost)
    assert (first["status"], first["credited_net"], first["credited_tax"]) == ("closed", part(NET, 2), part(100, 2))
    taxed = rounded((NET - part(NET, 2)) * RATE)
    if invoiced == "drafted":
        now = await counter.firm.ask("accounting", "GET", f"/v1/accounting/invoices/{draft['id']}")
        assert (now["net"], now["tax"], now["lines"][0]["quantity"]) == (NET - part(NET, 2), taxed, "5")
        await counter.firm.ask("accounting", "POST", f"/v1/accounting/invoices/{draft['id']}/issue", {})
        await counter.firm.wire.settle()
        assert await counter.figures() == expected(5, OWED, lost, taxed)
    if invoiced == "between":
        assert (await counter.invoice())["net"] == NET - part(NET, 2)
        assert await counter.figures() == expected(5, OWED, lost, taxed)

    await counter.back(restock=3)
    if invoiced in ("never", "first"):
        assert await counter.figures() == expected(2, owed, lost)
    await counter.back(restock=2)
    assert await counter.figures() == expected(0, owed, lost)
    over = {"shipment_id": counter.shipment, "line_id": counter.order["lines"][0]["id"], "quantity": "1"}
    body = {"order_id": counter.order["id"], "return_reason_id": counter.reason, "lines": [over]}
    answer = await services["orders"].client.post("/v1/returns", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "/lines/0/quantity")
    if invoiced == "never":
        nothing = await services["accounting"].client.post(
            "/v1/accounting/invoices", json={"order_id": counter.order["id"]}
        )
        assert nothing.json()["type"] == "urn:tailrace:problem:nothing-to-invoice"


async def test_an_exchange_is_credited_once_and_sent_once_and_the_fee_is_asked_once(services: Services) -> None:
    counter = await Counter.open(services, seed=3)
    await counter.invoice()
    made = await counter.authorised(3, outcome="exchange", fee={"net": 50, "tax_rate": "0.1"})
    await counter.came(made, 2)
    assert (await counter.read(made))["status"] == "partly_received"
    assert await counter.figures() == expected(7, OWED), "what was not looked at is nobody's stock"
    await counter.judged(made, restock=1)
    assert await counter.figures() == expected(6, OWED)
    assert (await counter.read(made))["exchange_order_id"] is None, "the rest may still come"
    # It does not: what never came is not expected any more, and one of the two is not taken.
    await counter.judged(made, send_back=1)
    asked = await counter.firm.ask("orders", "POST", f"/v1/returns/{made['id']}/cancel", {"reason": "lost"})
    assert (asked["status"], asked["cancelling"]) == ("partly_received", True)
    await counter.firm.wire.settle()

    now = await counter.read(made)
    assert (now["status"], now["cancelling"], now["fee"]) == ("closed", False, 55)
    (line,) = now["lines"]
    assert [line[name] for name in ("quantity", "received", "accepted", "sent_back")] == ["2", "2", "1", "1"]
    sold = expected(6, OWED)
    assert await counter.figures() == {**sold, OWED: sold[OWED] + 55, REVENUE: sold[REVENUE] - 50, TAX: sold[TAX] - 5}
    replaced = await counter.firm.ask("orders", "GET", f"/v1/orders/{now['exchange_order_id']}")
    price = rounded(Fraction(NET, QUANTITY))
    assert (replaced["status"], replaced["net"], replaced["tax"]) == ("confirmed", price, rounded(price * RATE))
    assert [each["quantity"] for each in replaced["lines"]] == ["1"]
    found = await counter.firm.ask("orders", "GET", "/v1/orders")
    assert len(found["items"]) == 2, "one order, and one in exchange"
    left = await counter.firm.ask("orders", "GET", f"/v1/orders/{counter.order['id']}/returnable")
    assert [(each["shipped"], each["returnable"]) for each in left["lines"]] == [("7", "6")]
