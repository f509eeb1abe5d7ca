"""A migrated database per test: cloned from a template, and emptied for the next test when its own is over."""

import asyncio
import hashlib
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from itertools import count

import asyncpg

from tailrace.core.addresses.database import in_database
from tailrace.runtime.migrate import migrations_of, prepare_database
from tailrace.service import Service
from tailrace.settings import Settings
from tailrace_testing.pristine import Pristine


class Databases:
    """Makes templates once per run, service and state of its migrations, and clones of them."""

    def __init__(self, admin_url: str, secret: str) -> None:
        self.settings = Settings(postgres=admin_url, secret=secret)
        self._admin_url = admin_url
        self._templates: dict[str, Pristine] = {}
        self._of: dict[str, str] = {}
        self._free: dict[str, list[str]] = defaultdict(list)
        self._numbers = count(1)

    async def take(self, service: Service) -> str:
        """A database of the service with nothing in it, used before or not; its name. See `give_back`."""
        free = self._free[_state_of(service)]
        return free.pop() if free else await self.clone(service)

    async def give_back(self, name: str) -> None:
        """Sessions that are still connected to it are ended. It is emptied for the next test, or dropped where that would not make it as it was."""
        restored = False
        # Whatever is the matter with it, the next test gets another one.
        with suppress(asyncpg.PostgresError, OSError, TimeoutError):
            admin = await asyncpg.connect(self.admin_url(name))
            try:
                restored = await self._templates[self._of[name]].restored(admin)
            finally:
                await admin.close()
        if restored:
            self._free[self._of[name]].append(name)
        else:
            await self.drop(name)

    async def clone(self, service: Service) -> str:
        """A fresh database of the service; its name."""
        state = _state_of(service)
        template = f"template_{state}"
        if state not in self._templates:
            await prepare_database(self._admin_url, service, self.settings, name=template)
            connection = await asyncpg.connect(self.admin_url(template))
            self._templates[state] = await Pristine.of(connection)
            await connection.close()
        name = f"{service.name}_{next(self._numbers)}"
        admin = await asyncpg.connect(self._admin_url)
        try:
            # Where nothing waits for the disk, copying files takes an eighth of what logging each page does; elsewhere its two checkpoints are dear.
            strategy = "WAL_LOG" if await admin.fetchval("SHOW fsync") == "on" else "FILE_COPY"
            made = f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY {strategy}'
            await admin.execute(f'{made} OWNER "{service.name}_owner"')
            await admin.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
            for role in ("app", "capture"):
                await admin.execute(f'GRANT CONNECT ON DATABASE "{name}" TO "{service.name}_{role}"')
            rights = await admin.fetchval("SELECT datacl::text FROM pg_database WHERE datname = $1", name)
        finally:
            await admin.close()
        self._templates[state] = replace(self._templates[state], rights=rights)
        self._of[name] = state
        return name

    async def drop(self, name: str) -> None:
        admin = await asyncpg.connect(self._admin_url)
        try:
            await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        finally:
            await admin.close()

    def admin_url(self, name: str) -> str:
        """The superuser's address of a database: sees every tenant's rows."""
        return in_database(self._admin_url, name)

    def app_url(self, service: str, name: str) -> str:
        return in_database(self.settings.database(service), name)


def drop_slots(admin_url: str) -> None:
    """All of them, once nobody reads them any more. Blocks."""

    async def drop() -> None:
        admin = await asyncpg.connect(admin_url)
        try:
            while await admin.fetchval("SELECT count(*) FROM pg_replication_slots"):
                # The process that served a reader that is gone may take a moment to notice.
                await admin.execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active")
                await admin.execute(
                    "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active"
                )
                await asyncio.sleep(0.02)
        finally:
            await admin.close()

    # In a thread, since this one may have a loop of its own.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, asyncio.wait_for(drop(), 60)).result()


def _state_of(service: Service) -> str:
    """The service, and what its migrations say: a page's service is written several times."""
    texts = b"".join(path.read_bytes() for path in sorted(migrations_of(service).glob("*.py")))
    return f"{service.name}_{hashlib.sha256(texts).hexdigest()[:8]}"
