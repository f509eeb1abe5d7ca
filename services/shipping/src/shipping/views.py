"""What clients are shown of carriers and shipments. Quantities are in the item's base unit."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from contracts.orders import Address
from tailrace.core.money import Exact
from tailrace.core.personal_data import Personal
from tailrace.http.routing import ResourceView, View

Status = Literal["pending", "picking", "picked", "packed", "dispatched", "delivered", "cancelled"]


class CarrierView(ResourceView):
    code: str
    name: str
    tracking_url: str | None
    active: bool


class LineView(View):
    line_id: UUID
    item_id: UUID
    sku: str
    name: str
    warehouse_id: UUID
    quantity: Exact
    picked: Exact


class PackageLineView(View):
    line_id: UUID
    quantity: Exact


class PackageView(View):
    id: UUID
    weight_grams: int | None
    lines: list[PackageLineView]


class ShipmentView(ResourceView):
    number: str
    order_id: UUID
    order_number: str
    reservation_id: UUID
    split_from: UUID | None
    status: Status
    held: bool
    reason: str | None
    customer_reference: str
    customer_name: Personal[str]
    ship_to: Address | None
    carrier_id: UUID | None
    tracking_number: str | None
    tracking_link: str | None
    dispatched_at: datetime | None
    delivered_at: datetime | None
    signed_by: Personal[str] | None
    note: str | None
    lines: list[LineView]
    packages: list[PackageView]


class PickListLine(View):
    warehouse_id: UUID
    sku: str
    name: str
    line_id: UUID
    to_pick: Exact


class PickList(View):
    """What is still to be taken from the shelves, by warehouse and sku."""

    shipment_id: UUID
    number: str
    held: bool
    lines: list[PickListLine]
