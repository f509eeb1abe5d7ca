"""One plan for the names of every service: of operations and their ids, of arguments, of the files that things stand in."""

import ast
import importlib
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any, get_args, get_type_hints

from fastapi import APIRouter

from invariants.operations import Operation
from invariants.subject import Findings, Subject
from tailrace.core.context import Principal
from tailrace.core.errors import Problem
from tailrace.db.database import Tx
from tailrace.http.etag import IfMatch
from tailrace.http.lists.pagination import PageRequest
from tailrace.http.routing import Body, View

_VERBS = {"PUT": "replace", "PATCH": "change", "DELETE": "delete"}
_PAGE = {"items", "next_cursor"}
_RESERVED = ("list_", "read_", "replace_", "delete_")
_HOMES: dict[type, frozenset[str]] = {
    Body: frozenset({"bodies", "routes"}),
    View: frozenset({"views", "routes"}),
    Problem: frozenset({"refusals"}),
    APIRouter: frozenset({"routes", "public"}),
}
_MAKERS = {
    "Projection": frozenset({"projections", "subscribers"}),
    "replica": frozenset({"projections", "subscribers"}),
    "Reaction": frozenset({"reactions", "subscribers"}),
    "Saga": frozenset({"process"}),
}
"""Where a subscriber is made, by what makes it."""


async def operations_are_named_by_the_plan(subject: Subject) -> Findings:
    """`list_orders`, `read_order`, `create_order`, `replace_order`, `delete_order`, `confirm_order`: ids follow from these, each once."""
    operations = (await subject.walked()).operations
    ids = Counter(operation.said["operationId"] for operation in operations)
    found = [f"{id} is the id of {times} operations" for id, times in ids.items() if times > 1]
    for operation in operations:
        if operation.route is None:
            continue
        wanted = _verb(operation)
        name = operation.route.name
        if wanted is not None and not name.startswith(f"{wanted}_"):
            found.append(f"{operation.name} is called {name}: its name begins with {wanted}_")
        elif wanted is None and (name.startswith(_RESERVED) or "_" not in name):
            found.append(f"{operation.name} is called {name}: its name is a verb of its own and what that is done to")
        found += _arguments(operation)
    return found


async def handlers_name_their_arguments_by_the_plan(subject: Subject) -> Findings:
    """What handles an event takes `tx`, then `event` and `meta`, a saga its `run` between."""
    found = []
    for path in subject.sources:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.AsyncFunctionDef) or not any(_is_on(each) for each in node.decorator_list):
                continue
            names = [argument.arg for argument in node.args.args if argument.arg != "run"]
            if names != ["tx", "event", "meta"]:
                found.append(f"{path.name}:{node.lineno} {node.name} takes {', '.join(names)}, not tx, event, meta")
    return found


async def things_stand_in_their_files(subject: Subject) -> Findings:
    """Bodies in `bodies`, views in `views` (both in `routes` while they are few), refusals in `refusals`, routers in `routes`; projections in
    `projections`, reactions in `reactions` (both in `subscribers` while they are few), sagas in `process`."""
    return [
        f"{module} holds {name}, which belongs into {' or '.join(sorted(homes))}"
        for module, name, homes in (*_misplaced(subject), *_misplaced_subscribers(subject))
    ]


async def a_problem_has_one_class(subject: Subject) -> Findings:
    """A slug, the name that clients know a problem by, belongs to one class, so that it has one title and one meaning everywhere."""
    packages = {"tailrace", subject.name, *(service.name for service in subject.fleet)}
    list(_modules(subject))
    by_slug: dict[str, list[type[Problem]]] = {}
    for kind in _problems(Problem):
        if kind.__module__.partition(".")[0] in packages:
            by_slug.setdefault(kind.slug, []).append(kind)
    return [
        f"{slug} is the slug of {' and of '.join(sorted(f'{kind.__module__}.{kind.__name__}' for kind in kinds))}"
        for slug, kinds in by_slug.items()
        if len(kinds) > 1 and any(kind.__module__.partition(".")[0] == subject.name for kind in kinds)
    ]


def _problems(kind: type[Problem]) -> Iterator[type[Problem]]:
    """Those that a client can meet. A toy's class stays about when the next toy has taken its module's place."""
    if not kind.__name__.startswith("_") and getattr(sys.modules.get(kind.__module__), kind.__name__, None) is kind:
        yield kind
    for sub in kind.__subclasses__():
        yield from _problems(sub)


def _verb(operation: Operation) -> str | None:
    """What the operation's name begins with; None for a verb of its own."""
    if operation.method == "GET":
        return "list" if operation.lists and operation.answer_schema()["properties"].keys() == _PAGE else "read"
    if operation.method == "POST":
        return "create" if _creates(operation) else None
    return _VERBS[operation.method]


def _creates(operation: Operation) -> bool:
    """Whether it adds to a collection, which is no action on one thing."""
    before, last = operation.path.rsplit("/", 1)
    return "201" in operation.said["responses"] and (not before.endswith("}") or last.endswith("s"))


def _arguments(operation: Operation) -> Iterator[str]:
    assert operation.route is not None
    for name, hint in get_type_hints(operation.route.endpoint, include_extras=True).items():
        wanted = _argument(hint) if name != "return" else None
        if wanted is not None and wanted != name:
            yield f"{operation.name} calls its {wanted} {name}"


def _argument(hint: Any) -> str | None:
    if hint == IfMatch:
        return "match"
    kinds = [kind for kind in (hint, *get_args(hint)) if isinstance(kind, type)]
    names = {Tx: "tx", Principal: "who", PageRequest: "page", Body: "body"}
    return next((name for kind in kinds for base, name in names.items() if issubclass(kind, base)), None)


def _is_on(decorator: ast.expr) -> bool:
    return (
        isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Attribute)
        and decorator.func.attr in {"on", "starts", "on_answer"}
    )


def _misplaced(subject: Subject) -> Iterator[tuple[str, str, frozenset[str]]]:
    for module in _modules(subject):
        places = _places(module.__name__.removeprefix(f"{subject.name}.").split("."))
        for name, value in vars(module).items():
            kind = value if isinstance(value, type) else type(value)
            mine = value.__module__ == module.__name__ if isinstance(value, type) else isinstance(value, APIRouter)
            for base, homes in _HOMES.items():
                if mine and issubclass(kind, base) and not places & homes:
                    yield f"{module.__name__.rpartition('.')[2]}.py", name, homes


def _misplaced_subscribers(subject: Subject) -> Iterator[tuple[str, str, frozenset[str]]]:
    for path in subject.sources:
        places = _places(path.relative_to(subject.package).with_suffix("").parts)
        for node in ast.parse(path.read_text()).body:
            if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
                continue
            homes = _MAKERS.get(ast.unparse(node.value.func).rpartition(".")[2])
            if homes is not None and not places & homes:
                yield path.name, ast.unparse(node.targets[0]), homes


def _places(parts: Sequence[str]) -> frozenset[str]:
    """What a module is, by its own name and by those of the folders that it lies in: a room of a service has `routes` of its own."""
    return frozenset(part.removeprefix("report_") for part in parts)


def _modules(subject: Subject) -> Iterator[ModuleType]:
    for path in subject.sources:
        parts = [subject.name, *path.relative_to(subject.package).with_suffix("").parts]
        name = ".".join(parts).removesuffix(".__init__")
        yield sys.modules.get(name) or importlib.import_module(name)
