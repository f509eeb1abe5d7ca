"""How whole amounts are divided, so that parts add up: for the reckoning, which imports nothing of the product."""

from collections.abc import Sequence
from fractions import Fraction
from math import floor

from request_ledger import half_up


def largest(total: int, exact: Sequence[Fraction]) -> list[int]:
    """A total in whole parts: what rounding down leaves goes to the largest fractions first, and of alike ones to the first."""
    parts = [floor(each) for each in exact]
    by_fraction = sorted(range(len(parts)), key=lambda at: (parts[at] - exact[at], at))
    for at in by_fraction[: total - sum(parts)]:
        parts[at] += 1
    return parts


def taxed(nets: Sequence[int], rates: Sequence[Fraction]) -> list[int]:
    """The tax of each line: of a rate, rounded once, half up, and given to its lines."""
    taxes = [0] * len(nets)
    for rate in set(rates):
        alike = [at for at, each in enumerate(rates) if each == rate]
        whole = half_up(rate * sum(nets[at] for at in alike))
        for at, tax in zip(alike, largest(whole, [nets[at] * rate for at in alike]), strict=True):
            taxes[at] = tax
    return taxes


def share(amount: int, before: Fraction, part: Fraction, whole: Fraction) -> int:
    """What falls to the next part of a whole, as the difference of two roundings: all parts together are the amount."""
    return half_up(amount * (before + part) / whole) - half_up(amount * before / whole)
