"""From what a client asked for to priced lines: exact, in base units, each amount rounded once, half to even.

Every refusal names the field by its place in the request.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from sqlalchemy import select

from orders.bodies import NewOrderLine
from orders.models import OrderLine
from orders.projections import ItemCopy, PriceCopy, PriceListCopy, UnitCopy, WarehouseCopy
from tailrace.core.errors import Invalid
from tailrace.core.ids import uuid7
from tailrace.core.money import round_minor
from tailrace.core.units import to_base_unit
from tailrace.db.database import Tx
from tailrace.messaging.replica import Known as Copies
from tailrace.messaging.replica import absent, by_code, by_ids

MOST_AMOUNT = 10**15
_MOST_PRICE = Decimal(10) ** 12


@dataclass(frozen=True, slots=True)
class Known:
    """The copies that some lines refer to."""

    items: Copies[ItemCopy]
    warehouses: Copies[WarehouseCopy]
    lists: Copies[PriceListCopy]
    units: Mapping[str, UnitCopy]
    breaks: Mapping[tuple[UUID, UUID], Sequence[PriceCopy]]
    """By (price list, item), the lowest `min_quantity` first."""


async def price_lines(tx: Tx, asked: Sequence[NewOrderLine], currency: str, on: date) -> list[OrderLine]:
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
    items = await by_ids(tx, ItemCopy, {line.item_id for line in lines})
    warehouses = await by_ids(tx, WarehouseCopy, {line.warehouse_id for line in lines})
    for position, line in enumerate(lines):
        items.in_use(line.item_id, f"/lines/{position}/item_id")
        warehouses.in_use(line.warehouse_id, f"/lines/{position}/warehouse_id")


def list_price(prices: Sequence[PriceCopy], quantity: Decimal) -> Decimal | None:
    """The unit price of the highest break that `quantity` reaches; None when it reaches none."""
    reached = [price.unit_price for price in prices if price.min_quantity <= quantity]
    return reached[-1] if reached else None


def price_of_one(amount: Fraction | int, quantity: Decimal) -> Decimal:
    """What one base unit costs when so many cost `amount`, to six decimals, half to even: for display, the amount is what counts."""
    return Decimal(round(Fraction(amount) / Fraction(quantity) * 10**6)).scaleb(-6)


def _line(known: Known, asked: NewOrderLine, currency: str, on: date, position: int) -> OrderLine:
    at = f"/lines/{position}"
    item = known.items.in_use(asked.item_id, f"{at}/item_id")
    if item.kind != "stock":
        raise Invalid.field(f"{at}/item_id", f"{item.sku} is a {item.kind}; an order ships stock items.")
    warehouse = known.warehouses.in_use(asked.warehouse_id, f"{at}/warehouse_id")
    quantity = _in_base_unit(known, asked, item, at)
    unit_price, net = _price(known, asked, quantity, currency, on, at)
    return OrderLine(
        id=uuid7(),
        position=position + 1,
        item_id=item.id,
        sku=item.sku,
        name=item.name,
        warehouse_id=warehouse.id,
        unit=item.unit,
        decimals=known.units[item.unit].decimals,
        quantity=quantity,
        unit_price=unit_price,
        net=net,
        tax_rate=item.tax_rate,
        tax=round_minor(net * Fraction(item.tax_rate)),
        allocated=Decimal(0),
        shipped=Decimal(0),
    )


def _in_base_unit(known: Known, asked: NewOrderLine, item: ItemCopy, at: str) -> Decimal:
    if item.unit not in known.units:
        raise absent(item.id, f"{at}/item_id", f"The unit {item.unit} of {item.sku} is not here.")
    units = {code: unit.measure for code, unit in known.units.items() if unit.active or code == item.unit}
    return to_base_unit(asked.quantity, asked.unit, item.packaging, units, at)


def _price(
    known: Known, asked: NewOrderLine, quantity: Decimal, currency: str, on: date, at: str
) -> tuple[Decimal, int]:
    """The price of one base unit and the net amount of a line. `quantity` is in base units; a price that the client gives is for one of its unit."""
    if asked.net is not None:
        amount, field = Fraction(asked.net), "net"
    elif asked.unit_price is not None:
        amount, field = Fraction(asked.quantity) * Fraction(asked.unit_price), "unit_price"
    else:
        listed = _listed(known, asked, quantity, currency, on, f"{at}/price_list_id")
        amount, field = Fraction(quantity) * Fraction(listed), "quantity"
    if amount > MOST_AMOUNT:
        raise Invalid.field(f"{at}/{field}", "The line's amount is too large.")
    unit_price = price_of_one(amount, quantity)
    if unit_price >= _MOST_PRICE:
        raise Invalid.field(f"{at}/{field}", "The price of one base unit that follows from it is too large.")
    return unit_price, round_minor(amount)


def _listed(known: Known, asked: NewOrderLine, quantity: Decimal, currency: str, on: date, field: str) -> Decimal:
    assert asked.price_list_id is not None
    prices = known.lists.in_use(asked.price_list_id, field)
    if prices.currency != currency:
        raise Invalid.field(field, f"Price list {prices.code} is in {prices.currency}, the order in {currency}.")
    if (prices.valid_from and on < prices.valid_from) or (prices.valid_until and on > prices.valid_until):
        raise Invalid.field(field, f"Price list {prices.code} is not valid on {on}.")
    price = list_price(known.breaks.get((asked.price_list_id, asked.item_id), ()), quantity)
    if price is None:
        raise Invalid.field(field, f"Price list {prices.code} has no price for this item and quantity.")
    return price


async def _known(tx: Tx, asked: Sequence[NewOrderLine]) -> Known:
    item_ids = {line.item_id for line in asked}
    list_ids = {line.price_list_id for line in asked if line.price_list_id is not None}
    items = await by_ids(tx, ItemCopy, item_ids)
    codes = {line.unit for line in asked if line.unit is not None}
    codes |= {code for item in items.values() for code in item.packaging.anchors()}
    return Known(
        items=items,
        warehouses=await by_ids(tx, WarehouseCopy, {line.warehouse_id for line in asked}),
        lists=await by_ids(tx, PriceListCopy, list_ids),
        units=await by_code(tx, UnitCopy, codes),
        breaks=await _breaks(tx, list_ids, item_ids),
    )


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
