"""Master data: published whole, replaced whole but for what is fixed, refused while in use, and gone without leaving its row."""

from uuid import UUID

from toy import Label, LabelCreated, LabelDeleted, LabelRestored

from tailrace_testing import Harness

AT = "/v1/labels"


async def test_each_change_is_published_with_the_whole_of_it(toy: Harness) -> None:
    made = (await toy.client.post(AT, json={"code": "A1", "name": "First", "tone": "loud"})).json()
    await toy.client.put(f"{AT}/{made['id']}", json={"code": "A2", "name": "Second", "tone": "loud"})
    assert (await toy.client.delete(f"{AT}/{made['id']}", headers={"If-Match": '"1"'})).status_code == 412
    assert (await toy.client.delete(f"{AT}/{made['id']}", headers={"If-Match": '"2"'})).status_code == 204
    created, updated, deleted = [published.event for published in await toy.published()]
    id = UUID(made["id"])
    assert created == LabelCreated(label_id=id, code="A1", name="First", tone="loud")
    assert updated.model_dump() == {"label_id": id, "code": "A2", "name": "Second", "tone": "loud"}
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
    assert (await toy.client.get(at)).json() == restored.json() == {**made, "version": 3}
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
    made = (await toy.client.post(AT, json={"code": "A1", "name": "orphan"})).json()
    await toy.client.delete(f"{AT}/{made['id']}")
    refused = await toy.client.post(f"{AT}/{made['id']}/restore")
    assert (refused.json()["type"], refused.json()["errors"][0]["field"]) == (
        "urn:tailrace:problem:refers-to-deleted",
        "/name",
    )
    assert [published.type for published in await toy.published()] == ["label.created", "label.deleted"]
