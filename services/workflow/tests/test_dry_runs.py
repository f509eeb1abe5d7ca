"""Dry runs: what another matrix would change is listed before it goes live, and is what then happens."""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from contracts.approvals import ApprovalSubject
from tailrace.core.ids import uuid7
from workflow import engine, matrix, running
from workflow.deploying import compiled, shipped
from workflow.dry_runs import Outcome, foresee
from workflow.engine import deploy

from .conftest import AT, PROCESSES, Office, row
from .test_processes import END, START, process, user

ROLES = ("role:manager", "role:accountant", "role:admin", "superior|role:manager")


def some_matrix(luck: random.Random) -> matrix.Matrix:
    """Rules by kind, amount and discount, at limits that documents lie on and around."""
    rules = []
    for _ in range(luck.randint(0, 8)):
        when = {
            "kind": luck.choice(['"quote"', '"journal"', 'not("quote")', ""]),
            "amount": luck.choice([f"> {luck.randrange(0, 10) * 1000}", "[1000..5000]", "< 3000", ""]),
            "discount_rate": luck.choice(["> 0.1", "<= 0.25", "", ""]),
        }
        then: dict[str, Any] = {
            "approvers": luck.choice(ROLES),
            "step": luck.randint(1, 3),
            "mode": luck.choice(["any", "all", "quorum:2"]),
        }
        rules.append(matrix.Rule({name: test for name, test in when.items() if test}, then))
    return matrix.Matrix(["kind", "amount", "discount_rate"], rules)


def some_document(luck: random.Random) -> ApprovalSubject:
    return ApprovalSubject(
        kind=luck.choice(["quote", "journal", "free"]),
        id=uuid7(),
        number="D-1",
        sha256="a" * 64,
        amount=luck.randrange(0, 10) * 1000 + luck.choice([-1, 0, 1]),
        currency="EUR",
        requester_id=uuid7(),
        attributes=luck.choice([{}, {"discount_rate": luck.choice(["0.1", "0.100001", "0.25", "0.3"])}]),
    )


def happened(spec: dict[str, Any], subject: ApprovalSubject) -> Outcome:
    """What a process really does, when everybody who is asked agrees, over its stored state each time."""
    now = datetime.now(UTC)
    state = engine.start(spec, running.inputs(subject), now)
    steps = []
    while not state.finished:
        (task,) = state.tasks
        rows = running.requirements(task)
        steps.append(tuple(sorted(f"{one.get('mode') or 'any'} of {one['approvers']}" for one in rows)))
        state.complete(task.id, running.decided(task, "approved", None, None), now)
        state = engine.load(spec, state.dump())
    return Outcome("approved", tuple(steps))


HOLDS: dict[str, Callable[[Any], bool]] = {
    '"quote"': lambda kind: kind == "quote",
    '"journal"': lambda kind: kind == "journal",
    'not("quote")': lambda kind: kind != "quote",
    "[1000..5000]": lambda amount: 1000 <= amount <= 5000,
    "< 3000": lambda amount: amount < 3000,
    "> 0.1": lambda rate: rate is not None and rate > Decimal("0.1"),
    "<= 0.25": lambda rate: rate is not None and rate <= Decimal("0.25"),
}
"""What the tests mean, said once more without the engine; `> n` of amounts is read as it stands."""


def meant(rules: matrix.Matrix, document: ApprovalSubject) -> tuple[tuple[str, ...], ...]:
    """Who has to approve a document, by step."""
    rate = document.attributes.get("discount_rate")
    values = {
        "kind": document.kind,
        "amount": document.amount,
        "discount_rate": None if rate is None else Decimal(rate),
    }

    def holds(name: str, test: str) -> bool:
        known = HOLDS.get(test)
        return known(values[name]) if known else int(str(values[name])) > int(test.removeprefix("> "))

    by_step: dict[Any, list[str]] = {}
    for rule in rules.rules:
        if all(holds(name, test) for name, test in rule.when.items()):
            by_step.setdefault(rule.then["step"], []).append(f"{rule.then['mode']} of {rule.then['approvers']}")
    return tuple(tuple(sorted(by_step[step])) for step in sorted(by_step))


def test_a_dry_run_agrees_with_what_then_happens_over_a_thousand_documents() -> None:
    luck = random.Random(13)
    automatic = changed = 0
    for _ in range(20):
        before, after = some_matrix(luck), some_matrix(luck)
        old, new = (compiled(shipped().with_matrix(each.dmn())).spec_json for each in (before, after))
        for _ in range(50):
            document = some_document(luck)
            foreseen = foresee(new, running.inputs(document))
            assert foreseen == happened(new, document)
            assert foreseen.steps == meant(after, document)
            automatic += foreseen.automatic
            changed += foreseen != foresee(old, running.inputs(document))
    assert 50 < automatic < 950, "both ends are met"
    assert 100 < changed < 1000


def test_whom_a_process_asks_no_more_once_another_has_agreed_is_no_incident() -> None:
    both = '<parallelGateway id="both"/>'
    done = '<endEvent id="done"><terminateEventDefinition/></endEvent>'
    flows = "s>both both>one both>other one>done other>e"
    spec = deploy(process(START, both, user("one"), user("other"), done, END, flows=flows).encode()).spec_json
    foreseen = foresee(spec, running.inputs(some_document(random.Random(1))))
    assert (foreseen.end, foreseen.steps) == ("approved", (("any of role:manager",),) * 2)


async def tried(office: Office, **body: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The report of a dry run, and the documents that would be treated otherwise."""
    process = await office.process()
    answer = await office.h.client.post(f"{PROCESSES}/{process['id']}/dry-run", json=body)
    assert answer.status_code == 202, answer.text
    await office.h.run_jobs()
    job = (await office.h.client.get(answer.headers["location"])).json()
    assert job["state"] == "succeeded", job
    at = f"{PROCESSES}/dry-runs/{job['id']}"
    report = (await office.h.client.get(at)).json()
    return report, (await office.h.client.get(f"{at}/changes", params={"limit": 200})).json()["items"]


async def test_the_documents_that_a_matrix_treats_otherwise_are_listed_and_nothing_else_changes(office: Office) -> None:
    amounts = {900: "Q-900", 1_000: "Q-1000", 1_001: "Q-1001", 99_999: "Q-99999"}
    for amount, number in amounts.items():
        await office.submit(amount=amount, number=number)
    body: dict[str, Any] = {"inputs": ["amount"], "rules": [row("role:manager", when={"amount": "> 1000"})]}
    before = await office.told()
    report, changes = await tried(office, matrix=body)
    assert (report["documents"], report["changes"], report["number"]) == (4, 2, 1)
    assert [one["number"] for one in changes] == ["Q-900", "Q-1000"]
    assert changes[0]["before"] == {
        "end": "approved",
        "automatic": False,
        "steps": [["any of role:manager"]],
        "why": None,
    }
    assert (changes[0]["after"]["automatic"], changes[0]["after"]["steps"]) == (True, [])
    assert (await office.told(), (await office.process())["active"]) == (before, 1)
    await office.rule(*body["rules"], inputs=["amount"])
    for amount, number in amounts.items():
        again = await office.approval(await office.submit(amount=amount, number=number))
        assert (again["status"] == "approved") == (number in {one["number"] for one in changes})


async def test_a_dry_run_takes_a_dmn_file_or_a_version_and_documents_from_a_day_on(office: Office) -> None:
    await office.submit()
    dmn = matrix.Matrix(["amount"], []).dmn().decode()
    assert (await tried(office, dmn=dmn))[0]["changes"] == 1
    assert (await tried(office, number=1))[0]["changes"] == 0
    assert (await tried(office, dmn=dmn, since="2099-01-01T00:00:00Z"))[0]["documents"] == 0
    process = await office.process()
    for body in ({}, {"dmn": dmn, "number": 1}, {"dmn": "<a/>"}, {"number": 9}):
        refused = await office.h.client.post(f"{PROCESSES}/{process['id']}/dry-run", json=body)
        assert refused.status_code in (404, 422), body


async def test_more_documents_than_one_chunk_are_all_tried(office: Office) -> None:
    for _ in range(120):
        await office.submit()
    report, changes = await tried(office, matrix={"rules": []})
    assert (report["documents"], report["changes"], len(changes)) == (120, 120, 120)


async def test_a_plain_day_is_of_the_companys(office: Office) -> None:
    await office.submit(amount=900, number="Q-900")
    matrix = {"inputs": ["amount"], "rules": [row("role:manager", when={"amount": "> 1000"})]}
    today = (await office.h.client.get(AT)).json()["items"][0]["created_at"][:10]
    for since, documents in ((today, 1), (str(date.fromisoformat(today) + timedelta(days=1)), 0)):
        report, _ = await tried(office, matrix=matrix, since=since)
        assert (report["documents"], report["since"]) == (documents, f"{since}T00:00:00Z")
