"""A PostgreSQL and its standby, on loopback: what an operator like CloudNativePG keeps in a cluster, with the programs of the embedded stack.

The primary is always at the first loopback address, whichever of the two it is. When it is lost, the standby is promoted and takes that address, and
another standby is copied from it.
"""

import asyncio
import signal
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import asyncpg

from tailrace.stack.artifacts import Lock
from tailrace.stack.backup.copying import copy_cluster
from tailrace.stack.child import Child
from tailrace.stack.layout import host_of
from tailrace.stack.plan import service_names
from tailrace.stack.postgres import Postgres
from tailrace.stack.state import Board
from tailrace_testing.gateway import eventually

NAME = "standby"
"""Of the standby and of the slot that it reads the log from."""
_SYNCHRONOUS = ("synchronous_standby_names", "synchronized_standby_slots")
"""A commit waits for the standby, and no reader of a logical slot gets ahead of it."""
_FOLLOWS = "SELECT state = 'streaming' AND (NOT $2 OR sync_state = 'sync') FROM pg_stat_replication WHERE application_name = $1"
_SLOTS = "SELECT slot_name FROM pg_replication_slots WHERE failover"
_SYNCED = f"{_SLOTS} AND synced AND NOT temporary AND invalidation_reason IS NULL"


@dataclass
class Pair:
    """`synchronous`: what is committed, and what Kafka knows, the standby has. Else it lags as it likes."""

    folder: Path
    port: int
    password: str = field(repr=False)
    board: Board = field(repr=False)
    cache: Path
    synchronous: bool = True
    _number: int = 0
    _primary: Postgres = field(init=False, repr=False)
    _standby: Postgres = field(init=False, repr=False)
    _children: dict[str, Child] = field(default_factory=dict, repr=False)

    @property
    def url(self) -> str:
        """Of the superuser, at whoever is the primary."""
        return f"postgresql://postgres:{self.password}@{host_of(1)}:{self.port}/postgres"

    async def start(self) -> None:
        self._primary = await self._next()
        await self._primary.initialise(self.password)
        await self._keep("postgres", self._primary)
        await self.follow()

    async def stop(self) -> None:
        for child in reversed(self._children.values()):
            await child.stop()

    async def follow(self) -> None:
        """Copy a standby from the primary while that goes on, and let it follow."""
        conninfo = f"host={host_of(1)} port={self.port} user=postgres password={self.password} dbname=postgres application_name={NAME}"
        settings = {
            "primary_conninfo": conninfo,
            "primary_slot_name": NAME,
            "sync_replication_slots": "on",
            "hot_standby_feedback": "on",
        }
        self._standby = standby = replace(await self._next(), host=host_of(2), more=settings)
        async with self.primary() as connection:
            await connection.execute(f"SELECT pg_create_physical_replication_slot('{NAME}', true)")
            await connection.execute(f"SELECT pg_backup_start('{NAME}', true)")
            await asyncio.to_thread(lambda: deque(copy_cluster(self._primary.data, standby.data), maxlen=0))
            label = await connection.fetchval("SELECT labelfile FROM pg_backup_stop(false)")
        (standby.data / "backup_label").write_text(label)
        (standby.data / "standby.signal").touch()
        (standby.data / "postgresql.auto.conf").write_text("")
        for each in (standby.data, *standby.data.rglob("*")):
            standby.account.own(each)
        await self._keep(NAME, standby)
        async with self.primary() as connection:
            if self.synchronous:
                for name in _SYNCHRONOUS:
                    await connection.execute(f"ALTER SYSTEM SET {name} = '{NAME}'")
                await connection.execute("SELECT pg_reload_conf()")
            await eventually(
                lambda: connection.fetchval(_FOLLOWS, NAME, self.synchronous), bool, within=120, what="a standby"
            )

    async def in_step(self, within: float = 180) -> None:
        """Returns when the standby has every slot that is to go over to it."""

        async def lacking() -> set[str]:
            async with self.primary() as one, self.standby() as other:
                wanted = {row[0] for row in await one.fetch(_SLOTS)}
                return wanted - {row[0] for row in await other.fetch(_SYNCED)}

        await eventually(lacking, lambda found: not found, within=within, what="the slots on the standby")

    async def lose_primary(self) -> None:
        """Every process of it at once, without a word, for good."""
        lost = self._children.pop("postgres")
        lost.program = replace(lost.program, stop_signal=signal.SIGKILL)
        await lost.stop()

    async def promote(self) -> None:
        """The standby becomes the primary, at the address that clients know."""
        if self._children[NAME].pid is None:
            await self._keep(NAME, self._standby)
        async with self.standby() as connection:
            assert await connection.fetchval("SELECT pg_promote(true, 120)")
        await self._children.pop(NAME).stop()
        self._primary = replace(self._standby, host=host_of(1), more={})
        await self._keep("postgres", self._primary)

    async def fall_behind(self) -> None:
        """The standby hears of nothing more."""
        await self._children[NAME].stop()

    async def lag(self) -> int:
        """Bytes of the log that the standby does not have."""
        async with self.primary() as connection:
            query = "SELECT pg_current_wal_insert_lsn() - restart_lsn FROM pg_replication_slots WHERE slot_name = $1"
            return int(await connection.fetchval(query, NAME))

    @asynccontextmanager
    async def primary(self) -> AsyncIterator[Any]:
        async with _connected(self.url) as connection:
            yield connection

    @asynccontextmanager
    async def standby(self) -> AsyncIterator[Any]:
        async with _connected(self.url.replace(f"@{host_of(1)}", f"@{host_of(2)}")) as connection:
            yield connection

    async def _next(self) -> Postgres:
        self._number += 1
        folder, services = self.folder / f"server-{self._number}", len(service_names())
        found = await asyncio.to_thread(
            Postgres.locate, Lock.load(), self.cache, folder, self.port, services, durable=False
        )
        return replace(found, standbys=True)

    async def _keep(self, name: str, server: Postgres) -> None:
        child = self._children[name] = Child(
            replace(server.program(), name=name), self.folder / f"{server.data.parent.name}.log", self.board
        )
        await child.start()


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url, timeout=30)
    try:
        yield connection
    finally:
        await connection.close(timeout=10)
