"""A value of a custom field is kept as it was declared, exactly, or refused by the name of its field."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from tailrace.core.errors import Invalid
from tailrace.core.values.custom_fields import CustomField, checked, fitting

FIELDS = [
    CustomField(key="colour", label="Colour", kind="choice", choices=["red", "blue"]),
    CustomField(key="weight", label="Weight", kind="number", decimals=2, minimum=Decimal(0), maximum=Decimal("99.5")),
    CustomField(key="drawing", label="Drawing", pattern="^[A-Z]{2}-[0-9]+$", max_length=10),
    CustomField(key="made_on", label="Made on", kind="day"),
    CustomField(key="fragile", label="Fragile", kind="yes_no"),
]


def test_values_are_kept_in_one_way_of_writing() -> None:
    given = {"colour": "blue", "weight": Decimal("12.50"), "drawing": "AB-1", "made_on": "2026-02-28", "fragile": False}
    kept = {"colour": "blue", "weight": "12.5", "drawing": "AB-1", "made_on": "2026-02-28", "fragile": False}
    assert checked(given, FIELDS) == kept
    assert checked({"weight": "12.50", "colour": None}, FIELDS) == {"weight": "12.5"}
    assert [checked({"weight": n}, FIELDS)["weight"] for n in (0, Decimal("0.00"), "99.50")] == ["0", "0", "99.5"]
    large = CustomField(key="n", label="N", kind="number")
    for n in ("999999999999.123456", "100000000000000000", "-999999999999999999", "0.000001"):
        assert checked({"n": n}, [large]) == {"n": n}
    assert checked({"n": Decimal("1E+17")}, [large]) == {"n": "100000000000000000"}
    assert checked({"n": Decimal("5.00000000000000000000")}, [large]) == {"n": "5"}


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("colour", "green", "red, blue"),
        ("colour", True, "red, blue"),
        ("weight", "12.505", "2 decimals"),
        ("weight", "-0.01", "at least 0"),
        ("weight", Decimal("99.51"), "at most 99.5"),
        ("weight", "1e3", "plain decimal"),
        ("weight", "１２", "plain decimal"),
        ("weight", True, "a number"),
        ("weight", "1" * 30, "18 digits"),
        ("weight", "1.000000000000000000000000000001", "18 digits"),
        ("weight", Decimal("12." + "0" * 40 + "1"), "18 digits"),
        ("weight", Decimal("12.001"), "2 decimals"),
        ("drawing", "ab-1", "matches"),
        ("drawing", "AB-12345678", "10 characters"),
        ("drawing", " ", "a text"),
        ("drawing", 7, "a text"),
        ("made_on", "2026-02-29", "day of the calendar"),
        ("made_on", "28.2.2026", "2026-01-31"),
        ("made_on", "１２３４-01-01", "2026-01-31"),
        ("fragile", "true", "true or false"),
        ("fragile", 1, "true or false"),
        ("size", "1", "no such field"),
    ],
)
def test_what_is_wrong_is_named(key: str, value: Any, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked({"fragile": True, key: value}, FIELDS)
    assert [each.field for each in refused.value.errors] == [f"/custom_fields/{key}"]
    assert said in refused.value.errors[0].detail


def test_what_is_required_is_missed_also_as_null_and_all_is_said_at_once() -> None:
    needed = [CustomField(key=key, label=key, required=True) for key in ("a", "b", "c")]
    with pytest.raises(Invalid) as refused:
        checked({"a": None, "b": "x", "d": "y"}, needed, at="/lines/0/custom_fields")
    assert [each.field for each in refused.value.errors] == [
        "/lines/0/custom_fields/d",
        "/lines/0/custom_fields/a",
        "/lines/0/custom_fields/c",
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": "Colour"},
        {"kind": "choice"},
        {"choices": ["a"]},
        {"kind": "choice", "choices": ["a", "a"]},
        {"kind": "number", "pattern": "^a$"},
        {"pattern": "("},
        {"pattern": "(?=a)b"},
        {"pattern": r"(a)\1"},
        {"minimum": Decimal(1)},
        {"kind": "number", "minimum": Decimal(2), "maximum": Decimal(1)},
        {"decimals": 7},
        {"max_length": 501},
        {"labels": {"de": "Farbe"}},
        {"colour": "red"},
    ],
)
def test_a_field_that_contradicts_itself_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CustomField.model_validate({"key": "colour", "label": "Colour", **wrong})


def test_no_pattern_takes_long() -> None:
    """`^(a+)+$` takes two to the power of the text's length where backtracking decides."""
    field = CustomField(key="a", label="A", pattern="^(a+)+$", max_length=500)
    with pytest.raises(Invalid):
        checked({"a": "a" * 499 + "b"}, [field])


def test_what_fits_is_taken_over_and_nothing_else_is_missed() -> None:
    needed = CustomField(key="needed", label="Needed", required=True)
    given = {"colour": "green", "weight": "12.50", "drawing": None, "fragile": True, "needed": " ", "size": "1"}
    assert fitting(given, [*FIELDS, needed]) == {"weight": "12.5", "fragile": True}
    assert fitting({}, [needed]) == {}
