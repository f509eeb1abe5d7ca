"""One text, one spelling: what is typed in two ways and reads the same is kept in one, and what nobody can see is refused.

Free text is kept in NFC, codes and addresses in NFKC (Unicode Standard Annex 15); `folded` is what two of them are compared by. Whether two letters
of different scripts look alike is not looked at.
"""

import re
import unicodedata
from collections.abc import Callable

import idna

__all__ = ["address", "block", "code", "file", "folded", "line", "opaque", "plain", "searched", "shortened", "xml"]

_JOINERS = "\u200c\u200d"
_LONGEST_DOMAIN = 253
_ENCODING = re.compile(r"""(<\?xml\b[^>]*?\bencoding\s*=\s*)(?:"[^"]*"|'[^']*')""")
_REFERENCE = re.compile("&#(?:x0*([0-9A-Fa-f]{1,6})|0*([0-9]{1,7}));")
_RETURN = re.compile("&#(?:x0*[dD]|0*13);(?:&#(?:x0*[aA]|0*10);)?")
_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f")
"""The flag of a part of a country: a black flag, its code in tag characters, and the tag that ends it (UTS 51, ED-14a)."""
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
# Letters and marks by category, and drawn as nothing (Default_Ignorable_Code_Point).
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0")
_OLD_HANGUL = re.compile("[\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7fb]")
# RFC 5892, section 2.6: letters and marks that are disallowed all the same.
_EXCEPTIONS = frozenset("\u0640\u07fa\u302e\u302f\u3031\u3032\u3033\u3034\u3035\u303b")
_ARABIC_DIGITS, _PERSIAN_DIGITS = re.compile("[\u0660-\u0669]"), re.compile("[\u06f0-\u06f9]")


def line(text: str) -> str:
    """A line of free text in NFC, without the blanks around it. Raises ValueError for a character that nobody sees, naming it.

    A joiner stays where a script or an emoji needs it, and a variation selector behind what it varies.
    """
    text = unicodedata.normalize("NFC", text.strip())
    _refuse(text, _why_not_in_text)
    return text


def block(text: str) -> str:
    """The same, of several lines, which end in LF."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").strip())
    _refuse(text, lambda text, at: None if text[at] in "\n\t" else _why_not_in_text(text, at))
    return text


def file(text: str) -> str:
    """The text of a file: the same, and without the mark that some programs begin a file with."""
    return block(text.removeprefix("\ufeff"))


def xml(text: str) -> str:
    """The text of an XML file: the same, whether a character stands there or is named by its number (XML 1.0, 4.1), and said to be in UTF-8.

    It is text by now, and no bytes in the encoding that it was read from.
    """
    text = _ENCODING.sub(r'\1"UTF-8"', text.removeprefix("\ufeff"), count=1)
    return file(_REFERENCE.sub(_named, _RETURN.sub("&#10;", text)))


def code(text: str) -> str:
    """What something is known by, in NFKC and without the blanks around it. Raises ValueError for what no code holds."""
    _refuse(text.strip(), _why_not_in_code)
    text = _nfkc(text).strip()
    _refuse(text, _why_not_in_code)
    return text


def plain(text: str) -> str:
    """The same of what was said when a code might still hold anything: nothing is refused."""
    return _nfkc(text).strip()


def address(text: str) -> str:
    """An e-mail address or another name to log in with: a code in lower case, with an internationalised domain in Unicode (UTS 46).

    Lower case and not case folding: `ß` and `ss` are two mailboxes (RFC 8265, 3.3.2). Raises ValueError, also for a domain that is none.
    """
    mailbox, at, domain = code(_nfkc(code(text).lower())).rpartition("@")
    return f"{mailbox}{at}{_domain(domain)}" if at else domain


def searched(text: str) -> str:
    """What is looked for: in NFKC. Raises ValueError for what no text holds."""
    _refuse(text, _why_not_in_text)
    return _nfkc(text)


def shortened(text: str, most: int, spelled: Callable[[str], str] = line) -> str:
    """The text as far as it fits, and no half of what is one character to people. `spelled` is what it was read by."""
    text = text[:most].rstrip()
    while text:
        try:
            return spelled(text)
        except ValueError:
            text = text[:-1].rstrip()
    return text


def folded(text: str) -> str:
    """What two codes have in common when they are the same: NFKC and case folding, again until nothing changes."""
    before = ""
    while before != text:
        before, text = text, _nfkc(text).casefold()
    return text


def opaque(text: str) -> str:
    """A password as it is compared (OpaqueString, RFC 8265, 4.2): every blank a space, in NFC, its case kept.

    Raises ValueError for what the FreeformClass of RFC 8264 disallows; the letters of Unicode later than Python's are among that.
    """
    spaced = "".join(" " if unicodedata.category(each) == "Zs" else each for each in text)
    text = unicodedata.normalize("NFC", spaced)
    _refuse(text, _why_not_in_password)
    return text


def _domain(domain: str) -> str:
    """As people read it: `xn--` labels are decoded, so that both forms of a domain are one (IDNA 2008, as UTS 46 maps to it)."""
    if (domain.isascii() and "xn--" not in domain) or len(domain) > _LONGEST_DOMAIN:
        return domain  # which no bound takes, when it is too long
    try:
        return idna.decode(idna.encode(domain, uts46=True))
    except idna.IDNAError as error:
        raise ValueError(f"the domain is not valid: {error}") from error


def _named(reference: re.Match[str]) -> str:
    """The character, unless it is one of ASCII that may mark something, and is named in order not to, or none, which no parser takes."""
    number = int(reference[1], 16) if reference[1] else int(reference[2])
    is_any = number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF
    return chr(number) if is_any and (number >= 0x7F or chr(number).isalnum()) else reference[0]


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _refuse(text: str, why_not: Callable[[str, int], str | None]) -> None:
    if text.isascii() and text.isprintable():
        return
    for at in range(len(text)):
        reason = why_not(text, at)
        if reason is not None:
            raise ValueError(f"U+{ord(text[at]):04X} {reason}")


def _why_not_in_text(text: str, at: int) -> str | None:
    each = text[at]
    match unicodedata.category(each):
        case "Cc" | "Zl" | "Zp":
            return "is a control character"
        case "Cs":
            return "is half a character"
        case "Co":
            return "is for private use"
        case "Cn" if _is_noncharacter(each):
            return "is no character"
        case "Cf" if each in _JOINERS:
            return None if _joins(text, at) else "joins nothing here"
        case "Cf":
            return None if _in_flag(text, at) else "is a format character"
    if each in _FILLERS:
        return "is invisible"
    if _SELECTORS.match(each) and not _varies(text, at):
        return "varies nothing here"
    return None


def _why_not_in_code(text: str, at: int) -> str | None:
    each = text[at]
    if each in _JOINERS or unicodedata.category(each) == "Cf":
        return "is a format character"
    if unicodedata.category(each) == "Cn":
        return "is no character"
    return "is invisible" if _SELECTORS.match(each) else _why_not_in_text(text, at)


def _why_not_in_password(text: str, at: int) -> str | None:
    each = text[at]
    if each in _JOINERS and _in_context(text, at):
        return None
    if _OLD_HANGUL.match(each) or each in _EXCEPTIONS:
        return "is not allowed in a password"
    return _why_not_in_code(text, at) or (None if _has_context(text, at) else "is not allowed in a password")


def _has_context(text: str, at: int) -> bool:
    """The rules of RFC 5892, A.3 to A.9, for the few characters that have one."""
    each, before, after = text[at], text[at - 1 : at] if at else "", text[at + 1 : at + 2]
    match each:
        case "\u00b7":
            return before == after == "l"
        case "\u0375":
            return _script(after, "GREEK")
        case "\u05f3" | "\u05f4":
            return _script(before, "HEBREW")
        case "\u30fb":
            return any(_script(one, name) for one in text for name in ("HIRAGANA", "KATAKANA LETTER", "CJK"))
    if _ARABIC_DIGITS.match(each):
        return not _PERSIAN_DIGITS.search(text)
    return True


def _script(each: str, name: str) -> bool:
    """Whether the character is of that script, as its name says."""
    return bool(each) and unicodedata.name(each, "").startswith(name)


def _is_noncharacter(each: str) -> bool:
    return 0xFDD0 <= ord(each) <= 0xFDEF or ord(each) & 0xFFFE == 0xFFFE


def _joins(text: str, at: int) -> bool:
    """By CONTEXTJ (RFC 5892, A.1 and A.2), or as ZWJ between two emoji (UTS 51, ED-16)."""
    if _in_context(text, at):
        return True
    before = text[:at].rstrip("\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")
    return text[at] == "\u200d" and _is_pictured(before[-1:]) and _is_pictured(text[at + 1 : at + 2])


def _in_context(text: str, at: int) -> bool:
    """CONTEXTJ, looked at nearby: the library bounds what it takes, and knows no character that Unicode does not."""
    first = max(at - 16, 0)
    return (
        at > 0 and unicodedata.category(text[at - 1]) != "Cn" and idna.valid_contextj(text[first : at + 16], at - first)
    )


def _is_pictured(each: str) -> bool:
    """Pictures are symbols; the two arrows of the nodding and the shaking head are the exception."""
    return bool(each) and (each in "\u2194\u2195" or unicodedata.category(each) in {"So", "Cn"})


def _varies(text: str, at: int) -> bool:
    """A selector stands behind a letter, a digit or a symbol, and not behind another one."""
    return at > 0 and not text[at - 1].isspace() and not _SELECTORS.match(text[at - 1])


def _in_flag(text: str, at: int) -> bool:
    return any(found.start() < at < found.end() for found in _FLAG.finditer(text))
