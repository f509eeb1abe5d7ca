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

from tailrace.core.values.days import ALWAYS, Calendar, Since
from tailrace.http.files import xlsx
from tailrace.transfer import reading
from tailrace.transfer.columns import value_of

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


def test_what_is_beside_a_list_has_a_sheet_of_its_own_behind_all_of_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MOST_ROWS", 2)
    book = xlsx.Workbook("list", ["value"])
    file = book.add([[1], [2]]) + book.end("as/of", [["At", _MOMENT], ["=1"]])
    assert CalamineWorkbook.from_filelike(io.BytesIO(file)).sheet_names == ["list", "list 2", "as-of"]
    assert [_read(file, 0), _read(file, 1)] == [[["value"], [1.0]], [["value"], [2.0]]]
    assert _read(file, 2) == [["At", _MOMENT.replace(tzinfo=None)], ["'=1", ""]]
    # An import of it reads the list.
    assert list(reading.rows_of(io.BytesIO(file), None)) == [["value"], ["1"]]


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


_DAY = date(2026, 1, 31)
_MIDNIGHT = datetime(2026, 1, 31, tzinfo=UTC)
_IN_TOKYO = timezone(timedelta(hours=9))


@pytest.mark.parametrize("block", [50, 1024 * 1024])
def test_what_is_exported_is_imported_as_what_it_was(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    """A moment at midnight is the same number as its day; the cell's format tells which is meant, wherever blocks of the file end."""
    monkeypatch.setattr(reading, "_BLOCK", block)
    rows: list[tuple[Any, Any, Any, str]] = [
        (_DAY, _MIDNIGHT, 1, "2026-01-31T00:00:00Z"),
        (None, None, None, ""),
        (_DAY, datetime(2026, 1, 31, 9, tzinfo=_IN_TOKYO), 2, "2026-01-31T00:00:00Z"),
        (_DAY, datetime(2026, 1, 31, tzinfo=_IN_TOKYO), 3, "2026-01-30T15:00:00Z"),
        (_DAY, _MOMENT, 46053, "2026-01-31T23:30:15.250000Z"),
        (date(1900, 2, 28), datetime(1900, 2, 28, tzinfo=UTC), 4, "1900-02-28T00:00:00Z"),
        (_DAY, _MIDNIGHT, None, "2026-01-31T00:00:00Z"),
    ]
    book = xlsx.Workbook("list", ["day", "moment", "number"])
    file = book.add([row[:3] for row in rows]) + book.end()
    heading, *read = reading.rows_of(io.BytesIO(file), None)
    assert heading == ["day", "moment", "number"]
    shown = [[day.isoformat() if day else "", moment, str(number or "")] for day, _, number, moment in rows]
    assert [[day, moment.replace("+00:00", "Z"), number] for day, moment, number in read] == shown
    # Whatever the company's days are, of which a plain day would be one.
    tokyo = Calendar([Since(ALWAYS, "Asia/Tokyo")])
    for (_, moment, *_), (_, text, _) in zip(rows, read, strict=True):
        if moment is not None:
            assert datetime.fromisoformat(value_of(text, "moment", tokyo)) == moment


def _sheet(rows: str, styles: str) -> bytes:
    """A file that another program wrote: with these rows, and these formats of its own."""
    book = xlsx.Workbook("list", [])
    out = io.BytesIO()
    with ZipFile(io.BytesIO(book.end())) as written, ZipFile(out, "w") as file:
        for part in written.namelist():
            text = written.read(part).decode()
            if part == "xl/worksheets/sheet1.xml":
                main = text.partition('xmlns="')[2].partition('"')[0]
                text = f'<x:worksheet xmlns:x="{main}"><x:sheetData>{rows}</x:sheetData></x:worksheet>'
            if part == "xl/styles.xml":
                main = text.partition('xmlns="')[2].partition('"')[0]
                text = f'<styleSheet xmlns="{main}">{styles}</styleSheet>'
            file.writestr(part, text)
    return out.getvalue()


@pytest.mark.parametrize(
    ("format", "shown"),
    [
        # Plain days as pandas and openpyxl write them, and as people format them.
        ('numFmtId="170" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"', "2026-01-31"),
        ('numFmtId="170" formatCode="YYYY\\-MM\\-DD HH:MM:SS"', "2026-01-31"),
        ('numFmtId="14"', "2026-01-31"),
        ('numFmtId="22"', "2026-01-31"),
        ('numFmtId="170" formatCode="[$-409]m/d/yy\\ h:mm\\ AM/PM;@"', "2026-01-31"),
        # Moments as an export writes them, and as other programs save them again.
        ('numFmtId="170" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss&quot;Z&quot;"', "2026-01-31T00:00:00Z"),
        ('numFmtId="170" formatCode="YYYY\\-MM\\-DD\\ HH:MM:SS\\Z"', "2026-01-31T00:00:00Z"),
    ],
)
def test_a_whole_day_is_a_moment_where_its_cell_is_formatted_as_an_export_does(format: str, shown: str) -> None:
    own = f'<numFmts count="1"><numFmt {format}/></numFmts>' if "formatCode" in format else ""
    number = format.partition(" ")[0]
    styles = f'{own}<cellXfs count="2"><xf numFmtId="0"/><xf {number}/></cellXfs>'
    cells = '<x:c r="C3" s="1"><x:v>46053</x:v></x:c><x:c s="1"><x:v>46053</x:v></x:c><x:c r="F3" s="1"><x:v>46053.5</x:v></x:c>'
    rows = f'<x:row r="3">{cells}</x:row><x:row><x:c r="C4"><x:v>7</x:v></x:c></x:row>'
    *_, read, last = reading.rows_of(io.BytesIO(_sheet(rows, styles)), None)
    assert read == [shown, shown, "", "2026-01-31T12:00:00Z"]
    assert last[0] == "7"
