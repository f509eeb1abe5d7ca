"""One text has one spelling, what nobody sees is refused by its number, and what a script or an emoji needs stays."""

import unicodedata
from collections.abc import Callable

import pytest

from tailrace.core.values.text import address, block, code, folded, line, opaque, searched, shortened, xml

ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
NEEDED = [
    "می\u200cخواهم",  # Persian: a suffix that stands apart
    "क्\u200dष",  # Devanagari: half a letter
    "ක්\u200dර",  # Sinhala
    "👩\u200d🚀 👩🏽\u200d🚀 👨\u200d👩\u200d👧\u200d👦 ❤\ufe0f\u200d🔥 🏳\ufe0f\u200d🌈 🙂\u200d\u2194\ufe0f",
    "葛\U000e0100飾区",  # a variant of a Han letter, as in names of places
    ENGLAND,
    "שלום עולם, مرحبا",
    "Tiếng Việt",
]
UNSEEN = [
    "a\x00b",
    "a\x1bb",
    "a\x7fb",
    "a\u0085b",
    "a\u200bb",
    "a\u200cb",
    "a\u200db",
    "a\u200eb",
    "a\u202eb",
    "a\u2066b",
    "a\u2028b",
    "a\ufeffb",
    "so\u00adft",
    "\u3164",
    "a\u115fb",
    "a \ufe0f",
    "a\ufe0f\ufe0f",
    "\ufe0fa",
    "a\ue000b",
    "a\U0010fffd",
    "a\ufffeb",
    "a\ufdd0",
    "a\ud800b",
    "a\U000e0041b",
    "👩\u200d",
    "👩\u200da",
]


@pytest.mark.parametrize("rule", [line, block])
@pytest.mark.parametrize("text", NEEDED)
def test_what_a_script_needs_stays(rule: Callable[[str], str], text: str) -> None:
    assert rule(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("rule", [line, block, code, address, searched, opaque])
@pytest.mark.parametrize("text", UNSEEN)
def test_what_nobody_sees_is_refused_by_its_number(rule: Callable[[str], str], text: str) -> None:
    with pytest.raises(ValueError, match=r"^U\+[0-9A-F]{4,6} "):
        rule(text)


@pytest.mark.parametrize("text", [NEEDED[0], NEEDED[1], NEEDED[3], NEEDED[4], ENGLAND])
def test_no_code_holds_what_is_not_seen_though_a_script_needs_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"^U\+"):
        code(text)


def test_lines_end_in_one_way_and_only_where_there_may_be_several() -> None:
    assert block("one\r\n\ttwo\nthree\n") == "one\n\ttwo\nthree"
    assert line(" one \n") == "one"
    with pytest.raises(ValueError, match="control"):
        line("one\ntwo")


def test_a_long_text_of_joiners_is_no_fault() -> None:
    assert block("می\u200cخواهم " * 300).startswith("می\u200c")


def test_a_letter_later_than_this_python_may_stand_in_a_text_and_in_no_code() -> None:
    assert line("a\U0001fbff\u0378") == "a\U0001fbff\u0378"
    with pytest.raises(ValueError, match="no character"):
        code("a\u0378")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (" Café-1 ", "Café-1"),
        ("cafe\u0301", "café"),
        ("ＡＢ－１", "AB-1"),
        ("㎏", "kg"),
        ("m²", "m2"),
        ("\u00b5m", "\u03bcm"),
        ("ﬁ\u00a0x", "fi x"),
        ("\u1100\u1161\u11a8", "각"),
        ("ｶﾞ", "ガ"),
    ],
)
def test_a_code_is_kept_in_its_plain_form(text: str, kept: str) -> None:
    assert code(text) == code(kept) == kept


@pytest.mark.parametrize(
    ("one", "other"),
    [("Ada@Example.ORG", "ada@example.org"), ("JOSE\u0301@x.org", "josé@x.org"), ("ＡＤＡ＠x.org", "ada@x.org")],
)
def test_an_address_is_one_however_it_is_typed(one: str, other: str) -> None:
    assert address(one) == address(other) == other
    assert address(address(one)) == address(one)


@pytest.mark.parametrize(
    ("domain", "kept"),
    [
        ("xn--mnchen-3ya.example", "münchen.example"),
        ("XN--MNCHEN-3YA.Example", "münchen.example"),
        ("mu\u0308nchen.example", "münchen.example"),
        ("MÜNCHEN。example", "münchen.example"),
        ("shop.xn--mnchen-3ya.example", "shop.münchen.example"),
        ("xn--wgv71a119e.jp", "日本語.jp"),
        ("faß.example", "faß.example"),
        ("xn--fa-hia.example", "faß.example"),
        ("fass.example", "fass.example"),
        ("under_score.example", "under_score.example"),
    ],
)
def test_a_domain_is_one_in_both_its_forms(domain: str, kept: str) -> None:
    assert address(f"a@{domain}") == f"a@{kept}"
    assert address(f"a@{kept}") == f"a@{kept}"


@pytest.mark.parametrize(
    "domain", ["xn--a.example", "xn--.example", "-ü.example", "ü..example", "\u0301ü.example", "💩.example"]
)
def test_what_is_no_internationalised_domain_is_refused(domain: str) -> None:
    with pytest.raises(ValueError, match="domain is not valid"):
        address(f"a@{domain}")


def test_a_name_without_a_domain_is_no_domain() -> None:
    """The slug of a company is an address to log in at, too."""
    assert address("Xn--Mnchen-3YA") == "xn--mnchen-3ya"


def test_two_mailboxes_stay_two() -> None:
    assert address("strauß@x.org") != address("strauss@x.org")


@pytest.mark.parametrize(
    ("one", "other"),
    [("Straße", "STRASSE"), ("ΣΊΣΥΦΟΣ", "σίσυφος"), ("ＡＢ", "ab"), ("É", "e\u0301"), ("ﬀ", "FF"), ("\u212a1", "k1")],
)
def test_codes_that_are_the_same_have_one_key(one: str, other: str) -> None:
    assert folded(one) == folded(other) == folded(folded(one))


def test_every_rule_comes_to_rest() -> None:
    """What a rule makes of a text, it leaves alone."""
    for each in range(0x20000):
        for rule in (line, code, address, opaque, folded):
            try:
                made = rule(f"a{chr(each)}\u0301")
            except ValueError:
                continue
            assert rule(made) == made, (rule, hex(each))


@pytest.mark.parametrize(
    ("typed", "compared"),
    [  # RFC 8265, section 4.3, with its examples 1 to 5
        ("correct horse battery staple", "correct horse battery staple"),
        ("Correct Horse Battery Staple", "Correct Horse Battery Staple"),
        ("πßå", "πßå"),
        ("Jack of ♦s", "Jack of ♦s"),
        ("foo\u1680bar", "foo bar"),
        ("pa\u3000ss\u00a0word", "pa ss word"),
        ("pa\u030ass", "p\u00e5ss"),
        ("ﬁ １", "ﬁ １"),
        ("l·l", "l·l"),
    ],
)
def test_a_password_is_one_however_it_is_typed(typed: str, compared: str) -> None:
    assert opaque(typed) == opaque(opaque(typed)) == compared


@pytest.mark.parametrize("text", ["my cat is a \tby", "a·b", "\u0660\u06f0", "\u1100\u1161\u11ff", "a\u0640", "\u0378"])
def test_what_the_freeform_class_disallows_is_in_no_password(text: str) -> None:
    with pytest.raises(ValueError, match=r"^U\+"):
        opaque(text)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("<a>e&#769;&#x0301;&#101;\u0301</a>", "<a>é\u0301é</a>"),
        ("<a b='&#38;&lt;&#x3C;&#10;'/>", "<a b='&#38;&lt;&#x3C;&#10;'/>"),
        ("<a>1&#13;&#10;2&#xD;3</a>", "<a>1&#10;2&#10;3</a>"),
        ("<a>&#x1F469;&#x200D;&#x1F469;</a>", "<a>\U0001f469\u200d\U0001f469</a>"),
        ("<a>&#xD800;&#1;&#x110000;</a>", "<a>&#xD800;&#1;&#x110000;</a>"),
        (
            "\ufeff<?xml version='1.0' encoding='Shift_JIS'?><a>検</a>",
            "<?xml version='1.0' encoding=\"UTF-8\"?><a>検</a>",
        ),
        ("<?xml version='1.0'?><a encoding='x'/>", "<?xml version='1.0'?><a encoding='x'/>"),
    ],
)
def test_xml_names_its_characters_in_one_way(written: str, kept: str) -> None:
    assert xml(written) == kept
    assert xml(kept) == kept


@pytest.mark.parametrize("number", ["&#x202E;", "&#8238;", "&#x0000202e;", "&#x7F;", "&#x200B;", "&#xFFFF;"])
def test_xml_that_names_what_nobody_sees_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match="U\\+"):
        xml(f"<a>x{number}y</a>")


@pytest.mark.parametrize(
    ("text", "most", "kept"),
    [
        ("a b", 3, "a b"),
        ("a b", 2, "a"),
        ("👩\u200d🚀", 2, "👩"),
        (f"a{ENGLAND}", 5, "a🏴"),
        ("\u200d", 0, ""),
    ],
)
def test_what_is_shortened_ends_in_a_whole_character(text: str, most: int, kept: str) -> None:
    assert shortened(text, most) == kept


def test_what_was_read_as_a_block_is_shortened_as_one() -> None:
    assert shortened("a\nb\nc", 4, block) == "a\nb"
