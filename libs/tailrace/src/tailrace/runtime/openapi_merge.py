"""One OpenAPI 3.1 document for the whole fleet: every path of every service, and no component of one mistaken for another's."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tailrace.core.errors import FieldProblem, Problem
from tailrace.http.problem_details import ProblemView

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
PROBLEMS = "x-problem-types"
_SHARED = frozenset({ProblemView.__name__, FieldProblem.__name__})
"""Components that the kit itself declares: one and the same in every service, so they keep their plain names."""

Document = dict[str, Any]
_TYPE = "urn:tailrace:problem:"


def merge_openapi(documents: Mapping[str, Document], *, title: str = "Tailrace") -> Document:
    """The documents, by service name, as one; a component `X` of `orders` becomes `orders.X`. The arguments are left as they are.

    `x-problem-types` lists the refusals of all, with those of this process; the description shows them to people.

    Raises ValueError when two services declare one operation, one
    operation id, or a shared component differently.
    """
    merged: Document = {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1", "description": "Every path of every service, as the edge offers it."},
        "tags": [],
        "paths": {},
        "components": {},
    }
    operation_ids: dict[str, str] = {}
    for service, document in sorted(documents.items()):
        renamed = _renamed(document, service)
        for path, item in renamed.get("paths", {}).items():
            _note_operations(path, item, service, operation_ids)
            _add_path(merged["paths"], path, item)
        for kind, members in renamed.get("components", {}).items():
            _add_components(merged["components"].setdefault(kind, {}), members, service)
    merged["paths"] = dict(sorted(merged["paths"].items()))
    merged["tags"] = [{"name": name} for name in sorted(set(_tags(merged["paths"])))]
    merged[PROBLEMS] = _all_problem_types(documents)
    merged["info"]["description"] += _for_people(merged[PROBLEMS])
    return merged


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


def _renamed(document: Document, service: str) -> Document:
    """A deep copy in which components carry the service's name, and references follow them."""
    copy: Document = _followed(document, service)
    components = document.get("components", {})
    copy["components"] = {kind: _components(kind, members, service) for kind, members in components.items()}
    return copy


def _followed(node: Any, service: str) -> Any:
    if isinstance(node, list):
        return [_followed(child, service) for child in node]
    if not isinstance(node, dict):
        return node
    copy = {}
    for key, child in node.items():
        if key == "$ref":
            copy[key] = _reference(child, service)
        elif key == "discriminator" and isinstance(child, dict) and isinstance(child.get("mapping"), dict):
            targets = {name: _reference(target, service) for name, target in child["mapping"].items()}
            copy[key] = {**child, "mapping": targets}
        else:
            copy[key] = _followed(child, service)
    return copy


def _components(kind: str, members: Document, service: str) -> Document:
    return {_component_name(kind, name, service): _followed(member, service) for name, member in members.items()}


def _component_name(kind: str, name: str, service: str) -> str:
    # Security requirements name their scheme without a reference, and every service has the same one.
    return name if kind == "securitySchemes" or name in _SHARED else f"{service}.{name}"


def _reference(target: Any, service: str) -> Any:
    if not isinstance(target, str) or not target.startswith("#/components/"):
        return target
    _, _, kind, name = target.split("/", 3)
    return f"#/components/{kind}/{_component_name(kind, name, service)}"


def _note_operations(path: str, item: Document, service: str, operation_ids: dict[str, str]) -> None:
    for method in METHODS:
        operation = item.get(method)
        if operation is None:
            continue
        operation.setdefault("tags", [service])
        operation["x-service"] = service
        name = operation.get("operationId")
        if name is not None and operation_ids.setdefault(name, f"{method} {path}") != f"{method} {path}":
            raise ValueError(f"{operation_ids[name]} and {method} {path} are both called {name}")


def _add_path(paths: Document, path: str, item: Document) -> None:
    known = paths.setdefault(path, {})
    for key, value in item.items():
        if key in known and known[key] != value:
            raise ValueError(f"{key} {path} is declared twice")
        known[key] = value


def _add_components(known: Document, members: Document, service: str) -> None:
    for name, member in sorted(members.items()):
        if known.setdefault(name, member) != member:
            raise ValueError(f"the component {name} of {service} differs from another service's")


def _tags(paths: Document) -> Iterator[str]:
    for item in paths.values():
        for method in METHODS:
            yield from item.get(method, {}).get("tags", ())
