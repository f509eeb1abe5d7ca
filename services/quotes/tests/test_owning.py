"""Who sells a quote: the one who looks after the customer, or the caller; seen by them and their teams; gone on to the one who takes over."""

from typing import Any
from uuid import UUID

import pytest

from contracts.quotes import QuoteCreated
from contracts.users import TeamCreated, UserCreated, UserDeleted
from quotes import timers
from tailrace.core.ids import uuid7

from .conftest import AT, Desk

OWN, TEAM = "quotes:read:own quotes:write:own", "quotes:read:team quotes:write:team"


@pytest.fixture
async def people(desk: Desk) -> dict[str, UUID]:
    people = {"bo": uuid7(), "cy": uuid7()}
    for name, id in people.items():
        user = UserCreated(user_id=id, email=f"{name}@acme.example", name=name.title(), roles=["sales"])
        await desk.h.deliver(user, aggregate_id=id)
    return people


async def _made(desk: Desk, user: UUID, scopes: str = OWN, **given: Any) -> Any:
    return await desk.h.client_as(scopes, user=user).post(AT, json=desk.body(**given))


async def test_it_is_the_reps_or_the_callers_unless_somebody_is_named(desk: Desk, people: dict[str, UUID]) -> None:
    bo, cy = people["bo"], people["cy"]
    mine = (await _made(desk, bo, "quotes:read quotes:write")).json()
    assert (mine["owner_id"], mine["owner_name"]) == (str(bo), "Bo")
    await desk.customer(desk.ada, "C-1", "Ada Works", sales_rep_id=cy)
    reps = (await _made(desk, bo, "quotes:read quotes:write")).json()
    assert (reps["owner_id"], reps["owner_name"]) == (str(cy), "Cy")
    named = (await _made(desk, cy, "quotes:read quotes:write", owner_id=str(bo))).json()
    assert named["owner_name"] == "Bo"
    kept = await desk.put(named, notes="Other words")
    assert kept["owner_id"] == str(bo)
    assert (await desk.put(named, owner_id=str(cy)))["owner_name"] == "Cy"
    created = [one.event for one in await desk.h.published(QuoteCreated)]
    assert [one.owner_name for one in created] == ["Bo", "Cy", "Bo"]


async def test_nobody_sells_who_is_gone_or_unknown(desk: Desk, people: dict[str, UUID]) -> None:
    await desk.h.deliver(UserDeleted(user_id=people["bo"]), aggregate_id=people["bo"])
    for id, status in ((people["bo"], 422), (uuid7(), 409)):
        refused = await desk.create(status=status, owner_id=str(id))
        assert refused["errors"][0]["field"] == "/owner_id"
    await desk.customer(desk.ada, "C-1", "Ada Works", sales_rep_id=people["bo"])
    assert (await desk.create())["owner_id"] == str(desk.h.user)


async def test_one_who_reaches_their_own_finds_no_others(desk: Desk, people: dict[str, UUID]) -> None:
    bo, cy = people["bo"], people["cy"]
    theirs = {name: (await _made(desk, id)).json() for name, id in people.items()}
    client = desk.h.client_as(f"{OWN} quotes:margin", user=bo)
    page = (await client.get(AT)).json()
    assert [one["id"] for one in page["items"]] == [theirs["bo"]["id"]]
    assert (await client.get(AT, headers={"Accept": "text/csv"})).text.count("\n") == 2
    for what in ("", "/document", "/margin", "/versions", "/link"):
        path = f"{AT}/{theirs['cy']['id']}{what}"
        assert (await client.get(path)).status_code == 404 or what == "/versions"
    versions = await client.get(f"{AT}/{theirs['cy']['id']}/versions")
    assert versions.status_code == 404 or versions.json()["items"] == []
    for action in ("submit", "send", "accept", "revise"):
        assert (await client.post(f"{AT}/{theirs['cy']['id']}/{action}")).status_code == 404
    away = await client.put(f"{AT}/{theirs['bo']['id']}", json=desk.body(owner_id=str(cy)))
    assert (away.status_code, away.json()["errors"][0]["field"]) == (403, "/owner_id")
    await desk.customer(desk.ada, "C-1", "Ada Works", sales_rep_id=cy)
    assert (await _made(desk, bo)).json()["owner_id"] == str(bo), "the rep is out of reach"


async def test_a_team_sees_what_its_people_sell(desk: Desk, people: dict[str, UUID]) -> None:
    quote = (await _made(desk, people["cy"])).json()
    client = desk.h.client_as(TEAM, user=people["bo"])
    assert (await client.get(f"{AT}/{quote['id']}")).status_code == 404
    team = TeamCreated(team_id=uuid7(), name="Sales", lead_id=people["bo"], member_ids=[people["cy"]])
    await desk.h.deliver(team, aggregate_id=team.team_id)
    assert (await client.get(f"{AT}/{quote['id']}")).status_code == 200


async def test_open_quotes_of_a_leaver_go_to_who_takes_over(
    desk: Desk, people: dict[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timers.handover, "at_once", 2)
    bo, cy = people["bo"], people["cy"]
    open = [(await _made(desk, bo)).json() for _ in range(5)]
    over = (await _made(desk, bo)).json()
    await desk.act(over, "cancel", reason="no")
    await desk.h.deliver(UserDeleted(user_id=bo, successor_id=cy), aggregate_id=bo)
    while await desk.h.fire_timers():
        pass
    assert {(await desk.read(one))["owner_name"] for one in open} == {"Cy"}
    assert (await desk.read(over))["owner_id"] == str(bo), "what is over stays"
    revised = await desk.act(over, "revise", 201)
    assert revised["owner_id"] == str(desk.h.user), "and goes on as the caller's"
