"""What a stranger's file may not do: each is refused at deployment with the element named, or bounded while it runs."""

import time
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

import workflow.engine as engine

from .conftest import Run, bpmn

SIGNAL = '<signalEventDefinition signalRef="S1"/>'
SE = '<startEvent id="s"/><endEvent id="e"/>'


def refused(source: bytes, **options: Any) -> dict[str | None, engine.Finding]:
    with pytest.raises(engine.NotRunnable) as error:
        engine.deploy(source, **options)
    return {finding.element_id: finding for finding in error.value.findings}


def test_a_script_is_refused_and_never_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    script = f"open({str(mark)!r}, 'w')"
    found = refused(bpmn(SE, f'<scriptTask id="sc"><script>{script}</script></scriptTask>', "s > sc > e"))
    assert found["sc"].element == "scriptTask" and found["sc"].line == 1 and "never run" in found["sc"].why
    deployment = engine.deploy(
        bpmn(SE, f'<scriptTask id="sc"><script>{script}</script></scriptTask>', "s > sc > e"), lenient=True
    )
    assert "open(" not in str(deployment.spec_json) and not mark.exists()


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os').system('id')",
        "amount.__class__ == 1 +",
        "1 +",
        "x" * 1001,
        "[1].all(a, [1].all(b, [1].all(c, true)))",
        "(" * 101 + "1" + ")" * 101,
    ],
)
def test_expressions_that_are_no_cel_or_cost_too_much_are_refused(expression: str) -> None:
    found = refused(
        bpmn(
            SE,
            '<exclusiveGateway id="g" default="g-e"/><userTask id="a"/>',
            f"s > g\ng > a : {expression}\ng > e\na > e",
        )
    )
    assert "g-a" in found


@pytest.mark.parametrize("text", ["[" * 20_000, '{"a": ' * 20_000, "{", "[]"])
def test_start_data_that_is_no_json_object_is_refused(text: str) -> None:
    said = f'<extensionElements><tailrace:property name="startData" value="{escape(text, {chr(34): "&quot;"})}"/></extensionElements>'
    assert "startData" in refused(bpmn(said, SE, "s > e"))[""].why


def test_python_inside_cel_reaches_nothing() -> None:
    source = bpmn(
        SE,
        '<exclusiveGateway id="g" default="g-e"/><userTask id="a"/>',
        "s > g\ng > a : amount.__class__.__bases__ == 1\ng > e\na > e",
    )
    it = Run(source, {"amount": 1})
    assert it.state.failed is not None and it.state.failed.element_id == "g"


def test_an_expression_over_long_lists_is_stopped_before_it_runs() -> None:
    source = bpmn(
        SE,
        '<exclusiveGateway id="g" default="g-e"/><userTask id="a"/>',
        "s > g\ng > a : xs.all(a, xs.all(b, a + b >= 0))\ng > e\na > e",
    )
    begun = time.process_time()
    it = Run(source, {"xs": list(range(20_000))})
    assert it.state.failed is not None and "go round" in it.state.failed.why
    assert time.process_time() - begun < 2
    assert Run(source, {"xs": list(range(100))}).open == ["a"]


def test_a_regular_expression_that_explodes_elsewhere_does_not() -> None:
    source = bpmn(
        SE,
        '<exclusiveGateway id="g" default="g-e"/><userTask id="a"/>',
        's > g\ng > a : text.matches("(a+)+$")\ng > e\na > e',
    )
    begun = time.process_time()
    Run(source, {"text": "a" * 5000 + "b"})
    assert time.process_time() - begun < 2


LOL = '<!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'


def test_document_types_entities_and_bombs_are_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hidden")
    plain = bpmn(SE, "s > e")
    external = f'<!DOCTYPE x [<!ENTITY f SYSTEM "file://{secret}">]>'
    for head in (LOL, external, '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">', "<!DOCTYPE x>"):
        body = plain.replace(b'id="s"', b'id="s" name="&c;"') if head is LOL else plain
        for ask in (engine.deploy, engine.inspect):
            with pytest.raises(engine.NotRunnable) as error:
                ask(head.encode() + body)
            assert "hidden" not in str(error.value)


@pytest.mark.parametrize(
    "source",
    [b"", b"<", b"not xml", b"<a/>", b"\x00" * 10, b'<definitions xmlns="x"/>', "<a>\ud7ff</b>".encode("utf-16")],
)
def test_what_is_no_bpmn_is_refused(source: bytes) -> None:
    with pytest.raises(engine.NotRunnable):
        engine.deploy(source)


def test_files_have_a_size_a_depth_and_a_number_of_nodes() -> None:
    assert "bytes" in str(refused(bpmn(SE, f"<documentation>{'x' * 1_000_001}</documentation>", "s > e")))
    assert "deep" in str(refused(bpmn(SE, "<subProcess>" * 60 + "</subProcess>" * 60, "s > e")))
    chain = [f"n{number}" for number in range(199)]
    found = refused(bpmn(SE, "".join(f'<userTask id="{name}"/>' for name in chain), " > ".join(["s", *chain, "e"])))
    assert "200 flow nodes" in found["p"].why
    assert engine.deploy(
        bpmn(SE, "".join(f'<userTask id="{name}"/>' for name in chain[:198]), " > ".join(["s", *chain[:198], "e"]))
    )


def test_a_chain_of_as_many_nodes_as_may_be_runs() -> None:
    chain = [f"n{number}" for number in range(198)]
    it = Run(
        bpmn(SE, "".join(f'<intermediateThrowEvent id="{name}"/>' for name in chain), " > ".join(["s", *chain, "e"]))
    )
    assert it.state.finished


def test_an_endless_loop_without_a_wait_is_an_incident() -> None:
    source = bpmn(
        SE, '<exclusiveGateway id="g"/><exclusiveGateway id="h" default="h-g"/>', "s > g > h > g\nh > e : stop"
    )
    begun = time.process_time()
    it = Run(source, {"stop": False})
    assert it.state.failed is not None and "5,000 steps" in it.state.failed.why and time.process_time() - begun < 5
    it.state.retry(it.now, {"stop": True})
    assert it.state.finished


def test_a_loop_that_doubles_is_an_incident() -> None:
    source = bpmn(SE, '<exclusiveGateway id="g"/><parallelGateway id="h"/>', "s > g > h > g\nh > e")
    doubling = bpmn(
        SE, '<exclusiveGateway id="g"/><parallelGateway id="h"/><exclusiveGateway id="i"/>', "s > g > h > g\nh > i > g"
    )
    for it in (Run(source), Run(doubling)):
        assert it.state.failed is not None and len(str(it.state.dump())) < 1_000_000


def many(how: str) -> str:
    return f'<userTask id="u"><multiInstanceLoopCharacteristics {how}</multiInstanceLoopCharacteristics></userTask>'


@pytest.mark.parametrize("serial", ["true", "false"])
def test_ten_thousand_tasks_are_an_incident(serial: str) -> None:
    by_number = bpmn(SE, many(f'isSequential="{serial}"><loopCardinality>10000</loopCardinality>'), "s > u > e")
    by_list = bpmn(SE, many(f'isSequential="{serial}" tailrace:collection="xs">'), "s > u > e")
    for it in (Run(by_number), Run(by_list, {"xs": list(range(10_000))})):
        assert it.state.failed is not None and "10,000 times" in it.state.failed.why and it.state.tasks == []
    it.state.retry(it.now, {"xs": [1, 2]})
    assert len(it.state.tasks) == (1 if serial == "true" else 2)


def test_repetition_inside_repetition_is_bounded() -> None:
    inner = many('isSequential="false"><loopCardinality>100</loopCardinality>')
    sub = (
        f'<subProcess id="x"><multiInstanceLoopCharacteristics><loopCardinality>100</loopCardinality>'
        f"</multiInstanceLoopCharacteristics>{inner}</subProcess>"
    )
    it = Run(bpmn(SE, sub, "s > x > e"))
    assert it.state.failed is not None and len(it.state.tasks) <= 1_000


def test_a_process_that_calls_itself_is_bounded() -> None:
    it = Run(bpmn(SE, '<callActivity id="c" calledElement="p"/>', "s > c > e"))
    assert it.state.failed is not None and "inside one another" in it.state.failed.why


def test_data_are_bounded_and_a_refused_step_changes_nothing() -> None:
    it = Run(bpmn(SE, '<userTask id="u"/>', "s > u > e"))
    before = it.state.dump()
    for data in ({"x": "y" * 300_000}, {"x": float("nan")}, {"x": object()}):
        with pytest.raises(engine.Unevaluable):
            it.state.complete(it.state.tasks[0].id, data, it.now)
    both = Run(bpmn(SE, '<userTask id="u"/><userTask id="v"/>', "s > u > v > e")).done("u", x="y" * 200_000)
    kept = both.state.dump()
    with pytest.raises(engine.Unevaluable):
        both.state.complete(both.state.tasks[0].id, {"z": "y" * 100_000}, both.now)
    assert both.state.dump() == kept
    nested: dict[str, Any] = {}
    for _ in range(30):
        nested = {"x": nested}
    with pytest.raises(engine.Unevaluable):
        it.state.complete(it.state.tasks[0].id, nested, it.now)
    assert it.state.dump() == before


@pytest.mark.parametrize(
    ("parts", "at", "why"),
    [
        (('<sequenceFlow id="f" sourceRef="s" targetRef="gone"/>',), "f", "nothing"),
        (('<serviceTask id="w"/>', "s > w > e"), "w", "no work"),
        (('<businessRuleTask id="b" tailrace:decision="none"/>', "s > b > e"), "b", "not there"),
        (('<exclusiveGateway id="g"/><userTask id="a"/>', "s > g > e\ng > a"), "g-e", "without a condition"),
        (('<task id="t"/>', "s > t > e"), "t", "no type"),
        (('<complexGateway id="x"/>', "s > x > e"), "x", "activation"),
        (('<adHocSubProcess id="x"><userTask id="y"/></adHocSubProcess>', "s > x > e"), "x", "offered"),
        ((f'<boundaryEvent id="b" attachedToRef="gone">{SIGNAL}</boundaryEvent>', "s > e"), "b", "no activity"),
        (('<intermediateThrowEvent id="l"><linkEventDefinition name="x"/></intermediateThrowEvent>', "s > l"), "l", "no link"),
        (('<eventBasedGateway id="g"/><userTask id="u"/>', "s > g > u > e"), "g", "events"),
        (('<subProcess id="x"/>', "s > x > e"), "x", "nothing starts"),
        (('<userTask id="u"/>', '<sequenceFlow id="f" sourceRef="u" targetRef="s"/>', "s > u > e"), "f", "startEvent"),
        (('<intermediateCatchEvent id="c"/>', "s > c > e"), "c", "nothing to wait"),
        (('<boundaryEvent id="b" attachedToRef="u"><timerEventDefinition/></boundaryEvent><userTask id="u"/>', "s > u > e"), "b", "no time"),
        (('<userTask id="s"/>', "s > e"), "s", "same id"),
        (("<userTask/>", "s > e"), "", "no id"),
        (("s > e\ns > e",), "s-e", "same id"),
        (('<endEvent id="x"><cancelEventDefinition/></endEvent>', "s > x"), "x", "in one"),
        (('<userTask id="u"><multiInstanceLoopCharacteristics/></userTask>', "s > u > e"), "u", "how often"),
    ],
)  # fmt: skip
def test_what_cannot_run_is_refused_naming_the_element(parts: tuple[str, ...], at: str, why: str) -> None:
    found = refused(bpmn(SE, *parts))
    assert why in found[at].why


def test_all_findings_are_told_at_once() -> None:
    assert {"a", "b", "g"} <= set(
        refused(bpmn(SE, '<task id="a"/><scriptTask id="b"/><complexGateway id="g"/>', "s > a > b > g > e"))
    )


def test_arrivals_that_can_come_no_more_are_an_incident() -> None:
    source = bpmn(
        SE,
        '<exclusiveGateway id="g" default="g-j"/><userTask id="a"/><parallelGateway id="j"/>',
        "s > g\ng > a : n > 0\ng > j\na > j > e",
    )
    it = Run(source, {"n": 0})
    assert it.state.failed is not None and it.state.failed.element_id == "j" and "no more" in it.state.failed.why


def test_reminders_that_nobody_takes_end_before_the_instance_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflow.engine.limits.MAX_TOKENS", 20)
    cycle = "<timerEventDefinition><timeCycle>R/PT1M</timeCycle></timerEventDefinition>"
    boundary = f'<boundaryEvent id="t" attachedToRef="u" cancelActivity="false">{cycle}</boundaryEvent>'
    it = Run(bpmn(SE, '<userTask id="u"/><userTask id="r"/>', boundary, "s > u > e\nt > r"))
    for _ in range(30):
        it.wait(minutes=1)
    assert it.open == ["r"] * 19 + ["u"] and it.state.timers == [] and it.state.failed is None
    assert it.done("u").open == ["r"] * 19


BOUNDARY = '<boundaryEvent id="t" attachedToRef="u"><timerEventDefinition><{0}>{1}</{0}></timerEventDefinition></boundaryEvent>'


@pytest.mark.parametrize("kind", ["timeDate", "timeDuration", "timeCycle"])
@pytest.mark.parametrize(
    "time",
    [
        "P1",
        "PT",
        "P9999999Y",
        "P99999999D",
        "P" + "9" * 5000 + "D",
        "P٣D",
        "R" + "9" * 5000 + "/P1D",
        "R²/P1D",
        "R3/PT0S",
        "R/P1DT",
        "3 days",
        "2026-13-01",
        "=1 +",
        "open('x')",
    ],
)
def test_a_time_that_is_none_is_refused(kind: str, time: str) -> None:
    assert "t" in refused(bpmn(SE, '<userTask id="u"/>', BOUNDARY.format(kind, time), "s > u > e\nt > e"))


@pytest.mark.parametrize("kind", ["timeDate", "timeDuration", "timeCycle"])
@pytest.mark.parametrize("time", ["1", "true", 'duration("876000000h")', "gone", "'P1'"])
def test_an_expression_that_gives_no_time_is_an_incident_at_its_task(kind: str, time: str) -> None:
    it = Run(bpmn(SE, '<userTask id="u"/>', BOUNDARY.format(kind, time), "s > u > e\nt > e"))
    assert it.state.failed is not None and it.state.failed.element_id == "u" and it.state.tasks == []


@pytest.mark.parametrize("attribute", ["due", "correlation", "payload"])
def test_attributes_that_are_no_expressions_are_refused(attribute: str) -> None:
    found = refused(bpmn(SE, f'<userTask id="u" tailrace:{attribute}="=1 +"/>', "s > u > e"))
    assert "CEL" in found["u"].why
