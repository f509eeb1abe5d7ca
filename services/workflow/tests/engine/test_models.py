"""Files of others: each in the folder `BPMN_MODELS` is inspected, read leniently, and run to its end in some way.

For example the 21 reference models of the BPMN Model Interchange Working Group:
`BPMN_MODELS=…/bpmn-miwg-test-suite/Reference python -m pytest -s services/workflow/tests/engine/test_models.py`.
Files of our own that hold the same kinds of things are tried always.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

import workflow.engine as engine

from .conftest import bpmn, play

FOLDER = os.environ.get("BPMN_MODELS")

POOLS = """
<collaboration id="c"><participant id="p1" name="Us" processRef="p"/><participant id="p2" name="Customer"/>
<messageFlow id="mf" sourceRef="p2" targetRef="st"/></collaboration>
"""
DRAWN = """
<laneSet id="ls"><lane id="l1" name="Clerk"><flowNodeRef>a</flowNodeRef></lane></laneSet>
<startEvent id="st"><messageEventDefinition messageRef="M1"/></startEvent>
<dataObject id="do"/><dataObjectReference id="dor" dataObjectRef="do" name="Order"/><dataStoreReference id="ds" name="Archive"/>
<textAnnotation id="ta"><text>as drawn</text></textAnnotation><association id="as" sourceRef="a" targetRef="ta"/>
<task id="a" name="Look"><dataOutputAssociation id="doa"><targetRef>ds</targetRef></dataOutputAssociation></task>
<exclusiveGateway id="g" name="Good?"/><scriptTask id="sc"><script>import os</script></scriptTask><serviceTask id="sv"/><callActivity id="ca"/>
<businessRuleTask id="br"/><inclusiveGateway id="ig"/><complexGateway id="cg"/><sendTask id="sd"/><endEvent id="e"/>
<intermediateCatchEvent id="w"><timerEventDefinition/></intermediateCatchEvent>
<adHocSubProcess id="ah"><task id="x1"/><task id="x2"/></adHocSubProcess>
<subProcess id="sp"><task id="y1"/><task id="y2"/><sequenceFlow id="y" sourceRef="y1" targetRef="y2"/></subProcess>
"""
LEADS = "st > a > g > sc > sv > ca > br > ig > sd > cg > w > ah > sp > e\ng > e\nig > cg"


def test_a_drawing_is_shown_element_by_element_refused_as_it_is_and_run_leniently() -> None:
    source = bpmn(DRAWN, LEADS, beside=POOLS)
    inspected = {element.id: element for element in engine.inspect(source)}
    assert {ident for ident, element in inspected.items() if not element.runs} == {
        "a",
        "sc",
        "cg",
        "ah",
        "x1",
        "x2",
        "y1",
        "y2",
    }
    assert "never run" in inspected["sc"].why and inspected["dor"].runs and inspected["p2"].kind == "participant"
    with pytest.raises(engine.NotRunnable) as refused:
        engine.deploy(source)
    assert {"a", "sc", "sv", "ca", "br", "cg", "ah", "g-sc", "ig-sd", "w"} <= {
        finding.element_id for finding in refused.value.findings
    }
    deployment = engine.deploy(source, lenient=True)
    assert {warning.element_id for warning in deployment.warnings} >= {"a", "sc", "sv", "ca", "br", "cg", "ah"}
    for seed in range(20):
        assert play(deployment, seed)[0] == "finished"


def flows_of(deployment: engine.Deployment) -> list[dict[str, Any]]:
    return [flow for process in deployment.spec_json["processes"].values() for flow in process["flows"].values()]


@pytest.mark.skipif(FOLDER is None, reason="BPMN_MODELS names no folder of models")
def test_models_of_others() -> None:
    found = sorted(Path(str(FOLDER)).glob("*.bpmn"))
    assert found, f"no model in {FOLDER}"
    strict, loaded, ran = 0, 0, 0
    for path in found:
        source = path.read_bytes()
        elements = engine.inspect(source)
        said = ""
        try:
            keys = engine.process_keys(source)
        except engine.NotRunnable as error:
            keys, said = [], str(error)
        ends = []
        for key in keys:
            try:
                engine.deploy(source, key=key)
                strict += len(keys) == 1
            except engine.NotRunnable:
                pass
            try:
                deployment = engine.deploy(source, key=key, lenient=True)
            except engine.NotRunnable as error:
                said += f" {key}: {error}"
                continue
            names = sorted(
                set(re.findall(r"[A-Za-z_]\w*", json.dumps([flow.get("when", "") for flow in flows_of(deployment)])))
            )
            outcomes = {play(deployment, seed, data=dict.fromkeys(names, seed % 2 == 0))[0] for seed in range(10)}
            said += "" if outcomes == {"finished"} else f" {key}: {outcomes}"
            ends.append("finished" in outcomes)
        loaded += bool(ends) and len(ends) == len(keys)
        ran += bool(ends) and len(ends) == len(keys) and all(ends)
        print(
            f"{path.name}: {len(elements)} elements, {len(keys)} processes, {len(ends)} read, {sum(ends)} ran{said[:600]}"
        )
    print(
        f"{len(found)} models: {strict} as they are, {loaded} read leniently with all their processes, {ran} of them run to an end"
    )
    assert ran
