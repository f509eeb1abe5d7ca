"""/v1/units: units of measure, and quantities turned from one into another."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlalchemy import select

from catalog import commands
from catalog.models import Unit
from catalog.reactions import standard_units
from catalog.routes.shapes import MasterDataView, Name, Reader, UnitCode, Writer
from tailrace.core.money import Exact, Quantity
from tailrace.db import master_data
from tailrace.http.etag import IfMatch
from tailrace.http.pagination import Listing, Page, Paging, paginate
from tailrace.http.routing import Body, Tx, View, tenant_router

router = tenant_router("/v1/units", tag="units", reads=[standard_units])


class UnitBody(Body):
    """A unit as it is to be. `code`, `dimension` and `factor` never change afterwards."""

    code: UnitCode
    name: Name
    dimension: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    factor: Quantity = Decimal(1)
    decimals: Annotated[int, Field(ge=0, le=6)] = 6


class UnitView(MasterDataView):
    code: str
    dimension: str
    factor: Quantity
    decimals: int


class Conversion(Body):
    """A quantity, the unit it is in and the unit it is wanted in; with `item_id`, that item's own units count too."""

    quantity: Quantity
    source: Annotated[UnitCode, Field(alias="from")]
    target: Annotated[UnitCode, Field(alias="to")]
    item_id: UUID | None = None


class Converted(View):
    quantity: Exact
    unit: str


@router.post("", status_code=201, response_model=UnitView)
async def create(tx: Tx, who: Writer, body: UnitBody) -> Unit:
    """Add a unit of measure."""
    return await master_data.create(tx, Unit, body.model_dump())


@router.get("", response_model=Page[UnitView])
async def listing(
    tx: Tx, who: Reader, page: Paging, code: str | None = None, dimension: str | None = None
) -> Listing[Unit]:
    """Units of measure; sort by `code`, `name`, `created_at` or `id`."""
    query = select(Unit).where(Unit.deleted_at.is_(None))
    for column, value in ((Unit.code, code), (Unit.dimension, dimension)):
        if value is not None:
            query = query.where(column == value)
    sortable = {"code": Unit.code, "name": Unit.name, "created_at": Unit.created_at}
    return await paginate(tx, query, page, key=Unit.id, sortable=sortable)


@router.post("/convert", response_model=Converted)
async def convert(tx: Tx, who: Reader, body: Conversion) -> Converted:
    """Turn a quantity from one unit into another of the same dimension."""
    quantity = await commands.convert_quantity(tx, body.quantity, body.source, body.target, body.item_id)
    return Converted(quantity=quantity, unit=body.target)


@router.get("/{unit_id}", response_model=UnitView)
async def read(tx: Tx, who: Reader, unit_id: UUID) -> Unit:
    """One unit."""
    return await tx.find(Unit, unit_id)


@router.put("/{unit_id}", response_model=UnitView)
async def replace(tx: Tx, who: Writer, match: IfMatch, unit_id: UUID, body: UnitBody) -> Unit:
    """Replace a unit, whole. `code`, `dimension` and `factor` stay."""
    return await master_data.replace(tx, Unit, unit_id, match, body.model_dump())


@router.delete("/{unit_id}", status_code=204)
async def delete(tx: Tx, who: Writer, match: IfMatch, unit_id: UUID) -> None:
    """Take a unit out of use, unless an item still needs it."""
    await master_data.delete(tx, Unit, unit_id, match)
