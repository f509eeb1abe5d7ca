"""What every route of every service promises: who may, once, unless stale, in pages, and problems that name the field."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from toy import Note

from tailrace.core.ids import uuid7
from tailrace.http.routing import View
from tailrace_testing import Harness


async def test_a_write_answers_with_its_version_and_its_events(toy: Harness) -> None:
    answer = await toy.client.post("/v1/notes", json={"text": "hello"})
    assert answer.status_code == 201
    note = answer.json()
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["tailrace-event"] == f"toy.events/{note['id']}@1"
    assert (await toy.client.get(f"/v1/notes/{note['id']}")).headers["etag"].startswith('"1-')


async def test_fifty_posts_with_one_key_have_one_effect(toy: Harness) -> None:
    headers = {"Idempotency-Key": "the-same"}
    answers = await asyncio.gather(
        *[toy.client.post("/v1/notes", json={"text": "x"}, headers=headers) for _ in range(50)]
    )
    assert {a.status_code for a in answers} <= {201, 409}
    assert len({a.json()["id"] for a in answers if a.status_code == 201}) == 1
    assert len(await toy.published()) == 1
    again = await toy.client.post("/v1/notes", json={"text": "x"}, headers=headers)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert again.headers["etag"] == '"1"'


async def test_a_key_belongs_to_one_request_one_user_and_one_tenant(toy: Harness) -> None:
    headers = {"Idempotency-Key": "mine"}
    assert (await toy.client.post("/v1/notes", json={"text": "x"}, headers=headers)).status_code == 201
    other_body = await toy.client.post("/v1/notes", json={"text": "y"}, headers=headers)
    assert (other_body.status_code, other_body.json()["errors"][0]["field"]) == (422, "Idempotency-Key")
    for client in (toy.client_as(tenant=toy.other_tenant), toy.client_as(user=uuid7())):
        assert (await client.post("/v1/notes", json={"text": "z"}, headers=headers)).status_code == 201


async def test_a_refused_write_does_not_use_up_its_key(toy: Harness) -> None:
    headers = {"Idempotency-Key": "again"}
    assert (await toy.client.post("/v1/notes", json={}, headers=headers)).status_code == 422
    assert (await toy.client.post("/v1/notes", json={"text": "now right"}, headers=headers)).status_code == 201


async def test_a_post_without_a_key_is_refused(toy: Harness) -> None:
    answer = await toy.client.post("/v1/notes", json={"text": "x"}, headers={"Idempotency-Key": " "})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "Idempotency-Key")


async def test_an_if_match_that_nothing_is_compared_with_is_refused(toy: Harness) -> None:
    for seen in ('"1"', "*"):
        refused = await toy.client.post("/v1/notes", json={"text": "x"}, headers={"If-Match": seen})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "If-Match")
    assert await toy.published() == []
    note = (await toy.client.post("/v1/notes", json={"text": "x"})).json()
    assert (await toy.client.get(f"/v1/notes/{note['id']}", headers={"If-Match": '"7"'})).status_code == 200


async def test_a_stale_if_match_changes_nothing(toy: Harness) -> None:
    note = (await toy.client.post("/v1/notes", json={"text": "x"})).json()
    path = f"/v1/notes/{note['id']}/close"
    assert (await toy.client.post(path, headers={"If-Match": '"7"'})).status_code == 412
    for wrong in ("seven", '"7', '"1" "7"', '*, "1"', ""):
        assert (await toy.client.post(path, headers={"If-Match": wrong})).status_code == 400, wrong
    assert (await toy.client.post(path, headers={"If-Match": '"1"'})).status_code == 200
    assert [f.type for f in await toy.published()] == ["note.written", "note.closed"]


async def test_of_several_tags_any_may_be_the_current_one(toy: Harness) -> None:
    """And a weak one, or one of something else, never is (RFC 9110, 13.1.1)."""
    note = (await toy.client.post("/v1/notes", json={"text": "x"})).json()
    path = f"/v1/notes/{note['id']}/close"
    for stale in ('"7", "8"', 'W/"1"', 'W/"1", "7"', '"1-gone"', '"a,b"'):
        refused = await toy.client.post(path, headers={"If-Match": stale})
        assert (refused.status_code, refused.json()["type"]) == (412, "urn:tailrace:problem:stale"), stale
    refused = await toy.client.post(path, headers={"If-Match": '"8", "7"'})
    assert refused.json()["detail"] == "If-Match asked for version 7 or 8; the current one is 1."
    again = [await toy.client.post("/v1/notes", json={"text": text}) for text in "yz"]
    paths = [path, *(f"/v1/notes/{each.json()['id']}/close" for each in again)]
    lists: list[Any] = [{"If-Match": '"7" ,, "1-5f2c81d09a7b", W/"2"'}, {"If-Match": '"1","8"'}]
    for here, headers in zip(paths, [*lists, [("If-Match", '"7"'), ("If-Match", '"1"')]], strict=True):
        assert (await toy.client.post(here, headers=headers)).status_code == 200, headers


async def test_a_read_is_unchanged_by_any_line_that_names_its_tag(toy: Harness) -> None:
    note = (await toy.client.post("/v1/notes", json={"text": "x"})).json()
    tag = (await toy.client.get(f"/v1/notes/{note['id']}")).headers["etag"]
    lines = [("If-None-Match", '"7"'), ("If-None-Match", tag)]
    assert (await toy.client.get(f"/v1/notes/{note['id']}", headers=lines)).status_code == 304


async def test_writers_of_one_aggregate_queue_up(toy: Harness) -> None:
    note = (await toy.client.post("/v1/notes", json={"text": "x"})).json()
    answers = await asyncio.gather(*[toy.client.post(f"/v1/notes/{note['id']}/close") for _ in range(10)])
    assert sorted(a.status_code for a in answers) == [200] + [409] * 9


async def test_who_may(toy: Harness) -> None:
    assert (await toy.anonymous().get("/v1/notes")).status_code == 401
    assert (await toy.client_as("notes:read").get("/v1/notes")).status_code == 200
    refused = await toy.client_as("notes:read").post("/v1/notes", json={"text": "x"})
    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/problem+json"
    note = (await toy.client.post("/v1/notes", json={"text": "x"})).json()
    assert (await toy.client_as(tenant=toy.other_tenant).get(f"/v1/notes/{note['id']}")).status_code == 404


async def test_tokens_that_do_not_count(toy: Harness) -> None:
    good = toy.token()
    head, body, signature = good.split(".")
    forged = [
        "nonsense",
        f"{head}.{body}.",
        f"eyJhbGciOiJub25lIn0.{body}.",
        f"{head}.{body}.{signature[:-4]}AAAA",
        toy.token(aud="another"),
        toy.token(iss="another"),
        toy.token(exp=1),
        toy.token(nbf=9999999999),
        toy.issuer.token(tenant=toy.tenant, sub="root"),
    ]
    for token in forged:
        answer = await toy.anonymous().get("/v1/notes", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, token


async def test_problems_name_the_field(toy: Harness) -> None:
    answer = await toy.client.post("/v1/notes", json={"text": 7, "tenant_id": str(uuid7())})
    assert answer.status_code == 422
    assert {e["field"] for e in answer.json()["errors"]} == {"/text", "/tenant_id"}
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    broken = await toy.client.post("/v1/notes", content=b"{", headers={"Content-Type": "application/json"})
    assert broken.status_code == 400
    assert (await toy.client.get(f"/v1/notes/{uuid7()}")).json()["type"] == "urn:tailrace:problem:unknown"
    assert (await toy.client.get("/v1/notes/not-a-uuid")).status_code == 422
    assert (await toy.client.post("/v1/notes", content=b"x" * (2 * 1024 * 1024 + 1))).status_code == 413


async def test_pages_cover_everything_once(toy: Harness) -> None:
    async with toy.tx() as tx:
        for number in range(25):
            tx.add(Note.write(f"{number % 5}"))
    for sort in ("id", "-id", "text", "-text", "-created_at"):
        seen: list[str] = []
        cursor = None
        while True:
            query = {"limit": 10, "sort": sort} | ({"cursor": cursor} if cursor else {})
            page = (await toy.client.get("/v1/notes", params=query)).json()
            seen += [item["id"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert len(seen) == len(set(seen)) == 25
    assert (await toy.client.get("/v1/notes", params={"cursor": "nonsense"})).json()["errors"][0]["field"] == "cursor"
    assert (await toy.client.get("/v1/notes", params={"sort": "secret"})).json()["errors"][0]["field"] == "sort"
    assert (await toy.client.get("/v1/notes", params={"limit": 0})).status_code == 422


async def test_live_and_ready_differ(toy: Harness) -> None:
    assert (await toy.anonymous().get("/health/live")).status_code == 200
    assert (await toy.anonymous().get("/health/ready")).status_code == 200


async def test_what_was_created_is_where_the_answer_says(toy: Harness) -> None:
    key = {"Idempotency-Key": "once"}
    made = await toy.client.post("/v1/notes", json={"text": "x"}, headers=key)
    assert made.headers["location"] == f"/v1/notes/{made.json()['id']}"
    assert (await toy.client.get(made.headers["location"])).json()["id"] == made.json()["id"]
    again = await toy.client.post("/v1/notes", json={"text": "x"}, headers=key)
    assert (again.headers["location"], again.headers["idempotency-replayed"]) == (made.headers["location"], "true")
    closed = await toy.client.post(f"{made.headers['location']}/close", headers={"If-Match": made.headers["etag"]})
    assert (closed.status_code, "location" in closed.headers) == (200, False)


def test_a_view_shows_no_bare_decimal() -> None:
    with pytest.raises(TypeError, match=r"Weighed\.weight is a Decimal.* make it Exact"):

        class Weighed(View):
            weight: Decimal | None
