"""Events of inventory, on `inventory.events`: stock by item and warehouse, and reservations (ERP design, event-sourced).

Quantities are in the item's base unit. Values are whole minor units of the tenant's currency, and what is issued carries its exact cost.
"""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.lots import LotQuantity
from tailrace.core.events import Described, Event
from tailrace.core.values.money import Currency, Minor, Quantity, SignedQuantity


class InventoryEvent(Event):
    topic: ClassVar[str] = "inventory.events"
    publisher: ClassVar[str] = "inventory"


class StockEvent(InventoryEvent):
    """An event of one item's stock in one warehouse."""

    item_id: UUID
    warehouse_id: UUID


class LotsMoved(StockEvent):
    """What happened to an item that may be tracked: `lots` add up to the quantity then, and are empty for any other item."""

    lots: list[LotQuantity] = []


class StockReceived(LotsMoved):
    """Goods came in and formed a valuation layer of `value`, or joined the open one of that id, as all do under the moving average.

    `reason` says why; `transfer` continues a layer of another warehouse. With `return`, `shipment_id` and `line_id` name what a customer gave back of
    which order's line, and `return_id` the return. With `delivery_line_id` it was put away of a delivery that was announced (`scm.asn.received`):
    `delivered` is how much of that line, as its notice counts, and `asn_id` the delivery.
    """

    type: ClassVar[str] = "inventory.stock.received"

    layer_id: UUID
    quantity: Quantity
    value: Minor
    currency: Currency
    reason: Literal["opening", "purchase", "production", "return", "transfer"]
    reference: str | None = None
    from_warehouse_id: UUID | None = None
    effective_at: datetime
    order_id: UUID | None = None
    shipment_id: UUID | None = None
    line_id: UUID | None = None
    return_id: UUID | None = None
    delivery_line_id: UUID | None = None
    delivered: Quantity | None = None
    asn_id: UUID | None = None


class ConsumedLayer(BaseModel):
    """What was taken from one valuation layer."""

    model_config = ConfigDict(frozen=True)

    layer_id: UUID
    quantity: Quantity
    value: Minor


class StockReserved(LotsMoved):
    """A part of the stock is held for a line of a reservation."""

    type: ClassVar[str] = "inventory.stock.reserved"

    reservation_id: UUID
    line_id: UUID
    quantity: Quantity


class StockReservationReleased(LotsMoved):
    """Reserved stock is free again."""

    type: ClassVar[str] = "inventory.stock.released"

    reservation_id: UUID
    line_id: UUID
    quantity: Quantity


class Provisional(BaseModel):
    """The part of an issue that the books did not have: its cost is an estimate until `inventory.stock.cost_settled` tells the real one.

    `basis`: the last cost known here, or `unknown` where nothing ever came in; the value is zero then.
    """

    model_config = ConfigDict(frozen=True)

    shortfall_id: UUID
    quantity: Quantity
    value: Minor
    basis: Literal["last_cost", "unknown"]


class StockIssued(LotsMoved):
    """Goods went out. `value` is their cost: exact, layer by layer, oldest first, and an estimate for what is `provisional`.

    `reservation_id` names what held all of the quantity until now. With `return_to_supplier`, `credited` is what the goods had been received
    for, and so what the supplier owes for them; `receipt_id` names the movement that they came in with, when it is known, and `asn_id` the
    delivery that this was put away of.
    """

    type: ClassVar[str] = "inventory.stock.issued"

    quantity: Quantity
    value: Minor
    currency: Currency
    layers: list[ConsumedLayer]
    reason: Literal["shipment", "consumption", "scrap", "return_to_supplier"]
    reservation_id: UUID | None = None
    line_id: UUID | None = None
    order_id: UUID | None = None
    shipment_id: UUID | None = None
    reference: str | None = None
    effective_at: datetime
    provisional: Provisional | None = None
    receipt_id: UUID | None = None
    asn_id: UUID | None = None
    credited: Minor | None = None
    customer_id: UUID | None = None
    return_id: UUID | None = None
    """Of what a customer gave back and was scrapped: the return that it came back with."""


class StockCostSettled(StockEvent):
    """Goods came in that cover `quantity` of a provisional issue, of which the other fields tell: it costs `value`, and `provisional` was booked.

    The stock is worth `value - provisional` less than before, and what the issue was booked as costs that much more.
    """

    type: ClassVar[str] = "inventory.stock.cost_settled"

    shortfall_id: UUID
    quantity: Quantity
    value: Minor
    provisional: Minor
    currency: Currency
    layers: list[ConsumedLayer]
    reason: Literal["shipment", "consumption", "scrap"]
    line_id: UUID | None = None
    order_id: UUID | None = None
    shipment_id: UUID | None = None
    reference: str | None = None
    effective_at: datetime


class StockAdjusted(LotsMoved):
    """A count found more or less than the books: the difference, and its value (negative for a loss)."""

    type: ClassVar[str] = "inventory.stock.adjusted"

    quantity: SignedQuantity
    value: Minor
    currency: Currency
    layer_id: UUID | None = None
    layers: list[ConsumedLayer] = []
    reason: str
    reference: str | None = None
    effective_at: datetime


class StockTransferred(LotsMoved):
    """Goods left for another warehouse, with their layers; the other side records `inventory.stock.received` for each."""

    type: ClassVar[str] = "inventory.stock.transferred"

    to_warehouse_id: UUID
    quantity: Quantity
    value: Minor
    currency: Currency
    layers: list[ConsumedLayer]
    reference: str | None = None
    effective_at: datetime


class ReservedLine(BaseModel):
    """A line of a reservation: what was asked for, and what is held."""

    model_config = ConfigDict(frozen=True)

    line_id: UUID
    item_id: UUID
    warehouse_id: UUID
    requested: Quantity
    reserved: SignedQuantity
    lots: list[LotQuantity] = []


class ReservationEvent(InventoryEvent):
    """An event of one reservation; `order_id` when an order asked for it."""

    reservation_id: UUID
    order_id: UUID | None = None


class ReservationMade(ReservationEvent):
    """Stock is held: every line in full, or what there was of it when the request allowed a partial reservation."""

    type: ClassVar[str] = "inventory.reservation.made"

    lines: list[ReservedLine]
    complete: bool
    expires_at: datetime | None = None
    waiting: bool = False
    """Whether the rest waits, as a back-order."""
    fills: UUID | None = None
    """The request whose back-order this fills, or a part of it; null for the answer to a request itself."""


class ReservationRejected(ReservationEvent):
    """There was not enough: nothing is held. `lines` says how much there would have been."""

    type: ClassVar[str] = "inventory.reservation.rejected"

    lines: list[ReservedLine]
    reason: str
    waiting: bool = False
    """Whether all of it waits, as a back-order."""


class KeptLine(BaseModel):
    """How much of a reserved line stays held."""

    model_config = ConfigDict(frozen=True)

    line_id: UUID
    quantity: Quantity
    lots: list[LotQuantity] = []


class ReservationReleased(ReservationEvent):
    """What was still held is free again, but for `kept`. Answers `order.reservation_release_requested`, also when nothing was held any more.

    It also comes unasked, when somebody gives the stock of an order back. Then everything is kept, since goods may be leaving, until the order
    says what has left and asks for the release.
    """

    type: ClassVar[str] = "inventory.reservation.released"

    reason: str
    kept: list[KeptLine] = []


class ReservationExpired(ReservationEvent):
    """The time is over. What is held for an order is `kept` until the order says what has left and asks for the release."""

    type: ClassVar[str] = "inventory.reservation.expired"

    kept: list[KeptLine] = []


class DrawnLine(BaseModel):
    """How much of a reserved line has been issued."""

    model_config = ConfigDict(frozen=True)

    line_id: UUID
    quantity: Quantity
    lots: list[LotQuantity] = []


class ReservationDrawn(ReservationEvent):
    """Some of what was held has been issued; the rest is still held. When nothing is left, `inventory.reservation.consumed` says so instead."""

    type: ClassVar[str] = "inventory.reservation.drawn"

    lines: list[DrawnLine]


class ReservationConsumed(ReservationEvent):
    """Everything that was held has been issued."""

    type: ClassVar[str] = "inventory.reservation.consumed"


class BackorderEvent(InventoryEvent):
    """An event of one back-order: what an order wants and could not have."""

    backorder_id: UUID
    order_id: UUID


class WaitingLine(BaseModel):
    """How much of a line of an order waits, and which lots would do."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    line_id: UUID
    item_id: UUID
    warehouse_id: UUID
    quantity: Quantity
    lot: str | None = None
    """The number of the only lot that will do; null for any."""
    remaining_days: int | None = None
    """For how many days more a lot has to be good; null for any."""


class BackorderOpened(BackorderEvent):
    """What could not be held waits for goods: the lower `priority` first, then the earlier requested date, or none, then the earlier confirmation."""

    type: ClassVar[str] = "inventory.backorder.opened"

    request_id: UUID
    """The request for a reservation that it is the rest of."""
    lines: list[WaitingLine]
    complete: bool
    """Whether it takes everything at once or nothing."""
    priority: int
    requested_date: date | None = None
    confirmed_at: datetime
    hold_seconds: int | None = None
    """For how long what fills it is held; null for without limit."""


class BackorderFilled(BackorderEvent):
    """Goods came, and the order has them: `inventory.reservation.made` says which. `lines` is what goes on waiting; none when it is over."""

    type: ClassVar[str] = "inventory.backorder.filled"

    reservation_id: UUID
    lines: list[WaitingLine]


class BackorderClosed(BackorderEvent):
    """The order does not wait for it any more."""

    type: ClassVar[str] = "inventory.backorder.closed"

    reason: str


LotStatus = Literal["released", "on_hold", "blocked"]
"""What quality says of a lot: only what is released may be promised or leave to be used or sold."""


class LotEvent(InventoryEvent):
    lot_id: UUID
    item_id: UUID


class LotCreated(LotEvent):
    """A lot came in for the first time; of a serial number, the only time but for its coming back."""

    type: ClassVar[str] = "inventory.lot.created"

    number: str
    serial: bool
    """Whether it is one piece under a number of its own."""
    expires_on: date | None = None
    status: LotStatus


class LotStatusChanged(LotEvent):
    """Quality released the lot, put it on hold, or blocked it."""

    type: ClassVar[str] = "inventory.lot.status_changed"

    number: str
    status: LotStatus
    previous: LotStatus
    reason: str
    decided_by: str | None = None
    """Who said so: a user's id, or what acted."""


STOCK: tuple[type[InventoryEvent], ...] = (
    StockReceived,
    StockReserved,
    StockReservationReleased,
    StockIssued,
    StockAdjusted,
    StockTransferred,
    StockCostSettled,
)
RESERVATION: tuple[type[InventoryEvent], ...] = (
    ReservationMade,
    ReservationRejected,
    ReservationReleased,
    ReservationExpired,
    ReservationDrawn,
    ReservationConsumed,
)
BACKORDER: tuple[type[InventoryEvent], ...] = (BackorderOpened, BackorderFilled, BackorderClosed)
LOT: tuple[type[InventoryEvent], ...] = (LotCreated, LotStatusChanged)
LOT_COPIED = Described("lot_id", LOT)
PUBLISHED: tuple[type[InventoryEvent], ...] = (*STOCK, *RESERVATION, *BACKORDER, *LOT)
