"""Every read model can be built again: it owns its tables, alone, and its handlers use no others. Every reaction says since when."""

import ast
import importlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import asyncpg
from findings import say_all
from sqlalchemy import Table

from tailrace.core.ids import uuid7
from tailrace.db.database import Database
from tailrace.messaging.dispatcher import Dispatcher
from tailrace.messaging.subscribers import Projection, Reaction
from tailrace.rebuild import shadow_schema
from tailrace.service import Service
from tailrace_testing import MakeHarness

SAMPLES = Path(__file__).parents[2] / "contracts/samples"
_WRITES = {"insert", "update", "delete"}


def test_every_reaction_says_since_when(service: Service) -> None:
    """Added to a running fleet without it, it would answer to years of history."""
    reactions = [each for each in service.subscribers if isinstance(each, Reaction)]
    say_all([f"{each.name} does not say since when" for each in reactions if each.since is None])


def test_every_projection_declares_its_tables(service: Service) -> None:
    say_all([f"{each.name} declares no tables" for each in _projections(service) if not each.tables])


def test_nobody_else_writes_what_a_projection_owns(service: Service) -> None:
    found = []
    for projection in _projections(service):
        # Where its handlers stand, or the kind of projection that it is, or its rows.
        own = {type(projection).__module__, *(handler.__module__ for _, handler in projection.handlers.values())}
        own |= _declaring(service, projection.tables)
        for module in _modules(service):
            lines = [] if module.__name__ in own else _written(module, projection.tables)
            found += [f"{module.__name__}:{line} writes what {projection.name} owns" for line in lines]
    say_all(found)


def _declaring(service: Service, tables: Sequence[Table]) -> set[str]:
    """The modules in which the rows of these tables are declared."""
    mapped = (each for module in _modules(service) for each in vars(module).values() if isinstance(each, type))
    return {each.__module__ for each in mapped if any(getattr(each, "__table__", None) is table for table in tables)}


def test_the_lint_sees_a_write() -> None:
    owned = importlib.import_module("orders.projections").ItemCopy
    module = ModuleType("wrong")
    module.__dict__.update(Copy=owned)
    for text in ("insert(Copy)", "update(Copy)", "delete(Copy)", "tx.add(Copy(id=1))"):
        assert _written(module, [owned.__table__], ast.parse(text)), text
    assert _written(module, [owned.__table__], ast.parse("select(Copy)")) == []


async def test_a_projection_uses_no_other_tables(service: Service, make_harness: MakeHarness) -> None:
    """Each sample of what it listens to, on connections that see its own tables alone."""
    for projection in _projections(service):
        harness = await make_harness(service)
        owner = await asyncpg.connect(harness.admin_url)
        await shadow_schema.create(owner, projection, f"{service.name}_app")
        url = harness.settings.database_url or ""
        database = Database(url, service.name, pool=1, schema=shadow_schema.schema_of(projection))
        try:
            records, without = [], []
            for event in projection.events:
                samples = sorted((SAMPLES / event.type).glob(f"v{event.version}-*.json"))
                if not samples:
                    without.append(f"{event.type} v{event.version} has no sample: run `tailrace describe`")
                for path in samples:
                    parsed = event.read(event.version, json.loads(path.read_text()))
                    await harness.deliver(parsed, aggregate_id=uuid7(), may_dead_letter=True)
                    records.append(harness._records[-1])
            say_all(without)
            await Dispatcher(service.name, database, [projection]).deliver(records)
            letters = await owner.fetch(f'SELECT type, reason FROM "{shadow_schema.schema_of(projection)}".dead_letter')
            assert [tuple(row) for row in letters if "UndefinedTable" in row["reason"]] == []
        finally:
            await database.close()
            await owner.close()


def _projections(service: Service) -> list[Projection]:
    return [subscriber for subscriber in service.subscribers if isinstance(subscriber, Projection)]


def _modules(service: Service) -> Iterator[ModuleType]:
    folder = Path(sys.modules[service.name].__file__ or "").parent
    for path in sorted(folder.rglob("*.py")):
        name = ".".join([service.name, *path.relative_to(folder).with_suffix("").parts])
        yield importlib.import_module(name.removesuffix(".__init__"))


def _written(module: ModuleType, tables: Any, tree: ast.Module | None = None) -> list[int]:
    """The lines in which a module makes rows of these tables, or writes them with a statement of its own."""
    source = ast.parse(Path(module.__file__ or "").read_text()) if tree is None else tree
    found = []
    for node in ast.walk(source):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            target = node.args[0] if node.func.id in _WRITES and node.args else node.func
            kind = getattr(module, target.id, None) if isinstance(target, ast.Name) else None
            table = kind if isinstance(kind, Table) else getattr(kind, "__table__", None)
            if any(table is each for each in tables):
                found.append(node.lineno)
    return found
