"""Copies of the catalog: each fact carries the whole of what it describes, so the newest one is the copy."""

from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert

from contracts import catalog as facts
from orders.copies import Copy, ItemCopy, PriceCopy, PriceListCopy, UnitCopy, WarehouseCopy
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.subscribers import Projection

catalog = Projection("orders.catalog", tables=[ItemCopy, UnitCopy, WarehouseCopy, PriceListCopy, PriceCopy])


@catalog.on(facts.ItemCreated, facts.ItemUpdated)
async def item(tx: Tx, fact: facts.ItemDescription, meta: Meta) -> None:
    row = fact.model_dump(include={"sku", "name", "kind", "unit", "tax_rate", "active"})
    row["conversions"] = [conversion.model_dump(mode="json") for conversion in fact.conversions]
    await _keep(tx, ItemCopy, {"id": fact.item_id, **row})


@catalog.on(facts.ItemDeleted)
async def item_deleted(tx: Tx, fact: facts.ItemDeleted, meta: Meta) -> None:
    await tx.execute(update(ItemCopy).where(ItemCopy.id == fact.item_id).values(active=False))


@catalog.on(facts.UnitCreated, facts.UnitUpdated)
async def unit(tx: Tx, fact: facts.UnitDescription, meta: Meta) -> None:
    row = fact.model_dump(include={"code", "dimension", "factor"})
    await _keep(tx, UnitCopy, {"id": fact.unit_id, "active": True, **row})


@catalog.on(facts.UnitDeleted)
async def unit_deleted(tx: Tx, fact: facts.UnitDeleted, meta: Meta) -> None:
    await tx.execute(update(UnitCopy).where(UnitCopy.id == fact.unit_id).values(active=False))


@catalog.on(facts.WarehouseCreated, facts.WarehouseUpdated)
async def warehouse(tx: Tx, fact: facts.WarehouseDescription, meta: Meta) -> None:
    await _keep(tx, WarehouseCopy, {"id": fact.warehouse_id, "code": fact.code, "active": fact.active})


@catalog.on(facts.WarehouseDeleted)
async def warehouse_deleted(tx: Tx, fact: facts.WarehouseDeleted, meta: Meta) -> None:
    await tx.execute(update(WarehouseCopy).where(WarehouseCopy.id == fact.warehouse_id).values(active=False))


@catalog.on(facts.PriceListCreated, facts.PriceListUpdated)
async def price_list(tx: Tx, fact: facts.PriceListDescription, meta: Meta) -> None:
    row = fact.model_dump(include={"code", "currency", "valid_from", "valid_until", "active"})
    await _keep(tx, PriceListCopy, {"id": fact.price_list_id, **row})
    await tx.execute(delete(PriceCopy).where(PriceCopy.price_list_id == fact.price_list_id))
    same = {"tenant_id": tx.tenant_id, "price_list_id": fact.price_list_id}
    prices = {(price.item_id, price.min_quantity): price for price in fact.prices}
    if prices:
        await tx.execute(insert(PriceCopy), [{**same, **price.model_dump()} for price in prices.values()])


@catalog.on(facts.PriceListDeleted)
async def price_list_deleted(tx: Tx, fact: facts.PriceListDeleted, meta: Meta) -> None:
    await tx.execute(update(PriceListCopy).where(PriceListCopy.id == fact.price_list_id).values(active=False))


async def _keep(tx: Tx, kind: type[Copy], row: dict[str, Any]) -> None:
    fresh = insert(kind).values(tenant_id=tx.tenant_id, **row)
    await tx.execute(fresh.on_conflict_do_update(index_elements=["tenant_id", "id"], set_=row))
