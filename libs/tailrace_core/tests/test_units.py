"""Conversion is exact or refused, there and back, up to the largest quantity that a schema allows."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.core.errors import Invalid
from tailrace.core.values.units import Incompatible, Inexact, Packaging, Places, Unit, convert, to_base_unit

UNITS = {
    unit.code: unit
    for unit in (
        Unit("kg", "mass", Decimal(1), 6),
        Unit("g", "mass", Decimal("0.001"), 3),
        Unit("lb", "mass", Decimal("0.453592"), 6),
        Unit("m", "length", Decimal(1), 6),
        Unit("pcs", "count", Decimal(1), 0),
    )
}
BOLTS = Packaging("pcs", {"box": Decimal(12), "kg": Decimal(250)})


@pytest.mark.parametrize(
    ("quantity", "source", "target", "expected"),
    [
        ("1.5", "kg", "g", "1500"),
        ("0.1", "g", "kg", "0.0001"),
        ("2", "lb", "g", "907.184"),
        ("123456789012.123456", "kg", "g", "123456789012123.456"),
        ("7", "pcs", "pcs", "7"),
    ],
)
def test_units_of_one_dimension_convert_exactly(quantity: str, source: str, target: str, expected: str) -> None:
    assert str(convert(Decimal(quantity), source, target, UNITS)) == expected


@pytest.mark.parametrize(
    ("quantity", "source", "target", "expected"),
    [
        ("3", "box", "pcs", "36"),
        ("6", "pcs", "box", "0.5"),
        ("2", "kg", "pcs", "500"),
        ("4", "g", "pcs", "1"),
        ("250", "box", "kg", "12"),
    ],
)
def test_an_items_own_units_lead_across_dimensions(quantity: str, source: str, target: str, expected: str) -> None:
    assert convert(Decimal(quantity), source, target, UNITS, BOLTS) == Decimal(expected)


@pytest.mark.parametrize(
    ("quantity", "source", "target"), [("1", "kg", "lb"), ("0.0001", "g", "kg"), ("1", "pcs", "box")]
)
def test_what_does_not_come_out_even_is_refused(quantity: str, source: str, target: str) -> None:
    with pytest.raises(Inexact) as refusal:
        convert(Decimal(quantity), source, target, UNITS, BOLTS if target == "box" else None)
    assert refusal.value.errors[0].field == "/quantity"


def test_pieces_are_whole() -> None:
    with pytest.raises(Inexact):
        convert(Decimal("0.1"), "box", "pcs", UNITS, BOLTS)


def test_no_way_leads_from_a_mass_to_a_length() -> None:
    with pytest.raises(Incompatible):
        convert(Decimal(1), "kg", "m", UNITS)
    with pytest.raises(Incompatible):
        convert(Decimal(1), "kg", "m", UNITS, BOLTS)


def test_unknown_units_are_named() -> None:
    with pytest.raises(Invalid) as refusal:
        convert(Decimal(1), "kg", "box", UNITS, places=Places(target="/to"))
    assert refusal.value.errors[0].field == "/to"


def test_a_quantity_is_no_finer_than_the_unit_it_is_given_in() -> None:
    grams = Packaging("g", {"pcs": Decimal(250)})
    assert convert(Decimal(2), "pcs", "g", UNITS, grams) == 500
    with pytest.raises(Inexact, match="no decimals"):
        convert(Decimal("0.5"), "pcs", "g", UNITS, grams)


def test_what_enters_is_below_the_largest_quantity() -> None:
    assert to_base_unit(Decimal("999999999999.999"), None, Packaging("kg"), UNITS) == Decimal("999999999999.999")
    with pytest.raises(Invalid) as refusal:
        to_base_unit(Decimal("999999999999"), "box", BOLTS, UNITS, "/lines/3")
    assert refusal.value.errors[0].field == "/lines/3/quantity"


quantities = st.integers(1, 10**18 - 1).map(lambda millionths: Decimal(millionths).scaleb(-6))
factors = st.integers(1, 10**18 - 1).map(lambda millionths: Decimal(millionths).scaleb(-6))
decimals = st.integers(0, 6)


@given(quantities, factors, factors, factors, decimals, decimals)
def test_there_and_back_again(
    quantity: Decimal, here: Decimal, there: Decimal, each: Decimal, coarse: int, fine: int
) -> None:
    """By dimension, by packaging and by both: what converts at all comes back as it was, and equals what fractions say."""
    units = {
        "a": Unit("a", "mass", here, coarse),
        "b": Unit("b", "mass", there, fine),
        "p": Unit("p", "count", Decimal(1), fine),
    }
    for item, source, target, ratio in (
        (None, "a", "b", Fraction(here) / Fraction(there)),
        (Packaging("p", {"x": each}), "x", "p", Fraction(each)),
        (Packaging("p", {"b": each}), "a", "p", Fraction(here) / Fraction(there) * Fraction(each)),
    ):
        try:
            found = convert(quantity, source, target, units, item)
        except Inexact:
            finest = 10 ** units[target].decimals
            whole = (Fraction(quantity) * ratio * finest).denominator == 1
            assert not whole or (source == "a" and (Fraction(quantity) * 10**coarse).denominator != 1)
        else:
            assert Fraction(found) == Fraction(quantity) * ratio
            assert convert(found, target, source, units, item) == quantity
