"""Processes on PostgreSQL: deployed in versions that stay, with incidents that are retried, timers, and instances that move."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from contracts.approvals import ApprovalMoved, ApprovalRequested, ProcessActivated
from tailrace_testing import MakeHarness, SetClock
from workflow.deploying import found, shipped
from workflow.service import service

from .conftest import AT, PROCESSES, Office, row

BPMN = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:tailrace="urn:tailrace:bpmn" targetNamespace="t">
<process id="{key}" isExecutable="true">{body}</process></definitions>"""
FLOW = '<sequenceFlow id="{0}_{1}" sourceRef="{0}" targetRef="{1}"/>'


def process(*elements: str, flows: str, key: str = "ours") -> str:
    """A BPMN file of these elements; `flows` as `a>b b>c`."""
    pairs = [pair.split(">") for pair in flows.split()]
    return BPMN.format(key=key, body="".join([*elements, *(FLOW.format(*pair) for pair in pairs)]))


START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'


def user(id: str, approvers: str = "role:manager", **more: str) -> str:
    said = " ".join(f'tailrace:{name}="{value}"' for name, value in {"approvers": approvers, **more}.items())
    return f'<userTask id="{id}" name="{id.title()}" {said}/>'


ONE_TASK = process(START, user("look"), END, flows="s>look look>e")
TWO_TASKS = process(START, user("look"), user("sign", "role:admin"), END, flows="s>look look>sign sign>e")


async def deployed(
    office: Office, source: str, *, key: str = "ours", kinds: tuple[str, ...] = ("quote",), **more: Any
) -> dict[str, Any]:
    body = {"key": key, "name": "Ours", "source": source, **more}
    made = await office.h.client.post(PROCESSES, json=body)
    assert made.status_code == 201, made.text
    return await activated(office, made.json(), 1, *kinds)


async def activated(office: Office, process: dict[str, Any], number: int, *kinds: str) -> dict[str, Any]:
    body = {"number": number, "kinds": list(kinds)}
    answer = await office.h.client.post(f"{PROCESSES}/{process['id']}/activate", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def version(office: Office, process: dict[str, Any], source: str) -> int:
    made = await office.h.client.post(f"{PROCESSES}/{process['id']}/versions", json={"source": source})
    assert made.status_code == 201, made.text
    return int(made.json()["number"])


async def migrated(office: Office, process: dict[str, Any], number: int) -> dict[str, Any]:
    answer = await office.h.client.post(f"{PROCESSES}/{process['id']}/migrate", json={"number": number})
    assert answer.status_code == 202, answer.text
    await office.h.run_jobs()
    return dict((await office.h.client.get(answer.headers["location"])).json())


async def instance(office: Office, approval: dict[str, Any]) -> dict[str, Any]:
    return dict((await office.h.client.get(f"{PROCESSES}/instances/{approval['id']}")).json())


async def test_every_company_has_the_shipped_process_and_can_fetch_its_files(office: Office) -> None:
    found = await office.process()
    assert (found["key"], found["kinds"], found["active"], found["latest"]) == ("approval", ["*"], 1, 1)
    at = f"{PROCESSES}/{found['id']}/versions/1"
    shown = (await office.h.client.get(at)).json()
    assert {"userTask", "businessRuleTask", "exclusiveGateway"} <= {
        one["kind"].partition(":")[0] for one in shown["elements"]
    }
    assert all(one["runs"] for one in shown["elements"])
    source = await office.h.client.get(f"{at}/source")
    assert (source.content, source.headers["content-type"]) == (shipped().source, "application/xml")
    matrix = (await office.h.client.get(f"{at}/matrix")).json()
    assert matrix["rules"][0]["then"]["approvers"] == "role:manager"
    assert (await office.h.client.get(f"{PROCESSES}/{found['id']}/versions/2")).status_code == 404


async def test_a_process_of_ones_own_serves_its_kinds_and_no_other(office: Office) -> None:
    await deployed(office, TWO_TASKS)
    quote = await office.approval(await office.submit())
    journal = await office.approval(await office.submit(kind="journal"))
    assert (quote["process"], journal["process"]) == ("ours", "approval")
    await office.approve("max", quote)
    assert (await office.approve("ada", quote))["status"] == "approved"
    await deployed(office, ONE_TASK.replace('"ours"', '"theirs"'), key="theirs")
    assert (await office.process("ours"))["kinds"] == []
    assert (await office.approval(await office.submit()))["process"] == "theirs"


IN_LANES = process(
    '<laneSet id="lanes"><lane id="l" name="warehouse"><flowNodeRef>pick</flowNodeRef></lane></laneSet>',
    START,
    '<userTask id="pick" name="Pick"/>',
    user("look", "=amount &gt; 5 ? 'role:director' : 'superior'"),
    user("sign", "superior,role:head of sales|role:manager", escalate="role:cfo"),
    END,
    flows="s>pick pick>look look>sign sign>e",
)


async def test_the_roles_that_a_version_names_are_told_with_it(office: Office) -> None:
    """By its tasks, in their place and when they are late, in expressions and lanes, and by its matrix."""
    ours = await deployed(office, IN_LANES)
    named = ["cfo", "director", "head of sales", "manager", "warehouse"]
    await office.submit()
    await activated(office, ours, await version(office, ours, ONE_TASK), "quote")
    await office.rule(row("user:{}|role:clerk".format(office.id("max")), escalate="role:chief"))
    steps = [{"side_by_side": [{"approvers": "role:buyer"}]}]
    free = await office.ask(steps=steps)
    steps[0]["side_by_side"][0]["approvers"] = "role:trader"
    changed = await office.people["sue"].client.put(f"{AT}/{free['id']}", json={"title": "Two", "steps": steps})
    assert changed.status_code == 200, changed.text
    told = [one.event for one in await office.h.published()]
    by_process = [(e.key, e.version_number, e.kinds, e.roles) for e in told if isinstance(e, ProcessActivated)]
    assert by_process == [
        ("approval", 1, ["*"], ["admin", "manager"]),
        ("ours", 1, ["quote"], named),
        ("ours", 2, ["quote"], ["manager"]),
        ("approval", 2, ["*"], ["chief", "clerk"]),
    ]
    assert [e.roles for e in told if isinstance(e, ApprovalRequested)] == [
        named,
        ["buyer", "chief", "clerk"],
        ["chief", "clerk", "trader"],
    ]
    await deployed(office, ONE_TASK.replace('"ours"', '"theirs"'), key="theirs")
    gave_up = [e for one in await office.h.published() if isinstance(e := one.event, ProcessActivated)][-2:]
    assert [(e.key, e.kinds, e.roles) for e in gave_up] == [
        ("ours", [], ["manager"]),
        ("theirs", ["quote"], ["manager"]),
    ]


async def test_what_began_with_a_version_goes_on_with_it(office: Office) -> None:
    ours = await deployed(office, ONE_TASK)
    old = await office.approval(await office.submit())
    await activated(office, ours, await version(office, ours, TWO_TASKS), "quote")
    new = await office.approval(await office.submit())
    assert (await office.approve("max", old))["status"] == "approved"
    assert (await office.approve("max", new))["status"] == "pending"


@pytest.mark.parametrize(
    ("source", "at_fault"),
    [
        (
            process(
                START,
                '<scriptTask id="hack" scriptFormat="python"><script>import os</script></scriptTask>',
                END,
                flows="s>hack hack>e",
            ),
            "hack",
        ),
        ('<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;">]><definitions>&b;</definitions>', "file"),
        ("not xml", "file"),
        (process(START, user("look"), END, flows="s>look look>gone"), "look_gone"),
        (process(START, *(user(f"t{i}") for i in range(250)), END, flows="s>t0 t0>e"), "ours"),
    ],
)
async def test_what_cannot_run_is_refused_and_names_the_element(office: Office, source: str, at_fault: str) -> None:
    refused = await office.h.client.post(PROCESSES, json={"key": "ours", "name": "Ours", "source": source})
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:tailrace:problem:not-runnable")
    assert any(at_fault in one["field"] for one in refused.json()["errors"]), refused.json()


async def test_what_nobody_sees_is_in_no_file_and_an_encoding_it_once_had_is_none(office: Office) -> None:
    def named(name: str) -> str:
        told = ONE_TASK.replace('name="Look"', f'name="{name}"')
        return told.replace('encoding="UTF-8"', 'encoding="Shift_JIS"')

    for hidden in ("Look&#x202E;", "Lo&#8203;ok", "Lo\u200bok"):
        refused = await office.h.client.post(PROCESSES, json={"key": "ours", "name": "Ours", "source": named(hidden)})
        assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, ["/source"]), hidden
        body = {"key": "ours", "name": "Ours", "source": ONE_TASK, "decisions": {"limits": named(hidden)}}
        refused = await office.h.client.post(PROCESSES, json=body)
        assert [each["field"] for each in refused.json()["errors"]] == ["/decisions/limits"], refused.json()
    await deployed(office, named("検収 Andr&#101;&#769;"))
    approval = await office.approval(await office.submit())
    assert [task["name"] for task in approval["tasks"]] == ["検収 André"]


async def test_an_endless_loop_and_ten_thousand_tasks_are_incidents_and_nobody_is_asked(office: Office) -> None:
    again = process(START, '<exclusiveGateway id="g"/>', '<exclusiveGateway id="h"/>', END, flows="s>g g>h h>g")
    many = process(
        START,
        '<userTask id="t" tailrace:approvers="role:manager"><multiInstanceLoopCharacteristics><loopCardinality>10000</loopCardinality>'
        "</multiInstanceLoopCharacteristics></userTask>",
        END,
        flows="s>t t>e",
    )
    for source in (again.replace('<endEvent id="e"/>', ""), many):
        body = {"key": f"k{len(source)}", "name": "Bad", "source": source}
        made = await office.h.client.post(PROCESSES, json=body)
        if made.status_code == 422:
            continue
        await activated(office, made.json(), 1, "quote")
        approval = await office.approval(await office.submit())
        assert (approval["status"], approval["tasks"]) == ("pending", [])
        assert (await instance(office, approval))["status"] == "incident"


async def test_an_incident_is_retried_once_its_cause_is_gone(office: Office) -> None:
    ours = await deployed(office, process(START, user("look", "=who"), END, flows="s>look look>e"))
    approval = await office.approval(await office.submit())
    stuck = await instance(office, approval)
    assert (stuck["status"], approval["status"], approval["tasks"]) == ("incident", "pending", [])
    assert stuck["incident"]
    again = await office.h.client.post(f"{PROCESSES}/instances/{approval['id']}/retry")
    assert (again.status_code, again.json()["status"]) == (200, "incident")
    number = await version(office, ours, ONE_TASK)
    job = await migrated(office, ours, number)
    assert job["counts"] == {"moved": 1, "refused": 0}
    assert (await instance(office, approval))["status"] == "waiting"
    assert (await office.h.client.post(f"{PROCESSES}/instances/{approval['id']}/retry")).status_code == 409
    assert (await office.approve("max", approval))["status"] == "approved"


async def test_a_cancelled_instance_voids_its_approval(office: Office) -> None:
    approval = await office.approval(await office.submit())
    at = f"{PROCESSES}/instances/{approval['id']}/cancel"
    assert (await office.h.client.post(at, json={"reason": "a mistake"})).json()["status"] == "cancelled"
    assert (await office.read(approval["id"]))["status"] == "voided"
    assert (await office.h.client.post(at, json={"reason": "again"})).status_code == 409


async def test_a_hundred_running_instances_move_and_lose_no_task(office: Office) -> None:
    ours = await deployed(office, ONE_TASK)
    approvals = [await office.approval(await office.submit()) for _ in range(100)]
    number = await version(office, ours, TWO_TASKS)
    check = await office.h.client.post(f"{PROCESSES}/{ours['id']}/migrate/check", json={"number": number})
    assert check.json() == {"would_move": 100, "obstacles": []}
    job = await migrated(office, ours, number)
    assert (job["state"], job["counts"]) == ("succeeded", {"moved": 100, "refused": 0})
    told = [each.event for each in await office.h.published() if isinstance(each.event, ApprovalMoved)]
    assert {(each.process_version, *each.roles) for each in told} == {(number, "admin", "manager")}
    assert sorted(each.approval_id for each in told) == sorted(UUID(each["id"]) for each in approvals)
    for approval in approvals[::20]:
        now = await office.read(approval["id"])
        assert [task["id"] for task in now["tasks"]] == [task["id"] for task in approval["tasks"]]
    open_ones = await office.h.admin.fetchval("SELECT count(*) FROM task WHERE status = 'open'")
    assert open_ones == 100
    for approval in approvals:
        await office.approve("max", approval)
    assert (
        await office.h.admin.fetchval("SELECT count(*) FROM task WHERE status = 'open' AND element_id = 'sign'") == 100
    )
    assert (await office.approve("ada", approvals[0]))["status"] == "approved"


async def test_what_would_lose_its_task_stays_and_the_check_says_why(office: Office) -> None:
    ours = await deployed(office, TWO_TASKS)
    stays, moves = [await office.approval(await office.submit()) for _ in range(2)]
    await office.approve("max", moves)
    number = await version(office, ours, process(START, user("sign", "role:admin"), END, flows="s>sign sign>e"))
    check = (await office.h.client.post(f"{PROCESSES}/{ours['id']}/migrate/check", json={"number": number})).json()
    assert check["would_move"] == 1
    assert {(one["instance_id"], one["element_id"]) for one in check["obstacles"]} == {(stays["id"], "look")}
    job = await migrated(office, ours, number)
    assert job["counts"] == {"moved": 1, "refused": 1}
    assert stays["id"] in job["messages"][0]
    assert (await office.approve("ada", moves))["status"] == "approved"
    await office.approve("max", stays)
    assert (await office.approve("ada", stays))["status"] == "approved"


async def test_a_day_of_a_timer_is_the_companys(office: Office, clock: SetClock) -> None:
    await office.h.count_days_in("Asia/Tokyo")
    clock("2026-11-27T12:00:00Z")
    boundary = (
        '<boundaryEvent id="late" attachedToRef="look" cancelActivity="true"><timerEventDefinition>'
        "<timeDate>2026-11-28</timeDate></timerEventDefinition></boundaryEvent>"
    )
    flows = "s>look look>e late>sign sign>e"
    await deployed(office, process(START, user("look"), user("sign", "role:admin"), boundary, END, flows=flows))
    approval = await office.approval(await office.submit())
    for moment, status in (("2026-11-27T14:59:59Z", "open"), ("2026-11-27T15:00:00Z", "cancelled")):
        clock(moment)
        await office.h.make_timers_due()
        await office.h.fire_timers()
        assert (await office.read(approval["id"]))["tasks"][0]["status"] == status, moment


async def test_a_timer_of_a_process_comes_once_however_late(office: Office, clock: SetClock) -> None:
    clock("2026-11-27T12:00:00Z")
    boundary = (
        '<boundaryEvent id="late" attachedToRef="look" cancelActivity="true"><timerEventDefinition>'
        "<timeDuration>PT1H</timeDuration></timerEventDefinition></boundaryEvent>"
    )
    source = process(
        START, user("look"), user("sign", "role:admin"), boundary, END, flows="s>look look>e late>sign sign>e"
    )
    await deployed(office, source)
    approval = await office.approval(await office.submit())
    await office.h.make_timers_due()
    await office.h.fire_timers()
    assert [task["status"] for task in (await office.read(approval["id"]))["tasks"]] == ["open"]
    clock("2026-12-24T12:00:00Z")
    await office.h.make_timers_due()
    await office.h.fire_timers()
    now = await office.read(approval["id"])
    assert [(task["name"], task["status"]) for task in now["tasks"]] == [("Look", "cancelled"), ("Sign", "open")]
    await office.h.make_timers_due()
    await office.h.fire_timers()
    assert (await office.told()).count("approval.assigned") == 2
    assert (await office.told()).count("approval.step.cancelled") == 1
    await office.approve("max", approval, 403)
    assert (await office.approve("ada", approval))["status"] == "approved"


async def test_a_process_waits_for_a_message_and_nobody_elses(office: Office) -> None:
    wait = '<message id="m" name="paid"/>'
    body = process(START, '<receiveTask id="r" messageRef="m"/>', user("look"), END, flows="s>r r>look look>e")
    await deployed(office, body.replace("<process ", f"{wait}<process "))
    approval = await office.approval(await office.submit())
    assert (approval["status"], approval["tasks"]) == ("pending", [])
    at = f"{PROCESSES}/instances/{approval['id']}/send"
    refused = await office.h.client.post(at, json={"name": "shipped"})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:tailrace:problem:message-not-awaited")
    assert (await office.h.client.post(at, json={"name": "paid"})).status_code == 200
    assert [task["name"] for task in (await office.read(approval["id"]))["tasks"]] == ["Look"]
    assert (await office.h.client.post(at, json={"name": "paid"})).status_code == 409


async def test_a_matrix_that_names_nobody_is_refused_before_it_counts(office: Office) -> None:
    refused = await office.rule(row("role:manager", when={"amount": "> > 5"}), status=422)
    assert refused["type"].endswith("not-runnable")
    assert (await office.process())["latest"] == 1
    body = {"key": "ours", "name": "Ours", "source": shipped().source.decode(), "decisions": {"matrix": "<a/>"}}
    assert (await office.h.client.post(PROCESSES, json=body)).status_code == 422


async def test_a_company_that_is_heard_of_several_times_at_once_has_one_process(make_harness: MakeHarness) -> None:
    office = Office(await make_harness(service))

    async def make() -> None:
        async with office.h.tx() as tx:
            await found(tx)

    await asyncio.gather(*(make() for _ in range(3)))
    assert (await office.process())["latest"] == 1


async def test_a_document_does_not_decide_for_itself(office: Office) -> None:
    """Where nobody is asked, what its requester wrote into it is no answer, and above all none that lets the process begin for ever."""
    await deployed(office, process(START, END, flows="s>e"))
    attributes = {"decision": "rejected", "then": "restart", "reason": "mine"}
    made = await office.approval(await office.submit(attributes=attributes))
    assert (made["status"], made["round"]) == ("approved", 1)
