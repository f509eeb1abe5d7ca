"""What clients are shown of carriers and shipments. Quantities are in the item's base unit."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from contracts.lots import LotQuantity
from contracts.orders import Address
from shipping.booking.views import BookingSummary
from tailrace.core.personal_data import Personal
from tailrace.core.values.money import Exact
from tailrace.http.routing import ResourceView, View

Status = Literal["pending", "picking", "picked", "packed", "dispatched", "delivered", "cancelled"]


class CarrierView(ResourceView):
    code: str
    """What the carrier is known by; unique among those in use."""
    name: str
    """What people call the carrier."""
    tracking_url: str | None
    """Where a parcel can be followed: `{number}` stands for its tracking number."""
    active: bool
    """Whether it may be chosen for new shipments."""
    bookable: bool
    """Whether shipments are booked with it over the wire."""


class ShipmentLineView(View):
    line_id: UUID
    """The line of the order that it fulfils."""
    item_id: UUID
    """What is to leave, of the catalog."""
    sku: str
    """The item's code when it was ordered."""
    name: str
    """What the item was called when it was ordered."""
    warehouse_id: UUID
    """Where it is taken from."""
    quantity: Exact
    """How much is to leave with this shipment."""
    picked: Exact
    """How much was taken from the shelf by now."""
    lots: list[LotQuantity]
    """Of a tracked item, which lots are to leave; none for any other."""


class PackageLineView(View):
    line_id: UUID
    """A line of the shipment."""
    quantity: Exact
    """How much of it is in the parcel."""
    gtin: str | None = None
    """The GTIN of one piece, where it was said."""
    lot: str | None = None
    """The batch or lot, where it was said."""
    expires_on: date | None = None
    """The last day that it is good, where it was said."""


class PackageView(View):
    id: UUID
    """By which the parcel is named."""
    weight_grams: int | None
    """What it weighs, packaging included; null when it was not weighed."""
    length_mm: int | None
    """The length; null when it was not measured."""
    width_mm: int | None
    """The width; null when it was not measured."""
    height_mm: int | None
    """The height; null when it was not measured."""
    sscc: str | None
    """The number by which everybody on its way knows it (GS1); null when it was packed before the company had a prefix."""
    lines: list[PackageLineView]
    """What the parcel holds."""


class ShipmentView(ResourceView):
    number: str
    """What people call it: the order's number and a count, such as SO-000001-1, or what the company's template says."""
    order_id: UUID
    """The order that it fulfils."""
    order_number: str
    """What people call that order."""
    reservation_id: UUID
    """The reservation that its goods are held by."""
    split_from: UUID | None
    """The shipment that its lines were taken out of; null when it was not split off."""
    status: Status
    """How far it has come, from the shelf to the door."""
    held: bool
    """Whether its order is on hold, so that it may not leave."""
    reason: str | None
    """Why it is held or was cancelled."""
    customer_reference: str
    """What the customer calls the order."""
    customer_name: Personal[str]
    """Who ordered."""
    ship_to: Address | None
    """Where the goods go."""
    carrier_id: UUID | None
    """Who took it; null before it left, and when nobody else did."""
    tracking_number: str | None
    """By which the carrier knows the parcel."""
    tracking_link: str | None
    """Where the parcel can be followed."""
    dispatched_at: datetime | None
    """When it left, in UTC; null before that."""
    delivered_at: datetime | None
    """When it arrived, in UTC; null before that."""
    signed_by: Personal[str] | None
    """Who took it, by name."""
    note: str | None
    """Anything else that was said at the door."""
    custom_fields: dict[str, bool | str]
    """Values of the fields that the company adds, by their keys; a number is a string."""
    lines: list[ShipmentLineView]
    """What is to leave with it."""
    packages: list[PackageView]
    """The parcels packed by now."""
    booking: BookingSummary | None
    """The last that a carrier was asked for it; null where none was asked over the wire."""


class PickListLine(View):
    warehouse_id: UUID
    """Where it is taken from."""
    sku: str
    """The item's code when it was ordered."""
    name: str
    """What the item was called when it was ordered."""
    line_id: UUID
    """The line of the shipment, to be named when it was taken."""
    to_pick: Exact
    """How much is still on the shelf."""
    lots: list[LotQuantity]
    """Of a tracked item, which lots the line is to take, with what was picked of them already; none for any other."""


class PickList(View):
    """What is still to be taken from the shelves, by warehouse and sku."""

    shipment_id: UUID
    """Whose goods they are."""
    number: str
    """What people call the shipment."""
    held: bool
    """Whether its order is on hold, so that it may not leave."""
    lines: list[PickListLine]
    """What is still to be taken, by warehouse and sku."""
