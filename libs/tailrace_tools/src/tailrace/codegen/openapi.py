"""The OpenAPI document of one service, as it is committed: what its operations have in common is said once and referred to."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tailrace.runtime.app import build_app
from tailrace.runtime.openapi_merge import METHODS, PROBLEMS, problem_types
from tailrace.service import Service
from tailrace.settings import Settings

Document = dict[str, Any]


def openapi(service: Service, settings: Settings) -> Document:
    """`x-problem-types` lists the refusals that are the service's own."""
    document = shared(build_app(service, settings).openapi())
    own = problem_types(service.name)
    return {**document, PROBLEMS: own} if own else document


def shared(document: Document) -> Document:
    """A copy in which the parameters and refusals that several operations declare alike are components."""
    copy: Document = json.loads(json.dumps(document))
    components = copy.setdefault("components", {})
    for kind, places in (("parameters", list(_parameters(copy))), ("responses", list(_refusals(copy)))):
        counted = Counter((name, json.dumps(holder[key])) for holder, key, name in places)
        common: dict[str, str] = {}
        for (name, text), times in counted.most_common():
            if times > 1:
                common.setdefault(name, text)
        for holder, key, name in places:
            if json.dumps(holder[key]) == common.get(name):
                holder[key] = {"$ref": f"#/components/{kind}/{name}"}
        if common:
            components[kind] = {name: json.loads(common[name]) for name in sorted(common)}
    return copy


def _operations(document: Document) -> Iterator[Document]:
    for item in document.get("paths", {}).values():
        yield from (item[method] for method in METHODS if method in item)


def _parameters(document: Document) -> Iterator[tuple[Any, Any, str]]:
    """(what holds it, under which key, its name), of each parameter."""
    for operation in _operations(document):
        parameters = operation.get("parameters", [])
        yield from ((parameters, index, parameter["name"]) for index, parameter in enumerate(parameters))


def _refusals(document: Document) -> Iterator[tuple[Any, Any, str]]:
    for operation in _operations(document):
        responses = operation.get("responses", {})
        yield from ((responses, status, f"Problem{status}") for status in responses if not status.startswith("2"))
