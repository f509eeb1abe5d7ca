"""A saga that begins in its command's transaction begins once: with the command or not at all, and as it would have from the topic."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from pydantic import BaseModel
from toy import Note, NoteClosed, NoteWritten, router
from toy import service as toy_service

from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.http import idempotency
from tailrace.messaging.sagas import Run, Saga, history
from tailrace.messaging.subscribers import EVER
from tailrace_testing import Harness, MakeHarness


class Memory(BaseModel):
    text: str = ""


def closing(*, at_once: bool) -> Saga[Memory]:
    """Closes each note that is written, and sees it closed."""
    saga = Saga("toy.closing", Memory, since=EVER)

    @saga.starts(NoteWritten, key=lambda event: event.note_id, at_once=at_once)
    async def written(tx: Tx, run: Run[Memory], event: NoteWritten, meta: Meta) -> None:
        if event.text == "poison":
            raise ValueError("cannot begin with that")
        run.data.text = event.text
        (await tx.load(Note, event.note_id)).close()
        run.goto("closing")

    @saga.on_answer(NoteClosed, key=lambda event: event.note_id)
    async def closed(tx: Tx, run: Run[Memory], event: NoteClosed, meta: Meta) -> None:
        run.goto("closed")

    return saga


def filing(*, at_once: bool = True) -> Saga[Memory]:
    """Files each note that is closed."""
    saga = Saga("toy.filing", Memory, since=EVER)

    @saga.starts(NoteClosed, key=lambda event: event.note_id, at_once=at_once)
    async def closed(tx: Tx, run: Run[Memory], event: NoteClosed, meta: Meta) -> None:
        run.goto("filed" if run.is_new else "filed again")

    return saga


class Desk:
    """The toy with one saga, and what its database holds."""

    def __init__(self, h: Harness, saga: Saga[Memory]) -> None:
        self.h, self.saga = h, saga

    async def write(self, text: str = "hello") -> dict[str, Any]:
        answer = await self.h.client.post("/v1/notes", json={"text": text})
        assert answer.status_code == 201, answer.text
        assert answer.headers["etag"] == f'"{answer.json()["version"]}"'
        return dict(answer.json())

    async def close(self, note: dict[str, Any]) -> int:
        return (await self.h.client.post(f"/v1/notes/{note['id']}/close")).status_code

    async def steps(self, note: dict[str, Any]) -> Sequence[tuple[str | None, str, str]]:
        async with self.h.tx() as tx:
            steps = await history(tx, self.saga.name, UUID(note["id"]))
        return [(step.from_state, step.to_state, step.because) for step in steps]

    async def mark(self, note: dict[str, Any]) -> int | None:
        query = "SELECT sequence FROM inbox WHERE subscriber = $1 AND aggregate_id = $2"
        found: int | None = await self.h.admin.fetchval(query, self.saga.name, UUID(note["id"]))
        return found

    async def events(self) -> list[tuple[str, int, bool]]:
        """What was published: type, sequence, and whether it names its cause."""
        return [(each.type, each.sequence, each.causation_id is not None) for each in await self.h.published()]


async def _desk(make_harness: MakeHarness, saga: Saga[Memory]) -> Desk:
    return Desk(await make_harness(replace(toy_service, subscribers=[saga], routers=[router])), saga)


STEPS = [("begin", "closing", "note.written"), ("closing", "closed", "note.closed")]


async def test_it_begins_with_the_command_and_what_arrives_later_is_a_duplicate(make_harness: MakeHarness) -> None:
    desk = await _desk(make_harness, closing(at_once=True))
    note = await desk.write()
    assert (note["status"], note["version"]) == ("closed", 2)
    assert (await desk.steps(note), await desk.mark(note)) == (STEPS, 2)
    written, closed = await desk.h.published()
    assert (written.causation_id, closed.causation_id) == (None, written.id)
    assert written.correlation_id == closed.correlation_id
    assert await desk.h.pump() == 2
    assert (await desk.steps(note), await desk.mark(note)) == (STEPS, 2)
    assert await desk.events() == [("note.written", 1, False), ("note.closed", 2, True)]


async def test_from_the_topic_alone_it_comes_out_the_same(make_harness: MakeHarness) -> None:
    ends = []
    for at_once in (True, False):
        desk = await _desk(make_harness, closing(at_once=at_once))
        note = await desk.write()
        await desk.h.pump()
        ends.append((await desk.steps(note), await desk.mark(note), await desk.events()))
    assert ends[0] == ends[1]


async def test_a_command_that_is_undone_begins_nothing(
    make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last statement before the commit fails, as if the process died there; the same request comes again."""
    desk = await _desk(make_harness, closing(at_once=True))
    key = {"Idempotency-Key": "the-same"}

    async def die(*_: Any) -> None:
        raise RuntimeError("struck")

    with monkeypatch.context() as patch:
        patch.setattr(idempotency, "store", die)
        assert (await desk.h.client.post("/v1/notes", json={"text": "hello"}, headers=key)).status_code == 500
    for table in ("saga", "saga_step", "inbox", "outbox", "note"):
        assert await desk.h.admin.fetchval(f"SELECT count(*) FROM {table}") == 0, table
    note = (await desk.h.client.post("/v1/notes", json={"text": "hello"}, headers=key)).json()
    assert (await desk.steps(note), len(await desk.events())) == (STEPS, 2)


async def test_a_first_step_that_fails_leaves_the_command_alone(make_harness: MakeHarness) -> None:
    desk = await _desk(make_harness, closing(at_once=True))
    note = await desk.write("poison")
    assert (note["status"], note["version"]) == ("open", 1)
    assert (await desk.steps(note), await desk.mark(note)) == ([], None)
    written = (await desk.h.published())[0]
    await desk.h.deliver(written.event, aggregate_id=written.aggregate_id, event_id=written.id, may_dead_letter=True)
    letters = await desk.h.admin.fetch("SELECT subscriber, kind FROM dead_letter")
    assert [tuple(row) for row in letters] == [("toy.closing", "failed")]


async def test_behind_its_history_it_waits_for_the_topic(make_harness: MakeHarness) -> None:
    desk = await _desk(make_harness, filing())
    note = await desk.write()
    assert await desk.close(note) == 200
    assert (await desk.steps(note), await desk.mark(note)) == ([], None)
    await desk.h.pump()
    assert (await desk.steps(note), await desk.mark(note)) == ([("begin", "filed", "note.closed")], 2)


async def test_a_mark_that_is_held_is_not_waited_for(make_harness: MakeHarness) -> None:
    """A delivery holds the mark and may want the row that the command has locked: one of them must not wait."""
    desk = await _desk(make_harness, filing())
    held, free = await desk.write(), await desk.write()
    await desk.h.pump()
    other = await asyncpg.connect(desk.h.admin_url)
    try:
        async with other.transaction():
            await other.execute("SELECT 1 FROM inbox WHERE aggregate_id = $1 FOR UPDATE", UUID(held["id"]))
            for note in (held, free):
                assert await desk.close(note) == 200
            assert await desk.steps(held) == []
            assert await desk.steps(free) == [("begin", "filed", "note.closed")]
    finally:
        await other.close()
    await desk.h.pump()
    assert await desk.steps(held) == await desk.steps(free)


async def test_a_process_under_way_goes_on_from_the_topic(make_harness: MakeHarness) -> None:
    desk = await _desk(make_harness, filing())
    note = await desk.write()
    await desk.h.pump()
    async with desk.h.tx() as tx:
        saga = Run(UUID(note["id"]), "begin", Memory(), 0, is_new=True)
        saga.goto("elsewhere")
        await desk.saga._save(tx, saga, "begin", "test", None)
    assert await desk.close(note) == 200
    assert len(await desk.steps(note)) == 1
    await desk.h.pump()
    assert [to for _, to, _ in await desk.steps(note)] == ["elsewhere", "filed again"]
