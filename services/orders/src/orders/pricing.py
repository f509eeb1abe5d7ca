"""From what a client asked for to priced and taxed lines: exact, in base units, each amount rounded once, half up.

Every refusal names the field by its place in the request.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from orders.bodies import NewOrderLine
from orders.lines import OrderLine, Quote
from orders.projections import WarehouseCopy, book, days
from tailrace.core.errors import FieldProblem, Invalid, NotYetKnown
from tailrace.core.ids import uuid7
from tailrace.core.values.money import plain_decimal
from tailrace.core.values.taxes import tax_lines
from tailrace.db.database import Tx
from tailrace.messaging.days import DaysNotYetKnown
from tailrace.messaging.replica import Known as Copies
from tailrace.messaging.replica import by_ids
from tailrace.pricing.book import MOST_AMOUNT, OpenBook, amount_of


@dataclass(frozen=True, slots=True)
class Known:
    """The copies that some lines refer to."""

    prices: OpenBook
    warehouses: Copies[WarehouseCopy]


async def price_lines(
    tx: Tx, asked: Sequence[NewOrderLine], currency: str, price_list_id: UUID | None, on: date
) -> list[OrderLine]:
    """The lines, priced in `currency` as of the day `on`; those that say no price and no list, by `price_list_id`.

    Raises NotYetKnown (409) for what has not arrived here, Invalid (422) for what cannot be sold, converted or priced.
    """
    asked = [_listed(one, price_list_id, position) for position, one in enumerate(asked)]
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
        known.prices.items.in_use(line.item_id, f"{line.place}/item_id")
        known.warehouses.in_use(line.warehouse_id, f"{line.place}/warehouse_id")
        prices.append(
            (line.unit_price, line.net)
            if line.price_list_id is None
            else _by_list(known, line, line.price_list_id, currency, on)
        )
    return _quotes(known, lines, prices, on)


async def quote_taxes(tx: Tx, lines: Sequence[OrderLine]) -> list[Quote]:
    """What these lines cost at the prices that they have, whatever lists say by now, with the tax of today.

    Raises NotYetKnown (409), and Invalid (422) for what has no rate today.
    """
    known = await _known(tx, lines)
    return _quotes(known, lines, [(line.unit_price, line.net) for line in lines], await days.today(tx))


async def taxed_as_today(tx: Tx, lines: Sequence[OrderLine]) -> bool:
    """Whether they may bind today without anybody being asked: they are taxed as they would be today. What is not known here is not the same."""
    try:
        return not differences(lines, await quote_taxes(tx, lines))
    except DaysNotYetKnown:
        raise
    except (Invalid, NotYetKnown):
        return False


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


def _listed(asked: NewOrderLine, price_list_id: UUID | None, position: int) -> NewOrderLine:
    """The line as it was asked for, with a price list where it says no price. Raises Invalid where there is no list either."""
    if any(way is not None for way in (asked.unit_price, asked.net, asked.price_list_id)):
        return asked
    if price_list_id is None:
        said = (
            "Give one of unit_price, net and price_list_id: no price list was agreed with a customer in this currency."
        )
        raise Invalid.field(f"/lines/{position}", said)
    return asked.model_copy(update={"price_list_id": price_list_id})


def _line(known: Known, asked: NewOrderLine, position: int) -> OrderLine:
    """What is sold, and how much; the price is still to come."""
    at = f"/lines/{position}"
    item = known.prices.sold(asked.item_id, f"{at}/item_id")
    warehouse = known.warehouses.in_use(asked.warehouse_id, f"{at}/warehouse_id")
    if item.kind == "service":
        _ensure_no_lots(asked, item.sku, at)
    quantity = known.prices.in_base_unit(item, asked.quantity, asked.unit, at)
    return OrderLine(
        id=uuid7(),
        position=position + 1,
        item_id=item.id,
        sku=item.sku,
        name=item.name,
        kind=item.kind,
        warehouse_id=warehouse.id,
        unit=item.unit,
        decimals=known.prices.units[item.unit].decimals,
        quantity=quantity,
        price_list_id=asked.price_list_id,
        allocated=Decimal(0),
        shipped=Decimal(0),
        backordered=Decimal(0),
        cancelled=Decimal(0),
        lot=asked.lot,
        remaining_days=asked.remaining_days,
    )


def _ensure_no_lots(asked: NewOrderLine, sku: str, at: str) -> None:
    """Raises Invalid that names what a service cannot be asked for."""
    for name in ("lot", "remaining_days"):
        if getattr(asked, name) is not None:
            raise Invalid.field(f"{at}/{name}", f"{sku} is a service: it comes in no lots.")


def _price(known: Known, asked: NewOrderLine, line: OrderLine, currency: str, on: date) -> tuple[Decimal, int]:
    """The price of one base unit and the net amount of a line. A price that the client gives is for one of the unit that it asked in."""
    if asked.net is not None:
        return amount_of(Fraction(asked.net), line.quantity, f"{line.place}/net")
    if asked.unit_price is not None:
        exact = Fraction(asked.quantity) * Fraction(asked.unit_price)
        return amount_of(exact, line.quantity, f"{line.place}/unit_price")
    assert asked.price_list_id is not None, "a line is priced in one of three ways"
    return _by_list(known, line, asked.price_list_id, currency, on)


def _by_list(known: Known, line: OrderLine, list_id: UUID, currency: str, on: date) -> tuple[Decimal, int]:
    """The same of a line that names a price list."""
    field = f"{line.place}/price_list_id"
    price = known.prices.listed(list_id, line.item_id, line.quantity, currency, on, field)
    return amount_of(Fraction(line.quantity) * Fraction(price), line.quantity, f"{line.place}/quantity")


def _quotes(known: Known, lines: Sequence[OrderLine], prices: Sequence[tuple[Decimal, int]], on: date) -> list[Quote]:
    """The prices, with the tax on them."""
    levies = [known.prices.levy(line.item_id, on, f"{line.place}/item_id") for line in lines]
    taxes = tax_lines([(net, levy) for (_, net), levy in zip(prices, levies, strict=True)])
    if sum(net for _, net in prices) + sum(taxes) > MOST_AMOUNT:
        raise Invalid.field("/lines", "The order's total is too large.")
    return [
        Quote(unit_price, net, levy.code, levy.rate, tax)
        for (unit_price, net), levy, tax in zip(prices, levies, taxes, strict=True)
    ]


async def _known(tx: Tx, lines: Sequence[NewOrderLine | OrderLine], units: set[str] | None = None) -> Known:
    list_ids = {line.price_list_id for line in lines if line.price_list_id is not None}
    return Known(
        prices=await book.open(tx, {line.item_id for line in lines}, list_ids, units or ()),
        warehouses=await by_ids(tx, WarehouseCopy, {line.warehouse_id for line in lines}),
    )
