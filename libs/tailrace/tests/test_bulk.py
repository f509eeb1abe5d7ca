"""Many at once: each item taken or refused by itself, in parts, done once whatever breaks off."""

from typing import Any

import httpx2
import pytest
from toy import Note
from toy.jobbing import label_import, service_with_jobs

from tailrace.core.errors import Unavailable
from tailrace.transfer import bulk
from tailrace_testing import Harness, MakeHarness

AT = "/v1/labels/bulk"


@pytest.fixture
async def toy(make_harness: MakeHarness) -> Harness:
    return await make_harness(service_with_jobs)


async def _send(toy: Harness, items: Any, key: str | None = None, at: str = AT, **more: Any) -> httpx2.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return await toy.client.post(at, json={"items": items, **more}, headers=headers)


async def _sent(toy: Harness, items: Any, key: str | None = None, at: str = AT, **more: Any) -> dict[str, Any]:
    answer = await _send(toy, items, key, at, **more)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def _labels(*codes: str) -> list[dict[str, str]]:
    return [{"code": code, "name": f"Label {code}"} for code in codes]


async def _codes(toy: Harness) -> list[str]:
    return [row["code"] for row in await toy.admin.fetch("SELECT code FROM label ORDER BY id")]


async def test_each_item_has_a_result_that_says_where_it_is(toy: Harness) -> None:
    answer = await _send(toy, _labels("A", "B"))
    said = answer.json()
    assert said["counts"] == {"created": 2, "replaced": 0, "unchanged": 0, "refused": 0}
    for index, (item, code) in enumerate(zip(said["items"], "AB", strict=True)):
        assert (item["index"], item["status"], item["became"], item["version"]) == (index, 201, "created", 1)
        shown = await toy.client.get(item["location"])
        assert (shown.json()["code"], shown.headers["etag"][:2]) == (code, '"1')
        assert item["events"] == [f"toy.events/{item['id']}@1"]
    assert answer.headers["tailrace-event"].split(", ") == [item["events"][0] for item in said["items"]]
    assert [event.sequence for event in await toy.published("label.created")] == [1, 1]


async def test_what_is_wrong_with_one_keeps_no_other_and_leaves_nothing(toy: Harness) -> None:
    await _sent(toy, _labels("taken"))
    items: list[Any] = [
        *_labels("A"),
        {"code": "B", "name": "forbidden"},
        {"code": "C", "name": "C", "tone": "shrill", "id": 5},
        *_labels("TAKEN", "D", "d"),
        "no object",
        None,
        *_labels("E"),
    ]
    said = await _sent(toy, items)
    assert [item["status"] for item in said["items"]] == [201, 409, 422, 409, 201, 409, 422, 422, 201]
    assert said["counts"] == {"created": 3, "replaced": 0, "unchanged": 0, "refused": 6}
    assert await _codes(toy) == ["taken", "A", "D", "E"]
    problems = {item["index"]: item["problem"] for item in said["items"] if item["became"] == "refused"}
    assert {at: sorted(e["field"] for e in problem["errors"]) for at, problem in problems.items()} == {
        1: ["/items/1/name"],
        2: ["/items/2/id", "/items/2/tone"],
        3: ["/items/3/code"],
        5: ["/items/5/code"],
        6: ["/items/6"],
        7: ["/items/7"],
    }
    many = await _sent(toy, [{f"k{number}": 1 for number in range(40)}])
    assert len(many["items"][0]["problem"]["errors"]) == 5
    assert "errors, of which the first 5 are named" in many["items"][0]["problem"]["detail"]
    assert problems[3]["type"] == "urn:tailrace:problem:code-taken"
    assert len(await toy.published("label.created")) == 4
    assert all("id" not in item and "events" in item for item in said["items"] if item["became"] == "refused")


async def test_an_answer_to_what_is_all_wrong_stays_small(toy: Harness) -> None:
    """Every name is as long as an answer repeats it, so that nothing makes it larger."""
    answer = await _send(toy, [{f"k{number}" + "y" * 300: 1 for number in range(40)}] * 300)
    items = answer.json()["items"]
    assert [len(item["problem"]["errors"]) for item in items] == [5] * 50 + [1] * 250
    assert len(answer.content) < 300 * 1200 + 50 * 4 * 600


async def test_what_is_all_refused_records_nothing(toy: Harness) -> None:
    await _sent(toy, _labels("A", "B"))
    answer = await _send(toy, [*_labels("A", "B"), {"code": "C", "name": "forbidden"}])
    assert answer.json()["counts"]["refused"] == 3 and "tailrace-event" not in answer.headers
    assert len(await toy.published()) == 2


@pytest.mark.parametrize("items", [None, [], {}, "A", 5, [{}] * 301])
async def test_a_body_that_is_no_list_of_things_is_refused_whole(toy: Harness, items: Any) -> None:
    answer = await _send(toy, items)
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "/items"
    assert await toy.admin.fetchval("SELECT count(*) FROM idempotency") == 0


async def test_a_body_that_is_none_is_refused_as_everywhere(toy: Harness) -> None:
    key = {"Idempotency-Key": "k"}
    assert (
        await toy.client.post(AT, content=b"{", headers={**key, "Content-Type": "application/json"})
    ).status_code == 400
    assert (await toy.client.post(AT, content=b"{}", headers={**key, "Content-Type": "text/csv"})).status_code == 415
    unknown = await toy.client.post(AT, json={"items": _labels("A"), "more": 1}, headers=key)
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "/more")
    assert (await toy.client_as("").post(AT, json={"items": _labels("A")})).status_code == 403
    large = {"items": [{"code": "A", "name": "x" * bulk.LARGEST_BULK}]}
    assert (await toy.client.post(AT, json=large)).status_code == 413
    assert await _codes(toy) == []


async def test_what_is_there_is_replaced_only_when_that_is_asked_for(toy: Harness) -> None:
    await _sent(toy, [{"code": "A", "name": "Alpha", "tone": "loud"}, *_labels("B")])
    items = [{"code": "a", "name": "Better", "tone": "loud"}, *_labels("B", "C")]
    assert (await _sent(toy, items))["counts"] == {"created": 1, "replaced": 0, "unchanged": 0, "refused": 2}
    said = await _sent(toy, items, replace=True)
    assert said["counts"] == {"created": 0, "replaced": 1, "unchanged": 2, "refused": 0}
    assert [(item["status"], item["version"]) for item in said["items"]] == [(200, 2), (200, 1), (200, 1)]
    row = await toy.admin.fetchrow("SELECT * FROM label WHERE code = 'a'")
    assert (row["name"], row["version"]) == ("Better", 2)
    assert (await _send(toy, [], at="/v1/letters/bulk", replace=True)).status_code == 422, "nothing replaces a document"


async def test_the_same_again_has_one_effect_and_one_answer(toy: Harness) -> None:
    items = [*_labels(*(f"L{n}" for n in range(120))), {"code": "X", "name": "forbidden"}]
    first = await _send(toy, items, "key")
    assert first.json()["counts"]["created"] == 120
    assert [item["index"] for item in first.json()["items"]] == list(range(121))
    again = await _send(toy, items, "key")
    assert (again.text, again.headers["idempotency-replayed"]) == (first.text, "true")
    assert "idempotency-replayed" not in first.headers
    other = await _send(toy, [*items[1:], *_labels("Y")], "key")
    assert (other.status_code, other.json()["type"].rpartition(":")[2]) == (422, "idempotency-key-reused")
    assert len(await _codes(toy)) == 120


async def test_a_key_of_any_length_stands_for_one_request_whether_it_makes_one_or_many(toy: Harness) -> None:
    longest = "k" * 255
    items = _labels(*(f"L{n}" for n in range(60)))
    first = await _sent(toy, items, longest)
    assert first["counts"]["created"] == 60
    assert (await _send(toy, items, longest)).headers["idempotency-replayed"] == "true"
    one, key = {"code": "ONE", "name": "One"}, {"Idempotency-Key": longest}
    refused = await toy.client.post("/v1/labels", json=one, headers=key)
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:tailrace:problem:idempotency-key-reused")
    key = {"Idempotency-Key": "of one"}
    assert (await toy.client.post("/v1/labels", json=one, headers=key)).status_code == 201
    assert (await _send(toy, items, "of one")).json()["type"] == "urn:tailrace:problem:idempotency-key-reused"
    assert len(await _codes(toy)) == 61


async def test_what_breaks_off_goes_on_where_it_stopped(toy: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part is a transaction: what is committed is not made again, and what is not is not there."""
    items = _labels(*(f"L{n}" for n in range(120)))
    create = label_import.create

    async def breaks(tx: Any, body: Any) -> Any:
        if body.code == "L70":
            raise Unavailable("The machine stops here.")
        return await create(tx, body)

    object.__setattr__(label_import, "create", breaks)
    try:
        broken = await _send(toy, items, "key")
    finally:
        object.__setattr__(label_import, "create", create)
    assert broken.status_code == 503
    assert len(await _codes(toy)) == 50
    whole = await _send(toy, items, "key")
    assert (whole.status_code, whole.json()["counts"]["created"]) == (200, 120)
    assert await _codes(toy) == [item["code"] for item in items]
    assert [event.sequence for event in await toy.published("label.created")] == [1] * 120
    assert "tailrace-event" not in whole.headers, "as long as no header may be"
    assert all(len(item["events"]) == 1 for item in whole.json()["items"])


async def test_documents_are_made_by_the_command_of_their_own(toy: Harness) -> None:
    letters = [
        {"title": "T", "lines": [{"text": "hello"}]},
        {"title": "U", "lines": [{"text": "a"}, {"text": "forbidden"}]},
    ]
    said = await _sent(toy, letters, at="/v1/letters/bulk")
    assert [item["status"] for item in said["items"]] == [201, 409]
    assert said["items"][1]["problem"]["errors"][0]["field"] == "/items/1/lines/1/text"
    async with toy.tx() as tx:
        assert await tx.run_sync(lambda session: session.query(Note).count()) == 1


async def test_nobody_else_sees_or_is_touched(toy: Harness) -> None:
    mine = await _sent(toy, _labels("A"), "key")
    theirs = toy.client_as(tenant=toy.other_tenant)
    answer = await theirs.post(AT, json={"items": _labels("A"), "replace": True}, headers={"Idempotency-Key": "key"})
    assert answer.json()["counts"]["created"] == 1
    assert answer.json()["items"][0]["id"] != mine["items"][0]["id"]
    tenants = {row["tenant_id"] for row in await toy.admin.fetch("SELECT tenant_id FROM label")}
    assert tenants == {toy.tenant, toy.other_tenant}


def test_the_document_says_what_an_item_is(toy: Harness) -> None:
    document = toy.app.openapi()
    operation = document["paths"][AT]["post"]
    reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    items = document["components"]["schemas"][reference]["properties"]["items"]
    assert (items["maxItems"], items["minItems"]) == (300, 1)
    assert items["items"] == {"$ref": "#/components/schemas/WireLabel"}
    assert {"code", "name", "tone"} <= set(document["components"]["schemas"]["WireLabel"]["properties"])
    assert operation["operationId"] == "labels.bulk"
