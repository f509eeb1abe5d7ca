"""Where a service takes a moment, it takes a plain day of the company's too: to look something up by, and in what a person says."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tailrace.service import Service

OPENAPI = Path(__file__).parents[2] / "contracts/src/contracts/openapi"
Document = dict[str, Any]

_BESIDE_A_DAY = "the day has a field of its own beside it, `due_on`"
_BY_THE_CLOCK = "people meet by the clock"
MOMENTS_ALONE: Mapping[str, Mapping[str, str]] = {
    "activities": {
        "POST /v1/tasks: /due_at": _BESIDE_A_DAY,
        "PUT /v1/tasks/{task_id}: /due_at": _BESIDE_A_DAY,
        "POST /v1/meetings/{meeting_id}/tasks: /due_at": _BESIDE_A_DAY,
        "POST /v1/meetings: /starts_at": _BY_THE_CLOCK,
        "POST /v1/meetings: /ends_at": _BY_THE_CLOCK,
        "PUT /v1/meetings/{meeting_id}: /starts_at": _BY_THE_CLOCK,
        "PUT /v1/meetings/{meeting_id}: /ends_at": _BY_THE_CLOCK,
    },
    "shipping": {
        "POST /v1/bookings/callbacks/{tenant_id}: /steps/0/at": "a carrier's system says it, and several steps of one day come in their order",
    },
}
"""Fields of bodies that take a moment and are meant to take no day, by service, and why."""


def moments_alone(document: Document) -> Iterator[str]:
    """The query parameters and the fields of bodies that take a moment and no day."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            name = f"{method.upper()} {path}"
            for said in operation.get("parameters", ()):
                parameter = _shared(document, said)
                if parameter.get("in") == "query" and _is_moment_alone(parameter.get("schema", {})):
                    yield f"{name}: {parameter['name']}"
            for content in operation.get("requestBody", {}).get("content", {}).values():
                fields = _fields(document, content.get("schema", {}), "", ())
                yield from (f"{name}: {place}" for place, schema in fields if _is_moment_alone(schema))


def _is_moment_alone(schema: Any) -> bool:
    formats = set(_formats(schema))
    return "date-time" in formats and "date" not in formats


def _shared(document: Document, said: dict[str, Any]) -> dict[str, Any]:
    """What several operations have stands apart from them."""
    if "$ref" not in said:
        return said
    _, _, kind, name = said["$ref"].split("/")
    found: dict[str, Any] = document["components"][kind][name]
    return found


def _fields(document: Document, said: dict[str, Any], place: str, within: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """What a body is made of, part by part, each at its JSON pointer; 0 for any of a list."""
    name = said.get("$ref", "")
    if name and name in within:
        return
    schema, within = _shared(document, said), (*within, name)
    yield place, schema
    for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from (each for each in _fields(document, part, place, within) if each[0] != place)
    for field, inner in schema.get("properties", {}).items():
        yield from _fields(document, inner, f"{place}/{field}", within)
    if "items" in schema:
        # Of a list of moments, the list is named.
        inside = f"{place}/0"
        yield from (each for each in _fields(document, schema["items"], inside, within) if each[0] != inside)


def _formats(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if "format" in schema:
            yield schema["format"]
        for inner in (*schema.get("anyOf", ()), schema.get("items")):
            yield from _formats(inner)


def test_a_day_is_taken_wherever_a_moment_is(service: Service) -> None:
    found = set(moments_alone(json.loads((OPENAPI / f"{service.name}.json").read_text())))
    assert found == set(MOMENTS_ALONE.get(service.name, ()))


def test_a_moment_alone_is_found() -> None:
    moment, day = {"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}
    schemas = {"a": moment, "b": {"anyOf": [moment, {"type": "null"}]}, "c": {"anyOf": [moment, day]}, "d": day}
    parameters = [{"name": name, "in": "query", "schema": schema} for name, schema in schemas.items()]
    parameters.append({"name": "e", "in": "header", "schema": moment})
    parameters.append({"$ref": "#/components/parameters/f"})
    shared = {"f": {"name": "f", "in": "query", "schema": moment}}
    document = {"paths": {"/v1/things": {"get": {"parameters": parameters}}}, "components": {"parameters": shared}}
    assert list(moments_alone(document)) == [f"GET /v1/things: {name}" for name in "abf"]


def test_a_moment_alone_is_found_in_a_body() -> None:
    moment, day = {"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}
    part = {"properties": {"at": moment, "whole": {"$ref": "#/components/schemas/Thing"}}}
    thing = {
        "properties": {
            "a": {"anyOf": [moment, {"type": "null"}]},
            "b": {"anyOf": [moment, day, {"type": "null"}]},
            "c": {"items": moment},
            "d": {"anyOf": [{"items": {"$ref": "#/components/schemas/Part"}}, {"type": "null"}]},
        }
    }
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}
    document = {
        "paths": {"/v1/things": {"post": {"requestBody": body}}},
        "components": {"schemas": {"Thing": thing, "Part": part}},
    }
    assert list(moments_alone(document)) == [f"POST /v1/things: {place}" for place in ("/a", "/c", "/d/0/at")]
