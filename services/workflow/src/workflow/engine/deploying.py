"""A file becomes a spec that can be started, or is refused with everything that stands against it, element by element."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from workflow.engine import dmn, reader, xml
from workflow.engine.elements import FLOW_NODES, Runs, known
from workflow.engine.findings import Finding, NotRunnable
from workflow.engine.structure import check
from workflow.engine.values import Json


@dataclass(frozen=True)
class Element:
    """One element of a file: whether it runs as it is, and what there is to know of it."""

    id: str
    kind: str
    name: str
    runs: bool
    why: str


@dataclass(frozen=True)
class Start:
    """One way to start a process: the start event and what it waits for (`none`, `message`, `timer`, `signal`)."""

    element_id: str
    event: str
    name: str | None
    timer: Json | None = None


@dataclass(frozen=True)
class Deployment:
    """A process that can be started: `spec_json` is all that `start` and `load` need, stored once for each version."""

    key: str
    name: str
    spec_json: Json
    nodes: dict[str, Json]
    uses: list[str]
    lanes: list[str]
    starts: list[Start]
    start_data: Json | None
    warnings: list[Finding]


def inspect(source: bytes) -> list[Element]:
    """Every element of any BPMN 2.0 file that has a meaning, in the file's order; raises NotRunnable for what is none."""
    file = reader.open_file(source)
    found = []
    for node in file.root.iter():
        if xml.namespace(node) != reader.BPMN or not node.get("id"):
            continue
        kind = reader.kind_of(node)
        row = known(kind)
        tag = xml.local(node)
        if tag in FLOW_NODES or kind in _TOLD:
            found.append(
                Element(node.get("id") or "", kind, node.get("name") or "", row.runs in (Runs.YES, Runs.SHOWN), row.why)
            )
    return found


_TOLD = {
    "process", "lane", "participant", "messageFlow", "dataObjectReference", "dataStoreReference", "dataStore", "textAnnotation",
    "group", "conversation", "choreography", "sequenceFlow",
}  # fmt: skip


def process_keys(source: bytes) -> list[str]:
    """The keys of the processes in this file that hold anything."""
    found = reader.processes(reader.open_file(source))
    return [key for key, node in found.items() if any(xml.local(child) in FLOW_NODES for child in node)]


def deploy(
    source: bytes,
    decisions: Mapping[str, bytes] | None = None,
    *,
    processes: Mapping[str, bytes] | None = None,
    works: Collection[str] | None = None,
    key: str | None = None,
    lenient: bool = False,
) -> Deployment:
    """Read this file as a process that runs.

    `decisions` are DMN files under any name; a rule task finds its table by the id of the decision, or by that name when
    the file holds one alone. `processes` are BPMN files by the keys under which call activities know them. `works` are the
    named works that a service task may ask for; None asks nothing. `key` chooses among several processes. With `lenient`,
    what has no type or no operator becomes work by hand, and prose at a gateway a choice by a person; see `warnings`.
    Raises NotRunnable with every finding.
    """
    file = reader.open_file(source, lenient)
    chosen = _choose(file, key)
    made = {chosen: reader.read_process(file, reader.processes(file)[chosen])}
    tables = _decisions(decisions or {})
    _resolve_calls(file, made, processes or {}, lenient)
    used: dict[str, Json] = {}
    for name, process in made.items():
        _resolve(file, name, process, tables, works, used)
        check(file, name, process)
        process["order"] = {"nodes": list(process["nodes"]), "flows": list(process["flows"])}
    if file.findings:
        raise NotRunnable(file.findings)
    spec: Json = {"key": chosen, "name": made[chosen]["name"], "processes": made, "decisions": used}
    spec["digest"] = hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:32]
    return _deployment(file, spec)


def _choose(file: reader.File, key: str | None) -> str:
    found = reader.processes(file)
    if key is not None:
        if key not in found:
            raise NotRunnable([Finding(key, "process", 1, "is not in this file")])
        return key
    executable = [ident for ident, node in found.items() if node.get("isExecutable") == "true"]
    filled = [ident for ident, node in found.items() if any(xml.local(child) in FLOW_NODES for child in node)]
    candidates = executable or filled
    if not candidates:
        raise NotRunnable([Finding("", "definitions", 1, "holds no process with anything in it")])
    if len(candidates) > 1 and not file.lenient:
        raise NotRunnable(
            [Finding("", "definitions", 1, f"holds several processes, so say which: {', '.join(candidates)}")]
        )
    return candidates[0]


def _decisions(files: Mapping[str, bytes]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for name, source in files.items():
        tables = dmn.read(source)
        found |= tables
        if len(tables) == 1:
            found.setdefault(name, next(iter(tables.values())))
    return found


def _resolve_calls(file: reader.File, made: dict[str, Json], given: Mapping[str, bytes], lenient: bool) -> None:
    pending = list(made)
    own = reader.processes(file)
    while pending:
        for node_id, node in made[pending.pop()]["nodes"].items():
            called = node.get("calls")
            if not called or called in made:
                continue
            if called in given:
                other = reader.open_file(given[called], lenient)
                chosen = _choose(other, called if called in reader.processes(other) else None)
                made[called] = reader.read_process(other, reader.processes(other)[chosen])
                _rescope(made[called], chosen, called)
                file.findings += other.findings
                pending.append(called)
            elif called in own:
                made[called] = reader.read_process(file, own[called])
                pending.append(called)
            elif lenient:
                node["kind"] = "manualTask"
                file.warn(file.by_id[node_id], f"calls {called}, which is not there: work by hand")
            else:
                file.findings.append(Finding(node_id, "callActivity", 1, f"calls {called}, which is not there"))


def _rescope(process: Json, old: str, new: str) -> None:
    for node in process["nodes"].values():
        if node["in"] == old:
            node["in"] = new


def _resolve(
    file: reader.File,
    name: str,
    process: Json,
    tables: dict[str, Json],
    works: Collection[str] | None,
    used: dict[str, Json],
) -> None:
    for node_id, node in process["nodes"].items():
        own: dict[str, str] = node.get("own", {})
        if node["kind"] == "businessRuleTask" and "decision" in own:
            if own["decision"] in tables:
                used |= dmn.needed(tables, own["decision"])
            elif file.lenient:
                node["kind"] = "manualTask"
            else:
                file.findings.append(
                    Finding(node_id, "businessRuleTask", 1, f"the decision {own['decision']} is not there")
                )
        if node["kind"] == "serviceTask" and works is not None and own.get("work") not in works:
            file.findings.append(Finding(node_id, "serviceTask", 1, f"there is no work called {own.get('work')}"))


def _deployment(file: reader.File, spec: Json) -> Deployment:
    main = spec["processes"][spec["key"]]
    nodes: dict[str, Json] = {
        ident: {"kind": node["kind"], "name": node.get("name", ""), "lane": node.get("lane")}
        for ident, node in main["nodes"].items()
    }
    lanes = dict.fromkeys(node["lane"] for node in nodes.values() if node["lane"])
    uses = sorted({_use(node) for process in spec["processes"].values() for node in process["nodes"].values()})
    return Deployment(
        spec["key"],
        spec["name"],
        spec,
        nodes,
        uses,
        list(lanes),
        _starts(spec["key"], main),
        _start_data(file, main),
        file.warnings,
    )


def _use(node: Json) -> str:
    events: list[Any] = node.get("events", [])
    return f"{node['kind']}:{events[0]['kind']}" if events and node["kind"].endswith("Event") else str(node["kind"])


def _starts(key: str, process: Json) -> list[Start]:
    found = []
    for ident, node in process["nodes"].items():
        if node["kind"] == "startEvent" and node["in"] == key:
            for event in node.get("events", [{"kind": "none"}]):
                found.append(
                    Start(ident, event["kind"], event.get("name"), event if event["kind"] == "timer" else None)
                )
    return found


def _start_data(file: reader.File, process: Json) -> Json | None:
    text = process.get("own", {}).get("startData")
    if not text:
        return None
    try:
        made = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotRunnable([Finding("", "process", 1, f"its startData is no JSON: {error}")]) from error
    if not isinstance(made, dict):
        raise NotRunnable([Finding("", "process", 1, "its startData is no JSON object")])
    return made
