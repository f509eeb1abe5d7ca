"""Conversion is exact or refused; no database is needed to show it."""

from decimal import Decimal

import pytest

from catalog.conversion import Measure, Packaging, convert
from catalog.refusals import Incompatible, Inexact
from tailrace.core.errors import Invalid

MEASURES = {
    measure.code: measure
    for measure in (
        Measure("kg", "mass", Decimal(1), 6),
        Measure("g", "mass", Decimal("0.001"), 3),
        Measure("lb", "mass", Decimal("0.453592"), 6),
        Measure("m", "length", Decimal(1), 6),
        Measure("pcs", "count", Decimal(1), 0),
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
    assert convert(Decimal(quantity), source, target, MEASURES) == Decimal(expected)


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
    assert convert(Decimal(quantity), source, target, MEASURES, BOLTS) == Decimal(expected)


@pytest.mark.parametrize(
    ("quantity", "source", "target"), [("1", "kg", "lb"), ("0.0001", "g", "kg"), ("1", "pcs", "box")]
)
def test_what_does_not_come_out_even_is_refused(quantity: str, source: str, target: str) -> None:
    with pytest.raises(Inexact) as refusal:
        convert(Decimal(quantity), source, target, MEASURES, BOLTS if target == "box" else None)
    assert refusal.value.errors[0].field == "/quantity"


def test_pieces_are_whole() -> None:
    with pytest.raises(Inexact):
        convert(Decimal("0.1"), "box", "pcs", MEASURES, BOLTS)


def test_no_way_leads_from_a_mass_to_a_length() -> None:
    with pytest.raises(Incompatible):
        convert(Decimal(1), "kg", "m", MEASURES)
    with pytest.raises(Incompatible):
        convert(Decimal(1), "kg", "m", MEASURES, BOLTS)


def test_unknown_units_are_named() -> None:
    with pytest.raises(Invalid) as refusal:
        convert(Decimal(1), "kg", "box", MEASURES)
    assert refusal.value.errors[0].field == "/to"
