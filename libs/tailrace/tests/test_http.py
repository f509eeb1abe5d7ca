"""What RFC 9110 asks of every route: HEAD, `Allow`, conditional requests, media types, and what caches and browsers are told."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import FastAPI, Header, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Message
from toy import Note, Reader, service

from tailrace.core.ids import uuid7
from tailrace.http.files.exports import CSV, XLSX, asked_for
from tailrace.http.protocol.middleware import HeadAsGet
from tailrace.http.routing import ResourceView, Tx, tenant_router
from tailrace_testing import Harness, MakeHarness

odd = tenant_router("/v1/odd", tag="odd")


class Shown(ResourceView):
    """More than the note's own version covers."""

    elsewhere: str


@odd.get("/{note_id}", response_model=Shown)
async def show(tx: Tx, who: Reader, note_id: str, elsewhere: Annotated[str, Header()] = "") -> Shown:
    note = await tx.find(Note, note_id)  # type: ignore[arg-type]
    return Shown.model_validate(
        {**{name: getattr(note, name) for name in ResourceView.model_fields}, "elsewhere": elsewhere}
    )


@odd.put("/{note_id}", status_code=201)
async def make(tx: Tx, who: Reader, note_id: str) -> None:
    return None


@odd.post("/best")
async def choose(tx: Tx, who: Reader) -> None:
    return None


@odd.get("/{note_id}/parts/{part_id}")
async def show_part(tx: Tx, who: Reader, note_id: str, part_id: str) -> None:
    return None


class Sheet(Response):
    media_type = "text/csv"


@odd.get("/{note_id}/sheet", response_class=Sheet, response_model=None)
async def show_sheet(tx: Tx, who: Reader, note_id: str, elsewhere: Annotated[str, Header()] = "") -> Sheet:
    return Sheet(f"elsewhere\n{elsewhere}\n", headers={"Content-Disposition": 'attachment; filename="sheet.csv"'})


@odd.put("/{other_id}/parts/all")
async def make_parts(tx: Tx, who: Reader, other_id: str) -> None:
    return None


@odd.put("/{another_id}/parts/{part_id}")
async def make_part(tx: Tx, who: Reader, another_id: str, part_id: str) -> None:
    return None


@pytest.fixture
async def toy(make_harness: MakeHarness) -> Harness:
    return await make_harness(replace(service, routers=[*service.routers, odd]))


async def _note(toy: Harness) -> str:
    return f"/v1/notes/{(await toy.client.post('/v1/notes', json={'text': 'x'})).json()['id']}"


async def _sent(client: httpx2.AsyncClient, method: str, path: str, **headers: str) -> httpx2.Response:
    return await client.request(
        method, path, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/odd/best", "POST"),
        ("/v1/odd/better", "GET, HEAD, PUT"),
        ("/v1/odd/1/parts/all", "PUT"),
        ("/v1/odd/1/parts/2", "GET, HEAD, PUT"),
        ("/v1/odd/best/parts/2", "GET, HEAD, PUT"),
    ],
)
async def test_a_word_in_a_path_has_its_own_methods(toy: Harness, path: str, allowed: str) -> None:
    for method in {"GET", "PUT", "POST", "DELETE"} - set(allowed.split(", ")):
        answer = await toy.client.request(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed), method
    for method in set(allowed.split(", ")):
        assert (await toy.client.request(method, path)).status_code != 405, method


async def test_a_head_is_a_get_without_the_content(toy: Harness) -> None:
    path = await _note(toy)
    for at in (path, "/v1/notes", "/health/live", "/openapi.json"):
        got, head = await toy.client.get(at), await toy.client.head(at)
        assert (head.status_code, head.content) == (200, b""), at
        for name in ("content-length", "content-type", "etag", "cache-control"):
            assert head.headers.get(name) == got.headers.get(name), (at, name)
    assert (await toy.anonymous().head(path)).status_code == 401
    missing = await toy.client.head(f"{path[:-4]}0000")
    assert (missing.status_code, missing.content) == (404, b"")
    assert (await toy.client.head(f"{path}/close")).status_code == 405


async def test_a_405_names_every_method_of_the_path(toy: Harness) -> None:
    path = await _note(toy)
    expected = {
        ("DELETE", "/v1/notes"): "GET, HEAD, POST",
        ("PATCH", path): "GET, HEAD",
        ("GET", f"{path}/close"): "POST",
        ("DELETE", path.replace("notes", "odd")): "GET, HEAD, PUT",
        ("OPTIONS", "/v1/notes"): "GET, HEAD, POST",
        ("TRACE", "/v1/notes"): "GET, HEAD, POST",
        ("QUERY", "/v1/notes"): "GET, HEAD, POST",
        ("POST", "/health/live"): "GET, HEAD",
    }
    for (method, at), allowed in expected.items():
        answer = await toy.client.request(method, at)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed), (method, at)


@pytest.mark.parametrize("method", ["get", "Post", "CONNECT", "BREW", "GET "])
async def test_what_is_no_method_is_a_501(toy: Harness, method: str) -> None:
    scope = {
        "type": "http",
        "method": method,
        "path": "/v1/notes",
        "raw_path": b"/v1/notes",
        "query_string": b"",
        "headers": [],
    }
    told: list[Any] = []

    async def send(message: Any) -> None:
        told.append(message)

    await toy.app({**scope, "http_version": "1.1", "scheme": "http", "server": None, "client": None}, None, send)  # type: ignore[arg-type]
    assert told[0]["status"] == 501


async def test_a_read_that_the_client_has_is_a_304(toy: Harness) -> None:
    path = await _note(toy)
    first = await toy.client.get(path)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    for seen in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        for method in ("GET", "HEAD"):
            again = await _sent(toy.client, method, path, if_none_match=seen)
            assert (again.status_code, again.content) == (304, b""), seen
            assert (again.headers["etag"], again.headers["cache-control"]) == (tag, "private, no-cache")
            assert "content-type" not in again.headers
    for other in ('"1"', '"2"', "nonsense", tag.strip('"')):
        assert (await _sent(toy.client, "GET", path, if_none_match=other)).status_code == 200, other
    assert (await toy.client.post(f"{path}/close", headers={"If-Match": tag})).status_code == 200
    changed = await _sent(toy.client, "GET", path, if_none_match=tag)
    assert (changed.status_code, changed.json()["version"]) == (200, 2)


async def test_what_the_version_does_not_cover_is_no_304(toy: Harness) -> None:
    path = (await _note(toy)).replace("notes", "odd")
    seen = (await _sent(toy.client, "GET", path, elsewhere="a")).headers["etag"]
    assert (await _sent(toy.client, "GET", path, elsewhere="a", if_none_match=seen)).status_code == 304
    other = await _sent(toy.client, "GET", path, elsewhere="b", if_none_match=seen)
    assert (other.status_code, other.json()["elsewhere"]) == (200, "b")


async def test_a_file_is_not_sent_again_to_who_has_it(toy: Harness) -> None:
    path = (await _note(toy)).replace("notes", "odd") + "/sheet"
    first = await _sent(toy.client, "GET", path, elsewhere="a")
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    for method in ("GET", "HEAD"):
        again = await _sent(toy.client, method, path, elsewhere="a", if_none_match=tag)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag), method
    other = await _sent(toy.client, "GET", path, elsewhere="b", if_none_match=tag)
    assert (other.status_code, other.text) == (200, "elsewhere\nb\n")
    said = toy.app.openapi()["paths"]["/v1/odd/{note_id}/sheet"]["get"]
    assert said["responses"]["200"]["headers"].keys() == {"Content-Disposition", "ETag", "X-Request-Id"}
    assert "304" in said["responses"]
    assert "If-None-Match" in {parameter["name"] for parameter in said["parameters"]}


async def test_a_304_is_for_those_alone_who_may_read(toy: Harness) -> None:
    path = await _note(toy)
    tag = (await toy.client.get(path)).headers["etag"]
    for client, status in (
        (toy.anonymous(), 401),
        (toy.client_as("other:read"), 403),
        (toy.client_as(tenant=toy.other_tenant), 404),
    ):
        assert (await _sent(client, "GET", path, if_none_match=tag)).status_code == status


async def test_nothing_is_replaced_that_was_to_be_new(toy: Harness) -> None:
    made = await toy.client.post("/v1/labels", json={"code": "A", "name": "a"})
    at, changed, before = f"/v1/labels/{made.json()['id']}", {"code": "A", "name": "b"}, len(await toy.published())
    for method, body in (("PUT", changed), ("DELETE", None)):
        refused = await toy.client.request(method, at, json=body, headers={"If-None-Match": "*"})
        assert (refused.status_code, refused.json()["type"]) == (412, "urn:tailrace:problem:already-there")
        named = await toy.client.request(method, at, json=body, headers={"If-None-Match": '"1"'})
        assert (named.status_code, named.json()["errors"][0]["field"]) == (400, "If-None-Match")
    assert ((await toy.client.get(at)).json()["name"], len(await toy.published())) == ("a", before)
    nothing = await toy.client.put(f"{at[:-4]}0000", json=changed, headers={"If-None-Match": "*"})
    assert nothing.status_code == 404
    assert (await toy.client.put(f"/v1/odd/{uuid7()}", headers={"If-None-Match": "*"})).status_code == 201


async def test_a_body_in_another_format_is_a_415_that_says_which(toy: Harness) -> None:
    body = b'{"text": "x"}'
    for said in ("text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json", "image/svg+json", ""):
        answer = await toy.client.post("/v1/notes", content=body, headers={"Content-Type": said} if said else {})
        assert (answer.status_code, answer.headers["accept"]) == (415, "application/json"), said
        assert answer.json()["errors"][0]["field"] == "Content-Type"
    coded = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = await toy.client.post("/v1/notes", content=body, headers=coded)
    assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "")
    for said in ("application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"):
        assert (await toy.client.post("/v1/notes", content=body, headers={"Content-Type": said})).status_code == 201
    assert (await toy.client.post("/v1/notes")).status_code == 422
    assert (await toy.anonymous().post("/v1/notes", content=body)).status_code == 401


async def test_no_answer_is_kept_or_guessed_unless_it_says_so(toy: Harness) -> None:
    path = await _note(toy)
    answers = [
        await toy.client.post("/v1/notes", json={"text": "x"}),
        await toy.client.get("/v1/notes"),
        await toy.anonymous().get(path),
        await toy.client.get("/nowhere"),
        await toy.client.get("/health/live"),
    ]
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}
    assert {answer.headers["x-content-type-options"] for answer in [*answers, await toy.client.get(path)]} == {
        "nosniff"
    }


async def test_a_head_of_what_never_ends_does() -> None:
    app = FastAPI()
    app.add_middleware(HeadAsGet)
    ended = asyncio.Event()

    async def ticks() -> AsyncIterator[bytes]:
        try:
            while True:
                await asyncio.sleep(0)
                yield b"tick"
        finally:
            ended.set()

    @app.get("/ticks")
    async def read_ticks() -> StreamingResponse:
        return StreamingResponse(ticks(), media_type="text/event-stream")

    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://toy") as client:
        async with asyncio.timeout(300):
            head = await client.head("/ticks")
            await ended.wait()
    assert (head.status_code, head.content, head.headers["content-type"][:17]) == (200, b"", "text/event-stream")


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (["text/csv"], CSV),
        (["text/csv, application/json"], CSV),
        (["application/json, text/csv"], None),
        (["text/csv;q=0, */*"], None),
        (["text/csv;q=0.1, application/json"], None),
        (["application/json;q=0.1", "text/csv"], CSV),
        (["text/csv;q=0.5, */*;q=0.9"], None),
        (["*/*", f"{XLSX} ; Q=1"], XLSX),
        (["text/csv;q=2"], None),
        ([], None),
    ],
)
def test_a_file_is_what_accept_likes_best(accept: list[str], kind: str | None) -> None:
    headers = [(b"accept", each.encode()) for each in accept]
    assert asked_for(Request({"type": "http", "headers": headers})) == kind


async def test_a_target_may_be_a_whole_address_of_this_host(toy: Harness) -> None:
    async def ask(target: bytes, host: bytes) -> list[Message]:
        scope = {
            "type": "http",
            "http_version": "1.1",
            "scheme": "http",
            "server": ("toy", 80),
            "client": ("127.0.0.1", 1),
            "method": "GET",
            "path": target.decode(),
            "raw_path": target,
            "query_string": b"",
            "headers": [(b"host", host)],
        }
        said: list[Message] = []

        async def send(message: Message) -> None:
            said.append(message)

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        await toy.app(scope, receive, send)
        return said

    for target in (b"http://Toy:80/health/live", b"HTTPS://toy:80/health/%6cive"):
        assert (await ask(target, b"toy:80"))[0]["status"] == 200, target
    for target, status in ((b"http://other/health/live", 400), (b"http://toy:80", 404), (b"ftp://toy:80/x", 404)):
        assert (await ask(target, b"toy:80"))[0]["status"] == status, target
