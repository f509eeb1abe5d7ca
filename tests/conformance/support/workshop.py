"""Where toys are made: a copy of the toy shop, with a mistake patched in or none, imported in place of whichever stood there before."""

import importlib
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import asyncpg
from broken.toy import Toy
from invariants.rows import Rows
from invariants.subject import Subject

from tailrace.runtime.migrate import migrations_of, prepare_database
from tailrace.service import Service
from tailrace_testing.databases import Databases
from tailrace_testing.harness import Harness, MakeHarness
from tailrace_testing.pristine import empty
from tailrace_testing.tokens import TestIssuer

NAME = "toyshop"


class Shelf:
    """Databases for toys, made by their own migrations alone, since a clone has other rights; emptied and used again for those that have the same."""

    def __init__(self, databases: Databases, issuer: TestIssuer) -> None:
        self._databases, self._issuer = databases, issuer
        self._free: dict[bytes, list[str]] = {}
        self._out: list[tuple[bytes, Harness]] = []
        self._made = 0

    async def take(self, service: Service) -> Harness:
        """The service running on an empty database."""
        migrations = b"\0".join(path.read_bytes() for path in sorted(migrations_of(service).glob("*.py")))
        free = self._free.setdefault(migrations, [])
        harness = Harness(service, self._databases, self._issuer, free.pop() if free else await self._new(service))
        await harness.start()
        self._out.append((migrations, harness))
        return harness

    async def put_back(self) -> None:
        """Stop whatever runs, and empty its database."""
        for migrations, harness in self._out:
            tables = [name for name in await Rows(harness.admin).tables() if not name.startswith("alembic_version")]
            await harness.stop()
            admin = await asyncpg.connect(harness.admin_url)
            await empty(admin, tables)
            await admin.close()
            self._free[migrations].append(harness.database_name)
        self._out.clear()

    async def _new(self, service: Service) -> str:
        self._made += 1
        name = f"{service.name}_toy_{self._made}"
        await prepare_database(self._databases.admin_url("postgres"), service, self._databases.settings, name=name)
        return name


class Workshop:
    """Makes one toy after the other; only the newest may be looked at, since they share a package name."""

    def __init__(
        self, folder: Path, root: Path, fleet: Sequence[Service], databases: Databases, make_harness: MakeHarness
    ) -> None:
        self._folder, self._root = folder, root
        self._fleet, self._databases, self._make_harness = fleet, databases, make_harness
        self._made = 0

    def make(self, toy: Toy | None = None) -> Subject:
        """The healthy toy shop, or a broken copy. Raises whatever importing it raises."""
        self._made += 1
        copy = self._folder / str(self._made)
        shutil.copytree(
            self._root / "tests/conformance/toys/toyshop", copy, ignore=shutil.ignore_patterns("__pycache__")
        )
        for kind in ("schemas", "samples"):
            # Hundreds for every toy: paths would cost more than the links.
            for theirs in os.scandir(self._root / "contracts" / kind):
                os.symlink(theirs.path, f"{copy}/contracts/{kind}/{theirs.name}")
        for change in toy.changes if toy is not None else ():
            change.apply(copy)
        service = self._imported(copy / "src")
        return Subject(service, copy, [*self._fleet, service], self._databases, self._make_harness)

    def _imported(self, source: Path) -> Service:
        self.clear()
        sys.path.insert(0, str(source))
        try:
            service: Service = importlib.import_module(f"{NAME}.service").service
        finally:
            sys.path.remove(str(source))
        return service

    def clear(self) -> None:
        """Forget the toy that was imported last."""
        for name in [name for name in sys.modules if name == NAME or name.startswith(f"{NAME}.")]:
            del sys.modules[name]
        importlib.invalidate_caches()
