"""Amounts are exact at every length that a schema allows: fifteen digits of money, eighteen of a quantity."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tailrace.core.money import portion, round_minor, share

MOST = 10**18 - 1
amounts = st.integers(-(10**15), 10**15)
cuts = st.lists(st.integers(1, MOST), min_size=1, max_size=8)


def millionths(count: int) -> Decimal:
    return Decimal(count).scaleb(-6)


def test_beyond_twenty_eight_digits() -> None:
    whole = millionths(MOST)
    assert share(10**15, Decimal(0), millionths(1), whole) == 0
    assert share(999_999_999_999_999, Decimal("0.000001"), millionths(MOST - 1), whole) == 999_999_999_999_999
    # Just above a half, at the twenty-ninth digit: arithmetic in 28 digits takes it for the half and rounds to even.
    assert round_minor(Decimal("1000000000000000.50000000000000000001")) == 1_000_000_000_000_001
    assert portion(1, Decimal("500000000000.000001"), Decimal("1000000000000.000001")) == 1


@given(amounts, cuts)
def test_consecutive_shares_add_up_and_each_is_the_difference_of_two_roundings(amount: int, parts: list[int]) -> None:
    whole = sum(parts)
    done, shares = 0, []
    for part in parts:
        shares.append(share(amount, millionths(done), millionths(part), millionths(whole)))
        before, now = round(Fraction(amount * done, whole)), round(Fraction(amount * (done + part), whole))
        assert shares[-1] == now - before
        done += part
    assert sum(shares) == amount


@given(amounts, st.integers(0, MOST), st.integers(1, MOST))
def test_a_portion_is_half_even_of_the_exact_value(amount: int, part: int, whole: int) -> None:
    exact = Fraction(amount) * part / whole
    found = portion(amount, millionths(part), millionths(whole))
    assert abs(found - exact) <= Fraction(1, 2)
    assert abs(found - exact) < Fraction(1, 2) or found % 2 == 0
