"""What an operation may cost at most, by its text and variables alone."""

from typing import Any

import pytest
from graphql import GraphQLSchema, OperationDefinitionNode, parse
from toy_documents import DOCUMENTS, SCREENS, TOY

from contracts.promised import openapi
from gateway import screens
from gateway.graph.live import Live
from gateway.graph.offer import OFFER
from gateway.graph.plan import Plan, plan_of
from gateway.graph.schema import schema_of
from gateway.refusals import TooMuch

SCHEMA = schema_of(DOCUMENTS, SCREENS, TOY, Live(""))


def _plan(text: str, schema: GraphQLSchema = SCHEMA, **variables: Any) -> Plan:
    document = parse(text)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return plan_of(schema, document, operation, variables)


def test_a_page_counts_as_often_as_it_has_rows() -> None:
    assert _plan("{orders(limit: 3) {nextCursor items {id}}}") == Plan(1, 1 + 2 + 3, 3)
    for left_open in ("{orders {items {id}}}", "{orders(limit: null) {items {id}}}"):
        assert _plan(left_open).cost == 1 + 1 + 50
    assert _plan("query($n: Int) {orders(limit: $n) {items {id}}}", n=7).cost == 1 + 1 + 7


def test_rows_alone_and_a_list_of_no_page_count_too() -> None:
    assert _plan('{customerOrders(customerId: "1", limit: 4) {id}}').cost == 1 + 4
    assert _plan('{order(id: "1") {lines {quantity}}}').cost == 1 + 1 + 10


def test_ids_that_are_followed_are_asked_for_by_the_hundred() -> None:
    assert _plan("{orders(limit: 100) {items {item {id}}}}").requests == 1 + 1
    assert _plan("{orders(limit: 101) {items {item {id}}}}").requests == 1 + 2


def test_what_managers_ask_costs_what_it_asks_of_analytics() -> None:
    fleet = schema_of(openapi(), screens.SCREENS, OFFER, Live(""))
    results = _plan('{kpiResults(id: "1", limit: 101) {items {value kpi {code}}}}', fleet)
    assert (results.requests, results.cost) == (1 + 2, 1 + 1 + 101 * 3)
    asked = '{dashboardFigures(id: "1") {tiles {parts {value}}} unreadNotifications {count} funnel {stages {count}}}'
    assert _plan(asked, fleet) == Plan(3, (1 + 1 + 10 + 100) + (1 + 1) + (1 + 1 + 10), 4)


def test_a_list_below_each_row_is_a_request_for_each() -> None:
    of_one = '{order(id: "1") {drafts {items {id}} history {items {id}}}}'
    assert _plan(of_one).requests == 3
    # The screen's own limit is the list's.
    assert _plan('{order(id: "1") {drafts {items {id}}}}').cost == 1 + 1 + 1 + 20


def test_what_fragments_spread_counts_where_it_is_spread() -> None:
    rows = "fragment rows on OrderSummaryPage {items {id}}"
    two = "fragment two on Query {orders(limit: 2) {...rows}}"
    assert _plan("{...two a: orders(limit: 1) {...rows}} " + two + rows) == Plan(2, (1 + 1 + 2) + (1 + 1 + 1), 3)


def test_it_ends_where_it_is_too_much() -> None:
    spread = " ".join(f"fragment f{n} on Query {{...f{n + 1} ...f{n + 1}}}" for n in range(40))
    with pytest.raises(TooMuch):
        _plan("{...f0} " + spread + " fragment f40 on Query {__typename}")
