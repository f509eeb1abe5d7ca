"""Files over HTTP: taken in within bounds or not at all, kept when their transaction commits, handed out by range and never shown."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest
from filed import filed, files
from sqlalchemy import insert

from tailrace.core.context import Context
from tailrace.core.ids import uuid7
from tailrace.db.tables import upload
from tailrace.storage import sweeper
from tailrace.storage.store import Store, StoreAway
from tailrace.storage.sweeper import sweep
from tailrace.storage.uploads import Received, UploadSwept
from tailrace_testing import Harness, MakeHarness
from tailrace_testing.gateway import eventually

TEXT = b"".join(b"%07d\n" % n for n in range(20_000))
NOW = timedelta(0)


@pytest.fixture
async def toy(make_harness: MakeHarness) -> Harness:
    return await make_harness(filed)


@pytest.fixture
async def at(toy: Harness) -> str:
    """The path of a label's files."""
    answer = await toy.client.post("/v1/labels", json={"code": "L"})
    return f"/v1/labels/{answer.json()['id']}/attachments"


def form(content: bytes = TEXT, name: str = "a.txt", media_type: str = "text/plain") -> dict[str, Any]:
    return {"file": (name, content, media_type)}


async def added(toy: Harness, at: str, content: bytes = TEXT, **more: Any) -> str:
    answer = await toy.client.post(at, files=form(content, **more))
    assert answer.status_code == 201, answer.text
    return f"{at}/{answer.json()['id']}"


async def nothing_left(toy: Harness) -> None:
    """No note of an upload, and no object that is nobody's content."""
    assert await toy.admin.fetch("SELECT * FROM upload") == []
    kept = {row["object_key"] for row in await toy.admin.fetch("SELECT object_key FROM attachment_content")}
    assert set(await toy.app.state.store.keys()) == kept
    assert {str(file.relative_to(Path(toy.settings.storage) / "toy")) for file in _files_on_disk(toy)} == kept


def _files_on_disk(toy: Harness) -> list[Path]:
    return [path for path in Path(toy.settings.storage).rglob("*") if path.is_file()]


def refusal(answer: httpx2.Response) -> tuple[int, str, list[str]]:
    said = answer.json()
    return answer.status_code, said["type"].rpartition(":")[2], [error["field"] for error in said.get("errors", ())]


B = "xx"
HEAD = f'--{B}\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n'
FORM_TYPE = f"multipart/form-data; boundary={B}"
MALFORMED = {
    "no boundary": (b"", "multipart/form-data", (400, "bad-request", ["Content-Type"])),
    "JSON": (b'{"file": "a"}', "application/json", (415, "unsupported-media-type", ["Content-Type"])),
    "no body": (b"", FORM_TYPE, (400, "bad-request", [""])),
    "no form": (b"hello", FORM_TYPE, (400, "bad-request", [""])),
    "no end": (HEAD.encode() + b"abc", FORM_TYPE, (400, "bad-request", [""])),
    "no part": (f"--{B}--\r\n".encode(), FORM_TYPE, (422, "invalid", ["/file"])),
    "nothing in the file": (f"{HEAD}\r\n--{B}--\r\n".encode(), FORM_TYPE, (422, "invalid", ["/file"])),
    "two files": (f"{HEAD}a\r\n{HEAD}b\r\n--{B}--\r\n".encode(), FORM_TYPE, (422, "invalid", ["/file"])),
    "another part": (
        HEAD.replace('"file"', '"id"').encode() + f"a\r\n--{B}--\r\n".encode(),
        FORM_TYPE,
        (422, "invalid", ["/id"]),
    ),
    "a field and no file": (
        HEAD.replace('; filename="a.txt"', "").encode() + f"a\r\n--{B}--\r\n".encode(),
        FORM_TYPE,
        (422, "invalid", ["/file"]),
    ),
    "a name that is not UTF-8": (
        HEAD.encode().replace(b"a.txt", b"\xff.txt") + f"a\r\n--{B}--\r\n".encode(),
        FORM_TYPE,
        (422, "invalid", ["/file"]),
    ),
    "a hidden character": (
        HEAD.replace("a.txt", "a\u202etxt.exe").encode() + f"a\r\n--{B}--\r\n".encode(),
        FORM_TYPE,
        (422, "invalid", ["/file"]),
    ),
    "a coding": (
        HEAD.replace("Content-Type", "Content-Transfer-Encoding: base64\r\nContent-Type").encode()
        + f"YQ==\r\n--{B}--\r\n".encode(),
        FORM_TYPE,
        (422, "invalid", ["/file"]),
    ),
    "no type": (
        HEAD.replace("Content-Type: text/plain\r\n", "").encode() + f"a\r\n--{B}--\r\n".encode(),
        FORM_TYPE,
        (422, "file-type-refused", ["/file"]),
    ),
    "a type that runs": (
        HEAD.replace("text/plain", "image/svg+xml").encode() + f"<svg/>\r\n--{B}--\r\n".encode(),
        FORM_TYPE,
        (422, "file-type-refused", ["/file"]),
    ),
    "a lie": (
        HEAD.replace("text/plain", "application/pdf").encode() + f"MZ\r\n--{B}--\r\n".encode(),
        FORM_TYPE,
        (422, "file-type-mismatch", ["/file"]),
    ),
    "headers without end": (
        HEAD.replace("\r\n\r\n", "\r\nX: " + "a" * 10_000 + "\r\n\r\n").encode() + f"a\r\n--{B}--\r\n".encode(),
        FORM_TYPE,
        (400, "bad-request", [""]),
    ),
}


async def test_what_is_no_file_is_refused_and_nothing_is_left(toy: Harness, at: str) -> None:
    for what, (body, content_type, expected) in MALFORMED.items():
        answer = await toy.client.post(at, content=body, headers={"Content-Type": content_type})
        assert refusal(answer) == expected, what
        await nothing_left(toy)
    assert await toy.admin.fetchval("SELECT count(*) FROM attachment") == 0


async def test_a_coding_that_is_none_is_one_in_any_case(toy: Harness, at: str) -> None:
    body = HEAD.replace("Content-Type", "Content-Transfer-Encoding: Binary\r\nContent-Type") + f"abc\r\n--{B}--\r\n"
    answer = await toy.client.post(at, content=body.encode(), headers={"Content-Type": FORM_TYPE})
    assert answer.status_code == 201, answer.text


async def test_more_files_than_one_thing_may_have_are_refused_by_name(toy: Harness, at: str) -> None:
    for number in range(files.most):
        await added(toy, at, b"x", name=f"{number}.txt")
    assert refusal(await toy.client.post(at, files=form(b"x"))) == (422, "invalid", ["/file"])
    await nothing_left(toy)


async def test_a_file_may_be_as_large_as_declared_and_no_larger(toy: Harness, at: str) -> None:
    most = files.largest
    await added(toy, at, b"x" * most)
    late = await toy.client.post(at, files=form(b"x" * (most + 1)))
    declared = await toy.client.post(at, files=form(b"x" * (most + 20_000)))
    assert [refusal(answer)[:2] for answer in (late, declared)] == [(413, "too-large")] * 2
    await nothing_left(toy)


async def test_other_bodies_are_bounded_as_before(toy: Harness) -> None:
    answer = await toy.client.post("/v1/labels", json={"code": "x" * 2_100_000})
    assert refusal(answer)[:2] == (413, "too-large")


async def test_an_owner_has_so_many_files_and_a_stranger_none(toy: Harness, at: str) -> None:
    for n in range(files.most):
        await added(toy, at, b"%d" % n)
    assert refusal(await toy.client.post(at, files=form()))[:2] == (422, "invalid")
    other = at.replace(at.split("/")[3], str(uuid7()))
    assert refusal(await toy.client.post(other, files=form()))[:2] == (404, "unknown")
    stranger = toy.client_as(tenant=toy.other_tenant)
    assert refusal(await stranger.post(at, files=form()))[:2] == (404, "unknown")
    await nothing_left(toy)


async def test_a_file_is_added_to_what_the_client_saw(toy: Harness, at: str) -> None:
    stale = await toy.client.post(at, files=form(), headers={"If-Match": '"7"'})
    assert refusal(stale)[:2] == (412, "stale")
    assert (await toy.client.post(at, files=form(), headers={"If-Match": '"1"'})).status_code == 201
    await nothing_left(toy)


async def test_the_tenant_stands_first_in_the_key(toy: Harness, at: str) -> None:
    await added(toy, at)
    (key,) = await toy.app.state.store.keys()
    tenant, kind, owner, _ = key.split("/")
    assert (tenant, kind, owner) == (str(toy.tenant), "label", at.split("/")[3])


async def test_a_retry_under_its_key_adds_nothing(toy: Harness, at: str) -> None:
    key = {"Idempotency-Key": "k"}
    first = await toy.client.post(at, files=form(), headers=key)
    again = await toy.client.post(at, files=form(), headers=key)
    assert (again.status_code, again.json(), again.headers["idempotency-replayed"]) == (201, first.json(), "true")
    for other in (form(TEXT + b"x"), form(name="b.txt"), form(media_type="text/csv")):
        assert refusal(await toy.client.post(at, files=other, headers=key))[:2] == (422, "idempotency-key-reused")
    assert await toy.admin.fetchval("SELECT count(*) FROM attachment_content") == 1
    await nothing_left(toy)


async def test_of_many_at_once_under_one_key_one_is_kept(toy: Harness, at: str) -> None:
    key = {"Idempotency-Key": "k"}
    answers = await asyncio.gather(*[toy.client.post(at, files=form(), headers=key) for _ in range(8)])
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert await toy.admin.fetchval("SELECT count(*) FROM attachment_content") == 1
    await nothing_left(toy)


async def test_it_comes_down_in_whole_in_part_and_not_at_all(toy: Harness, at: str) -> None:
    path = await added(toy, at, name="数字.txt") + "/content"
    tag = f'"{sha256(TEXT).hexdigest()}"'
    whole = await toy.client.get(path)
    assert (whole.status_code, whole.content, whole.headers["etag"]) == (200, TEXT, tag)
    assert (whole.headers["content-length"], whole.headers["accept-ranges"]) == (str(len(TEXT)), "bytes")
    assert whole.headers["content-disposition"].startswith('attachment; filename="__.txt"; filename*=UTF-8')
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in whole.headers["content-security-policy"]
    assert "no-transform" in whole.headers["cache-control"]
    part = await toy.client.get(path, headers={"Range": "bytes=100000-100015", "If-Range": tag})
    assert (part.status_code, part.content) == (206, TEXT[100000:100016])
    assert part.headers["content-range"] == f"bytes 100000-100015/{len(TEXT)}"
    end = await toy.client.get(path, headers={"Range": "bytes=-5"})
    assert (end.status_code, end.content) == (206, TEXT[-5:])
    other = await toy.client.get(path, headers={"Range": "bytes=5-", "If-Range": '"other"'})
    assert (other.status_code, other.content) == (200, TEXT)
    beyond = await toy.client.get(path, headers={"Range": f"bytes={len(TEXT)}-"})
    assert refusal(beyond) == (416, "range-not-satisfiable", ["Range"])
    assert beyond.headers["content-range"] == f"bytes */{len(TEXT)}"
    for headers in ({"If-None-Match": tag}, {"If-None-Match": tag, "Range": "bytes=0-1"}):
        seen = await toy.client.get(path, headers=headers)
        assert (seen.status_code, seen.content, seen.headers["etag"]) == (304, b"", tag)
    head = await toy.client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert {name: head.headers[name] for name in ("etag", "content-length", "content-type")} == {
        name: whole.headers[name] for name in ("etag", "content-length", "content-type")
    }
    part_of_head = await toy.client.head(path, headers={"Range": "bytes=0-9"})
    # No method but GET has parts (RFC 9110, 14.2).
    assert (part_of_head.status_code, part_of_head.headers["content-length"]) == (200, str(len(TEXT)))
    assert "content-range" not in part_of_head.headers
    assert (await toy.client.head(path, headers={"Range": f"bytes={len(TEXT)}-"})).status_code == 200


async def test_a_download_that_broke_off_is_taken_up_again(toy: Harness, at: str) -> None:
    path = await added(toy, at) + "/content"
    first = await toy.client.get(path, headers={"Range": "bytes=0-99999"})
    rest = await toy.client.get(path, headers={"Range": "bytes=100000-", "If-Range": first.headers["etag"]})
    assert first.content + rest.content == TEXT


async def test_a_file_that_the_store_lost_is_a_problem_and_no_half_answer(toy: Harness, at: str) -> None:
    path = await added(toy, at)
    for file in _files_on_disk(toy):
        file.unlink()
    assert refusal(await toy.client.get(f"{path}/content"))[:2] == (500, "file-lost")
    assert (await toy.client.get(path)).status_code == 200


async def test_a_store_that_is_away_keeps_nothing(toy: Harness, at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = await added(toy, at)

    async def away(*_: object) -> Any:
        raise StoreAway

    with monkeypatch.context() as patch:
        patch.setattr(Store, "put", away)
        patch.setattr(Store, "read", away)
        up, down = await toy.client.post(at, files=form()), await toy.client.get(f"{path}/content")
    assert [refusal(answer)[:2] for answer in (up, down)] == [(503, "storage-unavailable")] * 2
    assert await toy.admin.fetchval("SELECT count(*) FROM attachment") == 1
    await nothing_left(toy)


async def _note(toy: Harness, key: str, age: str = "0 s") -> UUID:
    id = uuid7()
    async with toy.database.transaction(Context(tenant_id=None)) as tx:
        await tx.execute(insert(upload).values(id=id, object_key=key))
    await toy.admin.execute("UPDATE upload SET began_at = now() - $1::text::interval WHERE id = $2", age, id)
    return id


async def _one(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def test_what_was_cut_off_is_swept_twice_and_what_is_under_way_is_not(toy: Harness) -> None:
    store: Store = toy.app.state.store
    old, fresh = f"{toy.tenant}/label/x/old", f"{toy.tenant}/label/x/fresh"
    for key, age in ((old, "3 hours"), (fresh, "1 hour")):
        await _note(toy, key, age)
        await store.put(key, _one(b"a"))
    assert await sweep(toy.database, store) == 1
    assert await store.keys() == [fresh]
    # Whoever wrote it was only stopped, and went on.
    await store.put(old, _one(b"late"))
    assert await sweep(toy.database, store) == 0
    await toy.admin.execute("UPDATE upload SET swept_at = swept_at - interval '3 hours'")
    assert await sweep(toy.database, store) == 1
    assert await store.keys() == [fresh]
    assert [row["object_key"] for row in await toy.admin.fetch("SELECT object_key FROM upload")] == [fresh]


async def test_what_was_swept_cannot_become_content(toy: Harness, at: str) -> None:
    store: Store = toy.app.state.store
    owner = UUID(at.split("/")[3])
    key = f"{files.folder(toy.tenant, owner)}/x"
    received = Received(await _note(toy, key), key, "a.txt", "text/plain", 1, "0" * 64)
    await store.put(key, _one(b"a"))
    # Both visits, without the hours between them.
    assert await sweep(toy.database, store, NOW) == 2
    with pytest.raises(UploadSwept):
        async with toy.tx() as tx:
            await files.add(tx, owner, None, received)
    await nothing_left(toy)


async def test_a_sweep_passes_over_what_is_just_being_committed(toy: Harness, at: str) -> None:
    store: Store = toy.app.state.store
    owner = UUID(at.split("/")[3])
    key = f"{files.folder(toy.tenant, owner)}/x"
    received = Received(await _note(toy, key, "5 hours"), key, "a.txt", "text/plain", 1, "0" * 64)
    await store.put(key, _one(b"a"))
    async with toy.tx() as tx:
        await files.add(tx, owner, None, received)
        await tx.flush()
        assert await sweep(toy.database, store) == 0
    assert await sweep(toy.database, store) == 0
    await nothing_left(toy)


async def test_a_note_that_was_locked_is_come_back_to_at_once(toy: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed sweeper's lock outlives it for a moment; the next one does not wait for its next minute."""
    store: Store = toy.app.state.store
    key = f"{toy.tenant}/label/x/old"
    id = await _note(toy, key, "3 hours")
    await store.put(key, _one(b"a"))
    monkeypatch.setattr(sweeper, "_SOON", 0.01)
    looked, stop = asyncio.Event(), asyncio.Event()
    held = sweeper.is_held

    async def is_held(*given: Any) -> bool:
        found = await held(*given)
        looked.set()
        return found

    monkeypatch.setattr(sweeper, "is_held", is_held)
    other = await asyncpg.connect(toy.admin_url)
    try:
        async with other.transaction():
            await other.execute("SELECT 1 FROM upload WHERE id = $1 FOR UPDATE", id)
            sweeping = asyncio.create_task(sweeper.sweep_forever(toy.database, store, stop))
            await asyncio.wait_for(looked.wait(), 30)
            assert await store.keys() == [key]
        await eventually(store.keys, lambda keys: keys == [], within=30, what="a sweep")
        await eventually(lambda: held(toy.database), lambda left: not left, within=30, what="its end")
    finally:
        stop.set()
        await other.close()
    await sweeping


async def test_a_file_is_not_added_to_what_is_deleted_meanwhile(toy: Harness, at: str) -> None:
    """The owner is held from the first look to the commit: either the file is there first and hidden, or it is refused."""
    label = at.rpartition("/")[0]
    deleting = [toy.client.delete(label)]
    answers = await asyncio.gather(*[toy.client.post(at, files=form(b"%d" % n)) for n in range(6)], *deleting)
    assert {answer.status_code for answer in answers} <= {201, 204, 404}
    assert (await toy.client.get(at)).status_code == 404
    await nothing_left(toy)
