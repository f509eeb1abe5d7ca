"""What an invariant looks at: one service, the checkout it lies in, the fleet around it, and databases to try it on.

What is costly is done once and kept: the walk, the delivery of samples, a database made from nothing.
"""

import importlib.util
import logging
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import structlog

from invariants.operations import Operation, operations
from invariants.steps import Step
from invariants.walk import Walker
from tailrace.observability.logs import configure
from tailrace.runtime.migrate import migrations_of
from tailrace.service import Service
from tailrace_testing import Harness, MakeHarness
from tailrace_testing.databases import Databases

Kept = TypeVar("Kept")


@dataclass
class Walked:
    """A walk that was gone, as far as it went."""

    walker: Walker
    operations: Sequence[Operation]
    lines: Sequence[str]
    """What was logged meanwhile."""
    stopped: str | None

    @property
    def steps(self) -> Sequence[Step]:
        return self.walker.steps

    @property
    def h(self) -> Harness:
        return self.walker.h


@dataclass
class Subject:
    """One service under examination. `root` holds `contracts/`; `fleet` is every service that runs beside it, itself included."""

    service: Service
    root: Path
    fleet: Sequence[Service]
    databases: Databases
    make_harness: MakeHarness
    _kept: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.service.name

    @property
    def has_database(self) -> bool:
        return self.service.metadata is not None

    @cached_property
    def folder(self) -> Path:
        """Where the service's `src`, `migrations` and `tests` lie."""
        return migrations_of(self.service).parent

    @cached_property
    def package(self) -> Path:
        return Path(sys.modules[self.service.name].__file__ or "").parent

    @cached_property
    def sources(self) -> list[Path]:
        return sorted(self.package.rglob("*.py"))

    async def keep(self, name: str, make: Callable[[], Awaitable[Kept]]) -> Kept:
        if name not in self._kept:
            self._kept[name] = await make()
        kept: Kept = self._kept[name]
        return kept

    async def walked(self) -> Walked:
        return await self.keep("walk", self._walk)

    async def _walk(self) -> Walked:
        harness = await self.make_harness(self.service)
        known = operations(self.service, harness.app)
        walker = Walker(harness, known)
        stopped = None
        with _logged() as lines:
            try:
                await self._script()(walker)
            except Exception as error:
                stopped = f"{type(error).__name__}: {error}"
        return Walked(walker, known, lines, stopped)

    def _script(self) -> Any:
        path = self.folder / "tests" / "walk.py"
        if not path.is_file():
            raise FileNotFoundError(
                f"{self.name} has no tests/walk.py: write `async def walk(w)` that uses every operation"
            )
        spec = importlib.util.spec_from_file_location(f"walk_of_{self.name}", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.walk


class _Lines(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))


@contextmanager
def _logged() -> Any:
    """The lines that are logged as in production, INFO and above."""
    root = logging.getLogger()
    handlers, level, before = list(root.handlers), root.level, structlog.get_config()
    lines: list[str] = []
    configure("conformance", "INFO")
    catcher = _Lines(lines)
    catcher.setFormatter(root.handlers[0].formatter)
    root.handlers[:] = [catcher]
    try:
        yield lines
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.configure(**before)


Findings = list[str]
Check = Callable[[Subject], Awaitable[Findings]]


@dataclass(frozen=True)
class Invariant:
    """Something that holds for every service. `check` says what it finds wrong, in sentences; nothing when all is well."""

    name: str
    check: Check
    of: str = "database"
    """`database`: services with one, which is all but the edge; `every`: all of them."""

    def applies_to(self, service: Service) -> bool:
        return self.of == "every" or service.metadata is not None
