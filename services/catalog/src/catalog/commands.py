"""What the catalog is asked: how a quantity converts, what something costs, how tax is rounded."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import raiseload

from catalog.bodies import DatedRoundingBody
from catalog.models import Item, Price, PriceList, TaxPolicy, Unit, by_day
from catalog.refusals import NoPrice
from tailrace.core.errors import Stale, Unknown
from tailrace.core.values.units import Packaging, Places, check_decimals, convert
from tailrace.core.values.units import Unit as Measure
from tailrace.db.database import Tx


async def convert_quantity(tx: Tx, quantity: Decimal, source: str, target: str, item_id: UUID | None) -> Decimal:
    """Raises what `units.convert` raises, and Unknown for the item."""
    units = await tx.scalars(select(Unit).where(Unit.deleted_at.is_(None)))
    measures = {unit.code: Measure(unit.code, unit.dimension, unit.factor, unit.decimals) for unit in units}
    item = await tx.find(Item, item_id) if item_id else None
    packaging = Packaging.of(item.unit, item.conversions) if item else None
    return convert(quantity, source, target, measures, packaging, Places(source="/from", target="/to"))


async def price_for(tx: Tx, price_list_id: UUID, item_id: UUID, quantity: Decimal, on: date) -> tuple[PriceList, Price]:
    """The price of the highest break that `quantity` (base units) reaches. Raises Unknown for the list, NoPrice, Inexact for too fine a quantity."""
    listed = select(PriceList).where(PriceList.id == price_list_id, PriceList.deleted_at.is_(None))
    price_list = await tx.scalar(listed.options(raiseload(PriceList.prices)))
    if price_list is None:
        raise Unknown("PriceList", price_list_id)
    for unit, decimals in (await Item.decimals(tx, [item_id])).values():
        check_decimals(quantity, unit, decimals, "quantity")
    if not price_list.valid_on(on):
        raise NoPrice(f"Price list {price_list.code} is not valid on {on}.")
    reached = select(Price).where(
        Price.price_list_id == price_list_id, Price.item_id == item_id, Price.min_quantity <= quantity
    )
    price = await tx.scalar(reached.order_by(Price.min_quantity.desc()).limit(1))
    if price is None:
        raise NoPrice(f"Price list {price_list.code} has no price for {quantity} of item {item_id}.")
    return price_list, price


async def tax_policy(tx: Tx) -> TaxPolicy | None:
    """The tenant's; None while it was never changed."""
    return await tx.scalar(select(TaxPolicy).where(TaxPolicy.id == TaxPolicy.id_of(tx.tenant_id)))


async def replace_tax_policy(tx: Tx, match: int | None, roundings: Sequence[DatedRoundingBody]) -> TaxPolicy:
    """Raises Stale, Implausible. What was never changed has version 0."""
    kept = await tax_policy(tx)
    asked = [rounding.model_dump(mode="json") for rounding in roundings]
    in_order = await by_day(tx, asked, "/roundings", () if kept is None else kept.roundings)
    if kept is not None:
        policy = await tx.load(TaxPolicy, TaxPolicy.id_of(tx.tenant_id), match)
    elif match:
        raise Stale(match, 0)
    else:
        policy = TaxPolicy(id=TaxPolicy.id_of(tx.tenant_id))
        tx.add(policy)
    policy.replace(in_order)
    return policy
