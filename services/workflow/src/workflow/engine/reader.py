"""BPMN 2.0 files read into a spec: plain JSON with what running needs and nothing of the diagram.

`{"key", "name", "processes": {key: process}, "decisions": {id: table}, "digest"}`; a process has `nodes` and `flows` by
their ids, each node with the scope that it stands `in` (the process or a sub-process), and their `order` in the file.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from workflow.engine import limits, timing, xml
from workflow.engine.elements import ACTIVITIES, EVENTS, FLOW_NODES, Runs, known
from workflow.engine.expressions import check
from workflow.engine.findings import Finding, NotRunnable, Unevaluable
from workflow.engine.values import Json

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
OURS = "urn:tailrace:bpmn"
_WRAPPED = re.compile(r"^\s*[$#]\{(.*)\}\s*$", re.S)
_AS = {"transaction": "subProcess", "adHocSubProcess": "subProcess", "complexGateway": "inclusiveGateway"}
_BY_HAND = {"task", "scriptTask", "callChoreography"}


@dataclass
class File:
    """One BPMN file, indexed: its root and what others refer to by id."""

    root: xml.Node
    lenient: bool
    findings: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    by_id: dict[str, xml.Node] = field(default_factory=dict)

    def refuse(self, node: xml.Node, why: str) -> None:
        self.findings.append(self._said(node, why))

    def warn(self, node: xml.Node, why: str) -> None:
        self.warnings.append(self._said(node, why))

    def _said(self, node: xml.Node, why: str) -> Finding:
        return Finding(node.get("id") or "", xml.local(node), xml.line(node), why)

    def named(self, ref: str | None, *attributes: str) -> str | None:
        """What the element that is referred to is called: the first of these attributes that it has."""
        node = self.by_id.get(xml.reference(ref) or "")
        if node is None:
            return None
        return next((node.get(name) for name in attributes if node.get(name)), node.get("id"))


def open_file(source: bytes, lenient: bool = False) -> File:
    """This file, indexed; raises NotRunnable when it is no BPMN 2.0."""
    root = xml.parse(source)
    if xml.local(root) != "definitions" or xml.namespace(root) != BPMN:
        raise NotRunnable(
            [Finding("", xml.local(root), 1, f"is no BPMN 2.0 file: its root is not definitions of {BPMN}")]
        )
    file = File(root, lenient)
    for node in root.iter():
        if (ident := node.get("id")) and xml.namespace(node) == BPMN:
            if ident in file.by_id and (xml.local(node) in FLOW_NODES or xml.local(node) == "sequenceFlow"):
                file.refuse(node, "another element has the same id")
            file.by_id.setdefault(ident, node)
    return file


def processes(file: File) -> dict[str, xml.Node]:
    """The processes of this file by their ids."""
    return {node.get("id") or "": node for node in xml.children(file.root, "process")}


def kind_of(node: xml.Node) -> str:
    """How the table of elements calls this element: its name, and for events what they are."""
    tag = xml.local(node)
    if tag == "subProcess" and node.get("triggeredByEvent") == "true":
        return "subProcess:event"
    if not tag.endswith("Event"):
        return tag
    kinds = [EVENTS[xml.local(child)] for child in node if xml.local(child) in EVENTS]
    if len(kinds) > 1 and node.get("parallelMultiple") == "true":
        return f"{tag}:multiple"
    return f"{tag}:{kinds[0]}" if kinds else tag


def expression(file: File, node: xml.Node, text: str | None) -> str | None:
    """This text as CEL, without the wrapping of other engines in lenient mode; None when there is none or it is prose."""
    if not text:
        return None
    if file.lenient and (match := _WRAPPED.match(text)):
        text = match.group(1).strip()
    try:
        check(text)
    except Unevaluable as error:
        (file.warn if file.lenient else file.refuse)(node, str(error))
        return None
    return text


def attributes(node: xml.Node) -> dict[str, str]:
    """What `tailrace:` says of this element: attributes, and `tailrace:property name value` among its extensions."""
    found = {
        str(key).split("}", 1)[1]: value for key, value in node.attrib.items() if str(key).startswith(f"{{{OURS}}}")
    }
    for extensions in xml.children(node, "extensionElements"):
        for child in extensions:
            if xml.namespace(child) == OURS:
                name = child.get("name") if xml.local(child) == "property" else xml.local(child)
                found[name or ""] = child.get("value") or "".join(str(part) for part in child.itertext()).strip()
    return {str(key): str(value) for key, value in found.items()}


def _timer(file: File, node: xml.Node, definition: xml.Node) -> Json:
    for name, short in (("timeDate", "at"), ("timeDuration", "after"), ("timeCycle", "every")):
        if text := xml.text_of(definition, name):
            made: Json = {"timer": short, "text": text}
            try:
                timing.check(made)
            except Unevaluable as error:
                file.refuse(node, str(error))
            return made
    if not file.lenient:
        file.refuse(node, "its timer says no time")
    return {"timer": None, "text": ""}


def _event(file: File, node: xml.Node, definition: xml.Node) -> Json:
    kind = EVENTS[xml.local(definition)]
    made: Json = {"kind": kind}
    if kind == "timer":
        made |= _timer(file, node, definition)
    elif kind in ("message", "signal"):
        made["name"] = file.named(definition.get(f"{kind}Ref"), "name") or node.get("name") or node.get("id")
    elif kind in ("error", "escalation"):
        code = "errorCode" if kind == "error" else "escalationCode"
        made["name"] = file.named(definition.get(f"{kind}Ref"), code, "name")
    elif kind == "link":
        made["name"] = definition.get("name") or node.get("name")
    elif kind == "compensate":
        made["activity"] = xml.reference(definition.get("activityRef"))
    elif kind == "conditional":
        made["when"] = expression(file, node, xml.text_of(definition, "condition"))
    return made


def _events(file: File, node: xml.Node) -> list[Json]:
    found = [_event(file, node, child) for child in node if xml.local(child) in EVENTS]
    for child in node:
        if (
            xml.local(child) == "eventDefinitionRef"
            and (target := file.by_id.get(xml.reference(child.text) or "")) is not None
        ):
            found.append(_event(file, node, target))
    return found


def _loop(file: File, node: xml.Node) -> Json | None:
    for found in xml.children(node, "standardLoopCharacteristics"):
        most = found.get("loopMaximum")
        return {
            "kind": "loop",
            "before": found.get("testBefore") == "true",
            "most": int(most) if most and most.isascii() and most.isdigit() else None,
            "while": expression(file, node, xml.text_of(found, "loopCondition")),
        }
    for found in xml.children(node, "multiInstanceLoopCharacteristics"):
        own = attributes(found)
        item = next((child.get("name") or child.get("id") for child in xml.children(found, "inputDataItem")), None)
        out_item = next((child.get("name") or child.get("id") for child in xml.children(found, "outputDataItem")), None)
        collection = own.get("collection") or _data_name(file, xml.text_of(found, "loopDataInputRef"))
        made = {
            "kind": "each",
            "serial": found.get("isSequential") == "true",
            "items": expression(file, node, collection),
            "count": expression(file, node, xml.text_of(found, "loopCardinality")),
            "item": own.get("item") or item,
            "into": own.get("into") or _data_name(file, xml.text_of(found, "loopDataOutputRef")),
            "result": own.get("result") or out_item,
            "until": expression(file, node, xml.text_of(found, "completionCondition")),
        }
        if not made["items"] and not made["count"]:
            if file.lenient:
                file.warn(node, "says neither over what nor how often it repeats: runs once")
                return None
            file.refuse(node, "says neither over what nor how often it repeats")
        return made
    return None


def _data_name(file: File, ref: str | None) -> str | None:
    return (file.named(ref, "name") or xml.reference(ref)) if ref else None


def _work(file: File, node: xml.Node, made: Json) -> None:
    tag = xml.local(node)
    own: dict[str, str] = made.setdefault("own", {})
    if tag == "serviceTask" or (tag == "sendTask" and "work" in own):
        work = own.get("work") or file.named(node.get("operationRef"), "name")
        made["kind"] = "serviceTask"
        if work:
            own["work"] = work
        else:
            _by_hand(file, node, made, "names no work: `tailrace:work` or an operation")
    elif tag in ("sendTask", "receiveTask"):
        name = file.named(node.get("messageRef"), "name") or own.get("message") or node.get("name") or node.get("id")
        made["events"] = [{"kind": "message", "name": name}]
    elif tag == "businessRuleTask" and "decision" not in own:
        _by_hand(file, node, made, "names no decision: `tailrace:decision`")
    elif tag == "callActivity":
        made["calls"] = xml.reference(node.get("calledElement"))
        if not made["calls"]:
            _by_hand(file, node, made, "calls no process")
    elif tag in _BY_HAND:
        made["kind"] = "manualTask"


def _by_hand(file: File, node: xml.Node, made: Json, why: str) -> None:
    if file.lenient:
        file.warn(node, f"{why}: work by hand")
        made["kind"] = "manualTask"
    else:
        file.refuse(node, why)


def read_node(file: File, node: xml.Node, scope: str) -> Json:
    """This flow node as the spec has it, with what there is against it among the findings of the file."""
    tag, row = xml.local(node), known(kind_of(node))
    if row.runs is Runs.NO or (row.runs is Runs.LENIENT and not file.lenient):
        file.refuse(node, row.why)
    elif row.runs is Runs.LENIENT:
        file.warn(node, row.why)
    made: Json = {"kind": _AS.get(tag, tag), "in": scope}
    if name := node.get("name"):
        made["name"] = name
    if own := attributes(node):
        made["own"] = own
        for attribute, text in own.items():
            if text.startswith("=") or attribute in ("correlation", "payload"):
                expression(file, node, text.removeprefix("="))
    if documentation := xml.text_of(node, "documentation"):
        made["about"] = documentation[:2000]
    if tag.endswith("Event"):
        made["events"] = _events(file, node)
    else:
        _work(file, node, made)
    if made["kind"] in ACTIVITIES and (loop := _loop(file, node)):
        made["loop"] = loop
    _flags(file, node, tag, made)
    return {key: value for key, value in made.items() if value not in (None, {}, [])}


def _flags(file: File, node: xml.Node, tag: str, made: Json) -> None:
    if tag == "boundaryEvent":
        made["on"] = xml.reference(node.get("attachedToRef"))
        made["beside"] = node.get("cancelActivity") == "false"
    elif tag == "startEvent":
        made["beside"] = node.get("isInterrupting") == "false"
    elif tag == "subProcess" and node.get("triggeredByEvent") == "true":
        made["event"] = True
    if tag == "transaction":
        made["transaction"] = True
    if node.get("isForCompensation") == "true":
        made["undoes"] = True
    if default := node.get("default"):
        made["default"] = default
    people = [
        str(text).strip()
        for found in xml.children(node, "potentialOwner", "humanPerformer", "performer")
        for text in found.itertext()
    ]
    if owners := ", ".join(text for text in people if text):
        made.setdefault("own", {}).setdefault("owner", owners)


def read_lanes(process: xml.Node) -> dict[str, str]:
    """The lane of each flow node, the innermost that names it."""
    found: dict[str, str] = {}
    for lane in process.iter(f"{{{BPMN}}}lane"):
        for ref in xml.children(lane, "flowNodeRef"):
            found[xml.reference((ref.text or "").strip()) or ""] = lane.get("name") or lane.get("id") or ""
    return found


def read_process(file: File, process: xml.Node) -> Json:
    """One process with all that stands inside it."""
    key = process.get("id") or ""
    nodes: dict[str, Json] = {}
    flows: dict[str, Json] = {}
    pending: list[tuple[xml.Node, str]] = [(process, key)]
    while pending:
        parent, scope = pending.pop()
        for child in (child for child in parent if xml.namespace(child) == BPMN):
            tag, ident = xml.local(child), child.get("id") or ""
            if tag in FLOW_NODES:
                _read_into(file, child, scope, nodes)
                if nodes.get(ident, {}).get("kind") == "subProcess":
                    pending.append((child, ident))
            elif tag == "sequenceFlow":
                flows[ident or f"flow {len(flows)}"] = _flow(file, child)
    if len(nodes) > limits.MAX_NODES:
        file.refuse(process, f"may have {limits.MAX_NODES} flow nodes, this has {len(nodes)}")
    for ident, lane in read_lanes(process).items():
        if ident in nodes:
            nodes[ident]["lane"] = lane
    _compensations(process, nodes)
    made: Json = {"name": process.get("name") or key, "nodes": nodes, "flows": flows}
    if own := attributes(process):
        made["own"] = own
    return made


def _read_into(file: File, node: xml.Node, scope: str, nodes: dict[str, Json]) -> None:
    if ident := node.get("id"):
        nodes[ident] = read_node(file, node, scope)
    else:
        file.refuse(node, "has no id")


def _flow(file: File, node: xml.Node) -> Json:
    made: dict[str, Any] = {"from": xml.reference(node.get("sourceRef")), "to": xml.reference(node.get("targetRef"))}
    if name := node.get("name"):
        made["name"] = name
    text = xml.text_of(node, "conditionExpression")
    if when := expression(file, node, text):
        made["when"] = when
    elif text:
        made["prose"] = text[:200]
    return made


def _compensations(process: xml.Node, nodes: dict[str, Json]) -> None:
    for found in process.iter(f"{{{BPMN}}}association"):
        source, target = xml.reference(found.get("sourceRef")), xml.reference(found.get("targetRef"))
        event = nodes.get(source or "", {})
        if event.get("kind") == "boundaryEvent" and any(e["kind"] == "compensate" for e in event.get("events", [])):
            on = nodes.get(event.get("on", ""))
            if on is not None and nodes.get(target or "", {}).get("undoes"):
                on["undo"] = target
