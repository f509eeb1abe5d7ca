"""The scalars of the schema: what the services' JSON has beside GraphQL's own, passed on as it is said."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from graphql import (
    FloatValueNode,
    GraphQLError,
    GraphQLScalarType,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
)
from graphql.utilities import value_from_ast_untyped

from gateway.graph.numbers import Written

_LARGEST = 2**53 - 1


def _same(value: Any) -> Any:
    return value


def _exact(value: Any) -> str:
    """A decimal as its digits were written. Raises GraphQLError."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise GraphQLError('A decimal in a variable is a string, as "12.5": a float has lost digits already.')
    try:
        if not Decimal(value).is_finite():
            raise InvalidOperation
    except InvalidOperation as error:
        raise GraphQLError("This is no decimal.") from error
    return str(value)


def _exact_literal(node: ValueNode, _variables: Any = None) -> str:
    if not isinstance(node, StringValueNode | IntValueNode | FloatValueNode):
        raise GraphQLError("This is no decimal.")
    return _exact(node.value)


def _as_written(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
    """A value in a document, its numbers digit for digit."""
    if isinstance(node, FloatValueNode):
        return Written(node.value)
    if isinstance(node, ListValueNode):
        return [_as_written(each, variables) for each in node.values]
    if isinstance(node, ObjectValueNode):
        return {each.name.value: _as_written(each.value, variables) for each in node.fields}
    return value_from_ast_untyped(node, variables)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _LARGEST:
        raise GraphQLError("This is no whole number of at most 53 bits.")
    return value


def _moment(value: Any) -> str:
    return _read(value, datetime.fromisoformat, "This is no moment or day of RFC 3339.")


def _day(value: Any) -> str:
    return _read(value, date.fromisoformat, "This is no day, as 2026-01-31.")


def _read(value: Any, reader: Callable[[str], object], otherwise: str) -> str:
    """The text, as it came, that `reader` can read. Raises GraphQLError."""
    try:
        reader(value)
    except (TypeError, ValueError) as error:
        raise GraphQLError(otherwise) from error
    return str(value)


BIG_INT = GraphQLScalarType(
    "BigInt",
    serialize=_same,
    parse_value=_whole,
    description="A whole number of at most 53 bits: money in minor units, versions.",
)
DECIMAL = GraphQLScalarType(
    "Decimal",
    serialize=_same,
    parse_value=_exact,
    parse_literal=_exact_literal,
    description='An exact decimal. Answered as a string, `"12.5"`; in a variable it is a string too, in a document a number will do.',
)
MOMENT = GraphQLScalarType(
    "DateTime",
    serialize=_same,
    parse_value=_moment,
    description="A moment with its offset (RFC 3339), answered in UTC; where a filter says so, a day of the company's.",
)
DAY = GraphQLScalarType("Date", serialize=_same, parse_value=_day, description="A day of the calendar, as 2026-01-31.")
JSON = GraphQLScalarType(
    "JSON",
    serialize=_same,
    parse_value=_same,
    parse_literal=_as_written,
    description="Any JSON: what has no shape of its own.",
)
