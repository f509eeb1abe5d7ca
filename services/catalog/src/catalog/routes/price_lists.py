"""/v1/price-lists: prices by item and quantity, in one currency, for a time."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlalchemy import ColumnElement, and_, or_

from catalog import commands
from catalog.bodies import PriceListBody
from catalog.dates import dates, days
from catalog.models import PriceList
from catalog.scopes import Reader, Writer
from catalog.views import PriceFound, PriceListSummary, PriceListView
from tailrace.core.values.fields import Day
from tailrace.core.values.money import Currency, Quantity
from tailrace.http.lists.filters import equal, where
from tailrace.http.lists.master_data import master_data_routes
from tailrace.http.routing import Tx, tenant_router

router = tenant_router(
    "/v1/price-lists",
    tag="price lists",
    about="What items are sold at, by quantity, in one currency and for a time.",
    reads=[days, dates],
)


def _valid_on(day: date) -> ColumnElement[bool]:
    return and_(
        or_(PriceList.valid_from.is_(None), PriceList.valid_from <= day),
        or_(PriceList.valid_until.is_(None), PriceList.valid_until >= day),
    )


master_data_routes(
    router,
    PriceList,
    "a price list",
    body=PriceListBody,
    view=PriceListView,
    summary=PriceListSummary,
    reader=Reader,
    writer=Writer,
    filters=[
        equal(PriceList.currency, Currency),
        equal(PriceList.active),
        where("valid_on", Day, _valid_on, "Valid on this day."),
    ],
    lists="Price lists without their prices.",
    replaces="Replace a price list, whole, all prices included.",
    deletes="Delete a price list. Orders that were priced by it keep their prices.",
)


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
