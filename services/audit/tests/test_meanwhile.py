"""While PostgreSQL is at a statement this process computes. Whatever fails of the two, the transaction is rolled back and its connection is whole."""

import asyncio
import gc
from contextlib import suppress
from itertools import count
from typing import Any, cast

import pytest
from scribe import Scribe
from sqlalchemy import bindparam, func, select, text
from sqlalchemy.exc import DBAPIError

from audit import log
from audit.meanwhile import queued
from tailrace.core.context import Context
from tailrace.db.database import Tx
from tailrace.verify.evidence import entry_bytes
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
    why: list[str] = []
    with pytest.raises(DBAPIError, match="division by zero"):
        async with _transaction(scribe) as tx, queued(tx) as queue:
            queue.put(_WRONG, {"zero": 0})
            last = queue.put(_SET, {"said": "never"})
            await asyncio.wait([last])
            why.append(repr(last))
    assert "division by zero" in why[0], "it failed for what was before it, and was not run"
    async with _transaction(scribe) as tx:
        assert await tx.scalar(_SAID) in {None, ""}


class _OneByOne:
    """In the place of a transaction: the earlier a statement, the longer it takes, so that those that run at once end the other way round."""

    def __init__(self) -> None:
        self.said: list[str] = []

    async def execute(self, statement: str, given: dict[str, int]) -> None:
        self.said.append(f"{statement} begins")
        for _ in range(given["turns"]):
            await asyncio.sleep(0)
        self.said.append(f"{statement} ends")


async def test_statements_take_turns_in_the_order_they_were_put() -> None:
    """A session is for one at a time; which of two waits is nothing to leave to the driver's lock."""
    tx = _OneByOne()
    async with queued(cast(Tx, tx)) as queue:
        for name, turns in [("first", 9), ("second", 5), ("third", 0)]:
            queue.put(name, {"turns": turns})
    assert tx.said == [f"{name} {what}" for name in ("first", "second", "third") for what in ("begins", "ends")]


class _FailsWhenCancelled:
    """In the place of a transaction: the driver's own error comes in the moment in which the statement is given up."""

    async def execute(self, *_: Any) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ConnectionResetError from None


async def _gives_up() -> None:
    with suppress(ZeroDivisionError):
        async with queued(cast(Tx, _FailsWhenCancelled())) as queue:
            queue.put("waits", {})
            await asyncio.sleep(0)
            raise ZeroDivisionError


async def test_what_fails_as_it_is_given_up_is_told_by_nobody() -> None:
    """The body's failure is the one to tell; the loop would report the other as one that nobody looked at."""
    told: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: told.append(what))
    await _gives_up()
    gc.collect()
    assert not told


async def test_all_is_hashed_while_the_first_statement_waits(scribe: Scribe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody holds the row of a document; the log has everything in hand before it is let go."""
    hashed = count()

    def hash_one(*given: Any) -> bytes:
        next(hashed)
        return entry_bytes(*given)

    (document,) = await scribe.fill(1, documents=1)
    many = 2 * log._PART + 1
    events = [scribe.event("order.noted", document) for _ in range(many)]
    monkeypatch.setattr(log, "entry_bytes", hash_one)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group, scribe.h.admin.transaction():
        await scribe.h.admin.execute("SELECT 1 FROM document WHERE id = $1 FOR UPDATE", document)
        adding = group.create_task(scribe.h.dispatcher.deliver(events))
        while repr(hashed) != f"count({many})":
            assert not adding.done()
            await asyncio.sleep(0.01)
        assert not adding.done()
    assert await scribe.h.admin.fetchval("SELECT size FROM log WHERE tenant_id = $1", scribe.h.tenant) == many + 1


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
