"""A company with a bolt (first in, first out; boxes of 12), flour (moving average, in kilograms), a service, and two warehouses."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from contracts import catalog, orders, shipments
from contracts.inventory import ReservedLine
from tailrace.core.ids import uuid7
from tailrace_testing import Harness

TODAY = date(2026, 6, 15)
"""Of the dairy."""


@dataclass
class Depot:
    """The harness, what the catalog knows, and the neighbours' requests."""

    h: Harness
    bolt: UUID = field(default_factory=uuid7)
    flour: UUID = field(default_factory=uuid7)
    hour: UUID = field(default_factory=uuid7)
    north: UUID = field(default_factory=uuid7)
    south: UUID = field(default_factory=uuid7)

    async def hear_the_catalog(self) -> None:
        for code, factor in (("kg", "1"), ("g", "0.001"), ("lb3", "3")):
            await self.unit(code, "mass", factor)
        for code in ("pcs", "h"):
            await self.unit(code, code)
        await self.item(self.bolt, "BOLT", conversions=[catalog.UnitConversion(unit="box", factor=Decimal(12))])
        await self.item(self.flour, "FLOUR", unit="kg", valuation="moving_average")
        await self.item(self.hour, "HOUR", unit="h", kind="service")
        for id, code in ((self.north, "N"), (self.south, "S")):
            await self.h.deliver(catalog.WarehouseCreated(warehouse_id=id, code=code, name=code), aggregate_id=id)

    async def unit(self, code: str, dimension: str, factor: str = "1", decimals: int = 6) -> None:
        unit = catalog.UnitCreated(
            unit_id=uuid7(), code=code, name=code, dimension=dimension, factor=Decimal(factor), decimals=decimals
        )
        await self.h.deliver(unit, aggregate_id=unit.unit_id)

    async def item(self, id: UUID, sku: str, **given: Any) -> None:
        told: dict[str, Any] = {
            "item_id": id,
            "sku": sku,
            "name": sku,
            "unit": "pcs",
            "tax_rate": Decimal("0.1"),
            **given,
        }
        await self.h.deliver(catalog.ItemCreated(**told), aggregate_id=id)

    async def post(self, path: str, status: int = 201, /, **body: Any) -> dict[str, Any]:
        """A command about the bolt in the north, unless told otherwise."""
        where = {} if path.startswith("reservations") else {"item_id": self.bolt}
        if path in {"receipts", "issues", "adjustments"}:
            where["warehouse_id"] = self.north
        told = {name: str(value) if isinstance(value, UUID) else value for name, value in {**where, **body}.items()}
        answer = await self.h.client.post(f"/v1/inventory/{path}", json=told)
        assert answer.status_code == status, answer.text
        return dict(answer.json())

    async def receive(self, quantity: str, value: int | None, status: int = 201, /, **given: Any) -> dict[str, Any]:
        told = {"quantity": quantity, "value": value, "currency": "EUR", "reason": "purchase", **given}
        return await self.post("receipts", status, **told)

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        answer = await self.h.client.get(f"/v1/inventory/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def stock(self, item: UUID | None = None, warehouse: UUID | None = None) -> dict[str, Any]:
        return await self.get(f"stock/{item or self.bolt}/{warehouse or self.north}")

    async def figures(self) -> tuple[str, str, int]:
        """On hand, reserved and value of the bolt in the north."""
        stock = await self.stock()
        return stock["on_hand"], stock["reserved"], stock["value"]

    async def layers(self, item: UUID | None = None, warehouse: UUID | None = None) -> list[tuple[str, int]]:
        return [(layer["quantity"], layer["value"]) for layer in (await self.stock(item, warehouse))["layers"]]

    def line(
        self, quantity: str, item: UUID | None = None, warehouse: UUID | None = None, **wish: Any
    ) -> orders.RequestedLine:
        return orders.RequestedLine(
            line_id=uuid7(),
            item_id=item or self.bolt,
            warehouse_id=warehouse or self.north,
            quantity=Decimal(quantity),
            **wish,
        )

    async def order(
        self, *lines: orders.RequestedLine, partial: bool = False, expires_at: datetime | None = None, **given: Any
    ) -> orders.ReservationRequested:
        """An order asks for stock; its answer is in the outbox."""
        request = orders.ReservationRequested(
            order_id=uuid7(),
            reservation_id=uuid7(),
            lines=list(lines),
            partial_allowed=partial,
            expires_at=expires_at,
            **given,
        )
        await self.h.deliver(request, aggregate_id=request.order_id)
        return request

    async def ask_release(self, request: orders.ReservationRequested, *departed: shipments.ShipmentDispatched) -> None:
        left = [
            orders.Departure(
                shipment_id=one.shipment_id,
                lines=[orders.LineQuantity(line_id=line.line_id, quantity=line.quantity) for line in one.lines],
            )
            for one in departed
        ]
        event = orders.ReservationReleaseRequested(
            order_id=request.order_id, reservation_id=request.reservation_id, reason="cancelled", departed=left
        )
        await self.h.deliver(event, aggregate_id=request.order_id)

    def shipment(self, request: orders.ReservationRequested, *quantities: str) -> shipments.ShipmentDispatched:
        """What was requested leaves; as much of it as `quantities` say, when they are given."""
        left = [Decimal(quantity) for quantity in quantities] or [line.quantity for line in request.lines]
        lines = [
            shipments.DispatchedLine(
                **line.model_dump(exclude={"quantity", "lot", "remaining_days"}),
                sku="BOLT",
                name="Bolt",
                quantity=quantity,
                line_quantity=line.quantity,
                line_net=1000,
                line_tax=100,
                dispatched_before=Decimal(0),
            )
            for line, quantity in zip(request.lines, left, strict=True)
        ]
        return shipments.ShipmentDispatched(
            shipment_id=uuid7(),
            order_id=request.order_id,
            reservation_id=request.reservation_id,
            number="SH-1",
            currency="EUR",
            lines=lines,
            dispatched_at=datetime.now(UTC),
        )

    async def dispatch(self, request: orders.ReservationRequested, *quantities: str) -> None:
        event = self.shipment(request, *quantities)
        await self.h.deliver(event, aggregate_id=event.shipment_id)

    async def reservation(self, id: UUID | str) -> dict[str, Any]:
        return await self.get(f"reservations/{id}")

    async def told(self, type: str) -> list[Any]:
        """Events of one type that were published, oldest first."""
        return [published.event for published in await self.h.published(f"inventory.{type}")]


def reserved(lines: list[ReservedLine]) -> list[int]:
    """What is reserved line by line, for tests that count in whole pieces."""
    return [int(line.reserved) for line in lines]
