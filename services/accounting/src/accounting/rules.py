"""How events become journal lines: pure functions, named and versioned, chosen by the day on which the event took effect.

A rule looks at the event and at nothing else, and posts to roles; which account has a role, the company's chart says for the day. So any journal
can be derived again from its source. A new version stands beside the old one with the day from which it holds; events that took effect before keep
the older rule, whenever they arrive. Amounts of zero post nothing.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from accounting.moves import Moves, Posting, Rule, Rulebook, entry, said, side
from accounting.sales_rules import SALES
from contracts.accounting import AccountRole
from contracts.inventory import StockAdjusted, StockCostSettled, StockIssued, StockReceived
from contracts.performances import ServicesPerformed
from contracts.shipments import DispatchedLine, ShipmentDispatched
from tailrace.core.values.money import share


def effective_at(event: Any) -> datetime:
    """When an event took effect in the business, in UTC."""
    at: datetime
    match event:
        case ShipmentDispatched():
            at = event.dispatched_at
        case ServicesPerformed():
            at = event.performed_at
        case _:
            at = event.effective_at
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
        return Posting(said("Stock moved between warehouses", event.reference), ())
    title = {
        "opening": "Opening stock",
        "purchase": "Goods received",
        "production": "Goods produced",
        "return": "Goods returned",
    }
    moves = entry("inventory", credit[event.reason], event.value, event.currency)
    return Posting(said(title[event.reason], event.reference), moves)


def stock_issued(event: StockIssued) -> Posting:
    """Goods go out at their cost, which is an estimate for what the books did not have: sold with a shipment, used up, or sent back."""
    if event.reason == "return_to_supplier":
        return _returned_to_supplier(event)
    sold = event.reason == "shipment"
    title = "Cost of goods shipped" if sold else f"Stock issued for {event.reason}"
    moves = entry(_cost_role(event.reason), "inventory", event.value, event.currency)
    return Posting(said(title, event.reference), moves)


def stock_cost_settled(event: StockCostSettled) -> Posting:
    """The real cost of what went out at an estimate: the difference goes where the estimate went."""
    moves = entry(_cost_role(event.reason), "inventory", event.value - event.provisional, event.currency)
    return Posting(said("Cost of an earlier issue settled", event.reference), moves)


def stock_adjusted(event: StockAdjusted) -> Posting:
    """A count found more (value above zero) or less than the books."""
    moves = entry("inventory", "stock_adjustments", event.value, event.currency)
    return Posting(said(f"Stock adjusted: {event.reason}", event.reference), moves)


def shipment_dispatched(event: ShipmentDispatched) -> Posting:
    """Revenue and tax of what left."""
    return Posting(f"Shipment {event.number}", _supplied(event))


def services_performed(event: ServicesPerformed) -> Posting:
    """Revenue and tax of what was performed."""
    return Posting(f"Services {event.number}", _supplied(event))


def shares(event: ShipmentDispatched | ServicesPerformed) -> tuple[int, int]:
    """Net and tax of what left, or was performed, as shares of the order lines: whatever the cuts, the shares of a line add up to it exactly."""
    net = tax = 0
    for line in event.lines:
        before = line.dispatched_before if isinstance(line, DispatchedLine) else line.performed_before
        net += share(line.line_net, before, line.quantity, line.line_quantity)
        tax += share(line.line_tax, before, line.quantity, line.line_quantity)
    return net, tax


def _supplied(event: ShipmentDispatched | ServicesPerformed) -> Moves:
    net, tax = shares(event)
    return (
        *side("unbilled_receivable", net + tax, event.currency),
        *side("revenue", -net, event.currency),
        *side("output_tax", -tax, event.currency),
    )


RULEBOOK = Rulebook(
    (
        Rule("stock-received", 1, StockReceived, stock_received),
        Rule("stock-issued", 1, StockIssued, stock_issued),
        Rule("stock-cost-settled", 1, StockCostSettled, stock_cost_settled),
        Rule("stock-adjusted", 1, StockAdjusted, stock_adjusted),
        Rule("shipment-dispatched", 1, ShipmentDispatched, shipment_dispatched),
        Rule("services-performed", 1, ServicesPerformed, services_performed),
        *SALES,
    )
)


def _returned_to_supplier(event: StockIssued) -> Posting:
    """The supplier owes what the goods were received for; what they cost by now is more or less, and the difference a variance."""
    moves = (
        *side("goods_received_not_invoiced", credited(event), event.currency),
        *side("inventory", -event.value, event.currency),
        *side("purchase_price_variance", event.value - credited(event), event.currency),
    )
    return Posting(said("Goods returned to the supplier", event.reference), moves)


def credited(event: StockIssued) -> int:
    """What the supplier owes for goods that went back."""
    return event.value if event.credited is None else event.credited


def _cost_role(reason: str) -> AccountRole:
    return "cost_of_goods_sold" if reason == "shipment" else "stock_usage"
