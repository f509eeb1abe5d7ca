"""Events leave in the transaction that made them true, or not at all."""

import gc
from typing import ClassVar
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm.exc import StaleDataError
from toy import Counted, Counter, Line, Note, Status

from debezium_connector_config.outbox import CLOUDEVENTS_HEADERS
from tailrace.capture.connectors import EXTENSIONS
from tailrace.core.events import Event
from tailrace.core.ids import uuid7
from tailrace.core.stand_ins import cause_told, trace_told
from tailrace.db.event_streams import SNAPSHOT_EVERY, replay
from tailrace.db.outbox import ForeignEvent, UnrecordedChange
from tailrace.db.tables import snapshot
from tailrace_testing import Harness


async def _written(toy: Harness, text: str = "hello") -> UUID:
    async with toy.tx() as tx:
        note = Note.write(text)
        tx.add(note)
    return note.id


async def test_state_and_event_commit_together(toy: Harness) -> None:
    note_id = await _written(toy)
    async with toy.tx() as tx:
        note = await tx.load(Note, note_id)
        note.close()
        del note
        gc.collect()
    events = await toy.published()
    assert [(f.type, f.sequence, f.aggregate_id) for f in events] == [
        ("note.written", 1, note_id),
        ("note.closed", 2, note_id),
    ]
    async with toy.tx() as tx:
        assert (await tx.find(Note, note_id)).version == 2


class Stamped(Event):
    topic: ClassVar[str] = "stamp.events"
    publisher: ClassVar[str] = "post"
    type: ClassVar[str] = "stamp.put"


async def test_what_belongs_to_another_service_is_refused(toy: Harness) -> None:
    with pytest.raises(ForeignEvent, match=r"toy recorded stamp\.put, and stamp\.events belongs to post"):
        async with toy.tx() as tx:
            note = Note.write("hello")
            tx.add(note)
            note.record(Stamped())
    assert await toy.published() == []


async def test_no_column_that_becomes_a_header_is_null(toy: Harness) -> None:
    await _written(toy)
    (row,) = await toy.admin.fetch("SELECT * FROM outbox WHERE topic = 'toy.events'")
    assert [column for column, _ in (*CLOUDEVENTS_HEADERS, *EXTENSIONS) if row[column] is None] == []
    assert row["causation_id"] == cause_told(None, row["correlation_id"])
    assert row["traceparent"] == trace_told(None, row["correlation_id"], row["id"])
    (event,) = await toy.published()
    assert event.causation_id is None


async def test_a_rollback_takes_the_event_along(toy: Harness) -> None:
    with pytest.raises(RuntimeError):
        async with toy.tx() as tx:
            tx.add(Note.write("never"))
            await tx.flush()
            raise RuntimeError
    assert await toy.published() == []


async def test_a_savepoint_rolled_back_publishes_nothing_and_restores_the_version(toy: Harness) -> None:
    note_id = await _written(toy)
    async with toy.tx() as tx:
        note = await tx.load(Note, note_id)
        savepoint = await tx.begin_nested()
        note.close()
        tx.add(Note.write("also gone"))
        await tx.flush()
        await savepoint.rollback()
        await tx.refresh(note)
        assert (note.version, note.status) == (1, Status.OPEN)
    assert [f.type for f in await toy.published()] == ["note.written"]


async def test_an_unflushed_savepoint_rolled_back_publishes_nothing(toy: Harness) -> None:
    note_id = await _written(toy)
    async with toy.tx() as tx:
        note = await tx.load(Note, note_id)
        savepoint = await tx.begin_nested()
        note.close()
        await savepoint.rollback()
    assert [f.type for f in await toy.published()] == ["note.written"]


async def test_a_savepoint_whose_flush_fails_publishes_nothing(toy: Harness) -> None:
    """What the database refuses takes the savepoint with it, and a transaction that goes on publishes nothing of that."""
    note_id = await _written(toy)
    async with toy.tx() as tx:
        for _ in range(2):
            with pytest.raises(IntegrityError):
                async with tx.begin_nested():
                    twice = Note.write("the same id")
                    twice.id = note_id
                    other = Note.write("beside it")
                    tx.add_all([twice, other])
                    await tx.flush()
        tx.add(Note.write("after it"))
    assert [published.event.text for published in await toy.published()] == ["hello", "after it"]  # type: ignore[attr-defined]


async def test_a_savepoint_kept_publishes(toy: Harness) -> None:
    async with toy.tx() as tx, tx.begin_nested():
        tx.add(Note.write("kept"))
    assert [f.type for f in await toy.published()] == ["note.written"]


async def test_a_change_that_records_nothing_is_refused(toy: Harness) -> None:
    note_id = await _written(toy)
    with pytest.raises(UnrecordedChange):
        async with toy.tx() as tx:
            (await tx.load(Note, note_id)).status = Status.CLOSED


async def test_a_part_that_changes_alone_is_refused(toy: Harness) -> None:
    await _written(toy)
    with pytest.raises(UnrecordedChange):
        async with toy.tx() as tx:
            (await tx.scalars(select(Line))).one().text = "changed behind the note's back"


async def test_a_deletion_that_records_nothing_is_refused(toy: Harness) -> None:
    note_id = await _written(toy)
    with pytest.raises(UnrecordedChange):
        async with toy.tx() as tx:
            await tx.delete(await tx.load(Note, note_id))


async def test_a_stale_writer_is_refused(toy: Harness) -> None:
    note_id = await _written(toy)
    with pytest.raises(StaleDataError):
        async with toy.tx() as late:
            note = await late.find(Note, note_id)
            async with toy.tx() as early:
                (await early.load(Note, note_id)).close()
            note.close()
    assert len(await toy.published()) == 2


async def test_the_tenant_is_held_to_by_postgresql(toy: Harness) -> None:
    await _written(toy)
    async with toy.tx(toy.other_tenant) as tx:
        assert (await tx.scalars(select(Note))).all() == []
        changed = await tx.execute(update(Note).values(text="stolen"))
        assert changed.rowcount == 0  # type: ignore[attr-defined]
    with pytest.raises(DBAPIError, match="row-level security"):
        async with toy.tx(toy.other_tenant) as tx:
            note = Note.write("slipped in")
            note.tenant_id = note.lines[0].tenant_id = toy.tenant
            tx.add(note)


async def test_a_stream_appends_its_event_and_its_event_at_once(toy: Harness) -> None:
    stream_id = uuid7()
    for by in (2, 3):
        async with toy.tx() as tx:
            (await tx.load_stream(Counter, stream_id)).record(Counted(by=by))
    async with toy.tx() as tx:
        counter = await tx.view_stream(Counter, stream_id)
        assert (counter.state.total, counter.version) == (5, 2)
    assert [(f.sequence, f.aggregate_id) for f in await toy.published("toy.counted")] == [
        (1, stream_id),
        (2, stream_id),
    ]


async def test_a_snapshot_shortens_loading_and_changes_nothing(toy: Harness) -> None:
    stream_id = uuid7()
    async with toy.tx() as tx:
        counter = await tx.load_stream(Counter, stream_id)
        for _ in range(SNAPSHOT_EVERY + 3):
            counter.record(Counted(by=1))
    async with toy.tx() as tx:
        assert (await tx.execute(select(snapshot.c.seq))).scalar_one() == SNAPSHOT_EVERY + 3
        live = await tx.load_stream(Counter, stream_id)
        live.record(Counted(by=10))
    async with toy.tx() as tx:
        assert (await tx.view_stream(Counter, stream_id)).state == (await replay(tx, Counter, stream_id)).state


async def test_event_rows_cannot_be_changed_by_the_app(toy: Harness) -> None:
    async with toy.tx() as tx:
        (await tx.load_stream(Counter, uuid7())).record(Counted(by=1))
    with pytest.raises(DBAPIError, match="permission denied"):
        async with toy.tx() as tx:
            await tx.execute(update(Counter.table).values(seq=9))
