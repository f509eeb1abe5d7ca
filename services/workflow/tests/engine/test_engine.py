"""Each element of BPMN that runs does what the standard says, through dump and load at every step."""

import json
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

import workflow.engine as engine
from workflow.engine.timing import following, later

from .conftest import Run, bpmn

SE = '<startEvent id="s"/><endEvent id="e"/>'
USER = '<userTask id="u" name="Approve" tailrace:role="manager" tailrace:due="=amount > 100 ? \'P1D\' : \'P3D\'"/>'


def timer(after: str) -> str:
    return f"<timerEventDefinition><timeDuration>{after}</timeDuration></timerEventDefinition>"


def test_a_task_says_what_it_is_and_its_data_are_the_outcome() -> None:
    lane = '<laneSet id="ls"><lane id="l" name="Sales"><flowNodeRef>u</flowNodeRef></lane></laneSet>'
    it = Run(bpmn(lane, SE, USER, "s > u > e"), {"amount": 500})
    (task,) = it.again().tasks
    assert (task.element_id, task.name, task.kind, task.lane) == ("u", "Approve", "user", "Sales")
    assert task.attributes == {"role": "manager", "due": "P1D"} and task.data == {"amount": 500}
    it.done("u", approved=True)
    assert it.state.finished and it.state.outcome == {"amount": 500, "approved": True} and it.state.ends == ["e"]
    with pytest.raises(engine.Unexpected):
        it.state.complete(task.id, {}, it.now)


def test_an_exclusive_gateway_takes_the_first_true_flow_else_the_default() -> None:
    source = bpmn(
        SE,
        '<exclusiveGateway id="g" default="g-c"/><userTask id="a"/><userTask id="b"/><userTask id="c"/>',
        "s > g\ng > a : amount > 1000\ng > b : amount > 100\ng > c\na > e\nb > e\nc > e",
    )
    assert [Run(source, {"amount": amount}).open for amount in (5000, 500, 5)] == [["a"], ["b"], ["c"]]


def test_the_order_of_the_file_counts_also_after_the_spec_was_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = "".join(f'<userTask id="{name}"/>' for name in "zyx")
    gateway = '<exclusiveGateway id="g"/>'
    source = bpmn(SE, gateway, tasks, "s > g\ng > z : true\ng > y : true\ng > x : true\nz > e\ny > e\nx > e")
    stored = json.loads(json.dumps(engine.deploy(source).spec_json, sort_keys=True))
    monkeypatch.setattr("workflow.engine.spec._SPECS", OrderedDict())
    state = engine.start(stored, {}, datetime(2026, 3, 2, tzinfo=UTC))
    assert [task.element_id for task in state.tasks] == ["z"]


def test_a_condition_that_has_no_value_is_an_incident_that_can_be_tried_again() -> None:
    source = bpmn(
        SE, '<exclusiveGateway id="g" default="g-e"/><userTask id="a"/>', "s > g\ng > a : amount > 1000\ng > e\na > e"
    )
    it = Run(source, {})
    assert it.state.failed is not None and it.state.failed.element_id == "g" and "amount" in it.state.failed.why
    assert it.again().retry(it.now, {"amount": 2000}) == 1
    assert it.open == ["a"] and it.state.failed is None


def test_a_parallel_gateway_waits_for_all() -> None:
    source = bpmn(
        SE,
        '<parallelGateway id="g"/><parallelGateway id="j"/><userTask id="a"/><userTask id="b"/>',
        "s > g > a > j > e\ng > b > j",
    )
    it = Run(source)
    assert it.open == ["a", "b"]
    assert it.done("a").open == ["b"]
    it.done("b")
    assert it.state.finished and it.state.ends == ["e"]


def test_an_inclusive_gateway_waits_for_what_can_still_come() -> None:
    source = bpmn(
        SE,
        '<inclusiveGateway id="g" default="g-c"/><inclusiveGateway id="j"/><userTask id="a"/><userTask id="b"/><userTask id="c"/><userTask id="x"/>',
        "s > g\ng > a : n > 0\ng > b : n > 1\ng > c\na > j\nb > j\nc > j\nj > x > e",
    )
    assert Run(source, {"n": 0}).open == ["c"]
    it = Run(source, {"n": 2})
    assert it.open == ["a", "b"] and it.done("a").open == ["b"] and it.done("b").open == ["x"]


def test_a_boundary_timer_interrupts_or_runs_beside_and_fires_once() -> None:
    source = bpmn(
        SE,
        '<userTask id="u"/><userTask id="rem"/><userTask id="esc"/>',
        f'<boundaryEvent id="t1" attachedToRef="u" cancelActivity="false">{timer("PT1H")}</boundaryEvent>',
        f'<boundaryEvent id="t2" attachedToRef="u">{timer("PT5H")}</boundaryEvent>',
        "s > u > e\nt1 > rem > e\nt2 > esc > e",
    )
    it = Run(source)
    assert [(timer.element_id, timer.due - it.now) for timer in it.state.timers] == [
        ("t1", timedelta(hours=1)),
        ("t2", timedelta(hours=5)),
    ]
    assert it.wait(hours=1).open == ["rem", "u"]
    assert it.again().fire(it.now) == 0
    assert it.wait(hours=9).open == ["esc", "rem"] and it.state.timers == []


def test_a_cycle_repeats_and_does_not_make_up_for_what_was_missed() -> None:
    cycle = "<timerEventDefinition><timeCycle>R3/PT1H</timeCycle></timerEventDefinition>"
    source = bpmn(
        SE,
        '<userTask id="u"/><sendTask id="n" messageRef="M1"/>',
        f'<boundaryEvent id="t" attachedToRef="u" cancelActivity="false">{cycle}</boundaryEvent>',
        "s > u > e\nt > n",
    )
    it = Run(source)
    assert len(it.wait(hours=1).state.take_thrown()) == 1
    assert len(it.wait(minutes=130).state.take_thrown()) == 1
    assert it.state.timers == []


def test_messages_go_by_name_and_key_to_one_that_waits() -> None:
    source = bpmn(
        SE,
        '<intermediateCatchEvent id="m" tailrace:correlation="=order"><messageEventDefinition messageRef="M1"/></intermediateCatchEvent>',
        '<receiveTask id="r" messageRef="M2"/>',
        "s > m > r > e",
    )
    it = Run(source, {"order": "A1"})
    assert it.state.waits_for == [("message", "paid", "A1")]
    assert it.again().message("paid", "B2", {}, it.now) is False
    assert it.again().message("paid", "A1", {"sum": 3}, it.now) is True
    assert it.open == ["r"]
    assert it.again().message("shipped", None, {}, it.now) and it.state.outcome == {"order": "A1", "sum": 3}


def test_an_event_gateway_takes_the_first_event() -> None:
    source = bpmn(
        SE,
        '<eventBasedGateway id="g"/><intermediateCatchEvent id="m"><messageEventDefinition messageRef="M1"/></intermediateCatchEvent>',
        f'<intermediateCatchEvent id="t">{timer("P1D")}</intermediateCatchEvent><userTask id="a"/><userTask id="b"/>',
        "s > g > m > a > e\ng > t > b > e",
    )
    it = Run(source)
    assert it.again().message("paid", None, {}, it.now) and it.open == ["a"] and it.state.timers == []
    assert Run(source).wait(days=2).open == ["b"]


def test_a_signal_is_heard_by_all_that_wait() -> None:
    catch = "<signalEventDefinition signalRef='S1'/>"
    source = bpmn(
        SE,
        (
            f'<parallelGateway id="g"/><intermediateCatchEvent id="a">{catch}</intermediateCatchEvent>'
            f'<intermediateCatchEvent id="b">{catch}</intermediateCatchEvent>'
        ),
        f'<userTask id="u"/><intermediateThrowEvent id="t">{catch}</intermediateThrowEvent><userTask id="x"/><userTask id="y"/>',
        "s > g > a > x > e\ng > b > y > e\ng > u > t > e",
    )
    it = Run(source)
    assert it.open == ["u"] and it.done("u").open == ["x", "y"]
    assert [(t.kind, t.name) for t in it.state.take_thrown()] == [("signal", "stop")]


def test_links_join_what_is_apart() -> None:
    source = bpmn(
        SE,
        (
            '<intermediateThrowEvent id="l1"><linkEventDefinition name="far"/></intermediateThrowEvent>'
            '<intermediateCatchEvent id="l2"><linkEventDefinition name="far"/></intermediateCatchEvent><userTask id="u"/>'
        ),
        "s > l1\nl2 > u > e",
    )
    assert Run(source).open == ["u"]


SUB = (
    '<subProcess id="sub"><startEvent id="s1"/><userTask id="a"/><exclusiveGateway id="g1" default="g1-ok"/>'
    '<endEvent id="ok"/><endEvent id="bad"><errorEventDefinition errorRef="E1"/></endEvent><endEvent id="late">'
    '<escalationEventDefinition escalationRef="X1"/></endEvent>{}</subProcess>'
)


def sub(flows: str) -> str:
    return SUB.format(flows)


def test_errors_and_escalations_leave_a_sub_process() -> None:
    from_sub = "".join(
        f'<sequenceFlow id="{a}-{b}" sourceRef="{a}" targetRef="{b}">{f"<conditionExpression>{c}</conditionExpression>" if c else ""}</sequenceFlow>'
        for a, b, c in [
            ("s1", "a", ""),
            ("a", "g1", ""),
            ("g1", "ok", ""),
            ("g1", "bad", "how == &quot;bad&quot;"),
            ("g1", "late", "how == &quot;late&quot;"),
        ]
    )
    source = bpmn(
        SE,
        sub(from_sub),
        '<boundaryEvent id="be" attachedToRef="sub"><errorEventDefinition errorRef="E1"/></boundaryEvent>',
        '<boundaryEvent id="bx" attachedToRef="sub" cancelActivity="false"><escalationEventDefinition/></boundaryEvent>',
        '<userTask id="mend"/><userTask id="hurry"/><userTask id="next"/>',
        "s > sub > next > e\nbe > mend > e\nbx > hurry > e",
    )
    assert Run(source).done("a", how="ok").open == ["next"]
    assert Run(source).done("a", how="bad").open == ["mend"]
    assert Run(source).done("a", how="late").open == ["hurry", "next"]
    it = Run(source)
    it.again().error(it.state.tasks[0].id, "B1", {"why": "x"}, it.now)
    assert it.open == ["mend"] and it.state.data["why"] == "x"
    it = Run(source)
    it.again().error(it.state.tasks[0].id, "other", {}, it.now)
    assert it.state.failed is not None and "caught nowhere" in it.state.failed.why


def test_event_sub_processes_interrupt_or_run_beside() -> None:
    def event(ident: str, interrupting: str, definition: str) -> str:
        return (
            f'<subProcess id="{ident}" triggeredByEvent="true">'
            f'<startEvent id="{ident}s" isInterrupting="{interrupting}">{definition}</startEvent><userTask id="{ident}u"/>'
            f'<sequenceFlow id="{ident}f" sourceRef="{ident}s" targetRef="{ident}u"/></subProcess>'
        )

    source = bpmn(
        SE,
        '<userTask id="u"/>',
        event("beside", "false", '<messageEventDefinition messageRef="M1"/>'),
        event("instead", "true", timer("P1D")),
        "s > u > e",
    )
    it = Run(source)
    it.again().message("paid", None, {}, it.now)
    it.again().message("paid", None, {}, it.now)
    assert it.open == ["besideu", "besideu", "u"]
    assert it.wait(days=1).open == ["insteadu"]
    assert it.again().message("paid", None, {}, it.now) is False
    it.done("insteadu")
    assert it.state.finished


def test_what_was_done_is_undone_the_newest_first() -> None:
    source = bpmn(
        SE,
        '<userTask id="a"/><userTask id="b"/><userTask id="undo-a" isForCompensation="true"/><userTask id="undo-b" isForCompensation="true"/>',
        (
            '<boundaryEvent id="ca" attachedToRef="a"><compensateEventDefinition/></boundaryEvent>'
            '<boundaryEvent id="cb" attachedToRef="b"><compensateEventDefinition/></boundaryEvent>'
        ),
        '<association id="x1" sourceRef="ca" targetRef="undo-a"/><association id="x2" sourceRef="cb" targetRef="undo-b"/>',
        '<intermediateThrowEvent id="back"><compensateEventDefinition/></intermediateThrowEvent><userTask id="c"/>',
        "s > a > b > back > c > e",
    )
    it = Run(source)
    assert it.done("a").done("b").open == ["undo-b"]
    assert it.done("undo-b").open == ["undo-a"]
    assert it.done("undo-a").open == ["c"]


def test_a_called_process_has_data_of_its_own_and_gives_them_back() -> None:
    called = bpmn(SE, '<userTask id="inner"/>', "s > inner > e", key="other")
    source = bpmn(SE, '<callActivity id="c" calledElement="other"/><userTask id="u"/>', "s > c > u > e")
    it = Run(source, {"n": 1}, processes={"other": called})
    assert it.done("inner", n=2).open == ["u"] and it.state.data == {"n": 2}
    with pytest.raises(engine.NotRunnable) as refused:
        engine.deploy(source)
    assert refused.value.findings[0].element_id == "c"


def multi(serial: bool, until: str = "") -> str:
    condition = f"<completionCondition>{until}</completionCondition>" if until else ""
    return (
        f'<userTask id="u" tailrace:assignee="=who">'
        f'<multiInstanceLoopCharacteristics isSequential="{str(serial).lower()}" tailrace:collection="approvers"'
        f' tailrace:item="who" tailrace:into="answers">{condition}</multiInstanceLoopCharacteristics></userTask>'
    )


def test_all_any_and_quorum_of_several_approvers() -> None:
    data = {"approvers": ["ann", "bob", "cy"]}
    every = Run(bpmn(SE, multi(False), "s > u > e"), data)
    assert sorted(task.attributes["assignee"] for task in every.again().tasks) == ["ann", "bob", "cy"]
    for who in ("cy", "ann", "bob"):
        task = next(task for task in every.again().tasks if task.attributes["assignee"] == who)
        every.state.complete(task.id, {"by": who}, every.now)
    assert every.state.outcome is not None
    assert every.state.outcome["answers"] == [{"by": "ann"}, {"by": "bob"}, {"by": "cy"}]
    any_one = Run(bpmn(SE, multi(False, "results.exists(r, r.approved)"), "s > u > e"), data)
    assert not any_one.done("u", approved=False).state.finished
    assert any_one.done("u", approved=True).state.finished
    quorum = Run(bpmn(SE, multi(False, "results.filter(r, r.approved).size() &gt;= 2"), "s > u > e"), data)
    assert not quorum.done("u", approved=True).state.finished
    assert quorum.done("u", approved=True).state.finished


def test_one_after_another_and_none_at_all() -> None:
    source = bpmn(SE, multi(True, "!approved"), "s > u > e")
    it = Run(source, {"approvers": ["ann", "bob", "cy"]})
    assert [task.attributes["assignee"] for task in it.again().tasks] == ["ann"]
    it.done("u", approved=True)
    assert [task.attributes["assignee"] for task in it.again().tasks] == ["bob"]
    assert it.done("u", approved=False).state.finished
    assert Run(source, {"approvers": []}).state.outcome == {"approvers": [], "answers": []}


def test_terminate_ends_everything_in_its_scope() -> None:
    source = bpmn(
        SE,
        '<parallelGateway id="g"/><userTask id="a"/><userTask id="b"/><endEvent id="t"><terminateEventDefinition/></endEvent>',
        "s > g > a > t\ng > b > e",
    )
    it = Run(source).done("a", x=1)
    assert it.state.finished and it.state.tasks == [] and it.state.outcome == {"x": 1}


def test_services_are_named_works_and_can_break_down() -> None:
    source = bpmn(SE, '<serviceTask id="w" tailrace:work="invoice.post"/>', "s > w > e")
    it = Run(source, works={"invoice.post"})
    (task,) = it.again().tasks
    assert (task.kind, task.work) == ("service", "invoice.post")
    it.state.break_down(task.id, "the ledger is closed", it.now)
    assert it.again().failed is not None and it.state.tasks == []
    assert it.state.retry(it.now) == 1
    assert it.done("w", number=7).state.finished
    with pytest.raises(engine.NotRunnable, match=r"no work called invoice\.post"):
        engine.deploy(source, works={"other"})


@pytest.mark.parametrize(
    ("kind", "text", "due"),
    [
        ("timeDate", "2026-04-01", "2026-03-31T15:00:00+00:00"),
        ("timeDate", "2026-04-01T09:00:00", "2026-04-01T00:00:00+00:00"),
        ("timeDate", "2026-04-01T09:00:00Z", "2026-04-01T09:00:00+00:00"),
        ("timeDate", "=day", "2026-04-30T15:00:00+00:00"),
        ("timeCycle", "R3/2026-04-01T09:00:00/P1D", "2026-04-01T00:00:00+00:00"),
        ("timeDuration", "P1D", "2026-03-03T09:00:00+00:00"),
        ("timeDuration", "PT24H", "2026-03-03T09:00:00+00:00"),
    ],
)
def test_a_day_that_names_no_zone_is_one_of_who_started_it(kind: str, text: str, due: str) -> None:
    timer = f"<timerEventDefinition><{kind}>{text}</{kind}></timerEventDefinition>"
    source = bpmn(f'<startEvent id="s"/><intermediateCatchEvent id="t">{timer}</intermediateCatchEvent>', "s > t")
    spec = engine.deploy(source).spec_json
    state = engine.start(spec, {"day": "2026-05-01"}, datetime(2026, 3, 2, 9, tzinfo=UTC), zone="Asia/Tokyo")
    kept = engine.load(spec, state.dump())
    assert [each.due.isoformat() for each in kept.timers] == [due]


@pytest.mark.parametrize(
    ("zone", "begin", "duration", "due"),
    [
        # The clocks go back on 25 October and forward on 29 March; 18:00 is 16:00 and 17:00 in UTC.
        ("Europe/Berlin", "2026-10-24T16:00Z", "P1D", "2026-10-25T17:00Z"),
        ("Europe/Berlin", "2026-10-24T16:00Z", "PT24H", "2026-10-25T16:00Z"),
        ("Europe/Berlin", "2026-10-24T16:00Z", "P1DT1H", "2026-10-25T18:00Z"),
        # The second half past two, and an hour later.
        ("Europe/Berlin", "2026-10-25T01:30Z", "PT1H", "2026-10-25T02:30Z"),
        ("Europe/Berlin", "2026-03-28T17:00Z", "P1W", "2026-04-04T16:00Z"),
        ("Europe/Berlin", "2026-03-28T01:30Z", "P1D", "2026-03-29T01:30Z"),
        # 1 March, one o'clock.
        ("Asia/Tokyo", "2026-02-28T16:00Z", "P1M", "2026-03-31T16:00Z"),
        ("Asia/Tokyo", "2026-01-31T03:00Z", "P1M", "2026-02-28T03:00Z"),
    ],
)
def test_days_and_months_go_by_the_calendar_and_hours_by_the_clock(
    zone: str, begin: str, duration: str, due: str
) -> None:
    assert later(datetime.fromisoformat(begin), duration, zone) == datetime.fromisoformat(due)


@pytest.mark.parametrize("rounds", [3, 2_000])
def test_a_daily_round_comes_at_the_same_time_of_day_however_many_were_missed(rounds: int) -> None:
    # The first of these days has 23 hours.
    last = datetime(2026, 3, 28, 8, tzinfo=UTC)
    now = last + timedelta(days=rounds)
    next_round = following(last, "P1D", -1, now, "Europe/Berlin")
    assert next_round is not None
    found, _ = next_round
    assert found.astimezone(ZoneInfo("Europe/Berlin")).hour == 9
    assert now < found <= now + timedelta(days=1)
