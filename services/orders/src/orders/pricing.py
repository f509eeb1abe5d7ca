"""From what a client asked for to priced and taxed lines: exact, in base units, each amount rounded once, half up.

Every refusal names the field by its place in the request.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy import select

from orders.bodies import NewOrderLine
from orders.models import OrderLine, Quote
from orders.projections import ItemCopy, PriceCopy, PriceListCopy, TaxCodeCopy, TaxPolicyCopy, UnitCopy, WarehouseCopy
from orders.taxes import Levy, in_force, tax_lines
from tailrace.core.errors import FieldProblem, Invalid
from tailrace.core.ids import uuid7
from tailrace.core.money import plain_decimal, round_minor
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
    tax_codes: Copies[TaxCodeCopy]
    policy: TaxPolicyCopy | None


async def price_lines(tx: Tx, asked: Sequence[NewOrderLine], currency: str, on: date) -> list[OrderLine]:
    """The lines, priced in `currency` as of the day `on`.

    Raises NotYetKnown (409) for what has not arrived here, Invalid (422) for what cannot be sold, converted or priced.
    """
    known = await _known(tx, asked, {line.unit for line in asked if line.unit is not None})
    lines = [_line(known, one, position) for position, one in enumerate(asked)]
    prices = [_price(known, one, line, currency, on) for one, line in zip(asked, lines, strict=True)]
    for line, quote in zip(lines, _quotes(known, lines, prices, on), strict=True):
        line.take(quote)
    return lines


async def quote(tx: Tx, lines: Sequence[OrderLine], currency: str, on: date) -> list[Quote]:
    """What these lines cost on the day `on`: by their price lists, or what was agreed where none was named; and the tax of that day.

    Raises NotYetKnown (409), and Invalid (422) for what went out of use or is not priced any more.
    """
    known = await _known(tx, lines)
    prices = []
    for line in lines:
        known.items.in_use(line.item_id, f"{line.place}/item_id")
        known.warehouses.in_use(line.warehouse_id, f"{line.place}/warehouse_id")
        listed = line.price_list_id is not None
        prices.append(_by_list(known, line, currency, on) if listed else (line.unit_price, line.net))
    return _quotes(known, lines, prices, on)


def differences(lines: Sequence[OrderLine], quotes: Sequence[Quote]) -> list[FieldProblem]:
    """In what the lines' prices and taxes are not what is quoted, field by field."""
    found = []
    for line, now in zip(lines, quotes, strict=True):
        if (line.unit_price, line.net) != (now.unit_price, now.net):
            said = f"{line.sku} costs {plain_decimal(now.unit_price)} now, and {plain_decimal(line.unit_price)} in the draft."
            found.append(FieldProblem(field=f"{line.place}/unit_price", detail=said))
        if line.tax_rate != now.tax_rate:
            said = f"{line.sku} is taxed at {plain_decimal(now.tax_rate)} now, and at {plain_decimal(line.tax_rate)} in the draft."
            found.append(FieldProblem(field=f"{line.place}/tax_rate", detail=said))
    before, after = sum(line.tax for line in lines), sum(one.tax for one in quotes)
    if not found and before != after:
        found.append(FieldProblem(field="/tax", detail=f"The tax is {after} now, and {before} in the draft."))
    return found


def list_price(prices: Sequence[PriceCopy], quantity: Decimal) -> Decimal | None:
    """The unit price of the highest break that `quantity` reaches; None when it reaches none."""
    reached = [price.unit_price for price in prices if price.min_quantity <= quantity]
    return reached[-1] if reached else None


def price_of_one(amount: Fraction | int, quantity: Decimal) -> Decimal:
    """What one base unit costs when so many cost `amount`, to six decimals, half up: for display, the amount is what counts."""
    return Decimal(round_minor(Fraction(amount) / Fraction(quantity) * 10**6)).scaleb(-6)


def _line(known: Known, asked: NewOrderLine, position: int) -> OrderLine:
    """What is sold, and how much; the price is still to come."""
    at = f"/lines/{position}"
    item = known.items.in_use(asked.item_id, f"{at}/item_id")
    if item.kind != "stock":
        raise Invalid.field(f"{at}/item_id", f"{item.sku} is a {item.kind}; an order ships stock items.")
    warehouse = known.warehouses.in_use(asked.warehouse_id, f"{at}/warehouse_id")
    quantity = _in_base_unit(known, asked, item, at)
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
        price_list_id=asked.price_list_id,
        allocated=Decimal(0),
        shipped=Decimal(0),
    )


def _in_base_unit(known: Known, asked: NewOrderLine, item: ItemCopy, at: str) -> Decimal:
    if item.unit not in known.units:
        raise absent(item.id, f"{at}/item_id", f"The unit {item.unit} of {item.sku} is not here.")
    units = {code: unit.measure for code, unit in known.units.items() if unit.active or code == item.unit}
    return to_base_unit(asked.quantity, asked.unit, item.packaging, units, at)


def _price(known: Known, asked: NewOrderLine, line: OrderLine, currency: str, on: date) -> tuple[Decimal, int]:
    """The price of one base unit and the net amount of a line. A price that the client gives is for one of the unit that it asked in."""
    if asked.net is not None:
        return _fits(Fraction(asked.net), line, "net")
    if asked.unit_price is not None:
        return _fits(Fraction(asked.quantity) * Fraction(asked.unit_price), line, "unit_price")
    return _by_list(known, line, currency, on)


def _by_list(known: Known, line: OrderLine, currency: str, on: date) -> tuple[Decimal, int]:
    """The same of a line that names a price list."""
    assert line.price_list_id is not None
    field = f"{line.place}/price_list_id"
    prices = known.lists.in_use(line.price_list_id, field)
    if prices.currency != currency:
        raise Invalid.field(field, f"Price list {prices.code} is in {prices.currency}, the order in {currency}.")
    if (prices.valid_from and on < prices.valid_from) or (prices.valid_until and on > prices.valid_until):
        raise Invalid.field(field, f"Price list {prices.code} is not valid on {on}.")
    price = list_price(known.breaks.get((line.price_list_id, line.item_id), ()), line.quantity)
    if price is None:
        raise Invalid.field(field, f"Price list {prices.code} has no price for this item and quantity.")
    return _fits(Fraction(line.quantity) * Fraction(price), line, "quantity")


def _fits(amount: Fraction, line: OrderLine, field: str) -> tuple[Decimal, int]:
    if amount > MOST_AMOUNT:
        raise Invalid.field(f"{line.place}/{field}", "The line's amount is too large.")
    unit_price = price_of_one(amount, line.quantity)
    if unit_price >= _MOST_PRICE:
        raise Invalid.field(f"{line.place}/{field}", "The price of one base unit that follows from it is too large.")
    return unit_price, round_minor(amount)


def _quotes(known: Known, lines: Sequence[OrderLine], prices: Sequence[tuple[Decimal, int]], on: date) -> list[Quote]:
    """The prices, with the tax on them."""
    levies = [_levy(known, line, on) for line in lines]
    taxes = tax_lines([(net, levy) for (_, net), levy in zip(prices, levies, strict=True)])
    if sum(net for _, net in prices) + sum(taxes) > MOST_AMOUNT:
        raise Invalid.field("/lines", "The order's total is too large.")
    return [
        Quote(unit_price, net, levy.code, levy.rate, tax)
        for (unit_price, net), levy, tax in zip(prices, levies, taxes, strict=True)
    ]


def _levy(known: Known, line: OrderLine, on: date) -> Levy:
    item, policy = known.items[line.item_id], known.policy.roundings if known.policy else ()
    if item.tax_code_id is None:
        assert item.tax_rate is not None, "an item is taxed at a rate of its own, or by a tax code"
        return Levy(None, item.tax_rate, **_rounding(in_force(policy, on)))
    code = known.tax_codes.known(item.tax_code_id, f"{line.place}/item_id")
    dated = in_force(code.rates, on)
    if dated is None:
        raise Invalid.field(f"{line.place}/item_id", f"Tax code {code.code} of {item.sku} has no rate on {on}.")
    return Levy(code.code, Decimal(dated["rate"]), **_rounding(in_force(code.roundings, on) or in_force(policy, on)))


def _rounding(dated: Mapping[str, Any] | None) -> dict[str, Any]:
    return {} if dated is None else {name: dated[name] for name in ("level", "mode")}


async def _known(tx: Tx, lines: Sequence[NewOrderLine | OrderLine], units: Collection[str] = ()) -> Known:
    item_ids = {line.item_id for line in lines}
    list_ids = {line.price_list_id for line in lines if line.price_list_id is not None}
    items = await by_ids(tx, ItemCopy, item_ids)
    anchors = {code for item in items.values() for code in item.packaging.anchors()}
    codes = {item.tax_code_id for item in items.values() if item.tax_code_id is not None}
    return Known(
        items=items,
        warehouses=await by_ids(tx, WarehouseCopy, {line.warehouse_id for line in lines}),
        lists=await by_ids(tx, PriceListCopy, list_ids),
        units=await by_code(tx, UnitCopy, anchors | set(units)),
        breaks=await _breaks(tx, list_ids, item_ids),
        tax_codes=await by_ids(tx, TaxCodeCopy, codes),
        policy=await tx.scalar(select(TaxPolicyCopy)),
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
