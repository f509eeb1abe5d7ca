"""Decision tables: each hit policy, the tests of the table language, exact numbers, and decisions that need others."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

import workflow.engine as engine
from workflow.engine import dmn

from .conftest import Run, bpmn

HEAD = '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="D" namespace="x">'


def table(
    rules: Sequence[tuple[str, ...]],
    hit: str = "UNIQUE",
    inputs: Sequence[str] = ("amount:number",),
    outputs: Sequence[str] = ("level:",),
    aggregation: str = "",
    more: str = "",
) -> bytes:
    """A DMN file; a rule is its cells, inputs first, and an output column may name its values: `level:"a","b"`."""
    columns = "".join(
        f'<input id="i{n}" label="{text.split(":")[0]}"><inputExpression id="ie{n}" typeRef="{text.split(":")[1]}">'
        f"<text>{text.split(':')[0]}</text></inputExpression></input>"
        for n, text in enumerate(inputs)
    )
    for n, text in enumerate(outputs):
        name, values = text.split(":", 1)
        columns += (
            f'<output id="o{n}" name="{name}">'
            + (f"<outputValues><text>{values}</text></outputValues>" if values else "")
            + "</output>"
        )
    made = ""
    for number, rule in enumerate(rules, 1):
        cells = "".join(
            f"<inputEntry id='c{number}{n}'><text><![CDATA[{cell}]]></text></inputEntry>"
            for n, cell in enumerate(rule[: len(inputs)])
        )
        cells += "".join(
            f"<outputEntry id='r{number}{n}'><text><![CDATA[{cell}]]></text></outputEntry>"
            for n, cell in enumerate(rule[len(inputs) :])
        )
        made += f'<rule id="rule{number}">{cells}</rule>'
    attribute = f' aggregation="{aggregation}"' if aggregation else ""
    held = f'<decisionTable id="t" hitPolicy="{hit}"{attribute}>{columns}{made}</decisionTable>'
    return f'{HEAD}<decision id="level" name="Level">{held}</decision>{more}</definitions>'.encode()


def decide(source: bytes, **facts: object) -> dict[str, Any]:
    return engine.decide(source, "level", facts)


MATRIX = [("< 1000", "0"), ("[1000..50000)", "1"), (">= 50000", "2")]


def test_unique_says_what_the_one_rule_says_and_null_when_none_applies() -> None:
    source = table(MATRIX)
    assert [decide(source, amount=n)["level"] for n in (999, 1000, 49_999, 50_000)] == [0, 1, 1, 2]
    assert decide(table(MATRIX[:1]), amount=5000) == {"level": None}
    with pytest.raises(engine.Unevaluable, match="rule1, rule2"):
        decide(table([("< 10", "1"), ("< 20", "2")]), amount=5)


def test_first_any_priority() -> None:
    rules = [("> 10", '"low"'), ("> 5", '"high"')]
    assert decide(table(rules, "FIRST"), amount=50) == {"level": "low"}
    assert decide(table(rules, "PRIORITY", outputs=('level:"high","low"',)), amount=50) == {"level": "high"}
    assert decide(table(rules, "PRIORITY", outputs=('level:"low","high"',)), amount=50) == {"level": "low"}
    with pytest.raises(engine.Unevaluable, match="do not say the same"):
        decide(table(rules, "ANY"), amount=50)
    assert decide(table([("> 10", "1"), ("> 5", "1")], "ANY"), amount=50) == {"level": 1}


@pytest.mark.parametrize(("how", "level"), [("", [1, 2]), ("SUM", 3), ("MIN", 1), ("MAX", 2), ("COUNT", 2)])
def test_collect(how: str, level: object) -> None:
    source = table([("> 10", "1"), ("> 5", "2"), ("> 100", "4")], "COLLECT", aggregation=how)
    assert decide(source, amount=50) == {"level": level}


def test_collect_with_several_outputs_and_orders() -> None:
    several = table([("> 10", '"a"', "1"), ("> 5", '"b"', "2")], "COLLECT", outputs=("who:", "level:"))
    assert decide(several, amount=50) == {"level": [{"who": "a", "level": 1}, {"who": "b", "level": 2}]}
    ordered = table([("> 10", '"a"'), ("> 5", '"b"')], "OUTPUT ORDER", outputs=('who:"b","a"',))
    assert decide(ordered, amount=50) == {"who": ["b", "a"]}


@pytest.mark.parametrize(
    ("cell", "value", "applies"),
    [
        ("-", None, True),
        ("", 5, True),
        ("5", 5, True),
        ("5, 7", 7, True),
        ("not(5, 7)", 7, False),
        ("not(5, 7)", 8, True),
        ("]1..3[", 1, False),
        ("]1..3[", 2, True),
        ("(1..3]", 3, True),
        ("? > 3 and ? < 9", 5, True),
        ("? > 3 and ? < 9", 9, False),
        ("> limit * 2", 21, True),
        ("> limit * 2", 20, False),
        ("null", None, True),
        ("null", 1, False),
        ("> 1", None, False),
        ("<= 1", None, False),
        ("[1, 2, 3]", 2, True),
        ("-3", -3, True),
        ("if limit > 5 then 1 else 2", 1, True),
        ("0.3", Decimal("0.1") + Decimal("0.2"), True),
    ],
)
def test_tests_of_an_input(cell: str, value: object, applies: bool) -> None:
    assert (
        decide(table([(cell, "true"), *([("-", "false")])], "FIRST", inputs=("v:Any",)), v=value, limit=10)["level"]
        is applies
    )


@pytest.mark.parametrize(
    ("cell", "value", "applies"),
    [
        ('"EUR"', "EUR", True),
        ('"EUR", "USD"', "JPY", False),
        ('not("EUR")', "JPY", True),
        ('starts with(?, "EU")', "EUR", True),
        ("true", True, True),
        ('< date("2026-03-01")', "2026-02-28", True),
        ('[date("2026-03-01")..date("2026-03-31")]', "2026-03-31", True),
        ('? in ("a", "b")', "b", True),
        ('list contains(?, "x")', ["x"], True),
    ],
)
def test_tests_of_texts_and_dates(cell: str, value: object, applies: bool) -> None:
    assert decide(table([(cell, "true"), ("-", "false")], "FIRST", inputs=("v:Any",)), v=value)["level"] is applies


def test_numbers_are_exact_and_texts_of_decimals_count_as_numbers_where_the_column_says_so() -> None:
    source = table([("> 0.3", "amount * 3")], "FIRST")
    assert decide(source, amount="0.1") == {"level": None}
    assert decide(source, amount="0.31") == {"level": "0.93"}
    assert decide(source, amount=10**17 + 1) == {"level": 3 * (10**17 + 1)}


def test_a_text_where_a_number_is_wanted_is_an_error_and_not_silently_no_match() -> None:
    with pytest.raises(engine.Unevaluable, match="amount is 'lots'"):
        decide(table(MATRIX), amount="lots")
    with pytest.raises(engine.Unevaluable, match="rule1"):
        decide(table([("> 5", "1")], inputs=("v:Any",)), v="six")


@pytest.mark.parametrize("text", ["1E999999999", "1_000", "١٢", "NaN", "-Infinity", " 5", "5\n", "", "9" * 401])
def test_a_number_is_plain_digits_and_never_a_gigabyte_of_them(text: str) -> None:
    with pytest.raises(engine.Unevaluable, match="no number"):
        decide(table([("-", "1")]), amount=text)
    with pytest.raises(engine.Unevaluable, match="has no value"):
        decide(table([("-", "number(v)")], inputs=("v:Any",)), v=text)


def test_a_product_that_is_too_long_is_an_error() -> None:
    for cell in (" * ".join(["amount"] * 12), "1 / (" + " * ".join(["amount"] * 12) + ")"):
        with pytest.raises(engine.Unevaluable, match="no number that data may hold"):
            decide(table([("-", cell)]), amount="1" + "0" * 39)


def test_decisions_are_made_from_decisions() -> None:
    risk = """<decision id="risk" name="Risk"><variable name="risk"/><decisionTable id="t2" hitPolicy="FIRST">
    <input id="x"><inputExpression id="xe"><text>country</text></inputExpression></input><output id="xo" name="risk"/>
    <rule id="a"><inputEntry id="a1"><text>"XX"</text></inputEntry><outputEntry id="a2"><text>9</text></outputEntry></rule>
    <rule id="b"><inputEntry id="b1"><text>-</text></inputEntry><outputEntry id="b2"><text>1</text></outputEntry></rule></decisionTable></decision>"""
    source = table([("> 5", '"board"'), ("-", '"desk"')], "FIRST", inputs=("risk:number",), more=risk)
    needs = b'<informationRequirement id="ir"><requiredDecision href="#risk"/></informationRequirement><decisionTable id="t"'
    source = source.replace(b'<decisionTable id="t"', needs, 1)
    assert decide(source, country="XX") == {"level": "board"} and decide(source, country="DE") == {"level": "desk"}
    circle = source.replace(
        b'<decisionTable id="t2"',
        b'<informationRequirement id="i2"><requiredDecision href="#level"/></informationRequirement><decisionTable id="t2"',
    )
    with pytest.raises(engine.NotRunnable, match="requires itself"):
        decide(circle, country="XX")


@pytest.mark.parametrize(
    "cell",
    [
        "> ",
        "[1..",
        "foo(",
        "1 2",
        "__import__('os')",
        "x.__class__()",
        "§",
        "(" * 60 + "1" + ")" * 60,
        "1" * 2000,
        "1 in (((" * 100,
        "if " * 300,
        "[" * 900,
    ],
)
def test_cells_that_cannot_be_read_are_named(cell: str) -> None:
    with pytest.raises(engine.NotRunnable) as error:
        decide(table([(cell, "1")]), amount=1)
    assert error.value.findings[0].element_id == "c10"


def test_long_cells_are_read_and_worked_out() -> None:
    assert decide(table([("-" * 400 + "1", "1" + "+1" * 300)]), amount=1) == {"level": 301}
    assert decide(table([("? > 0" + " and ? > 0" * 90, "1" + "-1" * 300)]), amount=1) == {"level": -299}


def test_a_process_decides_by_the_table_it_was_deployed_with() -> None:
    process = bpmn(
        (
            '<startEvent id="s"/><endEvent id="e"/><businessRuleTask id="b" tailrace:decision="level"/>'
            '<exclusiveGateway id="g" default="g-e"/><userTask id="u"/>'
        ),
        "s > b > g\ng > u : level > 0\ng > e\nu > e",
    )
    assert Run(process, {"amount": 2000}, decisions={"matrix": table(MATRIX)}).open == ["u"]
    assert Run(process, {"amount": 20}, decisions={"matrix": table(MATRIX)}).state.outcome == {"amount": 20, "level": 0}
    stuck = Run(process, {"amount": "x"}, decisions={"matrix": table(MATRIX)})
    assert stuck.state.failed is not None and stuck.state.failed.element_id == "b"


def test_a_day_begins_where_the_company_is() -> None:
    source = table([('>= date("2026-11-01")', "1"), ("-", "0")], "FIRST", inputs=("v:Any",))
    tables = dmn.needed(dmn.read(source), "level")
    found = [
        dmn.evaluate(tables, "level", {"v": f"2026-10-31T{time}:00Z"}, zone)["level"]
        for zone in ("Asia/Tokyo", "Etc/UTC")
        for time in ("14:59", "15:00")
    ]
    assert found == [0, 1, 0, 0]
