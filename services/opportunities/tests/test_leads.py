"""A lead is scored with reasons and assigned by rules, recognised, and becomes a customer's once; a refusal takes it back."""

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

import pytest

from contracts import customers
from contracts.leads import LeadConverted
from contracts.users import UserDeleted
from tailrace.core.ids import uuid7

from .conftest import AT, LEADS, Desk

RULES = {
    "rules": [
        {"name": "Company", "when": [{"field": "company", "test": "present"}], "points": 10},
        {"name": "At home", "when": [{"field": "country", "test": "is", "values": ["DE", "AT"]}], "points": 5},
        {
            "name": "Free mail",
            "when": [{"field": "email_domain", "test": "is", "values": ["mail.example"]}],
            "points": -7,
        },
        {
            "name": "Large",
            "when": [
                {"field": "amount", "test": "at_least", "values": ["100000"]},
                {"field": "via", "test": "is_not", "values": ["import"]},
            ],
            "points": 20,
        },
    ]
}


async def _converted(desk: Desk, **given: Any) -> tuple[Any, LeadConverted]:
    lead = await desk.lead(company="Navy Ltd", email="grace@navy.example", currency="EUR", amount=5_000)
    body = {"opportunity": {"expected_close_on": "2026-12-01"}, **given}
    lead = await desk.ask("POST", f"{LEADS}/{lead['id']}/convert", 200, body)
    return lead, (await desk.told("crm.lead.converted"))[-1]


async def _answered(desk: Desk, event: LeadConverted, kind: Any = customers.CustomerLeadAccepted, **said: Any) -> None:
    given = {"customer_id": event.customer_id, "lead_id": event.lead_id, "asked_customer_id": event.customer_id, **said}
    if kind is customers.CustomerLeadAccepted:
        given.setdefault("person_id", event.contact.person_id)
    await desk.h.deliver(kind(**given), aggregate_id=given["customer_id"])


async def test_the_score_is_the_sum_of_the_rules_that_hold_and_says_which(desk: Desk) -> None:
    await desk.ask("PUT", f"{LEADS}/scoring", 200, RULES)
    lead = await desk.lead(company="Ada Works", country="DE", email="a@mail.example", amount=100_000, currency="EUR")
    reasons = {each["rule"]: each["points"] for each in lead["score_reasons"]}
    assert (lead["score"], reasons) == (28, {"Company": 10, "At home": 5, "Free mail": -7, "Large": 20})
    less = await desk.lead(country="FR", amount=99_999, currency="EUR")
    assert (less["score"], less["score_reasons"]) == (0, [])
    now = await desk.ask("PUT", f"{LEADS}/{less['id']}", 200, {"name": "Grace", "country": "AT"})
    assert (now["score"], now["amount"]) == (5, None)
    listed = await desk.ask("GET", LEADS, sort="-score")
    assert [each["score"] for each in listed["items"]] == [28, 5]


async def test_other_rules_score_every_open_lead_again(desk: Desk, monkeypatch: Any) -> None:
    monkeypatch.setattr("opportunities.scoring.AT_ONCE", 2)
    leads = [await desk.lead(f"Lead {number}", company="Ada") for number in range(5)]
    await desk.ask("POST", f"{LEADS}/{leads[0]['id']}/lose", 200, {"reason": "no"})
    told = len(await desk.told("crm.lead.updated"))
    said = await desk.ask("PUT", f"{LEADS}/scoring", 200, RULES)
    await desk.h.run_jobs()
    assert [(await desk.read_lead(each))["score"] for each in leads] == [0, 10, 10, 10, 10]
    assert len(await desk.told("crm.lead.updated")) == told + 4
    job = await desk.ask("GET", f"{LEADS}/jobs/{said['job_id']}")
    assert (job["state"], job["done"], job["counts"]) == ("succeeded", 4, {"changed": 4})
    await desk.ask("PUT", f"{LEADS}/scoring", 200, RULES)
    await desk.h.run_jobs()
    assert len(await desk.told("crm.lead.updated")) == told + 4, "the same score is told once"


@pytest.mark.parametrize("number", ["--5", "²", "٥", "5-", "-", "1.5", "1" * 16])
async def test_a_bound_is_a_whole_number_in_plain_digits(desk: Desk, number: str) -> None:
    rule = {"name": "Warm", "user_id": str(desk.bo)}
    for value, status in ((number, 422), ("-" + "9" * 15, 200)):
        when = [{"field": "score", "test": "at_least", "values": [value]}]
        await desk.ask("PUT", f"{LEADS}/assignment", status, {"rules": [{**rule, "when": when}]})
    assert (await desk.lead())["owner_id"] == str(desk.bo)


async def test_rules_that_contradict_themselves_are_refused(desk: Desk) -> None:
    for when in (
        {"field": "name", "test": "at_least", "values": ["1"]},
        {"field": "score", "test": "at_least", "values": ["1"]},
        {"field": "amount", "test": "at_least", "values": ["much"]},
        {"field": "amount", "test": "present", "values": ["1"]},
        {"field": "amount", "test": "is"},
    ):
        body = {"rules": [{"name": "R", "when": [when], "points": 1}]}
        await desk.ask("PUT", f"{LEADS}/scoring", 422, body)
    twice = {"rules": [RULES["rules"][0], RULES["rules"][0]]}
    await desk.ask("PUT", f"{LEADS}/scoring", 422, twice)


async def test_twenty_leads_at_once_go_round_a_team_exactly(desk: Desk) -> None:
    di = uuid7()
    await desk.hire(di, "Di")
    gone = uuid7()
    await desk.form_team(desk.bo, desk.cy, di, gone, lead=desk.h.user)
    rules = [
        {"name": "Japan", "when": [{"field": "country", "test": "is", "values": ["JP"]}], "user_id": str(desk.cy)},
        {"name": "All", "team_id": str(desk.team)},
    ]
    await desk.ask("PUT", f"{LEADS}/assignment", 200, {"rules": rules})
    leads = await asyncio.gather(*[desk.lead(f"Lead {number}") for number in range(20)])
    people = {str(each) for each in (desk.bo, desk.cy, di, desk.h.user)}
    assert Counter(each["owner_id"] for each in leads) == dict.fromkeys(people, 5)
    assert {(each["rule"], each["team_id"]) for each in leads} == {("All", str(desk.team))}
    assert (await desk.lead(country="JP"))["owner_id"] == str(desk.cy)
    following = [(await desk.lead(f"Next {number}"))["owner_id"] for number in range(4)]
    assert following == sorted(people), "in the order of their ids, from the first one on again"
    await desk.form_team(desk.cy, di)
    assert {(await desk.lead("One"))["owner_id"], (await desk.lead("Two"))["owner_id"]} == {str(desk.cy), str(di)}


async def test_a_rule_that_finds_nobody_leaves_it_to_the_next(desk: Desk) -> None:
    gone = uuid7()
    await desk.hire(gone, "Gone")
    rules: list[dict[str, Any]] = [{"name": "Gone", "user_id": str(gone)}, {"name": "Empty", "team_id": str(desk.team)}]
    await desk.ask("PUT", f"{LEADS}/assignment", 200, {"rules": rules})
    await desk.h.deliver(UserDeleted(user_id=gone), aggregate_id=gone)
    await desk.form_team()
    for unknown in ("user_id", "team_id"):
        refused = await desk.ask("PUT", f"{LEADS}/assignment", 409, {"rules": [{"name": "R", unknown: str(uuid7())}]})
        assert refused["errors"][0]["field"] == f"/rules/0/{unknown}"
    lead = await desk.lead()
    assert lead["owner_id"] is None
    await desk.ask("POST", f"{LEADS}/{lead['id']}/assign", 422, {"by_rules": True})
    rules.append(
        {"name": "Score", "when": [{"field": "score", "test": "at_least", "values": ["10"]}], "user_id": str(desk.bo)}
    )
    await desk.ask("PUT", f"{LEADS}/assignment", 200, {"rules": rules})
    await desk.ask("PUT", f"{LEADS}/scoring", 200, RULES)
    assert (await desk.lead())["owner_id"] is None
    assert (await desk.lead(company="Ada"))["owner_id"] == str(desk.bo)
    mine = await desk.ask("POST", f"{LEADS}/{lead['id']}/assign", 200, {"owner_id": str(desk.cy)})
    assert (mine["owner_id"], mine["team_id"], mine["rule"]) == (str(desk.cy), None, None)


async def test_leads_and_customers_that_share_something_are_found(desk: Desk) -> None:
    mail = customers.EmailAddress(address="grace@navy.example", label="work")
    await desk.customer(desk.ada, "C-1", "ACME GmbH", emails=[mail])
    lead = await desk.lead(company="Acme", email="grace@navy.example", phone="+49 30 123")
    twin = await desk.lead("Somebody", phone="+4930123")
    await desk.lead("Stranger", company="Other Ltd")
    found = await desk.ask("GET", f"{LEADS}/{lead['id']}/duplicates")
    assert [(each["lead"]["id"], each["shared"]) for each in found["leads"]] == [(twin["id"], ["phone"])]
    assert [(each["number"], each["shared"]) for each in found["customers"]] == [("C-1", ["email", "name"])]
    await desk.h.deliver(customers.CustomerDeleted(customer_id=desk.ada, number="C-1"), aggregate_id=desk.ada)
    assert (await desk.ask("GET", f"{LEADS}/{lead['id']}/duplicates"))["customers"] == []


async def test_a_lead_becomes_a_customer_a_person_and_an_opportunity_at_once(desk: Desk) -> None:
    lead, asked = await _converted(desk)
    assert (lead["status"], lead["handing"], lead["customer_id"]) == ("converted", "asked", str(asked.customer_id))
    assert (asked.existing, asked.customer_name, asked.kind, asked.contact.email) == (
        False,
        "Navy Ltd",
        "company",
        "grace@navy.example",
    )
    made = await desk.ask("GET", f"{AT}/{lead['opportunity_id']}")
    assert (made["customer_id"], made["amount"], made["customer_there"]) == (str(asked.customer_id), 5_000, False)
    refused = await desk.act(made, "win", 409)
    assert refused["type"].endswith("customer-pending")
    await _answered(desk, asked)
    assert (await desk.read_lead(lead))["handing"] == "done"
    made = await desk.read(made)
    assert (made["customer_there"], made["contact_id"]) == (True, str(asked.contact.person_id))
    again = await desk.ask("POST", f"{LEADS}/{lead['id']}/convert", 409, {})
    assert again["type"].endswith("lead-state")


async def test_of_two_conversions_one_counts(desk: Desk) -> None:
    lead = await desk.lead(currency="EUR")
    body = {"opportunity": {"expected_close_on": "2026-12-01"}}
    here = f"{LEADS}/{lead['id']}/convert"
    answers = await asyncio.gather(*[desk.h.client.post(here, json=body) for _ in range(6)])
    assert sorted(each.status_code for each in answers) == [200, 409, 409, 409, 409, 409]
    assert len(await desk.told("crm.lead.converted")) == len(await desk.told("crm.opportunity.created")) == 1


async def test_a_refusal_takes_lead_and_opportunity_back_and_a_late_answer_changes_nothing(desk: Desk) -> None:
    lead, asked = await _converted(desk, customer_id=str(desk.ada))
    assert asked.existing and asked.customer_id == desk.ada
    opportunity = lead["opportunity_id"]
    await _answered(desk, asked, customers.CustomerLeadRefused, reason="It is deleted.")
    lead = await desk.read_lead(lead)
    assert (lead["status"], lead["handing"], lead["reason"], lead["customer_id"], lead["opportunity_id"]) == (
        "qualified",
        "refused",
        "It is deleted.",
        None,
        None,
    )
    await desk.ask("GET", f"{AT}/{opportunity}", 404)
    assert len(await desk.told("crm.opportunity.deleted")) == 1
    second = await desk.ask("POST", f"{LEADS}/{lead['id']}/convert", 200, {})
    await _answered(desk, asked)
    assert (await desk.read_lead(lead))["handing"] == "asked", "that was the answer to another question"
    assert second["customer_id"] != str(asked.customer_id)


async def test_a_merged_customer_is_followed(desk: Desk) -> None:
    lead, asked = await _converted(desk, customer_id=str(desk.ada))
    other = uuid7()
    await desk.customer(other, "C-2")
    await _answered(desk, asked, customer_id=other, asked_customer_id=desk.ada)
    assert (await desk.read_lead(lead))["customer_id"] == str(other)
    assert (await desk.ask("GET", f"{AT}/{lead['opportunity_id']}"))["customer_id"] == str(other)


async def test_a_deleted_lead_is_forgotten(desk: Desk) -> None:
    lead = await desk.lead("Grace Hopper", email="grace@navy.example", note="Likes COBOL")
    await desk.ask("DELETE", f"{LEADS}/{lead['id']}", 204)
    await desk.ask("GET", f"{LEADS}/{lead['id']}", 404)
    kept = await desk.h.admin.fetchval("SELECT l::text FROM lead l WHERE id = $1", UUID(lead["id"]))
    assert "grace" not in kept.lower() and "COBOL" not in kept
    assert (await desk.ask("GET", f"{LEADS}/search", q="Grace"))["items"] == []


async def test_a_caller_sees_own_leads_the_teams_or_all(desk: Desk) -> None:
    by = {name: await desk.lead(name) for name in ("mine", "bos", "nobodys")}
    await desk.ask("POST", f"{LEADS}/{by['mine']['id']}/assign", 200, {"owner_id": str(desk.cy)})
    await desk.ask("POST", f"{LEADS}/{by['bos']['id']}/assign", 200, {"owner_id": str(desk.bo)})
    seen: dict[str, list[set[str]]] = {}
    for reach in (":own", ":team", ""):
        client = desk.h.client_as(f"leads:read{reach}", user=desk.cy)
        for path in (LEADS, f"{LEADS}/search?q=s", f"{LEADS}?sort=-score"):
            seen.setdefault(reach, []).append({each["name"] for each in (await client.get(path)).json()["items"]})
        assert (await client.get(f"{LEADS}/{by['bos']['id']}")).status_code == (404 if reach == ":own" else 200)
        text = (await client.get(LEADS, headers={"Accept": "text/csv"})).text
        assert ("bos" in text, "nobodys" in text) == (reach != ":own", reach == "")
    assert seen[":own"][0] == {"mine"} and seen[":team"][0] == {"mine", "bos"}
    assert seen[""][0] == {"mine", "bos", "nobodys"}


async def test_rows_of_a_file_become_leads_once(desk: Desk) -> None:
    text = "reference,name,company,amount,currency\nR-1,Ada,Ada Works,500,EUR\n,Grace,Navy,,\nR-3,Bad,,500,\n"
    job = await desk.h.import_rows(f"{LEADS}/import", text)
    assert job["counts"] == {"created": 2, "refused": 1}
    again = await desk.h.import_rows(f"{LEADS}/import", text)
    assert again["counts"] == {"unchanged": 2, "refused": 1}
    listed = (await desk.ask("GET", LEADS, via="import"))["items"]
    assert sorted(each["name"] for each in listed) == ["Ada", "Grace"]
