"""Quantities change unit exactly or not at all: everything is a fraction until the end, and nothing is rounded."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from catalog.refusals import Incompatible, Inexact
from tailrace.core.errors import Invalid

MOST_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Measure:
    """A unit as it is defined: `factor` leads to the reference unit of `dimension`."""

    code: str
    dimension: str
    factor: Decimal
    decimals: int


@dataclass(frozen=True, slots=True)
class Packaging:
    """How one item is measured: its base unit, and how many of them each further unit holds."""

    unit: str
    factors: Mapping[str, Decimal] = field(default_factory=dict)

    def anchors(self) -> Iterable[tuple[str, Decimal]]:
        return ((self.unit, Decimal(1)), *self.factors.items())


def convert(
    quantity: Decimal, source: str, target: str, measures: Mapping[str, Measure], item: Packaging | None = None
) -> Decimal:
    """`quantity` of `source` in `target`; with `item`, through its own packaging too.

    Raises Invalid for a unit nobody knows, Incompatible across dimensions, Inexact when the result does not fit the target's decimals.
    """
    ratio = _ratio(source, target, measures, item)
    decimals = measures[target].decimals if target in measures else MOST_DECIMALS
    scaled = Fraction(quantity) * ratio * 10**decimals
    if scaled.denominator != 1:
        detail = f"{quantity} {source} is not a whole number of units in the last of {decimals} decimals of {target}."
        raise Inexact(detail, field="/quantity")
    return Decimal(scaled.numerator).scaleb(-decimals)


def _ratio(source: str, target: str, measures: Mapping[str, Measure], item: Packaging | None) -> Fraction:
    for field_name, code in (("/from", source), ("/to", target)):
        if code not in measures and (item is None or code not in dict(item.anchors())):
            raise Invalid.field(field_name, f"There is no unit {code}.")
    if item is not None:
        ours, theirs = _in_base(source, measures, item), _in_base(target, measures, item)
        if ours is not None and theirs is not None:
            return ours / theirs
    here, there = measures.get(source), measures.get(target)
    if here is None or there is None or here.dimension != there.dimension:
        detail = f"Nothing leads from {source} to {target}."
        raise Incompatible(detail, field="/to")
    return Fraction(here.factor) / Fraction(there.factor)


def _in_base(code: str, measures: Mapping[str, Measure], item: Packaging) -> Fraction | None:
    """One `code` in base units of the item: by its own packaging, or from a unit of the same dimension."""
    anchors = dict(item.anchors())
    if code in anchors:
        return Fraction(anchors[code])
    for anchor, factor in item.anchors():
        if anchor in measures and measures[anchor].dimension == measures[code].dimension:
            return Fraction(measures[code].factor) / Fraction(measures[anchor].factor) * Fraction(factor)
    return None
