"""Rows out of a file that anybody may have sent, in a process that has little memory and little time: `python -m tailrace.transfer.reading`.

The file comes in on standard input; each row goes out as a line of JSON, a list of texts, and a last line says what was wrong, or that nothing was.
It imports nothing of the kit: what breaks or is killed here is this process and nothing else.
"""

import csv
import json
import re
import resource
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from io import TextIOWrapper
from typing import IO, Any
from xml.etree.ElementTree import Element, ParseError, fromstring
from xml.parsers import expat

MEMORY, SECONDS = 768 * 1024 * 1024, 60
"""Bytes of address space and seconds of CPU that this process may use."""
MOST_ROWS, MOST_COLUMNS, LONGEST_CELL = 250_000, 500, 20_000
LONGEST_LINE = 1_000_000
"""Characters of a record."""
LARGEST_SHEET = 256 * 1024 * 1024
"""Bytes of an XLSX file when it is unpacked, all parts together; a sheet of 100,000 customers has about 60 MB."""
ENCODINGS = ("utf-8", "cp932", "cp1252")
_DELIMITERS = ",;\t|"
_DIGITS, _MOST_DECIMALS = 15, 6
"""Digits that every number keeps as a double (IEEE 754), and decimals that a quantity may have."""
_CELL = re.compile(rb"""\br\s{0,9}=\s{0,9}["']([A-Za-z]{1,8})([0-9]{1,12})["']""")
_DECLARED = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_MOMENT = "yyyy-mm-dd hh:mm:ssz"
"""The format by which an export shows moments (`http/files/xlsx.py`), without quotes and escapes, of which each program that saves it has its own."""
_BLOCK = 1024 * 1024
_OVERLAP = 64


class Unreadable(Exception):
    """What is wrong with the file, for people to read."""


def rows_of(file: IO[bytes], encoding: str | None) -> Iterator[list[str]]:
    """The rows of a CSV or XLSX file, empty ones included. Raises Unreadable."""
    head = file.read(8)
    file.seek(0)
    if head.startswith(b"PK\x03\x04"):
        yield from _checked(_sheet(file))
    elif head.startswith((b"\xd0\xcf\x11\xe0", b"%PDF", b"\x1f\x8b", b"\x89PNG", b"\xff\xd8\xff")):
        raise Unreadable("This is neither CSV nor XLSX.")
    else:
        yield from _checked(_csv(file, encoding))


def _checked(rows: Iterable[list[str]]) -> Iterator[list[str]]:
    for number, row in enumerate(rows, 1):
        if number > MOST_ROWS + 1:
            raise Unreadable(f"There are more than {MOST_ROWS} rows; send several files.")
        if len(row) > MOST_COLUMNS:
            raise Unreadable(f"Row {number} has {len(row)} columns; at most {MOST_COLUMNS} are read.")
        for column, cell in enumerate(row, 1):
            if len(cell) > LONGEST_CELL:
                raise Unreadable(f"Row {number}, column {column}: longer than {LONGEST_CELL} characters.")
            if "\x00" in cell:
                raise Unreadable(f"Row {number}, column {column} holds a NUL: this is no text.")
        yield row


def _csv(file: IO[bytes], encoding: str | None) -> Iterator[list[str]]:
    csv.field_size_limit(LONGEST_LINE)
    with TextIOWrapper(file, encoding=_encoding_of(file, encoding), newline="") as text:
        delimiter = _delimiter(text.readline(LONGEST_LINE))
        text.seek(0)
        reader = csv.reader(_lines(text), delimiter=delimiter, strict=True)
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise Unreadable(f"Line {reader.line_num} is no CSV: {error}.") from None
            yield row


def _lines(text: Iterable[str]) -> Iterator[str]:
    """Lines of bounded length. `csv` reads a field over any number of them, up to its own limit."""
    readline = text.readline  # type: ignore[attr-defined]
    number = 0
    while line := readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise Unreadable(f"Line {number} is longer than {LONGEST_LINE} characters.")
        yield line


def _encoding_of(file: IO[bytes], asked: str | None) -> str:
    """By the byte order mark; else as asked for; else UTF-8, when all of it is. Raises Unreadable."""
    head = file.read(4)
    if head.startswith(b"\xef\xbb\xbf"):
        found = "utf-8-sig"
    elif head.startswith((b"\xff\xfe", b"\xfe\xff")):
        found = "utf-16"
    else:
        found = asked or "utf-8"
    file.seek(0)
    wrong = _first_undecodable(file, found)
    file.seek(0)
    if wrong is None:
        return found
    if asked is None and found == "utf-8":
        raise Unreadable(
            f"This is not UTF-8 (line {wrong}): say encoding=cp932 for Japanese, or encoding=cp1252 for Western files."
        )
    raise Unreadable(f"Line {wrong} is not {found.removesuffix('-sig')}.")


def _first_undecodable(file: IO[bytes], encoding: str) -> int | None:
    """Decoded in blocks, whose ends a decoder keeps for the next one; the line, roughly, in which it fails."""
    import codecs

    decoder = codecs.getincrementaldecoder(encoding)()
    lines = 1
    while True:
        block = file.read(_BLOCK)
        try:
            lines += decoder.decode(block, final=not block).count("\n")
        except UnicodeDecodeError as error:
            return lines + bytes(error.object[: error.start]).count(b"\n")
        if not block:
            return None


def _delimiter(header: str) -> str:
    """The one that stands most often in the header, outside of quotes; a comma in a file of one column."""
    bare = re.sub(r'"[^"]*"', "", header)
    return max(_DELIMITERS, key=bare.count)


def _sheet(file: IO[bytes]) -> Iterator[list[str]]:
    from python_calamine import CalamineWorkbook

    _guard(file)
    file.seek(0)
    try:
        book = CalamineWorkbook.from_filelike(file)
        names = [sheet.name for sheet in book.sheets_metadata if "Visible" in str(sheet.visible)] or book.sheet_names
        sheet = book.get_sheet_by_name(names[0])
    except Unreadable:
        raise
    except Exception as error:
        raise Unreadable(f"This is no XLSX file that can be read: {str(error)[:100]}.") from None
    first = 1 + (sheet.start[1] if sheet.start is not None else 0)
    with zipfile.ZipFile(file) as parts:
        moments = _Moments(parts, book.sheet_names.index(names[0]))
        for number, row in enumerate(sheet.iter_rows(), 1):
            for column, cell in enumerate(row, 1):
                if isinstance(cell, float) and _lost_digits(cell):
                    raise Unreadable(
                        f"Row {number}, column {column}: the number has more digits than the {_DIGITS} that a spreadsheet keeps; "
                        "format the cell as text."
                    )
            exported = moments.of(number)
            yield [_text(cell, column in exported) for column, cell in enumerate(row, first)]


def _lost_digits(cell: float) -> bool:
    """Whether the number in the file may have been another one: it takes more digits than all of which a double tells apart.

    With more decimals than any field takes it is no such number, but one that a formula came to; its field refuses it.
    """
    if cell.is_integer():
        return abs(cell) >= 2**53
    _, digits, exponent = Decimal(repr(cell)).as_tuple()
    return len(digits) > _DIGITS and isinstance(exponent, int) and exponent >= -_MOST_DECIMALS


def _guard(file: IO[bytes]) -> None:
    """What a spreadsheet reader would choke on, found before it sees the file. Raises Unreadable."""
    try:
        with zipfile.ZipFile(file) as book:
            parts = book.infolist()
            if not any(part.filename == "xl/workbook.xml" for part in parts):
                raise Unreadable("This is an archive, and no XLSX file.")
            if len(parts) > 1000 or any(part.flag_bits & 1 for part in parts):
                raise Unreadable("This XLSX file is encrypted, or has too many parts.")
            left = LARGEST_SHEET
            for part in parts:
                left -= _guard_part(book, part, left)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, ValueError) as error:
        # zipfile says NotImplementedError of a way to compress that it does not know.
        raise Unreadable(f"This is no XLSX file that can be read: {str(error)[:100]}.") from None


def _guard_part(book: zipfile.ZipFile, part: zipfile.ZipInfo, left: int) -> int:
    """Unpacked once, and counted: what a header says of its size is whatever its sender wrote."""
    is_xml = part.filename.endswith((".xml", ".rels"))
    is_sheet = part.filename.startswith("xl/worksheets/")
    size, tail = 0, b""
    with book.open(part) as unpacked:
        while block := unpacked.read(_BLOCK):
            size += len(block)
            if size > left:
                raise Unreadable(f"Unpacked, this file is larger than {LARGEST_SHEET // 1024 // 1024} MB.")
            seen = tail + block
            if is_xml and (_DECLARED.search(seen) or b"\x00" in block[:100]):
                raise Unreadable("This XLSX file declares a document type or entities, which no program of ours reads.")
            if is_sheet:
                for column, row in _CELL.findall(seen):
                    if _column(column.upper()) > MOST_COLUMNS or int(row) > MOST_ROWS + 1:
                        where = (column + row).decode()
                        raise Unreadable(f"There is a cell {where}; at most {MOST_COLUMNS} columns are read.")
            tail = seen[-_OVERLAP:]
    return size


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


class _Moments:
    """Which cells of a sheet are moments: those whose format is that of an export's. In the file a moment at midnight is the same number as its day,
    and the reader of the sheet tells nothing of formats. Programs show hours of plain days, too. A sheet without this format is not read again."""

    def __init__(self, book: zipfile.ZipFile, sheet: int) -> None:
        self._rows: Iterator[tuple[int, set[int]]] = iter(())
        self._row: tuple[int, set[int]] = (0, set())
        part = _part_of(book, sheet)
        styles = _moment_styles(book)
        if part is not None and styles and _has_any(book, part, styles):
            self._rows = _cells_of(book, part, styles)

    def of(self, row: int) -> set[int]:
        """The columns of a row that are moments, counted from 1. Rows are asked for in their order."""
        while self._row[0] < row:
            self._row = next(self._rows, (MOST_ROWS + 2, set()))
        return self._row[1] if self._row[0] == row else set()


def _part_of(book: zipfile.ZipFile, sheet: int) -> str | None:
    """Where a sheet stands in the archive; None where the file does not say it as it should."""
    try:
        sheets = [each for each in _parsed(book, "xl/workbook.xml").iter() if each.tag.endswith("}sheet")]
        asked = next(value for name, value in sheets[sheet].attrib.items() if name.endswith("}id"))
        related = _parsed(book, "xl/_rels/workbook.xml.rels").iter()
        target = next(each.attrib["Target"] for each in related if each.attrib.get("Id") == asked)
    except (KeyError, IndexError, StopIteration):
        return None
    name = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    return name if name in book.namelist() else None


def _moment_styles(book: zipfile.ZipFile) -> set[str]:
    """The numbers of the styles by which a cell shows a moment as an export does."""
    if "xl/styles.xml" not in book.namelist():
        return set()
    root = _parsed(book, "xl/styles.xml")
    formats = [each.attrib for each in root.iter() if each.tag.endswith("}numFmt")]
    ours = {
        each.get("numFmtId", "")
        for each in formats
        if re.sub(r'[\\"]', "", each.get("formatCode", "")).lower() == _MOMENT
    }
    styles = next((each for each in root if each.tag.endswith("}cellXfs")), ())
    return {str(number) for number, style in enumerate(styles) if style.attrib.get("numFmtId") in ours}


def _has_any(book: zipfile.ZipFile, part: str, styles: set[str]) -> bool:
    used = re.compile(rb"""\bs\s{0,9}=\s{0,9}["'](?:%s)["']""" % "|".join(sorted(styles)).encode())
    tail = b""
    with book.open(part) as unpacked:
        while block := unpacked.read(_BLOCK):
            if used.search(tail + block):
                return True
            tail = (tail + block)[-_OVERLAP:]
    return False


def _cells_of(book: zipfile.ZipFile, part: str, styles: set[str]) -> Iterator[tuple[int, set[int]]]:
    """Rows that have cells of these styles, and the columns of those. Raises Unreadable."""
    row = column = 0
    found: list[tuple[int, set[int]]] = []

    def begin(name: str, said: dict[str, str]) -> None:
        nonlocal row, column
        kind = name.rpartition(":")[2]
        if kind == "row":
            row, column = int(said.get("r", row + 1)), 0
        elif kind == "c":
            column = _column(said["r"].rstrip("0123456789").upper().encode()) if "r" in said else column + 1
            if said.get("s") in styles:
                if not found or found[-1][0] != row:
                    found.append((row, set()))
                found[-1][1].add(column)

    parser = expat.ParserCreate()
    parser.StartElementHandler = begin
    try:
        with book.open(part) as unpacked:
            while block := unpacked.read(_BLOCK):
                parser.Parse(block)
                # The last one may go on in the next block.
                yield from found[:-1]
                del found[:-1]
    except (expat.ExpatError, ValueError) as error:
        raise Unreadable(f"This is no XLSX file that can be read: {str(error)[:100]}.") from None
    yield from found


def _parsed(book: zipfile.ZipFile, part: str) -> Element:
    """Raises Unreadable. `_guard` has seen to it that no part declares entities."""
    try:
        return fromstring(book.read(part))
    except ParseError as error:
        raise Unreadable(f"This is no XLSX file that can be read: {str(error)[:100]}.") from None


def _text(cell: Any, is_moment: bool) -> str:
    """As it would stand in a CSV file."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**63 else format(Decimal(repr(cell)), "f")
    if isinstance(cell, datetime) and (is_moment or cell.time() != time()):
        return f"{cell.isoformat()}Z"
    if isinstance(cell, date) and is_moment:
        return f"{cell.isoformat()}T00:00:00Z"
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell)


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    encoding = sys.argv[1] if len(sys.argv) > 1 else None
    out = sys.stdout
    with tempfile.TemporaryFile() as file:
        while block := sys.stdin.buffer.read(_BLOCK):
            file.write(block)
        file.seek(0)
        try:
            for row in rows_of(file, encoding):
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
            out.write("{}\n")
        except Unreadable as error:
            out.write(json.dumps({"wrong": str(error)}) + "\n")
        except (MemoryError, RecursionError):
            out.write(json.dumps({"wrong": "The file needs too much memory to be read."}) + "\n")
        except UnicodeError:
            out.write(json.dumps({"wrong": "The file holds what is no text."}) + "\n")


if __name__ == "__main__":
    main()
