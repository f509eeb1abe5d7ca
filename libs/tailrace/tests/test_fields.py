"""The fields that bodies and filters are made of keep one set of bounds, and say them in the schema."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from tailrace.core.values import fields

_LONG = 3000
_REFUSED: list[tuple[Any, Any]] = [
    *(
        (kind, "a\x00b")
        for kind in (fields.Text, fields.Name, fields.Code, fields.UnitCode, fields.Sentence, fields.Note)
    ),
    *(
        (kind, "x" * _LONG)
        for kind in (fields.Text, fields.Name, fields.Code, fields.UnitCode, fields.Sentence, fields.Note)
    ),
    *((kind, "") for kind in (fields.Text, fields.Name, fields.Code, fields.UnitCode, fields.Sentence)),
    (fields.Country, "de"),
    (fields.Country, "DEU"),
    (fields.Email, "ada"),
    (fields.Email, "a da@example.org"),
    (fields.Email, "ada\x00@example.org"),
    (fields.Email, f"{'a' * 250}@example.org"),
    (fields.Email, "=?utf-8?q?a=0d=0ab?=@example.org"),
    (fields.Email, "a,b@example.org"),
    (fields.Email, "a@[example.org"),
    (fields.Moment, "2026-01-31T00:00:00"),
    (fields.Moment, "1899-12-31T23:59:59Z"),
    (fields.Moment, "2200-01-01T00:00:00Z"),
    (fields.Day, "2026-01-31T00:00:00"),
    (fields.MomentOrDay, "2026-01-31T00:00:00"),
    (fields.MomentOrDay, "1699920000"),
    (fields.MomentOrDay, 1_699_920_000),
    (fields.MomentOrDay, "20260131"),
    (fields.MomentOrDay, "2026-01-31 00:00Z"),
    (fields.Day, "2200-01-01"),
    (fields.Amount, -1),
    (fields.Amount, 10**15 + 1),
]


@pytest.mark.parametrize(("kind", "value"), _REFUSED)
def test_what_is_out_of_bounds_is_refused(kind: Any, value: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        (fields.Text, "x" * 200, "x" * 200),
        (fields.Code, "x" * 64, "x" * 64),
        (fields.UnitCode, "x" * 16, "x" * 16),
        (fields.Sentence, "x" * 500, "x" * 500),
        (fields.Note, "", ""),
        (fields.Country, "DE", "DE"),
        (fields.Email, "Ada@Example.org", "ada@example.org"),
        (fields.Moment, "2026-01-31T09:00:00+09:00", datetime(2026, 1, 31, tzinfo=UTC)),
        (fields.MomentOrDay, "2026-01-31T09:00:00+09:00", datetime(2026, 1, 31, tzinfo=UTC)),
        (fields.MomentOrDay, "2026-01-31", date(2026, 1, 31)),
        (fields.Day, "2199-12-31", date(2199, 12, 31)),
        (fields.Amount, 10**15, 10**15),
    ],
)
def test_what_is_within_bounds_is_kept(kind: Any, value: Any, kept: Any) -> None:
    assert TypeAdapter(kind).validate_python(value) == kept


def test_a_moment_is_kept_in_utc() -> None:
    assert TypeAdapter(fields.Moment).validate_python("2026-01-31T09:00:00+09:00").tzinfo is UTC


@pytest.mark.parametrize(
    ("kind", "bound", "value"),
    [
        (fields.Text, "maxLength", 200),
        (fields.Code, "maxLength", 64),
        (fields.Sentence, "minLength", 1),
        (fields.Note, "maxLength", 2000),
        (fields.Country, "pattern", "^[A-Z]{2}$"),
        (fields.Amount, "maximum", 10**15),
    ],
)
def test_the_schema_says_the_bound(kind: Any, bound: str, value: Any) -> None:
    assert TypeAdapter(kind).json_schema()[bound] == value
