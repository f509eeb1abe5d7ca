"""Every operation of inventory once: goods come in, are counted, moved, held, given back and used up."""

from decimal import Decimal
from typing import Any

from invariants.walk import Walker

from contracts import catalog
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

    bought = {**here, "quantity": "100", "value": 50000, "currency": "EUR", "reason": "purchase"}
    receipt = await w.post("/v1/inventory/receipts", bought)
    await w.post("/v1/inventory/receipts/bulk", {"items": [bought, {**bought, "quantity": "1", "value": 500}]})
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
    await w.imports(
        "/v1/inventory/stock/import",
        "/v1/inventory/jobs",
        "sku,warehouse,quantity,value,currency\nNONE,NONE,1,100,EUR\n",
        "sku,warehouse,quantity,value,currency\nNONE,NONE,2,100,EUR\n",
    )
