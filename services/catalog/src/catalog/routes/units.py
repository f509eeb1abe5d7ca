"""/v1/units: units of measure, and quantities turned from one into another."""

from typing import Annotated
from uuid import UUID

from catalog import commands
from catalog.bodies import Conversion, UnitBody
from catalog.models import Unit
from catalog.reactions import standard_units
from catalog.scopes import Reader, Writer
from catalog.views import Converted, UnitView
from tailrace.db import master_data
from tailrace.http.etag import IfMatch
from tailrace.http.filters import Deleted, called, equal, part_of
from tailrace.http.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, tenant_router

router = tenant_router(
    "/v1/units", tag="units", about="Units of measure, and how they convert.", reads=[standard_units]
)

Units = Annotated[
    PageRequest,
    listed(
        Unit,
        called(Unit),
        part_of(Unit.name),
        equal(Unit.dimension),
        sort=[Unit.code, Unit.name, Unit.created_at],
    ),
]


@router.post("", status_code=201, response_model=UnitView)
async def create_unit(tx: Tx, who: Writer, body: UnitBody) -> Unit:
    """Add a unit of measure."""
    return await master_data.create(tx, Unit, body.model_dump())


@router.get("", response_model=Page[UnitView])
async def list_units(tx: Tx, who: Reader, page: Units, deleted: Deleted = False) -> Listing[Unit]:
    """Units of measure."""
    return await paginate(tx, master_data.rows(Unit, deleted=deleted), page)


@router.post("/convert", response_model=Converted)
async def convert_quantity(tx: Tx, who: Reader, body: Conversion) -> Converted:
    """Turn a quantity from one unit into another of the same dimension."""
    quantity = await commands.convert_quantity(tx, body.quantity, body.source, body.target, body.item_id)
    return Converted(quantity=quantity, unit=body.target)


@router.get("/{unit_id}", response_model=UnitView)
async def read_unit(tx: Tx, who: Reader, unit_id: UUID) -> Unit:
    """One unit."""
    return await tx.find(Unit, unit_id)


@router.put("/{unit_id}", response_model=UnitView)
async def replace_unit(tx: Tx, who: Writer, match: IfMatch, unit_id: UUID, body: UnitBody) -> Unit:
    """Replace a unit, whole. `code`, `dimension` and `factor` stay."""
    return await master_data.replace(tx, Unit, unit_id, match, body.model_dump())


@router.delete("/{unit_id}", status_code=204)
async def delete_unit(tx: Tx, who: Writer, match: IfMatch, unit_id: UUID) -> None:
    """Delete a unit that no item is counted in or converts to."""
    await master_data.delete(tx, Unit, unit_id, match)


@router.post("/{unit_id}/restore", response_model=UnitView)
async def restore_unit(tx: Tx, who: Writer, match: IfMatch, unit_id: UUID) -> Unit:
    """Take a deleted unit back into use, as it was, unless another one has its code by now."""
    return await master_data.restore(tx, Unit, unit_id, match)
