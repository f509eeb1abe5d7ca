"""An order as shipping hears of it: what it asks for arrives as events."""

from typing import Any
from uuid import UUID

from contracts.orders import (
    Address,
    ShipmentLineRequest,
    ShipmentRequested,
)
from tailrace.core.ids import uuid7
from tailrace_testing import Harness

Answer = dict[str, Any]


class Order:
    """An order as shipping hears of it, with lines of 10 and 2.5."""

    def __init__(self, shipping: Harness) -> None:
        self.shipping = shipping
        self.id, self.bolts, self.flour, self.reservation = uuid7(), uuid7(), uuid7(), uuid7()

    def line(self, line_id: UUID, sku: str, quantity: str) -> ShipmentLineRequest:
        figures = {"quantity": quantity, "line_quantity": quantity, "line_net": 1000, "line_tax": 190}
        return ShipmentLineRequest(
            line_id=line_id, item_id=uuid7(), sku=sku, name=sku.title(), warehouse_id=uuid7(), **figures
        )

    def request(self, **changes: Any) -> ShipmentRequested:
        fields: Answer = {
            "order_id": self.id,
            "shipment_id": uuid7(),
            "reservation_id": self.reservation,
            "number": "SO-000001",
            "customer_reference": "PO 7",
            "customer_name": "Hanako Sato",
            "ship_to": Address(lines=["1-1 Chiyoda"], city="Tokyo", country="JP"),
            "currency": "JPY",
            "lines": [self.line(self.bolts, "BOLT", "10"), self.line(self.flour, "FLOUR", "2.5")],
        }
        return ShipmentRequested(**{**fields, **changes})

    async def hear(self, event: Any) -> Any:
        return await self.shipping.deliver(event, aggregate_id=self.id)

    async def shipment(self) -> str:
        asked = self.request()
        await self.hear(asked)
        return str(asked.shipment_id)

    async def post(self, shipment: str, what: str, **body: Any) -> Any:
        return await self.shipping.client.post(f"/v1/shipments/{shipment}/{what}", json=body)

    async def packed(self, **parcel: Any) -> str:
        """A shipment with everything in one parcel of 1.2 kg."""
        shipment = await self.shipment()
        await self.post(shipment, "pick")
        body = {"lines": self.some("10", "2.5"), "weight_grams": 1200, **parcel}
        answer = await self.post(shipment, "packages", **body)
        assert answer.status_code == 201, answer.text
        return shipment

    async def read(self, shipment: str) -> Answer:
        return dict((await self.shipping.client.get(f"/v1/shipments/{shipment}")).json())

    async def shipments(self) -> list[Answer]:
        answer = await self.shipping.client.get("/v1/shipments", params={"order_id": str(self.id)})
        return list(answer.json()["items"])

    def some(self, bolts: str | None = None, flour: str | None = None) -> list[Answer]:
        wanted = ((self.bolts, bolts), (self.flour, flour))
        return [{"line_id": str(line), "quantity": quantity} for line, quantity in wanted if quantity]
