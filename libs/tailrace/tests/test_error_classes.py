"""Failures have classes: what passes leaves no dead letter, what may pass is tried a few times, and any other is the event's own fault."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import TopicPartition
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm.exc import StaleDataError
from toy import Asked, Heard, Note, NoteWritten, service

from tailrace.core.events import Meta
from tailrace.core.ids import uuid7
from tailrace.db.error_classes import is_transient, sqlstate
from tailrace.db.tables import outbox
from tailrace.http.routing import Tx
from tailrace.messaging import retry_budget
from tailrace.messaging.consumer import Consumer
from tailrace.messaging.dispatcher import Dispatcher
from tailrace.messaging.retry_budget import TryAgain
from tailrace.messaging.subscribers import Projection
from tailrace.stack.embedded import Stack
from tailrace_testing import Harness
from tailrace_testing.databases import Databases
from tailrace_testing.gateway import eventually
from tailrace_testing.tokens import TestIssuer

Work = Callable[[Tx], Awaitable[Any]]


def _does(toy: Harness, work: Work) -> Projection:
    """From here on one subscriber alone, which does this with each event whose text is `x`."""
    subject = Projection("toy.subject")

    @subject.on(Asked)
    async def hear(tx: Tx, event: Asked, meta: Meta) -> None:
        if event.text == "x":
            await work(tx)
        await tx.execute(insert(Heard).values(tenant_id=tx.tenant_id, key=event.key, times=1))

    toy.dispatcher = Dispatcher("toy", toy.database, [subject])
    return subject


async def _tell(toy: Harness, words: str = "x") -> Any:
    key = uuid7()
    return await toy.deliver(Asked(key=key, text=words), aggregate_id=key, may_dead_letter=True)


async def _dead_letters(toy: Harness) -> list[tuple[str, str]]:
    rows = await toy.admin.fetch("SELECT kind, reason FROM dead_letter ORDER BY dead_lettered_at")
    return [(row["kind"], row["reason"]) for row in rows]


async def _times_heard(toy: Harness) -> int:
    return int(await toy.admin.fetchval("SELECT count(*) FROM heard"))


async def _failing(work: Awaitable[Any]) -> Exception:
    try:
        await work
    except Exception as error:
        return error
    raise AssertionError("nothing failed")


def _raises(error: BaseException) -> Work:
    async def work(tx: Tx) -> None:
        raise error

    return work


def _runs(*statements: str) -> Work:
    async def work(tx: Tx) -> None:
        for statement in statements:
            await tx.execute(text(statement))

    return work


_PASSING: dict[str, Work] = {
    "08003 terminated in the middle": _runs("SELECT pg_terminate_backend(pg_backend_pid())", "SELECT 1"),
    "55P03 lock time-out": _runs("SET LOCAL lock_timeout = '20ms'", "SELECT 1 FROM heard"),
    "57014 statement time-out": _runs("SET LOCAL statement_timeout = '20ms'", "SELECT pg_sleep(5)"),
    "53300 too many connections": _runs("DO $$ BEGIN RAISE SQLSTATE '53300'; END $$"),
    "53100 disk full": _runs("DO $$ BEGIN RAISE SQLSTATE '53100'; END $$"),
    "25006 read-only": _runs("SET TRANSACTION READ ONLY", "DELETE FROM heard"),
    "closed under a write, says uvloop": _raises(
        RuntimeError(
            "unable to perform operation on <TCPTransport closed=True reading=False 0x1>; the handler is closed"
        )
    ),
    "connection refused": lambda tx: asyncio.open_connection("127.0.0.1", 1),
}
_OWN: dict[str, tuple[Work, str]] = {
    "a file that is missing": (lambda tx: asyncio.to_thread(Path("/nowhere/at/all").read_text), "FileNotFoundError"),
    "not null": (_runs("INSERT INTO heard (tenant_id) SELECT current_setting('app.tenant_id')::uuid"), "(23502)"),
    "no such table": (_runs("SELECT * FROM nowhere"), '(42P01): relation "nowhere" does not exist'),
    "a bug": (_raises(KeyError("x")), "KeyError"),
    "a bug that says so": (_raises(RuntimeError("this cannot be")), "RuntimeError: this cannot be"),
}
_UNCERTAIN: dict[str, Work] = {
    "stale": _raises(StaleDataError("nobody was there")),
    "internal error": _runs("DO $$ BEGIN RAISE SQLSTATE 'XX000'; END $$"),
    "a time-out of the handler's own": _raises(TimeoutError()),
    "some error of the system": _raises(OSError(5, "Input/output error")),
}


@pytest.mark.parametrize("work", _PASSING.values(), ids=_PASSING)
async def test_what_passes_leaves_no_dead_letter_however_often(toy: Harness, work: Work) -> None:
    _does(toy, work)
    if work is _PASSING["55P03 lock time-out"]:
        await toy.admin.execute("BEGIN; LOCK TABLE heard IN ACCESS EXCLUSIVE MODE")
    for _ in range(retry_budget.TRIES + 1):
        failed = await _failing(_tell(toy))
        assert is_transient(failed), failed
        assert not isinstance(failed, TryAgain)
    await toy.admin.execute("ROLLBACK")
    assert await _dead_letters(toy) == []


async def test_who_loses_a_deadlock_tries_again(toy: Harness) -> None:
    lock, block = (f"SELECT pg_advisory_xact_lock({key})" for key in (1, 2))

    async def work(tx: Tx) -> None:
        await tx.execute(text(lock))
        waiting = asyncio.create_task(toy.admin.execute(lock))
        blocked = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        await eventually(lambda: tx.scalar(blocked), bool, what="somebody who waits for this transaction")
        try:
            await tx.execute(text(block))
        finally:
            await (await tx.connection()).invalidate()
            await waiting

    _does(toy, work)
    await toy.admin.execute(f"ALTER DATABASE \"{toy.database_name}\" SET deadlock_timeout = '20ms'")
    await toy.database.engine.dispose()
    await toy.admin.execute(f"SET deadlock_timeout = '60s'; BEGIN; {block}")
    failed = await _failing(toy.dispatcher.deliver([_record(toy, uuid7(), 1, "x")]))
    await toy.admin.execute("ROLLBACK")
    assert (is_transient(failed), sqlstate(failed)) == (True, "40P01"), failed
    assert await _dead_letters(toy) == []


@pytest.mark.parametrize(("work", "reason"), _OWN.values(), ids=_OWN)
async def test_what_would_only_repeat_is_dead_lettered_at_once(toy: Harness, work: Work, reason: str) -> None:
    _does(toy, work)
    await _tell(toy)
    ((kind, said),) = await _dead_letters(toy)
    assert (kind, reason in said) == ("failed", True), said


@pytest.mark.parametrize("work", _UNCERTAIN.values(), ids=_UNCERTAIN)
async def test_what_may_pass_is_tried_a_few_times_and_holds_nobody_else(toy: Harness, work: Work) -> None:
    _does(toy, work)
    key = uuid7()
    records = [_record(toy, key, 1, "x"), _record(toy, key, 2, "behind"), _record(toy, uuid7(), 1, "other")]
    for _ in range(retry_budget.TRIES - 1):
        with pytest.raises(TryAgain):
            await toy.redeliver(*records)
        assert (await _dead_letters(toy), await _times_heard(toy)) == ([], 1)
    await toy.redeliver(*records, may_dead_letter=True)
    (first, reason), (second, _) = await _dead_letters(toy)
    assert (first, second, reason.startswith(f"tried {retry_budget.TRIES} times; ")) == ("failed", "behind", True), (
        reason
    )
    assert await _times_heard(toy) == 1


async def test_what_may_pass_and_does_leaves_nothing_behind(toy: Harness) -> None:
    errors: list[Exception] = [StaleDataError("once")]

    async def work(tx: Tx) -> None:
        if errors:
            raise errors.pop()

    _does(toy, work)
    await toy.redeliver(_record(toy, uuid7(), 1, "x"))
    assert (await _dead_letters(toy), await _times_heard(toy)) == ([], 1)


async def test_no_event_is_blamed_while_the_database_is_unwell(toy: Harness) -> None:
    """As often as anything fails that surely passes, the tries begin anew."""
    errors: list[Exception] = []

    async def work(tx: Tx) -> None:
        raise errors[-1]

    _does(toy, work)
    record = _record(toy, uuid7(), 1, "x")
    for _ in range(3):
        for error in [TimeoutError()] * (retry_budget.TRIES - 1) + [ConnectionResetError()]:
            errors.append(error)
            with pytest.raises((TryAgain, ConnectionResetError)):
                await toy.redeliver(record)
    assert await _dead_letters(toy) == []


async def test_a_database_that_cannot_be_reached_is_to_blame_whatever_it_says(toy: Harness) -> None:
    _does(toy, _runs("SELECT 1"))
    role, name = "toy_app", toy.database_name
    await toy.database.engine.dispose()
    for closing, opening in (
        (f'REVOKE CONNECT ON DATABASE "{name}" FROM {role}', f'GRANT CONNECT ON DATABASE "{name}" TO {role}'),
        (f"ALTER ROLE {role} NOLOGIN", f"ALTER ROLE {role} LOGIN"),
    ):
        await toy.admin.execute(closing)
        try:
            failed = await _failing(_tell(toy))
        finally:
            await toy.admin.execute(opening)
        assert is_transient(failed), failed
    async with toy.database_down():
        with pytest.raises(DBAPIError) as full:
            await _tell(toy)
    assert is_transient(full.value)
    await _tell(toy)
    assert (await _dead_letters(toy), await _times_heard(toy)) == ([], 1)


async def test_an_error_that_was_passed_over_is_named(toy: Harness) -> None:
    async def careless(tx: Tx) -> None:
        for statement in ("SELECT 1 FROM nowhere", "SELECT 1"):
            try:
                await tx.execute(text(statement))
            except DBAPIError:
                continue

    _does(toy, careless)
    await _tell(toy)
    ((kind, reason),) = await _dead_letters(toy)
    assert kind == "failed"
    assert 'relation "nowhere" does not exist' in reason
    assert "caught and passed over" in reason
    assert "SELECT 1 FROM nowhere" in reason
    assert "current transaction is aborted" not in reason


async def test_a_failure_that_passes_is_waited_out_also_where_it_was_passed_over(toy: Harness) -> None:
    async def careless(tx: Tx) -> None:
        try:
            await tx.execute(text("SET LOCAL lock_timeout = '20ms'"))
            await tx.execute(text("SELECT 1 FROM heard"))
        except DBAPIError:
            return

    _does(toy, careless)
    await toy.admin.execute("BEGIN; LOCK TABLE heard IN ACCESS EXCLUSIVE MODE")
    with pytest.raises(DBAPIError) as failed:
        await _tell(toy)
    await toy.admin.execute("ROLLBACK")
    assert is_transient(failed.value)
    assert await _dead_letters(toy) == []


async def test_a_reason_repeats_nothing_of_what_was_sent(toy: Harness) -> None:
    async def leak(tx: Tx) -> None:
        rows = [{"tenant_id": tx.tenant_id, "key": uuid7(), "times": 1}] * 2
        await tx.execute(insert(Heard), rows)

    _does(toy, leak)
    await _tell(toy)
    _does(toy, _runs("SELECT cast('Ada Lovelace' || ' ' AS uuid)"))
    await _tell(toy)
    (_, unique), (_, invalid) = await _dead_letters(toy)
    assert unique.startswith('UniqueViolationError (23505): duplicate key value violates unique constraint "pk_heard"')
    assert str(toy.tenant) not in unique
    assert invalid.partition("\n")[0] == "InvalidTextRepresentationError (22P02)"


async def _record_event(tx: Tx) -> None:
    tx.add(Note.write("published by a read model"))


async def _record_on_loaded(tx: Tx) -> None:
    note = (await tx.scalars(select(Note))).one()
    note.close()


async def _insert_row(tx: Tx) -> None:
    await tx.execute(insert(outbox).values(id=uuid7(), tenant_id=tx.tenant_id))


async def _insert_words(tx: Tx) -> None:
    await tx.execute(text("INSERT INTO outbox (id) SELECT gen_random_uuid()"))


@pytest.mark.parametrize("work", [_record_event, _record_on_loaded, _insert_row, _insert_words])
async def test_a_projection_that_publishes_is_refused(toy: Harness, work: Work) -> None:
    async with toy.tx() as tx:
        tx.add(Note.write("there"))
    subject = _does(toy, work)
    await _tell(toy)
    await _tell(toy, "fine")
    ((kind, reason),) = await _dead_letters(toy)
    assert (kind, reason.startswith("RecordsNothing: toy.subject is a projection")) == ("failed", True), reason
    assert "only a Reaction publishes" in reason
    assert [note.type for note in await toy.published()] == [NoteWritten.type]
    assert await _times_heard(toy) == 1
    toy.redriver._subscribers[subject.name] = subject
    aggregate = await toy.admin.fetchval("SELECT aggregate_id FROM dead_letter")
    assert (await toy.redriver.redrive((subject.name, aggregate))).stopped is not None
    assert len(await toy.published()) == 1


async def test_a_redrive_tries_what_may_pass_again_before_it_counts(toy: Harness) -> None:
    errors: list[Exception] = [KeyError("x")]

    async def work(tx: Tx) -> None:
        if errors:
            raise errors.pop()

    subject = _does(toy, work)
    errors *= 2
    await _tell(toy)
    toy.redriver._subscribers[subject.name] = subject
    aggregate = await toy.admin.fetchval("SELECT aggregate_id FROM dead_letter")
    errors[:] = [StaleDataError("once"), TimeoutError()]
    assert (await toy.redriver.redrive((subject.name, aggregate))).applied == 1
    assert (await _dead_letters(toy), await _times_heard(toy)) == ([], 1)


@pytest.fixture
async def alone(tmp_path: Path, issuer: TestIssuer) -> AsyncIterator[tuple[Stack, Harness]]:
    """The toy on a PostgreSQL of its own, which may be restarted."""
    folder = tmp_path / "data"
    async with Stack(folder, only="postgres") as stack:
        databases = Databases(stack.postgres_url, stack.supervisor.credentials.secret)
        harness = Harness(service, databases, issuer, await databases.clone(service))
        await harness.start()
        yield stack, harness
        await harness.stop()
    await asyncio.to_thread(stack.discard)


async def test_a_restart_of_postgresql_leaves_no_dead_letter(alone: tuple[Stack, Harness]) -> None:
    stack, toy = alone
    stop, enough, told = asyncio.Event(), asyncio.Event(), 0
    consumer, place = Consumer("toy", toy.dispatcher, toy.settings), TopicPartition(Asked.topic, 0)
    consumer._subscriber_offsets._place(place, 0, {})

    async def consume() -> None:
        """What the consumer does with one batch after another, without a Kafka."""
        nonlocal told
        while not enough.is_set():
            record = _record(toy, uuid7(), 1, "hello")
            await consumer._process(_NoKafka(), {place: [record]}, stop)
            told += 1

    consuming = asyncio.create_task(consume())
    try:
        await eventually(lambda: _async(told), lambda n: n >= 20, what="a consumer at work")
        pid = stack.pids()["postgres"]
        os.kill(pid, signal.SIGINT)
        await eventually(lambda: _async(consumer.waiting_for), bool, what="a consumer that waits")
        before = told
        await eventually(lambda: _async(told), lambda n: n >= before + 20, what="a consumer that goes on")
    finally:
        enough.set()
        await asyncio.wait_for(consuming, 300)
    assert stack.pids()["postgres"] != pid
    toy.admin = await asyncpg.connect(toy.admin_url)
    assert (await _dead_letters(toy), await _times_heard(toy)) == ([], told)
    assert len(await toy.published("note.written")) == told


class _NoKafka:
    async def commit(self, offsets: Any) -> None:
        return


async def _async(value: Any) -> Any:
    return value


def _record(toy: Harness, key: Any, sequence: int, words: str) -> Any:
    return toy._record(Asked(key=uuid7(), text=words), key, sequence, toy.tenant, datetime.now(UTC), None)
