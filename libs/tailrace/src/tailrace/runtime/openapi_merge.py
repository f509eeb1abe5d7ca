"""One OpenAPI 3.1 document for the whole fleet: every path of every service as the edge offers it, and no name in it for two things.

A schema's name becomes a class of every client, so it is one thing's in the whole fleet. What else operations share keeps its plain name where
all services mean the same by it, and is called by its service's where they do not.
"""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tailrace.core.errors import Problem
from tailrace.core.operator_error import OperatorError
from tailrace.core.screens import Screen
from tailrace.http import openapi
from tailrace.runtime.openapi_screens import screens_document

EDGE = "edge"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
PROBLEMS = "x-problem-types"
_EDGE_REFUSES = (408, 413, 414, 429, 431, 502, 503, 504)
"""On every path, whether or not the operation takes a body: it looks at what comes before it looks for whom it is."""
_EDGE_SAYS = ("RateLimit", "RateLimit-Policy")

Document = dict[str, Any]
_TYPE = "urn:tailrace:problem:"


def merge_openapi(
    documents: Mapping[str, Document], screens: Sequence[Screen] = (), *, title: str = "Tailrace"
) -> Document:
    """The documents, by service name, as one, with the screens that are made of them. The arguments are left as they are.

    `x-problem-types` lists the refusals of all, with those of this process; the description shows them to people.

    Raises OperatorError when two services declare one operation, one operation id, or schemas of one name differently, and ValueError for a
    screen of what none offers.
    """
    if screens:
        documents = {**documents, EDGE: screens_document(screens, documents)}
    shared = _shared(documents)
    merged: Document = {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1", "description": "Every path of every service, as the edge offers it."},
        "servers": [{"url": "/", "description": "Where this document comes from."}],
        "tags": [],
        "paths": {},
        "components": {},
    }
    operation_ids: dict[str, str] = {}
    owners: dict[tuple[str, str], str] = {}
    clashes: list[str] = []
    tags: dict[str, Document] = {}
    for service, document in sorted(documents.items()):
        renamed = _renamed(document, service, shared)
        for path, item in renamed.get("paths", {}).items():
            _note_operations(path, item, service, operation_ids)
            _add_path(merged["paths"], path, item)
        for kind, members in renamed.get("components", {}).items():
            known = merged["components"].setdefault(kind, {})
            for name, member in sorted(members.items()):
                owner = owners.setdefault((kind, name), service)
                if known.setdefault(name, member) != member:
                    clashes.append(f"{name} of {service} is not {name} of {owner}")
        tags |= {tag["name"]: tag for tag in document.get("tags", ())}
    if clashes:
        raise OperatorError(
            "; ".join(clashes), "a name is one thing's in the whole fleet: call one of each two something else"
        )
    merged["paths"] = dict(sorted(merged["paths"].items()))
    _add_edge(merged)
    merged["tags"] = [tags.get(name, {"name": name}) for name in sorted(set(_tags(merged["paths"])))]
    merged[PROBLEMS] = _all_problem_types(documents)
    merged["info"]["description"] += _for_people(merged[PROBLEMS])
    return merged


def _shared(documents: Mapping[str, Document]) -> frozenset[tuple[str, str]]:
    """(kind, name) of the components, other than schemas, that are the same wherever they are."""
    found: dict[tuple[str, str], list[Any]] = {}
    for document in documents.values():
        for kind, members in document.get("components", {}).items():
            for name, member in members.items():
                found.setdefault((kind, name), []).append(member)
    return frozenset(key for key, members in found.items() if all(each == members[0] for each in members))


def _add_edge(merged: Document) -> None:
    """What the edge refuses and says by itself, on every path."""
    components = merged["components"]
    for operation in (item[method] for item in merged["paths"].values() for method in METHODS if method in item):
        declared = operation.setdefault("responses", {})
        missing = [status for status in _EDGE_REFUSES if str(status) not in declared]
        for status in missing:
            declared[str(status)] = {"$ref": f"#/components/responses/Edge{status}"}
            components.setdefault("responses", {})[f"Edge{status}"] = openapi.refusal(status)
        operation["responses"] = dict(sorted(declared.items()))
        for answer in (answer for answer in declared.values() if "$ref" not in answer):
            answer["headers"] = {**answer.get("headers", {}), **openapi.headers(*_EDGE_SAYS)}
    for answer in components.get("responses", {}).values():
        answer["headers"] = {**answer.get("headers", {}), **openapi.headers(*_EDGE_SAYS)}
        for name in answer["headers"].keys() & openapi.HEADERS.keys():
            components.setdefault("headers", {}).setdefault(name, openapi.header(name))
    for kind in components:
        components[kind] = dict(sorted(components[kind].items()))


def _all_problem_types(documents: Mapping[str, Document]) -> list[dict[str, Any]]:
    known = [*problem_types(), *(each for name in sorted(documents) for each in documents[name].get(PROBLEMS, ()))]
    by_kind: dict[tuple[int, str], dict[str, Any]] = {}
    for each in known:
        by_kind.setdefault((each["status"], each["type"]), each)
    return [by_kind[kind] for kind in sorted(by_kind)]


def _for_people(kinds: Sequence[Mapping[str, Any]]) -> str:
    """Every kind of refusal as a section in Markdown, which reference pages show."""
    rows = [
        f"| {kind['status']} | `{kind['type'].removeprefix(_TYPE)}` | **{kind['title']}**: {kind['description']} |"
        for kind in kinds
    ]
    intro = (
        f"Every refusal is `application/problem+json` (RFC 9457). Its `type` is `{_TYPE}` and one of these; `errors` names the fields at "
        "fault, and `request_id` finds it in the logs."
    )
    return "\n".join(["", "", "# Problem types", "", intro, "", "| Status | Type | Meaning |", "|---|---|---|", *rows])


def problem_types(package: str | None = None) -> list[dict[str, Any]]:
    """Every kind of refusal that is declared by now, or by one package, by status and slug: `type`, `title`, `status` and what it means."""
    found: dict[tuple[int, str], dict[str, Any]] = {}
    for kind in _subclasses(Problem):
        if package is not None and kind.__module__.partition(".")[0] != package:
            continue
        if not kind.__name__.startswith("_"):
            meaning = (inspect.cleandoc(kind.__doc__ or "").splitlines() or [""])[0]
            found.setdefault(
                (kind.status, kind.slug),
                {
                    "type": f"{_TYPE}{kind.slug}",
                    "title": kind.title,
                    "status": kind.status,
                    "description": meaning.removeprefix(f"{kind.status}: "),
                },
            )
    return [problem for _, problem in sorted(found.items())]


def _subclasses(kind: type[Problem]) -> Iterator[type[Problem]]:
    for sub in sorted(kind.__subclasses__(), key=lambda sub: (sub.__module__, sub.__qualname__)):
        yield sub
        yield from _subclasses(sub)


def _renamed(document: Document, service: str, shared: frozenset[tuple[str, str]]) -> Document:
    """A deep copy in which components that are not shared carry the service's name, and references follow them."""

    def name_of(kind: str, name: str) -> str:
        # Security requirements name their scheme without a reference.
        plain = kind in {"schemas", "securitySchemes"} or (kind, name) in shared
        return name if plain else f"{service}.{name}"

    def reference(target: Any) -> Any:
        if not isinstance(target, str) or not target.startswith("#/components/"):
            return target
        _, _, kind, name = target.split("/", 3)
        return f"#/components/{kind}/{name_of(kind, name)}"

    def followed(node: Any) -> Any:
        if isinstance(node, list):
            return [followed(child) for child in node]
        if not isinstance(node, dict):
            return node
        copy = {}
        for key, child in node.items():
            if key == "$ref":
                copy[key] = reference(child)
            elif key == "discriminator" and isinstance(child, dict) and isinstance(child.get("mapping"), dict):
                copy[key] = {**child, "mapping": {name: reference(target) for name, target in child["mapping"].items()}}
            else:
                copy[key] = followed(child)
        return copy

    copy: Document = followed(document)
    copy["components"] = {
        kind: {name_of(kind, name): followed(member) for name, member in members.items()}
        for kind, members in document.get("components", {}).items()
    }
    return copy


def _note_operations(path: str, item: Document, service: str, operation_ids: dict[str, str]) -> None:
    for method in METHODS:
        operation = item.get(method)
        if operation is None:
            continue
        operation.setdefault("tags", [service])
        operation["x-service"] = service
        name = operation.get("operationId")
        if name is not None and operation_ids.setdefault(name, f"{method} {path}") != f"{method} {path}":
            raise OperatorError(
                f"{operation_ids[name]} and {method} {path} are both called {name}",
                "an operation is called after its function and its tag: give one of them another name",
            )


def _add_path(paths: Document, path: str, item: Document) -> None:
    known = paths.setdefault(path, {})
    for key, value in item.items():
        if key in known and known[key] != value:
            raise OperatorError(f"{key} {path} is declared twice", "take one of the two routes out, or change its path")
        known[key] = value


def _tags(paths: Document) -> Iterator[str]:
    for item in paths.values():
        for method in METHODS:
            yield from item.get(method, {}).get("tags", ())
