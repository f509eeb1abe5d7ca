"""What a line that is of no item is taxed at: a fee, an hour of work. Somebody says a tax code, a rate, or both, which have to agree.

A tax code is one that the company has, whatever its spelling, and its rate is that of a day; without a code, the rate is what was said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tailrace.core.errors import Invalid
from tailrace.core.values.money import plain_decimal
from tailrace.core.values.taxes import in_force
from tailrace.db.database import Tx
from tailrace.messaging.replica import by_code
from tailrace.pricing.copies import TaxCode

__all__ = ["Rate", "SaidTax", "rate_on", "rates_on"]

Rate = tuple[Decimal, str | None]
"""A rate, and the tax code that it is of."""


@dataclass(frozen=True, slots=True)
class SaidTax:
    """What a request says; `at` is the object that its `tax_code` and `tax_rate` stand in, as a JSON pointer."""

    code: str | None
    rate: Decimal | None
    at: str


async def rates_on(tx: Tx, kind: type[TaxCode], said: Sequence[SaidTax], on: date) -> list[Rate]:
    """What each is taxed at on a day; `kind` is the service's copy of the tax codes.

    Raises Invalid that names the field, for a code that the company has not, has no longer, or has no rate of on that day, for a rate that is
    another one than the code's, and where neither is said.
    """
    codes = await by_code(tx, kind, {each.code for each in said if each.code is not None})
    return [_rate(codes.get(each.code) if each.code is not None else None, each, on) for each in said]


def rate_on(code: TaxCode, on: date) -> Decimal | None:
    """The rate of a code on a day; None before its first."""
    dated = in_force(code.rates, on)
    return None if dated is None else Decimal(dated["rate"])


def _rate(code: TaxCode | None, said: SaidTax, on: date) -> Rate:
    if said.code is None:
        if said.rate is None:
            raise Invalid.field(f"{said.at}/tax_rate", "Say a rate, or a tax code.")
        return said.rate, None
    field = f"{said.at}/tax_code"
    if code is None:
        raise Invalid.field(field, f"There is no tax code {said.code}.")
    if not code.active:
        raise Invalid.field(field, f"Tax code {code.code} is no longer in use.")
    rate = rate_on(code, on)
    if rate is None:
        raise Invalid.field(field, f"Tax code {code.code} has no rate on {on}.")
    if said.rate not in {None, rate}:
        raise Invalid.field(f"{said.at}/tax_rate", f"{code.code} is taxed at {plain_decimal(rate)} on {on}.")
    return rate, code.code
