"""What each kind of node does when a token comes to it, and how a scope ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from workflow.engine import catching, compensation, dmn, loops
from workflow.engine.elements import ACTIVITIES, TASKS
from workflow.engine.expressions import holds, value
from workflow.engine.findings import Unevaluable
from workflow.engine.values import Json, plain

if TYPE_CHECKING:
    from workflow.engine.machine import Machine


def enter(m: Machine, token: str) -> None:
    """Do what the node of this token does; a token that comes back goes on where it was."""
    held, node = m.tokens[token], m.node(token)
    if go := held.get("go"):
        _GOING_ON[go](m, token)
        held.pop("go", None) if token in m.tokens and held["st"] != "q" else None
        return
    if node["kind"] in ACTIVITIES and not held.get("body"):
        catching.arm(m, token)
        if "loop" in node:
            loops.begin(m, token)
            return
    _ENTERING[node["kind"]](m, token)


def _task(m: Machine, token: str) -> None:
    held, node = m.tokens[token], m.node(token)
    view = m.view(held["in"])
    worked = {name: value(text[1:], view) for name, text in node.get("own", {}).items() if text.startswith("=")}
    if worked:
        held["own"] = worked
    held["since"] = m.state["now"]
    m.wait(token)


def _receive(m: Machine, token: str) -> None:
    catching.arm_own(m, token)
    _task(m, token)


def _send(m: Machine, token: str) -> None:
    for event in m.node(token).get("events", []):
        catching.throw(m, token, event)
    if token in m.tokens:
        m.leave(token)


def _decide(m: Machine, token: str) -> None:
    held, node = m.tokens[token], m.node(token)
    own = node["own"]
    made = dmn.evaluate(m.spec.decisions, own["decision"], m.view(held["in"]), m.zone)
    m.write(held["in"], {own["result"]: made} if own.get("result") else made)
    m.leave(token)


def _sub(m: Machine, token: str) -> None:
    held = m.tokens[token]
    scope = m.open("sub", held["at"], m.scopes[held["in"]]["proc"], held["in"], owner=token)
    m.wait(token)
    m.begin(scope)
    m.ended(scope)


def _call(m: Machine, token: str) -> None:
    held, node = m.tokens[token], m.node(token)
    given = plain(m.view(held["in"]))
    scope = m.open("call", node["calls"], node["calls"], held["in"], owner=token, data=given)
    m.wait(token)
    m.begin(scope)
    m.ended(scope)


def _returned(m: Machine, token: str) -> None:
    held = m.tokens[token]
    m.write(held["in"], held.pop("back", {}))
    m.leave(token)


def _exclusive(m: Machine, token: str) -> None:
    held, node = m.tokens[token], m.node(token)
    process = m.process(held["in"])
    out = process.out[held["at"]]
    if node.get("chosen"):
        _task(m, token)
        return
    view = m.view(held["in"])
    for flow in out:
        if flow == node.get("default"):
            continue
        when = process.flows[flow].get("when")
        if (when is None and len(out) == 1) or (when is not None and holds(when, view)):
            m.follow(token, [flow])
            return
    if "default" not in node and out:
        raise Unevaluable("no condition of the flows out of it is true, and none is the default")
    m.follow(token, [node["default"]] if out else [])


def _split(m: Machine, token: str) -> None:
    """An inclusive gateway that everything has arrived at."""
    held, node = m.tokens[token], m.node(token)
    process = m.process(held["in"])
    if node.get("chosen"):
        _task(m, token)
        return
    view = m.view(held["in"])
    out = process.out[held["at"]]
    others = [flow for flow in out if flow != node.get("default")]
    whens = {flow: process.flows[flow].get("when") for flow in others}
    taken = [flow for flow, when in whens.items() if (holds(when, view) if when is not None else len(out) == 1)]
    if not taken and "default" in node:
        taken = [node["default"]]
    if not taken and out:
        raise Unevaluable("no condition of the flows out of it is true, and none is the default")
    m.follow(token, taken)


def _inclusive(m: Machine, token: str) -> None:
    if len(m.process(m.tokens[token]["in"]).into[m.tokens[token]["at"]]) <= 1:
        _split(m, token)
    else:
        m.wait(token)


def join_inclusive(m: Machine) -> bool:
    """Let the first inclusive gateway go on at which all has arrived that still can; False when none can."""
    for ident, held in m.tokens.items():
        if held["st"] != "w" or held.get("since") or m.node(ident)["kind"] != "inclusiveGateway":
            continue
        process = m.process(held["in"])
        here = [
            other
            for other, token in m.tokens.items()
            if token["in"] == held["in"] and token["at"] == held["at"] and token["st"] == "w"
        ]
        filled = {m.tokens[other].get("via") for other in here}
        reaching = {flow: process.reaching(flow, held["at"]) for flow in process.into[held["at"]]}
        coming = [m.tokens[other]["at"] for other in m.inside(held["in"]) if other not in here]
        if any(
            any(at in nodes for flow, nodes in reaching.items() if flow not in filled)
            and not any(at in nodes for flow, nodes in reaching.items() if flow in filled)
            for at in coming
        ):
            continue
        first: dict[str | None, str] = {held.get("via"): ident}
        for other in here:
            first.setdefault(m.tokens[other].get("via"), other)
        for other in first.values():
            if other != ident:
                m.drop(other)
        m.resume(ident, "split")
        return True
    return False


def _parallel(m: Machine, token: str) -> None:
    held = m.tokens[token]
    process = m.process(held["in"])
    into = process.into[held["at"]]
    if len(into) > 1:
        m.wait(token)
        found: dict[str, str] = {}
        for ident, other in m.tokens.items():
            if other["in"] == held["in"] and other["at"] == held["at"] and other["st"] == "w":
                found.setdefault(other.get("via", ""), ident)
        if len(found) < len(into):
            return
        for ident in found.values():
            if ident != token:
                m.drop(ident)
    m.follow(token, process.out[held["at"]])


def _catch(m: Machine, token: str) -> None:
    held, node = m.tokens[token], m.node(token)
    if held.get("fired") or not node.get("events") or node["events"][0]["kind"] == "link":
        m.leave(token)
        return
    catching.arm_own(m, token)
    m.wait(token)


def _event_gateway(m: Machine, token: str) -> None:
    catching.arm_own(m, token)
    m.wait(token)


def _throw(m: Machine, token: str) -> None:
    held, node = m.tokens[token], m.node(token)
    events = node.get("events", [])
    if node["kind"] == "endEvent" and m.scopes[held["in"]]["kind"] == "process" and not held.get("ends"):
        held["ends"] = True
        m.state["ends"] = [*m.state.get("ends", []), held["at"]][-50:]
    if any(event["kind"] == "terminate" for event in events):
        _terminate(m, held["in"])
        return
    for event in events:
        if event["kind"] == "link":
            _link(m, token, event)
            return
        if event["kind"] in ("compensate", "cancel"):
            compensation.begin(m, token, event)
            return
        catching.throw(m, token, event)
    if token in m.tokens:
        m.leave(token)


def _link(m: Machine, token: str, event: Json) -> None:
    held = m.tokens[token]
    for ident, node in m.process(held["in"]).nodes.items():
        if (
            node["kind"] == "intermediateCatchEvent"
            and node["in"] == m.node(token)["in"]
            and event in node.get("events", [])
        ):
            m.drop(token)
            m.put(ident, held["in"])
            return


def _terminate(m: Machine, scope: str) -> None:
    for ident in m.inside(scope):
        m.drop(ident)
    for ident in m.below(scope):
        m.close(ident)
    completed(m, scope)


def completed(m: Machine, scope: str) -> None:
    """This scope is over: what waits for it goes on."""
    held = m.scopes[scope]
    log = held.get("log", [])
    if held["kind"] == "process":
        m.state |= {"status": "finished", "data": held["data"]}
        m.scopes.clear()
        m.queue.clear()
        return
    m.scopes.pop(scope)
    if held["kind"] != "handler" and (log or held["kind"] == "sub") and not _undone_whole(m, held):
        m.scopes[held["parent"]].setdefault("log", []).extend(compensation.left(m, held, log))
    if held["kind"] == "event":
        m.ended(held["parent"])
    elif held["kind"] == "instance":
        m.tokens[held["owner"]]["loop"]["ended"].append(held["data"])
        m.resume(held["owner"], "loop")
    elif held["kind"] == "handler":
        m.resume(held["owner"], "undo")
    elif held["kind"] == "call":
        m.tokens[held["owner"]]["back"] = held["data"]
        m.resume(held["owner"], "return")
    else:
        m.resume(held["owner"], "leave")


def _undone_whole(m: Machine, held: Json) -> bool:
    """Whether the activity that this scope ran for is undone by one of its own, and not by those inside it."""
    owner = held.get("owner")
    return bool(owner in m.tokens and m.node(owner).get("undo"))


def _leave(m: Machine, token: str) -> None:
    m.leave(token)


def _pick(m: Machine, token: str) -> None:
    m.follow(token, m.tokens[token]["pick"])


_GOING_ON: dict[str, Callable[[Machine, str], None]] = {
    "leave": _leave,
    "return": _returned,
    "loop": loops.go_on,
    "undo": compensation.go_on,
    "split": _split,
    "pick": _pick,
}

_ENTERING: dict[str, Callable[[Machine, str], None]] = {
    **dict.fromkeys(TASKS, _task),
    "receiveTask": _receive,
    "sendTask": _send,
    "businessRuleTask": _decide,
    "callActivity": _call,
    "subProcess": _sub,
    "exclusiveGateway": _exclusive,
    "inclusiveGateway": _inclusive,
    "parallelGateway": _parallel,
    "eventBasedGateway": _event_gateway,
    "startEvent": _catch,
    "intermediateCatchEvent": _catch,
    "boundaryEvent": _catch,
    "intermediateThrowEvent": _throw,
    "endEvent": _throw,
}
