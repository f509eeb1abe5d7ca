"""What the OpenAPI document of a service says beyond what FastAPI reads off signatures: every status, header and scope that a client can meet.

FastAPI knows the answer of an endpoint. What stands before it and around it (tokens, keys, preconditions, limits, the database) is known here.
"""

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, get_type_hints

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from tailrace.core.errors import FieldProblem
from tailrace.core.manifest import OWN, TEAM
from tailrace.db.models import Part
from tailrace.http.auth import SCHEME, scopes_of
from tailrace.http.files.exports import CSV, XLSX, view_of
from tailrace.http.files.paper import is_file
from tailrace.http.masks import SAID as MASKED
from tailrace.http.protocol.problem_details import MEDIA_TYPE, ProblemView
from tailrace.http.routing import TenantRoute, has_version

Document = dict[str, Any]

REFUSALS: Mapping[int, str] = {
    400: "A header or parameter is missing, malformed or unknown.",
    401: "No token, or none that counts.",
    403: "The token lacks a scope.",
    404: "No such thing, or another tenant's.",
    405: "The path takes other methods, which `Allow` names.",
    408: "The request stopped arriving.",
    409: "Not possible in this state, or the first request with this key is still under way.",
    410: "What it led to is not there any more.",
    412: "It changed since the version that `If-Match` names.",
    413: "The body is too large.",
    414: "The path and query are too long.",
    415: "The body is of another media type than this takes.",
    416: "Nothing of what `Range` asks for is there.",
    422: "The request is well-formed and not valid, or its key belongs to another request.",
    429: "The allowance is used up.",
    431: "The headers are too large.",
    500: "Something went wrong that nobody foresaw.",
    502: "The service broke off before it answered.",
    503: "Not available at the moment; nothing was done.",
    504: "The service did not answer in time.",
}
"""Every status that an answer can have besides the good ones, and what it means."""
HEADERS: Mapping[str, tuple[str, str]] = {
    "Accept": ("The media type that the body is taken in.", "string"),
    "Accept-Encoding": ("Empty: a body is taken in no coding.", "string"),
    "Accept-Ranges": ("`bytes`: a part can be asked for by `Range`.", "string"),
    "Allow": ("The methods that the path takes.", "string"),
    "Content-Disposition": ("That it is to be saved, and under which name (RFC 6266).", "string"),
    "Content-Range": ("Which part of it this is, and how much there is.", "string"),
    "ETag": ("The version shown, to be sent back as `If-Match` or `If-None-Match`.", "string"),
    "Idempotency-Replayed": ("`true` when this is the answer to an earlier request with the same key.", "string"),
    "Location": ("Where the new thing is shown.", "string"),
    "RateLimit": ("How much of the allowance is left, and until when.", "string"),
    "RateLimit-Policy": ("The allowance as it is granted.", "string"),
    "Retry-After": ("After how many seconds to ask again.", "integer"),
    "Tailrace-Event": ("The events that were recorded, to be sent as `Tailrace-After`.", "string"),
    "Tailrace-Freshness": (
        "How fresh a file of rows is: what `freshness` says in JSON, in brief, as a dictionary of RFC 9651.",
        "string",
    ),
    "WWW-Authenticate": ("How to show who asks (RFC 6750).", "string"),
    "X-Request-Id": ("By which the logs know the request, and the events that followed.", "string"),
}
_OF_REFUSALS: Mapping[int, tuple[str, ...]] = {
    401: ("WWW-Authenticate",),
    405: ("Allow",),
    409: ("Retry-After",),
    415: ("Accept", "Accept-Encoding"),
    416: ("Accept-Ranges", "Content-Range"),
    429: ("Retry-After",),
    502: ("Retry-After",),
    503: ("Retry-After",),
}
_OF_EVERY = (400, 405, 422, 500, 503)
_OF_TOKENS = (401, 403)
_OF_PATHS = (404,)
_OF_WRITES = (404, 409)
_OF_BODIES = (413, 415)
_NOT_MODIFIED = "304"
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag last seen; 304 without a body while it is still the current one.",
    "schema": {"type": "string"},
}
_ID = "From the answer that created it, or from a list."


def complete(document: Document, routes: Iterable[BaseRoute]) -> None:
    """Change FastAPI's document of `routes` so that it says everything, and nothing twice."""
    shown = [route for route in routes if isinstance(route, APIRoute) and route.include_in_schema]
    for route in shown:
        for method in route.methods or ():
            _complete(document["paths"][route.path_format][method.lower()], route, method)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for model in (ProblemView, FieldProblem):
        schemas[model.__name__] = _schema_of(model)
    for item, body in ((route.item, _body_of(document, route)) for route in shown if hasattr(route, "item")):
        schemas[body]["properties"]["items"]["items"] = {"$ref": f"#/components/schemas/{item.__name__}"}
        described = item.model_json_schema(ref_template="#/components/schemas/{model}")
        for name, schema in {**described.pop("$defs", {}), item.__name__: described}.items():
            schemas.setdefault(name, schema)
    for left in ("HTTPValidationError", "ValidationError"):
        schemas.pop(left, None)
    document["components"]["headers"] = _headers_of(document)
    tags = {str(route.tags[0]): about for route in shown if route.tags and (about := getattr(route, "about", ""))}
    document["tags"] = [{"name": name, "description": tags[name]} for name in sorted(tags)]
    _tidy(document)


def _body_of(document: Document, route: APIRoute) -> str:
    """The name of what a route takes."""
    operation = document["paths"][route.path_format]["post"]
    reference: str = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    return reference.rpartition("/")[2]


def refusal(status: int) -> Document:
    """The declaration of one."""
    return {
        "description": REFUSALS[status],
        "headers": headers("X-Request-Id", *_OF_REFUSALS.get(status, ())),
        "content": {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{ProblemView.__name__}"}}},
    }


def headers(*names: str) -> Document:
    """References to what `header` declares."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def header(name: str) -> Document:
    says, kind = HEADERS[name]
    return {"description": says, "schema": {"type": kind}}


def _complete(operation: Document, route: APIRoute, method: str) -> None:
    is_tenants, writes = isinstance(route, TenantRoute), method not in {"GET", "HEAD"}
    if is_tenants:
        operation["security"] = list(_security(route))
    _describe_parameters(operation)
    for body in operation.get("requestBody", {}).get("content", {}).values():
        body["schema"] = _but_null(body["schema"])
    tagged = is_tenants and (_shows_version(route) or (not writes and is_file(route.response_class)))
    statuses = {*_OF_EVERY}
    statuses |= {*_OF_TOKENS} if is_tenants else set()
    statuses |= {*_OF_PATHS} if "{" in route.path else set()
    statuses |= {*_OF_WRITES} if writes and is_tenants else set()
    statuses |= {*_OF_BODIES} if "requestBody" in operation else set()
    if is_tenants and method in {"PUT", "PATCH", "DELETE"}:
        statuses.add(412)
    if any(parameter["name"].lower() == "if-match" for parameter in operation.get("parameters", ())):
        statuses.add(412)
    declared = operation["responses"]
    if not writes and is_tenants and view_of(route.response_model) is not None:
        declared["200"]["content"][CSV] = {"schema": {"type": "string"}}
        declared["200"]["content"][XLSX] = {"schema": {"type": "string", "format": "binary"}}
    for status, answer in declared.items():
        if _is_good(status):
            _complete_answer(answer, status, route, writes, tagged)
        else:
            statuses.add(int(status))
    good = {status: answer for status, answer in declared.items() if _is_good(status)}
    if tagged and not writes:
        good[_NOT_MODIFIED] = {
            "description": "It is what `If-None-Match` names.",
            "headers": headers("ETag", "X-Request-Id"),
        }
        _add_parameter(operation, _IF_NONE_MATCH)
    operation["responses"] = {**good, **{str(status): refusal(status) for status in sorted(statuses)}}


def _is_good(status: str) -> bool:
    return status.startswith("2") or status == _NOT_MODIFIED


def _security(route: APIRoute) -> Iterator[Document]:
    """What a token must have: everything of one of these. A scope that comes by owner shows the fewer rows the narrower it is."""
    asked = scopes_of(route)
    yield {SCHEME: sorted(scope.name for scope in asked)}
    if any(scope.by_owner for scope in asked):
        for reach in (TEAM, OWN):
            yield {SCHEME: sorted(f"{scope.name}:{reach}" if scope.by_owner else scope.name for scope in asked)}


def _complete_answer(answer: Document, status: str, route: APIRoute, writes: bool, tagged: bool) -> None:
    names = ["X-Request-Id"]
    if isinstance(route, TenantRoute) and writes:
        names += ["Idempotency-Replayed", "Tailrace-Event"]
        names += ["Location"] if status in {"201", "202"} else []
    names += ["ETag"] if tagged else []
    names += ["ETag"] if status == _NOT_MODIFIED else getattr(route, "shows", ())
    names += ["Content-Range"] if status == "206" else []
    names += ["Content-Disposition"] if any(map(_is_saved, answer.get("content", ()))) else []
    # What a page says in its body, a file of all rows cannot.
    names += ["Tailrace-Freshness"] if CSV in answer.get("content", ()) and _is_stamped(route.response_model) else []
    answer["headers"] = headers(*sorted(names))
    if answer["description"] == "Successful Response":
        answer["description"] = HTTPStatus(int(status)).phrase


def _is_stamped(model: Any) -> bool:
    return "freshness" in getattr(model, "model_fields", ())


def _is_saved(kind: str) -> bool:
    """Whether what is of this media type comes as a file: all but JSON as one value (RFC 6839); lines of it, `application/x-ndjson`, do."""
    return not kind.endswith(("/json", "+json"))


def _shows_version(route: APIRoute) -> bool:
    answered = get_type_hints(route.endpoint).get("return")
    return has_version(route.response_model) or (isinstance(answered, type) and issubclass(answered, Part))


def _but_null(schema: Document) -> Document:
    """Without null, which no query or header can hold, and which a body that may be left out need not be."""
    branches = [branch for branch in schema.get("anyOf", ()) if branch.get("type") != "null"]
    if len(branches) != 1:
        return schema
    more = {} if "$ref" in branches[0] else {key: value for key, value in schema.items() if key != "anyOf"}
    return {**branches[0], **more}


def _describe_parameters(operation: Document) -> None:
    """With what each means; without null."""
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _but_null(parameter["schema"])
        if "description" in parameter:
            parameter["schema"].pop("description", None)
        elif said := _meaning(parameter["schema"]):
            parameter["description"] = said
        elif parameter["in"] == "path":
            parameter["description"] = _ID


def _add_parameter(operation: Document, added: Document) -> None:
    parameters = operation.setdefault("parameters", [])
    if not any(each["name"].lower() == added["name"].lower() for each in parameters):
        parameters.append(added)


def _schema_of(model: type[Any]) -> Document:
    schema: Document = model.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return schema


def _headers_of(document: Document) -> Document:
    used = {name for node in _nodes(document["paths"]) for name in node.get("headers", ()) if name in HEADERS}
    return {name: header(name) for name in sorted(used)}


def _tidy(document: Document) -> None:
    """Without the titles that are made of names, and with what a type means where the field stands: a description inside a union is not seen."""
    for schema in _schemas(document):
        schema.pop("title", None)
        for each in schema.get("properties", {}).values():
            if "description" not in each and (said := _meaning(each)):
                each["description"] = said
        for each in schema.get("properties", {}).values():
            if scope := each.get(MASKED):
                each["description"] = f"{each.get('description', '')} Left out without the scope `{scope}`.".lstrip()
    for schema in _schemas(document):
        if "description" in schema:
            for branch in schema.get("anyOf", ()):
                branch.pop("description", None)


def _meaning(schema: Document) -> str | None:
    """Its own, or that of the one thing that it may be besides null."""
    if "description" in schema:
        return str(schema.pop("description"))
    branches = [branch for branch in schema.get("anyOf", ()) if branch.get("type") != "null"]
    return _meaning(branches[0]) if len(branches) == 1 else None


def _nodes(node: Any) -> Iterator[Document]:
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from _nodes(child)
    elif isinstance(node, list):
        for child in node:
            yield from _nodes(child)


def _schemas(document: Document) -> Iterator[Document]:
    """Every schema, those inside others included."""
    for schema in document["components"]["schemas"].values():
        yield from _within(schema)
    for operation in (operation for item in document["paths"].values() for operation in item.values()):
        holders = [*operation.get("parameters", ()), *operation.get("requestBody", {}).get("content", {}).values()]
        for answer in operation["responses"].values():
            holders += answer.get("content", {}).values()
        for holder in holders:
            if "schema" in holder:
                yield from _within(holder["schema"])


def _within(schema: Any) -> Iterator[Document]:
    if not isinstance(schema, dict):
        return
    yield schema
    inner = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]
    inner += [schema.get("items"), schema.get("additionalProperties")]
    for branches in ("anyOf", "oneOf", "allOf", "prefixItems"):
        inner += schema.get(branches, [])
    for each in inner:
        yield from _within(each)
