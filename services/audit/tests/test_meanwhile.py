"""While PostgreSQL is at a statement this process computes. Whatever fails of the two, the transaction is rolled back and its connection is whole."""

import asyncio
import gc
from typing import Any

import pytest
from scribe import Scribe
from sqlalchemy import bindparam, func, select, text
from sqlalchemy.exc import DBAPIError

from audit.meanwhile import queued
from tailrace.core.context import Context
from tailrace_testing.gateway import eventually

_SET = select(func.set_config("app.noted", bindparam("said"), False))
_SAID = select(func.current_setting("app.noted", True))
_LOCK = select(func.pg_advisory_xact_lock(bindparam("key")))
_WRONG = text("SELECT 1 / (:zero)::int")
_WAITS = "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = $1"
KEY = 8130


def _transaction(scribe: Scribe) -> Any:
    return scribe.h.database.transaction(Context(tenant_id=scribe.h.tenant))


async def test_this_process_goes_on_while_a_statement_runs(scribe: Scribe) -> None:
    """The statement waits for a lock that is let go by the body, and by nothing else."""
    await scribe.h.admin.execute(f"SELECT pg_advisory_lock({KEY})")
    async with asyncio.timeout(60), _transaction(scribe) as tx:
        async with queued(tx) as queue:
            locked = queue.put(_LOCK, {"key": KEY})
            after = queue.put(_SET, {"said": "after"})
            await eventually(lambda: scribe.h.admin.fetchval(_WAITS, KEY), bool, what="the wait for the lock")
            assert not locked.done() and not after.done()
            await scribe.h.admin.execute(f"SELECT pg_advisory_unlock({KEY})")
        assert locked.done() and after.done(), "the queue is empty when the block ends"
        assert await tx.scalar(_SAID) == "after"


async def test_nothing_runs_after_a_statement_that_failed(scribe: Scribe) -> None:
    told: list[Any] = []
    why: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: told.append(what))
    with pytest.raises(DBAPIError, match="division by zero"):
        async with _transaction(scribe) as tx, queued(tx) as queue:
            queue.put(_WRONG, {"zero": 0})
            last = queue.put(_SET, {"said": "never"})
            await asyncio.wait([last])
            why.append(repr(last))
    assert "division by zero" in why[0], "it failed for what was before it, and was not run"
    del queue, last
    gc.collect()
    assert not told, "no failure is told a second time, by the loop"
    async with _transaction(scribe) as tx:
        assert await tx.scalar(_SAID) in {None, ""}


async def test_what_the_body_raises_ends_the_statement_under_way(scribe: Scribe) -> None:
    await scribe.h.admin.execute(f"SELECT pg_advisory_lock({KEY})")
    try:
        with pytest.raises(ZeroDivisionError):
            async with asyncio.timeout(60), _transaction(scribe) as tx, queued(tx) as queue:
                queue.put(_LOCK, {"key": KEY})
                queue.put(_SET, {"said": "never"})
                await asyncio.sleep(0)
                raise ZeroDivisionError
    finally:
        await scribe.h.admin.execute(f"SELECT pg_advisory_unlock({KEY})")
    async with _transaction(scribe) as tx:
        assert await tx.scalar(select(1)) == 1
        assert await tx.scalar(_SAID) in {None, ""}
