"""What the catalog is asked: whether units and items are there, how a quantity converts, what something costs."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import raiseload

from catalog.models import Item, Price, PriceList, Unit
from catalog.refusals import NoPrice
from tailrace.core.errors import FieldProblem, Invalid, NotYetKnown, Unknown
from tailrace.core.ids import is_recent
from tailrace.core.units import Packaging, Places, convert
from tailrace.core.units import Unit as Measure
from tailrace.db.database import Tx


async def require_unit(tx: Tx, code: str) -> None:
    """Raises Invalid for an unknown unit, NotYetKnown while the standard units of a tenant just made are still on their way."""
    codes = set(await tx.scalars(select(Unit.code).where(Unit.deleted_at.is_(None))))
    if not codes and is_recent(tx.tenant_id):
        raise NotYetKnown("/unit", "This tenant has no units yet; the standard ones are on their way.")
    if code not in codes:
        raise Invalid.field("/unit", f"There is no unit {code}.")


async def require_items(tx: Tx, item_ids: Sequence[UUID]) -> None:
    """Raises Invalid that names each price whose item is not there."""
    known = set(await tx.scalars(select(Item.id).where(Item.id.in_(set(item_ids)), Item.deleted_at.is_(None))))
    errors = [
        FieldProblem(field=f"/prices/{number}/item_id", detail=f"There is no item {item_id}.")
        for number, item_id in enumerate(item_ids)
        if item_id not in known
    ]
    if errors:
        raise Invalid("Some prices are for items that are not there.", errors=errors[:20])


async def convert_quantity(tx: Tx, quantity: Decimal, source: str, target: str, item_id: UUID | None) -> Decimal:
    """Raises what `units.convert` raises, and Unknown for the item."""
    units = await tx.scalars(select(Unit).where(Unit.deleted_at.is_(None)))
    measures = {unit.code: Measure(unit.code, unit.dimension, unit.factor, unit.decimals) for unit in units}
    item = await tx.find(Item, item_id) if item_id else None
    packaging = Packaging.of(item.unit, item.conversions) if item else None
    return convert(quantity, source, target, measures, packaging, Places(source="/from", target="/to"))


async def price_for(tx: Tx, price_list_id: UUID, item_id: UUID, quantity: Decimal, on: date) -> tuple[PriceList, Price]:
    """The price of the highest break that `quantity` (base units) reaches. Raises Unknown for the list, NoPrice."""
    listed = select(PriceList).where(PriceList.id == price_list_id, PriceList.deleted_at.is_(None))
    price_list = await tx.scalar(listed.options(raiseload(PriceList.prices)))
    if price_list is None:
        raise Unknown("PriceList", price_list_id)
    if not price_list.valid_on(on):
        raise NoPrice(f"Price list {price_list.code} is not valid on {on}.")
    reached = select(Price).where(
        Price.price_list_id == price_list_id, Price.item_id == item_id, Price.min_quantity <= quantity
    )
    price = await tx.scalar(reached.order_by(Price.min_quantity.desc()).limit(1))
    if price is None:
        raise NoPrice(f"Price list {price_list.code} has no price for {quantity} of item {item_id}.")
    return price_list, price
