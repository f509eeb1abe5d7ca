"""Lists as XLSX: values of their own kinds, no formula, all sheets, written while it is sent."""

import io
import json
import tracemalloc
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zipfile import ZipFile

import pytest
from python_calamine import CalamineWorkbook

from tailrace.http import xlsx

_MOMENT = datetime(2026, 1, 31, 23, 30, 15, 250000, tzinfo=UTC)


def _written(*values: Any, name: str = "list") -> bytes:
    book = xlsx.Workbook(name, ["value"])
    return book.add([[value] for value in values]) + book.end()


def _read(file: bytes, sheet: int = 0) -> list[list[Any]]:
    rows: list[list[Any]] = CalamineWorkbook.from_filelike(io.BytesIO(file)).get_sheet_by_index(sheet).to_python()
    return rows


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (-5, -5.0),
        (10**15 - 1, float(10**15 - 1)),
        (10**15, "1000000000000000"),
        (Decimal("12.50"), 12.5),
        (Decimal("123456789.123456"), 123456789.123456),
        (Decimal("12345678901.123456"), "12345678901.123456"),
        (Decimal("1E+3"), 1000.0),
        (True, True),
        (date(2026, 1, 31), date(2026, 1, 31)),
        (date(1900, 2, 28), "1900-02-28"),
        (_MOMENT, _MOMENT.replace(tzinfo=None)),
        (_MOMENT.astimezone(timezone(timedelta(hours=9))), _MOMENT.replace(tzinfo=None)),
        ('多田 <&> "x"', '多田 <&> "x"'),
        ("  spaces ", "  spaces "),
        ("a\nb", "a\nb"),
        ("_x0041_", "_x0041_"),
        ("a\x07b", "a\x07b"),
        ({"a": [1]}, '{"a": [1]}'),
        ("=cmd|'/c calc'!A1", "'=cmd|'/c calc'!A1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@x", "'@x"),
        ("＝x", "'＝x"),
        ("'=x", "''=x"),
        ("y" * 40_000, "y" * 32_766 + "…"),
    ],
)
def test_a_value_is_a_cell_of_its_kind_and_no_formula(value: Any, shown: Any) -> None:
    file = _written(value)
    heading, row = _read(file)
    assert (heading, row) == (["value"], [shown])
    assert type(row[0]) is type(shown)
    assert b"<f>" not in ZipFile(io.BytesIO(file)).read("xl/worksheets/sheet1.xml")


def test_nothing_is_an_empty_cell() -> None:
    assert _read(_written(None, "", 1)) == [["value"], [""], [""], [1.0]]


def test_a_full_sheet_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MOST_ROWS", 3)
    file = _written(*range(5), name="a/very:long*name?of[a]list\\indeed")
    book = CalamineWorkbook.from_filelike(io.BytesIO(file))
    assert book.sheet_names == [
        "a-very-long-name-of-a-list-i",
        "a-very-long-name-of-a-list-i 2",
        "a-very-long-name-of-a-list-i 3",
    ]
    assert max(map(len, book.sheet_names)) <= 31
    assert [_read(file, sheet) for sheet in range(3)] == [
        [["value"], [0.0], [1.0]],
        [["value"], [2.0], [3.0]],
        [["value"], [4.0]],
    ]


def test_what_was_written_is_sent_and_not_kept() -> None:
    """Whatever there is of it: a megabyte for a hundred thousand rows."""
    book = xlsx.Workbook("list", ["a", "b"])
    page = [[number, json.dumps({"n": number})] for number in range(500)]
    tracemalloc.start()
    sizes = [len(book.add(page)) for _ in range(200)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(sizes) + len(book.end()) > 500_000 and peak < 1_000_000
    assert sum(size > 0 for size in sizes) > 10
