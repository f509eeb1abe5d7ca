"""A new tenant finds the usual units of measure in place, and templates of two industries; what was deleted while somebody began to use it is
restored."""

from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import select

from catalog import templates
from catalog.models import Item, PriceList, Template, Unit, Warehouse
from catalog.projections import uses
from catalog.standard_templates import INDUSTRIES, STANDARD
from contracts import customers, inventory, opportunities, orders, quotes, returns, shipments
from contracts.users import TenantCreated
from tailrace.core.errors import Taken
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.db.error_classes import NotYet
from tailrace.messaging.subscribers import EVER, Reaction
from tailrace.messaging.uses import restoring

# Code, name, dimension, factor to the dimension's reference unit, decimals of a quantity. SI units and the litre (SI brochure, 9th edition, table 8).
STANDARD_UNITS = (
    ("pcs", "Piece", "count", Decimal("1"), 0),
    ("kg", "Kilogram", "mass", Decimal("1"), 6),
    ("g", "Gram", "mass", Decimal("0.001"), 3),
    ("l", "Litre", "volume", Decimal("1"), 6),
    ("ml", "Millilitre", "volume", Decimal("0.001"), 3),
    ("m", "Metre", "length", Decimal("1"), 6),
    ("h", "Hour", "time", Decimal("1"), 6),
)

standard_units = Reaction("catalog.standard_units", since=EVER)


@standard_units.on(TenantCreated)
async def make_units(tx: Tx, event: TenantCreated, meta: Meta) -> None:
    """Make those that are missing: somebody may have been quicker with one of them."""
    taken = set(await tx.scalars(select(Unit.code).where(Unit.deleted_at.is_(None))))
    for code, name, dimension, factor, decimals in STANDARD_UNITS:
        if code not in taken:
            values = {"code": code, "name": name, "dimension": dimension, "factor": factor, "decimals": decimals}
            tx.add(Unit.create(values))
    try:
        # A race that is lost is told here, where it has a name.
        await tx.flush()
    except Taken as error:
        raise NotYet("a standard unit is being made by somebody else at this moment") from error


standard_templates = Reaction("catalog.standard_templates", since=EVER)


@standard_templates.on(TenantCreated)
async def make_templates(tx: Tx, event: TenantCreated, meta: Meta) -> None:
    """Make a standard template and those of the industries below it, unless somebody has one of that code already."""
    taken = set(await tx.scalars(select(Template.code_key).where(Template.deleted_at.is_(None))))
    if not taken & {Template.key_of(body.code) for body in (STANDARD, *INDUSTRIES)}:
        standard = await templates.create(tx, STANDARD)
        for body in INDUSTRIES:
            await templates.create(tx, body.model_copy(update={"parent_id": standard.id}))


late_uses = restoring(
    "catalog.late_uses",
    uses,
    (
        inventory.StockReceived,
        inventory.StockAdjusted,
        inventory.StockReserved,
        orders.OrderCreated,
        orders.OrderChanged,
        orders.OrderConfirmed,
        quotes.QuoteCreated,
        quotes.QuoteUpdated,
        *opportunities.OPPORTUNITY.told_by,
        returns.ReturnRequested,
        returns.ReturnAuthorised,
        shipments.ShipmentCreated,
        customers.CustomerCreated,
        customers.CustomerUpdated,
        customers.CustomerRestored,
    ),
    (Item, Warehouse, PriceList),
    since=datetime(2026, 11, 27, tzinfo=UTC),
)
