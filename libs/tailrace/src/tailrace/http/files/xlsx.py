"""An XLSX file (ECMA-376) that is written while it is sent: rows go in, bytes come out, and nothing is kept of either.

Numbers, days, moments and truth are cells of their own kind. Moments are in UTC and show it by a `Z`, by which an import knows one at midnight.
A number of more than 15 digits is a text, since a spreadsheet would round it, and so is a day before March 1900, which it counts wrongly. Texts
stand in the cells themselves, and are `neutral` as in CSV: no cell holds a formula, and none becomes one when somebody edits it. Sheets that are
full are followed by others, and the last may say what is beside the list (`end`).

Libraries write the whole file before the first byte can leave (openpyxl, XlsxWriter, rust_xlsxwriter), and the edge waits two seconds for that.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

from tailrace.http.files.csv_text import neutral, simple

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 1_048_576
"""Of one sheet, its headings among them: what spreadsheets hold."""
LONGEST_TEXT = 32_767
"""Characters of a cell; what is longer is cut, and ends in an ellipsis."""
_DIGITS = 15
_FIRST_INEXACT = 1_000_000_000_000_000
_SPEED = 1
"""Of compression: three quarters of the best in a third of the time."""
_DAYS_BEGIN, _FIRST_DAY = date(1899, 12, 30), date(1900, 3, 1)
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_DAY, _MOMENT, _BOLD = 1, 2, 3
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PARTS = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_STYLES = (
    f'{_XML}<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss&quot;Z&quot;"/></numFmts>'
    '<fonts count="2"><font/><font><b/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    "<borders><border/></borders><cellStyleXfs><xf/></cellStyleXfs><cellXfs><xf/>"
    '<xf numFmtId="164" applyNumberFormat="1"/><xf numFmtId="165" applyNumberFormat="1"/><xf fontId="1" applyFont="1"/></cellXfs></styleSheet>'
)


class _Pipe:
    """What was written and not taken yet; a ZIP file needs no more of what it is written to."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def write(self, block: bytes) -> int:
        self._blocks.append(bytes(block))
        return len(block)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is held open."""

    def taken(self) -> bytes:
        blocks, self._blocks = self._blocks, []
        return b"".join(blocks)


class Workbook:
    """One list, under these headings. Each method returns the bytes that are ready by then."""

    def __init__(self, name: str, headings: Sequence[str]) -> None:
        """`name` is that of the sheet, which holds at most 31 characters and none of `[]:*?/\\`."""
        self._name = _sheet_name(name) or "list"
        self._headings = headings
        self._pipe = _Pipe()
        self._zip = ZipFile(self._pipe, "w", ZIP_DEFLATED, compresslevel=_SPEED)
        self._titles: list[str] = []
        self._begin_sheet(self._name)
        self._write(self._headings, _BOLD)

    def add(self, rows: Iterable[Sequence[Any]]) -> bytes:
        """Rows of values, as many as there are headings."""
        for row in rows:
            if self._row == MOST_ROWS:
                self._end_sheet()
                self._begin_sheet(f"{self._name} {len(self._titles) + 1}")
                self._write(self._headings, _BOLD)
            self._write(row, 0)
        return self._pipe.taken()

    def end(self, sheet: str = "", rows: Iterable[Sequence[Any]] = ()) -> bytes:
        """The file is whole. `sheet` names one more, with what is to be said beside the list in these rows; imports read the first alone."""
        self._end_sheet()
        if sheet:
            self._begin_sheet(_sheet_name(sheet))
            for row in rows:
                self._write(row, 0)
            self._end_sheet()
        sheets = range(1, len(self._titles) + 1)
        self._part(
            "xl/workbook.xml",
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
            + "".join(f'<sheet name="{_attribute(self._titles[n - 1])}" sheetId="{n}" r:id="rId{n}"/>' for n in sheets)
            + "</sheets></workbook>",
        )
        self._part("xl/styles.xml", _STYLES.removeprefix(_XML))
        related = "".join(
            f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in sheets
        )
        styles = f'<Relationship Id="rId{len(self._titles) + 1}" Type="{_OFFICE}/styles" Target="styles.xml"/>'
        self._part(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{_PARTS}/relationships">{related}{styles}</Relationships>',
        )
        self._part(
            "_rels/.rels",
            f'<Relationships xmlns="{_PARTS}/relationships">'
            f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        kinds = "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_KIND}.worksheet+xml"/>' for n in sheets
        )
        self._part(
            "[Content_Types].xml",
            f'<Types xmlns="{_PARTS}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{_KIND}.styles+xml"/>{kinds}</Types>',
        )
        self._zip.close()
        return self._pipe.taken()

    def _part(self, name: str, text: str) -> None:
        self._zip.writestr(name, (_XML + text).encode())

    def _begin_sheet(self, title: str) -> None:
        self._titles.append(title)
        self._row = 0
        self._sheet = self._zip.open(f"xl/worksheets/sheet{len(self._titles)}.xml", "w", force_zip64=True)
        pane = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        # A moment that is wider than its column is shown as a row of `#`.
        width = '<sheetFormatPr defaultColWidth="22" defaultRowHeight="15"/>'
        self._sheet.write(
            f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">{pane}</sheetView></sheetViews>{width}<sheetData>'.encode()
        )

    def _end_sheet(self) -> None:
        self._sheet.write(b"</sheetData></worksheet>")
        self._sheet.close()

    def _write(self, row: Sequence[Any], style: int) -> None:
        self._row += 1
        cells = "".join([_cell(value, style) for value in row])
        self._sheet.write(f"<row>{cells}</row>".encode("utf-8", "replace"))


def _sheet_name(name: str) -> str:
    """What a sheet may be called, with room for a number."""
    return re.sub(r"[\[\]:*?/\\']", "-", name)[:28]


def _attribute(text: str) -> str:
    return escape(text, {'"': "&quot;"})


def _cell(value: Any, style: int) -> str:
    styled = f' s="{style}"' if style else ""
    if value is None or value == "":
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{value:d}</v></c>'
    if isinstance(value, int | Decimal) and _is_exact(value):
        return f"<c><v>{value:f}</v></c>" if isinstance(value, Decimal) else f"<c><v>{value}</v></c>"
    if isinstance(value, float):
        return f"<c><v>{value!r}</v></c>"
    if isinstance(value, datetime) and value.date() >= _FIRST_DAY:
        return f'<c s="{_MOMENT}"><v>{_moment(value)}</v></c>'
    if isinstance(value, date) and not isinstance(value, datetime) and value >= _FIRST_DAY:
        return f'<c s="{_DAY}"><v>{(value - _DAYS_BEGIN).days}</v></c>'
    kept = simple(value)
    text = neutral(kept) if isinstance(kept, str) else format(kept, "f") if isinstance(kept, Decimal) else str(kept)
    if len(text) > LONGEST_TEXT:
        text = f"{text[: LONGEST_TEXT - 1]}…"
    return f'<c t="inlineStr"{styled}><is><t xml:space="preserve">{_xml(text)}</t></is></c>'


def _is_exact(number: int | Decimal) -> bool:
    """Whether a spreadsheet, which counts in binary floating point, shows all of its digits."""
    if isinstance(number, int):
        return abs(number) < _FIRST_INEXACT
    if not number.is_finite() or abs(number.adjusted()) >= 20:
        return False
    return len(number.normalize().as_tuple().digits) <= _DIGITS


def _moment(value: datetime) -> str:
    """In days since the beginning of their count, to the millisecond; in UTC, since a spreadsheet knows no zones."""
    there = value.astimezone(UTC).replace(tzinfo=None)
    since = there - datetime.combine(_DAYS_BEGIN, datetime.min.time())
    return f"{since.days + since.seconds / 86400 + since.microseconds / 86_400_000_000:.9f}"


def _xml(text: str) -> str:
    """Characters that XML does not have, as the format writes them: `_x0007_`."""
    return escape(_NO_XML.sub(lambda found: f"_x{ord(found[0]):04X}_", text))
