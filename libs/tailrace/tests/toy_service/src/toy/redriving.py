"""Dead letters of the toy's: how tests make them, cure them, and look at what is left."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from aiokafka import ConsumerRecord

from tailrace.messaging.inbox import Pair
from tailrace_testing import Harness
from tailrace_testing.gateway import eventually
from toy import Asked

HEARD, ECHO = "toy.heard", "toy.echo"


async def ask(toy: Harness, aggregate: UUID, *texts: str, **options: Any) -> list[Any]:
    return [
        await toy.deliver(Asked(key=aggregate, text=text), aggregate_id=aggregate, may_dead_letter=True, **options)
        for text in texts
    ]


async def hear(toy: Harness, key: UUID) -> None:
    """Put what some events wait for into the database, as another topic's event would."""
    await toy.admin.execute("INSERT INTO heard (tenant_id, key, times) VALUES ($1, $2, 1)", toy.tenant, key)


async def dead_letters(toy: Harness, pair: Pair) -> list[tuple[str, int]]:
    rows = await toy.admin.fetch(
        "SELECT kind, sequence FROM dead_letter WHERE subscriber = $1 AND aggregate_id = $2 ORDER BY sequence, topic",
        *pair,
    )
    return [(row["kind"], row["sequence"]) for row in rows]


async def mark(toy: Harness, pair: Pair) -> int | None:
    mark: int | None = await toy.admin.fetchval(
        "SELECT sequence FROM inbox WHERE subscriber = $1 AND aggregate_id = $2", *pair
    )
    return mark


async def echoed(toy: Harness) -> list[str]:
    return [event.event.text for event in await toy.published("note.written")]  # type: ignore[attr-defined]


async def times(toy: Harness, key: UUID) -> int:
    return await toy.admin.fetchval("SELECT times FROM heard WHERE key = $1", key) or 0


@asynccontextmanager
async def nobody_hears(toy: Harness) -> AsyncIterator[None]:
    """Whoever reads or writes what was heard stands still, in the middle of a transaction, until this ends."""
    async with toy.admin.transaction():
        await toy.admin.execute("LOCK TABLE heard IN ACCESS EXCLUSIVE MODE")
        yield


async def stand_still(toy: Harness, count: int) -> None:
    query = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"
    await eventually(lambda: toy.admin.fetchval(query), lambda n: n == count, what=f"{count} that wait for a lock")


def event(toy: Harness, key: UUID, sequence: int, text: str) -> ConsumerRecord:
    return toy._record(Asked(key=key, text=text), key, sequence, toy.tenant, datetime.now(UTC), None)
