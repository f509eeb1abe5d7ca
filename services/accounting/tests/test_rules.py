"""Posting rules: pure, balanced, versioned, and exact whatever the cuts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from accounting_events import JANUARY, adjusted, dispatched, issued, line, received, settled
from hypothesis import given
from hypothesis import strategies as st

from accounting import chart
from accounting.rules import ALWAYS, RULEBOOK, Posting, Rule, Rulebook, effective_at
from accounting.streams import imbalance
from contracts.inventory import StockReceived
from tailrace.core.events import Event

amounts = st.integers(-(10**12), 10**12)
micros = st.integers(1, 10**12)


def balances(posting: Posting) -> dict[str, int]:
    """Debits minus credits by account."""
    return {one.account: one.debit - one.credit for one in posting.lines}


def posted(event: Event) -> Posting:
    rule = RULEBOOK.choose(event, effective_at(event))
    assert rule is not None
    return rule.post(event)


@given(net=amounts, tax=amounts, whole=micros, cuts=st.lists(st.floats(0, 1), max_size=12))
def test_partial_shipments_add_up_to_the_line(net: int, tax: int, whole: int, cuts: list[float]) -> None:
    marks = sorted({0, whole, *(int(whole * cut) for cut in cuts)})
    sums: dict[str, int] = {}
    for before, after in pairwise(marks):
        part = line(net, tax, quantity=_units(after - before), whole=_units(whole), before=_units(before))
        for account, balance in balances(posted(dispatched([part]))).items():
            sums[account] = sums.get(account, 0) + balance
    assert sums.get(chart.REVENUE, 0) == -net
    assert sums.get(chart.OUTPUT_TAX, 0) == -tax
    assert sums.get(chart.UNBILLED_RECEIVABLE, 0) == net + tax


@given(lines=st.lists(st.tuples(amounts, amounts), min_size=1, max_size=5), value=amounts)
def test_every_rule_balances_and_has_one_side_per_line(lines: list[tuple[int, int]], value: int) -> None:
    events = [dispatched(line(net, tax) for net, tax in lines), received(value), issued(value), adjusted(value)]
    events += [issued(value, reason="return_to_supplier", credited=abs(net)) for net, _ in lines]
    for posting in map(posted, events):
        assert not imbalance(posting.lines)
        assert all(min(one.debit, one.credit) == 0 < max(one.debit, one.credit) for one in posting.lines)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (received(500), {chart.INVENTORY: 500, chart.OPENING_EQUITY: -500}),
        (received(500, reason="purchase"), {chart.INVENTORY: 500, chart.GOODS_RECEIVED_NOT_INVOICED: -500}),
        (received(500, reason="production"), {chart.INVENTORY: 500, chart.PRODUCTION_CLEARING: -500}),
        (received(500, reason="return"), {chart.INVENTORY: 500, chart.COST_OF_GOODS_SOLD: -500}),
        (received(500, reason="transfer"), {}),
        (received(0), {}),
        (issued(300), {chart.COST_OF_GOODS_SOLD: 300, chart.INVENTORY: -300}),
        (issued(300, reason="scrap"), {chart.STOCK_USAGE: 300, chart.INVENTORY: -300}),
        (
            issued(300, reason="return_to_supplier", credited=350),
            {chart.GOODS_RECEIVED_NOT_INVOICED: 350, chart.INVENTORY: -300, chart.PURCHASE_PRICE_VARIANCE: -50},
        ),
        (
            issued(300, reason="return_to_supplier", credited=120),
            {chart.GOODS_RECEIVED_NOT_INVOICED: 120, chart.INVENTORY: -300, chart.PURCHASE_PRICE_VARIANCE: 180},
        ),
        (
            issued(300, reason="return_to_supplier", credited=300),
            {chart.GOODS_RECEIVED_NOT_INVOICED: 300, chart.INVENTORY: -300},
        ),
        (
            issued(300, reason="return_to_supplier", credited=0),
            {chart.INVENTORY: -300, chart.PURCHASE_PRICE_VARIANCE: 300},
        ),
        (issued(0, reason="return_to_supplier", credited=0), {}),
        (settled(110, 100), {chart.COST_OF_GOODS_SOLD: 10, chart.INVENTORY: -10}),
        (settled(90, 100, reason="scrap"), {chart.STOCK_USAGE: -10, chart.INVENTORY: 10}),
        (settled(100, 100), {}),
        (adjusted(70), {chart.INVENTORY: 70, chart.STOCK_ADJUSTMENTS: -70}),
        (adjusted(-70), {chart.INVENTORY: -70, chart.STOCK_ADJUSTMENTS: 70}),
        (
            dispatched([line(1000, 100), line(50, 0)]),
            {chart.UNBILLED_RECEIVABLE: 1150, chart.REVENUE: -1050, chart.OUTPUT_TAX: -100},
        ),
        (
            dispatched([line(10, 1, "2", "3", "1")]),
            {chart.UNBILLED_RECEIVABLE: 8, chart.REVENUE: -7, chart.OUTPUT_TAX: -1},
        ),
        (dispatched([line(0, 0)]), {}),
    ],
)
def test_what_each_event_posts(event: Event, expected: dict[str, int]) -> None:
    assert balances(posted(event)) == expected


def test_rules_post_only_to_accounts_of_the_default_chart() -> None:
    assert {entry.code for entry in chart.DEFAULT_CHART} >= chart.POSTED_BY_RULES
    events = [received(1, reason=reason) for reason in ("opening", "purchase", "production", "return")]
    events += [issued(1), issued(1, reason="consumption"), adjusted(1), dispatched([line(1, 1)])]
    events += [issued(1, reason="return_to_supplier", credited=2)]
    posting_to = {one.account for event in events for one in posted(event).lines}
    assert posting_to | {chart.RETAINED_EARNINGS} == chart.POSTED_BY_RULES


def test_versions_stand_side_by_side_by_effective_date() -> None:
    first = Rule("stock-received", 1, StockReceived, lambda event: Posting("old", ()), ALWAYS)
    second = replace(first, version=2, post=lambda event: Posting("new", ()), since=JANUARY)
    book = Rulebook([second, first])
    assert book.choose(received(1), JANUARY) is second
    assert book.choose(received(1), JANUARY - timedelta(microseconds=1)) is first
    assert Rulebook([second]).choose(received(1), datetime(2020, 1, 1, tzinfo=UTC)) is None
    assert book.choose(issued(1), JANUARY) is None


def test_ambiguous_rules_are_refused() -> None:
    rule = RULEBOOK.rules[0]
    for rival in (rule, replace(rule, version=2)):
        with pytest.raises(ValueError, match="two posting rules"):
            Rulebook([rule, rival])


def _units(micros: int) -> str:
    return str(Decimal(micros) / 10**6)
