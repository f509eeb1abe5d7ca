"""/v1/items: what is bought, made, stocked and sold."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import Query
from pydantic import Field, model_validator
from sqlalchemy import select

from catalog import commands
from catalog.models import Item
from catalog.reactions import standard_units
from catalog.routes.shapes import Code, MasterDataView, Name, Reader, UnitCode, Writer
from contracts.catalog import NegativeStock, UnitConversion
from tailrace.core.money import Quantity, Rate
from tailrace.db import master_data
from tailrace.http.etag import IfMatch
from tailrace.http.pagination import Listing, Page, Paging, paginate
from tailrace.http.routing import Body, Tx, tenant_router

router = tenant_router("/v1/items", tag="items", reads=[standard_units])

Kind = Literal["stock", "service"]
Valuation = Literal["fifo", "moving_average"]


class ConversionBody(Body):
    """One `unit` of the item is `factor` of its base unit."""

    unit: UnitCode
    factor: Quantity


class ItemBody(Body):
    """An item as it is to be. `kind`, `unit` and `valuation` never change afterwards.

    `negative_stock`: whether more may leave than the books have, at a provisional cost. It may where the item or the warehouse allows it.
    """

    sku: Code
    name: Name
    kind: Kind = "stock"
    unit: UnitCode = "pcs"
    conversions: Annotated[list[ConversionBody], Field(max_length=50)] = []
    tax_rate: Rate
    valuation: Valuation = "fifo"
    active: bool = True
    negative_stock: NegativeStock = "refused"

    @model_validator(mode="after")
    def _each_unit_once(self) -> Self:
        units = [self.unit, *(conversion.unit for conversion in self.conversions)]
        if len(units) != len(set(units)):
            raise ValueError("a unit may stand once among the base unit and the conversions")
        return self

    def values(self) -> dict[str, Any]:
        conversions = [conversion.model_dump(mode="json") for conversion in self.conversions]
        return {**self.model_dump(exclude={"conversions"}), "conversions": conversions}


class ItemView(MasterDataView):
    sku: str
    kind: Kind
    unit: str
    conversions: list[UnitConversion]
    tax_rate: Rate
    valuation: Valuation
    active: bool
    negative_stock: NegativeStock


@router.post("", status_code=201, response_model=ItemView)
async def create(tx: Tx, who: Writer, body: ItemBody) -> Item:
    """Add an item."""
    await commands.require_unit(tx, body.unit)
    return await master_data.create(tx, Item, body.values())


@router.get("", response_model=Page[ItemView])
async def listing(
    tx: Tx,
    who: Reader,
    page: Paging,
    sku: str | None = None,
    name: Annotated[str | None, Query(max_length=200, description="Part of the name, in any case.")] = None,
    kind: Kind | None = None,
    active: bool | None = None,
    negative_stock: NegativeStock | None = None,
) -> Listing[Item]:
    """Items; sort by `sku`, `name`, `created_at` or `id`."""
    query = select(Item).where(Item.deleted_at.is_(None))
    wanted = ((Item.sku, sku), (Item.kind, kind), (Item.active, active), (Item.negative_stock, negative_stock))
    for column, value in wanted:
        if value is not None:
            query = query.where(column == value)
    if name is not None:
        query = query.where(Item.name.icontains(name, autoescape=True))
    sortable = {"sku": Item.sku, "name": Item.name, "created_at": Item.created_at}
    return await paginate(tx, query, page, key=Item.id, sortable=sortable)


@router.get("/{item_id}", response_model=ItemView)
async def read(tx: Tx, who: Reader, item_id: UUID) -> Item:
    """One item."""
    return await tx.find(Item, item_id)


@router.put("/{item_id}", response_model=ItemView)
async def replace(tx: Tx, who: Writer, match: IfMatch, item_id: UUID, body: ItemBody) -> Item:
    """Replace an item, whole. `kind`, `unit` and `valuation` stay."""
    return await master_data.replace(tx, Item, item_id, match, body.values())


@router.delete("/{item_id}", status_code=204)
async def delete(tx: Tx, who: Writer, match: IfMatch, item_id: UUID) -> None:
    """Take an item out of use."""
    await master_data.delete(tx, Item, item_id, match)
