"""How events become journal lines: pure functions, named and versioned, chosen by the day on which the event took effect.

A rule looks at the event and at nothing else, and posts to roles; which account has a role, the company's chart says for the day. So any journal
can be derived again from its source. A new version stands beside the old one with the day from which it holds; events that took effect before keep
the older rule, whenever they arrive. Amounts of zero post nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from accounting.roles import account_of
from contracts.accounting import AccountRole, JournalLine
from contracts.inventory import StockAdjusted, StockCostSettled, StockIssued, StockReceived
from contracts.shipments import ShipmentDispatched
from tailrace.core.events import Event
from tailrace.core.money import share

ALWAYS = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Move:
    """An amount in minor units to the account of a role: a debit when it is above zero, a credit when below."""

    role: AccountRole
    currency: str
    amount: int


Moves = tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Posting:
    """What a rule makes of an event: a text, and moves that add up to zero in each currency. No moves, no journal."""

    text: str
    moves: Moves

    def lines(self, accounts: Mapping[AccountRole, str]) -> list[JournalLine]:
        """One line for each move. Raises RoleUnmapped."""
        return [
            JournalLine(
                account=account_of(move.role, accounts),
                currency=move.currency,
                debit=max(move.amount, 0),
                credit=max(-move.amount, 0),
            )
            for move in self.moves
        ]


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
    credit: Mapping[str, AccountRole] = {
        "opening": "opening_equity",
        "purchase": "goods_received_not_invoiced",
        "production": "production_clearing",
        "return": "cost_of_goods_sold",
    }
    if event.reason == "transfer":
        return Posting(_said("Stock moved between warehouses", event.reference), ())
    title = {
        "opening": "Opening stock",
        "purchase": "Goods received",
        "production": "Goods produced",
        "return": "Goods returned",
    }
    moves = _entry("inventory", credit[event.reason], event.value, event.currency)
    return Posting(_said(title[event.reason], event.reference), moves)


def stock_issued(event: StockIssued) -> Posting:
    """Goods go out at their cost, which is an estimate for what the books did not have: sold with a shipment, used up, or sent back."""
    if event.reason == "return_to_supplier":
        return _returned_to_supplier(event)
    sold = event.reason == "shipment"
    title = "Cost of goods shipped" if sold else f"Stock issued for {event.reason}"
    moves = _entry(_cost_role(event.reason), "inventory", event.value, event.currency)
    return Posting(_said(title, event.reference), moves)


def stock_cost_settled(event: StockCostSettled) -> Posting:
    """The real cost of what went out at an estimate: the difference goes where the estimate went."""
    moves = _entry(_cost_role(event.reason), "inventory", event.value - event.provisional, event.currency)
    return Posting(_said("Cost of an earlier issue settled", event.reference), moves)


def stock_adjusted(event: StockAdjusted) -> Posting:
    """A count found more (value above zero) or less than the books."""
    moves = _entry("inventory", "stock_adjustments", event.value, event.currency)
    return Posting(_said(f"Stock adjusted: {event.reason}", event.reference), moves)


def shipment_dispatched(event: ShipmentDispatched) -> Posting:
    """Revenue and tax of what left."""
    net, tax = shares(event)
    moves = (
        *_side("unbilled_receivable", net + tax, event.currency),
        *_side("revenue", -net, event.currency),
        *_side("output_tax", -tax, event.currency),
    )
    return Posting(f"Shipment {event.number}", moves)


def shares(event: ShipmentDispatched) -> tuple[int, int]:
    """Net and tax of what left, as shares of the order lines: whatever the cuts, the shares of a line add up to it exactly."""
    net = tax = 0
    for line in event.lines:
        net += share(line.line_net, line.dispatched_before, line.quantity, line.line_quantity)
        tax += share(line.line_tax, line.dispatched_before, line.quantity, line.line_quantity)
    return net, tax


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
    moves = (
        *_side("goods_received_not_invoiced", credited(event), event.currency),
        *_side("inventory", -event.value, event.currency),
        *_side("purchase_price_variance", event.value - credited(event), event.currency),
    )
    return Posting(_said("Goods returned to the supplier", event.reference), moves)


def credited(event: StockIssued) -> int:
    """What the supplier owes for goods that went back."""
    return event.value if event.credited is None else event.credited


def _cost_role(reason: str) -> AccountRole:
    return "cost_of_goods_sold" if reason == "shipment" else "stock_usage"


def _entry(debit: AccountRole, credit: AccountRole, amount: int, currency: str) -> Moves:
    """`amount` from `credit` to `debit`; the other way round when it is below zero."""
    return (*_side(debit, amount, currency), *_side(credit, -amount, currency))


def _side(role: AccountRole, amount: int, currency: str) -> Moves:
    """One move; none for zero."""
    return (Move(role, currency, amount),) if amount else ()


def _said(title: str, reference: str | None) -> str:
    return f"{title} ({reference})" if reference else title
