"""Approvals on PostgreSQL: who may decide what, in every mode, and what a change, a recall and a deadline do."""

import asyncio

import pytest

from contracts.approvals import ApprovalApproved, ApprovalRejected
from contracts.quotes import QuoteCancelled, QuoteRecalled
from tailrace.core.ids import uuid7
from tailrace_testing import SetClock

from .conftest import AT, Office, row


async def test_a_submitted_document_waits_for_a_manager_and_is_approved_for_its_hash(office: Office) -> None:
    quote = await office.submit()
    approval = await office.approval(quote)
    assert (approval["status"], approval["kind"], approval["process"], approval["round"]) == (
        "pending",
        "quote",
        "approval",
        1,
    )
    (task,) = approval["tasks"]
    assert (task["status"], task["roles"], task["users"], task["mode"]) == ("open", ["manager"], [], "any")
    assert approval["due_at"] == task["due_at"]
    assert await office.inbox("max") == [approval["id"]]
    assert await office.inbox("sue") == []
    done = await office.approve("max", approval)
    assert (done["status"], done["decided_by"]) == ("approved", office.id("max"))
    assert await office.told() == ["approval.requested", "approval.assigned", "approval.endorsed", "approval.approved"]
    (told,) = [one.event for one in await office.h.published(ApprovalApproved)]
    assert (told.subject.sha256, told.subject.id) == ("a" * 64, quote)
    refused = await office.approve("mia", approval, 409)
    assert refused["type"] == "urn:tailrace:problem:approval-state"
    assert await office.inbox("mia") == []


async def test_nobody_decides_what_they_asked_for_or_what_waits_for_others(office: Office) -> None:
    approval = await office.approval(await office.submit(by="max"))
    assert (await office.approve("max", approval, 403))["type"].endswith("own-request")
    assert (await office.approve("ada", approval, 403))["type"].endswith("not-your-decision")
    assert await office.inbox("max") == []
    assert (await office.approve("mia", approval))["status"] == "approved"


@pytest.mark.parametrize(("then", "status"), [("return", "rejected"), ("fail", "rejected"), ("restart", "pending")])
async def test_a_rejection_says_why_and_what_becomes_of_it(office: Office, then: str, status: str) -> None:
    approval = await office.approval(await office.submit())
    answer = await office.people["max"].client.patch(f"{AT}/{approval['id']}/reject", json={"then": then})
    assert answer.status_code == 422
    now = await office.reject("max", approval, then=then)
    assert (now["status"], now["reason"]) == (status, "too dear")
    (told,) = [one.event for one in await office.h.published(ApprovalRejected)]
    assert (told.reason, told.then, told.decided_by) == ("too dear", then, office.people["max"].id)
    if then == "restart":
        assert (now["round"], [task["status"] for task in now["tasks"]]) == (2, ["rejected", "open"])
        assert (await office.approve("max", approval))["status"] == "approved"


async def test_all_of_several_have_to_agree(office: Office) -> None:
    await office.rule(row("role:manager", mode="all"))
    approval = await office.approval(await office.submit())
    assert (await office.approve("max", approval))["status"] == "pending"
    assert (await office.approve("max", approval, 403))["type"].endswith("not-your-decision")
    assert (await office.inbox("max"), await office.inbox("mia")) == ([], [approval["id"]])
    assert (await office.approve("mia", approval))["status"] == "approved"
    other = await office.approval(await office.submit())
    await office.approve("max", other)
    assert (await office.reject("mia", other))["status"] == "rejected"


async def test_a_quorum_decides_as_soon_as_it_is_there_or_cannot_be_reached(office: Office) -> None:
    await office.hire("moe", "manager")
    await office.rule(row("role:manager", mode="quorum:2"))
    first = await office.approval(await office.submit())
    assert (await office.reject("max", first))["status"] == "pending"
    await office.approve("mia", first)
    assert (await office.approve("moe", first))["status"] == "approved"
    second = await office.approval(await office.submit())
    await office.reject("max", second)
    assert (await office.reject("mia", second))["status"] == "rejected"


async def test_steps_follow_one_another_and_side_by_side_all_have_to_be_met(office: Office) -> None:
    await office.hire("abe", "accountant")
    await office.rule(row("role:manager"), row("role:accountant"), row("role:admin", step=2))
    approval = await office.approval(await office.submit())
    assert sorted(task["roles"][0] for task in approval["tasks"]) == ["accountant", "manager"]
    await office.approve("ada", approval, 403)
    await office.approve("abe", approval)
    now = await office.approve("max", approval)
    assert (now["status"], [task["roles"] for task in now["tasks"] if task["status"] == "open"]) == (
        "pending",
        [["admin"]],
    )
    assert (await office.approve("ada", approval))["status"] == "approved"


async def test_one_no_among_those_side_by_side_ends_it(office: Office) -> None:
    await office.hire("abe", "accountant")
    await office.rule(row("role:manager"), row("role:accountant"), row("role:admin", step=2))
    approval = await office.approval(await office.submit())
    now = await office.reject("abe", approval)
    assert (now["status"], sorted(task["status"] for task in now["tasks"])) == ("rejected", ["cancelled", "rejected"])


async def test_one_person_decides_once_unless_a_step_allows_it(office: Office) -> None:
    await office.rule(row("role:manager"), row("role:manager", step=2))
    approval = await office.approval(await office.submit())
    await office.approve("max", approval)
    assert (await office.approve("max", approval, 409))["type"].endswith("decided-before")
    assert (await office.approve("mia", approval))["status"] == "approved"
    await office.rule(row("role:manager"), row("role:manager", step=2, repeat=True))
    other = await office.approval(await office.submit())
    await office.approve("max", other)
    assert (await office.approve("max", other))["status"] == "approved"


async def test_the_matrix_goes_by_amount_and_attributes_and_may_ask_nobody(office: Office) -> None:
    await office.rule(
        row("role:manager", when={"amount": "> 100000"}),
        row("role:admin", step=2, when={"amount": "> 1000000"}),
        row("role:admin", step=2, when={"discount_rate": "> 0.3"}),
        inputs=["amount", "discount_rate"],
    )
    small = await office.approval(await office.submit(amount=100_000, attributes={"discount_rate": "0.3"}))
    assert (small["status"], small["tasks"], small["decided_by"]) == ("approved", [], None)
    middle = await office.approval(await office.submit(amount=100_001, attributes={"discount_rate": "0.3"}))
    assert (await office.approve("max", middle))["status"] == "approved"
    for amount, rate in ((1_000_001, "0"), (100_001, "0.300001")):
        large = await office.approval(await office.submit(amount=amount, attributes={"discount_rate": rate}))
        assert (await office.approve("max", large))["status"] == "pending"
        assert (await office.approve("ada", large))["status"] == "approved"


async def test_the_superior_decides_and_where_there_is_none_whom_else_it_names(office: Office) -> None:
    await office.rule(row("superior|role:manager"))
    orphan = await office.approval(await office.submit())
    assert orphan["tasks"][0]["roles"] == ["manager"]
    boss = await office.hire("boss", "sales")
    await office.team("boss", "sue")
    led = await office.approval(await office.submit())
    assert (led["tasks"][0]["users"], led["tasks"][0]["roles"]) == ([str(boss.id)], [])
    await office.approve("max", led, 403)
    assert (await office.approve("boss", led))["status"] == "approved"


async def test_a_role_that_nobody_has_yet_decides_once_somebody_has_it(office: Office) -> None:
    await office.rule(row("role:cfo"))
    approval = await office.approval(await office.submit())
    assert approval["tasks"][0]["roles"] == ["admin", "cfo"]
    await office.hire("cleo", "cfo")
    assert (await office.approve("cleo", approval))["status"] == "approved"


async def test_a_reason_may_be_asked_for_a_yes_too(office: Office) -> None:
    await office.rule(row("role:manager", reason=True))
    approval = await office.approval(await office.submit())
    refused = await office.approve("max", approval, 422)
    assert (refused["type"], refused["errors"][0]["field"]) == ("urn:tailrace:problem:reason-needed", "/reason")
    assert (await office.approve("max", approval, reason="It fits."))["status"] == "approved"


async def test_two_who_decide_at_once_take_turns(office: Office) -> None:
    approval = await office.approval(await office.submit())
    urls = [f"{AT}/{approval['id']}/approve", f"{AT}/{approval['id']}/reject"]
    answers = await asyncio.gather(
        office.people["max"].client.patch(urls[0]),
        office.people["mia"].client.patch(urls[1], json={"reason": "no"}),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    ended = [one.type for one in await office.h.published() if one.type in {"approval.approved", "approval.rejected"}]
    assert len(ended) == 1


async def test_a_newer_submission_and_a_change_void_what_was_asked_for_or_given(office: Office) -> None:
    quote = await office.submit()
    first = await office.approval(quote)
    await office.submit(quote=quote, sha="b" * 64)
    second = await office.approval(quote)
    assert ((await office.read(first["id"]))["status"], second["sha256"]) == ("voided", "b" * 64)
    await office.approve("max", first, 409)
    await office.approve("max", second)
    await office.take_back(quote, QuoteRecalled)
    assert (await office.read(second["id"]))["status"] == "voided"
    pending = await office.submit()
    await office.take_back(pending, QuoteCancelled)
    assert (await office.approval(pending))["status"] == "voided"
    assert [one.type for one in await office.h.published("approval.voided")] == ["approval.voided"] * 3
    await office.take_back(uuid7(), QuoteCancelled)


async def test_the_requester_recalls_and_nobody_else(office: Office) -> None:
    approval = await office.approval(await office.submit())
    assert (await office.act("max", approval, "recall", 403))["type"].endswith("not-the-requester")
    now = await office.act("sue", approval, "recall", reason="too early")
    assert (now["status"], now["reason"], now["tasks"][0]["status"]) == ("recalled", "too early", "cancelled")
    await office.approve("max", approval, 409)
    assert (await office.told())[-1] == "approval.recalled"


async def test_a_free_approval_is_numbered_in_the_companys_year(office: Office, clock: SetClock) -> None:
    await office.h.count_days_in("Asia/Tokyo")
    for now in ("2027-01-01T08:30:00+09:00", "2026-12-31T23:30:00+09:00"):
        clock(now)
        assert (await office.ask())["number"] == f"A-{now[:4]}-00001"


async def test_a_free_approval_that_is_changed_begins_again(office: Office) -> None:
    ids = [office.id("max"), office.id("mia")]
    steps = [{"side_by_side": [{"approvers": f"user:{one}"}]} for one in ids]
    approval = await office.ask(steps=steps, amount=2_000_000)
    assert (approval["kind"], approval["number"][:2], approval["document_id"]) == ("free", "A-", approval["id"])
    await office.approve("max", approval)
    body = {"title": "Two forklifts", "amount": 4_000_000, "steps": steps}
    refused = await office.people["max"].client.put(f"{AT}/{approval['id']}", json=body)
    assert refused.status_code == 403
    changed = await office.people["sue"].client.put(f"{AT}/{approval['id']}", json=body)
    now = changed.json()
    assert (changed.status_code, now["round"], now["amount"]) == (200, 2, 4_000_000), changed.text
    assert now["sha256"] != approval["sha256"]
    # Who read it before says so by the step, or by the version, and does not approve what they have not seen.
    await office.approve("max", approval, 403, task_id=approval["tasks"][0]["id"])
    stale = {"If-Match": f'"{approval["version"]}"'}
    seen = await office.people["max"].client.patch(f"{AT}/{approval['id']}/approve", headers=stale)
    assert seen.status_code == 412, seen.text
    assert [task["users"] for task in now["tasks"] if task["status"] == "open"] == [[ids[0]]]
    await office.approve("mia", approval, 403)
    await office.approve("max", approval)
    assert (await office.approve("mia", approval))["status"] == "approved"
    document = await office.approval(await office.submit())
    kept = await office.people["sue"].client.put(f"{AT}/{document['id']}", json=body)
    assert (kept.status_code, kept.json()["type"]) == (409, "urn:tailrace:problem:owners-document")


async def test_a_step_is_claimed_and_given_back(office: Office) -> None:
    approval = await office.approval(await office.submit())
    await office.act("max", approval, "claim")
    assert (await office.approve("mia", approval, 409))["type"].endswith("claimed")
    assert (await office.act("mia", approval, "unclaim", 409))["type"].endswith("claimed")
    await office.act("max", approval, "unclaim")
    await office.act("mia", approval, "claim")
    assert (await office.approve("mia", approval))["status"] == "approved"
    assert [one for one in await office.told() if "claim" in one or "released" in one] == [
        "approval.claimed",
        "approval.released",
        "approval.claimed",
    ]


async def test_a_claim_ends_with_the_word_of_who_has_it_and_when_the_step_is_due(office: Office) -> None:
    await office.rule(row("role:manager", mode="all"))
    approval = await office.approval(await office.submit())
    await office.act("max", approval, "claim")
    await office.approve("max", approval)
    assert (await office.approve("mia", approval))["status"] == "approved"
    await office.rule(row("role:manager", due="PT1H", escalate="role:admin"))
    late = await office.approval(await office.submit())
    await office.act("max", late, "claim")
    await office.h.make_timers_due()
    await office.h.fire_timers()
    assert (await office.approve("ada", late))["status"] == "approved"


async def test_an_approval_is_due_when_the_next_of_its_open_steps_is(office: Office) -> None:
    await office.hire("abe", "accountant")
    await office.rule(row("role:manager", due="P1D"), row("role:accountant", due="P5D"))
    approval = await office.approval(await office.submit())
    by_role = {task["roles"][0]: task["due_at"] for task in approval["tasks"]}
    assert approval["due_at"] == by_role["manager"]
    assert (await office.approve("max", approval))["due_at"] == by_role["accountant"]


async def test_several_are_approved_at_once_each_by_itself(office: Office) -> None:
    good = [await office.approval(await office.submit()) for _ in range(2)]
    own = await office.approval(await office.submit(by="max"))
    missing = str(uuid7())
    ids = [*(one["id"] for one in good), own["id"]]
    refused = await office.people["max"].client.post(f"{AT}/approve", json={"ids": [*ids, missing]})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "/ids/3")
    answer = await office.people["max"].client.post(f"{AT}/approve", json={"ids": ids})
    said = answer.json()
    assert sorted(said["approved"]) == sorted(one["id"] for one in good)
    assert {one["id"]: one["type"].rpartition(":")[2] for one in said["refused"]} == {own["id"]: "own-request"}
    assert (await office.read(own["id"]))["status"] == "pending"


async def test_what_is_due_goes_to_others_besides_once(office: Office) -> None:
    await office.rule(row("role:manager", due="PT1H", escalate="role:admin"))
    approval = await office.approval(await office.submit())
    await office.approve("ada", approval, 403)
    await office.h.make_timers_due()
    await office.h.fire_timers()
    now = await office.read(approval["id"])
    assert (now["tasks"][0]["roles"], now["tasks"][0]["escalated_at"] is None) == (["admin", "manager"], False)
    await office.h.make_timers_due()
    await office.h.fire_timers()
    assert (await office.told()).count("approval.escalated") == 1
    assert (await office.approve("ada", approval))["status"] == "approved"
    assert await office.h.admin.fetchval("SELECT count(*) FROM timer") == 0


async def test_comments_are_kept_in_order(office: Office) -> None:
    approval = await office.approval(await office.submit())
    for text in ("Why so cheap?", "An old customer."):
        await office.act("max", approval, "comments", 201, text=text)
    shown = (await office.h.client.get(f"{AT}/{approval['id']}/comments")).json()["items"]
    assert [one["text"] for one in shown] == ["Why so cheap?", "An old customer."]


async def test_lists_by_requester_and_by_approver(office: Office) -> None:
    first = await office.approval(await office.submit())
    await office.approve("max", first)
    second = await office.approval(await office.submit())

    async def listed(path: str, name: str) -> set[str]:
        answer = await office.h.client.get(f"{AT}/{path}/{office.id(name)}")
        return {one["id"] for one in answer.json()["items"]}

    assert await listed("requester", "sue") == {first["id"], second["id"]}
    assert await listed("requester", "max") == set()
    assert await listed("approver", "max") == {first["id"], second["id"]}
    assert await listed("approver", "mia") == {second["id"]}
    assert await listed("approver", "ada") == set()
    assert (await office.h.client.get(f"{AT}/approver/{uuid7()}")).status_code == 404


async def test_a_step_is_forwarded_by_those_whom_it_waits_for_and_reassigned_by_administrators(office: Office) -> None:
    await office.hire("eve", "sales")
    approval = await office.approval(await office.submit())
    said = {"task_id": approval["tasks"][0]["id"], "to_user_id": office.id("eve"), "reason": "She knows them."}
    await office.act("eve", approval, "forward", 403, **said)
    own = await office.act("max", approval, "forward", 422, **{**said, "to_user_id": office.id("sue")})
    assert own["errors"][0]["field"] == "/to_user_id"
    await office.act("max", approval, "forward", **said)
    await office.approve("mia", approval, 403)
    await office.act("ada", approval, "reassign", **{**said, "to_user_id": office.id("mia")})
    assert (await office.approve("mia", approval))["status"] == "approved"


async def test_what_came_due_while_everything_was_down_comes_once_after_the_start(office: Office) -> None:
    await office.rule(row("role:manager", due="PT1H", escalate="role:admin"))
    approvals = [await office.approval(await office.submit()) for _ in range(3)]
    # Nothing fires timers here until it is asked to: everything is down until then, and three processes start at once.
    await office.h.make_timers_due()
    await asyncio.gather(*(office.h.fire_timers() for _ in range(3)))
    assert (await office.told()).count("approval.escalated") == len(approvals)
    assert sorted(await office.inbox("ada")) == sorted(one["id"] for one in approvals)


async def test_a_day_later_is_at_the_same_time_where_the_company_is(office: Office, clock: SetClock) -> None:
    """The clocks go back in the night that follows: 18:00 is 16:00 in UTC on that day, and 17:00 on the next."""
    await office.h.count_days_in("Europe/Berlin")
    await office.hire("abe", "accountant")
    clock("2026-10-24T16:00:00Z")
    await office.rule(row("role:manager", due="P1D"), row("role:accountant", due="PT24H"))
    approval = await office.approval(await office.submit())
    by_role = {task["roles"][0]: task["due_at"] for task in approval["tasks"]}
    assert by_role == {"manager": "2026-10-25T17:00:00Z", "accountant": "2026-10-25T16:00:00Z"}
