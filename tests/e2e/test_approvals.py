"""Approvals through the gateway: a quote beyond its author's authority is approved by a manager, or by whom the company's template has asked."""

import statistics
import time
from typing import Any

from company import Company

from tailrace_testing.gateway import PASSWORD, Gateway, Member, eventually

LIST_PRICE = 1_200
MEASURED = 15
SECOND_LOOK = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:tailrace="urn:tailrace:bpmn" targetNamespace="t">
<process id="second-look" isExecutable="true">
<startEvent id="s"/><userTask id="look" name="Look" tailrace:approvers="role:accountant"/><endEvent id="e"/>
<sequenceFlow id="f" sourceRef="s" targetRef="look"/><sequenceFlow id="g" sourceRef="look" targetRef="e"/>
</process></definitions>"""


async def hired(gateway: Gateway, company: Company, *roles: str) -> Member:
    """Somebody of the company with these roles, logged in."""
    name = "-".join(roles)
    email = f"{name}@{company.member.slug}.example"
    body = {"email": email, "name": name.title(), "password": PASSWORD, "roles": list(roles)}
    await company.member.post("/v1/auth/users", body)
    return await gateway.log_in(company.member.slug, email)


async def terms(company: Company) -> dict[str, Any]:
    """A quote of ten plates, a third below the list: beyond everybody's authority."""
    member = company.member
    prices = [{"item_id": company.item_id, "min_quantity": "1", "unit_price": str(LIST_PRICE)}]
    listed = await member.post(
        "/v1/price-lists", {"code": "RETAIL", "name": "Retail", "currency": "EUR", "prices": prices}
    )
    ada = await member.post("/v1/customers", {"name": "Ada Works", "currency": "EUR", "price_list_id": listed["id"]})
    line = {"item_id": company.item_id, "quantity": "10", "discount_rate": "0.333"}
    return {"customer_id": ada["id"], "warehouse_id": company.warehouse_id, "lines": [line]}


async def submitted(member: Member, body: dict[str, Any]) -> dict[str, Any]:
    quote: dict[str, Any] = await member.post("/v1/quotes", body)
    now: dict[str, Any] = await member.post(f"/v1/quotes/{quote['id']}/submit")
    assert now["status"] == "in_approval"
    return now


async def waiting(manager: Member, quote: dict[str, Any]) -> dict[str, Any]:
    """The approval of a quote, once it waits for the manager."""
    found = await eventually(
        lambda: manager.get("/v1/approvals", document_id=quote["id"], status="pending"),
        lambda page: bool(page["items"]),
        what="the approval",
    )
    approval: dict[str, Any] = found["items"][0]
    inbox = await manager.every("/v1/approvals/pending")
    assert approval["id"] in [one["id"] for one in inbox]
    return approval


async def decide(member: Member, approval: dict[str, Any], what: str, **said: Any) -> Any:
    return await member.patch(f"/v1/approvals/{approval['id']}/{what}", said or None)


async def became(member: Member, quote: dict[str, Any], status: str) -> dict[str, Any]:
    now: dict[str, Any] = await eventually(
        lambda: member.get(f"/v1/quotes/{quote['id']}"), lambda now: now["status"] == status, what=f"a quote {status}"
    )
    return now


async def journal_waits(member: Member, manager: Member) -> None:
    """A journal above the limit is posted when a manager approves it."""
    limits = {"limits": [{"currency": "EUR", "amount": 100_000}]}
    await member.put("/v1/accounting/journal-limits", limits)
    sides = [{"account": "6000", "debit": 100_001}, {"account": "1000", "credit": 100_001}]
    body = {"text": "Rent", "lines": [{"currency": "EUR", **side} for side in sides]}
    refused = await member.send("POST", "/v1/accounting/journals", json=body)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:tailrace:problem:approval-needed")
    draft = await member.post("/v1/accounting/journal-drafts", body)
    await decide(manager, await waiting(manager, draft), "approve")
    now = await eventually(
        lambda: member.get(f"/v1/accounting/journal-drafts/{draft['id']}"),
        lambda now: now["status"] == "posted",
        what="the journal",
    )
    assert (await member.get(f"/v1/accounting/journals/{now['journal_id']}"))["text"] == "Rent"


async def asked_by_template(gateway: Gateway, company: Company, manager: Member, body: dict[str, Any]) -> None:
    """A quote goes by the process that the company's template names, or past everybody."""
    member, books = company.member, await hired(gateway, company, "accountant")
    process = await member.post("/v1/processes", {"key": "second-look", "name": "Second look", "source": SECOND_LOOK})
    await member.post(f"/v1/processes/{process['id']}/activate", {"number": 1, "kinds": []})
    said: dict[str, Any] = {"code": "HOUSE", "name": "House", "level": "standard", "parent_id": None}
    marks: list[str] = []
    template = await member.post(
        "/v1/templates", {**said, "settings": {"approval": {"quote": "SECOND-LOOK"}}}, marks=marks
    )
    await member.put("/v1/template-choice", {"template_id": template["id"]}, marks=marks)
    await member.get("/v1/approvals", having_seen=", ".join(marks), limit=1)
    quote = await submitted(member, body)
    approval = await waiting(books, quote)
    refused = await manager.send("PATCH", f"/v1/approvals/{approval['id']}/approve")
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:tailrace:problem:not-your-decision")
    done = await decide(books, approval, "approve")
    assert (done["status"], done["process"]) == ("approved", "second-look")
    await became(member, quote, "approved")

    marks.clear()
    await member.put(
        f"/v1/templates/{template['id']}", {**said, "settings": {"approval": {"quote": None}}}, marks=marks
    )
    await member.get("/v1/approvals", having_seen=marks[0], limit=1)
    unasked = await became(member, await submitted(member, body), "approved")
    (given,) = await member.every("/v1/approvals", document_id=unasked["id"])
    shown = await member.get(f"/v1/approvals/{given['id']}")
    assert (shown["status"], shown["process"], shown["tasks"]) == ("approved", None, [])
    assert "nobody is asked" in shown["reason"]


async def test_a_quote_goes_to_a_manager_and_back_to_its_author(gateway: Gateway) -> None:
    company = await Company.found(gateway)
    member, manager = company.member, await hired(gateway, company, "manager")
    body = await terms(company)

    quote = await submitted(member, body)
    approval = await waiting(manager, quote)
    own = await member.send("PATCH", f"/v1/approvals/{approval['id']}/approve")
    assert (own.status_code, own.json()["type"]) == (403, "urn:tailrace:problem:own-request")
    done = await decide(manager, approval, "approve")
    assert done["status"] == "approved"
    await became(member, quote, "approved")
    await member.post(f"/v1/quotes/{quote['id']}/send")

    second = await submitted(member, body)
    asked = await waiting(manager, second)
    changed = await member.send("PUT", f"/v1/quotes/{second['id']}", json={**body, "notes": "As discussed."})
    assert changed.json()["status"] == "draft"
    await eventually(
        lambda: manager.get(f"/v1/approvals/{asked['id']}"),
        lambda now: now["status"] == "voided",
        what="the old one void",
    )
    late = await manager.send("PATCH", f"/v1/approvals/{asked['id']}/approve")
    assert late.status_code == 409
    await member.post(f"/v1/quotes/{second['id']}/submit")
    rejected = await waiting(manager, second)
    await decide(manager, rejected, "reject", reason="too cheap", then="return")
    assert (await became(member, second, "draft"))["reason"] == "too cheap"

    third = await submitted(member, body)
    recalled = await waiting(manager, third)
    await member.post(f"/v1/approvals/{recalled['id']}/recall", {"reason": "too early"})
    await became(member, third, "draft")

    free = await member.post("/v1/approvals", {"title": "A forklift", "amount": 2_000_000, "currency": "EUR"})
    assert await decide(manager, free, "approve")
    own_ones = await member.every(f"/v1/approvals/requester/{(await member.get('/v1/auth/me'))['id']}")
    assert len(own_ones) == 5

    took = []
    await journal_waits(member, manager)
    for _ in range(MEASURED):
        quote = await submitted(member, body)
        approval = await waiting(manager, quote)
        began = time.perf_counter()
        await decide(manager, approval, "approve")
        await became(member, quote, "approved")
        took.append((time.perf_counter() - began) * 1000)
    print(
        f"from an answer to the document: median {statistics.median(took):.0f} ms, most {max(took):.0f} ms, of {MEASURED}"
    )
    await asked_by_template(gateway, company, manager, body)
