"""Short stock, from the order to the door and back: whatever arrives when, what waits is shipped in its turn, by lots that may leave."""

import random
from decimal import Decimal
from typing import Any

import pytest
from wire import Wire

from catalog.service import service as catalog
from inventory.service import service as inventory
from orders.service import service as orders
from shipping.service import service as shipping
from tailrace.core.ids import uuid7
from tailrace.core.values.days import DEFAULT_ZONE
from tailrace_testing import Harness, MakeHarness

SEEDS = range(3)
Services = dict[str, Harness]


class Dairy:
    """A new company that sells milk by lots, each with its last day, out of one warehouse."""

    def __init__(self, services: Services, seed: int) -> None:
        self.services = services
        self.dice = random.Random(seed)
        self.wire = Wire(services, self.dice)
        self.where: dict[str, str] = {}

    @classmethod
    async def open(cls, services: Services, seed: int) -> "Dairy":
        tenant = uuid7()
        for service in services.values():
            service.tenant = tenant
            service.client = service.client_as()
            await service.count_days_in(DEFAULT_ZONE)
        dairy = cls(services, seed)
        await dairy.ask("catalog", "POST", "/v1/units", {"code": "l", "name": "Litre", "dimension": "volume"})
        milk = {"sku": "MILK", "name": "Milk", "unit": "l", "tax_rate": "0.1", "tracking": "lot", "expires": True}
        item = await dairy.ask("catalog", "POST", "/v1/items", milk)
        place = await dairy.ask("catalog", "POST", "/v1/warehouses", {"code": "N", "name": "North"})
        dairy.where = {"item_id": item["id"], "warehouse_id": place["id"]}
        await dairy.wire.settle()
        return dairy

    async def ask(self, service: str, method: str, path: str, body: Any = None, **query: Any) -> Any:
        answer = await self.services[service].client.request(method, path, json=body, params=query)
        assert answer.status_code < 300, answer.text
        return answer.json()

    async def take_in(self, number: str, quantity: str, last: str) -> None:
        lots = [{"number": number, "quantity": quantity, "expires_on": last}]
        bought = {"quantity": quantity, "value": 100, "currency": "EUR", "reason": "purchase", "lots": lots}
        await self.ask("inventory", "POST", "/v1/inventory/receipts", {**bought, **self.where})

    async def order(self, quantity: str, **more: Any) -> str:
        line = {**self.where, "quantity": quantity, "unit_price": "10"}
        terms = {"customer_reference": "C", "customer_name": "C", "currency": "EUR", "when_short": "wait"}
        body = {**terms, "partial_allowed": True, "confirm": True, "lines": [line], **more}
        return str((await self.ask("orders", "POST", "/v1/orders", body))["id"])

    async def settle(self) -> None:
        """Until nobody has anything to say, and nothing that is free is waited for."""
        await self.wire.settle()
        stock = self.services["inventory"]
        await stock.make_timers_due()
        while await stock.fire_timers():
            await self.wire.settle()
            await stock.make_timers_due()

    async def ship_all(self) -> None:
        """Everything that may leave does."""
        for shipment in (await self.ask("shipping", "GET", "/v1/shipments", status="pending"))["items"]:
            await self.services["shipping"].client.post(f"/v1/shipments/{shipment['id']}/dispatch", json={})
        await self.settle()

    async def state(self, order: str) -> tuple[str, str, str]:
        """How far it is shipped, how much of it has left, and how much waits."""
        now = await self.ask("orders", "GET", f"/v1/orders/{order}")
        (line,) = now["lines"]
        return now["shipment"], line["shipped"], line["backordered"]


@pytest.fixture
async def services(make_harness: MakeHarness) -> Services:
    return {s.name: await make_harness(s) for s in (catalog, orders, inventory, shipping)}


async def test_what_waits_is_shipped_in_its_turn_by_lots_that_may_leave(services: Services) -> None:
    for seed in SEEDS:
        dairy = await Dairy.open(services, seed)
        await dairy.take_in("B", "3", "2097-02-01")
        await dairy.take_in("A", "2", "2097-01-01")
        first = await dairy.order("8")
        await dairy.settle()
        second = await dairy.order("4")
        urgent = await dairy.order("4", priority=1)
        await dairy.settle()
        await dairy.ship_all()
        assert [await dairy.state(one) for one in (first, second, urgent)] == [
            ("partial", "5", "3"),
            ("none", "0", "4"),
            ("none", "0", "4"),
        ], seed
        (shipped,) = (await dairy.ask("shipping", "GET", "/v1/shipments", status="dispatched"))["items"]
        assert [(lot["number"], lot["quantity"]) for lot in shipped["lines"][0]["lots"]] == [("A", "2"), ("B", "3")]

        # Two lots come in at once; the one that is blocked before it leaves stays, and its order has another instead.
        await dairy.take_in("C", "4", "2097-03-01")
        await dairy.take_in("D", "3", "2097-04-01")
        await dairy.settle()
        (bad,) = (await dairy.ask("inventory", "GET", "/v1/inventory/lots", number="C"))["items"]
        decided = {"status": "blocked", "reason": "recalled"}
        await dairy.ask("inventory", "POST", f"/v1/inventory/lots/{bad['id']}/status", decided)
        await dairy.settle()
        await dairy.ship_all()
        assert [await dairy.state(one) for one in (first, second, urgent)] == [
            ("full", "8", "0"),
            ("none", "0", "4"),
            ("none", "0", "0"),
        ], seed
        (held,) = (await dairy.ask("inventory", "GET", "/v1/inventory/reservations", order_id=urgent, status="made"))[
            "items"
        ]
        await dairy.ask("inventory", "POST", f"/v1/inventory/reservations/{held['id']}/release", {"reason": "recalled"})
        await dairy.settle()
        await dairy.ask("orders", "POST", f"/v1/orders/{urgent}/allocate")
        await dairy.take_in("E", "9", "2097-05-01")
        await dairy.settle()
        await dairy.ship_all()
        assert [await dairy.state(one) for one in (first, second, urgent)] == [
            ("full", "8", "0"),
            ("full", "4", "0"),
            ("full", "4", "0"),
        ], seed
        gone = await dairy.ask("inventory", "GET", f"/v1/inventory/lots/{bad['id']}")
        assert (gone["on_hand"], gone["went_to"]) == ("4", []), seed
        (good,) = (await dairy.ask("inventory", "GET", "/v1/inventory/lots", number="E"))["items"]
        traced = (await dairy.ask("inventory", "GET", f"/v1/inventory/lots/{good['id']}"))["went_to"]
        assert {one["order_id"] for one in traced} == {second, urgent}, seed
        assert sum(Decimal(one["quantity"]) for one in traced) == -8, seed
        assert await dairy.wire.dead_letters() == [], seed
        proof = await services["inventory"].prove()
        assert proof.proven, (seed, proof.differences)
