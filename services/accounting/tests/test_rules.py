"""Posting rules: pure, balanced, versioned, and exact whatever the cuts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from accounting_events import JANUARY, adjusted, dispatched, issued, line, performed, received, settled
from hypothesis import given
from hypothesis import strategies as st
from sales_events import (
    allocated,
    credit_note,
    invoice_issued,
    paid,
    payment_assigned,
    payment_reversed,
    refund,
    return_settled,
    revalued,
    unallocated,
)

from accounting.chart import CONTROL, KINDS, ROLES
from accounting.moves import ALWAYS, Posting, Rule, Rulebook
from accounting.projections import explained
from accounting.rules import RULEBOOK, effective_at
from accounting.streams import imbalance
from contracts.inventory import StockReceived
from contracts.payments import RevaluationPosted, RevaluationReversed
from contracts.refunds import RefundPaid, RefundReturned
from tailrace.core.events import Event

amounts = st.integers(-(10**12), 10**12)
micros = st.integers(1, 10**12)


def balances(posting: Posting) -> dict[str | None, int]:
    """Debits minus credits by role; what an event names an account for has none."""
    return {move.role: move.amount for move in posting.moves}


def posted(event: Event) -> Posting:
    rule = RULEBOOK.choose(event, effective_at(event))
    assert rule is not None
    return rule.post(event)


@given(net=amounts, tax=amounts, whole=micros, cuts=st.lists(st.floats(0, 1), max_size=12))
def test_partial_shipments_add_up_to_the_line(net: int, tax: int, whole: int, cuts: list[float]) -> None:
    marks = sorted({0, whole, *(int(whole * cut) for cut in cuts)})
    sums: dict[str | None, int] = {}
    for before, after in pairwise(marks):
        part = line(net, tax, quantity=_units(after - before), whole=_units(whole), before=_units(before))
        assert posted(performed([part])).moves == posted(dispatched([part])).moves
        for account, balance in balances(posted(dispatched([part]))).items():
            sums[account] = sums.get(account, 0) + balance
    assert sums.get("revenue", 0) == -net
    assert sums.get("output_tax", 0) == -tax
    assert sums.get("unbilled_receivable", 0) == net + tax


@given(lines=st.lists(st.tuples(amounts, amounts), min_size=1, max_size=5), value=amounts)
def test_every_rule_balances_and_has_one_side_per_line(lines: list[tuple[int, int]], value: int) -> None:
    events = [dispatched(line(net, tax) for net, tax in lines), received(value), issued(value), adjusted(value)]
    events += [issued(value, reason="return_to_supplier", credited=abs(net)) for net, _ in lines]
    events += [event for event in OF_EVERY_KIND if posted(event).moves]
    for posting in map(posted, events):
        written = posting.lines({role: role for role in ROLES})
        assert not imbalance(written)
        assert all(min(one.debit, one.credit) == 0 < max(one.debit, one.credit) for one in written)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (received(500), {"inventory": 500, "opening_equity": -500}),
        (received(500, reason="purchase"), {"inventory": 500, "goods_received_not_invoiced": -500}),
        (received(500, reason="production"), {"inventory": 500, "production_clearing": -500}),
        (received(500, reason="return"), {"inventory": 500, "cost_of_goods_sold": -500}),
        (received(500, reason="transfer"), {}),
        (received(0), {}),
        (issued(300), {"cost_of_goods_sold": 300, "inventory": -300}),
        (issued(300, reason="scrap"), {"stock_usage": 300, "inventory": -300}),
        (
            issued(300, reason="return_to_supplier", credited=350),
            {"goods_received_not_invoiced": 350, "inventory": -300, "purchase_price_variance": -50},
        ),
        (
            issued(300, reason="return_to_supplier", credited=120),
            {"goods_received_not_invoiced": 120, "inventory": -300, "purchase_price_variance": 180},
        ),
        (
            issued(300, reason="return_to_supplier", credited=300),
            {"goods_received_not_invoiced": 300, "inventory": -300},
        ),
        (
            issued(300, reason="return_to_supplier", credited=0),
            {"inventory": -300, "purchase_price_variance": 300},
        ),
        (issued(0, reason="return_to_supplier", credited=0), {}),
        (settled(110, 100), {"cost_of_goods_sold": 10, "inventory": -10}),
        (settled(90, 100, reason="scrap"), {"stock_usage": -10, "inventory": 10}),
        (settled(100, 100), {}),
        (adjusted(70), {"inventory": 70, "stock_adjustments": -70}),
        (adjusted(-70), {"inventory": -70, "stock_adjustments": 70}),
        (
            dispatched([line(1000, 100), line(50, 0)]),
            {"unbilled_receivable": 1150, "revenue": -1050, "output_tax": -100},
        ),
        (
            dispatched([line(10, 1, "2", "3", "1")]),
            {"unbilled_receivable": 8, "revenue": -7, "output_tax": -1},
        ),
        (dispatched([line(0, 0)]), {}),
        (
            invoice_issued(1500, 150, delivered=(1000, 100)),
            {"receivable": 1650, "unbilled_receivable": -1100, "revenue": -500, "output_tax": -50},
        ),
        (
            invoice_issued(1000, 100, delivered=(1000, 101), prepaid_net=300, prepaid_tax=30),
            {"receivable": 770, "prepayment": 300, "unbilled_receivable": -1101, "output_tax": 31},
        ),
        (invoice_issued(300, 30, kind="prepayment"), {"receivable": 330, "prepayment": -330}),
        (credit_note(300, 30, kind="prepayment"), {"prepayment": 330, "receivable": -330}),
        (
            credit_note(700, 70, released_net=90, released_tax=10),
            {"revenue": 700, "output_tax": 60, "prepayment": -90, "receivable": -670},
        ),
        (refund(RefundPaid, 80), {"customer_credit": 80, None: -80}),
        (refund(RefundReturned, 80, customer=False), {"unidentified_receipts": -80, None: 80}),
        (
            allocated(330, tax_due=30),
            {"customer_credit": 330, "receivable": -330, "prepayment": 30, "output_tax": -30},
        ),
        (
            unallocated(330, tax_due=30),
            {"customer_credit": -330, "receivable": 330, "prepayment": -30, "output_tax": 30},
        ),
        (credit_note(700, 70), {"revenue": 700, "output_tax": 70, "receivable": -770}),
        (paid(900, customer=True), {None: 900, "customer_credit": -900}),
        (paid(900, customer=False), {None: 900, "unidentified_receipts": -900}),
        (payment_assigned(900), {"unidentified_receipts": 900, "customer_credit": -900}),
        (payment_reversed(900, customer=True), {None: -900, "customer_credit": 900}),
        (allocated(500), {"customer_credit": 500, "receivable": -500}),
        (unallocated(500), {"customer_credit": -500, "receivable": 500}),
    ],
)
def test_what_each_event_posts(event: Event, expected: dict[str | None, int]) -> None:
    assert balances(posted(event)) == expected


REASONS = ("opening", "purchase", "production", "return", "transfer")
OF_EVERY_KIND: list[Event] = [
    *(received(500, reason=reason) for reason in REASONS),
    *(issued(300, reason=reason) for reason in ("shipment", "consumption", "scrap")),
    *(issued(300, reason="return_to_supplier", credited=credit) for credit in (None, 0, 350)),
    *(settled(90, 100, reason=reason) for reason in ("shipment", "scrap")),
    adjusted(70),
    adjusted(-70),
    dispatched([line(1000, 100), line(10, 1, "2", "3", "1")]),
    performed([line(1000, 100), line(10, 1, "2", "3", "1")]),
    invoice_issued(1500, 150, delivered=(1000, 100)),
    invoice_issued(1500, 150, delivered=(1500, 150)),
    invoice_issued(0, 0, delivered=(0, 0)),
    credit_note(700, 70),
    invoice_issued(300, 30, kind="prepayment"),
    invoice_issued(1000, 100, delivered=(1000, 101), prepaid_net=300, prepaid_tax=30),
    credit_note(300, 30, kind="prepayment"),
    credit_note(700, 70, released_net=90, released_tax=10),
    return_settled(300, 30),
    return_settled(0, 0),
    *(refund(kind, 80, customer=known) for kind in (RefundPaid, RefundReturned) for known in (True, False)),
    allocated(16_000, settled=9_000, worth=10_000, currencies=("JPY", "EUR"), tax_due=900),
    unallocated(330, tax_due=30),
    *(paid(900, customer=known) for known in (True, False)),
    payment_assigned(900),
    *(payment_reversed(900, customer=known) for known in (True, False)),
    *(allocated(500, customer=known) for known in (True, False)),
    unallocated(500),
    allocated(16_000, settled=9_000, worth=10_000, currencies=("JPY", "EUR")),
    allocated(16_000, settled=10_500, worth=10_000, currencies=("JPY", "USD"), realised=-300),
    *(revalued(kind, 300) for kind in (RevaluationPosted, RevaluationReversed)),
    unallocated(16_000, settled=10_500, worth=10_000, currencies=("JPY", "USD"), realised=-300),
]


def test_rules_post_to_every_role_and_every_role_says_of_which_kind_its_account_is() -> None:
    posting_to = {move.role for event in OF_EVERY_KIND for move in posted(event).moves if move.role}
    assert posting_to | {"retained_earnings"} == set(ROLES) == KINDS.keys()
    assert {type(event) for event in OF_EVERY_KIND} == {rule.event for rule in RULEBOOK.rules}


@pytest.mark.parametrize("event", OF_EVERY_KIND)
def test_a_sub_ledger_explains_what_a_rule_posts_to_a_control_account(event: Event) -> None:
    """Two computations: a rule that moves a control account without its sub-ledger, or the other way round, shows here."""
    controlled = [(move.role, move.currency, move.amount) for move in posted(event).moves if move.role in CONTROL]
    assert sorted(explained(event)) == sorted(controlled)


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
