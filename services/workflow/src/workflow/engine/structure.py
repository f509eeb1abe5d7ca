"""What must hold of a process before it may start: no flow leads nowhere, no gateway is without a way out."""

from collections.abc import Iterator

from workflow.engine.elements import ACTIVITIES, known
from workflow.engine.findings import Finding
from workflow.engine.reader import File
from workflow.engine.values import Json


def check(file: File, key: str, process: Json) -> None:
    """Add to the file's findings what stands against running this process; in lenient mode make it run where that is honest."""
    if file.lenient:
        _soften(file, process)
    for rule in (_flows, _boundaries, _gateways, _scopes, _links, _decided):
        for ident, why in rule(key, process, file.lenient):
            node = file.by_id.get(ident)
            if node is not None:
                file.refuse(node, why)
            else:
                file.findings.append(
                    Finding(ident, process["nodes"].get(ident, {}).get("kind", "sequenceFlow"), 1, why)
                )


Rule = Iterator[tuple[str, str]]


def _flows(key: str, process: Json, lenient: bool) -> Rule:
    nodes = process["nodes"]
    for ident, flow in process["flows"].items():
        source, target = nodes.get(flow["from"]), nodes.get(flow["to"])
        if source is None or target is None:
            yield ident, f"leads {'from' if source is None else 'to'} nothing that runs"
        elif source["in"] != target["in"]:
            yield ident, "leads out of its sub-process"
        elif target["kind"] in ("startEvent", "boundaryEvent"):
            yield ident, f"leads to a {target['kind']}"
        elif source["kind"] == "endEvent":
            yield ident, "leads out of an end event"
        elif source.get("undoes") or target.get("undoes"):
            yield ident, "joins an activity that undoes, which stands outside the flow"
    for ident, node in nodes.items():
        if node.get("default") and process["flows"].get(node["default"], {}).get("from") != ident:
            yield ident, f"its default flow {node['default']} does not leave it"


def _boundaries(key: str, process: Json, lenient: bool) -> Rule:
    nodes = process["nodes"]
    for ident, node in nodes.items():
        if node["kind"] != "boundaryEvent":
            continue
        on = nodes.get(node.get("on", ""))
        kinds = {event["kind"] for event in node.get("events", [])}
        if on is None or on["kind"] not in ACTIVITIES or on["in"] != node["in"]:
            yield ident, "stands on no activity"
        elif "compensate" in kinds and not on.get("undo"):
            yield ident, "names nothing that undoes: an association to an activity with isForCompensation"
        elif "cancel" in kinds and not on.get("transaction"):
            yield ident, "cancellation is caught on a transaction alone"


def _gateways(key: str, process: Json, lenient: bool) -> Rule:
    for ident, node in process["nodes"].items():
        out = [(name, flow) for name, flow in process["flows"].items() if flow["from"] == ident]
        if node["kind"] in ("exclusiveGateway", "inclusiveGateway") and len(out) > 1 and not lenient:
            for name, flow in out:
                if "when" not in flow and name != node.get("default"):
                    yield name, "leaves a gateway without a condition, and is not its default"
        if node["kind"] == "eventBasedGateway":
            targets = [process["nodes"].get(flow["to"], {}) for _, flow in out]
            if not targets:
                yield ident, "waits for no event"
            if any(t.get("kind") not in ("intermediateCatchEvent", "receiveTask") for t in targets):
                yield ident, "may lead to events that catch and to receive tasks alone"


def _scopes(key: str, process: Json, lenient: bool) -> Rule:
    nodes = process["nodes"]
    inside: dict[str, list[tuple[str, Json]]] = {key: []}
    for ident, node in nodes.items():
        inside.setdefault(node["in"], []).append((ident, node))
        if node["kind"] == "subProcess":
            inside.setdefault(ident, [])
    for scope, held in inside.items():
        starts = [(ident, node) for ident, node in held if node["kind"] == "startEvent"]
        event = nodes.get(scope, {}).get("event", False)
        if not starting(process, scope) and not event:
            yield scope, "nothing starts in it"
        for ident, node in starts:
            kinds = [e["kind"] for e in node.get("events", [])]
            if event and not kinds:
                yield ident, "the start of an event sub-process says what it waits for"
            if not event and scope != key and kinds and not lenient:
                yield ident, "a sub-process starts with a start event that waits for nothing"
            if scope == key and set(kinds) & {
                "error",
                "escalation",
                "compensate",
                *([] if lenient else ["conditional"]),
            }:
                yield ident, "a process starts with nothing, a message, a timer or a signal"
        if event and len(starts) != 1:
            yield scope, "an event sub-process has one start event"


def starting(process: Json, scope: str) -> list[str]:
    """What begins when this scope begins: its start events, without any whatever nothing leads to."""
    held = {ident: node for ident, node in process["nodes"].items() if node["in"] == scope}
    if starts := [ident for ident, node in held.items() if node["kind"] == "startEvent"]:
        plain = [ident for ident in starts if not held[ident].get("events")]
        return plain or starts
    reached = {flow["to"] for flow in process["flows"].values()}
    return [ident for ident, node in held.items() if ident not in reached and _begins(node)]


def _begins(node: Json) -> bool:
    link = any(event["kind"] == "link" for event in node.get("events", []))
    return not (
        node["kind"] == "boundaryEvent"
        or node.get("event")
        or node.get("undoes")
        or (link and node["kind"] == "intermediateCatchEvent")
    )


def _links(key: str, process: Json, lenient: bool) -> Rule:
    caught = {
        (node["in"], event.get("name"))
        for node in process["nodes"].values()
        for event in node.get("events", [])
        if event["kind"] == "link" and node["kind"] == "intermediateCatchEvent"
    }
    for ident, node in process["nodes"].items():
        for event in node.get("events", []):
            if (
                event["kind"] == "link"
                and node["kind"] == "intermediateThrowEvent"
                and (node["in"], event.get("name")) not in caught
            ):
                yield ident, f"no link event catches {event.get('name')}"


def _decided(key: str, process: Json, lenient: bool) -> Rule:
    for ident, node in process["nodes"].items():
        for event in node.get("events", []):
            if known(f"{node['kind']}:{event['kind']}").runs != "yes" and node["kind"].endswith("Event"):
                yield ident, known(f"{node['kind']}:{event['kind']}").why
            if event["kind"] == "compensate" and event.get("activity") and event["activity"] not in process["nodes"]:
                yield ident, f"undoes {event['activity']}, which is not in this process"
            if (
                event["kind"] == "cancel"
                and node["kind"] == "endEvent"
                and not process["nodes"].get(node["in"], {}).get("transaction")
            ):
                yield ident, "cancels no transaction: it does not stand in one"
            if event["kind"] == "conditional" and not event.get("when") and not lenient:
                yield ident, "its condition says nothing"


def _soften(file: File, process: Json) -> None:
    """Lenient: prose at a gateway is a choice by a person; an event that says not when happens when somebody says so."""
    for ident, node in list(process["nodes"].items()):
        out = [(name, flow) for name, flow in process["flows"].items() if flow["from"] == ident]
        if node["kind"] in ("exclusiveGateway", "inclusiveGateway") and len(out) > 1:
            bare = [name for name, flow in out if "when" not in flow and name != node.get("default")]
            if bare or any("prose" in flow for _, flow in out):
                node["chosen"] = "one" if node["kind"] == "exclusiveGateway" else "any"
        for event in node.get("events", []):
            if (event["kind"] == "timer" and not event.get("timer")) or (
                event["kind"] == "conditional" and not event.get("when")
            ):
                event |= {"kind": "message", "name": node.get("name") or ident}
                file.warn(file.by_id[ident], f"says not when: happens when a message {event['name']} says so")
        if node["kind"] == "subProcess" and not any(held["in"] == ident for held in process["nodes"].values()):
            _empty(file, process, ident)


def _empty(file: File, process: Json, ident: str) -> None:
    """A sub-process whose content is not in the file: work by hand, or nothing at all when an event would start it."""
    if process["nodes"][ident].get("event"):
        del process["nodes"][ident]
        file.warn(file.by_id[ident], "holds nothing: left out")
    else:
        process["nodes"][ident]["kind"] = "manualTask"
        file.warn(file.by_id[ident], "holds nothing: work by hand")
