"""Copies of the catalog: each fact carries the whole of what it describes, so the newest one is the copy."""

from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from contracts import catalog as facts
from inventory.copies import Copy, ItemCopy, UnitCopy, WarehouseCopy
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.subscribers import Projection

catalog = Projection("inventory.catalog", tables=[ItemCopy, WarehouseCopy, UnitCopy])


@catalog.on(facts.ItemCreated, facts.ItemUpdated)
async def item(tx: Tx, fact: facts.ItemDescription, meta: Meta) -> None:
    row = fact.model_dump(include={"sku", "kind", "unit", "valuation", "active", "negative_stock"})
    row["conversions"] = [conversion.model_dump(mode="json") for conversion in fact.conversions]
    await _keep(tx, ItemCopy, {"id": fact.item_id, **row})


@catalog.on(facts.ItemDeleted)
async def item_deleted(tx: Tx, fact: facts.ItemDeleted, meta: Meta) -> None:
    await tx.execute(update(ItemCopy).where(ItemCopy.id == fact.item_id).values(active=False))


@catalog.on(facts.WarehouseCreated, facts.WarehouseUpdated)
async def warehouse(tx: Tx, fact: facts.WarehouseDescription, meta: Meta) -> None:
    row = fact.model_dump(include={"code", "active", "negative_stock"})
    await _keep(tx, WarehouseCopy, {"id": fact.warehouse_id, **row})


@catalog.on(facts.WarehouseDeleted)
async def warehouse_deleted(tx: Tx, fact: facts.WarehouseDeleted, meta: Meta) -> None:
    await tx.execute(update(WarehouseCopy).where(WarehouseCopy.id == fact.warehouse_id).values(active=False))


@catalog.on(facts.UnitCreated, facts.UnitUpdated)
async def unit(tx: Tx, fact: facts.UnitDescription, meta: Meta) -> None:
    row = fact.model_dump(include={"code", "dimension", "factor"})
    await _keep(tx, UnitCopy, {"id": fact.unit_id, "active": True, **row})


@catalog.on(facts.UnitDeleted)
async def unit_deleted(tx: Tx, fact: facts.UnitDeleted, meta: Meta) -> None:
    await tx.execute(update(UnitCopy).where(UnitCopy.id == fact.unit_id).values(active=False))


async def _keep(tx: Tx, kind: type[Copy], row: dict[str, Any]) -> None:
    fresh = insert(kind).values(tenant_id=tx.tenant_id, **row)
    await tx.execute(fresh.on_conflict_do_update(index_elements=["tenant_id", "id"], set_=row))
