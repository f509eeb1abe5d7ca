"""What a client is shown of lots and back-orders. Quantities are in the item's base unit."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from contracts.inventory import LotStatus
from inventory.views import Kind
from tailrace.core.values.money import Exact
from tailrace.http.routing import ResourceView, View

BackorderStatus = Literal["open", "filled", "closed"]


class LotView(ResourceView):
    """A lot of an item, or one piece under a serial number."""

    item_id: UUID
    """What it is a lot of, of the catalog."""
    number: str
    """What it is called on the goods; unique for its item."""
    serial: bool
    """Whether it is one piece under a number of its own."""
    status: LotStatus
    """What quality says: only what is released may be promised and used."""
    reason: str | None
    """Why quality says so; null for what it came in with."""
    decided_by: str | None
    """Who said so, a user's id; null for what it came in with."""
    expires_on: date | None
    """The last day, of the company's, on which it may be used; null for what does not expire."""


class LotPlaceView(View):
    warehouse_id: UUID
    """Where it lies."""
    quantity: Exact
    """How much of it lies there."""
    reserved: Exact
    """How much of that is held for somebody."""


class LotMovementView(View):
    """What a movement moved of a lot, signed."""

    stock_id: UUID
    """With `seq`, the movement in the stock ledger."""
    seq: int
    """The stock's version after it."""
    warehouse_id: UUID
    """Where it was moved."""
    quantity: Exact
    """How much of the lot came in; below zero for what went out."""
    kind: Kind
    """What happened."""
    reason: str
    """Why it happened."""
    reference: str | None
    """A document of the tenant's own."""
    other_warehouse_id: UUID | None
    """The other end of a transfer; null for anything else."""
    order_id: UUID | None
    """The order that it was for; null for no order."""
    shipment_id: UUID | None
    """The shipment that it left with; null for none."""
    customer_id: UUID | None
    """Whom it was shipped to; null for an order that only names somebody."""
    effective_at: datetime
    """When it took place, in UTC."""
    recorded_at: datetime
    """When it was written down, in UTC."""


class LotDetail(LotView):
    """With where it lies, where it came from and where it went."""

    on_hand: Exact
    """How much of it there is, in all warehouses."""
    places: list[LotPlaceView]
    """Where it lies."""
    came_from: list[LotMovementView]
    """What brought it into the house, the newest first, at most 200: receipts, and counts that found more."""
    went_to: list[LotMovementView]
    """What took it out of the house, the newest first, at most 200: shipments, use, scrap, returns, counts that found less."""


class BackorderLineView(View):
    """How much of a line waits, and which lots would do."""

    line_id: UUID
    """The line of the order."""
    item_id: UUID
    """What it waits for, of the catalog."""
    warehouse_id: UUID
    """Where."""
    quantity: Exact
    """How much is still missing."""
    lot: str | None
    """The number of the only lot that will do; null for any."""
    remaining_days: int | None
    """For how many days more a lot has to be good; null for any."""


class BackorderView(ResourceView):
    """What an order waits for. The lower `priority` comes first, then the earlier requested date, then the earlier confirmation."""

    order_id: UUID
    """The order that waits."""
    request_id: UUID
    """The reservation that this is the rest of."""
    status: BackorderStatus
    """Whether it waits, has everything, or waits no more."""
    complete: bool
    """Whether it takes everything at once or nothing."""
    priority: int
    """1 comes first."""
    requested_date: date | None
    """The day on which the customer wants it; none comes last."""
    confirmed_at: datetime
    """When the order was confirmed, in UTC."""
    lines: list[BackorderLineView]
    """What is still missing; of one that was closed, what was missing then."""
    reason: str | None
    """Why it was closed; null unless it was."""
