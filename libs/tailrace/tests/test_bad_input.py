"""Nothing that a client sends makes a service stumble: it is refused by name, under the id of its request, and changes nothing."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, Self

import httpx2
import pytest
from aiohttp import web
from fastapi import APIRouter
from pydantic import model_validator
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from toy import Note, Writer, service

from tailrace.core.errors import Unavailable
from tailrace.core.ids import uuid7
from tailrace.core.stand_ins import trace_read
from tailrace.core.values.wire import WrongFields
from tailrace.db.error_classes import is_unstorable
from tailrace.http.jwks import PublishedKeys
from tailrace.http.lists.pagination import listed
from tailrace.http.routing import Body, Tx, tenant_router
from tailrace_testing import Harness, MakeHarness

odd = tenant_router("/v1/odd", tag="odd")
public = APIRouter()
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Span(Body):
    first: int
    last: int

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise WrongFields("last lies before first", "first", "last")
        return self


class Anything(Body):
    name: str = ""
    spans: list[Span] = []


@odd.put("", status_code=204)
async def nothing_to_say(tx: Tx, who: Writer, body: Anything) -> None:
    tx.add(Note.write("once"))


@odd.post("/bug")
async def bug(tx: Tx, who: Writer, body: Anything) -> None:
    raise LookupError("a bug")


@odd.post("/after-settling")
async def after_settling(tx: Tx, who: Writer, body: Anything) -> None:
    tx.add(Note.write("never"))
    await tx.settle()
    raise LookupError("a bug")


@public.post("/v1/public")
async def anybody(body: Anything) -> Anything:
    return body


@pytest.fixture
async def toy(make_harness: MakeHarness) -> Harness:
    return await make_harness(replace(service, routers=[*service.routers, odd, public]))


def _cursor(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


async def test_a_cursor_of_ones_own_making(toy: Harness) -> None:
    some_id = str(uuid7())
    forged: list[tuple[str, tuple[Any, ...]]] = [
        ("id", (5, 5)),
        ("id", (None, {})),
        ("id", ("x", "y")),
        ("id", ()),
        ("created_at", ("2026-01-01", 7)),
        ("created_at", ("yesterday", some_id)),
        ("text", ("a\x00b", some_id)),
        ("text", (["a"], some_id)),
    ]
    for sort, values in forged:
        cursor = _cursor(f"{Note.__tablename__} {sort}", *values)
        answer = await toy.client.get("/v1/notes", params={"sort": sort, "cursor": cursor})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "cursor"), values
    nested = base64.urlsafe_b64encode(b"[" * 3000).decode()
    answer = await toy.client.get("/v1/notes", params={"cursor": nested})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "cursor")


async def test_a_cursor_is_good_for_the_list_that_gave_it(toy: Harness) -> None:
    for word in ("a", "b"):
        await toy.client.post("/v1/notes", json={"text": word})
        await toy.client.post("/v1/labels", json={"code": word, "name": word})
    cursor = (await toy.client.get("/v1/labels", params={"limit": 1})).json()["next_cursor"]
    assert len((await toy.client.get("/v1/labels", params={"cursor": cursor})).json()["items"]) == 1
    for path, sort in (("/v1/notes", "id"), ("/v1/labels", "-id"), ("/v1/labels", "code")):
        answer = await toy.client.get(path, params={"cursor": cursor, "sort": sort})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "cursor"), (path, sort)


def test_a_column_that_may_be_null_is_no_sort(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Note.__table__.c.text, "nullable", True)
    with pytest.raises(TypeError, match="NULL"):
        listed(Note, sort=[Note.text])


async def test_what_cannot_be_stored_is_the_clients_fault(toy: Harness) -> None:
    unstorable: list[tuple[str, Any]] = [
        ("text", "\x00"),
        ("jsonb", '{"a": "\\ud800"}'),
        ("jsonb", '{"a": "\\u0000"}'),
        ("timestamptz", "300000-01-01"),
        ("bigint", "9223372036854775808"),
    ]
    for kind, value in unstorable:
        with pytest.raises(DBAPIError) as refused:
            async with toy.tx() as tx:
                await tx.execute(text(f"SELECT cast(cast(:value AS text) AS {kind})"), {"value": value})
        assert is_unstorable(refused.value), kind


async def _chunks() -> AsyncIterator[bytes]:
    for _ in range(25):
        yield b"x" * 100_000


async def test_every_answer_carries_the_id_of_its_request(toy: Harness) -> None:
    client, json_type = toy.client, {"Content-Type": "application/json"}
    answers = {
        "missing": (404, await client.get("/nowhere")),
        "method": (405, await client.delete("/v1/notes")),
        "too large, as declared": (413, await client.post("/v1/notes", content=b"x" * (2 * 1024 * 1024 + 1))),
        "too large, as it came": (413, await client.post("/v1/notes", content=_chunks(), headers=json_type)),
        "too large, on a public path": (413, await client.post("/v1/public", content=_chunks(), headers=json_type)),
        "beyond any number": (413, await client.post("/v1/notes", content=b"", headers={"Content-Length": "9" * 5000})),
        "too deep": (400, await client.post("/v1/notes", content=b"[" * 100_000, headers=json_type)),
        "no JSON": (422, await client.post("/v1/notes", content=b"NaN", headers=json_type)),
        "half a character": (422, await client.post("/v1/notes", content=b'{"\\ud800": 1}', headers=json_type)),
        "a bug": (500, await client.post("/v1/odd/bug", json={})),
        "a bug after settling": (500, await client.post("/v1/odd/after-settling", json={})),
    }
    for name, (status, answer) in answers.items():
        problem = answer.json()
        assert answer.status_code == problem["status"] == status, name
        assert answer.headers["content-type"] == "application/problem+json", name
        assert problem["request_id"] == answer.headers["x-request-id"], name
        assert problem["instance"] == answer.request.url.path, name
    assert {answers[name][1].json()["type"] for name in answers if name.startswith("too large")} == {
        "urn:tailrace:problem:too-large"
    }
    assert await toy.published() == []


async def test_what_several_fields_say_together_names_each(toy: Harness) -> None:
    spans = [{"first": 1, "last": 1}, {"first": 2, "last": 1}]
    refused = await toy.client.put("/v1/odd", json={"spans": spans})
    assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (
        422,
        ["/spans/1/first", "/spans/1/last"],
    )
    assert refused.json()["errors"][0]["detail"] == "Value error, last lies before first"


async def test_a_bug_stays_inside_the_application(toy: Harness) -> None:
    """A server prints whatever comes out of one."""
    transport = httpx2.ASGITransport(toy.app, raise_app_exceptions=True)
    headers = {"Authorization": f"Bearer {toy.token()}", "Idempotency-Key": "k"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://service", headers=headers) as client:
        assert (await client.post("/v1/odd/bug", json={})).status_code == 500


async def test_an_empty_answer_is_replayed_as_one(toy: Harness) -> None:
    headers = {"Idempotency-Key": "nothing"}
    first = await toy.client.put("/v1/odd", json={}, headers=headers)
    again = await toy.client.put("/v1/odd", json={}, headers=headers)
    assert (first.status_code, again.status_code, again.content) == (204, 204, b"")
    assert "etag" not in first.headers
    assert again.headers["tailrace-event"] == first.headers["tailrace-event"]
    elsewhere = await toy.client.post("/v1/odd/bug", json={}, headers=headers)
    assert (elsewhere.status_code, elsewhere.json()["errors"][0]["field"]) == (422, "Idempotency-Key")
    assert len(await toy.published()) == 1


async def test_what_is_kept_of_a_request_cannot_be_guessed_from(toy: Harness) -> None:
    body = b'{"text":"hunter2"}'
    json_type = {"Content-Type": "application/json"}
    assert (await toy.client.post("/v1/notes", content=body, headers=json_type)).status_code == 201
    kept = await toy.admin.fetchval("SELECT request_hash FROM idempotency")
    assert kept not in {hashlib.sha256(body).digest(), hashlib.sha256(b"POST /v1/notes?\n" + body).digest()}


async def test_only_a_trace_context_that_is_one_goes_on(toy: Harness) -> None:
    for sent in (TRACEPARENT, "x" * 5000, TRACEPARENT.upper(), TRACEPARENT + "-00"):
        answer = await toy.client.post("/v1/notes", json={"text": "x"}, headers={"traceparent": sent})
        assert answer.status_code == 201
    kept = await toy.admin.fetch("SELECT traceparent, correlation_id FROM outbox ORDER BY id")
    read = [trace_read(row["traceparent"], row["correlation_id"]) for row in kept]
    assert read == [TRACEPARENT, None, None, None]


async def test_headers_of_a_token_that_confuse(toy: Harness) -> None:
    confusing: list[Any] = [
        {"alg": ["RS256"], "kid": "test"},
        {"alg": "RS256", "kid": ["test"]},
        {"alg": "RS256", "kid": {}},
        {"alg": "RS256", "kid": "test", "crit": ["b64"], "b64": False},
        {"alg": "HS256", "kid": "test"},
        {"alg": "RS256"},
        {"alg": None},
        [1],
        "x",
    ]
    _, body, signature = toy.token().split(".")
    for header in confusing:
        head = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
        for token in (f"{head}.{body}.{signature}", f"{head}.{body}."):
            answer = await toy.anonymous().get("/v1/notes", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 401, header


async def test_claims_of_another_shape(toy: Harness) -> None:
    shapes: list[dict[str, Any]] = [
        {"exp": "x"},
        {"exp": float("inf")},
        {"aud": {}},
        {"aud": []},
        {"iss": ["tailrace"]},
        {"sid": 5},
        {"iat": "x"},
        {"sub": 5},
    ]
    for claims in shapes:
        answer = await toy.anonymous().get("/v1/notes", headers={"Authorization": f"Bearer {toy.token(**claims)}"})
        assert answer.status_code == 401, claims


async def test_authorization_in_no_alphabet_of_ours(toy: Harness) -> None:
    for value in (b"Bearer \xe9", b"Bearer \xff.\xff.\xff", b"Bearer", b"Bearer  ", b"Basic eDp5", b"\xff"):
        answer = await toy.anonymous().get("/v1/notes", headers=[(b"authorization", value)])
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("published", ["[]", "{}", '{"keys": [{"kty": "RSA"}]}', "no JSON", '{"keys": 7}'])
async def test_keys_that_are_none_are_no_answer_at_all(published: str) -> None:
    async def publish(_: web.Request) -> web.Response:
        return web.Response(text=published, content_type="application/json")

    app = web.Application()
    app.router.add_get("/keys", publish)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        with pytest.raises(Unavailable):
            await PublishedKeys(f"http://127.0.0.1:{port}/keys").current("any")
    finally:
        await runner.cleanup()
