"""Every operation of leads and opportunities once: a form is sent, leads are scored, assigned and converted, opportunities move, are won and lost."""

import hashlib
from decimal import Decimal
from typing import Any

from invariants.walk import Walker

from contracts import catalog, customers, quotes, users
from contracts.leads import LeadConverted
from tailrace.core.clock import now
from tailrace.core.ids import uuid7

LEADS, FORMS, AT, PIPES, REASONS, FORECAST = (
    "/v1/leads",
    "/v1/lead-forms",
    "/v1/opportunities",
    "/v1/pipelines",
    "/v1/opportunity-reasons",
    "/v1/forecast",
)
STAGES = [
    {"code": "OPEN", "name": "Open", "probability": "0.2"},
    {"code": "WON", "name": "Won", "kind": "won", "probability": "1"},
    {"code": "LOST", "name": "Lost", "kind": "lost", "probability": "0"},
]


async def walk(w: Walker) -> None:
    rep, ada, item = uuid7(), uuid7(), uuid7()
    joined = users.TenantCreated(tenant_id=w.tenant, slug="acme", name="Acme Ltd", currency="EUR")
    await w.tell(joined, aggregate_id=w.tenant)
    for id, name in ((rep, "Bo"), (w.user, "Me")):
        user = users.UserCreated(user_id=id, email=f"{name}@acme.example".lower(), name=name, roles=["sales"])
        await w.tell(user, aggregate_id=id)
    said: dict[str, Any] = {"kind": "company", "status": "active", "currency": "EUR", "payment_terms_days": 30}
    told = customers.CustomerCreated(customer_id=ada, number="C-1", name="Ada Works", **said)
    await w.tell(told, aggregate_id=ada)
    pieces = uuid7()
    counted = catalog.UnitCreated(
        unit_id=pieces, code="pcs", name="Piece", dimension="count", factor=Decimal(1), decimals=0
    )
    await w.tell(counted, aggregate_id=pieces)
    bolt = catalog.ItemCreated(item_id=item, sku="BOLT", name="Bolt", unit="pcs", tax_rate="0.1")
    await w.tell(bolt, aggregate_id=item)

    await _forms(w)
    await _leads(w, str(rep))
    reason = await _master_data(w)
    await _opportunities(w, str(ada), str(item), str(rep), reason)
    quota = {"owner_id": str(rep), "period": "2026-12", "currency": "EUR", "amount": 50_000}
    await w.put(f"{FORECAST}/quotas", quota)
    await w.put(f"{FORECAST}/quotas", {**quota, "period": "2026-11"})
    await w.get(f"{FORECAST}/quotas")
    await w.get(FORECAST, query={"period": "2026-12"})
    await w.post(f"{FORECAST}/recount")
    gone = users.UserDeleted(user_id=rep, successor_id=w.user)
    await w.tell(gone, aggregate_id=rep)
    await w.h.fire_timers()


async def _forms(w: Walker) -> None:
    fields = [{"key": "email", "label": "E-mail", "required": True}, {"key": "budget", "label": "Budget"}]
    body = {"code": "WEB", "name": "Contact", "fields": fields, "min_seconds": 0, "work": 10, "per_address": 1000}
    form = await w.post(FORMS, body)
    spare = await w.post(FORMS, {**body, "code": "FAIR"})
    here = f"{FORMS}/{{lead_form_id}}"
    await w.get(FORMS)
    await w.get(here, lead_form_id=form["id"])
    await w.put(here, {**body, "source": "web"}, lead_form_id=form["id"])
    await w.delete(here, lead_form_id=spare["id"])
    await w.post(f"{here}/restore", lead_form_id=spare["id"])
    path = (await w.get(f"{here}/address", lead_form_id=form["id"]))["path"]
    token = path.rpartition("/")[2]
    challenge = (await w.get(f"{LEADS}/forms/{{token}}", token=token))["challenge"]
    answers = [{"key": "email", "value": "grace@navy.example"}, {"key": "budget", "value": "10k"}]
    sent = {"challenge": challenge["token"], "solution": _solved(challenge), "answers": answers}
    await w.post(f"{LEADS}/forms/{{token}}", sent, token=token)


def _solved(challenge: dict[str, Any]) -> int:
    for number in range(challenge["largest"]):
        if hashlib.sha256(f"{challenge['salt']}{number}".encode()).hexdigest() == challenge["target"]:
            return number
    raise AssertionError("no number solves it")


async def _leads(w: Walker, rep: str) -> None:
    here = f"{LEADS}/{{lead_id}}"
    when = [{"field": "company", "test": "present"}]
    await w.put(f"{LEADS}/scoring", {"rules": [{"name": "Company", "when": when, "points": 10}]})
    await w.get(f"{LEADS}/scoring")
    await w.put(f"{LEADS}/assignment", {"rules": [{"name": "All", "user_id": rep}]})
    await w.get(f"{LEADS}/assignment")
    body = {"name": "Grace Hopper", "company": "Navy Ltd", "email": "grace@navy.example", "currency": "EUR"}
    lead = await w.post(LEADS, body)
    other = await w.post(LEADS, {**body, "name": "Ada Lovelace"})
    third = await w.post(LEADS, {**body, "name": "Mary Somerville"})
    await w.get(LEADS)
    await w.get(f"{LEADS}/search")
    await w.get(here, lead_id=lead["id"])
    await w.put(here, {**body, "note": "Builds bridges"}, lead_id=lead["id"])
    await w.get(f"{here}/duplicates", lead_id=lead["id"])
    await w.post(f"{here}/assign", {"owner_id": rep}, lead_id=lead["id"])
    await w.post(f"{here}/qualify", lead_id=lead["id"])
    conversion = {"opportunity": {"expected_close_on": "2026-12-15"}}
    await w.post(f"{here}/convert", conversion, lead_id=lead["id"])
    asked = [one.event for one in await w.h.published("crm.lead.converted", tenant=w.tenant)][-1]
    assert isinstance(asked, LeadConverted)
    which = {"lead_id": asked.lead_id, "asked_customer_id": asked.customer_id}
    refusal = customers.CustomerLeadRefused(customer_id=asked.customer_id, reason="It is deleted.", **which)
    await w.tell(refusal, aggregate_id=asked.customer_id)
    await w.post(f"{here}/lose", {"reason": "No budget"}, lead_id=other["id"])
    await w.post(f"{here}/reopen", {"reason": "They called"}, lead_id=other["id"])
    await w.delete(here, lead_id=third["id"])
    await w.imports(
        f"{LEADS}/import",
        f"{LEADS}/jobs",
        "reference,name,amount,currency\nI-1,Grace,500,EUR\nI-2,Nobody,500,\n",
        "reference,name\nI-3,Later\n",
    )


async def _master_data(w: Walker) -> str:
    here = f"{PIPES}/{{pipeline_id}}"
    body = {"code": "PARTS", "name": "Spare parts", "stages": STAGES}
    pipe = await w.post(PIPES, body)
    await w.get(PIPES)
    await w.get(here, pipeline_id=pipe["id"])
    await w.put(here, {**body, "name": "Parts"}, pipeline_id=pipe["id"])
    await w.get(f"{here}/board", pipeline_id=pipe["id"])
    await w.delete(here, pipeline_id=pipe["id"])
    await w.post(f"{here}/restore", pipeline_id=pipe["id"])
    at = f"{REASONS}/{{reason_id}}"
    reason = await w.post(REASONS, {"code": "LATE", "name": "Too late", "outcome": "lost"})
    await w.get(REASONS)
    await w.get(at, reason_id=reason["id"])
    await w.put(at, {"code": "LATE", "name": "We were late", "outcome": "lost"}, reason_id=reason["id"])
    await w.delete(at, reason_id=reason["id"])
    await w.post(f"{at}/restore", reason_id=reason["id"])
    return str(reason["id"])


async def _opportunities(w: Walker, ada: str, item: str, rep: str, reason: str) -> None:
    here = f"{AT}/{{opportunity_id}}"
    await w.put(f"{AT}/closing", {"win_on_quote": "proposed", "first_month": 4})
    await w.get(f"{AT}/closing")
    line = {"item_id": item, "quantity": "10", "unit_price": "120.5"}
    body = {"name": "A bridge", "customer_id": ada, "expected_close_on": "2026-12-15", "lines": [line]}
    bridge = await w.post(AT, body)
    tower = await w.post(AT, {**body, "name": "A tower"})
    spare = await w.post(AT, {**body, "name": "By mistake"})
    await w.get(AT)
    await w.get(f"{AT}/search")
    await w.get(here, opportunity_id=bridge["id"])
    await w.put(here, {**body, "category": "committed", "probability": "0.8"}, opportunity_id=bridge["id"])
    await w.post(f"{here}/move", {"stage": "PROPOSE"}, opportunity_id=bridge["id"])
    await w.post(f"{here}/assign", {"owner_id": rep}, opportunity_id=bridge["id"])
    for _ in range(2):
        accepted = _accepted(ada, bridge["id"])
        await w.tell(accepted, aggregate_id=accepted.quote_id)
        if _ == 0:
            await w.post(f"{here}/dismiss-proposal", opportunity_id=bridge["id"])
    await w.post(f"{here}/win", {"note": "They like it"}, opportunity_id=bridge["id"])
    await w.post(f"{here}/lose", {"reason_id": reason, "competitor": "Others"}, opportunity_id=tower["id"])
    await w.post(f"{here}/reopen", {"reason": "They came back"}, opportunity_id=tower["id"])
    await w.get(f"{here}/stages", opportunity_id=tower["id"])
    await w.delete(here, opportunity_id=spare["id"])
    await w.post(f"{here}/restore", opportunity_id=spare["id"])


def _accepted(ada: str, opportunity_id: str) -> quotes.QuoteAccepted:
    said: dict[str, Any] = {"customer_id": ada, "opportunity_id": opportunity_id, "warehouse_id": str(uuid7())}
    return quotes.QuoteAccepted(
        quote_id=uuid7(),
        number="Q-2026-00001",
        revision=1,
        customer_name="Ada Works",
        customer_reference="PO-7",
        accepted_at=now(),
        currency="EUR",
        net=1_205,
        tax=120,
        lines=[],
        **said,
    )
