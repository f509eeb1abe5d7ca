"""/v1/price-lists: prices by item and quantity, in one currency, for a time."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.orm import raiseload

from catalog import commands
from catalog.bodies import PriceListBody
from catalog.models import PriceList
from catalog.projections import days
from catalog.scopes import Reader, Writer
from catalog.views import PriceFound, PriceListSummary, PriceListView
from tailrace.core.fields import Day
from tailrace.core.money import Currency, Quantity
from tailrace.db import master_data
from tailrace.http.etag import IfMatch
from tailrace.http.filters import Deleted, called, equal, part_of, where
from tailrace.http.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, tenant_router

router = tenant_router(
    "/v1/price-lists",
    tag="price lists",
    about="What items are sold at, by quantity, in one currency and for a time.",
    reads=[days],
)


def _valid_on(day: date) -> ColumnElement[bool]:
    return and_(
        or_(PriceList.valid_from.is_(None), PriceList.valid_from <= day),
        or_(PriceList.valid_until.is_(None), PriceList.valid_until >= day),
    )


PriceLists = Annotated[
    PageRequest,
    listed(
        PriceList,
        called(PriceList),
        part_of(PriceList.name),
        equal(PriceList.currency, Currency),
        equal(PriceList.active),
        where("valid_on", Day, _valid_on, "Valid on this day."),
        sort=[PriceList.code, PriceList.name, PriceList.created_at],
    ),
]


@router.post("", status_code=201, response_model=PriceListView)
async def create_price_list(tx: Tx, who: Writer, body: PriceListBody) -> PriceList:
    """Add a price list."""
    await commands.require_items(tx, body.prices)
    return await master_data.create(tx, PriceList, body.model_dump())


@router.get("", response_model=Page[PriceListSummary])
async def list_price_lists(tx: Tx, who: Reader, page: PriceLists, deleted: Deleted = False) -> Listing[PriceList]:
    """Price lists without their prices."""
    return await paginate(tx, master_data.rows(PriceList, deleted=deleted).options(raiseload(PriceList.prices)), page)


@router.get("/{price_list_id}", response_model=PriceListView)
async def read_price_list(tx: Tx, who: Reader, price_list_id: UUID) -> PriceList:
    """One price list with its prices."""
    return await tx.find(PriceList, price_list_id)


@router.get("/{price_list_id}/price", response_model=PriceFound)
async def read_price(
    tx: Tx,
    who: Reader,
    price_list_id: UUID,
    item_id: Annotated[UUID, Query(description="What the price is of.")],
    quantity: Annotated[Quantity, Query(description="How much of it, in base units.")],
    on: Annotated[Day | None, Query(description="The day that it is to hold on; today when left out.")] = None,
) -> PriceFound:
    """The price that a list has for so much of an item on a day of the company's, today when none is named."""
    day = on or await days.today(tx)
    price_list, found = await commands.price_for(tx, price_list_id, item_id, quantity, day)
    return PriceFound(
        price_list_id=price_list.id,
        item_id=item_id,
        unit_price=found.unit_price,
        min_quantity=found.min_quantity,
        currency=price_list.currency,
        on=day,
    )


@router.put("/{price_list_id}", response_model=PriceListView)
async def replace_price_list(
    tx: Tx, who: Writer, match: IfMatch, price_list_id: UUID, body: PriceListBody
) -> PriceList:
    """Replace a price list, whole, all prices included."""
    await tx.find(PriceList, price_list_id)
    await commands.require_items(tx, body.prices)
    return await master_data.replace(tx, PriceList, price_list_id, match, body.model_dump())


@router.delete("/{price_list_id}", status_code=204)
async def delete_price_list(tx: Tx, who: Writer, match: IfMatch, price_list_id: UUID) -> None:
    """Delete a price list. Orders that were priced by it keep their prices."""
    await master_data.delete(tx, PriceList, price_list_id, match)


@router.post("/{price_list_id}/restore", response_model=PriceListView)
async def restore_price_list(tx: Tx, who: Writer, match: IfMatch, price_list_id: UUID) -> PriceList:
    """Take a deleted price list back into use, as it was, unless another one has its code by now."""
    return await master_data.restore(tx, PriceList, price_list_id, match)
