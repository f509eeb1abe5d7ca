"""Deciding in another's place: for a while, through several, never in a circle, and never what one asked for."""

import asyncio
from datetime import UTC, datetime

from contracts.users import DateBounds, TenantDatePolicyChanged
from tailrace_testing import SetClock
from workflow.delegations import delegate

from .conftest import AT, Office, row

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def test_a_delegate_decides_in_anothers_place_while_that_lasts(office: Office) -> None:
    await office.hire("eve", "sales")
    approval = await office.approval(await office.submit())
    await office.approve("eve", approval, 403)
    given = await office.delegate("max", "eve")
    assert await office.inbox("eve") == [approval["id"]]
    now = await office.approve("eve", approval)
    (vote,) = now["tasks"][0]["votes"]
    assert (now["status"], vote["user_id"], vote["on_behalf_of"]) == ("approved", office.id("eve"), office.id("max"))
    other = await office.approval(await office.submit())
    assert (await office.act_on(given, "max"))["ended"] is True
    await office.approve("eve", other, 403)
    await office.act_on(given, "max", 409)


async def test_a_delegation_counts_from_its_beginning_to_its_end(office: Office) -> None:
    await office.hire("eve", "sales")
    approval = await office.approval(await office.submit())
    await office.delegate("max", "eve", begins=1)
    await office.delegate("mia", "eve", begins=-9, days=9, status=422)
    await office.approve("eve", approval, 403)


async def test_nobody_means_a_day_that_is_far_off(office: Office) -> None:
    for days in (-4000, 4000):
        said = await office.delegate("max", "mia", begins=days, days=5000, status=422)
        assert (said["type"], said["errors"][0]["field"]) == ("urn:tailrace:problem:implausible-date", "/begins_at")


async def test_a_company_says_how_far_off_a_delegation_may_begin(office: Office, clock: SetClock) -> None:
    clock("2026-11-27T12:00:00Z")
    policy = TenantDatePolicyChanged(
        tenant_id=office.h.tenant, bounds=[DateBounds(kind="delegation", days_back=1, days_ahead=2)]
    )
    await office.h.deliver(policy, aggregate_id=office.h.tenant)
    for begins, status in (("2026-11-25", 422), ("2026-11-26", 201), ("2026-11-29", 201), ("2026-11-30", 422)):
        body = {"to_user_id": office.id("mia"), "begins_at": begins, "ends_at": "2099-12-31"}
        answer = await office.people["max"].client.post(f"{AT}/delegations", json=body)
        assert answer.status_code == status, answer.text
        assert status == 201 or answer.json()["errors"][0]["field"] == "/begins_at"


async def test_decisions_pass_through_several(office: Office) -> None:
    await office.hire("eve", "sales")
    await office.hire("zoe", "sales")
    await office.delegate("max", "eve")
    await office.delegate("eve", "zoe")
    approval = await office.approval(await office.submit())
    now = await office.approve("zoe", approval)
    assert now["tasks"][0]["votes"][0]["on_behalf_of"] == office.id("max")


async def test_decisions_never_come_back_to_the_one_who_gave_them_away(office: Office) -> None:
    await office.delegate("max", "mia")
    refused = await office.delegate("mia", "max", 409)
    assert (refused["type"], refused["errors"][0]["field"]) == ("urn:tailrace:problem:delegation-loop", "/to_user_id")
    await office.delegate("max", "max", 409)
    await office.delegate("mia", "ada")
    await office.delegate("ada", "max", 409)
    # At another time it is no circle.
    await office.delegate("ada", "max", begins=30)


async def test_two_who_delegate_to_each_other_at_once_take_turns(office: Office) -> None:
    max_, mia = office.people["max"].id, office.people["mia"].id
    begin, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)
    body = {"to_user_id": str(max_), "begins_at": begin.isoformat(), "ends_at": end.isoformat()}
    async with office.h.tx() as tx:
        await delegate(tx, max_, mia, begin, end, None)
        second = asyncio.create_task(office.people["mia"].client.post(f"{AT}/delegations", json=body))
        # The second one waits for the first, or would have been answered without knowing of it.
        while not second.done() and not await office.h.admin.fetchval(_WAITING):
            continue
    assert (await second).status_code == 409


async def test_the_delegate_of_the_requester_does_not_decide_for_them(office: Office) -> None:
    await office.hire("eve", "sales")
    await office.delegate("max", "eve")
    approval = await office.approval(await office.submit(by="max"))
    await office.approve("eve", approval, 403)
    await office.delegate("mia", "eve")
    assert (await office.approve("eve", approval))["status"] == "approved"


async def test_the_requester_does_not_decide_in_anothers_place(office: Office) -> None:
    await office.delegate("max", "sue")
    approval = await office.approval(await office.submit())
    assert (await office.approve("sue", approval, 403))["type"].endswith("own-request")
    assert await office.inbox("sue") == []


async def test_who_decided_in_anothers_place_does_not_decide_again_in_their_own(office: Office) -> None:
    await office.delegate("max", "mia")
    await office.rule(row("role:manager", mode="all"))
    approval = await office.approval(await office.submit())
    await office.approve("mia", approval)
    assert (await office.approve("mia", approval, 409))["type"].endswith("decided-before")
    assert (await office.approve("max", approval))["status"] == "approved"


async def test_what_somebody_took_on_before_they_went_away_is_decided_in_their_place(office: Office) -> None:
    await office.hire("eve", "sales")
    approval = await office.approval(await office.submit())
    await office.act("max", approval, "claim")
    for away in ("mia", "max"):
        await office.delegate(away, "eve")
    now = await office.approve("eve", approval)
    assert now["tasks"][0]["votes"][0]["on_behalf_of"] == office.id("max")


async def test_nobodys_word_counts_twice_by_way_of_a_delegate(office: Office) -> None:
    await office.hire("eve", "sales")
    await office.rule(row("role:manager"), row("role:manager", step=2))
    await office.delegate("max", "eve")
    own, others = [await office.approval(await office.submit()) for _ in range(2)]
    await office.approve("max", own)
    assert (await office.approve("eve", own, 409))["type"].endswith("decided-before")
    await office.approve("eve", others)
    assert (await office.approve("max", others, 409))["type"].endswith("decided-before")
    assert (await office.inbox("max"), len(await office.inbox("mia"))) == ([], 2)
    await office.delegate("mia", "eve")
    assert (await office.approve("eve", own))["tasks"][1]["votes"][0]["on_behalf_of"] == office.id("mia")


async def test_administrators_delegate_for_those_who_are_away(office: Office) -> None:
    await office.hire("eve", "sales")
    body = {
        "user_id": office.id("max"),
        "to_user_id": office.id("eve"),
        "begins_at": "2026-01-01T00:00:00Z",
        "ends_at": "2099-01-01T00:00:00Z",
    }
    plain = office.h.client_as("approvals:write", user=office.people["ada"].id)
    assert (await plain.post(f"{AT}/delegations", json=body)).status_code == 403
    made = await office.people["ada"].client.post(f"{AT}/delegations", json=body)
    assert made.status_code == 201
    approval = await office.approval(await office.submit())
    assert (await office.approve("eve", approval))["status"] == "approved"


async def test_a_delegation_of_plain_days_lasts_to_the_end_of_the_last(office: Office, clock: SetClock) -> None:
    clock("2026-11-01T12:00:00Z")
    await office.h.count_days_in("Asia/Tokyo")
    body = {"to_user_id": office.id("mia"), "begins_at": "2026-11-02", "ends_at": "2026-11-02"}
    given = (await office.people["max"].client.post(f"{AT}/delegations", json=body)).json()
    assert (given["begins_at"], given["ends_at"]) == ("2026-11-01T15:00:00Z", "2026-11-02T14:59:59.999999Z")
    of_the_day = {"ends_from": "2026-11-02", "ends_until": "2026-11-03"}
    found = await office.people["max"].client.get(f"{AT}/delegations", params=of_the_day)
    assert [each["id"] for each in found.json()["items"]] == [given["id"]]
    refused = await office.people["max"].client.post(f"{AT}/delegations", json={**body, "ends_at": "2026-11-01"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "/ends_at")
