"""What holds of every value that comes in: it has one way to be written, and a text one spelling and nothing that is not seen."""

import json
import unicodedata
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, SecretStr, TypeAdapter, ValidationError

from invariants.operations import Operation
from invariants.subject import Findings, Subject
from tailrace.http.protocol.exact_json import decoded
from tailrace.transfer.bulk import BulkRoute

_UNSEEN = ("\x00", "\x1b", "\u200b", "\u202e", "\ufeff", "\ue000")
_OTHERWISE: Mapping[str, Sequence[str]] = {
    "integer": ("true", '"5"', "1.5", "1e2", "9" * 30, "NaN"),
    "number": ("true", '"1_000"', '"٣"', '" 5"', '"0x10"', '"1e3"', '"+5"', "NaN", "1e400", "[]"),
    "boolean": ('"yes"', '"true"', "1", "0"),
    "date-time": ("1700000000", '"1700000000"', '"2026-01-31T00:00:00"', '"2026-01-31"', '"2026-01-31 00:00Z"'),
    "date": ("20000", '"20000"', '"1699920000"', '"2026-01-31T00:00:00"', '"20260131"'),
    "uuid": ("7", '"0196b0a0000070008000000000000000"', '"{0196b0a0-0000-7000-8000-000000000000}"'),
}
"""JSON that is no value of a type, or that only some readers would take for one."""
_DAY, _OR_DAY = '"2026-01-31"', {"date", "date-time"}
"""Where a moment is meant a plain day may be, too, if the schema says so."""
_IN_QUERIES: Mapping[str, Sequence[str]] = {
    "integer": ("1_0", " 5", "٣", "+5", "5.0"),
    "boolean": ("yes", "1", "on", "TRUE"),
    "date-time": ("1700000000", "2026-01-31T00:00:00"),
    "date": ("1699920000", "20260131"),
    "uuid": ("0196b0a0000070008000000000000000",),
    "text": ("a\x00b",),
}

Place = tuple[str | int, ...]


async def what_comes_in_is_written_in_one_way(subject: Subject) -> Findings:
    """Numbers are plain decimals, times have zones, truth is true or false; a text is kept in NFC, without characters that nobody sees."""
    walked = await subject.walked()
    found: dict[str, None] = {}
    for step in walked.steps:
        if step.body is not None and step.done and step.operation.route is not None:
            found.update(dict.fromkeys(_in_body(step.operation, step.body)))
    client = walked.walker.client()
    for operation in walked.operations:
        if operation.method == "GET" and not operation.in_path:
            for name, value in _in_query(operation):
                answer = await client.get(operation.path, params={name: value})
                if answer.status_code not in {400, 422} or f'"field":"{name}"' not in answer.text:
                    found[f"{operation.name} takes {value!r} for {name}: {answer.status_code}"] = None
    return list(found)


def _in_query(operation: Operation) -> Iterator[tuple[str, str]]:
    for name, said in operation.parameters.items():
        if said["in"] == "query":
            kinds = set(_kinds(operation, said["schema"]))
            yield from (
                (name, value) for kind in kinds for value in _IN_QUERIES.get(kind, ()) if kinds in ({kind}, _OR_DAY)
            )


def _in_body(operation: Operation, body: Any) -> Iterator[str]:
    route = operation.route
    assert route is not None and route.body_field is not None
    annotation: Any = route.body_field.field_info.annotation
    schema = operation.said["requestBody"]["content"]["application/json"]["schema"]
    if isinstance(route, BulkRoute):
        # Each item is checked by itself.
        annotation, body = route.item, body["items"][0]
        schema = operation.resolved(schema)["properties"]["items"]["items"]
    model: TypeAdapter[Any] = TypeAdapter(annotation)
    for place, kinds in _places(operation, schema, body, ()):
        name = f"{operation.name}: /{'/'.join(map(str, place))}"
        for kind in kinds:
            for other in _otherwise(kind, kinds):
                if not _refused(model, _with(body, place, decoded(other.encode())), place):
                    yield f"{name} takes {other}"
        if "text" in kinds:
            given = _at(body, place)
            for unseen in _UNSEEN:
                if not _refused(model, _with(body, place, _inserted(given, unseen)), place):
                    yield f"{name} takes U+{ord(unseen):04X}"
            kept = _kept(model, _with(body, place, _inserted(given, "e\u0301")), place)
            if kept is not None and not unicodedata.is_normalized("NFC", kept):
                yield f"{name} keeps e and an accent as two characters"


def _otherwise(kind: str, kinds: Container[str]) -> Iterator[str]:
    """What is no value of the kind, nor of another that the place takes."""
    return (other for other in _OTHERWISE.get(kind, ()) if other != _DAY or "date" not in kinds)


def _places(operation: Operation, schema: Any, body: Any, place: Place) -> Iterator[tuple[Place, set[str]]]:
    """The values inside of a body, those too that the schema knows and the body leaves out, with what they may be."""
    kinds = set(_kinds(operation, schema))
    if place and kinds:
        yield place, kinds
    for part in _parts(operation, schema):
        for name, inner in part.get("properties", {}).items():
            yield from _places(operation, inner, body.get(name) if isinstance(body, dict) else None, (*place, name))
        if "items" in part and isinstance(body, list) and body:
            yield from _places(operation, part["items"], body[0], (*place, 0))


def _parts(operation: Operation, schema: Any) -> Iterator[Any]:
    schema = operation.resolved(schema)
    for part in schema.get("anyOf", schema.get("oneOf", [schema])):
        yield operation.resolved(part)


def _kinds(operation: Operation, schema: Any) -> Iterator[str]:
    parts = list(_parts(operation, schema))
    types = {part.get("type") for part in parts}
    for part in parts:
        if "enum" in part or "const" in part or part.get("type") in {"null", "object", "array", None}:
            continue
        if part["type"] == "string" and "number" not in types:
            yield {"date-time": "date-time", "date": "date", "uuid": "uuid"}.get(part.get("format", ""), "text")
        elif part["type"] != "string":
            yield part["type"]


def _refused(model: TypeAdapter[Any], body: Any, place: Place) -> bool:
    """Whether something is said of the value at that place, whatever else is."""
    try:
        model.validate_python(_as_sent(body), from_attributes=True)
    except ValidationError as error:
        return any(each["loc"][: len(place)] == place for each in error.errors())
    return False


def _kept(model: TypeAdapter[Any], body: Any, place: Place) -> str | None:
    """The text that is made of the one at that place; None when the body is refused."""
    try:
        made: Any = model.validate_python(_as_sent(body), from_attributes=True)
    except ValidationError:
        return None
    for part in place:
        made = made[part] if isinstance(part, int) else getattr(made, _attribute(made, part))
    return made.get_secret_value() if isinstance(made, SecretStr) else made


def _attribute(model: BaseModel, name: str) -> str:
    return next((own for own, field in type(model).model_fields.items() if name in {own, field.alias}), name)


def _as_sent(body: Any) -> Any:
    """The body with the values that only `decoded` makes as they are, and everything else as a client's JSON would give it."""
    if isinstance(body, dict):
        return {name: _as_sent(value) for name, value in body.items()}
    if isinstance(body, list):
        return [_as_sent(value) for value in body]
    return decoded(json.dumps(body).encode()) if isinstance(body, float) else body


def _inserted(given: Any, what: str) -> str:
    text = given if isinstance(given, str) and given else "ab"
    return f"{text[:1]}{what}{text[1:]}"


def _at(body: Any, place: Place) -> Any:
    for part in place:
        if isinstance(body, dict):
            body = body.get(part)
        elif isinstance(body, list) and isinstance(part, int) and part < len(body):
            body = body[part]
        else:
            return None
    return body


def _with(body: Any, place: Place, value: Any) -> Any:
    if not place:
        return value
    part, *rest = place
    if isinstance(part, int):
        inside = list(body)
        inside[part] = _with(inside[part], tuple(rest), value)
        return inside
    inside_of = dict(body) if isinstance(body, dict) else {}
    return {**inside_of, part: _with(inside_of.get(part), tuple(rest), value)}
