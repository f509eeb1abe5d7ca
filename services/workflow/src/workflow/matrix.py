"""A matrix of approvals in two forms that say the same: a DMN decision table, which a modeller opens, and JSON, which needs no editor.

    {"inputs": ["kind", "amount"],
     "rules": [{"when": {"kind": "\\"quote\\"", "amount": "> 100000"}, "then": {"step": 1, "approvers": "role:manager"}}]}

What stands under `when` are unary tests of DMN, where a missing one is true of anything; what stands under `then` are values. Every rule that applies
counts (hit policy COLLECT). Amounts are in minor units of the document's currency.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from workflow.processes import MATRIX
from workflow.rules import MOST_STEPS, requirement

Cell = str | int | bool
OUTPUTS = ("step", "approvers", "mode", "due", "escalate", "reason", "repeat", "name")
_DMN = "https://www.omg.org/spec/DMN/20191111/MODEL/"
_NAMESPACES: Any = {None: _DMN}
_ANY_DMN = re.compile(r"https?://www\.omg\.org/spec/DMN/\d{8}/MODEL/")
LARGEST = 200_000
"""Bytes of a DMN file that is read as a matrix."""
_COMPARES = re.compile(r"(?:^|[<>=\[\](,.\s])-?\d")
_WHOLE = re.compile(r"-?\d{1,18}")


@dataclass(frozen=True, slots=True)
class Rule:
    """A row: tests by the name of an input, and values by the name of an output."""

    when: Mapping[str, str]
    then: Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Matrix:
    """A decision table of hit policy COLLECT."""

    inputs: Sequence[str]
    rules: Sequence[Rule]
    name: str = "Who approves what"
    outputs: Sequence[str] = field(default=OUTPUTS)

    def _is_number(self, name: str) -> bool:
        """Whether the tests of this input compare with numbers: then an attribute, which is a text, is read as one."""
        tests = [rule.when[name] for rule in self.rules if name in rule.when]
        return any(_COMPARES.search(test) for test in tests) and not any('"' in test for test in tests)

    def dmn(self) -> bytes:
        """As a DMN 1.3 file."""
        root = etree.Element(f"{{{_DMN}}}definitions", nsmap=_NAMESPACES)
        root.attrib.update({"id": "matrix_definitions", "name": self.name, "namespace": "urn:tailrace:matrix"})
        decision = etree.SubElement(root, f"{{{_DMN}}}decision", id=MATRIX, name=self.name)
        table = etree.SubElement(decision, f"{{{_DMN}}}decisionTable", id="table", hitPolicy="COLLECT")
        for number, name in enumerate(self.inputs, 1):
            column = etree.SubElement(table, f"{{{_DMN}}}input", id=f"input_{number}", label=name)
            asks = etree.SubElement(column, f"{{{_DMN}}}inputExpression", id=f"expression_{number}")
            asks.set("typeRef", "number" if self._is_number(name) else "string")
            _text(asks, name)
        for name in self.outputs:
            etree.SubElement(table, f"{{{_DMN}}}output", id=f"output_{name}", label=name, name=name)
        for number, rule in enumerate(self.rules, 1):
            row = etree.SubElement(table, f"{{{_DMN}}}rule", id=f"rule_{number}")
            for at, name in enumerate(self.inputs, 1):
                _text(etree.SubElement(row, f"{{{_DMN}}}inputEntry", id=f"rule_{number}_{at}"), rule.when.get(name, ""))
            for name in self.outputs:
                entry = etree.SubElement(row, f"{{{_DMN}}}outputEntry", id=f"rule_{number}_{name}")
                _text(entry, _written(rule.then.get(name)))
        written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
        return written


def read(dmn: bytes) -> Matrix:
    """The first decision table of a DMN file. Raises ValueError when there is none, or it is more than a matrix."""
    if len(dmn) > LARGEST or b"<!DOCTYPE" in dmn or b"<!ENTITY" in dmn:
        raise ValueError(f"no file of at most {LARGEST} bytes without a DOCTYPE")
    try:
        root = etree.fromstring(dmn, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False))
    except etree.XMLSyntaxError as error:
        raise ValueError(f"no well-formed XML: {error.msg}") from error
    namespace = etree.QName(root).namespace or ""
    if not _ANY_DMN.fullmatch(namespace):
        raise ValueError("no DMN file")
    table = root.find(f".//{{{namespace}}}decisionTable")
    if table is None:
        raise ValueError("it has no decision table")
    inputs = [_of(each, namespace, "inputExpression") for each in table.iterfind(f"{{{namespace}}}input")]
    outputs = [each.get("name") or "" for each in table.iterfind(f"{{{namespace}}}output")]
    rules = []
    for row in table.iterfind(f"{{{namespace}}}rule"):
        tests = [_content(each, namespace) for each in row.iterfind(f"{{{namespace}}}inputEntry")]
        values = [_content(each, namespace) for each in row.iterfind(f"{{{namespace}}}outputEntry")]
        when = {name: test for name, test in zip(inputs, tests, strict=True) if test not in ("", "-")}
        then = {name: _value(text) for name, text in zip(outputs, values, strict=True) if text}
        rules.append(Rule(when, then))
    decision = root.find(f".//{{{namespace}}}decision")
    name = None if decision is None else decision.get("name")
    return Matrix(inputs, rules, name or MATRIX, outputs)


def _text(parent: Any, text: str) -> None:
    etree.SubElement(parent, f"{{{_DMN}}}text").text = text


def _of(parent: Any, namespace: str, name: str) -> str:
    return _content(parent.find(f"{{{namespace}}}{name}"), namespace)


def _content(element: Any, namespace: str) -> str:
    text = None if element is None else element.find(f"{{{namespace}}}text")
    return "" if text is None else (text.text or "").strip()


def _written(value: Cell | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _value(text: str) -> Cell:
    if _WHOLE.fullmatch(text):
        return int(text)
    if text in {"true", "false"}:
        return text == "true"
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def check(matrix: Matrix) -> None:
    """Raises ValueError for a row that states no requirement: it would be found out with the first document that it applies to."""
    for number, rule in enumerate(matrix.rules, 1):
        try:
            requirement(rule.then)
            if not 1 <= int(rule.then.get("step", 1)) <= MOST_STEPS:
                raise ValueError(f"steps are numbered from 1 to {MOST_STEPS}")
        except ValueError as error:
            raise ValueError(f"rule {number}: {error}") from error
