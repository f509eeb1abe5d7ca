"""Tax is rounded as the law says, by a computation of its own that knows nothing of the product: in whole numbers, from the rules alone."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tailrace.core.values.taxes import Levy, by_largest_remainder, in_force, tax_lines, taxes_in

LEVELS, MODES = ["document", "line"], ["half_up", "half_even", "down"]
MILLION = 10**6

rates = st.integers(0, MILLION)
nets = st.integers(-(10**15), 10**15) | st.integers(-100, 100)


def rounded(millionths: int, mode: str) -> int:
    """Of an amount in millionths of a minor unit; a sign mirrors."""
    whole, rest = divmod(abs(millionths), MILLION)
    up = {"half_up": 2 * rest >= MILLION, "half_even": 2 * rest > MILLION or (2 * rest == MILLION and whole % 2 == 1)}
    size = whole + up.get(mode, False)
    return size if millionths >= 0 else -size


def expected(lines: list[tuple[int, int]], level: str, mode: str) -> list[int]:
    """The tax of lines of (net, rate in millionths): the document's tax of a rate, less what the exact amounts leave to the last ones."""
    taxes = [0] * len(lines)
    for rate in {rate for _, rate in lines}:
        places = [at for at, (_, of) in enumerate(lines) if of == rate]
        if level == "line":
            for at in places:
                taxes[at] = rounded(lines[at][0] * rate, mode)
            continue
        left = rounded(sum(lines[at][0] for at in places) * rate, mode)
        for at in places:
            taxes[at] = lines[at][0] * rate // MILLION
            left -= taxes[at]
        while left:
            nearest = max(places, key=lambda at: (lines[at][0] * rate - taxes[at] * MILLION, -at))
            taxes[nearest] += 1
            left -= 1
    return taxes


@given(
    st.lists(st.tuples(nets, rates | st.sampled_from([150_000, 50_000])), max_size=30),
    st.sampled_from(LEVELS),
    st.sampled_from(MODES),
)
def test_lines_are_taxed_as_an_independent_computation_says(
    lines: list[tuple[int, int]], level: Any, mode: Any
) -> None:
    codes = [None, "A", "B"]
    levied = [(net, Levy(codes[net % 3], Decimal(rate).scaleb(-6), level, mode)) for net, rate in lines]
    assert tax_lines(levied) == expected(lines, level, mode)


@given(st.lists(nets, min_size=1, max_size=30), rates, st.sampled_from(MODES))
def test_a_line_is_less_than_a_unit_from_its_exact_tax_and_all_add_up(amounts: list[int], rate: int, mode: Any) -> None:
    taxes = tax_lines([(net, Levy("S", Decimal(rate).scaleb(-6), "document", mode)) for net in amounts])
    assert sum(taxes) == rounded(sum(amounts) * rate, mode)
    assert all(abs(tax - Fraction(net * rate, MILLION)) < 1 for net, tax in zip(amounts, taxes, strict=True))


def test_a_thousand_lines_and_the_largest_amounts() -> None:
    fifteen = Levy(None, Decimal("0.15"))
    assert sum(tax_lines([(30, fifteen)] * 1000)) == 4500
    # Each is 149,999,999,999,999.85, and together they are 0.3 below a whole.
    assert tax_lines([(10**15 - 1, fifteen)] * 2) == [150_000_000_000_000, 150_000_000_000_000]
    assert tax_lines([(10**15, Levy(None, Decimal("0.999999")))]) == [999_999_000_000_000]
    assert tax_lines([]) == []


def test_tax_that_is_in_amounts_is_rounded_once_for_a_rate_whatever_its_codes() -> None:
    """503 at 19 % hold 80.31, and two of them 160.62."""
    codes = [Levy(code, Decimal("0.19")) for code in (None, "A")]
    assert taxes_in([(503, code) for code in codes]) == [81, 80]
    assert taxes_in([(503, Levy(code.code, code.rate, "line")) for code in codes]) == [80, 80]
    assert taxes_in([(503, Levy(code.code, code.rate, mode="down")) for code in codes]) == [80, 80]
    assert taxes_in([(10**15, Levy(None, Decimal(1))), (7, Levy(None, Decimal(0)))]) == [5 * 10**14, 0]


def test_a_credit_mirrors_the_invoice() -> None:
    five = Levy(None, Decimal("0.05"))
    assert tax_lines([(250, five)]) == [13]
    assert tax_lines([(-250, five)]) == [-13]
    assert sum(tax_lines([(250, five), (-250, five)])) == 0


def test_what_is_in_force_is_the_newest_that_has_begun() -> None:
    dated = [{"valid_from": "2026-01-01", "is": "new"}, {"valid_from": "2020-07-01", "is": "old"}]
    held = {
        str(day): (in_force(dated, day) or {}).get("is")
        for day in (date(2020, 6, 30), date(2020, 7, 1), date(2025, 12, 31), date(2026, 1, 1))
    }
    assert list(held.values()) == [None, "old", "old", "new"]


@given(st.lists(st.fractions(0, 10**6, max_denominator=1000), min_size=1, max_size=20))
def test_a_total_is_given_out_whole_and_nobody_is_a_unit_off(exact: list[Fraction]) -> None:
    total = sum(exact, Fraction(0)).__round__()
    parts = by_largest_remainder(total, exact)
    assert sum(parts) == total
    assert all(abs(part - each) < 1 for part, each in zip(parts, exact, strict=True))
