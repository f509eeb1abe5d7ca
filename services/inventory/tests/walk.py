"""Every operation of inventory once: goods come in, are counted, moved, held, given back and used up."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from invariants.walk import Walker

from contracts import catalog, orders
from contracts.asns import AsnLine, AsnPackage, AsnReceived
from tailrace.core.ids import uuid7


async def walk(w: Walker) -> None:
    item, north, south, pieces = uuid7(), uuid7(), uuid7(), uuid7()
    counted = catalog.UnitCreated(
        unit_id=pieces, code="pcs", name="Piece", dimension="count", factor=Decimal(1), decimals=0
    )
    await w.tell(counted, aggregate_id=pieces)
    told = catalog.ItemCreated(item_id=item, sku="BOLT", name="Bolt", unit="pcs", tax_rate=Decimal("0.1"))
    await w.tell(told, aggregate_id=item)
    for id, code in ((north, "N"), (south, "S")):
        await w.tell(catalog.WarehouseCreated(warehouse_id=id, code=code, name=code), aggregate_id=id)
    here: dict[str, Any] = {"item_id": str(item), "warehouse_id": str(north)}

    came = [AsnLine(sku=sku, quantity=Decimal(5)) for sku in ("BOLTS", "NUTS", "RODS")]
    delivery = AsnReceived(
        asn_id=uuid7(),
        number="ASN-000001",
        reference="D-1",
        received_at=datetime(2026, 6, 1, tzinfo=UTC),
        packages=[AsnPackage(sscc="376104250021234569", lines=came)],
        differences=[],
    )
    await w.tell(delivery, aggregate_id=delivery.asn_id)
    bought = {**here, "quantity": "100", "value": 50000, "currency": "EUR", "reason": "purchase"}
    receipt = await w.post("/v1/inventory/receipts", bought)
    await w.post("/v1/inventory/receipts/bulk", {"items": [bought, {**bought, "quantity": "1", "value": 500}]})
    lines = await w.get("/v1/inventory/delivery-lines")
    of_delivery = {"quantity": "2", "delivery_line_id": lines["items"][0]["id"]}
    await w.post("/v1/inventory/receipts", {**bought, **of_delivery})
    await w.post("/v1/inventory/adjustments", {**here, "quantity": "-2", "reason": "count"})
    moved = {"item_id": str(item), "from_warehouse_id": str(north), "to_warehouse_id": str(south), "quantity": "10"}
    await w.post("/v1/inventory/transfers", moved)
    held = await w.post("/v1/inventory/reservations", {"lines": [{**here, "quantity": "5"}]})
    await w.post("/v1/inventory/issues", {**here, "quantity": "3", "reason": "scrap"})
    back = {**here, "quantity": "2", "reason": "return_to_supplier", "receipt_id": receipt["id"]}
    await w.post("/v1/inventory/issues", back)

    await w.get("/v1/inventory/reservations")
    await w.get("/v1/inventory/reservations/{reservation_id}", reservation_id=held["id"])
    release = "/v1/inventory/reservations/{reservation_id}/release"
    await w.post(release, {"reason": "not needed"}, reservation_id=held["id"])
    await w.get("/v1/inventory/stock")
    await w.get("/v1/inventory/stock/{item_id}/{warehouse_id}", **here)
    await w.get("/v1/inventory/stock/{item_id}/{warehouse_id}/replay", **here)
    await w.get("/v1/inventory/movements")
    await w.get("/v1/inventory/valuation")
    await _lots(w, north)
    await _backorders(w, item, south)
    await w.imports(
        "/v1/inventory/stock/import",
        "/v1/inventory/jobs",
        "sku,warehouse,quantity,value,currency\nNONE,NONE,1,100,EUR\n",
        "sku,warehouse,quantity,value,currency\nNONE,NONE,2,100,EUR\n",
    )


async def _lots(w: Walker, warehouse: UUID) -> None:
    """Two lots come in, one is put on hold, and some of the other is scrapped."""
    milk = uuid7()
    told = catalog.ItemCreated(
        item_id=milk, sku="MILK", name="Milk", unit="pcs", tax_rate=Decimal("0.1"), tracking="lot", expires=True
    )
    await w.tell(told, aggregate_id=milk)
    here = {"item_id": str(milk), "warehouse_id": str(warehouse)}
    last = {"expires_on": "2099-01-31"}
    lots = [{"number": "A", "quantity": "6", **last}, {"number": "B", "quantity": "4", **last}]
    bought = {**here, "quantity": "10", "value": 500, "currency": "EUR", "reason": "purchase"}
    await w.post("/v1/inventory/receipts", {**bought, "lots": lots})
    scrapped = {**here, "quantity": "1", "reason": "scrap", "lots": [{"number": "A", "quantity": "1"}]}
    await w.post("/v1/inventory/issues", scrapped)
    first, second = (await w.get("/v1/inventory/lots"))["items"][:2]
    await w.get("/v1/inventory/lots/{lot_id}", lot_id=first["id"])
    moved = "/v1/inventory/lots/{lot_id}/movements"
    await w.get(moved, lot_id=first["id"])
    asked = {"status": "on_hold", "reason": "sample taken"}
    await w.post("/v1/inventory/lots/{lot_id}/status", asked, lot_id=second["id"])


async def _backorders(w: Walker, item: UUID, warehouse: UUID) -> None:
    """Two orders want more than there is, and wait."""
    for priority in (1, 2):
        line = orders.RequestedLine(line_id=uuid7(), item_id=item, warehouse_id=warehouse, quantity=Decimal(1000))
        request = orders.ReservationRequested(
            order_id=uuid7(),
            reservation_id=uuid7(),
            lines=[line],
            partial_allowed=False,
            rank=orders.Rank(priority=priority, confirmed_at=datetime.now(UTC)),
            waits=True,
        )
        await w.tell(request, aggregate_id=request.order_id)
    waiting = (await w.get("/v1/inventory/backorders"))["items"]
    await w.get("/v1/inventory/backorders/{backorder_id}", backorder_id=waiting[0]["id"])
