"""Headings in two languages, paths into a body, and which cell a refusal is about."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from tailrace.core.values.fields import Moment, MomentOrDay
from tailrace.core.values.money import Exact
from tailrace.http.routing import Body
from tailrace.transfer.columns import HeaderWrong, column, kinds_of, located, paths_of, put, value_of, without_empty


class Line(Body):
    quantity: int
    urgent: bool = False


class Paper(Body):
    title: str
    written_at: Moment | None = None
    effective_at: MomentOrDay | None = None
    lines: list[Line] = []
    notes: list[str] = []


COLUMNS = [
    column("title", "Title", "題名"),
    column("written_at", "Written at"),
    column("effective_at"),
    column("lines.0.quantity", "Quantity", "数量"),
    column("lines.0.urgent"),
    column("notes.0"),
    column("lines"),
]


@pytest.mark.parametrize("heading", ["title", "TITLE", "題名", " Title ", "Ｔｉｔｌｅ"])
def test_a_heading_is_known_in_any_spelling(heading: str) -> None:
    assert paths_of([heading, "Written-At", "id", ""], COLUMNS, ["id"]) == ["title", "written_at", ""]


@pytest.mark.parametrize(
    ("header", "says"),
    [(["Titel"], 'no column "Titel"'), (["title", "題名"], "title stands twice"), (["id"], "has to name the columns")],
)
def test_a_header_that_is_none_is_refused(header: list[str], says: str) -> None:
    with pytest.raises(HeaderWrong, match=says):
        paths_of(header, COLUMNS, ["id"])


def test_a_text_becomes_what_its_field_is() -> None:
    kinds = kinds_of(Paper, COLUMNS)
    assert kinds == {
        "title": "text",
        "written_at": "moment",
        "effective_at": "moment",
        "lines.0.quantity": "int",
        "lines.0.urgent": "bool",
        "notes.0": "text",
        "lines": "json",
    }
    given = [
        ("12", "int"),
        ("1.5", "int"),
        ("はい", "bool"),
        ("perhaps", "bool"),
        ('[{"a": 1}]', "json"),
        ("[", "json"),
    ]
    assert [value_of(text, kind) for text, kind in given] == [12, "1.5", True, "perhaps", [{"a": 1}], "["]


def test_a_number_in_a_cell_of_json_keeps_its_digits() -> None:
    class Box(Body):
        holds: Exact

    read = value_of('{"holds": 12345678901.123456}', "json")
    assert Box.model_validate(read).holds == Decimal("12345678901.123456")
    # A body refuses what no number of ours is and what is said twice, under its name; what is no JSON at all stays the text that it was.
    for cell in ('{"holds": 1e400}', '{"holds": NaN}', '{"holds": 1, "holds": 2}', '{"holds": ' + "9" * 5000 + "}"):
        with pytest.raises(ValidationError) as refused:
            Box.model_validate(value_of(cell, "json"))
        assert refused.value.errors()[0]["loc"] == ("holds",), cell
    assert value_of("[" * 20_000, "json") == "[" * 20_000


def test_paths_make_what_lies_between() -> None:
    body: dict[str, Any] = {}
    for path, value in (("title", "A"), ("lines.1.quantity", 2), ("notes.0", "x"), ("notes.1", "y")):
        put(body, path.split("."), value)
    assert body == {"title": "A", "lines": [{}, {"quantity": 2}], "notes": ["x", "y"]}
    assert without_empty(body)["lines"] == [{"quantity": 2}]


@pytest.mark.parametrize(
    ("pointer", "lines", "expected"),
    [
        ("/title", None, ("title", 0)),
        ("/lines/0/quantity", None, ("lines.0.quantity", 0)),
        ("/lines/0", None, ("lines", 0)),
        ("/currency", None, ("currency", 0)),
        ("", None, ("", 0)),
    ],
)
def test_a_pointer_leads_to_its_column(pointer: str, lines: str | None, expected: tuple[str, int]) -> None:
    assert located(pointer, COLUMNS, lines) == expected


def test_a_pointer_into_a_line_leads_to_the_row() -> None:
    columns = [column("title"), column("lines.quantity")]
    assert located("/lines/3/quantity", columns, "lines") == ("lines.quantity", 3)
    assert located("/lines", columns, "lines") == ("lines.quantity", 0)
