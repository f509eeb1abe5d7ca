"""Jobs on a real PostgreSQL: done once whatever is killed, tenants in turn, ended by whoever asked for them and nobody else."""

import asyncio
import os
import signal
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
import toy as toy_package
from toy import NoteWritten
from toy.jobbing import AT_CHUNK, STEPS, service_with_jobs, writing

from tailrace.core.ids import uuid7
from tailrace.jobs import kinds
from tailrace.jobs.runner import JobRunner
from tailrace_testing import Harness, MakeHarness
from tailrace_testing.gateway import eventually

AT = "/v1/notes/jobs"


@pytest.fixture
async def toy(make_harness: MakeHarness) -> Harness:
    return await make_harness(service_with_jobs)


async def _start(toy: Harness, word: str = "note", times: int = 3, tenant: UUID | None = None, **more: Any) -> UUID:
    async with toy.tx(tenant) as tx:
        return await writing.start(tx, {"word": word, **more}, total=times)


async def _written(toy: Harness, tenant: UUID | None = None) -> list[str]:
    return [cast(NoteWritten, note.event).text for note in await toy.published("note.written", tenant=tenant)]


async def _job(toy: Harness, id: UUID) -> dict[str, Any]:
    return dict((await toy.client.get(f"{AT}/{id}")).json())


async def test_asked_for_over_http_done_in_chunks_and_shown(toy: Harness) -> None:
    asked = await toy.client.post("/v1/notes/writings", json={"word": "hello", "times": 3})
    assert (asked.status_code, asked.json()["state"]) == (202, "queued")
    assert asked.headers["location"] == f"{AT}/{asked.json()['id']}"
    assert await toy.run_jobs() == 3
    shown = (await toy.client.get(asked.headers["location"])).json()
    assert (shown["state"], shown["done"], shown["total"], shown["counts"]) == ("succeeded", 3, 3, {"written": 3})
    assert shown["ended_at"] is not None
    assert await _written(toy) == ["hello 0", "hello 1", "hello 2"]
    (note, *_) = await toy.published("note.written")
    assert str(note.correlation_id) == asked.headers["x-request-id"]


@pytest.mark.parametrize("step", STEPS)
async def test_killed_at_each_step_it_is_done_once(toy: Harness, step: str) -> None:
    id = await _start(toy, times=4)
    url = toy.settings.database("toy")
    path = {**os.environ, "PYTHONPATH": str(Path(toy_package.__file__).parents[1])}
    child = await asyncio.create_subprocess_exec(sys.executable, "-m", "toy.jobbing", url, step, env=path)
    assert await child.wait() == -signal.SIGKILL
    done = AT_CHUNK if step == "committed" else AT_CHUNK - 1
    assert len(await _written(toy)) == done
    await toy.admin.execute("UPDATE job_queue SET leased_until = now() - interval '1 second'")

    async def over() -> bool:
        await toy.run_jobs()
        return bool((await _job(toy, id))["state"] == "succeeded")

    await eventually(over, bool, what="the end of the job")
    assert await _written(toy) == [f"note {n}" for n in range(4)]
    assert (await _job(toy, id))["done"] == 4


async def test_whoever_lost_the_lease_cannot_commit(toy: Harness) -> None:
    """Two consumers at one chunk: the first one pauses for longer than its lease, and comes too late."""
    id = await _start(toy, times=2)
    reached, go_on = asyncio.Event(), asyncio.Event()

    class Slow(JobRunner):
        async def _write(self, tx: Any, lease: Any, run: Any) -> None:
            reached.set()
            await go_on.wait()
            await super()._write(tx, lease, run)

    slow = asyncio.create_task(Slow(toy.database, [writing]).step())
    await reached.wait()
    await toy.admin.execute("UPDATE job_queue SET leased_until = now() - interval '1 second'")
    assert await toy.run_jobs() == 2
    go_on.set()
    await slow
    assert await _written(toy) == ["note 0", "note 1"]
    assert (await _job(toy, id))["done"] == 2


async def test_the_heartbeat_keeps_the_lease_of_a_long_chunk(toy: Harness) -> None:
    await _start(toy, times=1)
    reached, go_on = asyncio.Event(), asyncio.Event()

    class Slow(JobRunner):
        async def _write(self, tx: Any, lease: Any, run: Any) -> None:
            reached.set()
            await go_on.wait()
            await super()._write(tx, lease, run)

    slow = asyncio.create_task(Slow(toy.database, [writing], lease=0.6).step())
    await reached.wait()
    first = await toy.admin.fetchval("SELECT leased_until FROM job_queue")

    async def prolonged() -> bool:
        until = await toy.admin.fetchval("SELECT leased_until FROM job_queue")
        return bool(until > first + timedelta(seconds=0.4))

    await eventually(prolonged, bool, what="a longer lease")
    go_on.set()
    await slow
    assert await _written(toy) == ["note 0"]


async def test_a_tenant_with_many_jobs_starves_nobody(toy: Harness) -> None:
    for _ in range(30):
        await _start(toy, word="many", times=2)
    await _start(toy, word="few", times=3, tenant=toy.other_tenant)
    runner = JobRunner(toy.database, [writing])
    for _ in range(6):
        assert await runner.step()
    assert len(await _written(toy, toy.other_tenant)) == 3
    assert len(await _written(toy)) == 3


async def test_jobs_of_one_tenant_take_turns_too(toy: Harness) -> None:
    await _start(toy, word="long", times=50)
    await _start(toy, word="short", times=1)
    runner = JobRunner(toy.database, [writing])
    for _ in range(2):
        await runner.step()
    assert Counter(text.split()[0] for text in await _written(toy)) == {"long": 1, "short": 1}


async def test_cancelled_it_ends_where_it_is_and_the_chunk_under_way_is_undone(toy: Harness) -> None:
    id = await _start(toy, times=9)
    reached, go_on = asyncio.Event(), asyncio.Event()
    runner = JobRunner(toy.database, [writing])
    await runner.step()

    class Slow(JobRunner):
        async def _write(self, tx: Any, lease: Any, run: Any) -> None:
            reached.set()
            await go_on.wait()
            await super()._write(tx, lease, run)

    slow = asyncio.create_task(Slow(toy.database, [writing]).step())
    await reached.wait()
    answer = await toy.client.post(f"{AT}/{id}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    go_on.set()
    await slow
    assert await toy.run_jobs() == 0
    assert await _written(toy) == ["note 0"]
    again = await toy.client.post(f"{AT}/{id}/cancel")
    assert (again.status_code, again.json()["type"]) == (409, "urn:tailrace:problem:job-ended")


async def test_what_refuses_ends_the_job_and_says_why(toy: Harness) -> None:
    refused = await _start(toy, awkward="refuses")
    broken = await _start(toy, awkward="breaks")
    await toy.run_jobs()
    first, second = await _job(toy, refused), await _job(toy, broken)
    assert (first["state"], first["done"], first["messages"]) == ("failed", 1, ["The second cannot be written."])
    assert (second["state"], second["done"]) == ("failed", 1)
    assert "nobody foresaw" in second["messages"][0] and "second" not in second["messages"][0]


async def test_what_waits_is_tried_again_and_given_up_after_some_time(toy: Harness) -> None:
    id = await _start(toy, awkward="waits")

    async def over() -> bool:
        await toy.run_jobs()
        return bool((await _job(toy, id))["state"] == "succeeded")

    await eventually(over, bool, what="the end of the job")
    assert len(await _written(toy)) == 3
    killed = await _start(toy)
    await toy.admin.execute("UPDATE job_queue SET attempts = 5 WHERE id = $1", killed)
    await toy.run_jobs()
    assert (await _job(toy, killed))["messages"] == ["Given up: a part of it broke off 5 times."]


async def test_another_user_and_another_tenant_see_nothing_of_it(toy: Harness) -> None:
    id = await _start(toy)
    for client in (toy.client_as(user=uuid7()), toy.client_as(tenant=toy.other_tenant)):
        assert (await client.get(f"{AT}/{id}")).status_code == 404
        assert (await client.post(f"{AT}/{id}/cancel")).status_code == 404
        assert (await client.get(AT)).json()["items"] == []
    assert [job["id"] for job in (await toy.client.get(AT)).json()["items"]] == [str(id)]


async def test_a_tenant_may_have_so_many_and_no_more(toy: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    await toy.admin.execute(
        "INSERT INTO job_queue (id, tenant_id, kind) SELECT gen_random_uuid(), $1, 'toy.writing'"
        " FROM generate_series(1, $2)",
        toy.tenant,
        kinds.MOST_OPEN,
    )
    answer = await toy.client.post("/v1/notes/writings", json={"word": "hello", "times": 3})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:tailrace:problem:too-many-jobs")


async def test_what_ended_is_forgotten_after_thirty_days_with_its_pieces(toy: Harness) -> None:
    id = await _start(toy, times=1)
    async with toy.tx() as tx:
        await kinds.put_piece(tx, id, "file", 0, b"abc")
    await toy.run_jobs()
    assert await toy.run_jobs() == 0
    left = await toy.admin.fetchval("SELECT due_at - now() FROM job_queue")
    assert timedelta(days=29) < left <= timedelta(days=30)
    await toy.admin.execute("UPDATE job_queue SET due_at = now()")
    await toy.run_jobs()
    for table in ("job", "job_piece", "job_queue"):
        assert await toy.admin.fetchval(f"SELECT count(*) FROM {table}") == 0
