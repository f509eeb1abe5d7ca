"""Amounts are exact at every length that a schema allows: fifteen digits of money, eighteen of a quantity."""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import create_model

from tailrace.core.events import Event
from tailrace.core.values.money import Exact, Quantity, RoundingMode, UnitPrice, portion, round_minor, share

MOST = 10**18 - 1
amounts = st.integers(-(10**15), 10**15)
cuts = st.lists(st.integers(1, MOST), min_size=1, max_size=8)
# Long enough for a product of any two values that a schema allows.
WIDE = Context(prec=60)
MODES: dict[RoundingMode, str] = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN, "down": ROUND_DOWN}


class Packed(Event):
    one: Exact
    most: Quantity | None
    each: list[UnitPrice]


def millionths(count: int) -> Decimal:
    return Decimal(count).scaleb(-6)


def half_up(numerator: int, denominator: int) -> int:
    """In whole numbers alone."""
    size = (2 * abs(numerator) + denominator) // (2 * denominator)
    return size if numerator >= 0 else -size


def test_beyond_twenty_eight_digits() -> None:
    whole = millionths(MOST)
    assert share(10**15, Decimal(0), millionths(1), whole) == 0
    assert share(999_999_999_999_999, Decimal("0.000001"), millionths(MOST - 1), whole) == 999_999_999_999_999
    # Just below and just above a half, at the twenty-ninth digit: arithmetic in 28 digits takes both for the half.
    assert round_minor(Decimal("1000000000000000.49999999999999999999")) == 1_000_000_000_000_000
    assert round_minor(Decimal("1000000000000000.50000000000000000001"), "half_even") == 1_000_000_000_000_001
    assert portion(1, Decimal("499999999999.999999"), Decimal("999999999999.999999")) == 0
    assert portion(1, Decimal("500000000000.000000"), Decimal("999999999999.999999")) == 1


@pytest.mark.parametrize(
    ("value", "half_up", "half_even", "down"),
    [
        ("0.5", 1, 0, 0),
        ("1.5", 2, 2, 1),
        ("2.5", 3, 2, 2),
        ("-0.5", -1, 0, 0),
        ("-2.5", -3, -2, -2),
        ("-1.4", -1, -1, -1),
    ],
)
def test_ties_go_where_the_mode_says_and_a_sign_mirrors(value: str, half_up: int, half_even: int, down: int) -> None:
    assert round_minor(Decimal(value)) == half_up
    assert [round_minor(Decimal(value), mode) for mode in MODES] == [half_up, half_even, down]


@given(st.integers(-(10**27), 10**27), st.integers(0, 12), st.sampled_from(sorted(MODES)))
@example(5, 1, "half_up")
def test_each_mode_is_that_of_decimal_arithmetic(digits: int, places: int, mode: RoundingMode) -> None:
    value = Decimal(digits).scaleb(-places, WIDE)
    assert round_minor(value, mode) == int(value.quantize(Decimal(1), MODES[mode], WIDE))
    assert round_minor(-value, mode) == -round_minor(value, mode)


@given(amounts, cuts)
def test_consecutive_shares_add_up_and_each_is_the_difference_of_two_roundings(amount: int, parts: list[int]) -> None:
    whole = sum(parts)
    done, shares = 0, []
    for part in parts:
        shares.append(share(amount, millionths(done), millionths(part), millionths(whole)))
        assert shares[-1] == half_up(amount * (done + part), whole) - half_up(amount * done, whole)
        done += part
    assert sum(shares) == amount


@given(amounts, st.integers(1, MOST // 2))
def test_the_half_of_an_odd_amount_is_a_tie_at_any_length(amount: int, half: int) -> None:
    """An inexact quotient would fall on one side of it or the other."""
    parts = [share(amount, Decimal(0), millionths(half), millionths(2 * half))]
    parts.append(share(amount, millionths(half), millionths(half), millionths(2 * half)))
    assert parts == [half_up(amount, 2), amount - half_up(amount, 2)]
    assert portion(amount, millionths(half), millionths(2 * half)) == half_up(amount, 2)


@given(amounts, st.integers(0, MOST), st.integers(1, MOST))
def test_a_portion_is_half_up_of_the_exact_value(amount: int, part: int, whole: int) -> None:
    exact = Fraction(amount) * part / whole
    found = portion(amount, millionths(part), millionths(whole))
    assert abs(found - exact) <= Fraction(1, 2)
    assert abs(found - exact) < Fraction(1, 2) or abs(found) > abs(exact)


@pytest.mark.parametrize("bare", [Decimal, Decimal | None, list[Decimal], dict[str, Decimal | None]])
def test_an_event_says_no_bare_decimal(bare: Any) -> None:
    with pytest.raises(TypeError, match=r"Weighed\.weight is a Decimal.* make it Exact"):
        create_model("Weighed", __base__=Event, weight=(bare, ...))


def test_an_event_says_a_decimal_in_one_way_however_its_row_came() -> None:
    made = Packed(one=Decimal("2.5"), most=Decimal(1), each=[Decimal(3)])
    read = Packed(one=Decimal("2.500000"), most=Decimal("1.000000"), each=[Decimal("3.000000")])
    assert made.model_dump_json() == read.model_dump_json() == '{"one":"2.5","most":"1","each":["3"]}'
