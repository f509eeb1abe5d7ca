"""From what an author wrote to priced lines, each with its list price beside it and the tax of the quote's day."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy import select

from quotes.bodies import QuoteLineBody
from quotes.copies import ItemCost, book
from quotes.lines import QuoteLine
from tailrace.core.errors import Invalid
from tailrace.core.ids import uuid7
from tailrace.core.values.money import PRICE_BOUND, round_minor
from tailrace.core.values.taxes import Levy
from tailrace.db.database import Tx
from tailrace.pricing.book import OpenBook, amount_of

_NOTHING = Levy(None, Decimal(0))


async def price_lines(
    tx: Tx, asked: Sequence[QuoteLineBody], currency: str, price_list_id: UUID | None, on: date
) -> list[QuoteLine]:
    """The lines, priced in `currency` as of the day `on`; those that name no list, by `price_list_id`.

    Raises NotYetKnown (409) for what has not arrived here, Invalid (422) for what cannot be sold, converted or priced.
    """
    ids = {line.item_id for line in asked if line.item_id is not None}
    lists = {line.price_list_id or price_list_id for line in asked}
    units = {line.unit for line in asked if line.unit is not None}
    known = await book.open(tx, ids, {id for id in lists if id is not None}, units)
    costs = await _costs(tx, ids, currency)
    lines = []
    for position, one in enumerate(asked, 1):
        if one.item_id is None:
            lines.append(_text(one, position))
        else:
            lines.append(_item(known, one, one.item_id, position, currency, price_list_id, on))
            lines[-1].unit_cost = costs.get(one.item_id)
    _check_alternatives(lines)
    return lines


async def again(tx: Tx, lines: Sequence[QuoteLine], on: date) -> list[QuoteLine]:
    """Copies of lines, at the same prices, with the tax of another day. Raises NotYetKnown, Invalid for what went out of use or has no rate."""
    known = await book.open(tx, {line.item_id for line in lines if line.item_id is not None})
    copies = []
    for line in lines:
        columns = {column.key for column in QuoteLine.__mapper__.column_attrs} - {"id", "tenant_id", "quote_id"}
        copy = QuoteLine(id=uuid7(), **{name: getattr(line, name) for name in columns})
        copy.counts = line.kind == "item" and line.inclusion == "included"
        if line.item_id is not None:
            at = f"/lines/{line.position - 1}"
            known.sold(line.item_id, f"{at}/item_id")
            _tax(copy, known.levy(line.item_id, on, f"{at}/item_id"))
        copies.append(copy)
    return copies


async def ensure_offered(tx: Tx, lines: Sequence[QuoteLine], on: date | None) -> None:
    """Raises Invalid that names a line whose item went out of use since it was written, or is taxed otherwise on the day `on`, where one is said."""
    known = await book.open(tx, {line.item_id for line in lines if line.item_id is not None})
    for line in lines:
        if line.item_id is None:
            continue
        at = f"/lines/{line.position - 1}"
        known.sold(line.item_id, f"{at}/item_id")
        if on is not None and known.levy(line.item_id, on, f"{at}/item_id") != line.levy:
            raise Invalid.field(f"{at}/tax_rate", f"{line.sku} is taxed otherwise on {on} by now: replace the draft.")


def _text(asked: QuoteLineBody, position: int) -> QuoteLine:
    line = QuoteLine(**_same(asked, position), counts=False, name=asked.name, decimals=0, agreed=False, amount=0)
    line.net = line.tax = 0
    _tax(line, _NOTHING)
    return line


def _item(
    known: OpenBook,
    asked: QuoteLineBody,
    item_id: UUID,
    position: int,
    currency: str,
    default_list: UUID | None,
    on: date,
) -> QuoteLine:
    at = f"/lines/{position - 1}"
    assert asked.quantity is not None, "a line with an item has a quantity"
    item = known.sold(item_id, f"{at}/item_id")
    base = known.in_base_unit(item, asked.quantity, asked.unit, at)
    line = QuoteLine(
        **_same(asked, position),
        counts=asked.inclusion == "included",
        item_id=item.id,
        sku=item.sku,
        name=asked.name or item.name,
        unit=asked.unit or item.unit,
        quantity=asked.quantity,
        base_unit=item.unit,
        base_quantity=base,
        decimals=known.units[item.unit].decimals,
        discount_rate=asked.discount_rate,
        unit_price=asked.unit_price,
        agreed=asked.unit_price is not None,
        list_price=_list_price(known, asked, item_id, base, currency, default_list, on, at),
        price_list_id=asked.price_list_id or default_list,
    )
    if not line.agreed:
        assert line.list_price is not None, "a price is listed, or agreed"
        of_unit = Fraction(line.list_price) * Fraction(base) / Fraction(asked.quantity)
        line.unit_price = Decimal(round_minor(of_unit * 10**6)).scaleb(-6)
        if line.unit_price >= PRICE_BOUND:
            raise Invalid.field(f"{at}/unit", f"The price of one {line.unit} that follows from the list is too large.")
    _, line.amount = amount_of(line.exact, base, f"{at}/{'unit_price' if line.agreed else 'quantity'}")
    _tax(line, known.levy(item_id, on, f"{at}/item_id"))
    return line


def _list_price(
    known: OpenBook,
    asked: QuoteLineBody,
    item_id: UUID,
    base: Decimal,
    currency: str,
    default_list: UUID | None,
    on: date,
    at: str,
) -> Decimal | None:
    """The list's price of one base unit. Where a price was agreed, and the list is not the line's own, there may be none."""
    list_id = asked.price_list_id or default_list
    if list_id is None:
        if asked.unit_price is None:
            raise Invalid.field(f"{at}/unit_price", "Say a price, or a price list.")
        return None
    field = f"{at}/price_list_id" if asked.price_list_id else "/price_list_id"
    try:
        return known.listed(list_id, item_id, base, currency, on, field)
    except Invalid:
        if asked.unit_price is None or asked.price_list_id is not None:
            raise
        return None


def _same(asked: QuoteLineBody, position: int) -> dict[str, Any]:
    said = asked.model_dump(include={"kind", "inclusion", "alternative_to", "description"})
    return {"id": uuid7(), "position": position, **said}


def _tax(line: QuoteLine, levy: Levy) -> None:
    line.tax_code, line.tax_rate, line.tax_level, line.tax_mode = levy.code, levy.rate, levy.level, levy.mode


def _check_alternatives(lines: Sequence[QuoteLine]) -> None:
    included = {line.position for line in lines if line.kind == "item" and line.inclusion == "included"}
    for line in lines:
        if line.alternative_to is not None and line.alternative_to not in included:
            raise Invalid.field(
                f"/lines/{line.position - 1}/alternative_to", "There is no included line at this position."
            )


async def _costs(tx: Tx, item_ids: set[UUID], currency: str) -> dict[UUID, Decimal | None]:
    query = select(ItemCost).where(ItemCost.item_id.in_(item_ids), ItemCost.currency == currency)
    return {row.item_id: row.unit_cost for row in await tx.scalars(query)}
