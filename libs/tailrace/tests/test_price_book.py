"""What a list says of a quantity on a day, and amounts that are rounded once and refused when they are too large."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from tailrace.core.errors import Invalid
from tailrace.pricing.book import MOST_AMOUNT, amount_of, list_price, price_of_one
from tailrace.pricing.copies import ListPrice, PriceList


class Break(ListPrice):
    """A price that is in no table."""

    def __init__(self, least: str, price: str) -> None:
        self.min_quantity, self.unit_price = Decimal(least), Decimal(price)


class Listed(PriceList):
    """A list that is in no table."""

    def __init__(self, begin: date | None, end: date | None) -> None:
        self.valid_from, self.valid_until = begin, end


def test_the_highest_break_that_is_reached_counts() -> None:
    breaks = [Break("1", "150"), Break("10", "120.5"), Break("100", "99")]
    found = {quantity: list_price(breaks, Decimal(quantity)) for quantity in ("0.5", "1", "9.999", "10", "1000")}
    assert found == {
        "0.5": None,
        "1": Decimal(150),
        "9.999": Decimal(150),
        "10": Decimal("120.5"),
        "1000": Decimal(99),
    }
    assert list_price([], Decimal(1)) is None


def test_both_days_of_a_lists_validity_count() -> None:
    first, last = date(2026, 1, 1), date(2026, 12, 31)
    year = Listed(first, last)
    days = (date(2025, 12, 31), first, last, date(2027, 1, 1))
    assert [year.is_valid(day) for day in days] == [False, True, True, False]
    assert Listed(None, None).is_valid(date(1900, 1, 1))


def test_an_amount_is_rounded_once_half_up() -> None:
    assert amount_of(Fraction(5, 2), Decimal(3), "/quantity") == (Decimal("0.833333"), 3)
    assert price_of_one(100, Decimal(3)) == Decimal("33.333333")


@pytest.mark.parametrize(
    ("exact", "quantity"), [(Fraction(MOST_AMOUNT) + 1, Decimal(10)), (Fraction(MOST_AMOUNT), Decimal("0.000001"))]
)
def test_what_is_too_large_names_its_field(exact: Fraction, quantity: Decimal) -> None:
    with pytest.raises(Invalid) as refused:
        amount_of(exact, quantity, "/lines/0/quantity")
    assert [each.field for each in refused.value.errors] == ["/lines/0/quantity"]
