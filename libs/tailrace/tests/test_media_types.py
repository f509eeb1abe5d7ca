"""What a file is said to be has to be what its bytes are; whoever lies, or is two things at once, is told so."""

import io
import zipfile
from collections.abc import Sequence

import pytest

from tailrace.storage.archives import entries
from tailrace.storage.media_types import DOCUMENTS, TYPES, Sniffer, TypeMismatch, TypeRefused, declared_type

PDF = b"%PDF-1.7\n1 0 obj\nendobj\ntrailer\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + bytes(40)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(40)
GIF = b"GIF89a" + bytes(40)
TIFF = b"II*\x00" + bytes(40)
WEBP = b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(40)
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(40)
OOXML, OASIS = "application/vnd.openxmlformats-officedocument", "application/vnd.oasis.opendocument"
DOCX, XLSX, PPTX = (
    f"{OOXML}.wordprocessingml.document",
    f"{OOXML}.spreadsheetml.sheet",
    f"{OOXML}.presentationml.presentation",
)


def zipped(*names: str, first: tuple[str, bytes] | None = None, comment: bytes = b"") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        if first is not None:
            archive.writestr(zipfile.ZipInfo(first[0]), first[1])
        for name in names:
            archive.writestr(name, b"<x/>")
        archive.comment = comment
    return made.getvalue()


def open_document(kind: str) -> bytes:
    return zipped("content.xml", first=("mimetype", f"{OASIS}.{kind}".encode()))


GOOD = {
    "application/pdf": [PDF],
    "image/png": [PNG],
    "image/jpeg": [JPEG],
    "image/gif": [GIF],
    "image/tiff": [TIFF],
    "image/webp": [WEBP],
    "image/heic": [HEIC],
    DOCX: [
        zipped("[Content_Types].xml", "_rels/.rels", "word/document.xml"),
        zipped("word/document.xml", "[Content_Types].xml", comment=b"by hand"),
    ],
    XLSX: [zipped("[Content_Types].xml", "xl/workbook.xml", "docProps/app.xml")],
    PPTX: [zipped("[Content_Types].xml", "ppt/presentation.xml")],
    f"{OASIS}.text": [open_document("text")],
    f"{OASIS}.spreadsheet": [open_document("spreadsheet")],
    "application/zip": [zipped("a.txt"), zipped("a.txt", comment=b"PK\x05\x06 is no end")],
    "text/plain": [
        b"Hello\n",
        "山田製作所\r\n".encode("cp932"),
        "\ufeffHé\n".encode(),
        "長い\n".encode("utf-16"),
        b"BM is how this begins",
        b"MZ too",
        b"a < b",
    ],
    "text/csv": ["名前,額\r\n山田,1\r\n".encode("cp932"), b"id;name\n1;x\n"],
    "application/json": [b' {"a": 1}', b"[]"],
    "application/xml": [
        b'<?xml version="1.0"?>\n<!-- x --><Invoice xmlns="u"/>',
        b"<ubl:Invoice xmlns:ubl='u'></ubl:Invoice>",
    ],
}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
HTML = b"<!DOCTYPE html><script>alert(1)</script>"
BAD: Sequence[tuple[str, str, bytes]] = [
    ("a page as a text", "text/plain", HTML),
    ("a page behind blanks", "text/csv", b"\n\t  <HTML >"),
    ("a page behind a mark", "text/plain", b"\xef\xbb\xbf<script>alert(1)</script>"),
    ("a page in UTF-16", "text/plain", HTML.decode().encode("utf-16")),
    ("a picture that runs as a text", "text/plain", SVG),
    ("a picture that runs as XML", "application/xml", b'<?xml version="1.0"?>\n' + SVG),
    ("a picture that runs, with a prefix", "application/xml", b'<!DOCTYPE svg [<!ENTITY a "b">]><x:svg xmlns:x="u"/>'),
    ("a page as XML", "application/xml", b"<!-- --><html xmlns='u'/>"),
    ("a page as a picture", "image/png", HTML),
    ("a program as a PDF", "application/pdf", b"MZ\x90\x00" + bytes(200)),
    ("a program as a text", "text/plain", b"\x7fELF\x02\x01\x01" + bytes(60)),
    ("a PDF as a text", "text/plain", PDF),
    ("PostScript as a text", "text/plain", b"%!PS-Adobe-3.0\n"),
    ("RTF as a text", "text/plain", b"{\\rtf1 }"),
    ("a JPEG as a PNG", "image/png", JPEG),
    ("a PDF that begins later", "application/pdf", b"GIF89a\n" + PDF),
    ("a picture that is a PDF", "image/gif", b"GIF89a/*" + PDF + b"*/"),
    ("a picture that is an archive", "image/gif", GIF + zipped("a.class")),
    ("a PDF that is an archive", "application/pdf", PDF + zipped("a.class")),
    ("a text that is an archive", "text/plain", b"a\n" + zipped("a.txt")),
    ("an archive as a document", DOCX, zipped("a.txt")),
    ("a table as a letter", DOCX, zipped("[Content_Types].xml", "xl/workbook.xml")),
    ("a letter with macros", DOCX, zipped("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin")),
    ("an archive with something before it", "application/zip", b"PK\x03\x04#!/bin/sh\n" + zipped("a.txt")),
    ("half an archive", "application/zip", zipped("a.txt")[:-10]),
    ("an archive with a broken directory", "application/zip", zipped("a.txt").replace(b"PK\x01\x02", b"PK\x01\x03")),
    ("a spreadsheet as a letter", f"{OASIS}.text", open_document("spreadsheet")),
    ("a letter without its type", f"{OASIS}.text", zipped("mimetype", "content.xml")),
    ("JSON that is none", "application/json", b"alert(1)"),
    ("UTF-16 that breaks off", "text/plain", b"\xff\xfe\x00\xd8\x00\x00"),
]


def sniffed(declared: str, content: bytes, step: int) -> None:
    sniffer = Sniffer(declared, "/file")
    for at in range(0, len(content), step):
        sniffer.feed(content[at : at + step])
    sniffer.finish()


@pytest.mark.parametrize("step", [7, 65536])
@pytest.mark.parametrize("declared", sorted(TYPES))
def test_what_it_is_said_to_be_is_taken(declared: str, step: int) -> None:
    for content in GOOD[declared]:
        sniffed(declared, content, step)


@pytest.mark.parametrize("step", [7, 65536])
@pytest.mark.parametrize(("what", "declared", "content"), BAD, ids=[what.replace(" ", "-") for what, _, _ in BAD])
def test_a_lie_is_refused(what: str, declared: str, content: bytes, step: int) -> None:
    with pytest.raises(TypeMismatch) as refusal:
        sniffed(declared, content, step)
    assert refusal.value.detail.startswith(f"Declared as {declared}. ")
    assert [error.field for error in refusal.value.errors] == ["/file"]


def test_a_type_passes_for_no_other() -> None:
    """Every good sample under every other type: texts alone may be several things."""
    texts = {"text/plain", "text/csv"}
    for declared in TYPES:
        for other, contents in GOOD.items():
            if other == declared or {other, declared} <= texts:
                continue
            if declared == "application/zip" or (
                declared in texts and other in {"application/json", "application/xml"}
            ):
                continue
            for content in contents:
                with pytest.raises(TypeMismatch):
                    sniffed(declared, content, 4096)


def test_a_large_file_is_seen_at_both_ends_with_little_kept() -> None:
    sniffer = Sniffer("application/pdf", "/file")
    sniffer.feed(PDF)
    for _ in range(200):
        sniffer.feed(b"x" * 65536)
    sniffer.feed(zipped("a.class"))
    assert len(sniffer._tail) < 256 * 1024
    with pytest.raises(TypeMismatch, match="ZIP"):
        sniffer.finish()


@pytest.mark.parametrize(
    "said", ["image/svg+xml", "text/html", "application/octet-stream", "", "application/x-msdownload"]
)
def test_a_type_that_is_not_taken_is_refused_with_those_that_are(said: str) -> None:
    with pytest.raises(TypeRefused, match="this takes application/pdf, "):
        declared_type(said, DOCUMENTS, "/file")


@pytest.mark.parametrize(
    ("said", "kept"),
    [("IMAGE/JPG", "image/jpeg"), ("text/plain; charset=utf-8", "text/plain"), ("text/xml", "application/xml")],
)
def test_a_type_has_one_name(said: str, kept: str) -> None:
    assert declared_type(said, DOCUMENTS, "/file") == kept


def test_a_directory_that_would_fill_the_memory_is_not_read() -> None:
    many = zipped(*(f"{n}/{'x' * 200}" for n in range(6000)))
    with pytest.raises(ValueError, match="too large"):
        entries(many, len(many))
