"""What a client is shown. Quantities are in the item's base unit, values in minor units."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from contracts.lots import LotQuantity
from tailrace.core.values.money import Exact
from tailrace.http.routing import ResourceView, View

Kind = Literal["received", "issued", "adjusted", "transferred", "settled"]
"""`settled`: the real cost of what had left without being in the books; no quantity moves."""
ReservationStatus = Literal["made", "rejected", "released", "expired", "consumed"]


class StockView(ResourceView):
    """An item in a warehouse. `available` is what nobody has reserved; nobody else may be promised more.

    `provisional` is what left without being in the books, at an estimated cost; `on_hand` is less by it, and with it below zero at times.
    """

    item_id: UUID
    """What lies there, of the catalog."""
    warehouse_id: UUID
    """Where it lies."""
    on_hand: Exact
    """How much the books have, in base units."""
    reserved: Exact
    """How much of it is held for somebody."""
    provisional: Exact
    """How much left without being in the books, at an estimated cost."""
    available: Exact
    """How much may still be promised."""
    value: int
    """What `on_hand` cost, in minor units."""
    currency: str
    """What its value is in, an ISO 4217 code."""


class LayerView(View):
    layer_id: UUID
    """The movement that brought it in."""
    quantity: Exact
    """How much of it is left."""
    value: int
    """What that cost, in minor units."""


class ShortfallView(View):
    """What is still uncovered of an issue, with its estimated cost."""

    shortfall_id: UUID
    """The movement that took it out."""
    quantity: Exact
    """How much of it is still uncovered."""
    value: int
    """What that is estimated to cost, in minor units."""
    reason: str
    """What it left for."""
    order_id: UUID | None
    """The order that it left for; null for no order."""
    shipment_id: UUID | None
    """The shipment that it left with; null for none."""
    reference: str | None
    """A document of the tenant's own."""
    effective_at: datetime
    """When it left, in UTC."""


class StockDetail(StockView):
    """With its open valuation layers and what left without being in the books, the oldest first."""

    layers: list[LayerView]
    """What it cost by receipt, the oldest first."""
    shortfalls: list[ShortfallView]
    """What left without being in the books, the oldest first."""


class Figures(View):
    on_hand: Exact
    """How much there is, in base units."""
    reserved: Exact
    """How much of it is held for somebody."""
    provisional: Exact
    """How much left without being in the books."""
    value: int
    """What `on_hand` cost, in minor units."""


class ReplayView(View):
    """A stock computed from its events alone, and as its row has it, both as of one version."""

    equal: bool
    """Whether both say the same."""
    events: int
    """How many events were replayed."""
    replayed: Figures
    """What follows from the events."""
    shown: Figures
    """What the row says."""


class ValuedView(View):
    """Below zero where more had left by then than was in the books, or than had come by that date."""

    stock_id: UUID
    """The stock, by item and warehouse."""
    item_id: UUID
    """What lay there, of the catalog."""
    warehouse_id: UUID
    """Where it lay."""
    quantity: Exact
    """How much there was, in base units."""
    value: int
    """What it cost, in minor units."""
    currency: str
    """What its value is in, an ISO 4217 code."""


class TotalView(View):
    currency: str
    """An ISO 4217 code."""
    value: int
    """All stock in that currency, in minor units."""


class ValuationView(View):
    """Stock by item and warehouse, and all of it together, as of a pair of times; the same pair gives exactly this again."""

    effective: datetime
    """What had taken place by then counts."""
    recorded: datetime
    """What was written down by then counts."""
    items: list[ValuedView]
    """By item and warehouse; one page of them."""
    totals: list[TotalView]
    """All of them together, not this page alone, by currency."""
    next_cursor: str | None
    """To be sent as `cursor` for what follows; null at the end."""


class MovementView(View):
    """A line of the stock ledger, signed, with the balance after it. `stock_id` and `seq` name the event it stands for.

    `receipt_id` and `credited` are set for what went back to its supplier: the movement it came in with, and what it had been received for.
    """

    id: UUID
    """By which the movement is named."""
    stock_id: UUID
    """The stock that it changed, by item and warehouse."""
    seq: int
    """The stock's version after it."""
    item_id: UUID
    """What was moved, of the catalog."""
    warehouse_id: UUID
    """Where it was moved."""
    kind: Kind
    """What happened; `settled` changes the value alone."""
    reason: str
    """Why it happened."""
    quantity: Exact
    """How much came in; below zero for what went out."""
    value: int
    """What that cost, in minor units, with the same sign."""
    currency: str
    """What the value is in, an ISO 4217 code."""
    on_hand: Exact
    """How much the books had afterwards."""
    stock_value: int
    """What that cost, in minor units."""
    reference: str | None
    """A document of the tenant's own."""
    other_warehouse_id: UUID | None
    """The other end of a transfer; null for anything else."""
    order_id: UUID | None
    """The order that it was for; null for no order."""
    shipment_id: UUID | None
    """The shipment that it left with; null for none."""
    reservation_id: UUID | None
    """The reservation that had held it; null for none."""
    receipt_id: UUID | None
    """The movement that it came in with, when it went back to its supplier; null for anything else."""
    credited: int | None
    """What it had been received for, in minor units, when it went back; null for anything else."""
    delivery_line_id: UUID | None
    """The line of a delivery that it was put away of; null for anything else."""
    delivered: Exact | None
    """How much of that line, as its notice counts; null for anything else."""
    effective_at: datetime
    """When it took place, in UTC."""
    recorded_at: datetime
    """When it was written down, in UTC."""


class DeliveryLineView(View):
    """Goods of a supplier that came with a delivery, to be put away by receipts with their `id` as `delivery_line_id`."""

    id: UUID
    """By which the line is named."""
    asn_id: UUID
    """The notice of the delivery."""
    number: str
    """What people call the delivery."""
    reference: str
    """What its supplier calls it."""
    sku: str
    """What its supplier calls the item."""
    name: str | None
    """What people call it; null where the supplier did not say."""
    gtin: str | None
    """The GTIN of one piece; null where the supplier did not say."""
    lot: str | None
    """The batch or lot that it is of; null where the supplier did not say."""
    expires_on: date | None
    """The last day that it is good; null where the supplier did not say."""
    received: Exact
    """How much came, as the notice counts."""
    taken_in: Exact
    """How much of that is in stock by now."""
    received_at: datetime
    """When it was taken in at the door, in UTC."""


class TransferView(View):
    outgoing: MovementView
    """What left the one warehouse."""
    incoming: list[MovementView]
    """What came to the other, one for each valuation layer that moved."""


class ReservationLineView(View):
    """What was asked for, what was reserved of it, and what is held now."""

    line_id: UUID
    """By which issues and orders name the line."""
    item_id: UUID
    """What is held, of the catalog."""
    warehouse_id: UUID
    """Where it lies."""
    requested: Exact
    """How much was asked for, in base units."""
    reserved: Exact
    """How much of that could be held."""
    held: Exact
    """How much is held now."""
    lots: list[LotQuantity] = []
    """Of a tracked item, which lots were reserved; none for any other."""


class ReservationView(ResourceView):
    order_id: UUID | None
    """The order that it is for; null when somebody made it by hand."""
    status: ReservationStatus
    """Whether it holds anything, and if not, how it ended."""
    complete: bool
    """Whether everything that was asked for could be held."""
    lines: list[ReservationLineView]
    """What is held, line by line."""
    reason: str | None
    """Why it was refused or given back."""
    expires_at: datetime | None
    """When it ends by itself, in UTC; null for never."""
