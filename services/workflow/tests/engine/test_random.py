"""Random processes of nested blocks, run to their end by random choices.

What must be done, and how often, is known from how a process was put together, not from running it. A dump and load
before each step must change nothing. Events that interrupt leave the counting out and keep the rest.
"""

import itertools
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import workflow.engine as engine
from workflow.engine.expressions import evaluate

from .conftest import bpmn, flows, play

DATA = {"n": 2, "xs": ["a", "b", "c"]}
Shape = tuple[Any, ...]
"""The name of a method of `Builder`, and what that is given: shapes, lists of them, numbers."""


@dataclass
class Block:
    """A part of a process: its elements, its flows, where it is entered and left, and what must be done in it."""

    xml: str
    flows: str
    first: str
    last: str
    done: Counter[str] = field(default_factory=Counter)


class Builder:
    """Blocks with ids that are all different."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)

    def name(self, letter: str) -> str:
        return f"{letter}{next(self.numbers)}"

    def build(self, shape: Shape) -> Block:
        block: Block = getattr(self, shape[0])(*shape[1:])
        return block

    def task(self) -> Block:
        ident = self.name("u")
        return Block(f'<userTask id="{ident}"/>', "", ident, ident, Counter([ident]))

    def pause(self) -> Block:
        ident = self.name("t")
        xml = (
            f'<intermediateCatchEvent id="{ident}"><timerEventDefinition><timeDuration>PT1M</timeDuration>'
            f"</timerEventDefinition></intermediateCatchEvent>"
        )
        return Block(xml, "", ident, ident, Counter([ident]))

    def sequence(self, shapes: list[Shape]) -> Block:
        parts = [self.build(shape) for shape in shapes]
        flows = "".join(part.flows for part in parts) + "".join(
            f"{a.last} > {b.first}\n" for a, b in itertools.pairwise(parts)
        )
        return Block(
            "".join(part.xml for part in parts),
            flows,
            parts[0].first,
            parts[-1].last,
            sum((part.done for part in parts), Counter[str]()),
        )

    def parallel(self, shapes: list[Shape]) -> Block:
        return self._gateways("parallelGateway", shapes, [True] * len(shapes))

    def exclusive(self, shapes: list[Shape], chosen: int) -> Block:
        return self._gateways(
            "exclusiveGateway",
            shapes,
            [number == chosen % len(shapes) for number in range(len(shapes))],
            condition=True,
        )

    def inclusive(self, shapes: list[Shape], mask: int) -> Block:
        taken = [bool(mask >> number & 1) for number in range(len(shapes))]
        return self._gateways("inclusiveGateway", shapes, taken if any(taken) else [True, *taken[1:]], condition=True)

    def _gateways(self, kind: str, shapes: list[Shape], taken: list[bool], condition: bool = False) -> Block:
        split, join = self.name("g"), self.name("j")
        parts = [self.build(shape) for shape in shapes]
        flows = "".join(part.flows for part in parts) + "".join(f"{part.last} > {join}\n" for part in parts)
        for part, goes in zip(parts, taken, strict=True):
            flows += f"{split} > {part.first}" + (f" : n {'==' if goes else '!='} 2" if condition else "") + "\n"
        done = sum((part.done for part, goes in zip(parts, taken, strict=True) if goes), Counter[str]())
        xml = f'<{kind} id="{split}"/><{kind} id="{join}"/>' + "".join(part.xml for part in parts)
        return Block(xml, flows, split, join, done)

    def inside(self, shape: Shape, repeat: str | None) -> Block:
        ident, part = self.name("sub"), self.build(shape)
        start, end = self.name("s"), self.name("e")
        loop = (
            f'<multiInstanceLoopCharacteristics isSequential="{repeat}" tailrace:collection="xs" tailrace:item="x"/>'
            if repeat
            else ""
        )
        inner = part.xml + flows(f"{part.flows}{start} > {part.first}\n{part.last} > {end}")
        xml = f'<subProcess id="{ident}">{loop}<startEvent id="{start}"/><endEvent id="{end}"/>{inner}</subProcess>'
        return Block(xml, "", ident, ident, sum([part.done] * (3 if repeat else 1), Counter[str]()))

    def guarded(self, shape: Shape, beside: bool) -> Block:
        """A sub-process with a timer on it, which may interrupt it; its own path joins behind it."""
        part = self.inside(shape, None)
        event, join, task = self.name("b"), self.name("x"), self.name("u")
        xml = (
            f'{part.xml}<boundaryEvent id="{event}" attachedToRef="{part.first}" cancelActivity="{str(not beside).lower()}"><timerEventDefinition>'
            f'<timeDuration>PT1H</timeDuration></timerEventDefinition></boundaryEvent><userTask id="{task}"/><exclusiveGateway id="{join}"/>'
        )
        after = "" if beside else f"{task} > {join}\n"
        return Block(xml, f"{part.last} > {join}\n{event} > {task}\n{after}", part.first, join, part.done)


def shapes(guards: bool) -> st.SearchStrategy[Shape]:
    leaf: st.SearchStrategy[Shape] = st.sampled_from([("task",), ("task",), ("pause",)])

    def grow(inner: st.SearchStrategy[Shape]) -> st.SearchStrategy[Shape]:
        several = st.lists(inner, min_size=2, max_size=3)
        made: list[st.SearchStrategy[Shape]] = [
            st.tuples(st.just("sequence"), several),
            st.tuples(st.just("parallel"), several),
            st.tuples(st.just("exclusive"), several, st.integers(0, 2)),
            st.tuples(st.just("inclusive"), several, st.integers(0, 7)),
            st.tuples(st.just("inside"), inner, st.sampled_from([None, "true", "false"])),
        ]
        if guards:
            made.append(st.tuples(st.just("guarded"), inner, st.booleans()))
        return st.one_of(made)

    return st.recursive(leaf, grow, max_leaves=10)


def process(shape: Shape) -> tuple[bytes, Counter[str]]:
    part = Builder().build(shape)
    return bpmn(
        '<startEvent id="start"/><endEvent id="end"/>', part.xml, f"{part.flows}start > {part.first}\n{part.last} > end"
    ), part.done


several = settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@several
@given(shape=shapes(guards=False), seed=st.integers(0, 1000))
def test_everything_that_must_be_done_is_done_as_often_as_it_must(shape: Shape, seed: int) -> None:
    source, done = process(shape)
    status, data, did = play(engine.deploy(source), seed, data=DATA)
    assert status == "finished"
    assert Counter(did) == done
    assert data.items() >= DATA.items()


@several
@given(shape=shapes(guards=True), seed=st.integers(0, 1000))
def test_a_dump_and_load_before_each_step_changes_nothing(shape: Shape, seed: int) -> None:
    deployment = engine.deploy(process(shape)[0])
    stored = play(deployment, seed, data=DATA)
    assert stored == play(deployment, seed, data=DATA, through_store=False)
    assert stored[0] == "finished"


@several
@given(shape=shapes(guards=True), seed=st.integers(0, 1000))
def test_an_instance_moved_to_the_same_process_at_each_step_ends_the_same(shape: Shape, seed: int) -> None:
    deployment = engine.deploy(process(shape)[0])
    moved = play(deployment, seed, data=DATA, each=lambda spec, state: engine.migrate(spec, spec, state))
    assert moved == play(deployment, seed, data=DATA)


# The same in another engine, where that is installed.


def leaves(inner: st.SearchStrategy[Shape]) -> st.SearchStrategy[Shape]:
    several_of = st.lists(inner, min_size=2, max_size=3)
    return st.one_of(
        st.tuples(st.just("sequence"), several_of),
        st.tuples(st.just("parallel"), several_of),
        st.tuples(st.just("exclusive"), several_of, st.integers(0, 2)),
        st.tuples(st.just("inclusive"), several_of, st.integers(0, 7)),
        st.tuples(st.just("inside"), inner, st.none()),
    )


def started(source: bytes) -> Any:
    from SpiffWorkflow.bpmn import BpmnWorkflow
    from SpiffWorkflow.bpmn.parser import BpmnParser
    from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
    from SpiffWorkflow.bpmn.script_engine.python_environment import TaskDataEnvironment

    def worked_out(expression: str, context: dict[str, Any], external_context: dict[str, Any] | None = None) -> object:
        return evaluate(expression, {**context, **(external_context or {})})

    def executed(script: str, context: object, external_context: object = None) -> None:
        raise AssertionError("no script runs")

    cel = TaskDataEnvironment()
    cel.evaluate, cel.execute = worked_out, executed
    parser = BpmnParser()
    parser.add_bpmn_str(source)
    workflow = BpmnWorkflow(
        parser.get_spec("p"), parser.get_subprocess_specs("p"), script_engine=PythonScriptEngine(cel)
    )
    next(iter(workflow.get_tasks(spec_name="Start"))).data.update(DATA)
    workflow.do_engine_steps()
    return workflow


@several
@given(shape=st.recursive(st.just(("task",)), leaves, max_leaves=10), seed=st.integers(0, 1000))
def test_another_engine_has_the_same_tasks_open_after_each_step(shape: Shape, seed: int) -> None:
    """In an environment of its own with `pip install SpiffWorkflow`, which is not among our locks."""
    task_state = pytest.importorskip("SpiffWorkflow").TaskState
    source, _ = process(shape)
    now, dice = datetime(2026, 3, 2, tzinfo=UTC), random.Random(seed)
    ours, theirs = engine.start(engine.deploy(source).spec_json, DATA, now), started(source)
    for _ in range(50):
        ready = {
            task.task_spec.bpmn_id: task for task in theirs.get_tasks(state=task_state.READY) if task.task_spec.manual
        }
        assert sorted(task.element_id for task in ours.tasks) == sorted(ready)
        assert ours.finished == theirs.completed
        if ours.finished:
            return
        task = dice.choice(ours.tasks)
        ours.complete(task.id, {}, now)
        ready[task.element_id].run()
        theirs.do_engine_steps()
    raise AssertionError("did not end")
