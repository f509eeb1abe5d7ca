"""Changes of master data: a code belongs to one live row, and nothing that others refer to is pulled from under them."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, raiseload

from catalog.models import Item, MasterData, Price, PriceList, Unit
from catalog.refusals import InUse, NoPrice
from tailrace.core.errors import CodeTaken, FieldProblem, Invalid, NotYetKnown, Unknown
from tailrace.core.units import Packaging, Places, convert
from tailrace.core.units import Unit as Measure
from tailrace.db.database import Tx

AnyMaster = TypeVar("AnyMaster", bound=MasterData)


async def create(tx: Tx, kind: type[AnyMaster], values: Mapping[str, Any]) -> AnyMaster:
    """Raises CodeTaken when a live row has the code."""
    await _refuse_taken(tx, kind, values)
    row = kind.create(values)
    tx.add(row)
    await tx.flush()
    return row


async def replace(tx: Tx, kind: type[AnyMaster], id: UUID, match: int | None, values: Mapping[str, Any]) -> AnyMaster:
    """Raises Unknown, Stale, FixedForGood, CodeTaken."""
    row = await _load(tx, kind, id, match)
    await _refuse_taken(tx, kind, values, but=id)
    row.replace(values)
    await tx.flush()
    return row


async def delete(tx: Tx, kind: type[MasterData], id: UUID, match: int | None) -> None:
    """Raises Unknown, Stale, and InUse for a unit that live items are counted in."""
    row = await _load(tx, kind, id, match)
    if isinstance(row, Unit):
        await _refuse_used(tx, row)
    row.delete()


async def read(tx: Tx, kind: type[AnyMaster], id: UUID) -> AnyMaster:
    """Raises Unknown, for a deleted row too."""
    return _live(await tx.find(kind, id))


async def require_unit(tx: Tx, code: str) -> None:
    """Raises Invalid for an unknown unit, NotYetKnown while a new tenant's standard units are still on their way."""
    codes = set(await tx.scalars(select(Unit.code).where(Unit.deleted_at.is_(None))))
    if not codes:
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
    item = await read(tx, Item, item_id) if item_id else None
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


async def _load(tx: Tx, kind: type[AnyMaster], id: UUID, match: int | None) -> AnyMaster:
    return _live(await tx.load(kind, id, match))


def _live(row: AnyMaster) -> AnyMaster:
    if row.deleted_at is not None:
        raise Unknown(type(row).__name__, row.id)
    return row


async def _refuse_taken(tx: Tx, kind: type[MasterData], values: Mapping[str, Any], *, but: UUID | None = None) -> None:
    column: InstrumentedAttribute[str] = getattr(kind, kind.code_field)
    code = values[kind.code_field]
    holder = await tx.scalar(select(kind.id).where(column == code, kind.deleted_at.is_(None)))
    if holder is not None and holder != but:
        raise CodeTaken(f"{code} belongs to {holder}.", field=f"/{kind.code_field}")


async def _refuse_used(tx: Tx, unit: Unit) -> None:
    used_by = select(Item.sku).where(Item.unit == unit.code, Item.deleted_at.is_(None)).limit(1)
    sku = await tx.scalar(used_by)
    if sku is not None:
        raise InUse(f"Item {sku} is counted in {unit.code}.")
