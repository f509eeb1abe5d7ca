"""A new company on the real services in one process: from the catalog to the books, with everything that is said delivered as chance has it."""

import random
from collections.abc import Sequence
from typing import Any

from wire import Wire

from tailrace.core.ids import uuid7
from tailrace.core.values.days import DEFAULT_ZONE
from tailrace_testing import Harness

BOLT = {"sku": "BOLT", "name": "Bolt", "unit": "pcs"}
Services = dict[str, Harness]


class Firm:
    """A new company with one item in one warehouse: a thousand of it, worth 2 each, unless `stock` says quantity and value of what came in."""

    item: dict[str, Any]
    place: dict[str, Any]

    def __init__(self, services: Services, seed: int) -> None:
        self.services = services
        self.wire = Wire(services, random.Random(seed))

    @classmethod
    async def open(cls, services: Services, seed: int, stock: Sequence[tuple[int, int]] = ((1000, 2000),)) -> "Firm":
        tenant = uuid7()
        for service in services.values():
            service.tenant = tenant
            service.client = service.client_as()
            await service.count_days_in(DEFAULT_ZONE)
        firm = cls(services, seed)
        unit = {"code": "pcs", "name": "Piece", "dimension": "count", "decimals": 0}
        await firm.ask("catalog", "POST", "/v1/units", unit)
        firm.item = await firm.ask("catalog", "POST", "/v1/items", {**BOLT, "tax_rate": "0.1"})
        firm.place = await firm.ask("catalog", "POST", "/v1/warehouses", {"code": "N", "name": "North"})
        await firm.wire.settle()
        for quantity, value in stock:
            receipt = {"quantity": str(quantity), "value": value, "currency": "EUR", "reason": "purchase", **firm.where}
            await firm.ask("inventory", "POST", "/v1/inventory/receipts", receipt)
        return firm

    @property
    def where(self) -> dict[str, str]:
        return {"item_id": self.item["id"], "warehouse_id": self.place["id"]}

    async def ask(self, service: str, method: str, path: str, body: Any = None, **query: Any) -> Any:
        answer = await self.services[service].client.request(method, path, json=body, params=query)
        assert answer.status_code < 300, answer.text
        return answer.json()

    async def order(
        self, lines: int, quantity: str, price: str | None = None, net: int | None = None
    ) -> dict[str, Any]:
        """A confirmed order whose shipment waits to leave, at a price for one or a net amount for a line."""
        cost: dict[str, Any] = {"unit_price": price} if net is None else {"net": net}
        line = {**self.where, "quantity": quantity, **cost}
        terms = {"customer_reference": "C", "customer_name": "C", "currency": "EUR"}
        order = await self.ask("orders", "POST", "/v1/orders", {**terms, "confirm": True, "lines": [line] * lines})
        await self.wire.settle()
        return dict(order)

    async def shipment(self, order: dict[str, Any]) -> str:
        found = await self.ask("shipping", "GET", "/v1/shipments", order_id=order["id"])
        (shipment,) = found["items"]
        return f"/v1/shipments/{shipment['id']}"

    async def balances(self) -> dict[str, int]:
        """Debit less credit, by account."""
        trial = await self.ask("accounting", "GET", "/v1/accounting/trial-balance")
        return {row["account"]: row["balance"] for row in trial["rows"]}
