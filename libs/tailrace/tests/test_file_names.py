"""A file's name leads nowhere, hides nothing, and says what the file is."""

import unicodedata

import pytest

from tailrace.core.errors import Invalid
from tailrace.http.files.disposition import disposition
from tailrace.storage.names import LONGEST, file_name


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a.pdf", "a.pdf"),
        ("A.PDF", "A.PDF"),
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\Users\\Ada\\scan.pdf", "scan.pdf"),
        ("/tmp/x/scan.pdf", "scan.pdf"),
        ("invoice.pdf.exe", "invoice.pdf.exe.pdf"),
        ("scan", "scan.pdf"),
        ("..", "file.pdf"),
        (".pdf", "pdf.pdf"),
        ("..pdf", "pdf.pdf"),
        ("", "file.pdf"),
        ('a"b<c>|d?.pdf', "a_b_c__d_.pdf"),
        ("契約書　第二版.pdf", "契約書　第二版.pdf"),
    ],
)
def test_it_is_kept_in_one_form(given: str, kept: str) -> None:
    assert file_name(given, "application/pdf", "/file") == kept


def test_two_spellings_of_one_name_are_one() -> None:
    apart = unicodedata.normalize("NFD", "Übersicht ガ.pdf")
    assert file_name(apart, "application/pdf", "/file") == unicodedata.normalize("NFC", apart)


@pytest.mark.parametrize("unseen", ["\x00", "\n", "\x1b", "\u202e", "\u200b", "\ufeff"])
def test_what_nobody_sees_is_refused_by_name(unseen: str) -> None:
    with pytest.raises(Invalid, match=f"U\\+{ord(unseen):04X}") as refusal:
        file_name(f"a{unseen}b.pdf", "application/pdf", "/file")
    assert refusal.value.errors[0].field == "/file"


@pytest.mark.parametrize("letter", ["x", "é", "字", "𠮷"])
def test_a_long_one_keeps_its_ending_and_whole_letters(letter: str) -> None:
    kept = file_name(letter * 5000 + ".pdf", "application/pdf", "/file")
    assert len(kept.encode()) <= LONGEST
    assert kept == letter * (len(kept) - 4) + ".pdf"


def test_a_header_is_ascii_and_holds_the_whole_name() -> None:
    assert disposition("a.pdf") == 'attachment; filename="a.pdf"'
    said = disposition('ü"%.pdf')
    assert said == "attachment; filename=\"___.pdf\"; filename*=UTF-8''%C3%BC%22%25.pdf"


def test_a_header_holds_one_name_whatever_is_in_it() -> None:
    """Numbers of documents are as companies write them, and files are named by them."""
    assert disposition("2026/7\\a.pdf") == 'attachment; filename="2026_7_a.pdf"'
    assert disposition('a"\r\nSet-Cookie: x.pdf').isascii()
    assert not {"\r", "\n", "\0"} & set(disposition("a\r\nb\0.pdf"))
