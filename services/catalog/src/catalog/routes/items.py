"""/v1/items: what is bought, made, stocked and sold."""

from typing import Annotated
from uuid import UUID

from catalog import commands
from catalog.bodies import ItemBody, Kind
from catalog.models import Item
from catalog.projections import uses
from catalog.reactions import standard_units
from catalog.scopes import Reader, Writer
from catalog.views import ItemView
from contracts.catalog import NegativeStock
from tailrace.db import master_data
from tailrace.http.etag import IfMatch
from tailrace.http.filters import Deleted, called, equal, part_of
from tailrace.http.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, tenant_router

router = tenant_router(
    "/v1/items", tag="items", about="What is bought, stocked and sold.", reads=[standard_units, uses]
)

Items = Annotated[
    PageRequest,
    listed(
        Item,
        called(Item),
        part_of(Item.name),
        equal(Item.kind, Kind),
        equal(Item.tax_code_id),
        equal(Item.active),
        equal(Item.negative_stock, NegativeStock),
        sort=[Item.sku, Item.name, Item.created_at],
    ),
]


@router.post("", status_code=201, response_model=ItemView)
async def create_item(tx: Tx, who: Writer, body: ItemBody) -> Item:
    """Add an item."""
    return await commands.create_item(tx, body)


@router.get("", response_model=Page[ItemView])
async def list_items(tx: Tx, who: Reader, page: Items, deleted: Deleted = False) -> Listing[Item]:
    """Items."""
    return await paginate(tx, master_data.rows(Item, deleted=deleted), page)


@router.get("/{item_id}", response_model=ItemView)
async def read_item(tx: Tx, who: Reader, item_id: UUID) -> Item:
    """One item."""
    return await tx.find(Item, item_id)


@router.put("/{item_id}", response_model=ItemView)
async def replace_item(tx: Tx, who: Writer, match: IfMatch, item_id: UUID, body: ItemBody) -> Item:
    """Replace an item, whole. `kind`, `unit` and `valuation` stay."""
    return await commands.replace_item(tx, item_id, match, body)


@router.delete("/{item_id}", status_code=204)
async def delete_item(tx: Tx, who: Writer, match: IfMatch, item_id: UUID) -> None:
    """Delete an item that nothing needs: no stock, order, shipment or price list. `active: false` closes it to new business before that."""
    await master_data.delete(tx, Item, item_id, match)


@router.post("/{item_id}/restore", response_model=ItemView)
async def restore_item(tx: Tx, who: Writer, match: IfMatch, item_id: UUID) -> Item:
    """Take a deleted item back into use, as it was, unless another one has its code by now."""
    return await master_data.restore(tx, Item, item_id, match)
