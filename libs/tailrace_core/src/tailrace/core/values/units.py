"""Quantities change unit exactly or not at all, and no quantity is finer than its unit: one rule for every service that counts.

Everything is a fraction until the end, and nothing is rounded. A way from one unit to another leads through the item's own units, through the
dimension that two units measure, or through both (grams to kilograms to pieces).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any, Self

from tailrace.core.errors import FieldProblem, Invalid
from tailrace.core.values.money import plain_decimal

__all__ = [
    "MOST_DECIMALS",
    "MOST_QUANTITY",
    "Incompatible",
    "Inexact",
    "Packaging",
    "Places",
    "Unit",
    "check_decimals",
    "convert",
    "to_base_unit",
]

MOST_DECIMALS = 6
"""The decimals of a unit that has no entry of its own, such as an item's box."""
MOST_QUANTITY = Decimal(10) ** 12
"""A quantity is below this: it has at most eighteen digits, six of them decimals."""


class Incompatible(Invalid):
    """422: no way leads from one unit to the other, as from a mass to a length."""

    slug, title = "units-incompatible", "These units do not convert into one another"


class Inexact(Invalid):
    """422: the quantity has more decimals than its unit allows, or would have after a conversion. It is never rounded."""

    slug, title = "conversion-inexact", "Not expressible exactly in this unit"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measure: `factor` leads to the reference unit of `dimension`; a quantity in it has at most `decimals` decimals."""

    code: str
    dimension: str
    factor: Decimal
    decimals: int


@dataclass(frozen=True, slots=True)
class Packaging:
    """How one item is measured: its base unit, and how many of them each further unit holds."""

    unit: str
    factors: Mapping[str, Decimal] = field(default_factory=dict)

    @classmethod
    def of(cls, unit: str, conversions: Iterable[Mapping[str, Any]]) -> Self:
        """From what an item's row keeps: `{"unit": …, "factor": "…"}`, one of `unit` is `factor` base units."""
        return cls(unit, {each["unit"]: Decimal(each["factor"]) for each in conversions})

    def anchors(self) -> Mapping[str, Decimal]:
        return {self.unit: Decimal(1), **self.factors}


@dataclass(frozen=True, slots=True)
class Places:
    """Where a request names the quantity, the unit it is in and the unit it is wanted in, as JSON pointers."""

    quantity: str = "/quantity"
    source: str = "/unit"
    target: str = "/unit"

    @classmethod
    def under(cls, at: str) -> Self:
        """For a quantity with its `unit` in the object at `at`, wanted in the item's base unit."""
        return cls(f"{at}/quantity", f"{at}/unit", f"{at}/unit")


def check_decimals(quantity: Decimal, unit: str, decimals: int, place: str = "/quantity") -> None:
    """Raises Inexact when the quantity is finer than its unit: half a piece, a tenth of a cent's weight."""
    if (Fraction(quantity) * 10**decimals).denominator != 1:
        raise _inexact(place, f"{plain_decimal(quantity)} {unit} is too fine: {unit} has {_decimals(decimals)}.")


def convert(
    quantity: Decimal,
    source: str,
    target: str,
    units: Mapping[str, Unit],
    item: Packaging | None = None,
    places: Places = Places(),
) -> Decimal:
    """`quantity` of `source` in `target`; with `item`, through its own units too. `units` are those known, by code.

    Raises Invalid for a unit that does not exist, Incompatible when no way leads to the target, Inexact for a quantity that is finer than its
    unit allows, before or after.
    """
    ratio = _ratio(source, target, units, item, places)
    check_decimals(quantity, source, _decimals_of(source, units), places.quantity)
    decimals = _decimals_of(target, units)
    scaled = Fraction(quantity) * ratio * 10**decimals
    if scaled.denominator != 1:
        given = f"{plain_decimal(quantity)} {source}"
        raise _inexact(places.quantity, f"{given} has no exact value in {target}, which has {_decimals(decimals)}.")
    return _decimal(scaled.numerator, decimals)


def to_base_unit(
    quantity: Decimal, unit: str | None, item: Packaging, units: Mapping[str, Unit], at: str = ""
) -> Decimal:
    """A quantity as a document counts it, in the item's base unit; `unit` is the base unit when None. `at` is where its object stands.

    Every quantity enters through this: receipts, orders, counts. Raises what `convert` raises, and Invalid for one of eighteen digits or more.
    """
    base = convert(quantity, unit or item.unit, item.unit, units, item, Places.under(at))
    if abs(base) >= MOST_QUANTITY:
        raise Invalid.field(f"{at}/quantity", f"{plain_decimal(base)} {item.unit} are too many.")
    return base


def _decimal(digits: int, decimals: int) -> Decimal:
    """Exact at any length (the context of Decimal's arithmetic would round beyond 28 digits), and spelled as short as its JSON."""
    exact = Decimal((int(digits < 0), tuple(int(digit) for digit in str(abs(digits))), -decimals))
    return Decimal(plain_decimal(exact))


def _ratio(source: str, target: str, units: Mapping[str, Unit], item: Packaging | None, places: Places) -> Fraction:
    """How many of `target` one `source` is."""
    own = item.anchors() if item is not None else {}
    for place, code in ((places.source, source), (places.target, target)):
        if code not in units and code not in own:
            raise Invalid.field(place, f"There is no unit {code}.")
    if source == target:
        return Fraction(1)
    if item is not None:
        ours, theirs = _in_base(source, units, own), _in_base(target, units, own)
        if ours is not None and theirs is not None:
            return ours / theirs
    here, there = units.get(source), units.get(target)
    if here is None or there is None or here.dimension != there.dimension:
        detail = f"Nothing leads from {source} to {target}."
        raise Incompatible(detail, errors=[FieldProblem(field=places.target, detail=detail)])
    return Fraction(here.factor) / Fraction(there.factor)


def _in_base(code: str, units: Mapping[str, Unit], own: Mapping[str, Decimal]) -> Fraction | None:
    """One `code` in base units of the item: by the item's own unit, else from the first of them that measures the same dimension."""
    if code in own:
        return Fraction(own[code])
    for anchor, factor in own.items():
        if anchor in units and units[anchor].dimension == units[code].dimension:
            return Fraction(units[code].factor) / Fraction(units[anchor].factor) * Fraction(factor)
    return None


def _decimals_of(code: str, units: Mapping[str, Unit]) -> int:
    return units[code].decimals if code in units else MOST_DECIMALS


def _decimals(count: int) -> str:
    return {0: "no decimals", 1: "one decimal"}.get(count, f"{count} decimals")


def _inexact(place: str, detail: str) -> Inexact:
    return Inexact(detail, errors=[FieldProblem(field=place, detail=detail)])
