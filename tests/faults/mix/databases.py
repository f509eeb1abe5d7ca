"""What the services' databases hold of what leaves and what arrives: outbox, marks and dead letters, read by the superuser, never changed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from mix.topics import Where, digest


@dataclass(frozen=True)
class DeadLetter:
    service: str
    subscriber: str
    where: Where
    kind: str
    reason: str
    sequence: int | None


class Databases:
    """`url` names any database of the server; `services` are those that have one, each under its own name."""

    def __init__(self, url: str, services: list[str], tenants: list[str]) -> None:
        self._base = url.rsplit("/", 1)[0]
        self._services = services
        self._tenants = tenants

    async def outbox(self) -> dict[str, str]:
        """Digest of the payload by id, of every event that was committed for these tenants."""
        found: dict[str, str] = {}
        query = (
            "SELECT id::text, payload FROM outbox WHERE tenant_id = ANY($1::uuid[]) AND topic LIKE '%.events' "
            "AND aggregate_id IS NOT NULL"
        )
        for service in self._services:
            async with self._connect(service) as connection, connection.transaction():
                async for row in connection.cursor(query, self._tenants, prefetch=5000):
                    found[row["id"]] = digest(row["payload"].encode())
        return found

    async def committed(self) -> int:
        """How many events there are for these tenants."""
        query = "SELECT count(*) FROM outbox WHERE tenant_id = ANY($1::uuid[]) AND topic LIKE '%.events'"
        return sum([int(rows[0][0]) for _, rows in await self._ask(query, self._tenants)])

    async def marks(self) -> dict[tuple[str, str], int]:
        """The last sequence applied, by (subscriber, aggregate)."""
        rows = await self._ask("SELECT subscriber, aggregate_id::text AS aggregate, sequence FROM inbox")
        return {(row["subscriber"], row["aggregate"]): row["sequence"] for _, found in rows for row in found}

    async def dead_letters(self, forged: set[Where]) -> list[DeadLetter]:
        """The dead letters among these tenants' events, and among the forged records."""
        query = (
            "SELECT *, tenant_id = ANY($1::uuid[]) AS ours FROM dead_letter ORDER BY epoch, sequence, dead_lettered_at"
        )
        return [
            DeadLetter(service, row["subscriber"], where, row["kind"], row["reason"], row["sequence"])
            for service, rows in await self._ask(query, self._tenants)
            for row in rows
            if row["ours"] or (row["topic"], row["partition"], row["offset"]) in forged
            for where in [(row["topic"], row["partition"], row["offset"])]
        ]

    async def dropped(self, forged: set[Where]) -> int:
        """How many of the forged records were given up, counted for each subscriber."""
        rows = await self._ask('SELECT topic, partition, "offset" FROM dropped')
        return sum((row["topic"], row["partition"], row["offset"]) in forged for _, found in rows for row in found)

    async def version(self) -> str:
        async with self._connect(self._services[0]) as connection:
            return str(await connection.fetchval("SHOW server_version"))

    async def _ask(self, query: str, *arguments: Any) -> list[tuple[str, list[Any]]]:
        found: list[tuple[str, list[Any]]] = []
        for service in self._services:
            async with self._connect(service) as connection:
                found.append((service, await connection.fetch(query, *arguments)))
        return found

    @asynccontextmanager
    async def _connect(self, service: str) -> AsyncIterator[Any]:
        connection = await asyncpg.connect(f"{self._base}/{service}")
        try:
            yield connection
        finally:
            await connection.close()
