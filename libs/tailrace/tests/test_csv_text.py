"""What is exported is not calculated, and comes back as it was, whatever it is."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tailrace.http.files import csv_text

_BEGIN = {*"=+-@＝＋－＠"}
_UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no fault of what is tried."""
_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


_LIKELY = st.text(st.sampled_from("a1 '\"=+-@＝;|,\t\r\n"), max_size=12)
_NEUTRAL = (csv_text.neutral, csv_text.neutral_in_line)


@_UNTIMED
@given(_TEXT | _LIKELY)
@example("=1+1")
@example("'=1+1")
@example("''=")
@example("'quoted")
@example("  =1")
@example("＝1")
@example("a;'=1")
@example("\n'=1")
def test_a_text_comes_back_as_it_was_and_begins_with_nothing_that_is_calculated(text: str) -> None:
    for neutral in _NEUTRAL:
        marked = neutral(text)
        assert csv_text.plain(marked) == text
        assert marked.lstrip()[:1] not in _BEGIN


def _parted(line: str, separator: str) -> list[str]:
    """The cells of all records that a reader makes of a line that parts them at `separator`: quotation marks count where they stand first, and
    whatever follows the closing one belongs to the cell."""
    cells, cell, quoted, at = [], "", False, 0
    while at < len(line):
        char = line[at]
        if quoted:
            if char != '"':
                cell += char
            elif line[at + 1 : at + 2] == '"':
                cell, at = cell + '"', at + 1
            else:
                quoted = False
        elif char == '"' and not cell:
            quoted = True
        elif char in {separator, "\r", "\n"}:
            cells.append(cell)
            cell = ""
        else:
            cell += char
        at += 1
    return [*cells, cell]


@_UNTIMED
@given(st.lists(_TEXT | _LIKELY, min_size=1), st.sampled_from(",;\t|"))
@example(["x", "a;=1+1"], ";")
@example(["x", 'a;"=1+1"'], ";")
@example(["x", "a; =1+1"], ";")
@example(["x", "a\n=1+1,b"], ";")
@example(["x", "a\t@b"], "\t")
def test_no_reader_finds_a_formula_however_it_parts_a_line(cells: list[str], separator: str) -> None:
    found = _parted(csv_text.line(cells), separator)
    assert not [cell for cell in found if cell.lstrip(" ")[:1] in _BEGIN]


def test_in_a_sheet_a_text_is_marked_at_its_beginning_alone() -> None:
    assert csv_text.neutral("Needs:\n- salt; -5 °C") == "Needs:\n- salt; -5 °C"


@_UNTIMED
@given(st.lists(_TEXT | _LIKELY, min_size=1))
def test_a_record_reads_back(cells: list[str]) -> None:
    (row,) = csv.reader(io.StringIO(csv_text.line(cells), newline=""))
    assert [csv_text.plain(cell) for cell in row] == cells


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-5, "-5"),
        (Decimal("-1.50"), "-1.5"),
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
