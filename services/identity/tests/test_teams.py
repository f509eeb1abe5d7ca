"""Teams: who is in them, how they lie within each other, who stands above whom, and who takes over when somebody leaves."""

import asyncio
from typing import Any
from uuid import UUID

import httpx2
import pytest

from contracts.users import TeamCreated, TeamDeleted, TeamUpdated, UserDeleted
from tailrace.core.ids import uuid7
from tailrace_testing import Harness

from .conftest import Company

AT = "/v1/auth/teams"


@pytest.fixture
def admin(identity: Harness, acme: Company) -> httpx2.AsyncClient:
    return identity.client_as(tenant=acme.id)


@pytest.fixture
async def people(acme: Company) -> dict[str, str]:
    """Ids by name."""
    return {name: (await acme.add(name))["id"] for name in ("ada", "bo", "cy", "di")}


async def formed(admin: httpx2.AsyncClient, name: str, **said: Any) -> dict[str, Any]:
    answer = await admin.post(AT, json={"name": name, **said})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def put(admin: httpx2.AsyncClient, team: dict[str, Any], **changed: Any) -> httpx2.Response:
    kept = {field: team[field] for field in ("name", "parent_id", "lead_id", "deputy_id", "member_ids")}
    return await admin.put(f"{AT}/{team['id']}", json={**kept, **changed})


async def position(admin: httpx2.AsyncClient, user: str) -> dict[str, Any]:
    return dict((await admin.get(f"/v1/auth/users/{user}/position")).json())


async def test_a_team_is_told_whole(
    identity: Harness, acme: Company, admin: httpx2.AsyncClient, people: dict[str, str]
) -> None:
    team = await formed(admin, "Sales", lead_id=people["ada"], member_ids=[people["cy"], people["bo"], people["bo"]])
    assert team["member_ids"] == sorted([people["bo"], people["cy"]])
    assert (await put(admin, team, deputy_id=people["bo"], member_ids=[people["cy"]])).status_code == 200
    assert (await admin.delete(f"{AT}/{team['id']}")).status_code == 204
    assert (await admin.get(f"{AT}/{team['id']}")).status_code == 404
    told = [one.event for one in await identity.published(tenant=acme.id) if str(one.aggregate_id) == team["id"]]
    assert [type(event) for event in told] == [TeamCreated, TeamUpdated, TeamDeleted]
    newest = told[1]
    assert isinstance(newest, TeamUpdated)
    assert (newest.lead_id, newest.deputy_id, newest.member_ids) == (
        *(UUID(people[name]) for name in ("ada", "bo")),
        [UUID(people["cy"])],
    )
    assert len(await acme.audited("team.updated")) == 1
    assert (await formed(admin, "Sales"))["version"] == 1, "its name is free again"


async def test_people_and_places_that_are_not_there_are_named(
    admin: httpx2.AsyncClient, people: dict[str, str]
) -> None:
    ada, nobody = people["ada"], str(uuid7())
    for body, fields in (
        ({"lead_id": nobody}, ["/lead_id"]),
        ({"deputy_id": nobody, "member_ids": [ada, nobody]}, ["/deputy_id", "/member_ids/1"]),
        ({"lead_id": ada, "deputy_id": ada}, ["/deputy_id"]),
        ({"parent_id": nobody}, ["/parent_id"]),
    ):
        refused = await admin.post(AT, json={"name": "Sales", **body})
        assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, fields)
    assert (await admin.get(AT)).json()["items"] == []
    await formed(admin, "Sales")
    taken = await admin.post(AT, json={"name": "Sales"})
    assert (taken.status_code, taken.json()["errors"][0]["field"]) == (409, "/name")


async def test_a_name_is_one_teams_in_every_spelling(
    identity: Harness, acme: Company, admin: httpx2.AsyncClient, people: dict[str, str]
) -> None:
    team = await formed(admin, "Sales")
    twice = await admin.post(AT, json={"name": "ｓａｌｅｓ"})
    assert (twice.status_code, twice.json()["errors"][0]["field"]) == (409, "/name")
    for name in ("Sales", "SALES", "Ｓales"):
        found = (await admin.get(AT, params={"name": name})).json()["items"]
        assert [each["id"] for each in found] == [team["id"]]
    # One that was another's before that counted goes on as it is called, and takes no third one's name.
    other = await formed(admin, "Other")
    was = f"sales {other['id']}"
    await identity.admin.execute("UPDATE team SET name = 'SALES', code_key = $1 WHERE id = $2", was, UUID(other["id"]))
    assert (await put(admin, {**other, "name": "SALES"}, lead_id=people["ada"])).status_code == 200
    assert (await put(admin, {**other, "name": "sales"})).status_code == 409


async def test_teams_lie_five_deep_and_never_in_a_circle(admin: httpx2.AsyncClient) -> None:
    teams = [await formed(admin, "0")]
    for level in range(1, 5):
        teams.append(await formed(admin, str(level), parent_id=teams[-1]["id"]))
    too_deep = await admin.post(AT, json={"name": "5", "parent_id": teams[4]["id"]})
    assert (too_deep.status_code, too_deep.json()["errors"][0]["field"]) == (422, "/parent_id")
    for place in (0, 1, 4):
        assert (await put(admin, teams[0], parent_id=teams[place]["id"])).status_code == 422
    root = await formed(admin, "above")
    assert (await put(admin, teams[0], parent_id=root["id"])).status_code == 422, "what lies within it counts"
    within = await admin.delete(f"{AT}/{teams[0]['id']}")
    assert (within.status_code, within.json()["type"]) == (409, "urn:tailrace:problem:in-use")
    one, other = await formed(admin, "one"), await formed(admin, "other")
    both = await asyncio.gather(put(admin, one, parent_id=other["id"]), put(admin, other, parent_id=one["id"]))
    assert sorted(answer.status_code for answer in both) == [200, 422]


async def test_superiors_and_successors(admin: httpx2.AsyncClient, people: dict[str, str]) -> None:
    ada, bo, cy, di = (people[name] for name in ("ada", "bo", "cy", "di"))
    company = await formed(admin, "Company", lead_id=ada)
    sales = await formed(admin, "Sales", parent_id=company["id"], lead_id=bo, deputy_id=cy, member_ids=[di])
    assert await position(admin, di) == {"team_ids": [sales["id"]], "superior_id": bo, "successor_id": cy}
    assert await position(admin, cy) == {"team_ids": [sales["id"]], "superior_id": bo, "successor_id": bo}
    assert await position(admin, bo) == {"team_ids": [sales["id"]], "superior_id": ada, "successor_id": cy}
    assert await position(admin, ada) == {"team_ids": [company["id"]], "superior_id": None, "successor_id": None}
    cyrus = (await admin.get(f"/v1/auth/users/{cy}")).json()
    gone = {**{name: cyrus[name] for name in ("email", "name", "roles")}, "active": False}
    assert (await admin.put(f"/v1/auth/users/{cy}", json=gone)).status_code == 200
    assert (await position(admin, di))["successor_id"] == bo, "who may not log in takes nothing over"


async def test_who_leaves_is_in_no_team_and_says_who_takes_over(
    identity: Harness, acme: Company, admin: httpx2.AsyncClient, people: dict[str, str]
) -> None:
    ada, bo, cy = (people[name] for name in ("ada", "bo", "cy"))
    team = await formed(admin, "Sales", lead_id=ada, deputy_id=bo, member_ids=[ada, cy])
    for leaver in (ada, bo, cy):
        assert (await admin.delete(f"/v1/auth/users/{leaver}")).status_code == 204
    gone = [one.event for one in await identity.published("user.deleted", tenant=acme.id)]
    assert [event.successor_id for event in gone if isinstance(event, UserDeleted)] == [UUID(bo), None, None]
    after = (await admin.get(f"{AT}/{team['id']}")).json()
    assert (after["lead_id"], after["deputy_id"], after["member_ids"]) == (None, None, [])
    led = [one.event for one in await identity.published("user.team.updated", tenant=acme.id)]
    assert [event.lead_id for event in led if isinstance(event, TeamUpdated)] == [UUID(bo), None, None]
    back = await put(admin, after, lead_id=ada)
    assert (back.status_code, back.json()["errors"][0]["field"]) == (422, "/lead_id")


async def test_teams_are_ones_own_companys_and_need_a_scope(
    identity: Harness, acme: Company, globex: Company, admin: httpx2.AsyncClient, people: dict[str, str]
) -> None:
    team = await formed(admin, "Sales")
    stranger = identity.client_as(tenant=globex.id)
    assert (await stranger.get(f"{AT}/{team['id']}")).status_code == 404
    refused = await stranger.post(AT, json={"name": "Spies", "member_ids": [people["ada"]]})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "/member_ids/0")
    keeper = identity.client_as("users:* teams:read", tenant=acme.id)
    assert (await keeper.get(AT)).status_code == 200
    assert (await keeper.post(AT, json={"name": "Mine"})).status_code == 403


async def test_a_role_may_hold_a_scope_for_ones_own_rows_and_its_holder_grants_no_more(
    identity: Harness, acme: Company, admin: httpx2.AsyncClient
) -> None:
    narrow = {"name": "field-sales", "scopes": ["customers:read:own", "customers:write:team"]}
    assert (await admin.post("/v1/auth/roles", json=narrow)).status_code == 201
    clerk = identity.client_as("users:* customers:read:team", tenant=acme.id)
    assert (await clerk.post("/v1/auth/roles", json={"name": "a", "scopes": ["customers:read:own"]})).status_code == 201
    wider = await clerk.post("/v1/auth/roles", json={"name": "b", "scopes": ["customers:read"]})
    assert (wider.status_code, "customers:read" in wider.json()["detail"]) == (403, True)
    for unknown in ("catalog:read:own", "customers:read:mine", "customers:*:own"):
        assert (await admin.post("/v1/auth/roles", json={"name": "c", "scopes": [unknown]})).status_code == 422
