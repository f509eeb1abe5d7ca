"""Goods that were bought, went back to their supplier, or were used and sold, as inventory enters them; and of whom a delivery came.

Each is entered once and stands for ever, so the document is the entry: its id is that of the event. All are nobody's own, so that only those who see
all see them. What was bought names the delivery that it was put away of; the delivery names its supplier. Neither waits for the other.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from analytics.measures import Kind, Measure
from analytics.standings.standing import ENTRY, Entry, Source, Standing
from contracts import asns, inventory
from tailrace.core.events import Event
from tailrace.core.ids import derived_id
from tailrace.core.values.text import folded

MILLIONTHS = 10**6
"""Quantities are added up as whole millionths of the item's base unit: six decimals, never a float."""
_OUT = {"shipment", "consumption"}


class Goods(Standing):
    """An entry of the stock ledger. `quantity` is in millionths."""

    measure: Measure
    at: datetime
    quantity: int
    amount: int

    def entries(self) -> Iterator[Entry]:
        yield Entry(self.measure, self.at, self.amount, quantity=self.quantity)


class Delivery(Standing):
    """A delivery that a supplier announced. It amounts to nothing: it says whose goods those are that were put away of it."""

    supplier_id: UUID
    supplier_name: str

    def entries(self) -> Iterator[Entry]:
        return iter(())


def supplier_of(name: str) -> UUID:
    """Who a supplier is while notices give a name alone: the same for every spelling of it that is taken for the same."""
    return derived_id("supplier", folded(name))


def _entered(event: inventory.StockReceived | inventory.StockIssued, measure: Measure, amount: int) -> Goods:
    return Goods(
        number=event.reference,
        currency=event.currency,
        label=event.reason,
        item_id=event.item_id,
        warehouse_id=event.warehouse_id,
        came_of_id=event.asn_id,
        measure=measure,
        at=event.effective_at,
        quantity=int(event.quantity * Decimal(MILLIONTHS)),
        amount=amount,
    )


def fold_receipt(standing: Goods | None, event: Any, at: datetime) -> Goods | None:
    """What was bought; nothing for what came in otherwise."""
    return _entered(event, "goods_received", event.value) if event.reason == "purchase" else None


def fold_issue(standing: Goods | None, event: Any, at: datetime) -> Goods | None:
    """What went back to its supplier, at what is owed for it, or at its cost where nobody knows that; what was sold or used, at its cost."""
    if event.reason == "return_to_supplier":
        return _entered(event, "goods_returned", event.value if event.credited is None else event.credited)
    return _entered(event, "goods_issued", event.value) if event.reason in _OUT else None


def fold_delivery(standing: Delivery | None, event: Any, at: datetime) -> Delivery | None:
    """Of those that come in."""
    if event.direction != "inbound":
        return None
    name = event.partner_name
    return Delivery(number=event.number, came_of_id=event.asn_id, supplier_id=supplier_of(name), supplier_name=name)


def _source(kind: Kind, fold: Any, event: type[Event]) -> Source[Goods]:
    return Source(kind, ENTRY, Goods, fold, (event,))


RECEIPTS = _source("goods_receipt", fold_receipt, inventory.StockReceived)
ISSUES = _source("goods_issue", fold_issue, inventory.StockIssued)
DELIVERIES = Source("delivery", "asn_id", Delivery, fold_delivery, (asns.AsnCreated,))
