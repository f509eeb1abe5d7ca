"""What an operation may cost at most, known from its text, its variables and the schema before any service is asked.

Each field counts once for every row that it may be shown of: a page has as many as its `limit`, another list is taken for ten. A field that reads is
one request for each of those rows; one that follows an id is one for a hundred.
"""

from collections import Counter
from dataclasses import dataclass
from math import ceil
from typing import Any

from graphql import (
    DocumentNode,
    ExecutableDefinitionNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_object_type,
)
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values

from gateway.graph.caller import BATCH
from gateway.graph.schema import KIND, LINK
from gateway.refusals import TooMuch
from tailrace.http.lists.pagination import LIMIT

TOKENS = 1000
DEPTH = 12
ALIASES = 30
COST = 20_000
REQUESTS = 40
_NESTED = 20
"""Braces within braces, in what asks for the schema too."""
_REPEATED = 5
_EMBEDDED = 10
"""Rows that a list is taken for which is no page."""


@dataclass(slots=True)
class Plan:
    """`requests` that the services get at most, `cost` in fields that are shown at most, and how deep it goes, counted from 1."""

    requests: int = 0
    cost: int = 0
    depth: int = 0


def check_text(document: DocumentNode) -> None:
    """Look at a document before the rules of GraphQL are applied, some of which take time by the square of what is repeated. Raises TooMuch."""
    aliases = 0
    waiting = [(each.selection_set, 1) for each in document.definitions if isinstance(each, ExecutableDefinitionNode)]
    while waiting:
        selected, depth = waiting.pop()
        named: Counter[str] = Counter()
        for selection in selected.selections:
            if isinstance(selection, FieldNode):
                aliases += selection.alias is not None
                named[(selection.alias or selection.name).value] += 1
            elif isinstance(selection, FragmentSpreadNode):
                named[f"...{selection.name.value}"] += 1
            inner = getattr(selection, "selection_set", None)
            if inner is not None:
                waiting.append((inner, depth + 1))
        if depth > _NESTED:
            raise TooMuch(f"It goes more than {_NESTED} levels deep.")
        if named and max(named.values()) > _REPEATED:
            raise TooMuch(f"It names one field more than {_REPEATED} times in one place.")
    if aliases > ALIASES:
        raise TooMuch(f"It has {aliases} aliases; at most {ALIASES} are answered.")


def plan_of(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, variables: dict[str, Any]
) -> Plan:
    """Of a document that is valid. Raises TooMuch, and GraphQLError for variables that the operation does not take."""
    values = get_variable_values(schema, operation.variable_definitions or (), variables, max_errors=50)
    if isinstance(values, list):
        raise values[0]
    root = schema.get_root_type(operation.operation)
    if root is None:
        raise GraphQLError(f"There is no {operation.operation.value} here.")
    walk = _Walk(document, values)
    walk.below(operation.selection_set, root, 1, None, 1)
    return walk.plan


class _Walk:
    """Ends as soon as it is too much, so that fragments that are spread in one another cost no more than what is allowed."""

    def __init__(self, document: DocumentNode, values: VariableValues) -> None:
        self._fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        self._values = values
        self.plan = Plan()

    def below(
        self, selections: SelectionSetNode, parent: GraphQLObjectType, times: int, size: int | None, depth: int
    ) -> None:
        """Count what is selected of `parent`, `times` over; `size` is how long a page's list is."""
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                self._field(selection, parent, times, size, depth)
            elif isinstance(selection, FragmentSpreadNode):
                self.below(self._fragments[selection.name.value].selection_set, parent, times, size, depth)
            else:
                self.below(selection.selection_set, parent, times, size, depth)  # type: ignore[attr-defined]

    def _field(self, node: FieldNode, parent: GraphQLObjectType, times: int, size: int | None, depth: int) -> None:
        plan = self.plan
        plan.cost += times
        plan.depth = max(plan.depth, depth)
        field = parent.fields.get(node.name.value)
        if field is not None and (kind := field.extensions.get(KIND)) is not None:
            plan.requests += ceil(times / BATCH) if kind == LINK else times
        self._check()
        # The schema's own fields have a limit among the rules that documents are checked by.
        if field is None or node.selection_set is None:
            return
        if "limit" in field.args:
            limit = get_argument_values(field, node, self._values).get("limit")
            size = LIMIT if limit is None else limit
        if is_list_type(get_nullable_type(field.type)):
            times, size = times * max(1, size if size is not None else _EMBEDDED), None
        inner = get_named_type(field.type)
        if is_object_type(inner):
            self.below(node.selection_set, inner, times, size, depth + 1)

    def _check(self) -> None:
        for what, is_, most in (
            ("levels deep", self.plan.depth, DEPTH),
            ("fields shown", self.plan.cost, COST),
            ("requests to services", self.plan.requests, REQUESTS),
        ):
            if is_ > most:
                raise TooMuch(
                    f"It may come to more than {most} {what}: ask for fewer, or for shorter pages by `limit`."
                )
