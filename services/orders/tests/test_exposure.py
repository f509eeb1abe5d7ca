"""What is owed of a part is what it is invoiced at, to the minor unit, at any amount."""

from decimal import Decimal

import pytest
from sqlalchemy import BigInteger, Numeric, literal, select

from orders.credit.exposure import part_of
from tailrace.core.values.money import share

from .conftest import Desk

QUANTITY = Numeric(18, 6)
WHOLE, PART = 1_000_000_000_001, 999_983_000_000
"""In millionths."""
_BELOW_HALF = (WHOLE // 2 - 1) * pow(PART, -1, WHOLE) % WHOLE
"""An amount whose part is a trillionth below a half."""


@pytest.mark.parametrize(
    ("amount", "part", "whole"),
    [
        (_BELOW_HALF + 10**6 * WHOLE, Decimal(PART).scaleb(-6), Decimal(WHOLE).scaleb(-6)),
        (5, Decimal(1), Decimal(2)),
        (4, Decimal("0.333333"), Decimal("2.666664")),
        (0, Decimal(1), Decimal(3)),
        (7, Decimal(3), Decimal(3)),
        (9_007_199_254_740_993, Decimal("0.000001"), Decimal("999999999999.999999")),
        (9_007_199_254_740_993, Decimal("999999999999.999998"), Decimal("999999999999.999999")),
    ],
)
async def test_a_part_is_worth_what_it_is_invoiced_at(desk: Desk, amount: int, part: Decimal, whole: Decimal) -> None:
    asked = part_of(literal(amount, BigInteger), literal(part, QUANTITY), literal(whole, QUANTITY))
    async with desk.h.tx() as tx:
        assert await tx.scalar(select(asked)) == share(amount, Decimal(0), part, whole)
