"""Undoing: what was completed in a scope is undone by the activities that say so, the newest first, one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.engine import catching
from workflow.engine.values import Json

if TYPE_CHECKING:
    from workflow.engine.machine import Machine


def left(m: Machine, scope: Json, log: list[Json]) -> list[Json]:
    """What an inner scope that is over leaves to the one around it: its entries, known as part of that activity.

    With an event sub-process that undoes, they become one entry, which that runs for.
    """
    process = m.spec.processes[scope["proc"]]
    for handler, start in process.handlers.get(scope["of"], []) if scope["kind"] == "sub" else []:
        if any(event["kind"] == "compensate" for event in process.nodes[start].get("events", [])):
            return [{"node": scope["of"], "undo": handler, "start": start, "proc": scope["proc"], "in": [], "log": log}]
    data = scope["data"] if scope["kind"] == "instance" else None
    return [_outward(entry, scope, data) for entry in log]


def _outward(entry: Json, scope: Json, data: Json | None) -> Json:
    made = entry | {"in": [*entry["in"], scope["of"]]}
    return made | {"data": {**data, **entry.get("data", {})}} if data else made


def begin(m: Machine, token: str, event: Json) -> None:
    """Undo what the event names, or everything of its scope; a cancel event everything of its transaction."""
    held = m.tokens[token]
    scope = held["in"]
    while m.scopes[scope]["kind"] == "event":
        scope = m.scopes[scope]["parent"]
    log = m.scopes[scope].get("log", [])
    wanted = event.get("activity")
    chosen = [entry for entry in log if wanted is None or entry["node"] == wanted or wanted in entry["in"]]
    m.scopes[scope]["log"] = [entry for entry in log if entry not in chosen]
    held["undo"] = chosen
    m.resume(token, "undo")


def go_on(m: Machine, token: str) -> None:
    """Undo the next, or leave when nothing is left."""
    held = m.tokens[token]
    if held["undo"]:
        entry = held["undo"].pop()
        own = {"data": dict(entry["data"])} if "data" in entry else {}
        scope = m.open("handler", entry["undo"], entry["proc"], held["in"], owner=token, **own)
        m.wait(token)
        if "start" in entry:
            m.scopes[scope] |= {"of": entry["node"], "log": entry["log"]}
            m.begin(m.open("event", entry["undo"], entry["proc"], scope), [entry["start"]])
        else:
            m.put(entry["undo"], scope)
        return
    if any(event["kind"] == "cancel" for event in m.node(token)["events"]):
        catching.cancelled(m, token)
    else:
        m.leave(token)
