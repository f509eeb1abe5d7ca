"""Who sees which approvals with `approvals:read:own` and `:team`: who asked, who is asked or stands in for them, and who said something."""

from typing import Any

from contracts.users import UserUpdated
from tailrace.core.ids import uuid7

from .conftest import AT, PROCESSES, Office, Person, row


def reaching(office: Office, name: str, reach: str) -> Person:
    """The same person, with approvals and processes as far as that."""
    who = office.people[name]
    scopes = f"approvals:read{reach} approvals:write{reach} processes:read processes:write"
    client = office.h.client_as(user=who.id)
    client.headers["Authorization"] = f"Bearer {office.h.token(scopes, user=who.id, roles=who.roles)}"
    office.people[name] = Person(who.id, who.roles, client)
    return office.people[name]


async def sees(person: Person, approval: dict[str, Any]) -> bool:
    """Whether somebody sees an approval, by every way that there is. They must agree."""
    one, at = approval["id"], PROCESSES
    found = [
        (await person.client.get(path)).status_code == 200
        for path in (f"{AT}/{one}", f"{AT}/{one}/comments", f"{at}/instances/{one}")
    ]
    lists = (AT, f"{AT}/requester/{approval['requester_id']}", f"{at}/instances")
    for path in lists:
        page = (await person.client.get(path, params={"limit": 200})).json()
        found.append(one in [each["id"] for each in page["items"]])
    assert len(set(found)) == 1, found
    return bool(found[0])


async def test_own_approvals_are_those_one_asked_for_is_asked_about_or_decided(office: Office) -> None:
    for name in ("sam", "tom"):
        await office.hire(name, "sales")
    await office.rule(row("role:manager"), row("user:" + office.id("ada"), step=2))
    for name in ("sue", "sam", "tom", "max", "ada"):
        reaching(office, name, ":own")
    everybody = ("sue", "sam", "max", "ada")
    first = await office.approval(await office.submit())

    async def seers() -> list[str]:
        return [name for name in everybody if await sees(office.people[name], first)]

    assert await seers() == ["sue", "max"]
    assert await office.inbox("max") == [first["id"]]
    refused = await office.people["sam"].client.patch(f"{AT}/{first['id']}/approve")
    assert refused.status_code == 404
    some = await office.people["sam"].client.post(f"{AT}/approve", json={"ids": [first["id"]]})
    assert some.status_code == 422
    # Who stands in sees what waits for those they stand for, through several, and not what those asked for.
    given = await office.delegate("max", "sam")
    further = await office.delegate("sam", "tom")
    assert await seers() == ["sue", "sam", "max"]
    assert await sees(office.people["tom"], first)
    assert await office.inbox("tom") == [first["id"]]
    assert not await sees(office.people["sam"], await office.ask(by="max", steps=None))
    listed = (await office.people["sue"].client.get(f"{AT}/delegations")).json()["items"]
    assert listed == []
    assert (await office.people["sue"].client.get(f"{AT}/delegations/{given['id']}")).status_code == 404
    await office.act_on(further, "tom")
    assert not await sees(office.people["tom"], first)
    await office.act_on(given, "max")
    await office.approve("max", first)
    assert await seers() == ["sue", "max", "ada"]
    await office.promote("sam", "manager")
    second = await office.approval(await office.submit())
    assert await sees(office.people["sam"], second), "a role that one gets counts at once"
    await office.approve("ada", first)
    assert await seers() == ["sue", "max", "ada"]
    assert not await sees(office.people["sam"], first)


async def test_a_step_or_a_vote_shows_its_own_approval_alone_and_only_through_people_in_use(office: Office) -> None:
    await office.hire("sam", "sales")
    for name in ("sue", "sam", "max", "mia"):
        reaching(office, name, ":own")
    made = []
    for name in ("max", "mia", "max"):
        await office.rule(row("user:" + office.id(name)))
        made.append(await office.approval(await office.submit()))
    await office.approve("max", made[0])
    given = await office.delegate("mia", "sam")

    async def seen(name: str) -> list[bool]:
        return [await sees(office.people[name], each) for each in made]

    assert [await seen(name) for name in ("sue", "max", "mia", "sam")] == [
        [True, True, True],
        [True, False, True],
        [False, True, False],
        [False, True, False],
    ]
    told = UserUpdated(
        user_id=office.people["mia"].id, email="mia@acme.example", name="Mia", roles=["manager"], active=False
    )
    await office.h.deliver(told, aggregate_id=told.user_id)
    assert await seen("sam") == [False, False, False], "nobody stands in for who is out of use"
    assert given["to_user_id"] == office.id("sam")


async def test_a_lead_sees_what_the_team_has_to_do_with_and_moves_no_others(office: Office) -> None:
    await office.hire("lea", "manager")
    await office.hire("sam", "sales")
    await office.rule(row("user:" + office.id("max")))
    await office.team("lea", "sue")
    lead = reaching(office, "lea", ":team")
    ours, theirs = [await office.approval(await office.submit(by=name)) for name in ("sue", "sam")]
    assert (await sees(lead, ours), await sees(lead, theirs)) == (True, False)
    process = await office.process()
    await office.rule(row("role:manager"))
    path = f"{PROCESSES}/{process['id']}/migrate"
    body = {"number": (await office.process())["latest"]}
    checked = await lead.client.post(f"{path}/check", json=body)
    assert checked.json()["would_move"] == 1, checked.text
    for id in (theirs["id"], str(uuid7())):
        assert (await lead.client.post(path, json={**body, "ids": [id]})).status_code == 422
    assert (await lead.client.post(path, json=body)).status_code == 202
    await office.h.run_jobs()
    numbers = {
        each["id"]: each["number"] for each in (await office.h.client.get(f"{PROCESSES}/instances")).json()["items"]
    }
    assert (numbers[ours["id"]], numbers[theirs["id"]]) == (body["number"], process["active"])
