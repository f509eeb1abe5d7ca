"""What a quote comes to, by a computation of its own that uses nothing of the product: in whole numbers, from the rules alone."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from quotes.totals import WholeDiscount, add_up
from tailrace.core.values.taxes import Levy

MILLION = 10**6
LEVELS, MODES = ["document", "line"], ["half_up", "half_even", "down"]

# A line: its amount in minor units after its own discount, and its rate of tax in millionths, with level and mode.
lines = st.lists(
    st.tuples(
        st.integers(0, 10**12) | st.integers(0, 60),
        st.sampled_from([0, 80_000, 100_000, 190_000, 333_333]),
        st.sampled_from(LEVELS),
        st.sampled_from(MODES),
    ),
    min_size=1,
    max_size=25,
)


def rounded(numerator: int, denominator: int, mode: str = "half_up") -> int:
    """Of a fraction that is not negative."""
    whole, rest = divmod(numerator, denominator)
    up = {
        "half_up": 2 * rest >= denominator,
        "half_even": 2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1),
    }
    return whole + up.get(mode, False)


def handed_out(total: int, shares: list[tuple[int, int]]) -> list[int]:
    """A total that is the sum of these fractions, rounded: each gets what is whole of its own, and what is left goes to the largest rests."""
    parts = [numerator // denominator for numerator, denominator in shares]
    rests = [(numerator % denominator, denominator) for numerator, denominator in shares]
    while sum(parts) < total:
        largest = max(range(len(rests)), key=lambda at: (rests[at][0] * MILLION**4 // rests[at][1], -at))
        parts[largest] += 1
        rests[largest] = (-rests[largest][1], rests[largest][1])
    return parts


def expected(asked: list[tuple[int, int, str, str]], rate: int | None, amount: int | None) -> tuple[Any, ...]:
    """Nets, taxes and what the whole was lowered by; `rate` in millionths."""
    total = sum(each[0] for each in asked)
    discount = rounded(total * rate, MILLION) if rate is not None else min(amount or 0, total)
    nets = [each[0] for each in asked]
    if total:
        taken = handed_out(discount, [(discount * each[0], total) for each in asked])
        nets = [each[0] - part for each, part in zip(asked, taken, strict=True)]
    taxes = [0] * len(asked)
    for levy in {each[1:] for each in asked}:
        places = [at for at, each in enumerate(asked) if each[1:] == levy]
        of, level, mode = levy
        if level == "line":
            for at in places:
                taxes[at] = rounded(nets[at] * of, MILLION, mode)
            continue
        tax = rounded(sum(nets[at] for at in places) * of, MILLION, mode)
        for at, part in zip(places, handed_out(tax, [(nets[at] * of, MILLION) for at in places]), strict=True):
            taxes[at] = part
    return nets, taxes, discount


@given(lines, st.none() | st.integers(0, MILLION), st.integers(0, 10**13))
def test_a_quote_comes_to_what_an_independent_computation_says(
    asked: list[tuple[int, int, str, str]], rate: int | None, amount: int
) -> None:
    amount = min(amount, sum(each[0] for each in asked))
    whole = WholeDiscount(None if rate is None else Decimal(rate).scaleb(-6), amount if rate is None else None)
    levied = [
        (net, Levy(None, Decimal(of).scaleb(-6), level, mode))  # type: ignore[arg-type]
        for net, of, level, mode in asked
    ]
    totals = add_up(levied, whole)
    nets, taxes, discount = expected(asked, rate, amount)
    assert (list(totals.nets), list(totals.taxes), totals.discount) == (nets, taxes, discount)
    assert totals.net == sum(each[0] for each in asked) - discount
    assert all(net >= 0 for net in totals.nets)
