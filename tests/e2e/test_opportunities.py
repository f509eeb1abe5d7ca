"""From a stranger to a won opportunity: a form is sent, the lead scored, assigned and converted, a quote of it accepted, and the win confirmed."""

import asyncio
import hashlib
from typing import Any

from company import Company, dead_letters

from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import Gateway, Member, eventually


def solved(challenge: dict[str, Any]) -> int:
    return next(
        number
        for number in range(challenge["largest"])
        if hashlib.sha256(f"{challenge['salt']}{number}".encode()).hexdigest() == challenge["target"]
    )


async def lead_by_form(company: Company) -> Any:
    """What a stranger leaves, who sends the form several times at once."""
    member = company.member
    me = (await member.get("/v1/auth/me"))["id"]
    when = [{"field": "company", "test": "present"}]
    await member.put("/v1/leads/scoring", {"rules": [{"name": "Company", "when": when, "points": 10}]})
    await member.put("/v1/leads/assignment", {"rules": [{"name": "All", "user_id": me}]})
    keys = ("name", "company", "email")
    form = {
        "code": "WEB",
        "name": "Contact",
        "fields": [{"key": key, "label": key.capitalize(), "required": True} for key in keys],
        "consent_text": "You may write to me.",
        "source": "web",
        "min_seconds": 0,
        "work": 2_000,
    }
    made = await member.post("/v1/lead-forms", form)
    path = (await member.get(f"/v1/lead-forms/{made['id']}/address"))["path"]
    shown = await member.client.get(path)
    assert shown.status_code == 200, shown.text
    challenge = shown.json()["challenge"]
    answers = {"name": "Grace Hopper", "company": "Navy Ltd", "email": "grace@navy.example"}
    body = {
        "challenge": challenge["token"],
        "solution": solved(challenge),
        "answers": [{"key": key, "value": value} for key, value in answers.items()],
        "consent": True,
    }
    said = await asyncio.gather(*[member.client.post(path, json=body) for _ in range(3)])
    assert [(each.status_code, each.json()) for each in said] == [(200, {"message": "Thank you."})] * 3
    assert (await member.client.post(path, json={**body, "solution": 1_999_999})).status_code == 409
    (lead,) = await member.every("/v1/leads")
    assert (lead["score"], lead["owner_id"], lead["source"]) == (10, me, "web")
    return lead


async def once_heard_of(member: Member, path: str, body: Any) -> Any:
    """What is made for a customer, as soon as that context has heard of the customer."""
    answer = await eventually(
        lambda: member.send("POST", path, json=body), lambda answer: answer.status_code == 201, what=path
    )
    return answer.json()


async def stands_in_the_trace(company: Company, order: str, *documents: str) -> None:
    """The order shows all of them, and each of them shows the order."""
    for begin, wanted in ((order, {*documents}), *((each, {order}) for each in documents)):

        async def missing(id: str = begin, wanted: set[str] = wanted) -> set[str]:
            answer = await company.member.send("GET", f"/v1/trace/{id}")
            nodes = answer.json()["nodes"] if answer.status_code == 200 else []
            return wanted - {node["document_id"] for node in nodes}

        await eventually(missing, lambda left: not left, what=f"the whole trace of {begin}")


async def test_a_stranger_becomes_a_won_opportunity(fleet: Stack, gateway: Gateway) -> None:
    company = await Company.found(gateway)
    member = company.member
    lead = await lead_by_form(company)
    body = {"currency": "EUR", "opportunity": {"expected_close_on": "2026-12-31", "amount": 5_000}}
    answers = await asyncio.gather(
        *[member.send("POST", f"/v1/leads/{lead['id']}/convert", json=body) for _ in range(3)]
    )
    assert sorted(each.status_code for each in answers) == [200, 409, 409]
    here = f"/v1/leads/{lead['id']}"
    lead = await eventually(lambda: member.get(here), lambda now: now["handing"] == "done", what="the customer")
    (customer,) = await member.every("/v1/customers")
    customer = await member.get(f"/v1/customers/{customer['id']}")
    assert (customer["id"], customer["name"], customer["sales_rep_id"]) == (
        lead["customer_id"],
        "Navy Ltd",
        lead["owner_id"],
    )
    assert [(each["id"], each["name"]) for each in customer["people"]] == [(lead["contact_id"], "Grace Hopper")]

    at = f"/v1/opportunities/{lead['opportunity_id']}"
    about = {"customer_id": customer["id"], "opportunity_id": lead["opportunity_id"]}
    times = {"starts_at": "2026-12-01T09:00:00Z", "ends_at": "2026-12-01T10:00:00Z"}
    help_of_it = [
        (await once_heard_of(member, path, {"title": "How it goes", **about, **more}))["id"]
        for path, more in (("/v1/meetings", times), ("/v1/tasks", {}))
    ]
    line = {"item_id": company.item_id, "quantity": "10", "unit_price": "1000"}
    asked = {"customer_id": customer["id"], "warehouse_id": company.warehouse_id, "currency": "EUR", "lines": [line]}
    me = lead["owner_id"]
    limit = {"user_id": me, "max_discount_rate": "1", "unlisted_prices": True}
    await eventually(
        lambda: member.send("PUT", "/v1/quotes/authority", json={"limits": [limit]}),
        lambda answer: answer.status_code == 200,
        what="the authority of a user, once quotes have heard of them",
    )
    made = await eventually(
        lambda: member.send("POST", "/v1/quotes", json={**asked, "opportunity_id": lead["opportunity_id"]}),
        lambda answer: answer.status_code == 201,
        what="a quote for the customer, once quotes have heard of it",
    )
    quote = made.json()
    for step in ("submit", "send"):
        await member.post(f"/v1/quotes/{quote['id']}/{step}")
    path = (await member.get(f"/v1/quotes/{quote['id']}/link"))["path"]
    accepted = await member.client.post(f"{path}/accept", json={"name": "Grace Hopper"})
    assert accepted.status_code == 200, accepted.text
    proposed = await eventually(lambda: member.get(at), lambda now: now["proposal"] is not None, what="the proposal")
    assert (proposed["status"], proposed["proposal"]["quote_id"], proposed["proposal"]["confirmer_id"]) == (
        "open",
        quote["id"],
        me,
    )
    period = proposed["proposal"]["accepted_at"][:7]
    before = (await member.get("/v1/forecast", period=period))["as_of"]
    won = await member.post(f"{at}/win")
    assert (won["status"], won["amount"], won["quote_id"]) == ("won", 10_000, quote["id"])
    (row,) = (await member.get("/v1/forecast", period=period))["rows"]
    assert (row["id"], row["currency"], row["closed"], row["pipeline"]) == (me, "EUR", 10_000, 0)
    then = (await member.get("/v1/forecast", period=period, as_of=before))["rows"]
    assert [each for each in then if each["closed"]] == []
    ordered = await eventually(
        lambda: member.get(f"/v1/quotes/{quote['id']}"), lambda now: now["order_id"] is not None, what="the order"
    )
    assert (await company.read(ordered["order_id"]))["customer_id"] == customer["id"]
    await stands_in_the_trace(company, ordered["order_id"], lead["opportunity_id"], lead["id"], *help_of_it)
    assert await dead_letters(fleet, company) == []


async def test_an_existing_customer_gets_the_person_and_a_deleted_one_refuses(gateway: Gateway) -> None:
    member = await gateway.new_tenant()
    ada, gone = [await member.post("/v1/customers", {"name": name, "currency": "EUR"}) for name in ("Ada", "Gone")]

    async def converted(customer: Any) -> Any:
        lead = await member.post("/v1/leads", {"name": "Grace"})
        body = {"customer_id": customer["id"], "opportunity": {"expected_close_on": "2026-12-31"}}
        return await member.post(f"/v1/leads/{lead['id']}/convert", body)

    async def settled(lead: Any) -> Any:
        here = f"/v1/leads/{lead['id']}"
        return await eventually(lambda: member.get(here), lambda now: now["handing"] != "asked", what="an answer")

    lead = await settled(await converted(ada))
    assert (lead["handing"], lead["customer_id"]) == ("done", ada["id"])
    people = (await member.get(f"/v1/customers/{ada['id']}"))["people"]
    assert [each["id"] for each in people] == [lead["contact_id"]]

    # It is deleted before customers hear of the lead, or after: then it had the person, and the opportunity goes with it.
    asked = await converted(gone)
    await member.delete(f"/v1/customers/{gone['id']}")
    lead = await settled(asked)
    assert (lead["handing"], lead["status"]) in {("refused", "qualified"), ("done", "converted")}
    everything = await eventually(
        lambda: member.every("/v1/opportunities"), lambda found: len(found) == 1, what="the end of its opportunity"
    )
    assert [each["customer_id"] for each in everything] == [ada["id"]]
