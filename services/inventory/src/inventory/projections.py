"""Copies of the catalog: each event carries the whole of what it describes, so the newest one is the copy."""

from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from contracts import catalog as events
from inventory.copies import Copy, ItemCopy, UnitCopy, WarehouseCopy
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.subscribers import Projection

catalog = Projection("inventory.catalog", tables=[ItemCopy, WarehouseCopy, UnitCopy])


@catalog.on(events.ItemCreated, events.ItemUpdated)
async def item(tx: Tx, event: events.ItemDescription, meta: Meta) -> None:
    row = event.model_dump(include={"sku", "kind", "unit", "valuation", "active", "negative_stock"})
    row["conversions"] = [conversion.model_dump(mode="json") for conversion in event.conversions]
    await _keep(tx, ItemCopy, {"id": event.item_id, **row})


@catalog.on(events.ItemDeleted)
async def item_deleted(tx: Tx, event: events.ItemDeleted, meta: Meta) -> None:
    await tx.execute(update(ItemCopy).where(ItemCopy.id == event.item_id).values(active=False))


@catalog.on(events.WarehouseCreated, events.WarehouseUpdated)
async def warehouse(tx: Tx, event: events.WarehouseDescription, meta: Meta) -> None:
    row = event.model_dump(include={"code", "active", "negative_stock"})
    await _keep(tx, WarehouseCopy, {"id": event.warehouse_id, **row})


@catalog.on(events.WarehouseDeleted)
async def warehouse_deleted(tx: Tx, event: events.WarehouseDeleted, meta: Meta) -> None:
    await tx.execute(update(WarehouseCopy).where(WarehouseCopy.id == event.warehouse_id).values(active=False))


@catalog.on(events.UnitCreated, events.UnitUpdated)
async def unit(tx: Tx, event: events.UnitDescription, meta: Meta) -> None:
    row = event.model_dump(include={"code", "dimension", "factor"})
    await _keep(tx, UnitCopy, {"id": event.unit_id, "active": True, **row})


@catalog.on(events.UnitDeleted)
async def unit_deleted(tx: Tx, event: events.UnitDeleted, meta: Meta) -> None:
    await tx.execute(update(UnitCopy).where(UnitCopy.id == event.unit_id).values(active=False))


async def _keep(tx: Tx, kind: type[Copy], row: dict[str, Any]) -> None:
    fresh = insert(kind).values(tenant_id=tx.tenant_id, **row)
    await tx.execute(fresh.on_conflict_do_update(index_elements=["tenant_id", "id"], set_=row))
