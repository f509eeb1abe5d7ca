"""What a client is shown. Quantities are in the item's base unit, values in minor units."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from tailrace.core.money import Exact
from tailrace.http.routing import ResourceView, View

Kind = Literal["received", "issued", "adjusted", "transferred", "settled"]
"""`settled`: the real cost of what had left without being in the books; no quantity moves."""
ReservationStatus = Literal["made", "rejected", "released", "expired", "consumed"]


class StockView(ResourceView):
    """An item in a warehouse. `available` is what nobody has reserved; nobody else may be promised more.

    `provisional` is what left without being in the books, at an estimated cost; `on_hand` is less by it, and with it below zero at times.
    """

    item_id: UUID
    warehouse_id: UUID
    on_hand: Exact
    reserved: Exact
    provisional: Exact
    available: Exact
    value: int
    currency: str


class LayerView(View):
    layer_id: UUID
    quantity: Exact
    value: int


class ShortfallView(View):
    """What is still uncovered of an issue, with its estimated cost."""

    shortfall_id: UUID
    quantity: Exact
    value: int
    reason: str
    order_id: UUID | None
    shipment_id: UUID | None
    reference: str | None
    effective_at: datetime


class StockDetail(StockView):
    """With its open valuation layers and what left without being in the books, the oldest first."""

    layers: list[LayerView]
    shortfalls: list[ShortfallView]


class Figures(View):
    on_hand: Exact
    reserved: Exact
    provisional: Exact
    value: int


class ReplayView(View):
    """A stock computed from its events alone, and as its row has it, both as of one version."""

    equal: bool
    events: int
    replayed: Figures
    shown: Figures


class ValuedView(View):
    """Below zero where more had left by then than was in the books, or than had come by that date."""

    stock_id: UUID
    item_id: UUID
    warehouse_id: UUID
    quantity: Exact
    value: int
    currency: str


class TotalView(View):
    currency: str
    value: int


class ValuationView(View):
    """Stock by item and warehouse, and all of it together, as of a pair of times; the same pair gives exactly this again."""

    effective: datetime
    recorded: datetime
    items: list[ValuedView]
    totals: list[TotalView]
    next_cursor: str | None


class MovementView(View):
    """A line of the stock ledger, signed, with the balance after it. `stock_id` and `seq` name the event it stands for.

    `receipt_id` and `credited` are set for what went back to its supplier: the movement it came in with, and what it had been received for.
    """

    id: UUID
    stock_id: UUID
    seq: int
    item_id: UUID
    warehouse_id: UUID
    kind: Kind
    reason: str
    quantity: Exact
    value: int
    currency: str
    on_hand: Exact
    stock_value: int
    reference: str | None
    other_warehouse_id: UUID | None
    order_id: UUID | None
    shipment_id: UUID | None
    reservation_id: UUID | None
    receipt_id: UUID | None
    credited: int | None
    effective_at: datetime
    recorded_at: datetime


class TransferView(View):
    outgoing: MovementView
    incoming: list[MovementView]


class ReservationLineView(View):
    """What was asked for, what was reserved of it, and what is held now."""

    line_id: UUID
    item_id: UUID
    warehouse_id: UUID
    requested: Exact
    reserved: Exact
    held: Exact


class ReservationView(ResourceView):
    order_id: UUID | None
    status: ReservationStatus
    complete: bool
    lines: list[ReservationLineView]
    reason: str | None
    expires_at: datetime | None
