"""How events become journal lines: pure functions, named and versioned, chosen by the day on which the event took effect.

A rule looks at the event and at nothing else, so any journal can be derived again from its source. A new version stands beside the old one with the
day from which it holds; events that took effect before keep the older rule, whenever they arrive. Amounts of zero post nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from accounting import chart
from contracts.accounting import JournalLine
from contracts.inventory import StockAdjusted, StockCostSettled, StockIssued, StockReceived
from contracts.shipments import ShipmentDispatched
from tailrace.core.events import Event
from tailrace.core.money import share

ALWAYS = datetime(1, 1, 1, tzinfo=UTC)
Lines = tuple[JournalLine, ...]


@dataclass(frozen=True, slots=True)
class Posting:
    """What a rule makes of an event: a text, and lines that balance in each currency. No lines, no journal."""

    text: str
    lines: Lines


@dataclass(frozen=True, slots=True)
class Rule:
    """One version of a posting rule; `since` is the first moment of effect that it holds for."""

    name: str
    version: int
    event: type[Event]
    post: Callable[[Any], Posting]
    since: datetime = ALWAYS

    @property
    def label(self) -> str:
        """`name@version`, as journals carry it."""
        return f"{self.name}@{self.version}"


class Rulebook:
    """All rules, several versions side by side."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        """Raises ValueError when a label comes twice, or two rules of one event hold from the same moment."""
        self.rules: Sequence[Rule] = tuple(rules)
        labels = [rule.label for rule in self.rules]
        starts = [(rule.event, rule.since) for rule in self.rules]
        if len(set(labels)) != len(labels) or len(set(starts)) != len(starts):
            raise ValueError("two posting rules share a label, or an event and the moment they hold from")
        self._newest_first: Mapping[type[Event], Sequence[Rule]] = {
            event: sorted((r for r in self.rules if r.event is event), key=lambda r: r.since, reverse=True)
            for event in {rule.event for rule in self.rules}
        }

    def choose(self, event: Event, at: datetime) -> Rule | None:
        """The rule for an event that took effect at `at`; None when there was none yet."""
        return next((rule for rule in self._newest_first.get(type(event), ()) if rule.since <= at), None)


def effective_at(event: Any) -> datetime:
    """When an event took effect in the business, in UTC."""
    at: datetime = event.dispatched_at if isinstance(event, ShipmentDispatched) else event.effective_at
    return at.astimezone(UTC)


def stock_received(event: StockReceived) -> Posting:
    """Goods come in at their value; a transfer only moves them, so nothing is posted."""
    credit = {
        "opening": chart.OPENING_EQUITY,
        "purchase": chart.GOODS_RECEIVED_NOT_INVOICED,
        "production": chart.PRODUCTION_CLEARING,
        "return": chart.COST_OF_GOODS_SOLD,
    }
    if event.reason == "transfer":
        return Posting(_said("Stock moved between warehouses", event.reference), ())
    title = {
        "opening": "Opening stock",
        "purchase": "Goods received",
        "production": "Goods produced",
        "return": "Goods returned",
    }
    lines = _entry(chart.INVENTORY, credit[event.reason], event.value, event.currency)
    return Posting(_said(title[event.reason], event.reference), lines)


def stock_issued(event: StockIssued) -> Posting:
    """Goods go out at their cost, which is an estimate for what the books did not have: sold with a shipment, used up, or sent back."""
    if event.reason == "return_to_supplier":
        return _returned_to_supplier(event)
    sold = event.reason == "shipment"
    title = "Cost of goods shipped" if sold else f"Stock issued for {event.reason}"
    lines = _entry(_cost_account(event.reason), chart.INVENTORY, event.value, event.currency)
    return Posting(_said(title, event.reference), lines)


def stock_cost_settled(event: StockCostSettled) -> Posting:
    """The real cost of what went out at an estimate: the difference goes where the estimate went."""
    lines = _entry(_cost_account(event.reason), chart.INVENTORY, event.value - event.provisional, event.currency)
    return Posting(_said("Cost of an earlier issue settled", event.reference), lines)


def stock_adjusted(event: StockAdjusted) -> Posting:
    """A count found more (value above zero) or less than the books."""
    lines = _entry(chart.INVENTORY, chart.STOCK_ADJUSTMENTS, event.value, event.currency)
    return Posting(_said(f"Stock adjusted: {event.reason}", event.reference), lines)


def shipment_dispatched(event: ShipmentDispatched) -> Posting:
    """Revenue and tax of what left, as shares of the order lines: whatever the cuts, the shares of a line add up to it exactly."""
    net = tax = 0
    for line in event.lines:
        net += share(line.line_net, line.dispatched_before, line.quantity, line.line_quantity)
        tax += share(line.line_tax, line.dispatched_before, line.quantity, line.line_quantity)
    lines = (
        *_side(chart.UNBILLED_RECEIVABLE, net + tax, event.currency),
        *_side(chart.REVENUE, -net, event.currency),
        *_side(chart.OUTPUT_TAX, -tax, event.currency),
    )
    return Posting(f"Shipment {event.number}", lines)


RULEBOOK = Rulebook(
    (
        Rule("stock-received", 1, StockReceived, stock_received),
        Rule("stock-issued", 1, StockIssued, stock_issued),
        Rule("stock-cost-settled", 1, StockCostSettled, stock_cost_settled),
        Rule("stock-adjusted", 1, StockAdjusted, stock_adjusted),
        Rule("shipment-dispatched", 1, ShipmentDispatched, shipment_dispatched),
    )
)


def _returned_to_supplier(event: StockIssued) -> Posting:
    """The supplier owes what the goods were received for; what they cost by now is more or less, and the difference a variance."""
    credited = event.value if event.credited is None else event.credited
    lines = (
        *_side(chart.GOODS_RECEIVED_NOT_INVOICED, credited, event.currency),
        *_side(chart.INVENTORY, -event.value, event.currency),
        *_side(chart.PURCHASE_PRICE_VARIANCE, event.value - credited, event.currency),
    )
    return Posting(_said("Goods returned to the supplier", event.reference), lines)


def _cost_account(reason: str) -> str:
    return chart.COST_OF_GOODS_SOLD if reason == "shipment" else chart.STOCK_USAGE


def _entry(debit: str, credit: str, amount: int, currency: str) -> Lines:
    """`amount` from `credit` to `debit`; the other way round when it is below zero."""
    return (*_side(debit, amount, currency), *_side(credit, -amount, currency))


def _side(account: str, amount: int, currency: str) -> Lines:
    """One line, a debit when `amount` is above zero, a credit when below; none for zero."""
    if not amount:
        return ()
    return (JournalLine(account=account, currency=currency, debit=max(amount, 0), credit=max(-amount, 0)),)


def _said(title: str, reference: str | None) -> str:
    return f"{title} ({reference})" if reference else title
