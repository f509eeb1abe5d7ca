"""Tokens, scopes and their rules: what BPMN calls execution semantics, over a state that is plain JSON.

A token stands at a node of a scope; a scope is a process, a sub-process, a called process, one instance of a repeated
activity, an event sub-process or an activity that undoes. A token is queued, waits, or has failed; a run ends when none
is queued. Nothing here reads the clock or draws a random number, so that the same calls give the same state.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from workflow.engine import behaviours, catching, limits, timing
from workflow.engine.elements import ACTIVITIES
from workflow.engine.expressions import holds
from workflow.engine.findings import Unevaluable
from workflow.engine.spec import Process, Spec
from workflow.engine.values import Json, moment, plain_data

QUEUED, WAITING, FAILED = "q", "w", "f"
_OUTSIDE = ("message", "timer", "signal")


class Machine:
    """One instance and its spec, at one moment."""

    def __init__(self, spec: Spec, state: Json, now: datetime) -> None:
        self.spec = spec
        self.state = state
        self.now = now
        state["now"] = moment(now)

    # What there is.

    @property
    def zone(self) -> str:
        """In which its days are counted."""
        return str(self.state.get("zone", timing.UTC_ZONE))

    @property
    def tokens(self) -> dict[str, Json]:
        return self.state["tokens"]  # type: ignore[no-any-return]

    @property
    def scopes(self) -> dict[str, Json]:
        return self.state["scopes"]  # type: ignore[no-any-return]

    def process(self, scope: str) -> Process:
        return self.spec.processes[self.scopes[scope]["proc"]]

    def node(self, token: str) -> Json:
        held = self.tokens[token]
        return self.process(held["in"]).nodes[held["at"]]

    def inside(self, scope: str) -> list[str]:
        """The tokens of this scope, not of those inside it."""
        return [ident for ident, token in self.tokens.items() if token["in"] == scope]

    def below(self, scope: str) -> list[str]:
        """The scopes that this one is the parent of."""
        return [ident for ident, held in self.scopes.items() if held.get("parent") == scope]

    # Data: a process and a called one have their own, an instance of a repeated activity adds to what is around it.

    def frame(self, scope: str) -> Json:
        """The data that are written from within this scope."""
        while "data" not in self.scopes[scope]:
            scope = self.scopes[scope]["parent"]
        return self.scopes[scope]["data"]  # type: ignore[no-any-return]

    def view(self, scope: str) -> Json:
        """All data that can be seen from within this scope; the innermost wins."""
        layers = []
        while True:
            held = self.scopes[scope]
            if "data" in held:
                layers.append(held["data"])
            if held["kind"] in ("process", "call"):
                break
            scope = held["parent"]
        return {key: value for layer in reversed(layers) for key, value in layer.items()}

    def write(self, scope: str, data: Json) -> None:
        if data:
            frame = self.frame(scope)
            frame.update(data)
            plain_data(frame)

    # Tokens and scopes come and go.

    def _name(self, letter: str) -> str:
        self.state["seq"] += 1
        return f"{letter}{self.state['seq']}"

    def put(self, at: str, scope: str, **more: Any) -> str:
        """A new token, queued."""
        if len(self.tokens) >= limits.MAX_TOKENS:
            raise Unevaluable(f"{limits.MAX_TOKENS:,} things would go on at once")
        ident = self._name("t")
        self.tokens[ident] = {"at": at, "in": scope, "st": QUEUED} | more
        self.queue.append(ident)
        return ident

    def open(self, kind: str, of: str, proc: str, parent: str | None, **more: Any) -> str:
        """A new scope, with nothing in it."""
        depth = 0
        above = parent
        while above is not None:
            depth, above = depth + 1, self.scopes[above].get("parent")
        if depth > limits.MAX_DEPTH:
            raise Unevaluable(f"{limits.MAX_DEPTH} scopes stand inside one another")
        ident = self._name("s")
        self.scopes[ident] = {"kind": kind, "of": of, "proc": proc} | ({"parent": parent} if parent else {}) | more
        return ident

    def begin(self, scope: str, at: list[str] | None = None) -> None:
        """Put tokens where this scope starts, and wait for what its event sub-processes wait for."""
        process, held = self.process(scope), self.scopes[scope]
        catching.arm_scope(self, scope)
        for node in process.starting(held["of"]) if at is None else at:
            self.put(node, scope, fired=True)

    def drop(self, token: str) -> None:
        """End this token and whatever runs inside it."""
        for ident in [ident for ident, held in self.scopes.items() if held.get("owner") == token]:
            self.close(ident)
        self.tokens.pop(token, None)

    def close(self, scope: str) -> None:
        """End this scope with all that is in it, without going on after it."""
        for ident in self.inside(scope):
            self.drop(ident)
        for ident in self.below(scope):
            if ident in self.scopes:
                self.close(ident)
        self.scopes.pop(scope, None)

    def ended(self, scope: str) -> None:
        """Go on after this scope when nothing is left in it."""
        if scope not in self.scopes or any(token["in"] == scope for token in self.tokens.values()) or self.below(scope):
            return
        behaviours.completed(self, scope)

    # A token moves.

    def wait(self, token: str) -> None:
        self.tokens[token]["st"] = WAITING

    def resume(self, token: str, go: str) -> None:
        """Queue this token again, to go on with that: `leave`, or a step of its own kind."""
        self.tokens[token] |= {"st": QUEUED, "go": go}
        if token not in self.queue:
            self.queue.append(token)

    def leave(self, token: str) -> None:
        """What the token stands at is done: take the flows out of it, or end its path."""
        held, node = self.tokens[token], self.node(token)
        if held.get("body"):
            self.drop(token)
            self.ended(held["in"])
            return
        if node["kind"] in ACTIVITIES:
            self._remember(token, held, node)
        self.follow(token, list(self._chosen(held["in"], held["at"])))

    def follow(self, token: str, flows: Iterable[str]) -> None:
        """End this token and put one at the end of each flow."""
        held, flows = self.tokens[token], list(flows)
        process = self.process(held["in"])
        if len(self.tokens) - 1 + len(flows) > limits.MAX_TOKENS:
            raise Unevaluable(f"{limits.MAX_TOKENS:,} things would go on at once")
        self.drop(token)
        for flow in flows:
            self.put(process.flows[flow]["to"], held["in"], via=flow)
        self.ended(held["in"])

    def _remember(self, token: str, held: Json, node: Json) -> None:
        if undo := node.get("undo"):
            entry: Json = {"node": held["at"], "undo": undo, "proc": self.scopes[held["in"]]["proc"], "in": []}
            log = self.scopes[held["in"]].setdefault("log", [])
            if len(log) >= limits.MAX_TOKENS:
                raise Unevaluable(f"{limits.MAX_TOKENS:,} things would have to be undone")
            log.append(entry)

    def _chosen(self, scope: str, at: str) -> Iterator[str]:
        """The flows out of an activity or event: all without a condition, those with one that is true, else the default."""
        process, default = self.process(scope), self.process(scope).nodes[at].get("default")
        taken = conditional = False
        for flow in process.out[at]:
            when = process.flows[flow].get("when")
            if flow == default:
                continue
            if when is None:
                yield flow
                continue
            conditional = True
            if holds(when, self.view(scope)):
                taken = True
                yield flow
        if default and not (conditional and taken):
            yield default
        elif conditional and not taken and not any("when" not in process.flows[flow] for flow in process.out[at]):
            raise Unevaluable("no condition of the flows out of it is true, and none is the default")

    # Run.

    @property
    def queue(self) -> list[str]:
        return self.state["queue"]  # type: ignore[no-any-return]

    def run(self) -> None:
        """Go on until everything waits; what cannot go on is an incident, and what loops without a wait."""
        steps = 0
        while self.state["status"] == "running":
            while self.queue:
                token = self.queue.pop(0)
                if self.tokens.get(token, {}).get("st") != QUEUED:
                    continue
                steps += 1
                if steps > limits.MAX_STEPS:
                    self._too_long(token)
                    return
                self.attempt(token)
                if self.state["status"] != "running":
                    return
            if not (behaviours.join_inclusive(self) or catching.notice(self)):
                self._deadlocked()
                return

    def attempt(self, token: str) -> None:
        """Enter what this token stands at; when that fails the token stays there with the reason."""
        try:
            behaviours.enter(self, token)
        except Unevaluable as error:
            self.fail(token, str(error))

    def again(self, token: str) -> None:
        """Queue a failed token once more; what it had begun and not got through is dropped."""
        held = self.tokens[token]
        held.pop("why", None)
        if "go" not in held:
            for ident in [ident for ident, scope in self.scopes.items() if scope.get("owner") == token]:
                self.close(ident)
            for begun in ("due", "keys", "seen", "loop", "since", "own"):
                held.pop(begun, None)
        held["st"] = QUEUED
        self.queue.append(token)

    def fail(self, token: str, why: str) -> None:
        self.tokens[token] |= {"st": FAILED, "why": why[:500]}

    def _deadlocked(self) -> None:
        """When nothing is left but gateways that wait for one another, say so at each."""
        owners = {held.get("owner") for held in self.scopes.values()}
        leaves = [ident for ident in self.tokens if ident not in owners]
        if any(self.tokens[ident]["st"] == FAILED or not self._joining(ident) for ident in leaves):
            return
        if any(catch.event["kind"] in _OUTSIDE for ident in self.scopes for catch in catching.of_scope(self, ident)):
            return
        if any(
            catch.event["kind"] in _OUTSIDE
            for ident in owners & set(self.tokens)
            for catch in catching.of_token(self, str(ident))
        ):
            return
        for ident in leaves:
            self.fail(ident, "waits for an arrival that can come no more")

    def _joining(self, token: str) -> bool:
        return self.node(token)["kind"] in ("parallelGateway", "inclusiveGateway") and "since" not in self.tokens[token]

    def _too_long(self, token: str) -> None:
        for ident in [token, *self.queue]:
            if ident in self.tokens:
                self.fail(ident, f"nothing waited within {limits.MAX_STEPS:,} steps")
        self.queue.clear()
