"""Undoing: what was completed in a scope is undone by the activities that say so, the newest first, one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.engine import catching
from workflow.engine.values import Json

if TYPE_CHECKING:
    from workflow.engine.machine import Machine


def outward(entry: Json, scope: Json, data: Json | None) -> Json:
    """What an inner scope leaves to the one around it: the same entry, known as part of that activity."""
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
        m.put(entry["undo"], scope)
        return
    if any(event["kind"] == "cancel" for event in m.node(token)["events"]):
        catching.cancelled(m, token)
    else:
        m.leave(token)
