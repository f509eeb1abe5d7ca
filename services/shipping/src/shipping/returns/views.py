"""What clients are shown of goods that come back. Quantities are in the item's base unit."""

from datetime import datetime
from uuid import UUID

from contracts.lots import LotQuantity
from shipping.returns.models import Status
from tailrace.core.personal_data import Personal
from tailrace.core.values.money import Exact
from tailrace.http.routing import ResourceView, View


class ReturnShipmentLineView(View):
    id: UUID
    """The line of the return."""
    position: int
    """Its place in the return, from 1."""
    shipment_id: UUID
    """What it left with."""
    line_id: UUID
    """The line of the order."""
    item_id: UUID
    """What comes back, of the catalog."""
    sku: str
    """The item's code when it was ordered."""
    name: str
    """What the item was called when it was ordered."""
    warehouse_id: UUID
    """Where it left from, and comes back to."""
    unit: str | None
    """What the quantities are in."""
    expected: Exact
    """How much may come in all."""
    received: Exact
    """How much has come."""
    restocked: Exact
    """How much of that is sold again."""
    scrapped: Exact
    """How much of that was thrown away."""
    sent_back: Exact
    """How much of that goes back to the customer."""
    lots: list[LotQuantity]
    """Of a tracked item, which lots were kept; none for any other."""


class UnexpectedView(View):
    description: str
    """What it is, as far as anybody could tell."""
    quantity: Exact
    """How many of it."""
    note: str | None
    """What else was said."""


class ReturnShipmentView(ResourceView):
    return_id: UUID
    """The return that it is expected for."""
    number: str
    """What people call the return, such as RT-000001."""
    order_id: UUID
    """The order that the goods left for."""
    order_number: str
    """What people call that order."""
    customer_name: Personal[str]
    """Who sends it."""
    reason: str
    """Why it comes back."""
    note: str | None
    """What else the customer said."""
    status: Status
    """How far it has come."""
    received_at: datetime | None
    """When something came last, in UTC."""
    inspected_at: datetime | None
    """When something was looked at last, in UTC."""
    unexpected: list[UnexpectedView]
    """What came along and is no line of it."""
    lines: list[ReturnShipmentLineView]
    """What is expected, and how far it has come."""
