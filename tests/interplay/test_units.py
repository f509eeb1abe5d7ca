"""One table of conversions, through catalog, inventory and orders: they say the same of every case, and name the field."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from catalog.service import service as catalog
from contracts.catalog import CatalogEvent
from inventory.service import service as inventory
from orders.service import service as orders
from tailrace_testing import Harness, MakeHarness

UNITS = (("pcs", "count", "1", 0), ("kg", "mass", "1", 6), ("g", "mass", "0.001", 3), ("m", "length", "1", 3))
ITEMS: dict[str, dict[str, Any]] = {
    "WEDGE": {"unit": "pcs", "conversions": [{"unit": "kg", "factor": "4"}, {"unit": "box", "factor": "12"}]},
    "FLOUR": {"unit": "kg"},
    "ROD": {"unit": "m", "conversions": [{"unit": "pcs", "factor": "2.5"}, {"unit": "kg", "factor": "0.3"}]},
}
# Item, quantity, its unit, the same in the item's base unit; or the field that is refused.
CASES = (
    ("WEDGE", "250", "g", "1"),
    ("WEDGE", "1", "kg", "4"),
    ("WEDGE", "0.25", "kg", "1"),
    ("WEDGE", "2", "box", "24"),
    ("WEDGE", "0.5", "box", "6"),
    ("WEDGE", "3", "pcs", "3"),
    ("WEDGE", "1.5", "pcs", "quantity"),
    ("WEDGE", "0.333333", "pcs", "quantity"),
    ("WEDGE", "200", "g", "quantity"),
    ("WEDGE", "0.1", "box", "quantity"),
    ("WEDGE", "1", "m", "unit"),
    ("WEDGE", "1", "barrel", "unit"),
    ("FLOUR", "1500", "g", "1.5"),
    ("FLOUR", "0.001", "g", "0.000001"),
    ("FLOUR", "0.0001", "g", "quantity"),
    ("FLOUR", "1", "box", "unit"),
    ("FLOUR", "1", "pcs", "unit"),
    ("ROD", "2", "pcs", "5"),
    ("ROD", "0.5", "pcs", "quantity"),
    ("ROD", "10", "g", "0.003"),
    ("ROD", "1", "g", "quantity"),
    ("ROD", "0.001", "m", "0.001"),
    ("ROD", "0.0001", "m", "quantity"),
)


class Company:
    """The three services, and what the catalog holds."""

    def __init__(self, services: dict[str, Harness]) -> None:
        self.services = services
        self.items: dict[str, str] = {}
        self.warehouse = ""

    async def open(self) -> None:
        for code, dimension, factor, decimals in UNITS:
            unit = {"code": code, "name": code, "dimension": dimension, "factor": factor, "decimals": decimals}
            await self._make("units", unit)
        for sku, how in ITEMS.items():
            self.items[sku] = await self._make("items", {"sku": sku, "name": sku, "tax_rate": "0", **how})
        self.warehouse = await self._make("warehouses", {"code": "N", "name": "North"})
        for published in await self.services["catalog"].published():
            assert isinstance(published.event, CatalogEvent)
            for name in ("inventory", "orders"):
                await self.services[name].deliver(published.event, aggregate_id=UUID(str(published.aggregate_id)))

    async def catalog(self, sku: str, quantity: str, unit: str) -> str:
        asked = {"quantity": quantity, "from": unit, "to": ITEMS[sku]["unit"], "item_id": self.items[sku]}
        answer = await self.services["catalog"].client.post("/v1/units/convert", json=asked)
        named = {"/quantity": "quantity", "/from": "unit", "/to": "unit"}
        return str(answer.json()["quantity"]) if answer.status_code == 200 else named[_field(answer)]

    async def inventory(self, sku: str, quantity: str, unit: str) -> str:
        cost = {"unit_cost": "1200", "currency": "EUR", "reason": "purchase"}
        asked = {"item_id": self.items[sku], "warehouse_id": self.warehouse, "quantity": quantity, "unit": unit, **cost}
        answer = await self.services["inventory"].client.post("/v1/inventory/receipts", json=asked)
        if answer.status_code == 201:
            assert answer.json()["value"] == round(Decimal(quantity) * 1200)
            return str(answer.json()["quantity"])
        return _field(answer).removeprefix("/")

    async def orders(self, sku: str, quantity: str, unit: str) -> str:
        line = {"item_id": self.items[sku], "warehouse_id": self.warehouse, "quantity": quantity, "unit": unit}
        order = {
            "customer_reference": "C",
            "customer_name": "C",
            "currency": "EUR",
            "lines": [{**line, "unit_price": "1200"}],
        }
        answer = await self.services["orders"].client.post("/v1/orders", json=order)
        if answer.status_code == 201:
            assert answer.json()["net"] == round(Decimal(quantity) * 1200)
            return str(answer.json()["lines"][0]["quantity"])
        return _field(answer).removeprefix("/lines/0/")

    async def _make(self, path: str, body: dict[str, Any]) -> str:
        answer = await self.services["catalog"].client.post(f"/v1/{path}", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])


def _field(answer: Any) -> str:
    assert answer.status_code == 422, answer.text
    return str(answer.json()["errors"][0]["field"])


@pytest.fixture
async def company(make_harness: MakeHarness) -> Company:
    company = Company({service.name: await make_harness(service) for service in (catalog, inventory, orders)})
    await company.open()
    return company


async def test_three_services_convert_alike_and_a_price_means_the_same(company: Company) -> None:
    for sku, quantity, unit, expected in CASES:
        found = [await say(sku, quantity, unit) for say in (company.catalog, company.inventory, company.orders)]
        assert found == [expected] * 3, f"{quantity} {unit} of {sku}"
