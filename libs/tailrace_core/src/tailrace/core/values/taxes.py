"""The tax of a document: rounded once for all that is taxed at one rate, or line by line, and given to the lines so that they add up to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any, Literal

from tailrace.core.values.money import RoundingMode, round_minor

TaxLevel = Literal["document", "line"]
"""What the tax of a rate is rounded for: once for the document (EN 16931, BR-CO-17), or for each line."""


@dataclass(frozen=True, slots=True)
class Levy:
    """What a line is taxed at, and how the tax is rounded: by default once for the document, half up.

    Equal ones are rounded together: the law asks for the tax of a rate, whatever codes its sales have.
    """

    code: str | None = field(compare=False)
    rate: Decimal
    level: TaxLevel = "document"
    mode: RoundingMode = "half_up"


def tax_lines(lines: Sequence[tuple[int, Levy]]) -> list[int]:
    """The tax of each line, given its net amount in minor units and what is levied on it.

    The tax of a document's rate is given to its lines by largest remainder: each has the whole units below its exact tax, and what is over goes,
    one by one, to those that are furthest above theirs; of equal ones the first line comes first.
    """
    return _rounded([(net * Fraction(levy.rate), levy) for net, levy in lines])


def taxes_in(amounts: Sequence[tuple[int, Levy]]) -> list[int]:
    """The same of amounts that the tax is in already."""
    return _rounded([(amount * Fraction(levy.rate) / (1 + Fraction(levy.rate)), levy) for amount, levy in amounts])


def _rounded(taxes: Sequence[tuple[Fraction, Levy]]) -> list[int]:
    """Exact taxes in whole units: of those that are levied alike together, or line by line."""
    found = [0] * len(taxes)
    alike: dict[Levy, list[int]] = {}
    for at, (_, levy) in enumerate(taxes):
        alike.setdefault(levy, []).append(at)
    for levy, places in alike.items():
        exact = [taxes[at][0] for at in places]
        if levy.level == "line":
            parts = [round_minor(tax, levy.mode) for tax in exact]
        else:
            parts = by_largest_remainder(round_minor(sum(exact, Fraction(0)), levy.mode), exact)
        for at, tax in zip(places, parts, strict=True):
            found[at] = tax
    return found


def in_force(dated: Sequence[Mapping[str, Any]], on: date) -> Mapping[str, Any] | None:
    """Of what begins on the days `valid_from` (ISO 8601), the one that holds on a day; None before the first."""
    begun = [one for one in dated if date.fromisoformat(one["valid_from"]) <= on]
    return max(begun, key=lambda one: str(one["valid_from"]), default=None)


def by_largest_remainder(total: int, exact: Sequence[Fraction]) -> list[int]:
    """Whole parts of a total that is the sum of the exact ones, rounded up or down: each is less than one unit from its exact one."""
    parts = [floor(one) for one in exact]
    nearest_first = sorted(range(len(exact)), key=lambda at: parts[at] - exact[at])
    for at in nearest_first[: total - sum(parts)]:
        parts[at] += 1
    return parts
