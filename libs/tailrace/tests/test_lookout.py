"""What is due is found at once when a process of the service made it so, and soon when nobody told; at rest, all cost one look."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import event
from toy import Note, service

from tailrace.core.context import Context
from tailrace.core.ids import uuid7
from tailrace.db.database import Database
from tailrace.db.lookout import Announcer, Lookout
from tailrace.errands.errands import Errand
from tailrace.errands.runner import ErrandRunner
from tailrace.http.routing import Tx
from tailrace.jobs.kinds import JobKind, Later, Run
from tailrace.jobs.runner import JobRunner
from tailrace.messaging.timers import Timer, TimerRunner
from tailrace.redrive.redriver import redrive_forever
from tailrace_testing import Harness, MakeHarness
from tailrace_testing.gateway import eventually

NEVER = 86_400.0
"""A lookout that looks so seldom by itself finds only what it is told of."""
reminder = Timer("toy.reminder")
writing = JobKind("toy.late_writing")
calling = Errand("toy.calling")


@reminder.due
async def remind(tx: Tx, key: UUID) -> None:
    tx.add(Note.write("reminded"))


@writing.chunk
async def write(tx: Tx, run: Run) -> None:
    if run.attempt == 1:
        raise Later
    tx.add(Note.write("written"))
    run.finish()


@pytest.fixture
async def toy(make_harness: MakeHarness) -> Harness:
    return await make_harness(replace(service, timers=[reminder], jobs=[writing], errands=[]))


@asynccontextmanager
async def _at_work(toy: Harness, *, every: float, told: bool = True, listen: bool = False) -> AsyncIterator[None]:
    """All that work by the clock, as in a process of the service."""
    stop, database = asyncio.Event(), toy.database
    lookout = Lookout(database, every=every)
    database.told = lookout.told if told else None

    def read() -> AbstractAsyncContextManager[object]:
        return nullcontext(toy.read_record)

    work = [
        TimerRunner(database, [reminder]).run(stop, lookout),
        JobRunner(database, [writing]).run(stop, lookout),
        ErrandRunner(database, [calling], toy.settings).run(stop, lookout),
        redrive_forever("toy", toy.service.subscribers, database, read, stop, lookout=lookout),  # type: ignore[arg-type]
        lookout.run(stop),
    ]
    tasks = [asyncio.create_task(each) for each in [*work, *([lookout.listen(stop)] if listen else [])]]
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 60)
        database.told = None


async def _set(toy: Harness, after: float = 0.0, database: Database | None = None) -> None:
    at = datetime.now(UTC) + timedelta(seconds=after)
    context = Context(tenant_id=toy.tenant, user_id=toy.user)
    async with (database or toy.database).transaction(context) as tx:
        await reminder.set(tx, uuid7(), at)


async def _noted(toy: Harness, times: int, within: float = 60) -> None:
    notes = "note.written"
    await eventually(lambda: toy.published(notes), lambda found: len(found) == times, within=within, what="a note")


async def test_a_commit_of_this_process_is_followed_at_once_or_when_the_moment_comes(toy: Harness) -> None:
    async with _at_work(toy, every=NEVER):
        await _set(toy)
        await _noted(toy, 1)
        await _set(toy, 0.7)
        await _set(toy, 3600)
        await _noted(toy, 2)


async def test_work_that_is_put_off_is_taken_up_again(toy: Harness) -> None:
    async with _at_work(toy, every=NEVER):
        async with toy.tx() as tx:
            await writing.start(tx, {})
        await _noted(toy, 1)


async def test_what_nobody_told_of_is_found_by_the_look_that_always_comes(toy: Harness) -> None:
    async with _at_work(toy, every=0.2, told=False):
        for times in (1, 2):
            await _set(toy)
            await _noted(toy, times)


async def test_a_process_that_only_serves_tells_one_that_works(toy: Harness) -> None:
    serving = Database(toy.settings.database_url or "", "toy", pool=1)
    serving.announce = Announcer(every=NEVER)
    try:
        async with _at_work(toy, every=NEVER, told=False, listen=True):
            # Until it listens it may look by itself: the second and the third are told of.
            for times in (1, 2, 3):
                await _set(toy, database=serving)
                await _noted(toy, times)
    finally:
        await serving.close()


async def test_what_another_process_was_at_is_tried_again(toy: Harness) -> None:
    key = uuid7()
    lock = f"hashtextextended('timer/{reminder.name}/{key}', 0)"
    await toy.admin.execute(f"SELECT pg_advisory_lock({lock})")
    tried = asyncio.Event()
    engine = toy.database.engine.sync_engine

    @event.listens_for(engine, "before_cursor_execute")
    def note(*call: object) -> None:
        if "pg_try_advisory_xact_lock" in str(call[2]):
            tried.set()

    async with _at_work(toy, every=NEVER):
        async with toy.tx() as tx:
            await reminder.set(tx, key, datetime.now(UTC))
        await asyncio.wait_for(tried.wait(), 60)
        await toy.admin.execute(f"SELECT pg_advisory_unlock({lock})")
        await _noted(toy, 1)


async def test_a_database_that_is_away_is_looked_at_again(toy: Harness) -> None:
    async with _at_work(toy, every=0.2, told=False):
        await toy.admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await eventually(lambda: _survives(toy), bool, within=60, what="a connection")
        await _noted(toy, 1)


async def _survives(toy: Harness) -> bool:
    try:
        await _set(toy)
    except Exception:
        return False
    return True


async def test_at_rest_all_kinds_cost_one_statement_a_look(toy: Harness) -> None:
    sent: list[str] = []
    engine = toy.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *call: sent.append(call[2]))

    async def looks() -> int:
        return sum("clock_timestamp" in each for each in sent)

    async with _at_work(toy, every=0.1):
        await eventually(looks, lambda count: count >= 6, within=60, what="a look")
        rest = sent[-4:]
    assert len(set(rest)) == 1
    for table in ("timer", "job_queue", "errand_turn", "dead_letter"):
        assert f"FROM {table}" in rest[0]
