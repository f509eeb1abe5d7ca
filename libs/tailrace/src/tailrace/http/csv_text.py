"""CSV that a spreadsheet shows and does not calculate, and that reads back as what it was.

A spreadsheet takes a text that begins with `=`, `+`, `-` or `@` for a formula (OWASP, CSV injection). Such a text gets an apostrophe before it,
and so does one that has an apostrophe there already; `plain` takes one away. Numbers are no texts: `-5` stays what it is.
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

BOM = "\ufeff"
"""A spreadsheet takes a file for UTF-8 by this alone."""
_CALCULATED = re.compile("^'*\\s*[=+\\-@\t\r\n＝＋－＠]")
_MARKED = re.compile("^'+\\s*[=+\\-@\t\r\n＝＋－＠]")


def line(cells: Iterable[Any]) -> str:
    """One record (RFC 4180)."""
    out = StringIO()
    csv.writer(out).writerow([cell(value) for value in cells])
    return out.getvalue()


def cell(value: Any) -> str:
    """A value as text: numbers in plain decimals, times as RFC 3339 has them, lists and objects as JSON."""
    value = simple(value)
    if isinstance(value, str):
        return neutral(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else format(value, "f") if isinstance(value, Decimal) else str(value)


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
    """The text, marked when a spreadsheet would calculate it."""
    return f"'{text}" if _CALCULATED.match(text) else text


def plain(text: str) -> str:
    """The text that `neutral` was given."""
    return text[1:] if _MARKED.match(text) else text
