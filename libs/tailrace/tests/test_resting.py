"""A rush of requests opens its connections once, and they are closed when they have rested; nobody is handed one that is being closed."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from tailrace.core.context import Context
from tailrace.db.database import Database
from tailrace_testing import Harness

KEPT, MORE = 2, 6
_OPENED = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tailrace-resting'")
_WHO = text("SELECT pg_backend_pid()")


@pytest.fixture
async def database(toy: Harness) -> AsyncIterator[Database]:
    database = Database(toy.settings.database_url or "", "resting", pool=KEPT, overflow=MORE)
    yield database
    await database.close()


async def _rush(database: Database, width: int = KEPT + MORE) -> set[int]:
    """So many transactions at once; the processes of PostgreSQL that served them."""
    here, served = asyncio.Barrier(width), set()

    async def one() -> None:
        async with database.transaction(Context(tenant_id=None)) as tx:
            served.add((await tx.scalars(_WHO)).one())
            await here.wait()

    async with asyncio.TaskGroup() as group:
        for _ in range(width):
            group.create_task(one())
    return served


async def _open(toy: Harness) -> int:
    async with toy.tx() as tx:
        return int((await tx.scalars(_OPENED)).one())


async def _closed_down_to(toy: Harness, wanted: int) -> int:
    """How many are open once there are no more than that; a process of PostgreSQL's ends some time after its connection."""
    async with asyncio.timeout(60):
        while (there := await _open(toy)) > wanted:  # noqa: ASYNC110  (PostgreSQL tells nobody)
            await asyncio.sleep(0.02)
    return there


async def test_a_second_rush_opens_nothing(database: Database, toy: Harness) -> None:
    first = await _rush(database)
    assert len(first) == KEPT + MORE
    assert await _rush(database) == first


async def test_what_has_rested_is_closed_but_for_those_kept(database: Database, toy: Harness) -> None:
    served = await _rush(database)
    database.resting.rest = 0.0
    database.resting.close_rested()
    assert await _closed_down_to(toy, KEPT) == KEPT
    again = await _rush(database)
    assert len(again) == KEPT + MORE
    assert len(again & served) == KEPT, "those that were kept serve on"


async def test_what_has_not_rested_stays(database: Database, toy: Harness) -> None:
    served = await _rush(database)
    database.resting.rest = 3600.0
    database.resting.close_rested()
    assert await _rush(database) == served


async def test_the_next_return_looks_after_the_others(database: Database, toy: Harness) -> None:
    await _rush(database)
    database.resting.rest = 0.0
    await _rush(database, width=1)
    assert await _closed_down_to(toy, KEPT) == KEPT


async def test_nothing_in_use_is_closed(database: Database, toy: Harness) -> None:
    database.resting.rest = 0.0
    database.resting.kept = 0
    async with database.transaction(Context(tenant_id=None)) as tx:
        mine = (await tx.scalars(_WHO)).one()
        await _rush(database, width=3)
        database.resting.close_rested()
        assert (await tx.scalars(_WHO)).one() == mine
    assert await _closed_down_to(toy, 0) == 0
