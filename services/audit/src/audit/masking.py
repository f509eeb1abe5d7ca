"""Leaves out of what an event said whatever tells who a person is, by what its contract marks; of an event without a contract here, everything."""

import json
from typing import Any

from contracts.registry import events_by_type
from tailrace.core.personal_data import REDACTED, without_personal


def shown(type: str, data: bytes, *, pii: bool) -> Any:
    """What an event said, as JSON-ready data. What is no JSON is shown as text, to those who may see all."""
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        return data.decode("utf-8", "replace") if pii else REDACTED
    if pii:
        return said
    model = events_by_type().get(type)
    return REDACTED if model is None else without_personal(model, said)


def is_masked(type: str, data: bytes) -> bool:
    """Whether anything would be left out."""
    return bool(shown(type, data, pii=False) != shown(type, data, pii=True))
