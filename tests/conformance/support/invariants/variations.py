"""How a request is varied: other ids in its path, and a field too many in its body; and how a row is."""

import re
from collections.abc import Container, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from invariants.operations import Operation
from tailrace.core.ids import uuid7

INJECTED = ("tenant_id", "id", "role", "created_at", "version", "no_such_field")


def filled(path: str, ids: Mapping[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: ids[found[1]], path)


def other_id(operation: Operation, name: str) -> str:
    if operation.parameters[name]["schema"].get("type") == "integer":
        return "987654321"
    return str(uuid7()) if name in operation.ids else f"no-{name}"


def injected(body: Any, declared: Container[str]) -> Iterator[tuple[str, Any]]:
    """The body with a field too many: each of `INJECTED` that it does not declare at the top, `tenant_id` in every object below.

    A word of the business is free: where a body has a `role` or a `version` of its own, that is no injection.
    """
    if isinstance(body, dict):
        for name in (name for name in INJECTED if name not in declared):
            yield f"/{name}", {**body, name: str(uuid7())}
    yield from _deeper(body, "")


def _deeper(node: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    inside = node.items() if isinstance(node, dict) else enumerate(node[:1]) if isinstance(node, list) else ()
    for key, value in inside:
        here = f"{pointer}/{key}"
        if isinstance(value, dict):
            yield f"{here}/tenant_id", _with(node, key, {**value, "tenant_id": str(uuid7())})
        for deeper, changed in _deeper(value, here):
            yield deeper, _with(node, key, changed)


def _with(node: Any, key: Any, value: Any) -> Any:
    if isinstance(node, dict):
        return {**node, key: value}
    return [*node[:key], value, *node[key + 1 :]]


def other_value(of_type: type, value: Any) -> Any:
    """Another value of the type of a column: PostgreSQL may be asked for it before the change is refused, as `unique_value` does."""
    if of_type is UUID:
        return uuid7()
    if of_type is bool:
        return not value
    if of_type in (int, Decimal):
        return (value or of_type()) + 1
    if issubclass(of_type, date):
        now = datetime.now(UTC)
        return (value or (now if of_type is datetime else now.date())) + timedelta(days=1)
    return f"{value}x"
