"""A spec with what is worked out of it once: what leaves and enters each node, what stands on it, what starts a scope."""

from collections import OrderedDict
from typing import Any

from workflow.engine.structure import starting
from workflow.engine.values import Json


class Process:
    """One process of a spec, indexed."""

    def __init__(self, key: str, json: Json) -> None:
        self.key = key
        # JSON that was stored may have come back with its keys in another order, and conditions are tried in the file's.
        self.nodes: dict[str, Json] = {ident: json["nodes"][ident] for ident in json["order"]["nodes"]}
        self.flows: dict[str, Json] = {ident: json["flows"][ident] for ident in json["order"]["flows"]}
        self.out: dict[str, list[str]] = {ident: [] for ident in self.nodes}
        self.into: dict[str, list[str]] = {ident: [] for ident in self.nodes}
        self.attached: dict[str, list[str]] = {}
        self.handlers: dict[str, list[tuple[str, str]]] = {}
        self._starting: dict[str, list[str]] = {}
        self._before: dict[str, set[str]] = {}
        self._json: Json = {"nodes": self.nodes, "flows": self.flows}
        for ident, flow in self.flows.items():
            self.out[flow["from"]].append(ident)
            self.into[flow["to"]].append(ident)
        for ident, node in self.nodes.items():
            if node["kind"] == "boundaryEvent":
                self.attached.setdefault(node["on"], []).append(ident)
            if node.get("event"):
                start = next(
                    name for name, held in self.nodes.items() if held["in"] == ident and held["kind"] == "startEvent"
                )
                self.handlers.setdefault(node["in"], []).append((ident, start))

    def starting(self, scope: str) -> list[str]:
        """What begins with this scope."""
        if scope not in self._starting:
            self._starting[scope] = starting(self._json, scope)
        return self._starting[scope]

    def reaching(self, flow: str, gateway: str) -> set[str]:
        """The nodes from which a token can come over this flow without passing the gateway first."""
        if flow not in self._before:
            found: set[str] = set()
            pending = [self.flows[flow]["from"]]
            while pending:
                node = pending.pop()
                if node in found or node == gateway:
                    continue
                found.add(node)
                pending += self._behind(node)
            self._before[flow] = found
        return self._before[flow]

    def _behind(self, node: str) -> list[str]:
        found = [self.flows[flow]["from"] for flow in self.into[node]]
        if on := self.nodes[node].get("on"):
            found.append(on)
        if any(event["kind"] == "link" for event in self.nodes[node].get("events", [])):
            name = self.nodes[node]["events"][0].get("name")
            found += [
                ident
                for ident, other in self.nodes.items()
                if other["kind"] == "intermediateThrowEvent"
                and other["in"] == self.nodes[node]["in"]
                and any(e["kind"] == "link" and e.get("name") == name for e in other.get("events", []))
            ]
        return found


class Spec:
    """A spec as `deploy` made it, indexed; made once for each version and process."""

    def __init__(self, json: Json) -> None:
        self.json = json
        self.key: str = json["key"]
        self.processes = {key: Process(key, process) for key, process in json["processes"].items()}
        self.decisions: dict[str, Any] = json["decisions"]


_SPECS: OrderedDict[str, Spec] = OrderedDict()


def indexed(json: Json) -> Spec:
    """This spec indexed; the 200 used last are kept by their digest."""
    digest = json["digest"]
    found = _SPECS.get(digest)
    if found is None:
        found = _SPECS[digest] = Spec(json)
        while len(_SPECS) > 200:
            _SPECS.popitem(last=False)
    else:
        _SPECS.move_to_end(digest)
    return found
