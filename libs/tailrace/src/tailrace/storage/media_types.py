"""Of which type a file is, by its bytes: what it is said to be has to be what it is, and nothing else besides.

HTML and SVG are among no types, since a browser would run what is in them. A picture that can be read as an archive, or a PDF that begins with
something else, is refused, as far as that shows at its beginning and its end; that is why no file is ever shown inline either.
"""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import filetype

from tailrace.core.errors import Invalid
from tailrace.storage.archives import TAIL, ends_as_archive, entries

Family = Literal["binary", "office", "open_document", "archive", "text", "json", "xml"]
HEAD = 8192
"""Bytes that a type shows in."""
_TAIL = 64 * 1024 + 22
"""Where the end record of an archive can stand."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`suffixes`: how its files end, the usual one first. `marks`: of an archive, what it must hold."""

    family: Family
    suffixes: tuple[str, ...]
    marks: tuple[str, ...] = ()


_OOXML = "application/vnd.openxmlformats-officedocument"
_OASIS = "application/vnd.oasis.opendocument"
TYPES: Mapping[str, Kind] = {
    "application/pdf": Kind("binary", (".pdf",)),
    "image/gif": Kind("binary", (".gif",)),
    "image/heic": Kind("binary", (".heic",)),
    "image/jpeg": Kind("binary", (".jpg", ".jpeg")),
    "image/png": Kind("binary", (".png",)),
    "image/tiff": Kind("binary", (".tif", ".tiff")),
    "image/webp": Kind("binary", (".webp",)),
    f"{_OOXML}.wordprocessingml.document": Kind("office", (".docx",), ("[Content_Types].xml", "word/document.xml")),
    f"{_OOXML}.spreadsheetml.sheet": Kind("office", (".xlsx",), ("[Content_Types].xml", "xl/workbook.xml")),
    f"{_OOXML}.presentationml.presentation": Kind(
        "office", (".pptx",), ("[Content_Types].xml", "ppt/presentation.xml")
    ),
    f"{_OASIS}.text": Kind("open_document", (".odt",), ("mimetype", "content.xml")),
    f"{_OASIS}.spreadsheet": Kind("open_document", (".ods",), ("mimetype", "content.xml")),
    "application/zip": Kind("archive", (".zip",)),
    "text/plain": Kind("text", (".txt", ".text", ".log", ".md")),
    "text/csv": Kind("text", (".csv", ".tsv", ".txt")),
    "application/json": Kind("json", (".json",)),
    "application/xml": Kind("xml", (".xml",)),
}
"""Every type that a file may have; a service takes those of them that it names."""
DOCUMENTS = frozenset(TYPES) - {"application/zip", "application/json"}
"""What people keep of each other: letters, tables, pictures and invoices."""
_ALIASES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "image/heif": "image/heic",
    "application/x-pdf": "application/pdf",
    "text/xml": "application/xml",
    "application/x-zip-compressed": "application/zip",
}
_ZIP = b"PK\x03\x04"
_MACROS = ("vbaProject.bin", "vbaData.xml")
# What no text holds (WHATWG MIME Sniffing, "binary data byte").
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_BINARY_TEXT = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f\ufffe\uffff]")
_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BLANK = b"\t\n\x0c\r "
# What a browser takes for HTML where a text begins with it (WHATWG MIME Sniffing, 7.1).
_HTML = re.compile(
    rb"<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|svg|object|embed|meta|link|img)[\s/>]|<!--",
    re.IGNORECASE,
)
_OTHER_TEXTS = ((b"%PDF-", "application/pdf"), (b"%!PS-Adobe-", "application/postscript"), (b"{\\rtf", "text/rtf"))
_ROOT = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)[\s/>]")
_PROLOG = re.compile(rb"\s*(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>)", re.DOTALL | re.IGNORECASE)


class TypeRefused(Invalid):
    """422: files of this type are not taken here; `detail` lists those that are."""

    slug, title = "file-type-refused", "Files of this type are not taken"


class TypeMismatch(Invalid):
    """422: what is in the file is not what it was declared to be."""

    slug, title = "file-type-mismatch", "The file is not what it is declared to be"


def declared_type(said: str, taken: frozenset[str], field: str) -> str:
    """The type that a file is said to have, in its usual form. Raises TypeRefused."""
    bare = said.partition(";")[0].strip().lower()
    name = _ALIASES.get(bare, bare)
    if name not in taken:
        what = f"{bare[:60]} is not taken" if bare else "Say of which type the file is, in its Content-Type"
        raise TypeRefused(f"{what}; this takes {', '.join(sorted(taken))}.", field=field)
    return name


class Sniffer:
    """Sees a file pass, and says at its end whether it is what it was said to be. Keeps its beginning and its end, no more."""

    def __init__(self, declared: str, field: str) -> None:
        self._declared, self._kind, self._field = declared, TYPES[declared], field
        self._keeps = TAIL if self._kind.marks or self._kind.family == "archive" else _TAIL
        self._head, self._tail = bytearray(), bytearray()
        self._size = 0
        self._is_text = self._kind.family in {"text", "json", "xml"}
        self._wide: codecs.IncrementalDecoder | None = None

    def feed(self, chunk: bytes) -> None:
        """Raises TypeMismatch as soon as it shows."""
        if self._is_text:
            self._read_text(chunk)
        if len(self._head) < HEAD:
            self._head += chunk[: HEAD - len(self._head)]
        self._size += len(chunk)
        self._tail += chunk
        if len(self._tail) > 2 * self._keeps:
            del self._tail[: -self._keeps]

    def finish(self) -> None:
        """Raises TypeMismatch."""
        head, tail = bytes(self._head), bytes(self._tail[-self._keeps :])
        if self._is_text:
            self._check_text(head)
        elif self._kind.family == "binary":
            self._check_binary(head)
        else:
            self._check_archive(head, tail)
        if self._kind.family in {"binary", "text", "json", "xml"} and ends_as_archive(tail) is not None:
            raise self._mismatch("It can be read as a ZIP archive, too.")

    def _read_text(self, chunk: bytes) -> None:
        if self._size == 0 and chunk.startswith(_BOMS):
            self._wide = codecs.getincrementaldecoder("utf-16")()
        if self._wide is None:
            if _BINARY.search(chunk):
                raise self._mismatch("It holds bytes that no text has.")
            return
        try:
            if _BINARY_TEXT.search(self._wide.decode(chunk)):
                raise self._mismatch("It holds characters that no text has.")
        except UnicodeDecodeError as error:
            raise self._mismatch("It begins as UTF-16 and is not.") from error

    def _check_text(self, head: bytes) -> None:
        if self._wide is not None:
            head = head.decode("utf-16", "ignore").encode()
        begin = head.removeprefix(codecs.BOM_UTF8).lstrip(_BLANK)
        for mark, is_type in _OTHER_TEXTS:
            if begin.startswith(mark):
                raise self._mismatch(f"It is {is_type}.")
        if self._kind.family == "xml":
            self._check_xml(begin)
        elif _HTML.match(begin):
            raise self._mismatch("It is HTML or SVG.")
        elif self._kind.family == "json" and not begin.startswith((b"{", b"[")):
            raise self._mismatch("It begins with no object and no array.")

    def _check_xml(self, begin: bytes) -> None:
        while (prolog := _PROLOG.match(begin)) is not None:
            begin = begin[prolog.end() :]
        root = _ROOT.match(begin.lstrip(_BLANK))
        if root is None:
            raise self._mismatch("It begins with no element.")
        if root[1].lower() in {b"html", b"svg"}:
            raise self._mismatch("It is HTML or SVG.")

    def _check_binary(self, head: bytes) -> None:
        if self._declared == "application/pdf":
            if not head.startswith(b"%PDF-"):
                raise self._mismatch(self._looks_like(head))
            return
        if b"%PDF-" in head[:1024]:
            raise self._mismatch("It can be read as a PDF, too.")
        if filetype.guess_mime(head) != self._declared:
            raise self._mismatch(self._looks_like(head))

    def _check_archive(self, head: bytes, tail: bytes) -> None:
        if not head.startswith(_ZIP):
            raise self._mismatch(self._looks_like(head))
        try:
            names = entries(tail, self._size)
        except ValueError as error:
            raise self._mismatch(f"It is a ZIP archive that {error}.") from error
        if missing := [mark for mark in self._kind.marks if mark not in names]:
            raise self._mismatch(f"It is a ZIP archive without {missing[0]}.")
        if self._kind.family == "office" and any(name.rpartition("/")[2] in _MACROS for name in names):
            raise self._mismatch("It holds macros; save it without them.")
        # The first entry of an OpenDocument file names its type, uncompressed (ODF 1.3, part 2, 3.3).
        if self._kind.family == "open_document" and not head[30:].startswith(b"mimetype" + self._declared.encode()):
            raise self._mismatch("It is another type of OpenDocument file, or none.")

    def _looks_like(self, head: bytes) -> str:
        found = filetype.guess_mime(head)
        return f"It looks like {found}." if found else "It is something else."

    def _mismatch(self, detail: str) -> TypeMismatch:
        return TypeMismatch(f"Declared as {self._declared}. {detail}", field=self._field)
