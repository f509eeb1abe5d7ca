"""A transaction holds what it says, whole or not at all: through savepoints, errors passed over, and callers that go away."""

import asyncio
import gc
import random
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

import pytest
from sqlalchemy import event, insert, select, text
from sqlalchemy.exc import DBAPIError, InterfaceError
from toy import Counted, Counter, Heard, Line, Note, NoteClosed, Status

from tailrace.core.context import Context
from tailrace.core.errors import Unknown
from tailrace.core.ids import uuid7
from tailrace.db.error_classes import is_transient
from tailrace.db.outbox import UnrecordedChange
from tailrace.errands.runner import ErrandRunner
from tailrace.jobs.runner import JobRunner
from tailrace.messaging.timers import TimerRunner
from tailrace_testing import Harness


async def _written(toy: Harness, text: str = "hello") -> UUID:
    async with toy.tx() as tx:
        note = Note.write(text)
        tx.add(note)
    return note.id


@contextmanager
def _statements(toy: Harness) -> Iterator[list[str]]:
    """What is sent to the database meanwhile."""
    sent: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        sent.append(statement)

    engine = toy.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def _marks(toy: Harness, id: UUID) -> list[tuple[int, str]]:
    return [(one.sequence, one.type) for one in await toy.published() if one.aggregate_id == id]


class _Weight:
    """What a transaction had in its hands."""


async def _fails_with(toy: Harness, weight: _Weight) -> None:
    with suppress(DBAPIError):
        async with toy.tx() as tx:
            await tx.execute(text("SELECT 1 / 0"))
    assert weight is not None


async def test_a_connection_at_rest_keeps_nothing_of_what_failed(toy: Harness) -> None:
    """An error leads by its frames to all that was at hand."""
    weight = _Weight()
    gone = weakref.ref(weight)
    await _fails_with(toy, weight)
    del weight
    gc.collect()
    assert gone() is None


async def test_a_savepoint_kept_inside_one_that_is_not_publishes_nothing(toy: Harness) -> None:
    async with toy.tx() as tx:
        outer = await tx.begin_nested()
        inner = await tx.begin_nested()
        tx.add(Note.write("gone"))
        await tx.flush()
        await inner.commit()
        await outer.rollback()
        tx.add(Note.write("kept"))
    assert [note.event.text for note in await toy.published()] == ["kept"]  # type: ignore[attr-defined]


async def test_a_stream_that_saw_what_did_not_happen_takes_no_more_events(toy: Harness) -> None:
    stream_id = uuid7()
    with pytest.raises(RuntimeError, match="savepoint"):
        async with toy.tx() as tx:
            counter = await tx.load_stream(Counter, stream_id)
            savepoint = await tx.begin_nested()
            counter.record(Counted(by=10))
            await savepoint.rollback()
            counter.record(Counted(by=100))
    async with toy.tx() as tx:
        counter = await tx.load_stream(Counter, stream_id)
        counter.record(Counted(by=1))
        savepoint = await tx.begin_nested()
        counter.record(Counted(by=10))
        await savepoint.rollback()
        (await tx.load_stream(Counter, stream_id)).record(Counted(by=100))
    async with toy.tx() as tx:
        assert (await tx.view_stream(Counter, stream_id)).state.total == 101
    assert await _marks(toy, stream_id) == [(1, "toy.counted"), (2, "toy.counted")]


async def test_a_stream_goes_on_after_a_savepoint_that_did_not_touch_it(toy: Harness) -> None:
    stream_id = uuid7()
    async with toy.tx() as tx:
        counter = await tx.load_stream(Counter, stream_id)
        counter.record(Counted(by=1))
        savepoint = await tx.begin_nested()
        tx.add(Note.write("gone"))
        await savepoint.rollback()
        counter.record(Counted(by=2))
    assert await _marks(toy, stream_id) == [(1, "toy.counted"), (2, "toy.counted")]


async def test_a_lock_asked_for_after_the_change_keeps_the_change(toy: Harness) -> None:
    note_id = await _written(toy)
    async with toy.tx() as tx:
        note = await tx.find(Note, note_id)
        note.close()
        assert await tx.load(Note, note_id) is note
    async with toy.tx() as tx:
        kept = await tx.find(Note, note_id)
        assert (kept.version, kept.status) == (2, Status.CLOSED)
    assert await _marks(toy, note_id) == [(1, "note.written"), (2, "note.closed")]


async def test_loaded_twice_is_one_and_the_same(toy: Harness) -> None:
    note_id = await _written(toy)
    async with toy.tx() as tx:
        note = await tx.load(Note, note_id)
        note.close()
        assert await tx.load(Note, note_id, match=2) is note


async def test_what_was_made_here_is_written_and_not_read_again_to_be_changed(toy: Harness) -> None:
    async with toy.tx() as tx:
        note = Note.write("hello")
        tx.add(note)
        with _statements(toy) as statements:
            (await tx.load(Note, note.id, match=1)).close()
        assert {statement.split()[0] for statement in statements} == {"INSERT"}
    assert await _marks(toy, note.id) == [(1, "note.written"), (2, "note.closed")]


async def test_what_was_made_in_a_savepoint_goes_with_it(toy: Harness) -> None:
    async with toy.tx() as tx:
        savepoint = await tx.begin_nested()
        note = Note.write("gone")
        tx.add(note)
        await tx.flush()
        await savepoint.rollback()
        with pytest.raises(Unknown):
            await tx.load(Note, note.id)


async def test_a_part_of_nothing_is_refused(toy: Harness) -> None:
    note_id = await _written(toy)
    with pytest.raises(UnrecordedChange, match="part of nothing"):
        async with toy.tx() as tx:
            tx.add(Line(id=uuid7(), note_id=note_id, text="slipped in behind the note's back"))


async def test_a_part_taken_away_has_to_be_recorded(toy: Harness) -> None:
    note_id = await _written(toy)
    with pytest.raises(UnrecordedChange):
        async with toy.tx() as tx:
            (await tx.load(Note, note_id)).lines.clear()
    async with toy.tx() as tx:
        note = await tx.load(Note, note_id)
        note.lines.clear()
        note.record(NoteClosed(note_id=note_id))
    async with toy.tx() as tx:
        assert (await tx.scalars(select(Line))).all() == []


async def test_a_deletion_that_is_recorded_is_published(toy: Harness) -> None:
    note_id = await _written(toy)
    async with toy.tx() as tx:
        note = await tx.load(Note, note_id)
        note.record(NoteClosed(note_id=note_id))
        await tx.delete(note)
    assert await _marks(toy, note_id) == [(1, "note.written"), (2, "note.closed")]
    assert await toy.admin.fetchval("SELECT count(*) FROM note_line") == 0


async def test_an_error_passed_over_is_not_answered_by_a_commit_of_nothing(toy: Harness) -> None:
    with pytest.raises(DBAPIError, match="division by zero"):
        async with toy.tx() as tx:
            tx.add(Note.write("never"))
            await tx.flush()
            with pytest.raises(DBAPIError):
                await tx.execute(text("SELECT 1 / 0"))
    async with toy.tx() as tx:
        savepoint = await tx.begin_nested()
        with pytest.raises(DBAPIError):
            await tx.execute(text("SELECT 1 / 0"))
        await savepoint.rollback()
        tx.add(Note.write("kept"))
    assert [note.event.text for note in await toy.published()] == ["kept"]  # type: ignore[attr-defined]


async def test_an_error_tells_nothing_of_what_was_sent(toy: Harness) -> None:
    with pytest.raises(DBAPIError) as refused:
        async with toy.tx() as tx:
            await tx.execute(text("SELECT 1 / length(:name)"), {"name": ""})
            raise AssertionError
    assert "hidden" in str(refused.value) or "parameters" not in str(refused.value)
    with pytest.raises(DBAPIError) as refused:
        async with toy.tx() as tx:
            tx.add(Note.write("personal\x00"))
    assert "personal" not in str(refused.value)


async def test_a_statement_that_no_server_would_take_does_not_pass(toy: Harness) -> None:
    rows = [{"tenant_id": toy.tenant, "key": uuid7(), "times": 1} for _ in range(11_000)]
    with pytest.raises(InterfaceError) as refused:
        async with toy.tx() as tx:
            await tx.execute(insert(Heard).values(rows))
    assert not is_transient(refused.value)


async def test_callers_that_go_away_leave_no_connection_and_no_tenant_behind(toy: Harness) -> None:
    chance = random.Random(20261121)
    acknowledged: set[UUID] = set()

    async def write() -> None:
        async with toy.tx() as tx:
            note = Note.write("x")
            tx.add(note)
            await tx.flush()
        acknowledged.add(note.id)

    for _ in range(75):
        tasks = [asyncio.create_task(write()) for _ in range(4)]
        for task in tasks:
            await asyncio.sleep(chance.uniform(0, 0.004))
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        async with toy.database.transaction(Context(tenant_id=None)) as tx:
            assert (await tx.execute(select(Note.id).limit(1))).all() == []
    assert toy.database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    there = {row["id"] for row in await toy.admin.fetch("SELECT id FROM note")}
    assert acknowledged <= there
    assert there == {event.aggregate_id for event in await toy.published()}


async def test_who_looks_in_vain_sends_one_statement(toy: Harness) -> None:
    """Whoever is called may have been called for nothing, and a transaction costs four times as much as a look."""
    for look in (
        TimerRunner(toy.database, toy.service.all_timers).fire_due,
        JobRunner(toy.database, toy.service.all_jobs).step,
        ErrandRunner(toy.database, toy.service.errands, toy.settings).take,
    ):
        with _statements(toy) as sent:
            assert not await look()
        assert len(sent) == 1
