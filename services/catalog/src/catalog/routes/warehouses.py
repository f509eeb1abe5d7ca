"""/v1/warehouses: where stock lies."""

from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints
from sqlalchemy import select

from catalog.models import Warehouse
from catalog.routes.shapes import Code, MasterDataView, Name, Reader, Writer
from contracts.catalog import NegativeStock
from tailrace.db import master_data
from tailrace.http.etag import IfMatch
from tailrace.http.pagination import Listing, Page, Paging, paginate
from tailrace.http.routing import Body, Tx, tenant_router

router = tenant_router("/v1/warehouses", tag="warehouses")


class WarehouseBody(Body):
    """A warehouse as it is to be. `country` is an ISO 3166-1 alpha-2 code.

    `negative_stock`: whether more may leave it than the books have, at a provisional cost, whatever the item says.
    """

    code: Code
    name: Name
    country: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")] | None = None
    active: bool = True
    negative_stock: NegativeStock = "refused"


class WarehouseView(MasterDataView):
    code: str
    country: str | None
    active: bool
    negative_stock: NegativeStock


@router.post("", status_code=201, response_model=WarehouseView)
async def create(tx: Tx, who: Writer, body: WarehouseBody) -> Warehouse:
    """Add a warehouse."""
    return await master_data.create(tx, Warehouse, body.model_dump())


@router.get("", response_model=Page[WarehouseView])
async def listing(
    tx: Tx,
    who: Reader,
    page: Paging,
    code: str | None = None,
    country: str | None = None,
    active: bool | None = None,
    negative_stock: NegativeStock | None = None,
) -> Listing[Warehouse]:
    """Warehouses; sort by `code`, `name`, `created_at` or `id`."""
    query = select(Warehouse).where(Warehouse.deleted_at.is_(None))
    wanted = ((Warehouse.code, code), (Warehouse.country, country), (Warehouse.active, active))
    for column, value in (*wanted, (Warehouse.negative_stock, negative_stock)):
        if value is not None:
            query = query.where(column == value)
    sortable = {"code": Warehouse.code, "name": Warehouse.name, "created_at": Warehouse.created_at}
    return await paginate(tx, query, page, key=Warehouse.id, sortable=sortable)


@router.get("/{warehouse_id}", response_model=WarehouseView)
async def read(tx: Tx, who: Reader, warehouse_id: UUID) -> Warehouse:
    """One warehouse."""
    return await tx.find(Warehouse, warehouse_id)


@router.put("/{warehouse_id}", response_model=WarehouseView)
async def replace(tx: Tx, who: Writer, match: IfMatch, warehouse_id: UUID, body: WarehouseBody) -> Warehouse:
    """Replace a warehouse, whole."""
    return await master_data.replace(tx, Warehouse, warehouse_id, match, body.model_dump())


@router.delete("/{warehouse_id}", status_code=204)
async def delete(tx: Tx, who: Writer, match: IfMatch, warehouse_id: UUID) -> None:
    """Take a warehouse out of use."""
    await master_data.delete(tx, Warehouse, warehouse_id, match)
