"""Scopes inside one another: what is undone, cancelled, repeated and caught there, and what starts them."""

import pytest

import workflow.engine as engine

from .conftest import Run, bpmn, flows

SE = '<startEvent id="s"/><endEvent id="e"/>'


def undone(ident: str) -> str:
    """An activity that can be undone by `undo-…`."""
    return (
        f'<userTask id="{ident}"/><boundaryEvent id="c-{ident}" attachedToRef="{ident}"><compensateEventDefinition/></boundaryEvent>'
        f'<userTask id="undo-{ident}" isForCompensation="true"/><association id="as-{ident}" sourceRef="c-{ident}" targetRef="undo-{ident}"/>'
    )


def test_a_named_activity_alone_is_undone_and_once() -> None:
    throw = '<intermediateThrowEvent id="{}"><compensateEventDefinition{}/></intermediateThrowEvent>'
    source = bpmn(
        SE,
        undone("a") + undone("b"),
        throw.format("t1", ' activityRef="a"') + throw.format("t2", ""),
        "s > a > b > t1 > t2 > e",
    )
    it = Run(source).done("a").done("b")
    assert it.open == ["undo-a"] and it.done("undo-a").open == ["undo-b"]
    assert it.done("undo-b").state.finished


def test_nothing_to_undo_goes_on() -> None:
    source = bpmn(
        SE,
        undone("a"),
        '<intermediateThrowEvent id="t"><compensateEventDefinition/></intermediateThrowEvent>',
        "s > t > a > e",
    )
    assert Run(source).open == ["a"]


def test_what_a_finished_sub_process_did_is_undone_with_the_data_of_each_instance() -> None:
    inner = undone("a") + '<startEvent id="s1"/>' + flows("s1 > a")
    sub = f'<subProcess id="x"><multiInstanceLoopCharacteristics isSequential="true" tailrace:collection="xs" tailrace:item="x"/>{inner}</subProcess>'
    end = '<endEvent id="t"><compensateEventDefinition/></endEvent>'
    it = Run(bpmn(SE, sub, end, "s > x > t"), {"xs": [1, 2]}).done("a", k="one").done("a", k="two")
    assert [(task.element_id, task.data["x"], task.data["k"]) for task in it.again().tasks] == [("undo-a", 2, "two")]
    it.done("undo-a")
    assert [(task.element_id, task.data["x"]) for task in it.again().tasks] == [("undo-a", 1)]
    assert it.done("undo-a").state.finished


def test_an_event_sub_process_undoes_its_sub_process_in_place_of_what_is_in_it() -> None:
    handler = (
        '<subProcess id="h" triggeredByEvent="true"><startEvent id="hs"><compensateEventDefinition/></startEvent><userTask id="first"/>'
        f'<intermediateThrowEvent id="ht"><compensateEventDefinition/></intermediateThrowEvent>{flows("hs > first > ht")}</subProcess>'
    )
    sub = f'<subProcess id="x"><startEvent id="s1"/>{undone("a")}{flows("s1 > a")}{handler}</subProcess>'
    back = '<intermediateThrowEvent id="t"><compensateEventDefinition/></intermediateThrowEvent>'
    it = Run(bpmn(SE, sub, back, "s > x > t > e")).done("a")
    assert it.open == ["first"] and it.done("first").open == ["undo-a"]
    assert it.done("undo-a").state.finished


def test_a_cancelled_transaction_is_undone_and_left_by_its_cancel_event() -> None:
    gateway = '<exclusiveGateway id="g" default="g-done"/><endEvent id="done"/><endEvent id="no"><cancelEventDefinition/></endEvent>'
    inner = f'<startEvent id="s1"/>{undone("a")}<userTask id="b"/>{gateway}' + flows(
        "s1 > a > b > g > done\ng > no : !ok"
    )
    caught = '<boundaryEvent id="c" attachedToRef="x"><cancelEventDefinition/></boundaryEvent><userTask id="after"/>'
    source = bpmn(SE, f'<transaction id="x">{inner}</transaction>', caught, "s > x > e\nc > after > e")
    it = Run(source).done("a").done("b", ok=False)
    assert it.open == ["undo-a"] and it.done("undo-a").open == ["after"]
    assert Run(source).done("a").done("b", ok=True).state.ends == ["e"]


@pytest.mark.parametrize(
    ("before", "most", "times"), [("false", "", 3), ("true", "", 2), ("false", 'loopMaximum="2"', 2)]
)
def test_a_loop_repeats_while_its_condition_is_true(before: str, most: str, times: int) -> None:
    loop = (
        f'<standardLoopCharacteristics testBefore="{before}" {most}>'
        f"<loopCondition>loopCounter &lt; {times}</loopCondition></standardLoopCharacteristics>"
    )
    it = Run(bpmn(SE, f'<userTask id="u">{loop}</userTask>', "s > u > e"), {})
    count = 0
    while not it.again().finished:
        count += 1
        it.done("u", turn=count)
    assert count == times and it.state.outcome == {"turn": times}


def test_a_condition_that_becomes_true_interrupts_or_catches() -> None:
    event = "<conditionalEventDefinition><condition>alarm</condition></conditionalEventDefinition>"
    source = bpmn(
        SE,
        (
            f'<parallelGateway id="g"/><userTask id="u"/><userTask id="w"/>'
            f'<boundaryEvent id="b" attachedToRef="u">{event}</boundaryEvent><userTask id="x"/>'
        ),
        f'<intermediateCatchEvent id="c">{event}</intermediateCatchEvent><userTask id="y"/>',
        "s > g > u > e\ng > w > e\ng > c > y > e\nb > x > e",
    )
    it = Run(source)
    assert it.open == ["u", "w"]
    assert it.done("w", alarm=True).open == ["x", "y"]


def test_an_error_in_one_instance_ends_them_all() -> None:
    many = '<multiInstanceLoopCharacteristics tailrace:collection="xs" tailrace:item="x"/>'
    caught = '<boundaryEvent id="b" attachedToRef="u"><errorEventDefinition errorRef="E1"/></boundaryEvent><userTask id="mend"/>'
    it = Run(bpmn(SE, f'<userTask id="u">{many}</userTask>', caught, "s > u > e\nb > mend > e"), {"xs": [1, 2, 3]})
    assert it.open == ["u", "u", "u"]
    it.again().error(it.state.tasks[1].id, "B1", {}, it.now)
    assert it.open == ["mend"]


def test_the_nearest_that_wants_it_catches_an_error() -> None:
    def handler(ident: str, error: str) -> str:
        start = f'<startEvent id="{ident}s"><errorEventDefinition {error}/></startEvent>'
        return f'<subProcess id="{ident}" triggeredByEvent="true">{start}<userTask id="{ident}u"/>{flows(f"{ident}s > {ident}u")}</subProcess>'

    def source(inner: str) -> bytes:
        sub = f'<subProcess id="x"><startEvent id="s1"/><userTask id="a"/>{flows("s1 > a")}{inner}</subProcess>'
        return bpmn(SE, sub, handler("outer", ""), "s > x > e")

    it = Run(source(handler("inner", 'errorRef="E1"')))
    it.again().error(it.state.tasks[0].id, "B1", {}, it.now)
    assert it.open == ["inneru"]
    it.again().error(it.state.tasks[0].id, "B1", {}, it.now)
    assert it.open == ["outeru"]
    it.again().error(it.state.tasks[0].id, "B1", {}, it.now)
    assert it.state.failed is not None and it.state.failed.element_id == "outeru"


def test_terminate_ends_its_sub_process_alone() -> None:
    inner = (
        '<startEvent id="s1"/><parallelGateway id="g1"/><userTask id="a"/><userTask id="b"/><endEvent id="t">'
        "<terminateEventDefinition/></endEvent>"
    )
    source = bpmn(
        SE,
        f'<subProcess id="x">{inner}{flows("s1 > g1 > a > t" + chr(10) + "g1 > b")}</subProcess><userTask id="u"/>',
        "s > x > u > e",
    )
    assert Run(source).done("a").open == ["u"]


def test_a_task_with_several_flows_goes_on_by_all_whose_condition_is_true() -> None:
    tasks = '<userTask id="a" default="a-d"/><userTask id="b"/><userTask id="c"/><userTask id="d"/>'
    source = bpmn(SE, tasks, "s > a\na > b : n > 1\na > c : n > 2\na > d\nb > e\nc > e\nd > e")
    assert [Run(source).done("a", n=n).open for n in (0, 2, 3)] == [["d"], ["b"], ["b", "c"]]
    split = bpmn(SE, '<userTask id="a"/><userTask id="b"/><userTask id="c"/>', "s > a > b > e\na > c > e")
    assert Run(split).done("a").open == ["b", "c"]


def test_what_nothing_leads_to_starts_a_process_without_a_start_event() -> None:
    assert Run(bpmn('<userTask id="a"/><userTask id="b"/><userTask id="c"/>', "a > c")).open == ["a", "b"]


def test_a_process_starts_where_it_is_asked_to() -> None:
    starts = (
        '<startEvent id="m"><messageEventDefinition messageRef="M1"/></startEvent>'
        '<startEvent id="t"><timerEventDefinition><timeCycle>R/P1D</timeCycle></timerEventDefinition></startEvent>'
    )
    source = bpmn(
        SE, starts, '<userTask id="a"/><userTask id="b"/><userTask id="c"/>', "s > a > e\nm > b > e\nt > c > e"
    )
    deployment = engine.deploy(source)
    assert [(start.element_id, start.event, start.name) for start in deployment.starts] == [
        ("s", "none", None),
        ("m", "message", "paid"),
        ("t", "timer", None),
    ]
    assert [Run(source, at=at).open for at in (None, "s", "m", "t")] == [["a"], ["a"], ["b"], ["c"]]
    with pytest.raises(engine.Unexpected):
        Run(source, at="a-e")


def test_a_cancelled_instance_waits_for_nothing() -> None:
    it = Run(bpmn(SE, '<userTask id="u"/>', "s > u > e"), {"n": 1})
    it.again().cancel()
    it.again()
    assert (it.state.status, it.state.tasks, it.state.timers, it.state.data) == ("cancelled", [], [], {"n": 1})
    with pytest.raises(engine.Unexpected):
        it.state.message("paid", None, {}, it.now)


def test_what_a_handler_throws_is_not_caught_by_itself() -> None:
    late = '<escalationEventDefinition escalationRef="X1"/>'
    start = f'<startEvent id="hs" isInterrupting="false">{late}</startEvent>'
    again = f'<intermediateThrowEvent id="ht">{late}</intermediateThrowEvent><userTask id="hu"/>{flows("hs > ht > hu")}'
    handler = f'<subProcess id="h" triggeredByEvent="true">{start}{again}</subProcess>'
    it = Run(
        bpmn(
            SE,
            f'<intermediateThrowEvent id="t">{late}</intermediateThrowEvent><userTask id="u"/>',
            handler,
            "s > t > u > e",
        )
    )
    assert it.open == ["hu", "u"] and it.state.failed is None
