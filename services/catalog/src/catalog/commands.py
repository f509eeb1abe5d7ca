"""What the catalog is asked: whether units, items and tax codes are there, how a quantity converts, what something costs, how tax is rounded."""

from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import raiseload

from catalog.bodies import ANY_QUANTITY, DatedRoundingBody, ItemBody, PriceBody
from catalog.models import Item, Price, PriceList, TaxCode, TaxPolicy, Unit
from catalog.refusals import NoPrice
from tailrace.core.errors import FieldProblem, Invalid, NotYetKnown, Stale, Unknown
from tailrace.core.ids import is_recent
from tailrace.core.units import Packaging, Places, check_decimals, convert
from tailrace.core.units import Unit as Measure
from tailrace.db import master_data
from tailrace.db.database import Tx


async def create_item(tx: Tx, body: ItemBody) -> Item:
    """Raises CodeTaken, and what is said of units and taxes that are not there."""
    await require_units(tx, body)
    await require_tax(tx, body)
    return await master_data.create(tx, Item, body.values())


async def replace_item(tx: Tx, id: UUID, match: int | None, body: ItemBody) -> Item:
    """Raises what `master_data.replace` raises, and what is said of a tax code that is not there."""
    await tx.find(Item, id)
    await Unit.hold(tx, body.units)
    await require_tax(tx, body)
    return await master_data.replace(tx, Item, id, match, body.values())


async def require_units(tx: Tx, item: ItemBody) -> None:
    """Keep the units that an item is counted in, and converts to, from being deleted meanwhile.

    Raises Invalid for an unknown base unit, NotYetKnown while the standard units of a tenant just made are still on their way.
    """
    if item.unit in await Unit.hold(tx, item.units):
        return
    any_unit = select(Unit.id).where(Unit.deleted_at.is_(None)).limit(1)
    if is_recent(tx.tenant_id) and await tx.scalar(any_unit) is None:
        raise NotYetKnown("/unit", "This tenant has no units yet; the standard ones are on their way.")
    raise Invalid.field("/unit", f"There is no unit {item.unit}.")


async def require_tax(tx: Tx, item: ItemBody) -> None:
    """Keep the tax code from being deleted meanwhile. Raises Invalid unless the item is taxed in one way: at a rate of its own, or by a code."""
    if (item.tax_rate is None) == (item.tax_code_id is None):
        raise Invalid.field("/tax_rate", "Give one of tax_rate and tax_code_id.")
    if item.tax_code_id is not None and not await TaxCode.is_live(tx, item.tax_code_id):
        raise Invalid.field("/tax_code_id", f"There is no tax code {item.tax_code_id}.")


async def require_items(tx: Tx, prices: Sequence[PriceBody]) -> None:
    """Keep the items from being deleted meanwhile.

    Raises Invalid that names each price whose item is not there, Inexact for a `min_quantity` that is finer than the item's unit.
    """
    known = await Item.hold(tx, {price.item_id for price in prices})
    errors = [
        FieldProblem(field=f"/prices/{number}/item_id", detail=f"There is no item {price.item_id}.")
        for number, price in enumerate(prices)
        if price.item_id not in known
    ]
    if errors:
        raise Invalid("Some prices are for items that are not there.", errors=errors[:20])
    decimals = await _decimals(tx, known)
    for number, price in enumerate(prices):
        if price.min_quantity != ANY_QUANTITY and price.item_id in decimals:
            check_decimals(price.min_quantity, *decimals[price.item_id], f"/prices/{number}/min_quantity")


async def convert_quantity(tx: Tx, quantity: Decimal, source: str, target: str, item_id: UUID | None) -> Decimal:
    """Raises what `units.convert` raises, and Unknown for the item."""
    units = await tx.scalars(select(Unit).where(Unit.deleted_at.is_(None)))
    measures = {unit.code: Measure(unit.code, unit.dimension, unit.factor, unit.decimals) for unit in units}
    item = await tx.find(Item, item_id) if item_id else None
    packaging = Packaging.of(item.unit, item.conversions) if item else None
    return convert(quantity, source, target, measures, packaging, Places(source="/from", target="/to"))


async def _decimals(tx: Tx, item_ids: Collection[UUID]) -> dict[UUID, tuple[str, int]]:
    """The base unit of each item, and how fine a quantity in it may be."""
    units = select(Item.id, Unit.code, Unit.decimals).join(
        Unit, and_(Unit.code == Item.unit, Unit.deleted_at.is_(None))
    )
    return {row.id: (row.code, row.decimals) for row in await tx.execute(units.where(Item.id.in_(item_ids)))}


async def price_for(tx: Tx, price_list_id: UUID, item_id: UUID, quantity: Decimal, on: date) -> tuple[PriceList, Price]:
    """The price of the highest break that `quantity` (base units) reaches. Raises Unknown for the list, NoPrice, Inexact for too fine a quantity."""
    listed = select(PriceList).where(PriceList.id == price_list_id, PriceList.deleted_at.is_(None))
    price_list = await tx.scalar(listed.options(raiseload(PriceList.prices)))
    if price_list is None:
        raise Unknown("PriceList", price_list_id)
    for unit, decimals in (await _decimals(tx, [item_id])).values():
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
    """Raises Stale. What was never changed has version 0."""
    if await tax_policy(tx) is not None:
        policy = await tx.load(TaxPolicy, TaxPolicy.id_of(tx.tenant_id), match)
    elif match:
        raise Stale(match, 0)
    else:
        policy = TaxPolicy(id=TaxPolicy.id_of(tx.tenant_id))
        tx.add(policy)
    policy.replace([rounding.model_dump(mode="json") for rounding in roundings])
    return policy
