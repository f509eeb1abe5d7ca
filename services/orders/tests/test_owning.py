"""Who sells an order: the one who looks after the customer, or the caller; seen by them and their teams; gone on to the one who takes over."""

from typing import Any
from uuid import UUID

import pytest

from contracts.customers import CustomerCreated
from contracts.orders import OrderAssigned, OrderCreated
from contracts.users import TeamCreated, UserCreated, UserDeleted
from orders import timers
from tailrace.core.ids import uuid7

from .conftest import Desk

AT = "/v1/orders"
OWN, TEAM = "orders:read:own orders:write:own", "orders:read:team orders:write:team"


@pytest.fixture
async def people(desk: Desk) -> dict[str, UUID]:
    people = {"bo": uuid7(), "cy": uuid7()}
    for name, id in people.items():
        user = UserCreated(user_id=id, email=f"{name}@acme.example", name=name.title(), roles=["sales"])
        await desk.h.deliver(user, aggregate_id=id)
    return people


async def _made(desk: Desk, user: UUID, scopes: str = OWN, **given: Any) -> Any:
    return await desk.h.client_as(scopes, user=user).post(AT, json=desk.body(**given))


async def _customer(desk: Desk, rep: UUID | None) -> UUID:
    id = uuid7()
    told = CustomerCreated(
        customer_id=id,
        number="C-1",
        name="Ada Works",
        kind="company",
        status="active",
        currency="EUR",
        payment_terms_days=14,
        sales_rep_id=rep,
    )
    await desk.h.deliver(told, aggregate_id=id)
    return id


async def test_it_is_the_reps_or_the_callers_unless_somebody_is_named(desk: Desk, people: dict[str, UUID]) -> None:
    bo, cy = people["bo"], people["cy"]
    mine = (await _made(desk, bo, "orders:read orders:write")).json()
    assert (mine["owner_id"], mine["owner_name"]) == (str(bo), "Bo")
    ada = str(await _customer(desk, cy))
    reps = (await _made(desk, bo, "orders:read orders:write", customer_id=ada)).json()
    assert (reps["owner_id"], reps["owner_name"]) == (str(cy), "Cy")
    named = (await _made(desk, cy, "orders:read orders:write", owner_id=str(bo))).json()
    kept = await desk.h.client.put(f"{AT}/{named['id']}", json=desk.body(customer_reference="C-2"))
    assert (kept.status_code, kept.json()["owner_id"]) == (200, str(bo))
    moved = await desk.h.client.put(f"{AT}/{named['id']}", json=desk.body(owner_id=str(cy)))
    assert moved.json()["owner_name"] == "Cy"
    created = [one.event for one in await desk.h.published(OrderCreated)]
    assert [one.owner_name for one in created] == ["Bo", "Cy", "Bo"]


async def test_nobody_sells_who_is_gone_or_unknown(desk: Desk, people: dict[str, UUID]) -> None:
    await desk.h.deliver(UserDeleted(user_id=people["bo"]), aggregate_id=people["bo"])
    for id, status in ((people["bo"], 422), (uuid7(), 409)):
        refused = await desk.h.client.post(AT, json=desk.body(owner_id=str(id)))
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (status, "/owner_id")


async def test_one_who_reaches_their_own_finds_no_others(desk: Desk, people: dict[str, UUID]) -> None:
    bo, cy = people["bo"], people["cy"]
    theirs = {name: (await _made(desk, id, confirm=True)).json() for name, id in people.items()}
    client = desk.h.client_as(OWN, user=bo)
    assert [one["id"] for one in (await client.get(AT)).json()["items"]] == [theirs["bo"]["id"]]
    for what in ("", "/history"):
        assert (await client.get(f"{AT}/{theirs['cy']['id']}{what}")).status_code == 404
    for action in ("hold", "cancel"):
        refused = await client.post(f"{AT}/{theirs['cy']['id']}/{action}", json={"reason": "Because"})
        assert refused.status_code == 404
    draft = (await _made(desk, bo)).json()
    away = await client.put(f"{AT}/{draft['id']}", json=desk.body(owner_id=str(cy)))
    assert (away.status_code, away.json()["errors"][0]["field"]) == (403, "/owner_id")
    many = await client.post(f"{AT}/bulk", json={"items": [desk.body(), desk.body(owner_id=str(cy))]})
    assert [item["status"] for item in many.json()["items"]] == [201, 403]
    ada = str(await _customer(desk, cy))
    assert (await _made(desk, bo, customer_id=ada)).json()["owner_id"] == str(bo), "the rep is out of reach"


async def test_a_team_sees_what_its_people_sell(desk: Desk, people: dict[str, UUID]) -> None:
    order = (await _made(desk, people["cy"])).json()
    client = desk.h.client_as(TEAM, user=people["bo"])
    assert (await client.get(f"{AT}/{order['id']}")).status_code == 404
    team = TeamCreated(team_id=uuid7(), name="Sales", lead_id=people["bo"], member_ids=[people["cy"]])
    await desk.h.deliver(team, aggregate_id=team.team_id)
    assert (await client.get(f"{AT}/{order['id']}")).status_code == 200


@pytest.mark.parametrize("heir", ["cy", None])
async def test_open_orders_of_a_leaver_go_to_who_takes_over(
    desk: Desk, people: dict[str, UUID], heir: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timers.handover, "at_once", 2)
    bo = people["bo"]
    open = [(await _made(desk, bo, confirm=at % 2 == 0)).json() for at in range(5)]
    over = (await _made(desk, bo)).json()
    assert (await desk.h.client.delete(f"{AT}/{over['id']}")).status_code == 204
    gone = UserDeleted(user_id=bo, successor_id=None if heir is None else people[heir])
    record = await desk.h.deliver(gone, aggregate_id=bo)
    await desk.h.redeliver(record)
    while await desk.h.fire_timers():
        pass
    to = (None, None) if heir is None else (str(people[heir]), "Cy")
    now = [(await desk.h.client.get(f"{AT}/{one['id']}")).json() for one in open]
    assert {(one["owner_id"], one["owner_name"]) for one in now} == {to}
    assert (await desk.h.client.get(f"{AT}/{over['id']}")).json()["owner_id"] == str(bo), "what is over stays"
    assigned = [one.event for one in await desk.h.published(OrderAssigned)]
    assert len(assigned) == 5 and {one.previous_owner_id for one in assigned} == {bo}
