"""/v1/warehouses: where stock lies."""

from typing import Annotated
from uuid import UUID

from catalog.bodies import WarehouseBody
from catalog.models import Warehouse
from catalog.projections import uses
from catalog.scopes import Reader, Writer
from catalog.views import WarehouseView
from contracts.catalog import NegativeStock
from tailrace.core.fields import Country
from tailrace.db import master_data
from tailrace.http.etag import IfMatch
from tailrace.http.filters import Deleted, called, equal, part_of
from tailrace.http.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, tenant_router

router = tenant_router("/v1/warehouses", tag="warehouses", about="Where stock lies.", reads=[uses])

Warehouses = Annotated[
    PageRequest,
    listed(
        Warehouse,
        called(Warehouse),
        part_of(Warehouse.name),
        equal(Warehouse.country, Country),
        equal(Warehouse.active),
        equal(Warehouse.negative_stock, NegativeStock),
        sort=[Warehouse.code, Warehouse.name, Warehouse.created_at],
    ),
]


@router.post("", status_code=201, response_model=WarehouseView)
async def create_warehouse(tx: Tx, who: Writer, body: WarehouseBody) -> Warehouse:
    """Add a warehouse."""
    return await master_data.create(tx, Warehouse, body.model_dump())


@router.get("", response_model=Page[WarehouseView])
async def list_warehouses(tx: Tx, who: Reader, page: Warehouses, deleted: Deleted = False) -> Listing[Warehouse]:
    """Warehouses."""
    return await paginate(tx, master_data.rows(Warehouse, deleted=deleted), page)


@router.get("/{warehouse_id}", response_model=WarehouseView)
async def read_warehouse(tx: Tx, who: Reader, warehouse_id: UUID) -> Warehouse:
    """One warehouse."""
    return await tx.find(Warehouse, warehouse_id)


@router.put("/{warehouse_id}", response_model=WarehouseView)
async def replace_warehouse(tx: Tx, who: Writer, match: IfMatch, warehouse_id: UUID, body: WarehouseBody) -> Warehouse:
    """Replace a warehouse, whole."""
    return await master_data.replace(tx, Warehouse, warehouse_id, match, body.model_dump())


@router.delete("/{warehouse_id}", status_code=204)
async def delete_warehouse(tx: Tx, who: Writer, match: IfMatch, warehouse_id: UUID) -> None:
    """Delete a warehouse that nothing needs: no stock, order or shipment. `active: false` closes it to new business before that."""
    await master_data.delete(tx, Warehouse, warehouse_id, match)


@router.post("/{warehouse_id}/restore", response_model=WarehouseView)
async def restore_warehouse(tx: Tx, who: Writer, match: IfMatch, warehouse_id: UUID) -> Warehouse:
    """Take a deleted warehouse back into use, as it was, unless another one has its code by now."""
    return await master_data.restore(tx, Warehouse, warehouse_id, match)
