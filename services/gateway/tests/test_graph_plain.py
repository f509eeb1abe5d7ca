"""What is read from a row at once is what graphql-core makes of it field by field: values, order, errors and how far null rises."""

import asyncio
import random
from typing import Any

import pytest
from graphql import (
    ExecutionResult,
    GraphQLEnumType,
    GraphQLField,
    GraphQLID,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
    execute,
    parse,
)
from graphql.execution import Executor

from gateway.graph import plain
from gateway.graph.plain import PlainFields, reader
from gateway.graph.scalars import BIG_INT, DECIMAL, JSON

_STATUS = GraphQLEnumType("Status", {"draft": "draft", "open": "open"})
_DOCUMENT = """
query($with: Boolean!) {
  rows {
    again: status id ...named @include(if: $with) __typename
    owner { name id } lines { sku amount } pieces total extra status
  }
  first: one { total id }
}
fragment named on Row { name count asked status }
"""


def _schema(rows: list[Any]) -> GraphQLSchema:
    owner = GraphQLObjectType(
        "Owner", {"id": _read("id", GraphQLNonNull(GraphQLID)), "name": _read("name", GraphQLString)}
    )
    line = GraphQLObjectType(
        "Line", {"sku": _read("sku", GraphQLNonNull(GraphQLString)), "amount": _read("amount", BIG_INT)}
    )

    async def asked(row: Any, _: Any) -> Any:
        await asyncio.sleep(0)
        return row.get("name")

    row = GraphQLObjectType(
        "Row",
        {
            "id": _read("id", GraphQLNonNull(GraphQLID)),
            "name": _read("name", GraphQLString),
            "status": _read("status", _STATUS),
            "count": _read("count", GraphQLInt),
            "total": _read("total", GraphQLNonNull(DECIMAL)),
            "extra": _read("extra", JSON),
            "pieces": _read("pieces", GraphQLList(GraphQLNonNull(GraphQLInt))),
            "owner": _read("owner", owner),
            "lines": _read("lines", GraphQLList(GraphQLNonNull(line))),
            "asked": GraphQLField(GraphQLString, resolve=asked),
        },
    )
    return GraphQLSchema(
        GraphQLObjectType(
            "Query",
            {
                "rows": GraphQLField(GraphQLList(row), resolve=lambda *_: rows),
                "one": GraphQLField(row, resolve=lambda *_: rows[0]),
            },
        )
    )


def _read(key: str, kind: Any) -> GraphQLField:
    return GraphQLField(kind, resolve=reader(key))


def _row(chance: random.Random, wrong: float) -> dict[str, Any]:
    """A row as a service answers it, each of its values with this chance one that does not fit."""
    right: dict[str, list[Any]] = {
        "id": ["a", 7],
        "name": ["Ann", None, ""],
        "status": ["draft", "open", None],
        "count": [0, 3, 2**31 - 1, None],
        "total": ["1.50"],
        "extra": [{"a": [1]}, None, []],
        "pieces": [[1, 2], [], None],
        "owner": [{"id": "b", "name": "Bob"}, {"id": "c"}, None],
        "lines": [[{"sku": "s", "amount": 5}], [], None],
    }
    bad: list[Any] = [None, "closed", 2**40, "text", [None], [{"sku": None}], {"name": 1}, 1.5, object]
    row = {key: chance.choice(bad if chance.random() < wrong else values) for key, values in right.items()}
    for key in [key for key in row if chance.random() < wrong / 2]:
        del row[key]
    return row


def _said(rows: list[Any], by: type[Executor[Any]] | None, included: bool) -> tuple[str, list[Any]]:
    async def run() -> ExecutionResult:
        found = execute(_schema(rows), parse(_DOCUMENT), variable_values={"with": included}, executor_class=by)
        return found if isinstance(found, ExecutionResult) else await found

    result = asyncio.run(run())
    # The text of the data holds the order of its fields, too. Errors of what runs side by side come in no order.
    return repr(result.data), sorted((repr(each.path), each.message) for each in result.errors or ())


def _differences(by: type[Executor[Any]]) -> int:
    found = 0
    for seed in range(150):
        chance = random.Random(seed)
        rows = [_row(chance, 0.15 if seed % 3 else 0) for _ in range(4)]
        included = seed % 2 == 0
        found += _said(rows, None, included) != _said(rows, by, included)
    return found


def test_both_ways_say_the_same_of_right_and_wrong_rows() -> None:
    assert _differences(PlainFields) == 0


def test_most_fields_of_a_right_row_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    one_by_one: list[str] = []
    slow = Executor.execute_field

    def counted(self: Executor[Any], kind: Any, source: Any, details: Any, path: Any, context: Any) -> Any:
        one_by_one.append(details[0].node.name.value)
        return slow(self, kind, source, details, path, context)

    monkeypatch.setattr(Executor, "execute_field", counted)
    chance = random.Random(1)
    _said([_row(chance, 0)], PlainFields, True)
    assert set(one_by_one) == {"rows", "one", "owner", "lines", "pieces", "asked", "__typename"}


def test_one_that_takes_what_is_missing_for_null_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "_shown", lambda row, fields: {name: row.get(key) for name, key, _, _ in fields})
    assert _differences(PlainFields) > 20
