"""One spelling for each value, so that equal rows have equal bytes and equal hashes: JSON with sorted keys and nothing between the tokens.

Decimals are shortest fixed-point text, times UTC to the microsecond, ids and ranges their usual text. After RFC 8785, but for numbers: they
are integers here, and may be larger than a double holds.
"""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import Range

from tailrace.core.values.money import plain_decimal


def canonical(value: Any) -> str:
    """The text of a row, or of any value in one. Raises TypeError for what has no spelling here, a float above all."""
    return json.dumps(_plain(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case Decimal():
            return plain_decimal(value)
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case date() | UUID():
            return str(value)
        case Range():
            return str(value)
        case Mapping():
            return {str(name): _plain(each) for name, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
    raise TypeError(f"{type(value).__name__} has no canonical form")
