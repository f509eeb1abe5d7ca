from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from catalog.service import service
from contracts import inventory, opportunities, orders, quotes, returns, shipments
from contracts.users import TenantCreated
from tailrace.core.events import Event
from tailrace.core.ids import uuid7
from tailrace_testing import Harness, MakeHarness

Answer = dict[str, Any]
NOW = datetime(2026, 12, 1, tzinfo=UTC)
FIVE, NOTHING = Decimal(5), Decimal(0)


@pytest.fixture
async def catalog(make_harness: MakeHarness) -> Harness:
    """The service for a tenant that has its standard units."""
    harness = await make_harness(service)
    event = TenantCreated(tenant_id=harness.tenant, slug="acme", name="Acme", currency="EUR")
    await harness.deliver(event, aggregate_id=harness.tenant)
    return harness


class Store:
    """A bolt and a warehouse, and what others say of the two."""

    def __init__(self, catalog: Harness) -> None:
        self.h = catalog
        self.item_id, self.warehouse_id = uuid7(), uuid7()
        self.order_id, self.shipment_id, self.reservation_id, self.line_id = uuid7(), uuid7(), uuid7(), uuid7()
        self.return_id, self.quote_id, self.opportunity_id = uuid7(), uuid7(), uuid7()

    async def make(self) -> None:
        bolt = {"sku": "BOLT", "name": "Bolt", "tax_rate": "0.19"}
        self.item_id = UUID((await self.post("items", **bolt))["id"])
        self.warehouse_id = UUID((await self.post("warehouses", code="NORTH", name="North"))["id"])

    async def post(self, path: str, status: int = 201, /, **body: Any) -> Answer:
        answer = await self.h.client.post(f"/v1/{path}", json=body or None)
        assert answer.status_code == status, answer.text
        return dict(answer.json())

    @property
    def both(self) -> tuple[str, str]:
        return f"/v1/items/{self.item_id}", f"/v1/warehouses/{self.warehouse_id}"

    async def refused(self) -> list[str]:
        """Why neither can be deleted."""
        answers = [await self.h.client.delete(path) for path in self.both]
        assert [answer.status_code for answer in answers] == [409, 409], answers[0].text
        assert {answer.json()["type"] for answer in answers} == {"urn:tailrace:problem:in-use"}
        return [answer.json()["detail"] for answer in answers]

    async def deleted(self) -> None:
        assert [(await self.h.client.delete(path)).status_code for path in self.both] == [204, 204]

    async def hear(self, *events: Event) -> None:
        ids = {"order.events": self.order_id, "shipment.events": self.shipment_id, "inventory.events": self.line_id}
        ids |= {"quote.events": self.quote_id, "opportunity.events": self.opportunity_id}
        for event in events:
            await self.h.deliver(event, aggregate_id=ids[event.topic], time=NOW)

    # What is heard.

    def order(
        self, kind: type[Any] = orders.OrderCreated, item: UUID | None = None, place: UUID | None = None
    ) -> Event:
        line = orders.OrderLine(
            line_id=self.line_id,
            item_id=item or self.item_id,
            sku="BOLT",
            name="Bolt",
            warehouse_id=place or self.warehouse_id,
            quantity=FIVE,
            unit_price=Decimal(1),
            net=5,
            tax_rate=NOTHING,
            tax=0,
        )
        terms = {"number": "SO-000007", "customer_reference": "C", "customer_name": "C", "currency": "EUR"}
        event: Event = kind(order_id=self.order_id, net=5, tax=0, lines=[line], ordered_at=NOW, **terms)
        return event

    def order_shipped(self, how_far: Any) -> Event:
        return orders.OrderShipmentProgressed(order_id=self.order_id, shipment=how_far, lines=[])

    def order_cancelled(self) -> Event:
        return orders.OrderCancelled(order_id=self.order_id, reason="changed their mind")

    def quoted(self, kind: type[Any] = quotes.QuoteCreated, *, open: bool = True, item: UUID | None = None) -> Event:
        line = quotes.QuotedItem(
            line_id=self.line_id,
            item_id=item or self.item_id,
            sku="BOLT",
            name="Bolt",
            unit="pcs",
            decimals=0,
            quantity=FIVE,
            unit_price=Decimal(1),
            net=5,
            tax_rate=NOTHING,
            tax=0,
        )
        terms = {"customer_id": uuid7(), "customer_name": "C", "currency": "EUR", "discount": 0, "net": 5, "tax": 0}
        days = {"dated": NOW.date(), "valid_until": NOW.date()}
        said = {**terms, **days, "lines": [line], "open": open, "warehouse_id": self.warehouse_id if open else None}
        said |= {"reason": "no", "approval_id": uuid7(), "order_id": self.order_id, "order_number": "SO-000007"}
        said |= {"by_quote_id": uuid7(), "final": True}
        fields = {name: value for name, value in said.items() if name in kind.model_fields}
        event: Event = kind(quote_id=self.quote_id, number="Q-000007", revision=1, **fields)
        return event

    def hoped_for(
        self, kind: type[Any] = opportunities.OpportunityCreated, *, status: Any = "open", item: UUID | None = None
    ) -> Event:
        """An opportunity for the item, and for something that the catalog does not have."""
        said = {"name": "Bolts", "quantity": FIVE, "unit_price": Decimal(1), "amount": 5}
        lines = [opportunities.OpportunityLine(item_id=id, **said) for id in (item or self.item_id, None)]
        terms = {"customer_id": uuid7(), "pipeline_id": uuid7(), "stage": "offer", "amount": 10, "currency": "EUR"}
        terms |= {"name": "Bolts", "status": status, "category": "pipeline", "expected_close_on": NOW.date()}
        event: Event = kind(opportunity_id=self.opportunity_id, number="OP-000007", lines=lines, **terms)
        return event

    def goods_back(self, kind: type[Any] = returns.ReturnAuthorised) -> Event:
        line = returns.ReturnLine(
            return_line_id=uuid7(),
            shipment_id=self.shipment_id,
            line_id=self.line_id,
            item_id=self.item_id,
            sku="BOLT",
            name="Bolt",
            warehouse_id=self.warehouse_id,
            quantity=FIVE,
            outcome="refund",
        )
        said: dict[str, Any] = {
            "number": "RT-000001",
            "order_number": "SO-000007",
            "customer_name": "C",
            "reason_code": "R",
        }
        said |= {"reason": "r", "currency": "EUR", "lines": [] if kind is returns.ReturnClosed else [line]}
        said |= {"return_shipment_id": self.shipment_id}
        fields = {name: value for name, value in said.items() if name in kind.model_fields}
        event: Event = kind(order_id=self.order_id, return_id=self.return_id, **fields)
        return event

    def shipment(self, kind: type[Any] = shipments.ShipmentCreated, **given: Any) -> Event:
        line = shipments.DispatchedLine(
            line_id=self.line_id,
            item_id=self.item_id,
            sku="BOLT",
            name="Bolt",
            warehouse_id=self.warehouse_id,
            quantity=FIVE,
            line_quantity=FIVE,
            line_net=5,
            line_tax=0,
            dispatched_before=NOTHING,
        )
        said = {"number": "SO-000007-1", "currency": "EUR", "customer_name": "C", "reservation_id": self.reservation_id}
        said |= {"lines": [line], "dispatched_at": NOW, "reason": "r", **given}
        fields = {name: value for name, value in said.items() if name in kind.model_fields}
        event: Event = kind(shipment_id=self.shipment_id, order_id=self.order_id, **fields)
        return event

    def stock(self, kind: type[Any], quantity: int, **given: Any) -> Event:
        said = {
            "value": 1,
            "currency": "EUR",
            "layers": [],
            "effective_at": NOW,
            "layer_id": uuid7(),
            "reason": "purchase",
        }
        said |= {"line_id": self.line_id, "to_warehouse_id": uuid7(), "reservation_id": self.reservation_id, **given}
        fields = {name: value for name, value in said.items() if name in kind.model_fields}
        event: Event = kind(item_id=self.item_id, warehouse_id=self.warehouse_id, quantity=Decimal(quantity), **fields)
        return event

    def received(self, quantity: int) -> Event:
        return self.stock(inventory.StockReceived, quantity)

    def issued(self, quantity: int, held_by: UUID | None = None) -> Event:
        return self.stock(inventory.StockIssued, quantity, reason="scrap", reservation_id=held_by)


@pytest.fixture
async def store(catalog: Harness) -> Store:
    store = Store(catalog)
    await store.make()
    return store
