"""Where an instance can be reached while it waits: messages, timers, signals, conditions, errors, escalations.

Every place that catches is found from the tokens and scopes themselves. Of a timer the state keeps when it is due, of a
message the key that it must carry, both worked out once, when the waiting begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from workflow.engine import timing
from workflow.engine.expressions import holds, value
from workflow.engine.findings import Unevaluable
from workflow.engine.values import Json, moment, plain

if TYPE_CHECKING:
    from workflow.engine.machine import Machine


@dataclass(frozen=True)
class Catch:
    """One place that catches: the token or scope that waits, the element that catches, and its event."""

    holder: str
    element: str
    event: Json
    how: str
    """`own` (a catch event), `boundary`, `gateway` or `scope` (an event sub-process)."""


def of_token(m: Machine, token: str) -> Iterator[Catch]:
    """What this waiting token can catch."""
    held = m.tokens[token]
    process, node = m.process(held["in"]), m.node(token)
    if node["kind"] in ("intermediateCatchEvent", "receiveTask"):
        for event in node.get("events", []):
            yield Catch(token, held["at"], event, "own")
    if node["kind"] == "eventBasedGateway":
        for flow in process.out[held["at"]]:
            target = process.flows[flow]["to"]
            for event in process.nodes[target].get("events", []):
                yield Catch(token, target, event, "gateway")
    if not held.get("body"):
        for boundary in process.attached.get(held["at"], []):
            for event in process.nodes[boundary].get("events", []):
                yield Catch(token, boundary, event, "boundary")


def of_scope(m: Machine, scope: str) -> Iterator[Catch]:
    """What the event sub-processes of this scope can catch."""
    held = m.scopes[scope]
    if held["kind"] in ("instance", "handler"):
        return
    process = m.process(scope)
    for _, start in process.handlers.get(held["of"], []):
        for event in process.nodes[start].get("events", []):
            yield Catch(scope, start, event, "scope")


def everywhere(m: Machine, kind: str) -> list[Catch]:
    """All that waits for an event of this kind now, in the order in which it began to wait."""
    found = [catch for token, held in m.tokens.items() if held["st"] == "w" for catch in of_token(m, token)]
    found += [catch for scope in m.scopes for catch in of_scope(m, scope)]
    return [catch for catch in found if catch.event["kind"] == kind]


def holder(m: Machine, catch: Catch) -> Json | None:
    """The token or scope that waits; None when it is gone."""
    return m.scopes.get(catch.holder) if catch.how == "scope" else m.tokens.get(catch.holder)


# Waiting begins.


def _arm(m: Machine, held: Json, scope: str, catches: list[Catch]) -> None:
    for catch in catches:
        view = m.view(scope)
        if catch.event["kind"] == "timer" and catch.event.get("timer"):
            due, period, times = timing.due(catch.event, view, m.now, m.zone)
            held.setdefault("due", {})[catch.element] = [moment(due), period, times] if period else [moment(due)]
        elif catch.event["kind"] == "message":
            own = m.process(scope).nodes[catch.element].get("own", {})
            if text := own.get("correlation"):
                held.setdefault("keys", {})[catch.element] = plain(value(text.removeprefix("="), view))


def arm(m: Machine, token: str) -> None:
    """Begin to wait for what stands on this activity."""
    held = m.tokens[token]
    _arm(m, held, held["in"], [catch for catch in of_token(m, token) if catch.how == "boundary"])


def arm_own(m: Machine, token: str) -> None:
    """Begin to wait for what this node itself catches."""
    held = m.tokens[token]
    _arm(m, held, held["in"], [catch for catch in of_token(m, token) if catch.how != "boundary"])


def arm_all(m: Machine, token: str) -> None:
    """Begin to wait for everything that can be caught here."""
    arm(m, token)
    arm_own(m, token)


def arm_scope(m: Machine, scope: str) -> None:
    """Begin to wait for what the event sub-processes of this scope catch."""
    _arm(m, m.scopes[scope], scope, list(of_scope(m, scope)))


# Something happens.


def fire(m: Machine, catch: Catch, data: Json) -> None:
    """This is caught here: write the data, and go on from there, instead of what ran or beside it."""
    held = holder(m, catch)
    if held is None:
        return
    if catch.how == "scope":
        _fire_scope(m, catch, data)
        return
    scope = held["in"]
    m.write(scope, data)
    if catch.how == "own":
        m.resume(catch.holder, "leave")
        return
    node = m.process(scope).nodes[catch.element]
    if catch.how == "gateway" or not node.get("beside") or catch.event["kind"] == "error":
        m.drop(catch.holder)
    m.put(catch.element, scope, fired=True) if catch.how == "boundary" else _behind_gateway(m, catch, scope)


def _behind_gateway(m: Machine, catch: Catch, scope: str) -> None:
    ident = m.put(catch.element, scope)
    m.resume(ident, "leave")


def _fire_scope(m: Machine, catch: Catch, data: Json) -> None:
    process = m.process(catch.holder)
    node = process.nodes[catch.element]
    if catch.event["kind"] == "error" or not node.get("beside"):
        for token in m.inside(catch.holder):
            m.drop(token)
        for inner in m.below(catch.holder):
            m.close(inner)
        m.scopes[catch.holder]["over"] = True
    scope = m.open("event", node["in"], m.scopes[catch.holder]["proc"], catch.holder)
    m.write(scope, data)
    m.begin(scope, [catch.element])


def live(m: Machine, catch: Catch) -> bool:
    """Whether this still catches: an interrupting event sub-process does so once."""
    held = holder(m, catch)
    return held is not None and not (catch.how == "scope" and held.get("over"))


def message(m: Machine, name: str, key: object, data: Json) -> bool:
    """Give this message to the first that waits for it under that key; False when none does."""
    for catch in everywhere(m, "message"):
        held = holder(m, catch)
        if catch.event.get("name") == name and held is not None and live(m, catch):
            wanted = held.get("keys", {}).get(catch.element)
            if wanted is None or (key is not None and wanted == key):
                fire(m, catch, data)
                return True
    return False


def signal(m: Machine, name: str, data: Json) -> int:
    """Give this signal to all that wait for it; how many did."""
    count = 0
    for catch in everywhere(m, "signal"):
        if catch.event.get("name") == name and live(m, catch):
            fire(m, catch, data)
            count += 1
    return count


def notice(m: Machine) -> bool:
    """Let what waits for a condition that is true now go on; False when nothing does."""
    for catch in everywhere(m, "conditional"):
        held = holder(m, catch)
        if held is None or not live(m, catch) or catch.element in held.get("seen", []) or not catch.event.get("when"):
            continue
        scope = catch.holder if catch.how == "scope" else held["in"]
        try:
            true = holds(catch.event["when"], m.view(scope))
        except Unevaluable:
            true = False  # What it asks for is not in the data yet.
        if true:
            held.setdefault("seen", []).append(catch.element)
            fire(m, catch, {})
            return True
    return False


def elapsed(m: Machine, catch: Catch, entry: list[str]) -> None:
    """This timer is due: its next round first, then what it starts."""
    held = holder(m, catch)
    if held is None:
        return
    following = None
    if len(entry) == 3:
        following = timing.following(datetime.fromisoformat(entry[0]), entry[1], int(entry[2]), m.now, m.zone)
    if following:
        held["due"][catch.element] = [moment(following[0]), entry[1], following[1]]
    else:
        del held["due"][catch.element]
    fire(m, catch, {})


def forget(m: Machine, catch: Catch) -> None:
    """This timer comes no more."""
    held = holder(m, catch)
    if held is not None:
        held.get("due", {}).pop(catch.element, None)


# Something is thrown.


def throw(m: Machine, token: str, event: Json) -> None:
    """Throw what this event says from where the token stands."""
    held = m.tokens[token]
    if event["kind"] in ("error", "escalation"):
        caught = raised(m, held["in"], event["kind"], event.get("name"), {})
        if not caught and event["kind"] == "error":
            raise Unevaluable(f"the error {event.get('name')} is caught nowhere")
        return
    own = m.node(token).get("own", {})
    view = m.view(held["in"])
    key = plain(value(own["correlation"].removeprefix("="), view)) if "correlation" in own else None
    data = plain(value(own["payload"].removeprefix("="), view)) if "payload" in own else {}
    if not isinstance(data, dict):
        raise Unevaluable("its payload is no object")
    if event["kind"] == "signal":
        signal(m, event["name"], data)
    elif message(m, event["name"], key, data):
        return
    m.state["thrown"].append(
        {"kind": event["kind"], "name": event["name"], "key": key, "data": data, "element": held["at"]}
    )


def raised(m: Machine, scope: str, kind: str, code: str | None, data: Json) -> bool:
    """Let the nearest place that catches this error or escalation catch it, outward from this scope."""
    here: str | None = scope
    beneath = False
    while here is not None and here in m.scopes:
        held = m.scopes[here]
        if not beneath:
            for catch in of_scope(m, here):
                if _matches(catch, kind, code) and live(m, catch):
                    fire(m, catch, data)
                    return True
        if (owner := held.get("owner")) and at_token(m, owner, kind, code, data):
            return True
        beneath = held["kind"] == "event"
        here = held.get("parent")
    return False


def at_token(m: Machine, token: str, kind: str, code: str | None, data: Json) -> bool:
    """Let a boundary event on the activity of this token catch it."""
    found = [catch for catch in of_token(m, token) if catch.how == "boundary" and _matches(catch, kind, code)]
    for catch in sorted(found, key=lambda catch: catch.event.get("name") is None):
        fire(m, catch, data)
        return True
    return False


def _matches(catch: Catch, kind: str, code: str | None) -> bool:
    return bool(catch.event["kind"] == kind and catch.event.get("name") in (None, code))


def cancelled(m: Machine, token: str) -> None:
    """A transaction was undone: end it, and go on at its cancel event."""
    scope = m.tokens[token]["in"]
    while not (m.scopes[scope]["kind"] == "sub" and m.process(scope).nodes[m.scopes[scope]["of"]].get("transaction")):
        if "owner" not in m.scopes[scope] and m.scopes[scope].get("parent") is None:
            raise Unevaluable("cancels no transaction")
        scope = m.scopes[scope]["parent"]
    owner = m.scopes[scope]["owner"]
    if not at_token(m, owner, "cancel", None, {}):
        m.close(scope)
        m.resume(owner, "leave")
