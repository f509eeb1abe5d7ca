"""Where a service takes a moment to look something up by, it takes a plain day of the company's too."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tailrace.service import Service

OPENAPI = Path(__file__).parents[2] / "contracts/src/contracts/openapi"
Document = dict[str, Any]


def moments_alone(document: Document) -> Iterator[str]:
    """The query parameters that take a moment and no day."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for said in operation.get("parameters", ()):
                parameter = _shared(document, said)
                formats = set(_formats(parameter.get("schema", {})))
                if parameter.get("in") == "query" and "date-time" in formats and "date" not in formats:
                    yield f"{method.upper()} {path}: {parameter['name']}"


def _shared(document: Document, said: dict[str, Any]) -> dict[str, Any]:
    """A parameter that several operations have stands apart from them."""
    if "$ref" not in said:
        return said
    found: dict[str, Any] = document["components"]["parameters"][said["$ref"].rpartition("/")[2]]
    return found


def _formats(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if "format" in schema:
            yield schema["format"]
        for inner in (*schema.get("anyOf", ()), schema.get("items")):
            yield from _formats(inner)


def test_a_day_is_taken_wherever_a_moment_is(service: Service) -> None:
    assert list(moments_alone(json.loads((OPENAPI / f"{service.name}.json").read_text()))) == []


def test_a_moment_alone_is_found() -> None:
    moment, day = {"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}
    schemas = {"a": moment, "b": {"anyOf": [moment, {"type": "null"}]}, "c": {"anyOf": [moment, day]}, "d": day}
    parameters = [{"name": name, "in": "query", "schema": schema} for name, schema in schemas.items()]
    parameters.append({"name": "e", "in": "header", "schema": moment})
    parameters.append({"$ref": "#/components/parameters/f"})
    shared = {"f": {"name": "f", "in": "query", "schema": moment}}
    document = {"paths": {"/v1/things": {"get": {"parameters": parameters}}}, "components": {"parameters": shared}}
    assert list(moments_alone(document)) == [f"GET /v1/things: {name}" for name in "abf"]
