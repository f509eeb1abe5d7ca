"""Files that anybody may send: rows come out, or one sentence that says what is wrong; a hostile one ends the process that reads it, and no other."""

import io
import json
import zipfile
from collections.abc import Iterable
from typing import Any

import pytest

from tailrace.transfer import child, reading
from tailrace.transfer.child import UnreadableFile

_TYPES = '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>'  # noqa: E501
_RELS = '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{what}" Target="{target}"/></Relationships>'  # noqa: E501
_BOOK = '<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="One" sheetId="1" r:id="rId1"/></sheets></workbook>'  # noqa: E501
_SHEET = '<?xml version="1.0"?>{before}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>'


def xlsx(rows: str, before: str = "", **more: bytes) -> bytes:
    """A workbook whose one sheet has these rows, written out."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("[Content_Types].xml", _TYPES)
        book.writestr("_rels/.rels", _RELS.format(what="officeDocument", target="xl/workbook.xml"))
        book.writestr("xl/workbook.xml", _BOOK)
        book.writestr("xl/_rels/workbook.xml.rels", _RELS.format(what="worksheet", target="worksheets/sheet1.xml"))
        book.writestr("xl/worksheets/sheet1.xml", _SHEET.format(before=before, rows=rows))
        for name, content in more.items():
            book.writestr(f"xl/{name}.bin", content)
    return out.getvalue()


def cell(at: str, text: str) -> str:
    return f'<c r="{at}" t="inlineStr"><is><t>{text}</t></is></c>'


async def read(content: bytes | Iterable[bytes], encoding: str | None = None) -> list[list[str]]:
    blocks = [content] if isinstance(content, bytes) else content
    return [row async for row in child.rows(blocks, encoding)]


async def wrong(content: bytes | Iterable[bytes], encoding: str | None = None) -> str:
    with pytest.raises(UnreadableFile) as refused:
        await read(content, encoding)
    assert [each.field for each in refused.value.errors] == [""], "the whole of what was sent"
    return refused.value.detail


async def test_a_part_that_cannot_be_unpacked_is_told() -> None:
    whole = xlsx("<row><c><v>1</v></c></row>" * 500)
    at = whole.index(b"xl/worksheets/sheet1.xml") + len("xl/worksheets/sheet1.xml")
    assert "no XLSX file that can be read" in await wrong(whole[:at] + b"\xff" * 8 + whole[at + 8 :])


HEADER = "番号,名称\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ((HEADER + "1,山田\n").encode(), None),
        (("\ufeff" + HEADER + "1,山田\n").encode(), None),
        (("\ufeff" + HEADER + "1,山田\n").encode(), "cp932"),
        ((HEADER + "1,山田\n").encode("cp932"), "cp932"),
        ((HEADER + "1,山田\n").encode("utf-16"), None),
        ((HEADER + "1,山田\r\n").replace(",", ";").encode(), None),
        ((HEADER + "1,山田\n").replace(",", "\t").encode(), None),
    ],
)
async def test_encodings_and_delimiters_are_found(content: bytes, encoding: str | None) -> None:
    assert await read(content, encoding) == [["番号", "名称"], ["1", "山田"]]


async def test_western_files_are_read_as_asked_and_quotes_hold_anything() -> None:
    text = 'name;note\n"Müller; Söhne";"two\nlines ""quoted"""\n'
    assert await read(text.encode("cp1252"), "cp1252") == [["name", "note"], ["Müller; Söhne", 'two\nlines "quoted"']]


async def test_a_sheet_gives_the_texts_that_a_csv_file_would() -> None:
    rows = f'<row r="1">{cell("A1", "n")}{cell("B1", "v")}</row>'
    rows += '<row r="2"><c r="A2"><v>12</v></c><c r="B2"><v>0.1</v></c></row>'
    rows += '<row r="3"><c r="A3" t="b"><v>1</v></c><c r="B3"><f>1+1</f><v>2</v></c></row>'
    assert await read(xlsx(rows)) == [["n", "v"], ["12", "0.1"], ["true", "2"]]


@pytest.mark.parametrize("number", ["12345678901.123456", "12345678901234567", "-9007199254740993", "1e300"])
async def test_a_number_that_a_sheet_does_not_hold_is_refused(number: str) -> None:
    with pytest.raises(UnreadableFile, match="Row 2, column 1: the number has more digits"):
        await read(xlsx(f"<row>{cell('A1', 'v')}</row><row><c r='A2'><v>{number}</v></c></row>"))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1000000000000000", "1000000000000000"),
        ("-9007199254740991", "-9007199254740991"),
        ("123456789.123456", "123456789.123456"),
        ("0.30000000000000004", "0.30000000000000004"),
    ],
)
async def test_a_number_is_read_to_its_last_digit(number: str, text: str) -> None:
    assert await read(xlsx(f"<row>{cell('A1', 'v')}</row><row><c r='A2'><v>{number}</v></c></row>")) == [["v"], [text]]


async def test_rows_keep_their_numbers_below_an_empty_top() -> None:
    rows = f'<row r="3">{cell("B3", "n")}</row><row r="4">{cell("B4", "1")}</row>'
    read_rows = await read(xlsx(rows))
    assert [any(row) for row in read_rows] == [False, False, True, True]


@pytest.mark.parametrize(
    ("content", "encoding", "says"),
    [
        ("name\nMüller\n".encode("cp1252"), None, "This is not UTF-8 (line 2): say encoding=cp932"),
        (b"name\n\x81\x3f\n", "cp932", "Line 2 is not cp932"),
        (b"name\na\x00b\n", None, "holds a NUL"),
        (b"name\n" + b"x" * 10_000_000 + b"\n", None, "Line 2 is longer than 1000000 characters"),
        (b'name\n"' + b"x\n" * 5_000_000, None, "is no CSV"),
        (b"name\n" + b"x" * 30_000 + b"\n", None, "longer than 20000 characters"),
        (b"," * 100_000 + b"\n", None, "has 100001 columns"),
        (b"\xd0\xcf\x11\xe0" + b"\x00" * 1000, None, "neither CSV nor XLSX"),
        (b"%PDF-1.7\n", None, "neither CSV nor XLSX"),
        (b"PK\x03\x04" + b"\x00" * 1000, None, "no XLSX file"),
        (xlsx(f'<row r="1048576">{cell("XFD1048576", "x")}</row>'), None, "There is a cell XFD1048576"),
        (xlsx("<row><c r = 'XFD9'><v>1</v></c></row>"), None, "There is a cell XFD9"),
        (xlsx("<row/>", before='<!DOCTYPE x [<!ENTITY a "b">]>'), None, "declares a document type"),
    ],
)
async def test_what_is_wrong_is_said_in_a_sentence(content: bytes, encoding: str | None, says: str) -> None:
    assert says in await wrong(content, encoding)


async def test_a_megabyte_that_unpacks_to_a_gigabyte_is_refused() -> None:
    zeros = b"\x00" * (64 * 1024 * 1024)
    parts: dict[str, Any] = {f"part{number}": zeros for number in range(5)}
    bomb = xlsx("", **parts)
    assert len(bomb) < 1024 * 1024
    assert "larger than 256 MB" in await wrong(bomb)


async def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert f"more than {reading.MOST_ROWS} rows" in await wrong(b"n\n" * (reading.MOST_ROWS + 2))


async def test_a_reader_that_is_killed_by_its_limits_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "__name__", "tailrace.nothing")  # a module that is none: it ends at once
    assert "too much memory or time" in await wrong(b"n\n1\n")


async def test_only_a_few_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_running", child._AT_ONCE)
    with pytest.raises(Exception, match="Other files are being read"):
        await read(b"n\n1\n")


def test_the_reader_imports_nothing_of_the_kit() -> None:
    source = json.dumps(reading.__loader__.get_source(reading.__name__))  # type: ignore[union-attr]
    assert "tailrace." not in source.replace("tailrace.transfer.reading", "")
