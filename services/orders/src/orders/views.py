"""What a client sees of an order. Amounts are whole minor units of its currency; quantities are in each item's base unit."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from contracts.orders import Address, Progress, RateOfTax
from orders.models import Status
from tailrace.core.money import Currency, Minor, Quantity, Rate, SignedQuantity, UnitPrice
from tailrace.core.personal_data import Personal
from tailrace.http.routing import ResourceView, View
from tailrace.messaging.sagas import SagaStep


class LineView(View):
    """`allocated` is what is held or has left, `shipped` what has left. Quantities are in `unit`, the item's base unit, and `unit_price` is of one.

    `unit_price` has six decimals; the amount that binds is `net`.
    """

    id: UUID
    position: int
    item_id: UUID
    sku: str
    name: str
    warehouse_id: UUID
    unit: str
    quantity: Quantity
    unit_price: UnitPrice
    price_list_id: UUID | None
    net: Minor
    tax_code: str | None
    tax_rate: Rate
    tax: Minor
    allocated: SignedQuantity
    shipped: SignedQuantity


class OrderSummary(ResourceView):
    """An order without its lines, as lists show it."""

    number: str
    status: Status
    allocation: Progress
    shipment: Progress
    allocating: bool
    shortage: str | None
    customer_reference: str
    customer_name: Personal[str]
    currency: Currency
    net: Minor
    tax: Minor
    total: Minor
    ordered_at: datetime
    requested_date: date | None
    partial_allowed: bool


class OrderView(OrderSummary):
    """An order with its lines. `taxes` has a row for each tax code and rate, to which the lines' taxes add up.

    `correction`: why the order stands although somebody cancelled it or put it on hold; null when nobody did so too late.
    """

    reservation_expires_in_seconds: int | None
    ship_to: Address | None
    hold_reason: str | None
    cancel_reason: str | None
    correction: str | None
    taxes: list[RateOfTax]
    lines: list[LineView]


class FulfilmentView(View):
    """What has happened to an order since it was confirmed: each state it went to, when, and because of which event.

    `state` is the one it is in, null for a draft.
    """

    order_id: UUID
    state: str | None
    steps: Sequence[SagaStep]
