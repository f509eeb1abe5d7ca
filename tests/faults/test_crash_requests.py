"""A service dies at each point of a request's way: what was answered stands, what was not has no effect or is answered again, once."""

import asyncio
import signal
from typing import Any

import httpx2
import pytest
from asking import attempt
from failpoints import Failpoint
from forkserver import KILLED
from sqlalchemy import select
from toy import Counter, count_event

from tailrace.core.ids import uuid7
from tailrace.db.event_streams import SNAPSHOT_EVERY, replay
from tailrace_testing import Harness
from tailrace_testing.gateway import eventually

WRITES = {
    "before the effect": (Failpoint("tailrace.http.idempotency:claim", "after"), False, False),
    "before the answer is kept": (Failpoint("tailrace.http.idempotency:store"), False, False),
    "before commit": (Failpoint("tailrace.db.database:Tx.settle", "after", nth=2), False, False),
    "between commit and answer": (Failpoint("tailrace.http.routing:_write_once", "after"), True, False),
    "after the answer": (None, True, True),
}


_COUNTED = {
    "note": "note",
    "outbox": "outbox WHERE topic <> 'tailrace.canary'",
    "idempotency": "idempotency",
}


async def _kept(toy: Harness) -> dict[str, int]:
    """Rows of the business, of the outbox and of the stored answers."""
    return {table: await toy.admin.fetchval(f"SELECT count(*) FROM {rows}") for table, rows in _COUNTED.items()}


async def _write(client: httpx2.AsyncClient, key: str) -> httpx2.Response:
    return await client.post("/v1/notes", json={"text": key}, headers={"Idempotency-Key": key})


@pytest.mark.parametrize("where", WRITES)
async def test_a_write_has_one_effect_and_one_answer(where: str, toy: Harness, running: Any) -> None:
    point, committed, answered = WRITES[where]
    async with running(*[point] if point else []) as (life, client):
        first = await attempt(_write(client, "k"))
        if point is None:
            life.signal(signal.SIGKILL)
        await life.struck()
    assert (first is not None) is answered
    assert await _kept(toy) == dict.fromkeys(("note", "outbox", "idempotency"), int(committed))
    async with running() as (_, client):
        second, third = await _write(client, "k"), await _write(client, "k")
        assert (await client.get(f"/v1/notes/{second.json()['id']}")).json() == second.json()
    assert (second.status_code, third.status_code) == (201, 201)
    assert ("idempotency-replayed" in second.headers, "idempotency-replayed" in third.headers) == (committed, True)
    answers = [answer for answer in (first, second, third) if answer is not None]
    for name in ("etag", "tailrace-event"):
        assert len({answer.headers[name] for answer in answers}) == 1
    assert len({answer.content for answer in answers}) == 1
    assert await _kept(toy) == dict.fromkeys(("note", "outbox", "idempotency"), 1)


async def test_a_key_in_flight_is_refused_elsewhere_until_its_process_dies(toy: Harness, running: Any) -> None:
    stuck = Failpoint("tailrace.http.idempotency:store", does="hang")
    async with running(stuck) as (life, client), running() as (_, other):
        first = asyncio.create_task(attempt(_write(client, "k")))
        await eventually(lambda: _locks(toy), lambda locks: locks == 1, what="a key in flight")
        refusal = await _write(other, "k")
        assert (refusal.status_code, refusal.json()["type"].rpartition(":")[2]) == (409, "idempotency-key-in-flight")
        await life.kill()
        assert await first is None
        assert await _kept(toy) == {"note": 0, "outbox": 0, "idempotency": 0}
        answer = await eventually(lambda: _write(other, "k"), lambda answer: answer.status_code != 409)
    assert answer.status_code == 201
    assert "idempotency-replayed" not in answer.headers
    assert await _kept(toy) == {"note": 1, "outbox": 1, "idempotency": 1}


async def _locks(toy: Harness) -> int:
    query = "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database WHERE locktype = 'advisory' AND datname = $1"
    return int(await toy.admin.fetchval(query, toy.database_name))


async def test_a_stop_that_ends_in_a_kill_loses_nothing_that_was_answered(toy: Harness, running: Any) -> None:
    keys = [f"k{number}" for number in range(60)]
    hangs = [Failpoint("tailrace.http.idempotency:store", "after", nth=nth, does="hang") for nth in (10, 20)]
    answered: dict[str, httpx2.Response] = {}
    turns, twenty = asyncio.Semaphore(8), asyncio.Event()

    async def ask(client: httpx2.AsyncClient, key: str) -> None:
        async with turns:
            answer = await attempt(_write(client, key))
        if answer is not None:
            answered[key] = answer
        if len(answered) >= 20:
            twenty.set()

    async with running(*hangs) as (life, client):
        asking = [asyncio.create_task(ask(client, key)) for key in keys]
        await twenty.wait()
        life.signal(signal.SIGTERM)
        await eventually(lambda: _refused(client), bool, what="the end of new connections")
        life.signal(signal.SIGKILL)
        assert await life.ended() == KILLED
        await asyncio.gather(*asking)
    assert 20 <= len(answered) < len(keys) - 1
    there = {str(row["id"]) for row in await toy.admin.fetch("SELECT id FROM note")}
    assert {answer.json()["id"] for answer in answered.values()} <= there
    async with running() as (_, client):
        again = {key: await _write(client, key) for key in keys}
    assert {answer.status_code for answer in again.values()} == {201}
    assert all(again[key].content == answer.content for key, answer in answered.items())
    assert await _kept(toy) == dict.fromkeys(("note", "outbox", "idempotency"), len(keys))


async def _refused(client: httpx2.AsyncClient) -> bool:
    try:
        async with httpx2.AsyncClient(base_url=client.base_url, timeout=5) as fresh:
            await fresh.get("/health/live")
    except httpx2.TransportError:
        return True
    return False


APPENDS = {
    "between the stream's row and the outbox row": Failpoint("tailrace.db.outbox:Recorded.outbox_row", nth=30),
    "while the snapshot is written": Failpoint("tailrace.db.event_streams:save_snapshots", "after"),
}


@pytest.mark.parametrize("where", APPENDS)
async def test_a_stream_its_events_and_its_snapshot_are_one(where: str, toy: Harness, running: Any) -> None:
    counter, times = uuid7(), SNAPSHOT_EVERY + 10

    async def append(client: httpx2.AsyncClient) -> httpx2.Response:
        return await client.post(f"/v1/counters/{counter}", json={"times": times}, headers={"Idempotency-Key": "k"})

    async with running(APPENDS[where]) as (life, client):
        assert await attempt(append(client)) is None
        await life.struck()
    assert await _stream(toy) == ([], [], [])
    async with running() as (_, client):
        answers = [await append(client), await append(client)]
    assert [answer.json() for answer in answers] == [{"id": str(counter), "total": times, "version": times}] * 2
    events, published, snapshots = await _stream(toy)
    assert events == published
    assert [seq for seq, _ in events] == list(range(1, times + 1))
    assert snapshots == [times]
    async with toy.tx() as tx:
        assert (await replay(tx, Counter, counter)).state == (await tx.view_stream(Counter, counter)).state
        assert len((await tx.execute(select(count_event))).all()) == times


async def _stream(toy: Harness) -> tuple[list[tuple[int, Any]], list[tuple[int, Any]], list[int]]:
    """Sequence and id of the stream's events and of the events; and what the snapshots reach to."""
    events = await toy.admin.fetch("SELECT seq, event_id FROM count_event ORDER BY seq")
    published = await toy.admin.fetch(
        "SELECT sequence, id FROM outbox WHERE topic <> 'tailrace.canary' ORDER BY sequence"
    )
    snapshots = await toy.admin.fetch("SELECT seq FROM stream_snapshot")
    return [tuple(row) for row in events], [tuple(row) for row in published], [row["seq"] for row in snapshots]
