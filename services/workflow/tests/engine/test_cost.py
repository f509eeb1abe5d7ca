"""What an instance costs: its stored state is small, and 400 are started in a second of one core (measured: about 1,700)."""

import json
import time
from datetime import UTC, datetime

import workflow.engine as engine

from .conftest import Run, bpmn

APPROVAL = """
<startEvent id="s"/><endEvent id="e"/><endEvent id="no"/><exclusiveGateway id="g" default="g-e"/><exclusiveGateway id="ok" default="ok-no"/>
<userTask id="u" name="Approve" tailrace:assignee="=who" tailrace:due="P3D">
 <multiInstanceLoopCharacteristics tailrace:collection="approvers" tailrace:item="who"
 tailrace:into="answers"><completionCondition>results.exists(r, !r.approved)</completionCondition></multiInstanceLoopCharacteristics></userTask>
<boundaryEvent id="t" attachedToRef="u" cancelActivity="false">
 <timerEventDefinition><timeDuration>P3D</timeDuration></timerEventDefinition></boundaryEvent>
<userTask id="esc"/>
"""
FLOWS = "s > g\ng > u : amount > 1000\ng > e\nu > ok\nok > e : answers.all(a, a.approved)\nok > no\nt > esc"
DATA = {
    "amount": 5000,
    "approvers": ["ann", "bob", "cy"],
    "subject": {"type": "quote", "id": "0" * 36, "hash": "f" * 64},
    "lines": [{"n": n} for n in range(20)],
}


def test_a_stored_instance_is_small() -> None:
    state = Run(bpmn(APPROVAL, FLOWS), DATA).state
    assert len(state.tasks) == 3
    assert len(json.dumps(state.dump())) < 12_000


def test_four_hundred_instances_are_started_in_a_second_of_one_core() -> None:
    spec = engine.deploy(bpmn(APPROVAL, FLOWS)).spec_json
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    engine.start(spec, DATA, now)
    begun = time.process_time()
    for _ in range(400):
        state = engine.start(spec, DATA, now).dump()
    started = time.process_time() - begun
    for _ in range(400):
        loaded = engine.load(spec, state)
        loaded.complete(loaded.tasks[0].id, {"approved": True}, now)
        loaded.dump()
    stepped = time.process_time() - begun - started
    print(
        f"start {started / 400 * 1e3:.2f} ms, load, complete and dump {stepped / 400 * 1e3:.2f} ms, {len(json.dumps(state)):,} bytes"
    )
    assert started < 1
