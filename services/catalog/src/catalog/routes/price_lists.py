"""/v1/price-lists: prices by item and quantity, in one currency, for a time."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator
from sqlalchemy import or_, select
from sqlalchemy.orm import raiseload

from catalog import commands
from catalog.models import PriceList
from catalog.routes.shapes import Code, MasterDataView, Name, Reader, Writer
from tailrace.core.money import Currency, Quantity, UnitPrice
from tailrace.db import master_data
from tailrace.http.etag import IfMatch
from tailrace.http.pagination import Listing, Page, Paging, paginate
from tailrace.http.routing import Body, Tx, View, tenant_router

router = tenant_router("/v1/price-lists", tag="price lists")

MOST_PRICES = 5000
"""A list travels whole in one event, which must stay below Kafka's megabyte."""
ANY_QUANTITY = Decimal("0.000001")


class PriceBody(Body):
    """Price of one base unit, in minor units of the list's currency, from `min_quantity` on."""

    item_id: UUID
    unit_price: UnitPrice
    min_quantity: Quantity = ANY_QUANTITY


class PriceListBody(Body):
    """A price list as it is to be, all its prices included; both days of validity count."""

    code: Code
    name: Name
    currency: Currency
    valid_from: date | None = None
    valid_until: date | None = None
    prices: Annotated[list[PriceBody], Field(max_length=MOST_PRICES)] = []
    active: bool = True

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise ValueError("valid_until lies before valid_from")
        if len({(price.item_id, price.min_quantity) for price in self.prices}) != len(self.prices):
            raise ValueError("an item has two prices from the same min_quantity on")
        return self


class PriceView(View):
    item_id: UUID
    unit_price: UnitPrice
    min_quantity: Quantity


class PriceListSummary(MasterDataView):
    """A price list without its prices."""

    code: str
    currency: str
    valid_from: date | None
    valid_until: date | None
    active: bool


class PriceListView(PriceListSummary):
    prices: list[PriceView]


class PriceFound(PriceView):
    """The price that holds for a quantity on a day."""

    price_list_id: UUID
    currency: str
    on: date


@router.post("", status_code=201, response_model=PriceListView)
async def create(tx: Tx, who: Writer, body: PriceListBody) -> PriceList:
    """Add a price list."""
    await commands.require_items(tx, [price.item_id for price in body.prices])
    return await master_data.create(tx, PriceList, body.model_dump())


@router.get("", response_model=Page[PriceListSummary])
async def listing(
    tx: Tx,
    who: Reader,
    page: Paging,
    code: str | None = None,
    currency: str | None = None,
    active: bool | None = None,
    valid_on: date | None = None,
) -> Listing[PriceList]:
    """Price lists without their prices; sort by `code`, `name`, `created_at` or `id`."""
    query = select(PriceList).where(PriceList.deleted_at.is_(None)).options(raiseload(PriceList.prices))
    for column, value in ((PriceList.code, code), (PriceList.currency, currency), (PriceList.active, active)):
        if value is not None:
            query = query.where(column == value)
    if valid_on is not None:
        query = query.where(
            or_(PriceList.valid_from.is_(None), PriceList.valid_from <= valid_on),
            or_(PriceList.valid_until.is_(None), PriceList.valid_until >= valid_on),
        )
    sortable = {"code": PriceList.code, "name": PriceList.name, "created_at": PriceList.created_at}
    return await paginate(tx, query, page, key=PriceList.id, sortable=sortable)


@router.get("/{price_list_id}", response_model=PriceListView)
async def read(tx: Tx, who: Reader, price_list_id: UUID) -> PriceList:
    """One price list with its prices."""
    return await tx.find(PriceList, price_list_id)


@router.get("/{price_list_id}/price", response_model=PriceFound)
async def price(
    tx: Tx, who: Reader, price_list_id: UUID, item_id: UUID, quantity: Quantity, on: date | None = None
) -> PriceFound:
    """The price that a list has for so much of an item on a day, today when none is named."""
    day = on or datetime.now(UTC).date()
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
async def replace(tx: Tx, who: Writer, match: IfMatch, price_list_id: UUID, body: PriceListBody) -> PriceList:
    """Replace a price list, whole, all prices included."""
    await tx.find(PriceList, price_list_id)
    await commands.require_items(tx, [price.item_id for price in body.prices])
    return await master_data.replace(tx, PriceList, price_list_id, match, body.model_dump())


@router.delete("/{price_list_id}", status_code=204)
async def delete(tx: Tx, who: Writer, match: IfMatch, price_list_id: UUID) -> None:
    """Take a price list out of use."""
    await master_data.delete(tx, PriceList, price_list_id, match)
