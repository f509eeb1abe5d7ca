"""From what a client asked for to priced lines: exact, in base units, each amount rounded once, half to even.

Every refusal names the field by its place in the request.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select

from orders.bodies import NewLine
from orders.copies import Copy, ItemCopy, PriceCopy, PriceListCopy, UnitCopy, WarehouseCopy
from orders.models import OrderLine
from tailrace.core.errors import Invalid, NotYetKnown
from tailrace.core.ids import uuid7
from tailrace.core.money import round_minor
from tailrace.db.database import Tx

AnyCopy = TypeVar("AnyCopy", bound=Copy)
MOST_AMOUNT = 10**15
_STEP = Decimal("0.000001")
_MOST_DECIMAL = Decimal(10) ** 12
# Wide enough for any product or quotient of two 18-digit decimals before it is rounded, once.
_EXACT = Context(prec=60)


@dataclass(frozen=True, slots=True)
class Known:
    """The copies that some lines refer to."""

    items: Mapping[UUID, ItemCopy]
    warehouses: Mapping[UUID, WarehouseCopy]
    lists: Mapping[UUID, PriceListCopy]
    units: Mapping[str, UnitCopy]
    breaks: Mapping[tuple[UUID, UUID], Sequence[PriceCopy]]
    """By (price list, item), the lowest `min_quantity` first."""


async def price_lines(tx: Tx, asked: Sequence[NewLine], currency: str, on: date) -> list[OrderLine]:
    """The lines, priced in `currency` as of the day `on`.

    Raises NotYetKnown (409) for what has not arrived here, Invalid (422) for what cannot be sold, converted or priced.
    """
    known = await _known(tx, asked)
    lines = [_line(known, one, currency, on, position) for position, one in enumerate(asked)]
    if sum(line.net + line.tax for line in lines) > MOST_AMOUNT:
        raise Invalid.field("/lines", "The order's total is too large.")
    return lines


async def refuse_unless_sold(tx: Tx, lines: Sequence[OrderLine]) -> None:
    """Check that what was drafted can be sold today. Raises Invalid (422) for an item or a warehouse that went out of use since."""
    items = await _by_id(tx, ItemCopy, {line.item_id for line in lines})
    warehouses = await _by_id(tx, WarehouseCopy, {line.warehouse_id for line in lines})
    for position, line in enumerate(lines):
        _usable(items, line.item_id, f"/lines/{position}/item_id", "item")
        _usable(warehouses, line.warehouse_id, f"/lines/{position}/warehouse_id", "warehouse")


def to_base_unit(
    quantity: Decimal, unit: str | None, item: ItemCopy, units: Mapping[str, UnitCopy], at: str
) -> Decimal:
    """The quantity in the item's base unit, exactly. Raises Invalid when it has no exact place there."""
    unit = unit or item.unit
    times, over = _factor(unit, item, units, at)
    product = _EXACT.multiply(quantity, times)
    base = _EXACT.divide(product, over).quantize(_STEP, rounding=ROUND_HALF_EVEN, context=_EXACT)
    if _EXACT.multiply(base, over) != product or base >= _MOST_DECIMAL:
        raise Invalid.field(f"{at}/quantity", f"{quantity} {unit} has no exact value in {item.unit} (six decimals).")
    return base


def list_price(prices: Sequence[PriceCopy], quantity: Decimal) -> Decimal | None:
    """The unit price of the highest break that `quantity` reaches; None when it reaches none."""
    reached = [price.unit_price for price in prices if price.min_quantity <= quantity]
    return reached[-1] if reached else None


def derived_price(net: int, quantity: Decimal) -> Decimal:
    """The unit price, to six decimals, of a line of which only the amount is known."""
    return _EXACT.divide(Decimal(net), quantity).quantize(_STEP, rounding=ROUND_HALF_EVEN, context=_EXACT)


def _line(known: Known, asked: NewLine, currency: str, on: date, position: int) -> OrderLine:
    at = f"/lines/{position}"
    item = _usable(known.items, asked.item_id, f"{at}/item_id", "item")
    if item.kind != "stock":
        raise Invalid.field(f"{at}/item_id", f"{item.sku} is a {item.kind}; an order ships stock items.")
    warehouse = _usable(known.warehouses, asked.warehouse_id, f"{at}/warehouse_id", "warehouse")
    quantity = to_base_unit(asked.quantity, asked.unit, item, known.units, at)
    unit_price, net = _price(known, asked, quantity, currency, on, at)
    return OrderLine(
        id=uuid7(),
        position=position + 1,
        item_id=item.id,
        sku=item.sku,
        name=item.name,
        warehouse_id=warehouse.id,
        unit=item.unit,
        quantity=quantity,
        unit_price=unit_price,
        net=net,
        tax_rate=item.tax_rate,
        tax=round_minor(_EXACT.multiply(Decimal(net), item.tax_rate)),
        allocated=Decimal(0),
        shipped=Decimal(0),
    )


def _price(known: Known, asked: NewLine, quantity: Decimal, currency: str, on: date, at: str) -> tuple[Decimal, int]:
    """Unit price and net amount of a line."""
    if asked.net is not None:
        unit_price = derived_price(asked.net, quantity)
        if unit_price >= _MOST_DECIMAL:
            raise Invalid.field(f"{at}/net", "The unit price that follows from it is too large.")
        return unit_price, asked.net
    if asked.unit_price is not None:
        unit_price, field = asked.unit_price, "unit_price"
    else:
        unit_price, field = _listed(known, asked, quantity, currency, on, f"{at}/price_list_id"), "quantity"
    net = _EXACT.multiply(quantity, unit_price)
    if net > MOST_AMOUNT:
        raise Invalid.field(f"{at}/{field}", "The line's amount is too large.")
    return unit_price, round_minor(net)


def _listed(known: Known, asked: NewLine, quantity: Decimal, currency: str, on: date, field: str) -> Decimal:
    assert asked.price_list_id is not None
    prices = _usable(known.lists, asked.price_list_id, field, "price list")
    if prices.currency != currency:
        raise Invalid.field(field, f"Price list {prices.code} is in {prices.currency}, the order in {currency}.")
    if (prices.valid_from and on < prices.valid_from) or (prices.valid_until and on > prices.valid_until):
        raise Invalid.field(field, f"Price list {prices.code} is not valid on {on}.")
    price = list_price(known.breaks.get((asked.price_list_id, asked.item_id), ()), quantity)
    if price is None:
        raise Invalid.field(field, f"Price list {prices.code} has no price for this item and quantity.")
    return price


def _factor(unit: str, item: ItemCopy, units: Mapping[str, UnitCopy], at: str) -> tuple[Decimal, Decimal]:
    """How many base units one of `unit` is, as a fraction: by the item's own conversions, else by the dimension that both units measure."""
    if unit == item.unit:
        return Decimal(1), Decimal(1)
    for conversion in item.conversions:
        if conversion["unit"] == unit:
            return Decimal(conversion["factor"]), Decimal(1)
    source, base = units.get(unit), units.get(item.unit)
    if source is None:
        raise NotYetKnown(f"{at}/unit", f"There is no unit {unit} here, nor does {item.sku} convert from it.")
    if base is None or source.dimension != base.dimension:
        raise Invalid.field(f"{at}/unit", f"{item.sku} is counted in {item.unit}; {unit} does not convert to it.")
    return source.factor, base.factor


def _usable(known: Mapping[UUID, AnyCopy], id: UUID, field: str, kind: str) -> AnyCopy:
    copy = known.get(id)
    if copy is None:
        raise NotYetKnown(field, f"There is no {kind} {id} here.")
    if not copy.active:
        raise Invalid.field(field, f"The {kind} {id} is no longer in use.")
    return copy


async def _known(tx: Tx, asked: Sequence[NewLine]) -> Known:
    item_ids = {line.item_id for line in asked}
    list_ids = {line.price_list_id for line in asked if line.price_list_id is not None}
    items = await _by_id(tx, ItemCopy, item_ids)
    codes = {line.unit for line in asked if line.unit is not None}
    codes |= {item.unit for item in items.values()} if codes else set()
    return Known(
        items=items,
        warehouses=await _by_id(tx, WarehouseCopy, {line.warehouse_id for line in asked}),
        lists=await _by_id(tx, PriceListCopy, list_ids),
        units=await _units(tx, codes),
        breaks=await _breaks(tx, list_ids, item_ids),
    )


async def _by_id(tx: Tx, kind: type[AnyCopy], ids: Collection[UUID]) -> dict[UUID, AnyCopy]:
    if not ids:
        return {}
    return {copy.id: copy for copy in await tx.scalars(select(kind).where(kind.id.in_(ids)))}


async def _units(tx: Tx, codes: Collection[str]) -> dict[str, UnitCopy]:
    if not codes:
        return {}
    query = select(UnitCopy).where(UnitCopy.code.in_(codes), UnitCopy.active)
    return {unit.code: unit for unit in await tx.scalars(query)}


async def _breaks(
    tx: Tx, list_ids: Collection[UUID], item_ids: Collection[UUID]
) -> dict[tuple[UUID, UUID], list[PriceCopy]]:
    found: dict[tuple[UUID, UUID], list[PriceCopy]] = {}
    if not list_ids:
        return found
    query = select(PriceCopy).where(PriceCopy.price_list_id.in_(list_ids), PriceCopy.item_id.in_(item_ids))
    for price in await tx.scalars(query.order_by(PriceCopy.min_quantity)):
        found.setdefault((price.price_list_id, price.item_id), []).append(price)
    return found
