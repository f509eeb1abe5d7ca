"""Decision tables of DMN 1.1 to 1.5, and literal expressions: read once at deployment, then evaluated as plain data.

Hit policies unique, first, any, priority, collect (also sum, min, max, count), rule order and output order. Decisions
that a decision requires are evaluated before it, and known to it by the name of their variable.
"""

import functools
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from workflow.engine import feel, limits, xml
from workflow.engine.findings import Finding, NotRunnable, Unevaluable
from workflow.engine.timing import UTC_ZONE
from workflow.engine.values import Json, plain

_HITS = {"UNIQUE", "FIRST", "ANY", "PRIORITY", "COLLECT", "RULE ORDER", "OUTPUT ORDER"}
_SUMS: dict[str, Callable[[list[Any]], Any]] = {
    "SUM": lambda values: sum(values, Decimal(0)),
    "MIN": lambda values: min(values, default=None),
    "MAX": lambda values: max(values, default=None),
    "COUNT": lambda values: Decimal(len(values)),
}


def read(source: bytes) -> dict[str, Json]:
    """The decisions of this file by their ids, as plain JSON; raises NotRunnable naming each decision, rule and cell at fault."""
    root = xml.parse(source)
    findings: list[Finding] = []
    if xml.local(root) != "definitions" or "/DMN/" not in xml.namespace(root):
        raise NotRunnable([Finding("", xml.local(root), 1, "is no DMN file")])
    found: dict[str, Json] = {}
    for node in xml.children(root, "decision"):
        ident = node.get("id") or ""
        made: Json = {"name": node.get("name") or ident}
        variables = xml.children(node, "variable")
        made["variable"] = (variables[0].get("name") if variables else None) or made["name"]
        made["needs"] = [
            (ref.get("href") or "").rsplit("#", 1)[-1]
            for needed in xml.children(node, "informationRequirement")
            for ref in xml.children(needed, "requiredDecision")
        ]
        tables, literals = xml.children(node, "decisionTable"), xml.children(node, "literalExpression")
        if tables:
            made |= _table(tables[0], ident, findings)
        elif literals and (text := xml.text_of(literals[0], "text")):
            _try(findings, node, functools.partial(feel.expression, text))
            made["literal"] = text
        else:
            findings.append(Finding(ident, "decision", xml.line(node), "holds neither a table nor an expression"))
        found[ident] = made
    if findings or not found:
        raise NotRunnable(findings or [Finding("", "definitions", 1, "holds no decision")])
    return found


def _try(findings: list[Finding], node: xml.Node, read_it: Callable[[], object]) -> None:
    try:
        read_it()
    except Unevaluable as error:
        findings.append(Finding(node.get("id") or "", xml.local(node), xml.line(node), str(error)))


def _table(table: xml.Node, ident: str, findings: list[Finding]) -> Json:
    hit = table.get("hitPolicy") or "UNIQUE"
    if hit not in _HITS:
        findings.append(Finding(ident, "decisionTable", xml.line(table), f"the hit policy {hit} is not known"))
    inputs = []
    for column in xml.children(table, "input"):
        expressions = xml.children(column, "inputExpression")
        text = (xml.text_of(expressions[0], "text") if expressions else None) or column.get("label") or ""
        _try(findings, column, functools.partial(feel.expression, text))
        inputs.append(
            {
                "text": text,
                "type": expressions[0].get("typeRef") if expressions else None,
                "label": column.get("label") or text,
            }
        )
    outputs = [_output(column, findings) for column in xml.children(table, "output")]
    rules = [_rule(rule, len(inputs), len(outputs), findings) for rule in xml.children(table, "rule")]
    if len(rules) > limits.MAX_RULES:
        findings.append(
            Finding(ident, "decisionTable", xml.line(table), f"a table may have {limits.MAX_RULES:,} rules")
        )
    if not outputs:
        findings.append(Finding(ident, "decisionTable", xml.line(table), "has no output"))
    return {"hit": hit, "sums": table.get("aggregation"), "inputs": inputs, "outputs": outputs, "rules": rules}


def _output(column: xml.Node, findings: list[Finding]) -> Json:
    values = [str(text) for found in xml.children(column, "outputValues") if (text := xml.text_of(found, "text"))]
    default = next((xml.text_of(found, "text") for found in xml.children(column, "defaultOutputEntry")), None)
    for text in [*(f"[{value}]" for value in values), *([default] if default else [])]:
        _try(findings, column, functools.partial(feel.expression, text))
    name = column.get("name") or column.get("label") or "output"
    return {"name": name, "values": f"[{values[0]}]" if values else None, "default": default}


def _rule(rule: xml.Node, inputs: int, outputs: int, findings: list[Finding]) -> Json:
    tests = [xml.text_of(cell, "text") or "" for cell in xml.children(rule, "inputEntry")]
    values = [xml.text_of(cell, "text") or "null" for cell in xml.children(rule, "outputEntry")]
    if len(tests) != inputs or len(values) != outputs:
        findings.append(
            Finding(rule.get("id") or "", "rule", xml.line(rule), "has not as many cells as the table has columns")
        )
    for cell, text in zip(xml.children(rule, "inputEntry"), tests, strict=False):
        _try(findings, cell, functools.partial(feel.unary, text))
    for cell, text in zip(xml.children(rule, "outputEntry"), values, strict=False):
        _try(findings, cell, functools.partial(feel.expression, text))
    return {"id": rule.get("id") or "", "if": tests, "then": values}


def needed(tables: Mapping[str, Json], decision: str) -> dict[str, Json]:
    """This decision and all that it requires, each by its id; raises NotRunnable when one is missing or they go in a circle."""
    found: dict[str, Json] = {}

    def collect(ident: str, above: tuple[str, ...]) -> None:
        if ident in above or len(above) > 20:
            raise NotRunnable([Finding(ident, "decision", 1, "requires itself, or a chain of more than 20")])
        if ident not in tables:
            raise NotRunnable([Finding(ident, "decision", 1, "is required and not there")])
        if ident not in found:
            found[ident] = tables[ident]
            for other in tables[ident]["needs"]:
                collect(other, (*above, ident))

    collect(decision, ())
    return found


def evaluate(tables: Mapping[str, Json], decision: str, data: Mapping[str, Any], zone: str = UTC_ZONE) -> Json:
    """What this decision says of these data: the outputs by their names, as JSON holds them. Days are counted in `zone`."""
    with feel.days_in(zone):
        made: Json = plain(_evaluate(tables, decision, dict(data), 0))
    return made


def _evaluate(tables: Mapping[str, Json], decision: str, data: Json, depth: int) -> Json:
    if decision not in tables or depth > 20:
        raise Unevaluable(
            f"there is no decision {decision}"
            if decision not in tables
            else "decisions require one another in a circle"
        )
    table = tables[decision]
    for other in table["needs"]:
        result = _evaluate(tables, other, data, depth + 1)
        data[tables[other]["variable"]] = next(iter(result.values())) if len(result) == 1 else result
    if "literal" in table:
        return {table["variable"]: feel.expression(table["literal"])(data)}
    return _decide(decision, table, data)


def _inputs(decision: str, table: Json, data: Json) -> list[Any]:
    found = []
    for column in table["inputs"]:
        value = feel.expression(column["text"])(data)
        if column["type"] == "number" and isinstance(value, str):
            try:
                value = feel.read_number(value)
            except ValueError as error:
                raise Unevaluable(f"{decision}: {column['label']} is {value!r}, no number") from error
        found.append(value)
    return found


def _decide(decision: str, table: Json, data: Json) -> Json:
    values = _inputs(decision, table, data)
    hits: list[tuple[str, list[Any]]] = []
    for number, rule in enumerate(table["rules"], 1):
        try:
            if all(feel.unary(test)(value, data) for test, value in zip(rule["if"], values, strict=True)):
                hits.append((rule["id"] or str(number), [feel.expression(text)(data) for text in rule["then"]]))
        except Unevaluable as error:
            raise Unevaluable(f"{decision}, rule {rule['id'] or number}: {error}") from error
        if hits and table["hit"] == "FIRST":
            break
    names = [column["name"] for column in table["outputs"]]
    if table["hit"] in ("COLLECT", "RULE ORDER", "OUTPUT ORDER"):
        return _collected(decision, table, names, hits)
    if not hits:
        return {c["name"]: feel.expression(c["default"])(data) if c["default"] else None for c in table["outputs"]}
    return dict(zip(names, _single(decision, table, hits), strict=True))


def _single(decision: str, table: Json, hits: list[tuple[str, list[Any]]]) -> list[Any]:
    rules = ", ".join(rule for rule, _ in hits)
    if table["hit"] == "UNIQUE" and len(hits) > 1:
        raise Unevaluable(f"{decision}: more than one rule applies ({rules}), and the table is to be unique")
    if table["hit"] == "ANY" and any(outputs != hits[0][1] for _, outputs in hits):
        raise Unevaluable(f"{decision}: the rules that apply ({rules}) do not say the same")
    if table["hit"] == "PRIORITY":
        return min(hits, key=lambda hit: _ranks(table, hit[1]))[1]
    return hits[0][1]


def _ranks(table: Json, outputs: list[Any]) -> list[int]:
    ranks = []
    for column, value in zip(table["outputs"], outputs, strict=True):
        order = feel.expression(column["values"])({}) if column["values"] else []
        ranks.append(order.index(value) if value in order else len(order))
    return ranks


def _collected(decision: str, table: Json, names: list[str], hits: list[tuple[str, list[Any]]]) -> Json:
    if table["hit"] == "OUTPUT ORDER":
        hits = sorted(hits, key=lambda hit: _ranks(table, hit[1]))
    if len(names) > 1:
        return {decision: [dict(zip(names, outputs, strict=True)) for _, outputs in hits]}
    values = [outputs[0] for _, outputs in hits]
    return {names[0]: _SUMS[table["sums"]](values) if table["sums"] in _SUMS else values}


def decide(source: bytes, decision_id: str, data: Mapping[str, Any]) -> Json:
    """What the decision of this DMN file says of these data: the outputs by their names.

    A table that collects gives a list under its output, with several outputs a list of objects under the decision's id.
    When no rule applies, the outputs have their defaults, else null. Raises NotRunnable and Unevaluable.
    """
    return evaluate(needed(read_cached(source), decision_id), decision_id, plain(data))


_READ: dict[bytes, dict[str, Json]] = {}


def read_cached(source: bytes) -> dict[str, Json]:
    """As `read`; the 50 files read last are kept, so that one table over thousands of documents is read once."""
    if source not in _READ:
        made = read(source)
        while len(_READ) >= 50:
            _READ.pop(next(iter(_READ)))
        _READ[source] = made
    return _READ[source]
