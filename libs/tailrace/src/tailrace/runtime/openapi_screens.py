"""The OpenAPI document of the screens: each a read whose answer is made of what the fleet's own documents say of its parts."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from tailrace.core.screens import Part, Screen
from tailrace.http import openapi
from tailrace.http.auth import SCHEME

Document = dict[str, Any]
PREFIX = "/v1/screens"
_TAG = "screens"
_JSON = "application/json"
_REFUSES = (400, 401, 403, 404, 405, 422, 500, 503)
_ONE = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "Of the thing that the screen shows.",
    "schema": {"type": "string", "format": "uuid"},
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag last seen; 304 without a body while it is still the current one.",
    "schema": {"type": "string"},
}
_AFTER = {
    "name": "Tailrace-After",
    "in": "header",
    "required": False,
    "description": "What `Tailrace-Event` said of a write: the answer has seen it, or is a 503 of the part that has not.",
    "schema": {"type": "string", "maxLength": 65536},
}
_LINK = {
    "type": "object",
    "description": "Where a screen leads.",
    "required": ["screen", "id", "href"],
    "properties": {
        "screen": {"type": "string", "description": "The screen's name."},
        "id": {"type": "string", "format": "uuid", "description": "Of the thing that it shows."},
        "href": {"type": "string", "description": "Its path."},
    },
}
_LEFT_OUT = {
    "type": "object",
    "description": "A part that is not shown, and why.",
    "required": ["part", "status", "type", "title"],
    "properties": {
        "part": {"type": "string", "description": "Its name."},
        "status": {"type": "integer", "description": "What its service answered: 403 where the token does not reach."},
        "type": {"type": "string", "description": "The kind of refusal."},
        "title": {"type": "string", "description": "The refusal in words."},
    },
}
_DIRECTORY = {
    "type": "object",
    "description": "A screen there is.",
    "required": ["screen", "says", "path", "parts", "links"],
    "properties": {
        "screen": {"type": "string", "description": "Its name."},
        "says": {"type": "string", "description": "What it shows."},
        "path": {"type": "string", "description": "Where it is; `{id}` is that of the thing it shows."},
        "parts": {"type": "array", "items": {"type": "string"}, "description": "What it is made of, by name."},
        "links": {"type": "array", "items": {"type": "string"}, "description": "The screens that it leads to."},
    },
}


def path_of(screen: Screen) -> str:
    return f"{PREFIX}/{screen.name}" + ("/{id}" if screen.of_one else "")


def screens_document(screens: Sequence[Screen], documents: Mapping[str, Document]) -> Document:
    """The document of all screens. Raises ValueError for a part that no service offers as it is asked for."""
    schemas: Document = {"ScreenTarget": _LINK, "ScreenPartLeftOut": _LEFT_OUT, "ScreenEntry": _DIRECTORY}
    listed = {"type": "array", "items": {"$ref": "#/components/schemas/ScreenEntry"}}
    paths: Document = {PREFIX: {"get": _operation("list", "Every screen there is, and where each leads.", listed, [])}}
    for screen in screens:
        name = f"{''.join(word.capitalize() for word in screen.name.split('_'))}Screen"
        schemas[name] = _answer(screen, documents)
        parameters = [_ONE, _AFTER] if screen.of_one else [_AFTER]
        shown = {"$ref": f"#/components/schemas/{name}"}
        paths[path_of(screen)] = {"get": _operation(f"read_{screen.name}", screen.says, shown, parameters)}
    return {
        "openapi": "3.1.0",
        "paths": paths,
        "tags": [{"name": _TAG, "description": "What a screen of the business shows, in one call."}],
        "components": {"schemas": schemas},
    }


def _answer(screen: Screen, documents: Mapping[str, Document]) -> Document:
    parts = {part.name: _schema(screen, part, documents) for part in screen.parts}
    listed = {"type": "array", "items": {"$ref": "#/components/schemas/ScreenTarget"}}
    out = {"type": "array", "items": {"$ref": "#/components/schemas/ScreenPartLeftOut"}}
    return {
        "type": "object",
        "description": screen.says,
        "required": ["screen", "parts", "left_out", "links"],
        "properties": {
            "screen": {"const": screen.name, "type": "string", "description": "Its name."},
            "parts": {
                "type": "object",
                "description": "What its services answered, by part.",
                "required": [screen.parts[0].name] if screen.of_one else [],
                "properties": parts,
            },
            "left_out": {**out, "description": "Parts that are not among them, and why."},
            "links": {**listed, "description": "Where it leads from here."},
        },
    }


def _schema(screen: Screen, part: Part, documents: Mapping[str, Document]) -> Document:
    """What the part's service says of the answer."""
    for document in documents.values():
        operation = document.get("paths", {}).get(part.path, {}).get("get")
        if operation is not None:
            taken = {_parameter(each, document)["name"] for each in operation.get("parameters", ())}
            asked = {name for name, _ in parse_qsl(part.query, keep_blank_values=True)}
            if unknown := sorted(asked - taken):
                raise ValueError(f"{part.path} of the screen {screen.name} takes no {unknown[0]}")
            schema: Document = operation["responses"]["200"]["content"][_JSON]["schema"]
            return schema
    raise ValueError(f"no service offers {part.path} of the screen {screen.name}")


def _parameter(parameter: Document, document: Document) -> Document:
    name = parameter.get("$ref", "").removeprefix("#/components/parameters/")
    found: Document = document["components"]["parameters"][name] if name else parameter
    return found


def _operation(name: str, says: str, schema: Document, parameters: Sequence[Document]) -> Document:
    good = {
        "200": {
            "description": "OK",
            "headers": openapi.headers("ETag", "X-Request-Id"),
            "content": {_JSON: {"schema": schema}},
        },
        "304": {"description": "It is what `If-None-Match` names.", "headers": openapi.headers("ETag", "X-Request-Id")},
    }
    return {
        "tags": [_TAG],
        "operationId": f"screens.{name}",
        "summary": name.replace("_", " ").capitalize(),
        "description": says,
        "security": [{SCHEME: []}],
        "parameters": [*parameters, _IF_NONE_MATCH],
        "responses": {**good, **{str(status): openapi.refusal(status) for status in _REFUSES}},
    }
