"""CSV that a spreadsheet shows and does not calculate, and that reads back as what it was.

A spreadsheet takes a text that begins with `=`, `+`, `-` or `@` for a formula (OWASP, CSV injection). Such a text gets an apostrophe before it,
and so does one that has an apostrophe there already; `plain` takes one away. Numbers are no texts: `-5` stays what it is.

Where cells begin, the reader says: in many countries a spreadsheet parts them at semicolons, and then takes the quotation marks around a text for
a part of it, so that a line in it ends the record. In a line of CSV an apostrophe therefore stands behind each semicolon, bar, tab and end of a line,
too, where what follows would be calculated.
"""

import csv
import json
import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from io import StringIO
from typing import Any

from tailrace.core.values.money import plain_decimal

BOM = "\ufeff"
"""A spreadsheet takes a file for UTF-8 by this alone."""
_PARTS = ";|\t\r\n"
"""What parts cells and records for one reader or another, besides the comma, before which a text is quoted."""
_BEGIN = "=+\\-@＝＋－＠"
_BEFORE = "(?:['\"]|[^\\S\t\r\n])*"
"""What readers pass over before a formula: quotation marks that were doubled too, as these end at once what they begin."""
_CALCULATED = re.compile(f"^'*\\s*[{_BEGIN}\t\r\n]")
_MARKED = re.compile(f"^'+\\s*[{_BEGIN}\t\r\n]")
_CALCULATED_INSIDE = re.compile(f"(?<=[{_PARTS}])(?={_BEFORE}[{_BEGIN}])")
_MARKED_INSIDE = re.compile(f"(?<=[{_PARTS}])(?='{_BEFORE}[{_BEGIN}])")
_MARK_INSIDE = re.compile(f"(?<=[{_PARTS}])'(?={_BEFORE}[{_BEGIN}])")


def line(cells: Iterable[Any]) -> str:
    """One record (RFC 4180)."""
    out = StringIO()
    csv.writer(out).writerow([cell(value) for value in cells])
    return out.getvalue()


def cell(value: Any) -> str:
    """A value as text: numbers in plain decimals, times as RFC 3339 has them, lists and objects as JSON."""
    value = simple(value)
    if isinstance(value, str):
        return neutral_in_line(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else plain_decimal(value) if isinstance(value, Decimal) else str(value)


def simple(value: Any) -> Any:
    """A text, a number, a truth value or None."""
    if isinstance(value, datetime | date):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Enum):
        return simple(value.value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value if value is None or isinstance(value, str | bool | int | float | Decimal) else str(value)


def neutral(text: str) -> str:
    """The text, marked when a spreadsheet would calculate it: one that is told where cells begin and end, as in a sheet of XLSX."""
    return _begun(_MARKED_INSIDE.sub("'", text))


def neutral_in_line(text: str) -> str:
    """The text, marked wherever a spreadsheet would calculate what follows, if it parts the cells of a line in its own way."""
    return _begun(_CALCULATED_INSIDE.sub("'", text))


def plain(text: str) -> str:
    """The text that `neutral` or `neutral_in_line` was given."""
    return _MARK_INSIDE.sub("", text[1:] if _MARKED.match(text) else text)


def _begun(text: str) -> str:
    return f"'{text}" if _CALCULATED.match(text) else text
