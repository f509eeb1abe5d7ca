"""Activities that repeat: over a collection or a number, one after another or all at once, or while a condition is true.

Each instance has data of its own on top of what is around it: `loopCounter` (from 0), the item under its name, and what
it is completed with. With a name to collect `into`, the results are listed there in the order of the items; without
one what was written goes to the data around, the last to end last. The completion condition sees
`nrOfInstances`, `nrOfActiveInstances`, `nrOfCompletedInstances`, `results`, and the data of the instance that just ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workflow.engine import limits
from workflow.engine.expressions import holds, value
from workflow.engine.findings import Unevaluable
from workflow.engine.values import Json

if TYPE_CHECKING:
    from workflow.engine.machine import Machine


def begin(m: Machine, token: str) -> None:
    """Start the first instances, or none when there is nothing to repeat over."""
    held, spec = m.tokens[token], m.node(token)["loop"]
    if spec["kind"] == "loop":
        held["loop"] = {"ended": [], "next": 0, "done": 0}
        m.wait(token)
        if spec["before"] and not _again(m, held, spec, 0):
            m.leave(token)
        else:
            _spawn(m, token, None)
        return
    items = _items(m, held, spec)
    held["loop"] = {"items": items, "ended": [], "next": 0, "done": 0, "out": []}
    m.wait(token)
    if not items:
        _close(m, token, spec)
        return
    for item in items[:1] if spec.get("serial") else items:
        _spawn(m, token, item)


def _items(m: Machine, held: Json, spec: Json) -> list[Any]:
    view = m.view(held["in"])
    if text := spec.get("items"):
        found = value(text, view)
        if isinstance(found, dict):
            found = [{"key": key, "value": item} for key, item in found.items()]
        if not isinstance(found, list):
            raise Unevaluable(f"{text!r} is no list to repeat over")
    else:
        number = value(spec["count"], view)
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            raise Unevaluable(f"{spec['count']!r} is {number!r}, no number of times")
        if number > limits.MAX_INSTANCES:
            raise Unevaluable(f"would repeat {number:,} times, {limits.MAX_INSTANCES} may be")
        found = list(range(number))
    if len(found) > limits.MAX_INSTANCES:
        raise Unevaluable(f"would repeat {len(found):,} times, {limits.MAX_INSTANCES} may be")
    return found


def _spawn(m: Machine, token: str, item: Any) -> None:
    held, spec = m.tokens[token], m.node(token)["loop"]
    loop = held["loop"]
    data: Json = {"loopCounter": loop["next"]}
    if name := spec.get("item"):
        data[name] = item
    loop["next"] += 1
    scope = m.open("instance", held["at"], m.scopes[held["in"]]["proc"], held["in"], owner=token, data=data)
    m.put(held["at"], scope, body=True)


def go_on(m: Machine, token: str) -> None:
    """Instances have ended: collect what they gave, and end, go on or wait."""
    held, spec = m.tokens[token], m.node(token)["loop"]
    loop = held["loop"]
    m.wait(token)
    while loop["ended"]:
        data = loop["ended"][0]
        over = _collect(m, held, spec, data)
        loop["ended"].pop(0)
        loop["done"] += 1
        if over:
            _close(m, token, spec)
            return
        if spec["kind"] == "loop":
            _spawn(m, token, None)
        elif spec.get("serial"):
            _spawn(m, token, loop["items"][loop["next"]])


def _collect(m: Machine, held: Json, spec: Json, data: Json) -> bool:
    """Keep what this instance gave; True when it was the last, or the condition says that it is enough."""
    loop = held["loop"]
    given = {key: item for key, item in data.items() if key not in ("loopCounter", spec.get("item"))}
    if spec["kind"] == "loop":
        m.write(held["in"], given)
        most = spec["most"]
        return (most is not None and loop["done"] + 1 >= most) or not _again(m, held, spec, loop["done"] + 1)
    result = data.get(spec["result"]) if spec.get("result") else given
    out = [*loop["out"], [data["loopCounter"], result]]
    if not spec.get("into"):
        m.write(held["in"], given)
    done, number = loop["done"] + 1, len(loop["items"])
    counts = {
        "nrOfInstances": number,
        "nrOfCompletedInstances": done,
        "nrOfActiveInstances": (min(done + 1, number) if spec.get("serial") else number) - done,
        "results": [entry[1] for entry in out],
    }
    enough = bool(spec.get("until")) and holds(spec["until"], m.view(held["in"]) | data | counts)
    loop["out"] = out
    return enough or done == number


def _again(m: Machine, held: Json, spec: Json, done: int) -> bool:
    when = spec.get("while")
    if when is None:
        return spec["most"] is not None
    return holds(when, m.view(held["in"]) | {"loopCounter": done})


def _close(m: Machine, token: str, spec: Json) -> None:
    """End what still runs, write the results and leave."""
    held = m.tokens[token]
    for ident in [ident for ident, scope in m.scopes.items() if scope.get("owner") == token]:
        m.close(ident)
    if into := spec.get("into"):
        m.write(held["in"], {into: [entry[1] for entry in sorted(held["loop"]["out"], key=lambda entry: entry[0])]})
    m.resume(token, "leave")
