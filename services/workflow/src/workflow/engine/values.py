"""The data of an instance are plain JSON: what comes in is made so, once, at the door.

A Decimal becomes an int when it is whole and its exact text otherwise, never a float; dates and identifiers become
their ISO text. Money is integer minor units, so it stays an int all the way.
"""

import json
import math
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from workflow.engine import limits
from workflow.engine.findings import Unevaluable

Json = dict[str, Any]


def _number(value: float | Decimal) -> int | float | str:
    if isinstance(value, Decimal):
        if not value.is_finite() or abs(value.adjusted()) > limits.MAX_DIGITS:
            raise Unevaluable(f"{value} is no number that data may hold")
        return int(value) if value == value.to_integral_value() and abs(value) < 10**18 else format(value, "f")
    if not math.isfinite(value):
        raise Unevaluable(f"{value} is no number that data may hold")
    return value


def plain(value: object, depth: int = 0) -> Any:
    """This value as JSON holds it; raises Unevaluable for what it cannot hold, and beyond 20 levels."""
    if depth > limits.MAX_NESTING:
        raise Unevaluable(f"data may be nested {limits.MAX_NESTING} deep")
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float | Decimal):
        return _number(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item, depth + 1) for item in value]
    raise Unevaluable(f"data may not hold a {type(value).__name__}")


def plain_data(data: Mapping[str, object]) -> Json:
    """These data as one JSON object of at most 256 kB."""
    made: Json = plain(data)
    if data and len(json.dumps(made)) > limits.MAX_DATA:
        raise Unevaluable(f"data may take {limits.MAX_DATA:,} bytes")
    return made


def copied(value: Any) -> Any:
    """This JSON once more, with nothing shared that could be changed."""
    if type(value) is dict:
        return {key: copied(item) for key, item in value.items()}
    if type(value) is list:
        return [copied(item) for item in value]
    return value


def moment(value: datetime) -> str:
    """This moment as the state stores it: ISO 8601 with its offset."""
    if value.tzinfo is None:
        raise ValueError("a moment without its zone")
    return value.isoformat()
