"""Events of sales orders, on `order.events` (Torrent4.0 design, order service). What an order asks of others is an event of its own."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Literal, Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.requests import Address, Departure, LineQuantity, Rank, RequestedLine, ShipmentLineRequest
from tailrace.core.events import Event
from tailrace.core.personal_data import Personal
from tailrace.core.values.money import Currency, Minor, Quantity, Rate, UnitPrice

Progress = Literal["none", "partial", "full"]
LineKind = Literal["stock", "service"]
"""Whether what a line sells is goods, which ship, or a service, which is performed."""


class OrderEvent(Event):
    topic: ClassVar[str] = "order.events"
    publisher: ClassVar[str] = "orders"

    order_id: UUID


class OrderLine(BaseModel):
    """A line. `net` is rounded once, half up, in minor units of the order's currency, and `tax` is its part of the tax of its rate.

    `quantity` is in the item's base unit, and `unit_price` is of one; `price_list_id` names the list that it is from.
    """

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    line_id: UUID
    """By which shipments and reservations name the line."""
    item_id: UUID
    """What was ordered, of the catalog."""
    sku: str
    """The item's code when the line was made."""
    name: str
    """What the item was called when the line was made."""
    kind: LineKind = "stock"
    """Whether it ships, or is performed."""
    warehouse_id: UUID
    """Where it is to leave from; of a service, where it is sold from."""
    quantity: Quantity
    """How much was ordered, in `unit`."""
    unit: str | None = None
    """The item's base unit."""
    decimals: int = 6
    """So many decimals a quantity in `unit` may have."""
    unit_price: UnitPrice
    """Price of one `unit`, in minor units of the order's currency."""
    price_list_id: UUID | None = None
    """The list that the price is from; null for one that was agreed."""
    net: Minor
    """Amount before tax, in minor units: what binds."""
    tax_code: str | None = None
    """The code that it is taxed by; null for the item's own rate."""
    tax_rate: Rate
    """The share of `net` that is due as tax: 0.1 is ten per cent."""
    tax: Minor
    """Amount of tax, in minor units."""


class Taxed(Protocol):
    """A line of a document, with the tax that falls to it."""

    @property
    def net(self) -> int: ...
    @property
    def tax_code(self) -> str | None: ...
    @property
    def tax_rate(self) -> Decimal: ...
    @property
    def tax(self) -> int: ...


class RateOfTax(BaseModel):
    """What is taxed at a rate, under a tax code or without one: its net amount, and the tax on it, to which the taxes of the lines add up."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    code: str | None = None
    """The tax code; null for items' own rates."""
    rate: Rate
    net: Minor
    tax: Minor

    @classmethod
    def of(cls, lines: Iterable[Taxed]) -> "list[RateOfTax]":
        """What is taxed at each rate, the lowest first."""
        sums: dict[tuple[Decimal, str], tuple[int, int]] = {}
        for line in lines:
            net, tax = sums.get(at := (line.tax_rate, line.tax_code or ""), (0, 0))
            sums[at] = (net + line.net, tax + line.tax)
        return [
            cls(code=code or None, rate=rate, net=net, tax=tax) for (rate, code), (net, tax) in sorted(sums.items())
        ]


class OrderDescription(OrderEvent):
    """What the events say that carry the whole of an order."""

    number: str
    customer_reference: str
    customer_name: Personal[str]
    currency: Currency
    net: Minor
    tax: Minor
    taxes: list[RateOfTax] = []
    lines: list[OrderLine]
    ordered_at: datetime
    customer_id: UUID | None = None
    """Who ordered, where that is a customer who is kept; null for orders that only name one."""
    quote_id: UUID | None = None
    """The quote that it was made of."""
    quote_number: str | None = None
    quote_revision: int | None = None
    owner_id: UUID | None = None
    """The user who sells."""
    owner_name: Personal[str | None] = None
    payment_terms_days: int | None = None
    """How many days after an invoice it is due; null for what was agreed with the customer."""
    custom_fields: dict[str, bool | str] = {}
    """Fields that the company adds, by their keys; a number is a string."""


class OrderCreated(OrderDescription):
    """An order was drafted."""

    type: ClassVar[str] = "order.created"


class OrderChanged(OrderDescription):
    """A draft was changed; carries the whole of it."""

    type: ClassVar[str] = "order.changed"


class OrderConfirmed(OrderDescription):
    """The order binds. From here on its lines do not change."""

    type: ClassVar[str] = "order.confirmed"

    partial_allowed: bool = False
    requested_date: date | None = None
    revision: int = 1
    """Which version of the order this is: one more each time that it was a draft again."""


class OrderAssigned(OrderEvent):
    """Another user sells it now; nobody, when `owner_id` is null."""

    type: ClassVar[str] = "order.assigned"

    number: str
    owner_id: UUID | None
    owner_name: Personal[str | None] = None
    previous_owner_id: UUID | None
    reason: str


class OrderHeld(OrderEvent):
    """The order waits: nothing of it is allocated or dispatched until it is resumed."""

    type: ClassVar[str] = "order.held"

    reason: str


class OrderResumed(OrderEvent):
    """The order goes on. With a `reason`, nobody asked for it: everything had left before the hold reached it."""

    type: ClassVar[str] = "order.resumed"

    reason: str | None = None


class OrderCancelled(OrderEvent):
    """The order ends here: nothing more of it is allocated or dispatched. What has left stays left."""

    type: ClassVar[str] = "order.cancelled"

    reason: str


class OrderReinstated(OrderEvent):
    """The order was cancelled, or was to be a draft again, and is confirmed after all: goods had left before that reached them."""

    type: ClassVar[str] = "order.reinstated"

    reason: str


class AllocationRequested(OrderEvent):
    """Somebody asks for another attempt to allocate what is still open, after a shortage or a partial reservation."""

    type: ClassVar[str] = "order.allocation_requested"


class ReservationRequested(OrderEvent):
    """Asks inventory to hold stock. The answer is `inventory.reservation.made` or `.rejected`, under the same reservation id."""

    type: ClassVar[str] = "order.reservation_requested"

    reservation_id: UUID
    lines: list[RequestedLine]
    partial_allowed: bool
    expires_at: datetime | None = None
    rank: Rank | None = None
    waits: bool = False
    """Whether what cannot be held waits for goods, as a back-order."""
    hold_seconds: int | None = None
    """For how long what fills the back-order is held; null for without limit."""


class BackorderCancellationRequested(OrderEvent):
    """Asks inventory not to fill the back-order of a request any more. What it was given already it has; what is on its way is given back."""

    type: ClassVar[str] = "order.backorder_cancellation_requested"

    reservation_id: UUID
    reason: str


class OrderBackordered(OrderEvent):
    """How much of each line waits for goods by now; no lines when nothing does."""

    type: ClassVar[str] = "order.backordered"

    lines: list[LineQuantity]


class OrderRestCancelled(OrderEvent):
    """What was not in stock, or not performed, is not wanted any more: how much of each line was given up, in all. The rest of the order stands."""

    type: ClassVar[str] = "order.rest_cancelled"

    reason: str
    lines: list[LineQuantity]


class ReservationReleaseRequested(OrderEvent):
    """Asks inventory to free what a reservation still holds. The answer is `inventory.reservation.released`.

    `departed` are all shipments of the reservation that have left. Where `shipment.dispatched` of one is still to come, what it took stays held.
    """

    type: ClassVar[str] = "order.reservation_release_requested"

    reservation_id: UUID
    reason: str
    departed: list[Departure] = []


class OrderAllocated(OrderEvent):
    """How far stock is held for the order, in all and line by line; what has left already counts as well."""

    type: ClassVar[str] = "order.allocated"

    allocation: Progress
    lines: list[LineQuantity]


class OrderAllocationFailed(OrderEvent):
    """There is not enough stock; the order stays confirmed and can be allocated again, or cancelled. `lines` says what is missing."""

    type: ClassVar[str] = "order.allocation_failed"

    reason: str
    lines: list[LineQuantity]


class ShipmentRequested(OrderEvent):
    """Asks shipping for a shipment of what is reserved. The answer is `shipment.created`."""

    type: ClassVar[str] = "order.shipment_requested"

    shipment_id: UUID
    reservation_id: UUID
    number: str
    customer_reference: str
    customer_name: Personal[str]
    ship_to: Address | None = None
    currency: Currency
    customer_id: UUID | None = None
    lines: list[ShipmentLineRequest]


class ShipmentCancellationRequested(OrderEvent):
    """Asks shipping to cancel what has not been dispatched: of one reservation when it is named, else of the whole order.

    The answer is `shipment.cancelled` for each and, always, `shipment.order_cancelled`.
    """

    type: ClassVar[str] = "order.shipment_cancellation_requested"

    reason: str
    reservation_id: UUID | None = None


class OrderShipmentProgressed(OrderEvent):
    """Goods of the order left, services were performed, or what had not was given up: how much of it is supplied by now, in all and line by line."""

    type: ClassVar[str] = "order.shipment_progressed"

    shipment: Progress
    lines: list[LineQuantity]


class OrderInvoiced(OrderEvent):
    """Something of the order was invoiced, or taken back: how much of it is, tax included, in minor units of its currency, and how far it got."""

    type: ClassVar[str] = "order.invoiced"

    invoice_id: UUID
    invoice_number: str
    invoicing: Progress
    invoiced: Minor


class OrderPaid(OrderEvent):
    """An invoice of the order was paid, or is not any more: how much is paid of what it is asked for, and how far it got."""

    type: ClassVar[str] = "order.paid"

    invoice_id: UUID
    invoice_number: str
    payment: Progress
    paid: Minor


PUBLISHED: tuple[type[OrderEvent], ...] = (
    OrderCreated,
    OrderChanged,
    OrderConfirmed,
    OrderAssigned,
    OrderHeld,
    OrderResumed,
    OrderCancelled,
    OrderReinstated,
    AllocationRequested,
    ReservationRequested,
    BackorderCancellationRequested,
    OrderBackordered,
    OrderRestCancelled,
    ReservationReleaseRequested,
    OrderAllocated,
    OrderAllocationFailed,
    ShipmentRequested,
    ShipmentCancellationRequested,
    OrderShipmentProgressed,
    OrderInvoiced,
    OrderPaid,
)

# What it is made of is imported from here too.
__all__ = [
    "PUBLISHED",
    "Address",
    "Departure",
    "LineKind",
    "LineQuantity",
    "Progress",
    "Rank",
    "RequestedLine",
    "ShipmentLineRequest",
]
