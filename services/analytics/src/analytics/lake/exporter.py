"""Writes what is queued to the lake, exactly once, whatever dies when.

1. What waits is given the number of the next batch, and that is committed.
2. The rows of the batch and its number are written to the lake, in one commit of the table.
3. What was queued under that number is deleted.

A death before 2 leaves the number unused, and the next try takes another, for what came since too. After 2 the lake says itself that it holds the
batch, and only 3 is done again. One tenant is written by one process at a time, under a lock of the database; one that lost it is refused by the
table.

Where there is no table, where rows are gone (a rebuild found others), or where database and lake do not belong together (one of them was restored),
the lake is written again, in place of all that it held, in one commit as well.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID

from arro3.core import RecordBatch
from fastapi import FastAPI
from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from analytics.lake import dimensions
from analytics.lake.movements import MOVEMENTS, in_order
from analytics.lake.queue import STATE, LakeExport, QueuedMovement
from analytics.lake.tables import Lake, exported_of
from analytics.movements import Movement
from tailrace.core import clock
from tailrace.core.context import Context
from tailrace.db.database import Database, Tx
from tailrace.db.error_classes import is_transient
from tailrace.observability.logs import log
from tailrace.settings import Settings

EVERY = 10.0
"""Seconds from one look at the queue to the next."""
_MOST, _AT_ONCE = 200_000, 50_000
"""How many rows a batch takes at most, and how many of them are in memory."""
_LONGEST_READ = 120.0
"""Seconds that a thread waits for rows of the database, should the loop have ended."""
_one: Any = QueuedMovement
_WAITING = select(func.array_agg(_one.owner_id.distinct()))
_LOCK = select(func.pg_try_advisory_xact_lock(func.hashtextextended(bindparam("name"), 64)))


async def run(app: FastAPI, settings: Settings, stop: asyncio.Event) -> None:
    """Until `stop`."""
    while not stop.is_set():
        try:
            await export_all(app.state.database, app.state.lake)
        except Exception as error:
            if not is_transient(error):
                log.error("movements not written to the lake", exc_info=error)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), EVERY)


async def export_all(database: Database, lake: Lake) -> None:
    """Write what waits, of every tenant. Raises the last failure, after the others had their turn."""
    row = await database.look(_WAITING)
    failed: Exception | None = None
    for tenant_id in (row and row[0]) or []:
        try:
            while await export(database, lake, tenant_id):
                pass
            async with database.transaction(Context(tenant_id=tenant_id), read_only=True) as tx:
                await dimensions.write(tx, lake)
            await asyncio.to_thread(lake.tidy, tenant_id)
        except Exception as error:
            failed = error
    if failed is not None:
        raise failed


async def export(database: Database, lake: Lake, tenant_id: UUID) -> bool:
    """Write one batch of a tenant; whether anything waited, and nobody else was at it."""
    context = Context(tenant_id=tenant_id)
    async with database.transaction(context) as held:
        if not await held.scalar(_LOCK, {"name": f"lake {tenant_id}"}):
            return False
        table = await asyncio.to_thread(lake.open, tenant_id)
        have = exported_of(table)
        batch, whole = await _number(database, context, have, missing=table is None)
        if batch is None:
            return False
        rows = _rows(held, tenant_id, None if whole else batch)
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(lake.append, tenant_id, batch, lambda: _in_thread(rows, loop), whole=whole)
        await _done(database, context, batch)
    return True


async def _number(database: Database, context: Context, have: int, *, missing: bool) -> tuple[int | None, bool]:
    """Give what waits the number of the next batch; None where nothing waits. And whether the lake is to be written whole."""
    async with database.transaction(context) as tx:
        mine = _one.owner_id == tx.tenant_id
        state = (await tx.execute(STATE, {"tenant": tx.tenant_id})).one()
        whole = missing or state.spoilt or have not in (state.exported, state.numbered)
        if not whole and have > state.exported:
            await _note(tx, exported=have, exported_at=clock.now())
            await tx.execute(delete(_one).where(mine, _one.batch <= have))
        batch = max(have, state.numbered) + 1
        some = select(_one.number).where(mine).order_by(_one.number)
        if not whole:
            some = some.limit(_MOST)
        marked: Any = await tx.execute(update(_one).where(_one.number.in_(some)).values(batch=batch))
        if not marked.rowcount:
            return None, False
        await _note(tx, numbered=batch)
        return batch, whole


async def _rows(tx: Tx, tenant_id: UUID, batch: int | None) -> AsyncIterator[RecordBatch]:
    """Of the batch; without one, every movement but those that came after what is queued had got its number."""
    queued = select(_one.movement_id).where(_one.owner_id == tenant_id)
    which = Movement.id.not_in(queued.where(_one.batch.is_(None)))
    if batch is not None:
        which = Movement.id.in_(queued.where(_one.batch == batch))
    found = await tx.stream(in_order().where(which).execution_options(yield_per=_AT_ONCE))
    async for part in found.partitions():
        yield await asyncio.to_thread(MOVEMENTS.batch, part)


def _in_thread(rows: AsyncIterator[RecordBatch], loop: asyncio.AbstractEventLoop) -> Iterator[RecordBatch]:
    """The batches of rows in a thread, where the lake is written, while the loop reads them."""

    async def following() -> RecordBatch | None:
        return await anext(rows, None)

    while (batch := asyncio.run_coroutine_threadsafe(following(), loop).result(_LONGEST_READ)) is not None:
        yield batch


async def _done(database: Database, context: Context, batch: int) -> None:
    """The lake holds the batch."""
    async with database.transaction(context) as tx:
        await tx.execute(delete(_one).where(_one.owner_id == tx.tenant_id, _one.batch <= batch))
        await _note(tx, exported=batch, exported_at=clock.now())


async def _note(tx: Tx, **said: Any) -> None:
    row = insert(LakeExport).values({"tenant_id": tx.tenant_id, "exported": 0, "numbered": 0, **said})
    await tx.execute(row.on_conflict_do_update(index_elements=["tenant_id"], set_=said))
