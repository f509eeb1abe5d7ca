"""What the contracts say there is to hear: every topic, and every event on it. A context that is added to them is heard without a word here."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

import contracts
from tailrace.core.events import Event


@cache
def events_by_type() -> Mapping[str, type[Event]]:
    """Every event that a contract has, by its wire name."""
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
