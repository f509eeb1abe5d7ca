"""Every operation of workflow once: approvals are asked for, decided, given to others and recalled; processes are deployed, tried and moved."""

from typing import Any
from uuid import UUID

from invariants.walk import Walker

from contracts import users
from contracts.approvals import ApprovalSubject
from contracts.quotes import QuoteSubmitted
from tailrace.core.ids import uuid7
from workflow.deploying import shipped

AT, PROCESSES = "/v1/approvals", "/v1/processes"
ONE = f"{AT}/{{approval_id}}"


async def walk(w: Walker) -> None:
    joined = users.TenantCreated(tenant_id=w.tenant, slug="acme", name="Acme Ltd", currency="EUR")
    await w.tell(joined, aggregate_id=w.tenant)
    boss, other, asker = w.user, uuid7(), uuid7()
    for id, roles in ((boss, ["admin"]), (other, ["manager"]), (asker, ["sales"])):
        told = users.UserCreated(user_id=id, email=f"{id}@acme.example", name="Somebody", roles=roles)
        await w.tell(told, aggregate_id=id)
    await _matrix(w, boss)
    await _decisions(w, boss, other, asker)
    await _own(w, boss, other)
    await _delegations(w, other, asker)
    await _processes(w)
    await _instances(w, asker)


async def _submitted(w: Walker, asker: UUID) -> str:
    """The id of the approval of a quote that somebody submitted."""
    quote = uuid7()
    subject = ApprovalSubject(
        kind="quote", id=quote, number="Q-1/1", sha256="a" * 64, amount=5, currency="EUR", requester_id=asker
    )
    await w.tell(QuoteSubmitted(quote_id=quote, number="Q-1", revision=1, subject=subject), aggregate_id=quote)
    client = w.h.client_as(tenant=w.tenant, user=w.user)
    found = await client.get(AT, params={"document_id": str(quote)})
    return str(found.json()["items"][0]["id"])


async def _matrix(w: Walker, boss: UUID) -> None:
    """The walker decides everything from here on."""
    (process,) = (await w.get(PROCESSES, query={"key": "approval"}))["items"]
    here = f"{PROCESSES}/{{process_id}}"
    await w.get(here, process_id=process["id"])
    body = {"rules": [{"then": {"approvers": f"user:{boss}"}}]}
    await w.put(f"{here}/matrix", body, process_id=process["id"])


async def _decisions(w: Walker, boss: UUID, other: UUID, asker: UUID) -> None:
    first, second, third, fourth, fifth = [await _submitted(w, asker) for _ in range(5)]
    await w.get(AT)
    await w.get(f"{AT}/pending")
    await w.get(f"{AT}/requester/{{user_id}}", user_id=asker)
    await w.get(f"{AT}/approver/{{user_id}}", user_id=boss)
    await w.get(ONE, approval_id=first)
    await w.post(f"{ONE}/claim", approval_id=first)
    await w.post(f"{ONE}/unclaim", approval_id=first)
    for text in ("Why so cheap?", "An old customer."):
        await w.post(f"{ONE}/comments", {"text": text}, approval_id=first)
    await w.get(f"{ONE}/comments", approval_id=first)
    await w.patch(f"{ONE}/approve", {"reason": "It fits."}, approval_id=first)
    await w.patch(f"{ONE}/reject", {"reason": "too dear", "then": "return"}, approval_id=second)
    await w.post(f"{AT}/approve", {"ids": [third]})
    for id, action in ((fourth, "forward"), (fifth, "reassign")):
        shown = await w.get(ONE, approval_id=id)
        body = {"task_id": shown["tasks"][0]["id"], "to_user_id": str(other), "reason": "She knows them."}
        await w.post(f"{ONE}/{action}", body, approval_id=id)


async def _own(w: Walker, boss: UUID, other: UUID) -> None:
    steps = [{"side_by_side": [{"approvers": f"user:{other}", "mode": "any"}]}]
    body: dict[str, Any] = {"title": "A forklift", "amount": 2_000_000, "currency": "EUR", "steps": steps}
    made = await w.post(AT, body)
    await w.put(ONE, {**body, "title": "Two forklifts"}, approval_id=made["id"])
    await w.post(f"{ONE}/recall", {"reason": "too early"}, approval_id=made["id"])


async def _delegations(w: Walker, other: UUID, asker: UUID) -> None:
    at = f"{AT}/delegations"
    times = {"begins_at": "2026-01-01T00:00:00Z", "ends_at": "2099-01-01T00:00:00Z", "reason": "a holiday"}
    made = await w.post(at, {"to_user_id": str(other), **times})
    await w.post(at, {"user_id": str(other), "to_user_id": str(asker), **times})
    await w.get(at)
    await w.get(f"{at}/{{delegation_id}}", delegation_id=made["id"])
    await w.post(f"{at}/{{delegation_id}}/end", delegation_id=made["id"])


async def _processes(w: Walker) -> None:
    files = shipped()
    body: dict[str, Any] = {
        "source": files.source.decode(),
        "decisions": {"matrix": files.decisions["matrix"].decode()},
    }
    made = await w.post(PROCESSES, {"key": "journals", "name": "Journals", **body})
    ids = {"process_id": made["id"]}
    here = f"{PROCESSES}/{{process_id}}"
    await w.post(f"{here}/versions", body, **ids)
    await w.get(f"{here}/versions", **ids)
    one = f"{here}/versions/{{number}}"
    await w.get(one, number=2, **ids)
    await w.get(f"{one}/source", number=2, **ids)
    await w.get(f"{one}/matrix", number=2, **ids)
    await w.get(f"{one}/matrix/source", number=2, **ids)
    await w.post(f"{here}/activate", {"number": 2, "kinds": ["journal"]}, **ids)


async def _message(w: Walker, asker: UUID) -> None:
    """A process that waits for a message is told it."""
    source = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t"><message id="m" name="paid"/>
<process id="told" isExecutable="true"><startEvent id="s"/><receiveTask id="r" messageRef="m"/><endEvent id="e"/>
<sequenceFlow id="f" sourceRef="s" targetRef="r"/><sequenceFlow id="g" sourceRef="r" targetRef="e"/></process></definitions>"""
    client = w.h.client_as(tenant=w.tenant, user=w.user)
    made = (await client.post(PROCESSES, json={"key": "told", "name": "Told", "source": source})).json()
    await client.post(f"{PROCESSES}/{made['id']}/activate", json={"number": 1, "kinds": ["quote"]})
    waits = await _submitted(w, asker)
    await w.post(f"{PROCESSES}/instances/{{instance_id}}/send", {"name": "paid"}, instance_id=waits)
    await client.post(f"{PROCESSES}/{made['id']}/activate", json={"number": 1, "kinds": []})


async def _instances(w: Walker, asker: UUID) -> None:
    (process,) = (await w.get(PROCESSES, query={"key": "approval"}))["items"]
    ids = {"process_id": process["id"]}
    here, running = f"{PROCESSES}/{{process_id}}", f"{PROCESSES}/instances"
    cancelled = await _submitted(w, asker)
    await w.get(running)
    await w.get(f"{running}/{{instance_id}}", instance_id=cancelled)
    await w.post(f"{running}/{{instance_id}}/cancel", {"reason": "a mistake"}, instance_id=cancelled)
    stuck = await _submitted(w, asker)
    await w.h.admin.execute("UPDATE instance SET status = 'incident', incident = 'x' WHERE id = $1::uuid", stuck)
    await w.post(f"{running}/{{instance_id}}/retry", instance_id=stuck)
    await _message(w, asker)
    await w.post(f"{here}/migrate/check", {"number": 1}, **ids)
    first = await w.post(f"{here}/migrate", {"number": 1}, **ids)
    tried = [await w.post(f"{here}/dry-run", {"matrix": {"inputs": ["amount"], "rules": []}}, **ids) for _ in range(2)]
    given_up = await w.post(f"{here}/migrate", {"number": 2}, **ids)
    await w.post(f"{PROCESSES}/jobs/{{job_id}}/cancel", job_id=given_up["id"])
    await w.h.run_jobs()
    await w.get(f"{PROCESSES}/jobs")
    await w.get(f"{PROCESSES}/jobs/{{job_id}}", job_id=first["id"])
    await w.get(f"{PROCESSES}/dry-runs")
    await w.get(f"{PROCESSES}/dry-runs/{{dry_run_id}}", dry_run_id=tried[0]["id"])
    await w.get(f"{PROCESSES}/dry-runs/{{dry_run_id}}/changes", dry_run_id=tried[0]["id"])
