"""A running instance moves to another version of its process: everything that it stands at must be there, and the same."""

import copy
import functools
from collections.abc import Callable, Iterator

from workflow.engine import catching
from workflow.engine.findings import Obstacle, Unevaluable, Unexpected
from workflow.engine.instance import State, load
from workflow.engine.machine import WAITING
from workflow.engine.spec import Process, Spec, indexed
from workflow.engine.values import Json


def diff(spec_old: Json, spec_new: Json, state: Json) -> list[Obstacle]:
    """What keeps this dumped instance of the old version from going on in the new one; empty when nothing does."""
    old, new = indexed(spec_old), indexed(spec_new)
    found: dict[tuple[str, str], Obstacle] = {}
    for obstacle in [*_scopes(old, new, state), *_tokens(old, new, state), *_undone(new, state)]:
        found.setdefault((obstacle.element_id, obstacle.why), obstacle)
    return list(found.values())


def _key(old: Spec, new: Spec, key: str) -> str:
    return new.key if key == old.key else key


def _process(old: Spec, new: Spec, key: str) -> Process | None:
    return new.processes.get(_key(old, new, key))


def _scopes(old: Spec, new: Spec, state: Json) -> Iterator[Obstacle]:
    for scope in state["scopes"].values():
        process = _process(old, new, scope["proc"])
        if process is None:
            yield Obstacle(scope["proc"], "the called process is not there")
        elif scope["kind"] in ("sub", "event", "instance", "handler"):
            before, after = old.processes[scope["proc"]].nodes[scope["of"]], process.nodes.get(scope["of"])
            if after is None:
                yield Obstacle(scope["of"], "runs, and is not there")
            elif bool(before.get("event")) != bool(after.get("event")):
                yield Obstacle(scope["of"], "is an event sub-process in one version alone")


def _tokens(old: Spec, new: Spec, state: Json) -> Iterator[Obstacle]:
    for token in state["tokens"].values():
        scope = state["scopes"][token["in"]]
        process = _process(old, new, scope["proc"])
        if process is None:
            continue
        here, before, after = token["at"], old.processes[scope["proc"]], process.nodes.get(token["at"])
        if after is None:
            yield Obstacle(here, "waits, and is not there")
        else:
            yield from _same(here, token, (before, process), (old, new))


def _same(here: str, token: Json, processes: tuple[Process, Process], specs: tuple[Spec, Spec]) -> Iterator[Obstacle]:
    before, after = processes[0].nodes[here], processes[1].nodes[here]
    if before["kind"] != after["kind"]:
        yield Obstacle(here, f"was a {before['kind']} and is a {after['kind']}")
    if _around(specs, before["in"]) != after["in"]:
        yield Obstacle(here, f"stood in {before['in']} and stands in {after['in']}")
    if before.get("loop", {}).get("kind") != after.get("loop", {}).get("kind"):
        yield Obstacle(here, "repeats in one version alone")
    if before["kind"] == "callActivity" and before["calls"] != after["calls"]:
        yield Obstacle(here, f"called {before['calls']} and calls {after['calls']}")
    if before["kind"] in ("parallelGateway", "inclusiveGateway") and token["st"] == WAITING:
        via = token.get("via", "")
        if via not in processes[1].into.get(here, []):
            yield Obstacle(here, f"one has arrived by {via}, which does not lead there")
    if before["kind"] in ("intermediateCatchEvent", "receiveTask"):
        was, now = ([event["kind"] for event in node.get("events", [])] for node in (before, after))
        if was != now:
            yield Obstacle(here, f"waited for {', '.join(was)} and waits for {', '.join(now) or 'nothing'}")


def _around(specs: tuple[Spec, Spec], scope: str) -> str:
    return specs[1].key if scope == specs[0].key else scope


def _undone(new: Spec, state: Json) -> Iterator[Obstacle]:
    logs = [entry for scope in state["scopes"].values() for entry in scope.get("log", [])]
    for entry in [*logs, *(entry for token in state["tokens"].values() for entry in token.get("undo", []))]:
        known = [process for process in new.processes.values() if entry["undo"] in process.nodes]
        if not known:
            yield Obstacle(entry["node"], f"could be undone by {entry['undo']}, which is not there")


def migrate(spec_old: Json, spec_new: Json, state: Json) -> State:
    """This dumped instance in the new version, waiting where it waited; the given state is not changed.

    Timers and messages that the new version has besides begin to be waited for at the moment of the last step; those that
    it has no more are forgotten; those that both have stay as they were. Raises Unexpected when `diff` finds an obstacle.
    """
    if obstacles := diff(spec_old, spec_new, state):
        raise Unexpected("; ".join(f"{obstacle.element_id} {obstacle.why}" for obstacle in obstacles))
    old, new = indexed(spec_old), indexed(spec_new)
    made: Json = copy.deepcopy(state)
    for scope in made["scopes"].values():
        scope["proc"] = _key(old, new, scope["proc"])
        scope["of"] = _key(old, new, scope["of"]) if scope["kind"] in ("process", "call") else scope["of"]
        for entry in scope.get("log", []):
            entry["proc"] = _key(old, new, entry["proc"])
    moved = load(spec_new, made)
    m, was = moved._machine(), load(spec_old, state)._machine()
    for token, held in m.tokens.items():
        if held["st"] == WAITING:
            known = {catch.element for catch in catching.of_token(was, token)}
            _rearm(held, known, functools.partial(catching.arm_all, m, token))
    for scope, held in m.scopes.items():
        known = {catch.element for catch in catching.of_scope(was, scope)}
        _rearm(held, known, functools.partial(catching.arm_scope, m, scope))
    return moved


def _rearm(held: Json, known: set[str], arm: Callable[[], None]) -> None:
    """Wait for what the new version has besides; what was waited for already keeps its moment and key, or is over."""
    kept = {name: held.pop(name, {}) for name in ("due", "keys")}
    try:
        arm()
    except Unevaluable as error:
        raise Unexpected(str(error)) from error
    for name, entries in kept.items():
        armed = held.pop(name, {})
        now = {
            element: entries.get(element, entry)
            for element, entry in armed.items()
            if element in entries or element not in known
        }
        if now:
            held[name] = now
