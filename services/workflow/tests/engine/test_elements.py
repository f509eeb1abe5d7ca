"""What the page says of each element is what the engine does with it."""

from pathlib import Path

import pytest

import workflow.engine as engine
from workflow.engine import limits
from workflow.engine.elements import ACTIVITIES, ELEMENTS, FLOW_NODES, Runs, page

from .conftest import bpmn

PAGE = Path(__file__).parents[4] / "docs/explanation/processes.md"


def test_the_page_has_the_table() -> None:
    found = PAGE.read_text().split("<!-- elements -->\n")[1].split("\n<!-- /elements -->")[0]
    assert found == page().strip(), "write it again from workflow.engine.elements.page()"


def test_the_page_has_the_bounds() -> None:
    text = PAGE.read_text()
    for bound in (
        limits.MAX_NODES,
        limits.MAX_EXPRESSION,
        limits.MAX_EVALUATIONS,
        limits.MAX_STEPS,
        limits.MAX_INSTANCES,
        limits.MAX_TOKENS,
        limits.MAX_DEPTH,
    ):
        assert f"| {bound:,}" in text


def test_every_flow_node_is_in_the_table() -> None:
    assert set(ELEMENTS) >= FLOW_NODES >= ACTIVITIES


EVENTS = {
    "message": '<messageEventDefinition messageRef="M1"/>',
    "timer": "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>",
    "signal": '<signalEventDefinition signalRef="S1"/>',
    "conditional": "<conditionalEventDefinition><condition>n == 1</condition></conditionalEventDefinition>",
    "error": '<errorEventDefinition errorRef="E1"/>',
    "escalation": '<escalationEventDefinition escalationRef="X1"/>',
    "compensate": "<compensateEventDefinition/>",
    "link": '<linkEventDefinition name="x"/>',
    "terminate": "<terminateEventDefinition/>",
    "cancel": "<cancelEventDefinition/>",
}
SE = '<startEvent id="s"/><endEvent id="e"/>'
UNDO = '<userTask id="undo" isForCompensation="true"/><association id="as" sourceRef="x" targetRef="undo"/>'


def around(tag: str, kind: str) -> bytes:
    """A process with this event where it belongs."""
    event = EVENTS[kind]
    if tag == "boundaryEvent":
        inner = '<startEvent id="s1"/><endEvent id="e1"/><sequenceFlow id="f1" sourceRef="s1" targetRef="e1"/>'
        host = f'<transaction id="h">{inner}</transaction>' if kind == "cancel" else '<userTask id="h"/>'
        flows = "s > h > e" if kind == "compensate" else "s > h > e\nx > e"
        return bpmn(
            SE,
            host,
            f'<boundaryEvent id="x" attachedToRef="h">{event}</boundaryEvent>',
            UNDO if kind == "compensate" else "",
            flows,
        )
    if tag == "startEvent":
        inner = f'<startEvent id="x">{event}</startEvent><endEvent id="e1"/><sequenceFlow id="f1" sourceRef="x" targetRef="e1"/>'
        return bpmn(SE, f'<subProcess id="h" triggeredByEvent="true">{inner}</subProcess>', "s > e")
    other = "intermediateCatchEvent" if tag == "intermediateThrowEvent" else "intermediateThrowEvent"
    links = f'<{other} id="y">{event}</{other}>' if kind == "link" else ""
    if tag == "endEvent" and kind == "cancel":
        inner = f'<startEvent id="s1"/><endEvent id="x">{event}</endEvent><sequenceFlow id="f1" sourceRef="s1" targetRef="x"/>'
        return bpmn(SE, f'<transaction id="h">{inner}</transaction>', "s > h > e")
    if tag == "endEvent":
        return bpmn(SE, f'<endEvent id="x">{event}</endEvent>', "s > x")
    return bpmn(
        SE,
        f'<{tag} id="x">{event}</{tag}>',
        links,
        ("s > x\ny > e" if other == "intermediateCatchEvent" else "s > y\nx > e") if links else "s > x > e",
    )


@pytest.mark.parametrize("kind", EVENTS)
@pytest.mark.parametrize(
    "tag", ["startEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent", "endEvent"]
)
def test_an_event_is_deployed_if_the_table_says_so_and_refused_by_name_if_not(tag: str, kind: str) -> None:
    source = around(tag, kind)
    (element,) = [element for element in engine.inspect(source) if element.id == "x"]
    says = ELEMENTS.get(f"{tag}:{kind}")
    assert element.runs == (says is not None and says.runs is Runs.YES)
    if element.runs:
        assert f"{tag}:{kind}" in engine.deploy(source).uses
    else:
        with pytest.raises(engine.NotRunnable) as refused:
            engine.deploy(source)
        assert "x" in {finding.element_id for finding in refused.value.findings}
