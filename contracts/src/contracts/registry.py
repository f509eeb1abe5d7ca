"""What the contracts say there is to hear: every event, by its wire name, and what of it is personal. A context that is added is found by itself."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

import contracts
from tailrace.core import personal_data
from tailrace.core.events import Event


@cache
def events_by_type() -> Mapping[str, type[Event]]:
    """Every event that a contract has, by its wire name, in its newest version."""
    found: dict[str, type[Event]] = {}
    for module in pkgutil.iter_modules(contracts.__path__):
        for each in vars(importlib.import_module(f"contracts.{module.name}")).values():
            if isinstance(each, type) and issubclass(each, Event) and hasattr(each, "type"):
                found[each.type] = each
    return found


@cache
def topics() -> tuple[str, ...]:
    """Every topic, in order."""
    return tuple(sorted({event.topic for event in events_by_type().values()}))


def personal_paths(type: str) -> tuple[str, ...]:
    """Where personal values stand in an event of that wire name, as JSONPath (`tailrace.core.personal_data.personal_paths`).

    Raises KeyError for a type without a contract: of that, everything may be personal.
    """
    return personal_data.personal_paths(events_by_type()[type])
