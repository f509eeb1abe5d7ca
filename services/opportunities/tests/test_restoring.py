"""What was deleted by mistake, or went with its customer, is there again, in a place that there is for it."""

from typing import Any

from contracts import catalog, customers
from tailrace.core.ids import uuid7

from .conftest import AT, Desk


async def test_open_ones_go_with_a_deleted_customer_and_come_back_with_it(desk: Desk, monkeypatch: Any) -> None:
    monkeypatch.setattr("opportunities.timers.AT_ONCE", 2)
    opens = [await desk.create() for _ in range(5)]
    won, gone = await desk.create(), await desk.create()
    await desk.act(won, "win")
    await desk.ask("DELETE", f"{AT}/{gone['id']}", 204)
    await desk.h.deliver(customers.CustomerDeleted(customer_id=desk.ada, number="C-1"), aggregate_id=desk.ada)
    await desk.fire()
    listed = (await desk.ask("GET", AT))["items"]
    assert [each["id"] for each in listed] == [won["id"]]
    assert len(await desk.told("crm.opportunity.deleted")) == 6
    await desk.h.deliver(_restored(desk), aggregate_id=desk.ada)
    await desk.fire()
    listed = (await desk.ask("GET", AT))["items"]
    assert [each["id"] for each in listed] == [*(each["id"] for each in opens), won["id"]]
    assert len(await desk.told("crm.opportunity.restored")) == 5


async def test_one_that_was_deleted_by_mistake_is_restored(desk: Desk) -> None:
    made = await desk.create()
    assert (await desk.act(made, "restore", 409))["type"] == "urn:tailrace:problem:not-deleted"
    await desk.act(made, "move", stage="PROPOSE")
    await desk.ask("DELETE", f"{AT}/{made['id']}", 204)
    (gone,) = (await desk.ask("GET", AT, deleted=True))["items"]
    assert (gone["id"], (await desk.ask("GET", AT))["items"]) == (made["id"], [])
    back = await desk.act(made, "restore")
    assert (back["stage"], back["status"], back["amount"]) == ("PROPOSE", "open", 10_000)
    assert await desk.read(made) == back
    assert (await desk.ask("GET", AT, deleted=True))["items"] == []
    (told,) = await desk.told("crm.opportunity.restored")
    assert (told.stage, told.number) == ("PROPOSE", made["number"])
    found = await desk.ask("GET", f"{AT}/search", q=made["number"])
    assert [each["id"] for each in found["items"]] == [made["id"]], "it is found by words again"


async def test_nothing_is_restored_that_refers_to_something_deleted(desk: Desk) -> None:
    item = uuid7()
    bolt: dict[str, Any] = {"item_id": item, "sku": "BOLT", "name": "Bolt", "unit": "pcs", "tax_rate": "0.1"}
    await desk.h.deliver(catalog.ItemCreated(**bolt), aggregate_id=item)
    line = {"item_id": str(item), "quantity": "1", "unit_price": "5"}
    sold, won = (
        await desk.create(lines=[{"name": "Work", "quantity": "1", "unit_price": "1"}, line]),
        await desk.create(),
    )
    await desk.act(won, "win")
    for each in (sold, won):
        await desk.ask("DELETE", f"{AT}/{each['id']}", 204)

    async def refused(field: str) -> None:
        said = await desk.act(sold, "restore", 409)
        assert (said["type"], said["errors"][0]["field"]) == ("urn:tailrace:problem:refers-to-deleted", field)

    await desk.h.deliver(catalog.ItemDeleted(item_id=item, sku="BOLT"), aggregate_id=item)
    await refused("/lines/1/item_id")
    await desk.h.deliver(customers.CustomerDeleted(customer_id=desk.ada, number="C-1"), aggregate_id=desk.ada)
    await desk.fire()
    await refused("/customer_id")
    pipe = f"/v1/pipelines/{desk.pipeline}"
    await desk.ask("DELETE", pipe, 204)
    await refused("/pipeline_id")
    await desk.ask("POST", f"{pipe}/restore")
    await desk.act(won, "restore")
    await desk.customer(desk.ada, "C-1")
    await desk.h.deliver(catalog.ItemRestored(**bolt), aggregate_id=item)
    await desk.act(sold, "restore")


async def test_what_comes_back_is_in_a_stage_that_is_for_it(desk: Desk) -> None:
    """One that somebody restores waits for its stage; one that comes back with its customer goes on in the first open one."""
    mine, theirs, other = await desk.create(), await desk.create(), await desk.create()
    for each in (mine, theirs):
        await desk.act(each, "move", stage="PROPOSE")
    await desk.ask("DELETE", f"{AT}/{mine['id']}", 204)
    ada = customers.CustomerDeleted(customer_id=desk.ada, number="C-1")
    await desk.h.deliver(ada, aggregate_id=desk.ada)
    await desk.fire()
    here = f"/v1/pipelines/{desk.pipeline}"
    pipeline = await desk.ask("GET", here)
    body = {name: pipeline[name] for name in ("code", "name")}
    # By now what is won is called that.
    stages = [each for each in pipeline["stages"] if each["kind"] != "won" and each["code"] != "PROPOSE"]
    won = {"code": "PROPOSE", "name": "Won", "kind": "won", "probability": "1"}
    await desk.ask("PUT", here, 200, {**body, "stages": [*stages, won]})
    await desk.customer(desk.ada, "C-1")
    said = await desk.act(mine, "restore", 409)
    assert (said["type"], said["errors"][0]["field"]) == ("urn:tailrace:problem:refers-to-deleted", "/stage")
    await desk.h.deliver(_restored(desk), aggregate_id=desk.ada)
    await desk.fire()
    assert [(each["id"], each["stage"], each["status"]) for each in (await desk.ask("GET", AT))["items"]] == [
        (theirs["id"], "PROSPECT", "open"),
        (other["id"], "PROSPECT", "open"),
    ]
    moved = [event.to_stage for event in await desk.told("crm.opportunity.stage_changed")]
    assert moved == ["PROPOSE", "PROPOSE", "PROSPECT"]
    # It comes back once there is such a stage, in whatever spelling.
    stages = [each for each in pipeline["stages"] if each["code"] != "PROPOSE"]
    proposed = {"code": "propose", "name": "Proposal", "kind": "open", "probability": "0.5"}
    for each in (stages, [*stages, proposed]):
        await desk.ask("PUT", here, 200, {**body, "stages": each})
    back = await desk.act(mine, "restore")
    assert (back["stage"], back["status"]) == ("propose", "open")
    await desk.act(back, "win")


async def test_a_deleted_one_is_with_its_own_customer_again_when_a_merge_is_undone(desk: Desk) -> None:
    """Deleted by somebody, while its customer stood for another: its history goes back, and it stays deleted."""
    made, into = await desk.create(), uuid7()
    merged = customers.CustomerMerged(customer_id=desk.ada, into_customer_id=into, reason="x")
    await desk.h.deliver(merged, aggregate_id=desk.ada)
    await desk.fire()
    await desk.ask("DELETE", f"{AT}/{made['id']}", 204)
    undone = customers.CustomerUnmerged(customer_id=desk.ada, from_customer_id=into, reason="x")
    await desk.h.deliver(undone, aggregate_id=desk.ada)
    await desk.fire()
    told = await desk.told("crm.opportunity.updated")
    assert [str(each.customer_id) for each in told][-2:] == [str(into), str(desk.ada)]
    await desk.ask("GET", f"{AT}/{made['id']}", 404)
    assert (await desk.ask("GET", AT))["items"] == []


def _restored(desk: Desk) -> customers.CustomerRestored:
    terms: dict[str, Any] = {"kind": "company", "status": "active", "currency": "EUR", "payment_terms_days": 30}
    return customers.CustomerRestored(customer_id=desk.ada, number="C-1", name="Ada", **terms)
