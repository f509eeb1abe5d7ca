"""Orders in a company with a catalog: a bolt in pieces, flour in kilograms, a consulting hour, two warehouses, a price list."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from aiokafka import ConsumerRecord

from contracts import catalog, inventory, shipments
from contracts import orders as events
from orders.service import service
from tailrace.core.ids import uuid7
from tailrace_testing import Harness, MakeHarness


@dataclass
class Desk:
    """A sales desk: the harness, what the catalog knows, and the neighbours' answers."""

    h: Harness
    bolt: UUID = field(default_factory=uuid7)
    flour: UUID = field(default_factory=uuid7)
    hour: UUID = field(default_factory=uuid7)
    north: UUID = field(default_factory=uuid7)
    south: UUID = field(default_factory=uuid7)
    retail: UUID = field(default_factory=uuid7)
    policy: UUID = field(default_factory=uuid7)

    async def stock_the_catalog(self) -> None:
        for code, dimension, factor in (
            ("g", "mass", "0.001"),
            ("kg", "mass", "1"),
            ("m", "length", "1"),
            ("lb3", "mass", "3"),
        ):
            await self.unit(code, dimension, factor, decimals=3)
        for code in ("pcs", "h"):
            await self.unit(code, code)
        await self.item(self.bolt, "BOLT", unit="pcs", tax="0.1", box="12")
        await self.item(self.flour, "FLOUR", unit="kg", tax="0.08")
        await self.item(self.hour, "HOUR", unit="h", tax="0.1", kind="service")
        for id, code in ((self.north, "N"), (self.south, "S")):
            await self.h.deliver(catalog.WarehouseCreated(warehouse_id=id, code=code, name=code), aggregate_id=id)
        await self.prices(self.retail, ("1", "150"), ("10", "120.5"))

    async def unit(self, code: str, dimension: str, factor: str = "1", decimals: int = 6) -> None:
        unit = catalog.UnitCreated(
            unit_id=uuid7(), code=code, name=code, dimension=dimension, factor=Decimal(factor), decimals=decimals
        )
        await self.h.deliver(unit, aggregate_id=unit.unit_id)

    async def item(
        self,
        id: UUID,
        sku: str,
        *,
        unit: str = "pcs",
        tax: str | None = None,
        code: UUID | None = None,
        kind: Any = "stock",
        box: str | None = None,
    ) -> None:
        conversions = [catalog.UnitConversion(unit="box", factor=Decimal(box))] if box else []
        item = catalog.ItemUpdated(
            item_id=id,
            sku=sku,
            name=sku.title(),
            kind=kind,
            unit=unit,
            tax_rate=None if tax is None else Decimal(tax),
            tax_code_id=code,
            conversions=conversions,
        )
        await self.h.deliver(item, aggregate_id=id)

    async def tax_code(
        self, id: UUID, code: str, *rates: tuple[str, str], rounding: tuple[Any, Any] | None = None
    ) -> None:
        """`rates`: day and rate; `rounding`: level and mode, ever since."""
        told = catalog.TaxCodeUpdated(
            tax_code_id=id,
            code=code,
            name=code,
            rates=[{"valid_from": day, "rate": rate} for day, rate in rates],
            roundings=[_ever_since(*rounding)] if rounding else [],
        )
        await self.h.deliver(told, aggregate_id=id)

    async def tax_policy(self, *roundings: catalog.DatedRounding) -> None:
        told = catalog.TaxPolicyUpdated(tax_policy_id=self.policy, roundings=list(roundings))
        await self.h.deliver(told, aggregate_id=self.policy)

    async def round_by(self, level: Any, mode: Any) -> None:
        """The tenant's policy, ever since."""
        await self.tax_policy(_ever_since(level, mode))

    async def prices(self, id: UUID, *breaks: tuple[str, str], **given: Any) -> None:
        """A price list of the bolt, in euros and valid in 2026 unless `given` says otherwise."""
        prices = [
            catalog.Price(item_id=self.bolt, min_quantity=Decimal(least), unit_price=Decimal(price))
            for least, price in breaks
        ]
        year = {"valid_from": date(2026, 1, 1), "valid_until": date(2026, 12, 31)}
        described = {"code": "RETAIL", "name": "Retail", "currency": "EUR", **year, **given}
        listed = catalog.PriceListUpdated(price_list_id=id, prices=prices, **described)
        await self.h.deliver(listed, aggregate_id=id)

    def line(self, **given: Any) -> dict[str, Any]:
        line = {"item_id": str(self.bolt), "warehouse_id": str(self.north), "quantity": "10", **given}
        if not {"unit_price", "net", "price_list_id"} & given.keys():
            line["unit_price"] = "100"
        return line

    def body(self, *lines: dict[str, Any], **given: Any) -> dict[str, Any]:
        terms = {"customer_reference": "C-1", "customer_name": "Ada Works", "currency": "EUR"}
        return {**terms, "lines": list(lines) or [self.line()], **given}

    async def create(self, *lines: dict[str, Any], **given: Any) -> dict[str, Any]:
        answer = await self.h.client.post("/v1/orders", json=self.body(*lines, **given))
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def confirmed(self, *lines: dict[str, Any], **given: Any) -> dict[str, Any]:
        """A confirmed order whose saga has asked for stock."""
        order = await self.create(*lines, confirm=True, **given)
        await self.h.pump()
        return order

    async def act(self, order: dict[str, Any], action: str, status: int = 200, **body: Any) -> dict[str, Any]:
        """A transition by a person, and what follows from it here."""
        answer = await self.h.client.post(f"/v1/orders/{order['id']}/{action}", json=body or None)
        assert answer.status_code == status, answer.text
        await self.h.pump()
        return dict(answer.json())

    async def read(self, order: dict[str, Any]) -> dict[str, Any]:
        return dict((await self.h.client.get(f"/v1/orders/{order['id']}")).json())

    async def states(self, order: dict[str, Any]) -> list[str]:
        answer = await self.h.client.get(f"/v1/orders/{order['id']}/history")
        return [step["to_state"] for step in answer.json()["steps"]]

    async def asked(self, type: str) -> list[Any]:
        """Events of one type that were published, oldest first."""
        return [published.event for published in await self.h.published(type)]

    async def reservation(self) -> events.ReservationRequested:
        """The newest request to inventory."""
        request = (await self.asked("order.reservation_requested"))[-1]
        assert isinstance(request, events.ReservationRequested)
        return request

    async def reserve(self, request: events.ReservationRequested, *quantities: str) -> ConsumerRecord:
        """Inventory holds `quantities`, line by line; everything when none are given."""
        held = [Decimal(quantity) for quantity in quantities] or [line.quantity for line in request.lines]
        lines = [
            inventory.ReservedLine(
                line_id=line.line_id,
                item_id=line.item_id,
                warehouse_id=line.warehouse_id,
                requested=line.quantity,
                reserved=reserved,
            )
            for line, reserved in zip(request.lines, held, strict=True)
        ]
        complete = all(line.requested == line.reserved for line in lines)
        return await self.answer(inventory.ReservationMade, request, lines=lines, complete=complete)

    async def answer(self, kind: type[inventory.ReservationEvent], request: Any, **given: Any) -> ConsumerRecord:
        """Inventory answers, under the reservation's id."""
        event = kind(reservation_id=request.reservation_id, order_id=request.order_id, **given)
        record = await self.h.deliver(event, aggregate_id=event.reservation_id)
        await self.h.pump()
        return record

    async def dispatch(
        self, request: events.ShipmentRequested, *quantities: str, shipment: UUID | None = None
    ) -> ConsumerRecord:
        """A shipment leaves, with `quantities` line by line; with everything when none are given."""
        left = [Decimal(quantity) for quantity in quantities] or [line.quantity for line in request.lines]
        lines = [
            shipments.DispatchedLine(**{**line.model_dump(), "quantity": quantity}, dispatched_before=Decimal(0))
            for line, quantity in zip(request.lines, left, strict=True)
        ]
        id = shipment or request.shipment_id
        event = shipments.ShipmentDispatched(
            shipment_id=id,
            order_id=request.order_id,
            reservation_id=request.reservation_id,
            number="SH-000001",
            currency=request.currency,
            lines=lines,
            dispatched_at=datetime.now(UTC),
        )
        record = await self.h.deliver(event, aggregate_id=id)
        await self.h.pump()
        return record

    async def shipments_cancelled(
        self, order: dict[str, Any], *ids: UUID, departed: Sequence[shipments.ReservedDeparture] = ()
    ) -> None:
        event = shipments.ShipmentsCancelled(order_id=UUID(order["id"]), shipments=list(ids), departed=list(departed))
        await self.h.deliver(event, aggregate_id=uuid7())
        await self.h.pump()

    def departure(self, request: events.ShipmentRequested, *quantities: str) -> shipments.ReservedDeparture:
        """What `dispatch` says of the same shipment, as it stands in the answer to a cancellation."""
        left = [Decimal(quantity) for quantity in quantities] or [line.quantity for line in request.lines]
        lines = [
            events.LineQuantity(line_id=line.line_id, quantity=quantity)
            for line, quantity in zip(request.lines, left, strict=True)
        ]
        ids = {"shipment_id": request.shipment_id, "reservation_id": request.reservation_id}
        return shipments.ReservedDeparture(**ids, lines=lines)

    async def lose(self, order: dict[str, Any], request: Any, *departed: shipments.ReservedDeparture) -> None:
        """A reservation expires, what has not left of it is cancelled, and it is freed."""
        await self.answer(inventory.ReservationExpired, request)
        await self.shipments_cancelled(order, departed=departed)
        await self.answer(inventory.ReservationReleased, request, reason="asked")


def _ever_since(level: Any, mode: Any) -> catalog.DatedRounding:
    return catalog.DatedRounding(valid_from=date(1900, 1, 1), level=level, mode=mode)


@pytest.fixture
async def desk(make_harness: MakeHarness) -> Desk:
    desk = Desk(await make_harness(service))
    async with desk.h.together():
        await desk.stock_the_catalog()
    return desk


async def shipping(desk: Desk, *lines: dict[str, Any], **given: Any) -> tuple[dict[str, Any], Any, Any]:
    """An order whose stock is held: the order, its reservation and its shipment request."""
    order = await desk.confirmed(*lines, **given)
    request = await desk.reservation()
    await desk.reserve(request)
    return order, request, (await desk.asked("order.shipment_requested"))[-1]
