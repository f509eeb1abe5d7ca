"""Master data: published whole, replaced whole but for what is fixed, refused while in use, and gone without leaving its row.

Its six routes are added by `master_data_routes`, and say of themselves what routes that are written out would say.
"""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.routing import APIRoute
from toy import Label, LabelBody, LabelCreated, LabelDeleted, LabelRestored, labels

from tailrace.db.master_data import values_of
from tailrace.http.auth import scopes_of
from tailrace_testing import Harness
from tailrace_testing.gateway import eventually

AT = "/v1/labels"


async def test_each_change_is_published_with_the_whole_of_it(toy: Harness) -> None:
    made = (await toy.client.post(AT, json={"code": "A1", "name": "First", "tone": "loud"})).json()
    await toy.client.put(f"{AT}/{made['id']}", json={"code": "A2", "name": "Second", "tone": "loud"})
    assert (await toy.client.delete(f"{AT}/{made['id']}", headers={"If-Match": '"1"'})).status_code == 412
    assert (await toy.client.delete(f"{AT}/{made['id']}", headers={"If-Match": '"2"'})).status_code == 204
    created, updated, deleted = [published.event for published in await toy.published()]
    id = UUID(made["id"])
    assert created == LabelCreated(label_id=id, code="A1", name="First", tone="loud")
    assert updated.model_dump() == {
        "label_id": id,
        "code": "A2",
        "name": "Second",
        "tone": "loud",
        "beside": None,
    }
    assert deleted == LabelDeleted(label_id=id)


async def test_what_is_deleted_is_unknown_and_its_row_stays(toy: Harness) -> None:
    made = (await toy.client.post(AT, json={"code": "A1"})).json()
    at = f"{AT}/{made['id']}"
    await toy.client.delete(at)
    gone = [await toy.client.get(at), await toy.client.put(at, json={"code": "A1"}), await toy.client.delete(at)]
    assert [answer.status_code for answer in gone] == [404, 404, 404]
    assert (
        await toy.admin.fetchval("SELECT code FROM label WHERE id = $1 AND deleted_at IS NOT NULL", made["id"]) == "A1"
    )
    async with toy.tx() as tx:
        assert await tx.get(Label, (toy.tenant, UUID(made["id"]))) is not None


async def test_what_others_build_on_is_fixed_and_what_is_used_stays(toy: Harness) -> None:
    made = (await toy.client.post(AT, json={"code": "A1"})).json()
    fixed = await toy.client.put(f"{AT}/{made['id']}", json={"code": "A1", "tone": "loud"})
    assert (fixed.status_code, fixed.json()["type"]) == (409, "urn:tailrace:problem:fixed")
    assert [error["field"] for error in fixed.json()["errors"]] == ["/tone"]
    await toy.client.post("/v1/notes", json={"text": "A1"})
    used = await toy.client.delete(f"{AT}/{made['id']}")
    assert (used.status_code, used.json()["type"]) == (409, "urn:tailrace:problem:in-use")
    assert (await toy.client.get(f"{AT}/{made['id']}")).json()["version"] == 1


async def test_what_was_deleted_is_restored_as_it_was(toy: Harness) -> None:
    made = (await toy.client.post(AT, json={"code": "A1", "name": "First"})).json()
    at = f"{AT}/{made['id']}"
    live = await toy.client.post(f"{at}/restore")
    assert (live.status_code, live.json()["type"]) == (409, "urn:tailrace:problem:not-deleted")
    await toy.client.delete(at)
    assert (await toy.client.post(f"{at}/restore", headers={"If-Match": '"1"'})).status_code == 412
    restored = await toy.client.post(f"{at}/restore", headers={"If-Match": '"2"'})
    assert (restored.status_code, restored.headers["etag"]) == (200, '"3"')
    changed = {"version": 3, "updated_at": restored.json()["updated_at"]}
    assert (await toy.client.get(at)).json() == restored.json() == {**made, **changed}
    event = (await toy.published())[-1].event
    assert event == LabelRestored(label_id=UUID(made["id"]), code="A1", name="First", tone="plain")
    assert (await toy.client_as(tenant=toy.other_tenant).post(f"{at}/restore")).status_code == 404


async def test_a_code_that_was_taken_meanwhile_keeps_it_deleted(toy: Harness) -> None:
    made = (await toy.client.post(AT, json={"code": "A1"})).json()
    await toy.client.delete(f"{AT}/{made['id']}")
    other = (await toy.client.post(AT, json={"code": "A1"})).json()
    for _ in range(2):
        refused = await toy.client.post(f"{AT}/{made['id']}/restore")
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (409, "/code")
    await toy.client.put(f"{AT}/{other['id']}", json={"code": "A2"})
    assert (await toy.client.post(f"{AT}/{made['id']}/restore")).status_code == 200


async def test_what_refers_to_something_deleted_stays_deleted(toy: Harness) -> None:
    other = (await toy.client.post(AT, json={"code": "B1"})).json()
    made = (await toy.client.post(AT, json={"code": "A1", "beside": other["id"]})).json()
    for id in (made["id"], other["id"]):
        await toy.client.delete(f"{AT}/{id}")
    refused = await toy.client.post(f"{AT}/{made['id']}/restore")
    assert (refused.status_code, refused.json()["type"], refused.json()["errors"][0]["field"]) == (
        409,
        "urn:tailrace:problem:refers-to-deleted",
        "/beside",
    )
    kinds = [published.type for published in await toy.published()]
    assert kinds == ["label.created", "label.created", "label.deleted", "label.deleted"]
    for id in (other["id"], made["id"]):
        assert (await toy.client.post(f"{AT}/{id}/restore")).status_code == 200


async def test_what_it_refers_to_must_be_there_when_it_is_made_and_when_it_is_replaced(toy: Harness) -> None:
    made = (await toy.client.post(AT, json={"code": "A1"})).json()
    body = {"code": "A2", "beside": str(uuid4())}
    for refused in (await toy.client.post(AT, json=body), await toy.client.put(f"{AT}/{made['id']}", json=body)):
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "/beside")
    assert (await toy.client.get(f"{AT}/{made['id']}")).json() == made
    assert [published.type for published in await toy.published()] == ["label.created"]


async def test_what_is_held_is_in_use_and_this_tenants(toy: Harness) -> None:
    made, gone = [UUID((await toy.client.post(AT, json={"code": code})).json()["id"]) for code in ("A1", "A2")]
    theirs = UUID((await toy.client_as(tenant=toy.other_tenant).post(AT, json={"code": "A1"})).json()["id"])
    await toy.client.delete(f"{AT}/{gone}")
    async with toy.tx() as tx:
        assert await Label.hold(tx, [made, gone, theirs, uuid4()]) == {made}


async def test_what_is_held_is_deleted_only_after_the_transaction_that_holds_it(toy: Harness) -> None:
    made = (await toy.client.post(AT, json={"code": "A1"})).json()
    async with toy.tx() as tx:
        assert await Label.hold(tx, [UUID(made["id"])]) == {UUID(made["id"])}
        deletion = asyncio.create_task(toy.client.delete(f"{AT}/{made['id']}"))
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )

        async def decided() -> bool:
            return deletion.done() or bool(await toy.admin.fetchval(waiting))

        await eventually(decided, bool, what="a deletion that waits for the holder, or is done")
        assert not deletion.done()
    assert (await deletion).status_code == 204


async def test_a_list_is_narrowed_and_sorted_and_shows_the_summary(toy: Harness) -> None:
    marks = [{"made_on": "2026-11-27"}]
    for code, name, tone in (("A1", "Second", "loud"), ("A2", "First", "loud"), ("A3", "Third", "plain")):
        made = await toy.client.post(AT, json={"code": code, "name": name, "tone": tone, "marks": marks})
        assert (made.status_code, made.json()["marks"], made.headers["location"]) == (
            201,
            marks,
            f"{AT}/{made.json()['id']}",
        )
    await toy.client.delete(f"{AT}/{made.json()['id']}")

    async def codes(**query: str) -> list[str]:
        return [label["code"] for label in (await toy.client.get(AT, params=query)).json()["items"]]

    assert await codes() == ["A1", "A2"]
    assert await codes(sort="name") == ["A2", "A1"]
    assert await codes(sort="-created_at") == ["A2", "A1"]
    assert await codes(code="a2") == await codes(name="irs", tone="loud") == ["A2"]
    assert await codes(tone="plain") == []
    assert await codes(deleted="true") == ["A3"]
    shown = (await toy.client.get(AT)).json()["items"][0]
    assert "marks" not in shown
    assert shown["version"] == 1


@pytest.mark.parametrize(
    ("name", "method", "path", "scope", "said"),
    [
        ("create_label", "POST", "/v1/labels", "notes:write", "Add a label."),
        ("list_labels", "GET", "/v1/labels", "notes:read", "Labels without their marks."),
        ("read_label", "GET", "/v1/labels/{label_id}", "notes:read", "One label."),
        ("replace_label", "PUT", "/v1/labels/{label_id}", "notes:write", "Replace a label, whole. `tone` stays."),
        ("delete_label", "DELETE", "/v1/labels/{label_id}", "notes:write", "Delete a label that no note says."),
        ("restore_label", "POST", "/v1/labels/{label_id}/restore", "notes:write", "Take a deleted label back"),
    ],
)
def test_its_routes_say_what_they_are(name: str, method: str, path: str, scope: str, said: str) -> None:
    [route] = [each for each in labels.routes if isinstance(each, APIRoute) and each.name == name]
    assert (route.methods, route.path) == ({method}, path)
    assert [each.name for each in scopes_of(route)] == [scope]
    assert route.description.startswith(said)


async def test_a_replacement_needs_the_version_that_it_names(toy: Harness) -> None:
    made = (await toy.client.post(AT, json={"code": "A1"})).json()
    late = await toy.client.put(f"{AT}/{made['id']}", json={"code": "A2"}, headers={"If-Match": '"7"'})
    assert (late.status_code, (await toy.client.get(f"{AT}/{made['id']}")).json()) == (412, made)


def test_what_is_kept_as_json_is_put_into_jsons_types_and_nothing_else_is() -> None:
    beside = uuid4()
    body = LabelBody.model_validate({"code": "A1", "beside": beside, "marks": [{"made_on": "2026-11-27"}]})
    values: dict[str, Any] = values_of(Label, body)
    assert (values["beside"], values["marks"]) == (beside, [{"made_on": "2026-11-27"}])
    assert values.keys() == {"code", "name", "tone", "beside", "marks"}
