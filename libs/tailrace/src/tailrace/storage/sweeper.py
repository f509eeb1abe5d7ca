"""Nothing in the store belongs to nobody for ever: an object whose upload came to nothing is deleted.

An upload is noted before its first byte is stored, and the note goes in the transaction that makes the object somebody's content. What is still
noted long after any upload can be under way was cut off, at whatever step. It is deleted, and once more as long after that, in case its
writer was only stopped and went on; then the note goes.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, exists, func, select, update

from tailrace.core.context import Context
from tailrace.db.database import Database
from tailrace.db.tables import upload
from tailrace.observability.logs import log
from tailrace.storage.store import Store

LONGEST_UPLOAD = 30 * 60.0
"""Seconds after which an upload is given up."""
SWEPT_AFTER = timedelta(hours=2)
_EVERY, _SOON = 60.0, 2.0
_NOBODY = Context(tenant_id=None)


async def discard(database: Database, store: Store, id: UUID) -> bool:
    """Delete the object of an upload that came to nothing, and its note; whether there was one that nobody else has its hands on.

    To be called by the writer of the object, when it is done with that.
    """
    async with database.transaction(_NOBODY) as tx:
        noted = select(upload.c.object_key).where(upload.c.id == id).with_for_update(skip_locked=True)
        key = await tx.scalar(noted)
        if key is None:
            return False
        await store.delete(key)
        await tx.execute(delete(upload).where(upload.c.id == id))
        return True


async def sweep(database: Database, store: Store, older_than: timedelta = SWEPT_AFTER) -> int:
    """Go through what was cut off, each in a transaction of its own; how many objects were deleted. Raises StoreAway."""
    swept = 0
    while await _sweep_one(database, store, older_than):
        swept += 1
    return swept


async def is_held(database: Database, older_than: timedelta = SWEPT_AFTER) -> bool:
    """Whether something that was cut off is left because somebody has it locked: another sweeper, or one whose end PostgreSQL has yet to notice."""
    async with database.transaction(_NOBODY) as tx:
        return bool(await tx.scalar(select(exists(_cut_off(older_than)))))


def _cut_off(older_than: timedelta) -> Select[Any]:
    last = func.coalesce(upload.c.swept_at, upload.c.began_at)
    return select(upload).where(last <= func.now() - older_than)


async def _sweep_one(database: Database, store: Store, older_than: timedelta) -> bool:
    next_one = _cut_off(older_than).order_by(upload.c.began_at).limit(1)
    async with database.transaction(_NOBODY) as tx:
        note = (await tx.execute(next_one.with_for_update(skip_locked=True))).one_or_none()
        if note is None:
            return False
        await store.delete(note.object_key)
        mine = upload.c.id == note.id
        if note.swept_at is None:
            await tx.execute(update(upload).where(mine).values(swept_at=func.now()))
        else:
            await tx.execute(delete(upload).where(mine))
        log.info("upload swept", upload=str(note.id), again=note.swept_at is not None)
        return True


async def sweep_forever(database: Database, store: Store, stop: asyncio.Event) -> None:
    """Sweep now and every minute, until stopped; sooner where a note was locked. A database or a store that is down is met again a minute later."""
    while not stop.is_set():
        pause = _EVERY
        try:
            await sweep(database, store)
            if await is_held(database):
                pause = _SOON
        except Exception as error:
            log.warning("uploads not swept", error=type(error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)
