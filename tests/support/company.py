"""A company small enough to check by hand: one item, one warehouse, customers who order, goods that leave, books that must balance."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import asyncpg
from quiescence import quiescent

from tailrace.runtime.fleet import load_services
from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import Gateway, Member, eventually

OPENING, COST, PRICE = 10_000, 700, 1_000


@dataclass
class Company:
    """A tenant with stock. Amounts in minor units; every order is for whole pieces at one price, taxed at ten per cent."""

    member: Member
    item_id: str
    warehouse_id: str
    accepted: dict[str, int] = field(default_factory=dict)
    """Quantity by order id, of every order that was answered with 201."""

    @classmethod
    async def found(cls, gateway: Gateway, currency: str = "EUR") -> Self:
        member = await gateway.new_tenant(currency)
        await eventually(
            lambda: member.every("/v1/units"),
            lambda units: any(u["code"] == "pcs" for u in units),
            what="units of measure",
        )
        item = await member.post("/v1/items", {"sku": "PLATE", "name": "Plate", "unit": "pcs", "tax_rate": "0.1"})
        warehouse = await member.post("/v1/warehouses", {"code": "MAIN", "name": "Main"})
        company = cls(member, item["id"], warehouse["id"])
        await company.receive(OPENING)
        return company

    async def receive(self, quantity: int) -> Any:
        body = {
            "item_id": self.item_id,
            "warehouse_id": self.warehouse_id,
            "quantity": str(quantity),
            "value": quantity * COST,
            "currency": await self.currency(),
            "reason": "opening",
        }
        return await self.member.post("/v1/inventory/receipts", body)

    async def currency(self) -> str:
        return str((await self.member.get("/v1/tenants/current"))["currency"])

    def body(self, quantity: int, **more: Any) -> dict[str, Any]:
        line = {
            "item_id": self.item_id,
            "warehouse_id": self.warehouse_id,
            "quantity": str(quantity),
            "unit_price": str(PRICE),
        }
        return {
            "customer_reference": "C-1",
            "customer_name": "Somebody",
            "currency": "EUR",
            "lines": [line],
            "confirm": True,
            **more,
        }

    async def order(self, quantity: int, **more: Any) -> Any:
        order = await self.member.post("/v1/orders", self.body(quantity, **more))
        self.accepted[order["id"]] = quantity
        return order

    async def read(self, order_id: str) -> Any:
        return await self.member.get(f"/v1/orders/{order_id}")

    async def shipments(self, order_id: str) -> list[Any]:
        return await self.member.every("/v1/shipments", order_id=order_id)

    async def ship(self, order_id: str, within: float = 600) -> None:
        """Dispatch what the order's shipment holds, as soon as there is one."""
        found = await eventually(
            lambda: self.shipments(order_id), bool, within=within, what=f"a shipment of {order_id}"
        )
        await self.member.post(f"/v1/shipments/{found[0]['id']}/dispatch", {"tracking_number": "T-1"}, within=within)

    async def stock(self) -> Any:
        return await self.member.get(f"/v1/inventory/stock/{self.item_id}/{self.warehouse_id}")

    async def balances(self) -> dict[str, int]:
        """Debit less credit by account code."""
        trial = await self.member.get("/v1/accounting/trial-balance")
        return {row["account"]: row["debit"] - row["credit"] for row in trial["rows"]}

    async def settled(self, fleet: Stack, within: float = 600) -> None:
        """Returns when every accepted order is shipped in full and booked, exactly once, and nothing more will follow.

        Raises AssertionError with what is not so.
        """
        pieces, orders = sum(self.accepted.values()), len(self.accepted)
        await eventually(
            self._orders,
            lambda all_: {o["shipment"] for o in all_} == {"full"},
            within=within,
            what="every order shipped",
        )
        expected = {
            "inventory": (OPENING - pieces) * COST,
            "cost": pieces * COST,
            "revenue": -pieces * PRICE,
            "tax": -pieces * PRICE // 10,
            "journals": 1 + 2 * orders,
        }
        await eventually(self._figures, lambda found: found == expected, within=within, what=f"{expected}")
        await quiescent(fleet, self.member.tenant_id, within)
        assert await self._figures() == expected
        stock = await self.stock()
        assert (float(stock["on_hand"]), float(stock["reserved"]), stock["value"]) == (
            OPENING - pieces,
            0,
            expected["inventory"],
        )
        assert {o["id"] for o in await self._orders()} == set(self.accepted)

    async def _orders(self) -> list[Any]:
        return await self.member.every("/v1/orders")

    async def _figures(self) -> dict[str, int]:
        balances = await self.balances()
        journals = await self.member.every("/v1/accounting/journals")
        accounts = {"inventory": "1400", "cost": "5000", "revenue": "4000", "tax": "2200"}
        return {name: balances.get(code, 0) for name, code in accounts.items()} | {"journals": len(journals)}


@asynccontextmanager
async def founded(fleet: Stack) -> AsyncIterator[Company]:
    """A company for several tests, each of which leaves to the others what they look at."""
    async with Gateway(fleet.gateway_url, fleet.supervisor.credentials.operator) as gateway:
        yield await Company.found(gateway)


async def dead_letters(stack: Stack, company: Company) -> list[tuple[str, str, str]]:
    """The company's dead letters in any service, as (subscriber, kind, reason)."""
    return await dead_letters_of(stack, company.member.tenant_id)


async def dead_letters_of(stack: Stack, tenant_id: str) -> list[tuple[str, str, str]]:
    """A tenant's dead letters in any service, as (subscriber, kind, reason)."""
    base = stack.postgres_url.rsplit("/", 1)[0]
    found: list[tuple[str, str, str]] = []
    for service in load_services():
        if service.metadata is not None:
            connection = await asyncpg.connect(f"{base}/{service.name}")
            query = (
                "SELECT subscriber, kind, reason FROM dead_letter WHERE tenant_id = $1::uuid ORDER BY dead_lettered_at"
            )
            rows = await connection.fetch(query, tenant_id)
            found += [(row["subscriber"], row["kind"], row["reason"]) for row in rows]
            await connection.close()
    return found


async def trade(company: Company, orders: int, workers: int, halfway: asyncio.Event | None = None) -> None:
    """Place and ship so many orders, several at a time; `halfway` is set when a third of them has been accepted."""
    quantities = iter([1 + number % 7 for number in range(orders)])

    async def work() -> None:
        for quantity in quantities:
            order = await company.order(quantity)
            if halfway is not None and len(company.accepted) >= orders // 3:
                halfway.set()
            await company.ship(order["id"])

    await asyncio.gather(*[work() for _ in range(workers)])
