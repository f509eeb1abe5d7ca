"""Processes written short: `bpmn(…)` takes elements as XML and flows as `a > b > c`, or `a > b : condition`."""

import itertools
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

import workflow.engine as engine

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:tailrace="urn:tailrace:bpmn" targetNamespace="x">'
    '<message id="M1" name="paid"/><message id="M2" name="shipped"/><signal id="S1" name="stop"/>'
    '<error id="E1" name="broken" errorCode="B1"/><escalation id="X1" name="late" escalationCode="L1"/>'
)


def flows(text: str) -> str:
    """Sequence flows of lines such as `a > b > c` and `a > b : amount > 3`; a flow is called `a-b`."""
    made = []
    for line in text.strip().splitlines():
        path, _, condition = line.strip().partition(" : ")
        nodes = [part.strip() for part in path.split(" > ")]
        for source, target in itertools.pairwise(nodes):
            inner = f"<conditionExpression>{escape(condition.strip())}</conditionExpression>" if condition else ""
            made.append(
                f'<sequenceFlow id="{source}-{target}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>'
            )
    return "".join(made)


def bpmn(*parts: str, key: str = "p", beside: str = "") -> bytes:
    """A file of one process; a part that holds ` > ` and no tag is flows."""
    inside = "".join(part if part.lstrip().startswith("<") else flows(part) for part in parts)
    return f'{HEAD}{beside}<process id="{key}" isExecutable="true">{inside}</process></definitions>'.encode()


class Run:
    """An instance that is dumped and loaded before every step, with a clock of its own."""

    def __init__(
        self, source: bytes, data: dict[str, Any] | None = None, at: str | None = None, **options: Any
    ) -> None:
        self.deployment = engine.deploy(source, **options)
        self.now = NOW
        self.state = engine.start(self.deployment.spec_json, data or {}, self.now, at=at)

    def again(self) -> engine.State:
        self.state = engine.load(self.deployment.spec_json, json.loads(json.dumps(self.state.dump(), sort_keys=True)))
        return self.state

    @property
    def open(self) -> list[str]:
        return sorted(task.element_id for task in self.again().tasks)

    def done(self, element: str, **data: Any) -> "Run":
        task = next(task for task in self.again().tasks if task.element_id == element)
        self.state.complete(task.id, data, self.now)
        return self

    def wait(self, **time: float) -> "Run":
        self.now += timedelta(**time)
        self.again().fire(self.now)
        return self


def play(
    deployment: engine.Deployment,
    seed: int,
    *,
    through_store: bool = True,
    each: Callable[..., engine.State] = engine.load,
    data: dict[str, Any] | None = None,
) -> tuple[str, Any, list[str]]:
    """Run this process to its end by choices that the seed gives: how it ended, its data, and what was done in which order."""
    dice = random.Random(seed)
    now = NOW
    done: list[str] = []
    starts = [start.element_id for start in deployment.starts]
    state = engine.start(deployment.spec_json, data or {}, now, at=dice.choice(starts) if starts else None)
    for _ in range(300):
        if through_store:
            state = each(deployment.spec_json, json.loads(json.dumps(state.dump(), sort_keys=True)))
        if state.status != "running":
            return state.status, state.data, done
        if state.failed:
            return f"failed: {state.failed}", state.data, done
        moves: list[tuple[str, Any]] = [("task", task) for task in state.tasks if task.kind != "receive"]
        moves += [(kind, (name, key)) for kind, name, key in state.waits_for]
        moves += [("timer", timer) for timer in state.timers[:1]]
        if not moves:
            return "stuck", state.dump(), done
        kind, what = dice.choice(moves)
        now += timedelta(minutes=1)
        if kind == "task":
            done.append(what.element_id)
            flow = dice.choice(sorted(what.choices)) if what.choices else None
            state.complete(what.id, {"flow": flow} if flow else {f"v{dice.randrange(3)}": dice.randrange(5)}, now)
        elif kind == "timer":
            now = max(now, what.due)
            done += [timer.element_id for timer in state.timers if timer.due <= now]
            state.fire(now)
        elif kind == "message":
            done.append(what[0])
            state.message(what[0], what[1], {}, now)
        else:
            done.append(what[0])
            state.signal(what[0], {}, now)
    return "long", state.data, done
