"""What a quote comes to: each line's amount is rounded once, the discount on the whole once, and is given to the lines by largest remainder, so that
they add up; tax once for each rate of what is left. Amounts are whole minor units, a rate is a share of one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from tailrace.core.errors import Invalid
from tailrace.core.values.money import round_minor
from tailrace.core.values.taxes import Levy, by_largest_remainder, tax_lines
from tailrace.pricing.book import MOST_AMOUNT


@dataclass(frozen=True, slots=True)
class WholeDiscount:
    """What is taken off the whole: a share of it, or an amount, or nothing."""

    rate: Decimal | None = None
    amount: int | None = None

    def of(self, total: int) -> int:
        """In minor units. Raises Invalid for an amount that is more than there is."""
        if self.rate is not None:
            return round_minor(total * Fraction(self.rate))
        if (self.amount or 0) > total:
            raise Invalid.field("/discount_amount", f"The discount is more than the lines come to, which is {total}.")
        return self.amount or 0

    def share(self, total: int) -> Fraction:
        """The exact share of the whole that is taken off."""
        if self.rate is not None:
            return Fraction(self.rate)
        return Fraction(self.amount or 0, total) if total else Fraction(0)


@dataclass(frozen=True, slots=True)
class Totals:
    """By line its net amount and tax, and what they add up to. `discount` is what the whole was lowered by."""

    nets: Sequence[int]
    taxes: Sequence[int]
    discount: int

    @property
    def net(self) -> int:
        return sum(self.nets)

    @property
    def tax(self) -> int:
        return sum(self.taxes)


def add_up(lines: Sequence[tuple[int, Levy]], whole: WholeDiscount) -> Totals:
    """Of lines' amounts, each after its own discount, and what is levied on them. Raises Invalid for a total that is too large."""
    amounts = [amount for amount, _ in lines]
    total = sum(amounts)
    if total > MOST_AMOUNT:
        raise Invalid.field("/lines", "What the lines come to before the discount on the whole is too large.")
    discount = whole.of(total)
    shares = by_largest_remainder(discount, [Fraction(discount * each, total) for each in amounts]) if total else []
    nets = [amount - part for amount, part in zip(amounts, shares, strict=True)] if total else amounts
    taxes = tax_lines([(net, levy) for net, (_, levy) in zip(nets, lines, strict=True)])
    if sum(nets) + sum(taxes) > MOST_AMOUNT:
        raise Invalid.field("/lines", "The quote's total is too large.")
    return Totals(nets, taxes, discount)
