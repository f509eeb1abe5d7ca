"""A word of the business is free: what a body declares is no injection, however much it sounds like something of the kit's."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from invariants.operations import Operation
from invariants.variations import INJECTED, injected, other_value

from tailrace.core.ids import uuid7

_ROLE = {"type": "object", "properties": {"role": {"type": "string"}, "version": {"type": "string"}}}
_DATED = {"type": "object", "properties": {"created_at": {"type": "string"}}}


def _operation(schema: dict[str, Any]) -> Operation:
    content = {"application/json": {"schema": schema}}
    said = {"requestBody": {"content": content}, "responses": {}}
    return Operation("POST", "/v1/parts", said, {"components": {"schemas": {"Role": _ROLE, "Dated": _DATED}}}, None)


def test_what_a_body_declares_is_not_injected() -> None:
    reference = {"$ref": "#/components/schemas/Role"}
    either = {"anyOf": [reference, {"oneOf": [{"$ref": "#/components/schemas/Dated"}]}, {"type": "null"}]}
    body = {"role": "tester", "version": "2.1", "lines": [{"version": 3}]}
    for schema, declared in ((reference, {"role", "version"}), (either, {"role", "version", "created_at"})):
        tried = {where for where, _ in injected(body, _operation(schema).body_fields)}
        assert tried == {f"/{name}" for name in INJECTED if name not in declared} | {"/lines/0/tenant_id"}
        assert {"/tenant_id", "/id"} <= tried


def test_what_is_injected_leaves_the_rest_as_it_was() -> None:
    body = {"role": "tester", "at": {"deep": {"x": 1}}}
    changed = dict(injected(body, {"role"}))
    assert body == {"role": "tester", "at": {"deep": {"x": 1}}}
    assert changed["/at/deep/tenant_id"]["at"]["deep"].keys() == {"x", "tenant_id"}
    assert changed["/version"] == {**body, "version": changed["/version"]["version"]}


def test_another_value_is_of_the_columns_type() -> None:
    day, moment = date(2026, 3, 2), datetime(2026, 3, 2, 9, tzinfo=UTC)
    for value in (True, 1, Decimal("2.5"), day, moment, "a"):
        for there in (value, None):
            other = other_value(type(value), there)
            assert type(other) is type(value)
            assert other != there
    assert isinstance(other_value(UUID, uuid7()), UUID)
