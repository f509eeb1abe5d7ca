"""/v1/units: units of measure, and quantities turned from one into another."""

from catalog import commands
from catalog.bodies import Conversion, UnitBody
from catalog.models import Unit
from catalog.reactions import standard_units
from catalog.scopes import Reader, Writer
from catalog.views import Converted, UnitView
from tailrace.http.lists.filters import equal
from tailrace.http.lists.master_data import master_data_routes
from tailrace.http.routing import Tx, tenant_router

router = tenant_router(
    "/v1/units", tag="units", about="Units of measure, and how they convert.", reads=[standard_units]
)

master_data_routes(
    router,
    Unit,
    "a unit",
    body=UnitBody,
    view=UnitView,
    reader=Reader,
    writer=Writer,
    filters=[equal(Unit.dimension)],
    deletes="Delete a unit that no item is counted in or converts to.",
)


@router.post("/convert", response_model=Converted)
async def convert_quantity(tx: Tx, who: Reader, body: Conversion) -> Converted:
    """Turn a quantity from one unit into another of the same dimension."""
    quantity = await commands.convert_quantity(tx, body.quantity, body.source, body.target, body.item_id)
    return Converted(quantity=quantity, unit=body.target)
