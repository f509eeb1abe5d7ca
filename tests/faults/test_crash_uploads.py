"""A service dies at each step of an upload, and of the sweeping after it: no object is left to nobody, and no file that was told of is lost."""

import asyncio
import signal
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from asking import attempt
from failpoints import Failpoint

from tailrace.storage.store import Store
from tailrace.storage.sweeper import SWEPT_AFTER, sweep
from tailrace_testing import Harness
from tailrace_testing.gateway import eventually

TEXT = b"".join(b"%07d\n" % n for n in range(400_000))
"""3.2 MB: more than one part of a folder's object."""
UPLOADS = {
    "before the note": (Failpoint("tailrace.storage.uploads:Uploads.turn"), False, False),
    "before the first byte": (Failpoint("tailrace.storage.store:Store.put"), False, False),
    "amid the bytes": (Failpoint("tailrace.storage.media_types:Sniffer.feed", nth=8), False, False),
    "after the last byte": (Failpoint("tailrace.storage.media_types:Sniffer.finish", "after"), False, False),
    "stored": (Failpoint("tailrace.storage.store:Store.put", "after"), False, False),
    "the note taken, not committed": (Failpoint("tailrace.storage.uploads:Received.claim", "after"), False, False),
    "before commit": (Failpoint("tailrace.http.idempotency:store", "after"), False, False),
    "between commit and answer": (Failpoint("tailrace.http.routing:_write_once", "after"), True, False),
    "before it tidies up": (Failpoint("tailrace.storage.uploads:_tidy"), True, False),
    "after the answer": (None, True, True),
}


async def _label(client: httpx2.AsyncClient) -> str:
    answer = await client.post("/v1/labels", json={"code": "L"}, headers={"Idempotency-Key": "label"})
    return f"/v1/labels/{answer.json()['id']}/attachments"


async def _upload(client: httpx2.AsyncClient, at: str, key: str = "k", content: bytes = TEXT) -> httpx2.Response:
    files = {"file": ("a.txt", content, "text/plain")}
    return await client.post(at, files=files, headers={"Idempotency-Key": key})


async def _swept(toy: Harness) -> None:
    """As if hours had passed, twice."""
    for _ in range(2):
        await toy.admin.execute(
            "UPDATE upload SET began_at = began_at - $1::interval, swept_at = swept_at - $1::interval", 2 * SWEPT_AFTER
        )
        await sweep(toy.database, toy.app.state.store)


async def _kept(toy: Harness) -> list[str]:
    """The keys that rows name. No object and no part of one is there besides them, and no note."""
    store: Store = toy.app.state.store
    rows = [row["object_key"] for row in await toy.admin.fetch("SELECT object_key FROM attachment_content ORDER BY 1")]
    root = Path(toy.settings.storage) / "toy"
    assert sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()) == rows
    assert await store.keys() == rows
    assert await toy.admin.fetch("SELECT * FROM upload") == []
    return rows


@pytest.mark.parametrize("where", UPLOADS)
async def test_a_file_is_kept_once_or_leaves_nothing(where: str, toy: Harness, running: Any) -> None:
    point, committed, answered = UPLOADS[where]
    async with running() as (_, client):
        at = await _label(client)
    async with running(*[point] if point else []) as (life, client):
        first = await attempt(_upload(client, at))
        if point is None:
            life.signal(signal.SIGKILL)
        await life.struck()
    assert (first is not None) is answered
    await _swept(toy)
    assert len(await _kept(toy)) == int(committed)
    async with running() as (_, client):
        again = await _upload(client, at)
        assert (again.status_code, "idempotency-replayed" in again.headers) == (201, committed), again.text
        (shown,) = (await client.get(at)).json()["items"]
        content = await client.get(f"{at}/{shown['id']}/content")
    assert (sha256(content.content).hexdigest(), content.content) == (shown["sha256"], TEXT)
    assert len(await _kept(toy)) == 1
    told = await toy.published("label.file_added")
    assert [event.event.model_dump()["sha256"] for event in told] == [shown["sha256"]]


REFUSALS = {
    "before it is deleted": Failpoint("tailrace.storage.store:Store.delete"),
    "deleted, not committed": Failpoint("tailrace.storage.store:Store.delete", "after"),
}


@pytest.mark.parametrize("where", REFUSALS)
async def test_a_file_that_is_replayed_leaves_nothing_either(where: str, toy: Harness, running: Any) -> None:
    async with running() as (_, client):
        at = await _label(client)
        await _upload(client, at)
    async with running(REFUSALS[where]) as (life, client):
        assert await attempt(_upload(client, at)) is None
        await life.struck()
    await _swept(toy)
    assert len(await _kept(toy)) == 1


@pytest.mark.parametrize("where", REFUSALS)
async def test_a_sweep_that_dies_is_done_by_the_next(where: str, toy: Harness, running: Any) -> None:
    async with running() as (_, client):
        at = await _label(client)
    async with running(Failpoint("tailrace.storage.store:Store.put", "after")) as (life, client):
        await attempt(_upload(client, at))
        await life.struck()
    await toy.admin.execute("UPDATE upload SET began_at = began_at - $1::interval", 2 * SWEPT_AFTER)
    # A process sweeps when it begins.
    async with running(REFUSALS[where]) as (life, _):
        await life.struck()
    assert await toy.admin.fetchval("SELECT count(*) FROM upload WHERE swept_at IS NULL") == 1
    async with running():
        swept = "SELECT count(*) FROM upload WHERE swept_at IS NOT NULL"
        await eventually(lambda: toy.admin.fetchval(swept), lambda count: count == 1, what="a sweep")
    assert await toy.app.state.store.keys() == []
    await _swept(toy)
    assert await _kept(toy) == []


async def test_a_client_that_hangs_up_leaves_nothing(toy: Harness, running: Any) -> None:
    async with running() as (_, client):
        at = await _label(client)
        host, port = client.base_url.host, client.base_url.port
        head = (
            '--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n'
        )
        asked = {"Host": "h", "Idempotency-Key": "k", "Content-Length": "9000000"}
        asked |= {"Content-Type": "multipart/form-data; boundary=x", "Authorization": client.headers["authorization"]}
        _, writer = await asyncio.open_connection(host, port)
        lines = "".join(f"{name}: {value}\r\n" for name, value in asked.items())
        writer.write(f"POST {at} HTTP/1.1\r\n{lines}\r\n{head}".encode() + b"x" * 3_000_000)
        await writer.drain()
        noted = "SELECT count(*) FROM upload"
        await eventually(lambda: toy.admin.fetchval(noted), lambda count: count == 1, what="an upload under way")
        writer.close()
        await eventually(lambda: toy.admin.fetchval(noted), lambda count: count == 0, what="its end")
    assert await _kept(toy) == []


async def test_twenty_at_once_fill_no_memory(toy: Harness, running: Any) -> None:
    """200 MB of files through a process that may hold two parts of a megabyte of each. Measured: see docs/explanation/attachments.md."""
    content = b"0123456\n" * (10 * 1024 * 1024 // 8)
    async with running() as (life, client):
        at = await _label(client)
        await _upload(client, at, "warm")
        process = psutil.Process(life.pid)
        before, most = process.memory_info().rss, 0
        uploading = asyncio.gather(*[_upload(client, at, f"k{n}", content) for n in range(20)])
        while not uploading.done():
            most = max(most, process.memory_info().rss)
            await asyncio.sleep(0.02)
        answers = await uploading
        assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers]
        downloading = asyncio.gather(*[client.get(f"{at}/{answer.json()['id']}/content") for answer in answers])
        while not downloading.done():
            most = max(most, process.memory_info().rss)
            await asyncio.sleep(0.02)
        assert {len(answer.content) for answer in await downloading} == {len(content)}
    grown = (most - before) / 1024 / 1024
    print(f"grew by {grown:.0f} MB from {before / 1024 / 1024:.0f} MB")
    assert grown < 100
