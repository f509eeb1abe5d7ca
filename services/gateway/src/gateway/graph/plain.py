"""Fields that only show what a service said, without the machinery for those that ask.

A page of fifty orders has some two thousand fields, and all but a few of them are values in a row that is there already. For each, graphql-core
makes a path, an info and a call of the resolver, and looks three times whether it has to wait. Here the fields of a selection are parted once: those
that are read from the row, with the scalar or enumeration they are shown as, and the others. A row whose values do not fit goes the long way from its
beginning, so that each error has its path and null rises as far as the specification has it (GraphQL, October 2021, 6.4.4).
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from graphql import GraphQLObjectType, Undefined, is_leaf_type, is_non_null_type
from graphql.execution import Executor
from graphql.execution.collect_fields import GroupedFieldSet
from graphql.pyutils import AwaitableOrValue, Path

Shown = Callable[[Any], Any]
Reading = tuple[str, str, Shown, bool]
"""The name in the answer and in the row, what makes the value to be shown of it, and whether it may be null."""
Parted = tuple[list[Reading], GroupedFieldSet]


def reader(key: str) -> Callable[..., Any]:
    """A resolver that reads a value of its row."""

    def read(source: Mapping[str, Any], _info: object) -> Any:
        return source.get(key)

    read.key = key  # type: ignore[attr-defined]
    return read


class PlainFields(Executor[Any]):
    """An execution in which what is read from a row is read at once."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._known: dict[int, tuple[GroupedFieldSet, Parted]] = {}
        """By identity, as graphql-core keeps the selections themselves; and with the selection, so that its id is not used again."""

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,
    ) -> AwaitableOrValue[dict[str, Any]]:
        """The fields of one object, in the order in which they were asked for."""
        plain, others = self._parted(parent_type, grouped_field_set)
        shown = _shown(source_value, plain) if plain and isinstance(source_value, dict) else None
        if shown is None:
            return super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)
        if not others:
            return shown
        asked = super().execute_fields(parent_type, source_value, path, others, position_context)
        return (
            _waiting(grouped_field_set, shown, asked)
            if self.is_awaitable(asked)
            else _joined(grouped_field_set, shown, cast("dict[str, Any]", asked))
        )

    def _parted(self, kind: GraphQLObjectType, fields: GroupedFieldSet) -> Parted:
        known = self._known.get(id(fields))
        if known is None:
            known = self._known[id(fields)] = fields, self._part(kind, fields)
        return known[1]

    def _part(self, kind: GraphQLObjectType, fields: GroupedFieldSet) -> Parted:
        plain: list[Reading] = []
        others: GroupedFieldSet = {}
        for name, details in fields.items():
            node = details[0].node
            field = self.schema.get_field(kind, node.name.value)
            key = getattr(field.resolve, "key", None) if field is not None and not node.arguments else None
            inner = None if key is None or field is None else field.type
            needed = inner is not None and is_non_null_type(inner)
            inner = inner.of_type if needed else inner  # type: ignore[union-attr]
            if key is not None and is_leaf_type(inner):
                plain.append((name, key, inner.coerce_output_value, not needed))
            else:
                others[name] = details
        return plain, others


def _shown(row: dict[str, Any], fields: list[Reading]) -> dict[str, Any] | None:
    """The values, None when one of them does not fit its type."""
    said: dict[str, Any] = {}
    try:
        for name, key, show, nullable in fields:
            value = row.get(key)
            if value is not None:
                value = show(value)
                if value is None or value is Undefined:
                    return None
            elif not nullable:
                return None
            said[name] = value
    # Whatever it is: the long way says it, with its place.
    except Exception:
        return None
    return said


def _joined(order: GroupedFieldSet, one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    both = one | other
    return {name: both[name] for name in order if name in both}


async def _waiting(order: GroupedFieldSet, one: dict[str, Any], other: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    return _joined(order, one, await other)
