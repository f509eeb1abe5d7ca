"""What is exported is not calculated, and comes back as it was, whatever it is."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tailrace.http import csv_text

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


@given(_TEXT)
@example("=1+1")
@example("'=1+1")
@example("''=")
@example("'quoted")
@example("  =1")
@example("＝1")
def test_a_text_comes_back_as_it_was_and_begins_with_nothing_that_is_calculated(text: str) -> None:
    marked = csv_text.neutral(text)
    assert csv_text.plain(marked) == text
    assert marked.lstrip()[:1] not in {*"=+-@＝＋－＠"}


@given(st.lists(_TEXT, min_size=1))
def test_a_record_reads_back(cells: list[str]) -> None:
    (row,) = csv.reader(io.StringIO(csv_text.line(cells), newline=""))
    assert [csv_text.plain(cell) for cell in row] == cells


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-5, "-5"),
        (Decimal("-1.50"), "-1.50"),
        (Decimal("1E+3"), "1000"),
        ("-5", "'-5"),
        (True, "true"),
        (None, ""),
        (datetime(2026, 1, 31, 9, tzinfo=UTC), "2026-01-31T09:00:00Z"),
        (["a", {"b": 1}], '["a", {"b": 1}]'),
    ],
)
def test_numbers_are_left_as_they_are(value: object, text: str) -> None:
    assert csv_text.cell(value) == text
