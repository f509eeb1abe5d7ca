"""What something costs on a day, and how it is taxed: exact, in base units, each amount rounded once, half up.

A service makes one `PriceBook` of its copies and opens it at the items that some lines name. Refusals name the field by its place in the request.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from tailrace.core.errors import Invalid
from tailrace.core.values.money import LARGEST_AMOUNT, PRICE_BOUND, round_minor
from tailrace.core.values.taxes import Levy, in_force
from tailrace.core.values.units import to_base_unit
from tailrace.db.database import Tx
from tailrace.messaging.replica import Known, absent, by_code, by_ids
from tailrace.pricing.copies import ListPrice, PricedItem, PricedUnit, PriceList, TaxCode, TaxPolicy

__all__ = ["MOST_AMOUNT", "OpenBook", "PriceBook", "amount_of", "list_price", "price_of_one"]

MOST_AMOUNT: Final = LARGEST_AMOUNT
"""The largest amount of a line or a document, in minor units."""


@dataclass(frozen=True, slots=True)
class PriceBook:
    """The tables that a service keeps its copies in. `document` is what it prices, as refusals call it."""

    document: str
    items: type[PricedItem]
    units: type[PricedUnit]
    lists: type[PriceList]
    prices: type[ListPrice]
    tax_codes: type[TaxCode]
    tax_policy: type[TaxPolicy]

    async def open(
        self, tx: Tx, item_ids: Collection[UUID], list_ids: Collection[UUID] = (), units: Collection[str] = ()
    ) -> "OpenBook":
        """What is known of these items, in these lists; `units` are those that lines are measured in. A query for each kind of copy."""
        items: Known[Any] = await by_ids(tx, self.items, item_ids)
        anchors = {code for item in items.values() for code in item.packaging.anchors()}
        codes = {item.tax_code_id for item in items.values() if item.tax_code_id is not None}
        policy = await tx.scalar(select(self.tax_policy))
        return OpenBook(
            document=self.document,
            items=items,
            lists=await by_ids(tx, self.lists, list_ids),
            units=await by_code(tx, self.units, anchors | set(units)),
            breaks=await self._breaks(tx, list_ids, item_ids),
            tax_codes=await by_ids(tx, self.tax_codes, codes),
            policy=() if policy is None else policy.roundings,
        )

    async def _breaks(
        self, tx: Tx, list_ids: Collection[UUID], item_ids: Collection[UUID]
    ) -> dict[tuple[UUID, UUID], list[ListPrice]]:
        found: dict[tuple[UUID, UUID], list[ListPrice]] = {}
        if not list_ids:
            return found
        prices = self.prices
        query = select(prices).where(prices.price_list_id.in_(set(list_ids)), prices.item_id.in_(set(item_ids)))
        for price in await tx.scalars(query.order_by(prices.min_quantity)):
            found.setdefault((price.price_list_id, price.item_id), []).append(price)
        return found


@dataclass(frozen=True, slots=True)
class OpenBook:
    """The copies that some lines refer to."""

    document: str
    items: Known[PricedItem]
    lists: Known[PriceList]
    units: Mapping[str, PricedUnit]
    breaks: Mapping[tuple[UUID, UUID], Sequence[ListPrice]]
    """By (price list, item), the lowest `min_quantity` first."""
    tax_codes: Known[TaxCode]
    policy: Sequence[Mapping[str, Any]]

    def sold(self, item_id: UUID, field: str) -> PricedItem:
        """The item, goods or a service, which is in use. Raises NotYetKnown, Invalid."""
        return self.items.in_use(item_id, field)

    def in_base_unit(self, item: PricedItem, quantity: Decimal, unit: str | None, at: str) -> Decimal:
        """A quantity of `unit`, in the item's base unit. `at` is the line's place. Raises Inexact, Incompatible, Invalid, NotYetKnown."""
        if item.unit not in self.units:
            raise absent(item.id, f"{at}/item_id", f"The unit {item.unit} of {item.sku} is not here.")
        units = {code: one.measure for code, one in self.units.items() if one.active or code == item.unit}
        return to_base_unit(quantity, unit, item.packaging, units, at)

    def listed(self, list_id: UUID, item_id: UUID, quantity: Decimal, currency: str, on: date, field: str) -> Decimal:
        """The list's price of one base unit, for so many of them. Raises NotYetKnown, Invalid for a list or an item that has no price here."""
        prices = self.lists.in_use(list_id, field)
        if prices.currency != currency:
            raise Invalid.field(
                field, f"Price list {prices.code} is in {prices.currency}, the {self.document} in {currency}."
            )
        if not prices.is_valid(on):
            raise Invalid.field(field, f"Price list {prices.code} is not valid on {on}.")
        price = list_price(self.breaks.get((list_id, item_id), ()), quantity)
        if price is None:
            raise Invalid.field(field, f"Price list {prices.code} has no price for this item and quantity.")
        return price

    def levy(self, item_id: UUID, on: date, field: str) -> Levy:
        """What the item is taxed at on a day, and how that is rounded. Raises NotYetKnown, Invalid for a code without a rate on that day."""
        item = self.items[item_id]
        if item.tax_code_id is None:
            assert item.tax_rate is not None, "an item is taxed at a rate of its own, or by a tax code"
            return Levy(None, item.tax_rate, **_rounding(in_force(self.policy, on)))
        code = self.tax_codes.known(item.tax_code_id, field)
        dated = in_force(code.rates, on)
        if dated is None:
            raise Invalid.field(field, f"Tax code {code.code} of {item.sku} has no rate on {on}.")
        roundings = in_force(code.roundings, on) or in_force(self.policy, on)
        return Levy(code.code, Decimal(dated["rate"]), **_rounding(roundings))


def list_price(prices: Sequence[ListPrice], quantity: Decimal) -> Decimal | None:
    """The unit price of the highest break that `quantity` reaches; None when it reaches none."""
    reached = [price.unit_price for price in prices if price.min_quantity <= quantity]
    return reached[-1] if reached else None


def price_of_one(amount: Fraction | int, quantity: Decimal) -> Decimal:
    """What one base unit costs when so many cost `amount`, to six decimals, half up: for display, the amount is what counts."""
    return Decimal(round_minor(Fraction(amount) / Fraction(quantity) * 10**6)).scaleb(-6)


def amount_of(exact: Fraction, quantity: Decimal, field: str) -> tuple[Decimal, int]:
    """The price of one base unit, for display, and the amount in minor units. Raises Invalid for one that is too large."""
    if exact > MOST_AMOUNT:
        raise Invalid.field(field, "The line's amount is too large.")
    unit_price = price_of_one(exact, quantity)
    if unit_price >= PRICE_BOUND:
        raise Invalid.field(field, "The price of one base unit that follows from it is too large.")
    return unit_price, round_minor(exact)


def _rounding(dated: Mapping[str, Any] | None) -> dict[str, Any]:
    return {} if dated is None else {name: dated[name] for name in ("level", "mode")}
