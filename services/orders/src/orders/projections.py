"""Copies of the catalog: each event carries the whole of what it describes, so the newest one is the copy."""

from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert

from contracts import catalog as events
from orders.copies import Copy, ItemCopy, PriceCopy, PriceListCopy, UnitCopy, WarehouseCopy
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.subscribers import Projection

catalog = Projection("orders.catalog", tables=[ItemCopy, UnitCopy, WarehouseCopy, PriceListCopy, PriceCopy])


@catalog.on(events.ItemCreated, events.ItemUpdated)
async def item(tx: Tx, event: events.ItemDescription, meta: Meta) -> None:
    row = event.model_dump(include={"sku", "name", "kind", "unit", "tax_rate", "active"})
    row["conversions"] = [conversion.model_dump(mode="json") for conversion in event.conversions]
    await _keep(tx, ItemCopy, {"id": event.item_id, **row})


@catalog.on(events.ItemDeleted)
async def item_deleted(tx: Tx, event: events.ItemDeleted, meta: Meta) -> None:
    await tx.execute(update(ItemCopy).where(ItemCopy.id == event.item_id).values(active=False))


@catalog.on(events.UnitCreated, events.UnitUpdated)
async def unit(tx: Tx, event: events.UnitDescription, meta: Meta) -> None:
    row = event.model_dump(include={"code", "dimension", "factor"})
    await _keep(tx, UnitCopy, {"id": event.unit_id, "active": True, **row})


@catalog.on(events.UnitDeleted)
async def unit_deleted(tx: Tx, event: events.UnitDeleted, meta: Meta) -> None:
    await tx.execute(update(UnitCopy).where(UnitCopy.id == event.unit_id).values(active=False))


@catalog.on(events.WarehouseCreated, events.WarehouseUpdated)
async def warehouse(tx: Tx, event: events.WarehouseDescription, meta: Meta) -> None:
    await _keep(tx, WarehouseCopy, {"id": event.warehouse_id, "code": event.code, "active": event.active})


@catalog.on(events.WarehouseDeleted)
async def warehouse_deleted(tx: Tx, event: events.WarehouseDeleted, meta: Meta) -> None:
    await tx.execute(update(WarehouseCopy).where(WarehouseCopy.id == event.warehouse_id).values(active=False))


@catalog.on(events.PriceListCreated, events.PriceListUpdated)
async def price_list(tx: Tx, event: events.PriceListDescription, meta: Meta) -> None:
    row = event.model_dump(include={"code", "currency", "valid_from", "valid_until", "active"})
    await _keep(tx, PriceListCopy, {"id": event.price_list_id, **row})
    await tx.execute(delete(PriceCopy).where(PriceCopy.price_list_id == event.price_list_id))
    same = {"tenant_id": tx.tenant_id, "price_list_id": event.price_list_id}
    prices = {(price.item_id, price.min_quantity): price for price in event.prices}
    if prices:
        await tx.execute(insert(PriceCopy), [{**same, **price.model_dump()} for price in prices.values()])


@catalog.on(events.PriceListDeleted)
async def price_list_deleted(tx: Tx, event: events.PriceListDeleted, meta: Meta) -> None:
    await tx.execute(update(PriceListCopy).where(PriceListCopy.id == event.price_list_id).values(active=False))


async def _keep(tx: Tx, kind: type[Copy], row: dict[str, Any]) -> None:
    fresh = insert(kind).values(tenant_id=tx.tenant_id, **row)
    await tx.execute(fresh.on_conflict_do_update(index_elements=["tenant_id", "id"], set_=row))
