"""Rules that a reader of the code must be able to rely on, each with the mistake it keeps out."""

import ast
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tailrace.rows import Aggregate, Part
from tailrace.service import Service

_MOST_LINES = 400


def test_aggregates_are_never_changed_in_bulk(service: Service) -> None:
    """`update(Order)` and `delete(Order)` go round the recorder: the change would be committed and published nowhere."""
    for module, call in _bulk_calls(service):
        assert not _is_aggregate(module, call), f"{module.__name__}:{call.lineno} changes an aggregate behind its back"


def test_the_lint_sees_a_bulk_change() -> None:
    module = ModuleType("wrong")
    module.__dict__["Order"] = type("Order", (Aggregate,), {})
    call = ast.parse("update(Order)").body[0]
    assert isinstance(call, ast.Expr)
    assert isinstance(call.value, ast.Call)
    assert _is_aggregate(module, call.value)


def test_services_hold_no_kafka_client_and_no_http_client(any_service: Service) -> None:
    """A fact leaves through the outbox, and nobody is called: both would show as an import."""
    allowed = {"gateway": {"aiohttp"}}.get(any_service.name, set())
    banned = {"aiokafka", "httpx", "httpx2", "requests", "aiohttp", "asyncpg", "psycopg", "confluent_kafka"} - allowed
    for path in _sources(any_service):
        for name in _imports(ast.parse(path.read_text())):
            assert name.partition(".")[0] not in banned, f"{path.name} imports {name}"


def test_every_module_says_what_it_promises_and_stays_one_room(any_service: Service) -> None:
    for path in _sources(any_service):
        text = path.read_text()
        assert len(text.splitlines()) <= _MOST_LINES, path
        assert not text.strip() or ast.get_docstring(ast.parse(text)), f"{path} opens with no docstring"


@pytest.mark.parametrize("library", ["tailrace", "tailrace_testing", "debezium_connector_config", "contracts"])
def test_every_library_module_stays_one_room(library: str) -> None:
    package = Path(importlib.import_module(library).__file__ or "").parent
    for path in package.rglob("*.py"):
        text = path.read_text()
        assert len(text.splitlines()) <= _MOST_LINES, path
        assert not text.strip() or ast.get_docstring(ast.parse(text)), f"{path} opens with no docstring"


def _bulk_calls(service: Service) -> Iterator[tuple[ModuleType, ast.Call]]:
    for path in _sources(service):
        name = ".".join([service.name, *path.relative_to(_package(service)).with_suffix("").parts])
        module = importlib.import_module(name.removesuffix(".__init__"))
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"update", "delete"}:
                yield module, node


def _is_aggregate(module: ModuleType, call: ast.Call) -> bool:
    target = call.args[0] if call.args else None
    kind = getattr(module, target.id, None) if isinstance(target, ast.Name) else None
    return isinstance(kind, type) and issubclass(kind, Aggregate | Part)


def _package(service: Service) -> Path:
    return Path(sys.modules[service.name].__file__ or "").parent


def _sources(service: Service) -> list[Path]:
    found = sorted(_package(service).rglob("*.py"))
    assert found
    return found


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
