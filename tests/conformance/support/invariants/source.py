"""What holds of every service's source, each with the mistake it keeps out."""

import ast
import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from invariants.subject import Findings, Subject
from tailrace.db.models import Aggregate, Part

_MOST_LINES = 400
_CLIENTS = frozenset(
    "aiokafka confluent_kafka kafka httpx httpx2 requests aiohttp urllib3 asyncpg psycopg psycopg2 socket pika".split()
)
_CONNECTORS = frozenset(
    "create_engine create_async_engine sessionmaker async_sessionmaker AsyncEngine AsyncSession".split()
)
_BULK = frozenset({"update", "delete"})
_OUTBOX = frozenset(
    {"tailrace.db.outbox", "tailrace.db.tables", "tailrace.kafka.cloudevents", "tailrace.messaging.inbox"}
)


async def aggregates_are_never_changed_in_bulk(subject: Subject) -> Findings:
    """`update(Order)`, `delete(Order)` and written-out SQL go round the recorder: the change would be published nowhere."""
    found = []
    for path, node in _nodes(subject):
        if isinstance(node, ast.Call) and _called(node) in _BULK and node.args:
            kind = _named(_module(subject, path), node.args[0])
            if isinstance(kind, type) and issubclass(kind, Aggregate | Part):
                found.append(f"{path.name}:{node.lineno} changes {kind.__name__} behind its back")
        if isinstance(node, ast.Call) and _called(node) == "text" and node.args and _changes_by_sql(node.args[0]):
            found.append(f"{path.name}:{node.lineno} changes rows by SQL of its own")
    return found


async def events_leave_through_the_outbox_alone(subject: Subject) -> Findings:
    """Nobody but the kit writes outbox and inbox, and no service holds a client of Kafka, HTTP or PostgreSQL; the edge forwards by HTTP."""
    allowed = {"aiohttp"} if subject.service.build is not None and not subject.has_database else set()
    found = []
    for path, name in _imports(subject):
        if name.partition(".")[0] in _CLIENTS - allowed:
            found.append(f"{path.name} imports {name}")
        if name in _OUTBOX or name.rpartition(".")[0] in _OUTBOX - {"tailrace.db.tables"}:
            found.append(f"{path.name} imports {name}, which is the kit's own")
    return found


async def connections_come_from_the_kit(subject: Subject) -> Findings:
    """No engine, session or connection of a service's own: it would set no tenant."""
    return [
        f"{path.name}:{node.lineno} makes a connection of its own: {_called(node)}"
        for path, node in _nodes(subject)
        if isinstance(node, ast.Call) and _called(node) in _CONNECTORS
    ]


async def routes_leave_writing_to_the_kit(subject: Subject) -> Findings:
    """The kit's route writes what is pending, and sets `Location` and `ETag`, so that no route forgets to."""
    found = []
    routes = {each for each in subject.sources if "routes" in each.relative_to(subject.package).with_suffix("").parts}
    for path, node in _nodes(subject):
        if path not in routes:
            continue
        if isinstance(node, ast.Call) and _called(node) == "flush":
            found.append(f"{path.name}:{node.lineno} calls flush(), which the kit's route does")
        if isinstance(node, ast.Constant) and node.value in {"Location", "ETag"}:
            found.append(f"{path.name}:{node.lineno} names the header {node.value}, which the kit's route sets")
    return found


async def no_service_imports_another(subject: Subject) -> Findings:
    """A service learns of others from Kafka."""
    others = {service.name for service in subject.fleet} - {subject.name}
    return [f"{path.name} imports {name}" for path, name in _imports(subject) if name.partition(".")[0] in others]


async def modules_open_with_their_promise(subject: Subject) -> Findings:
    """Every module has a docstring, and at most 400 lines."""
    found = []
    for path in subject.sources:
        text = path.read_text()
        if text.strip() and not ast.get_docstring(ast.parse(text)):
            found.append(f"{path.name} opens with no docstring")
        if len(text.splitlines()) > _MOST_LINES:
            found.append(f"{path.name} has more than {_MOST_LINES} lines")
    return found


async def bodies_forbid_what_they_do_not_know(subject: Subject) -> Findings:
    """Every object in a request body refuses unknown fields, as `Body` does; no body is a bare dictionary. A map says what its names may be."""
    found = []
    for operation in (await subject.walked()).operations:
        for media in operation.said.get("requestBody", {}).get("content", {}).values():
            found += [
                f"{operation.name}: {name} takes any field" for name in _open_objects(operation, media["schema"], set())
            ]
    return found


def _open_objects(operation: Any, schema: Any, seen: set[str]) -> Iterator[str]:
    name = schema.get("$ref", "").rpartition("/")[2]
    if name in seen:
        return
    if name:
        seen.add(name)
    resolved = operation.resolved(schema)
    others, names = resolved.get("additionalProperties", True), resolved.get("propertyNames", {})
    if resolved.get("type") == "object" and others is not False and "enum" not in names:
        yield name or "the body"
    inside = [*resolved.get("properties", {}).values(), *resolved.get("patternProperties", {}).values()]
    inside += [*resolved.get("anyOf", ()), *resolved.get("oneOf", ())]
    for inner in [
        *inside,
        *([resolved["items"]] if "items" in resolved else ()),
        *([others] if isinstance(others, dict) else ()),
    ]:
        yield from _open_objects(operation, inner, seen)


@cache
def _nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """Kept, since several invariants look at each."""
    return tuple(ast.walk(ast.parse(path.read_text())))


def _nodes(subject: Subject) -> Iterator[tuple[Path, ast.AST]]:
    for path in subject.sources:
        for node in _nodes_of(path):
            yield path, node


def _imports(subject: Subject) -> Iterator[tuple[Path, str]]:
    for path, node in _nodes(subject):
        if isinstance(node, ast.Import):
            yield from ((path, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield path, node.module
            yield from ((path, f"{node.module}.{alias.name}") for alias in node.names)


def _module(subject: Subject, path: Path) -> ModuleType:
    parts = [subject.name, *path.relative_to(subject.package).with_suffix("").parts]
    return importlib.import_module(".".join(parts).removesuffix(".__init__"))


def _called(call: ast.Call) -> str:
    function = call.func
    return (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )


def _named(module: ModuleType, node: ast.expr) -> Any:
    if isinstance(node, ast.Name):
        return getattr(module, node.id, None)
    if isinstance(node, ast.Attribute):
        return getattr(_named(module, node.value), node.attr, None)
    return None


def _changes_by_sql(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.partition(" ")[0].strip().upper() in {"UPDATE", "DELETE", "INSERT", "TRUNCATE", "MERGE"}
    )
