"""The engine room: BPMN 2.0 processes and DMN decisions of tenants, run safely. Pure Python; no database, no clock, no network.

    deployment = deploy(source, {"level": dmn})          # or NotRunnable, naming every element at fault
    state = start(deployment.spec_json, {"amount": 5000}, now)
    stored = state.dump()                                # plain JSON, without the spec
    state = load(deployment.spec_json, stored)
    state.complete(state.tasks[0].id, {"approved": True}, now)
    state.finished, state.outcome, state.failed

Store `spec_json` once for each version, the dump with each instance, and `state.timers` as rows; when one is due, load
and `fire(now)`. The engine hands service tasks out as tasks of the kind `service`; the service that does the named work completes
them. Messages and signals of a process are in `take_thrown()`. All expressions are CEL; `tailrace:` attributes
(`urn:tailrace:bpmn`) that begin with `=` are worked out when a task begins to wait.
"""

from workflow.engine.deploying import Deployment, Element, Start, deploy, inspect, process_keys
from workflow.engine.dmn import decide
from workflow.engine.findings import Finding, Incident, NotRunnable, Obstacle, Unevaluable, Unexpected
from workflow.engine.instance import State, Task, Thrown, Timer, load, start
from workflow.engine.migration import diff, migrate

__all__ = [
    "Deployment",
    "Element",
    "Finding",
    "Incident",
    "NotRunnable",
    "Obstacle",
    "Start",
    "State",
    "Task",
    "Thrown",
    "Timer",
    "Unevaluable",
    "Unexpected",
    "decide",
    "deploy",
    "diff",
    "inspect",
    "load",
    "migrate",
    "process_keys",
    "start",
]
