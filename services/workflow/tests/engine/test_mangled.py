"""Files that were changed at random are refused with findings, or run within the bounds; nothing else comes of them."""

import random

import pytest
from lxml import etree

import workflow.engine as engine

from .conftest import bpmn, play

SE = '<startEvent id="s"/><endEvent id="e"/>'
PARTS = """
<userTask id="u"><multiInstanceLoopCharacteristics tailrace:collection="xs" tailrace:item="x"><completionCondition>x == 2</completionCondition>
</multiInstanceLoopCharacteristics></userTask><exclusiveGateway id="g" default="g-b"/><sendTask id="b" messageRef="M2"/>
<boundaryEvent id="t" attachedToRef="u" cancelActivity="false">
<timerEventDefinition><timeCycle>R3/PT1H</timeCycle></timerEventDefinition></boundaryEvent>
<subProcess id="x"><startEvent id="s1"/><userTask id="a"/><endEvent id="e1"><errorEventDefinition errorRef="E1"/></endEvent>
<sequenceFlow id="f1" sourceRef="s1" targetRef="a"/><sequenceFlow id="f2" sourceRef="a" targetRef="e1"/></subProcess>
<boundaryEvent id="be" attachedToRef="x"><errorEventDefinition errorRef="E1"/></boundaryEvent>
<subProcess id="ev" triggeredByEvent="true"><startEvent id="s2" isInterrupting="false">
<messageEventDefinition messageRef="M1"/></startEvent><manualTask id="y"/>
<sequenceFlow id="f3" sourceRef="s2" targetRef="y"/></subProcess>
<inclusiveGateway id="i"/><inclusiveGateway id="j"/><callActivity id="c" calledElement="p"/><intermediateThrowEvent id="k">
<compensateEventDefinition/>
</intermediateThrowEvent><userTask id="undo" isForCompensation="true"/>
<boundaryEvent id="cb" attachedToRef="u"><compensateEventDefinition/></boundaryEvent><association id="as" sourceRef="cb" targetRef="undo"/>
"""
FLOWS = "s > u > g\ng > x : 1 == 2\ng > b\nb > x\nx > i\ni > j : 1 == 1\ni > k : 1 == 1\nk > j\nj > e\nbe > e\nt > e"


def mangled(source: bytes, dice: random.Random) -> bytes:
    root = etree.fromstring(source)
    nodes = [node for node in root.iter() if isinstance(node.tag, str)]
    for _ in range(dice.randint(1, 4)):
        node, other, what = dice.choice(nodes[1:]), dice.choice(nodes), dice.randrange(6)
        if what == 0 and (parent := node.getparent()) is not None:
            parent.remove(node)
        elif what == 1 and node.attrib:
            del node.attrib[dice.choice(sorted(node.attrib))]
        elif what == 2 and node.attrib:
            node.set(dice.choice(sorted(node.attrib)), dice.choice([other.get("id") or "", "x" * 50, "=1 +", "-1"]))
        elif what == 3:
            node.text = dice.choice(["", "1 +", "PT0S", "R/PT1S", "=1", "true", "R9999/P9999Y", "xs"])
        elif what == 4 and node not in other.iterancestors() and node is not other:
            other.append(node)
        elif what == 5:
            node.tag = other.tag
    return etree.tostring(root)


@pytest.mark.parametrize("lenient", [False, True])
def test_mangled_files_are_refused_or_run(lenient: bool) -> None:
    source = bpmn(SE, PARTS, FLOWS)
    outcomes: set[str] = set()
    for seed in range(150):
        dice = random.Random(seed)
        made = mangled(source, dice)
        try:
            engine.inspect(made)
            deployment = engine.deploy(made, lenient=lenient)
        except engine.NotRunnable as error:
            outcomes.add("refused" if error.findings else "refused without a word")
        else:
            outcomes.add(play(deployment, seed, data={"xs": [1, 2, 3]})[0].split(":")[0])
    assert {"refused", "finished"} <= outcomes <= {"refused", "finished", "failed", "long"}
