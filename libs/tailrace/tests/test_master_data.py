"""Master data: published whole, replaced whole but for what is fixed, refused while in use, and gone without leaving its row."""

from uuid import UUID

from toy import Label, LabelCreated, LabelDeleted

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
