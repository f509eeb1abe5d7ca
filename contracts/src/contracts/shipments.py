"""Events of shipping, on `shipment.events` (Torrent4.0 design, shipping service): shipments and carriers."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.lots import LotQuantity
from contracts.orders import Address, Departure
from tailrace.core.events import Event
from tailrace.core.personal_data import Personal
from tailrace.core.values.money import Currency, Minor, Quantity, SignedQuantity


class ShipmentTopic(Event):
    topic: ClassVar[str] = "shipment.events"
    publisher: ClassVar[str] = "shipping"


class ShipmentEvent(ShipmentTopic):
    shipment_id: UUID
    order_id: UUID


class ShipmentLine(BaseModel):
    """A line of a shipment, with the amounts of the whole order line it belongs to."""

    model_config = ConfigDict(frozen=True)

    line_id: UUID
    item_id: UUID
    sku: str
    name: str
    warehouse_id: UUID
    quantity: Quantity
    line_quantity: Quantity
    line_net: Minor
    line_tax: Minor
    lots: list[LotQuantity] = []


class DispatchedLine(ShipmentLine):
    """`dispatched_before`: how much of the order line had left with earlier shipments, so that each part is valued exactly."""

    dispatched_before: SignedQuantity


class ShipmentCreated(ShipmentEvent):
    """There is something to pick. `split_from` names the shipment that these lines were taken out of."""

    type: ClassVar[str] = "shipment.created"

    number: str
    reservation_id: UUID
    currency: Currency
    customer_name: Personal[str]
    ship_to: Address | None = None
    lines: list[ShipmentLine]
    split_from: UUID | None = None


class ShipmentLinesChanged(ShipmentEvent):
    """Some lines, or parts of them, went to another shipment."""

    type: ClassVar[str] = "shipment.lines_changed"

    lines: list[ShipmentLine]


class ShipmentHeld(ShipmentEvent):
    """The shipment waits: nobody picks, packs or dispatches it until it is resumed."""

    type: ClassVar[str] = "shipment.held"

    reason: str


class ShipmentResumed(ShipmentEvent):
    """The shipment goes on."""

    type: ClassVar[str] = "shipment.resumed"


class PickedLine(BaseModel):
    model_config = ConfigDict(frozen=True)

    line_id: UUID
    quantity: Quantity


class ShipmentFieldsChanged(ShipmentEvent):
    """Fields that the company adds to shipments have these values now."""

    type: ClassVar[str] = "shipment.fields_changed"

    custom_fields: dict[str, bool | str]
    """All of them, by their keys; a number is a string."""


class ShipmentPicked(ShipmentEvent):
    """Goods were taken from the shelves."""

    type: ClassVar[str] = "shipment.picked"

    lines: list[PickedLine]


class PackedLine(PickedLine):
    """What is in a parcel, with what its own label says: `gtin` (GS1), `lot`, and the last day that it is good."""

    gtin: str | None = None
    lot: str | None = None
    expires_on: date | None = None


class PackageContent(BaseModel):
    """A parcel: what is in it, how heavy it is in grams, how large it is in millimetres, and by which SSCC it is known (GS1)."""

    model_config = ConfigDict(frozen=True)

    package_id: UUID
    weight_grams: int | None = None
    length_mm: int | None = None
    width_mm: int | None = None
    height_mm: int | None = None
    sscc: str | None = None
    lines: list[PackedLine]


class ShipmentPacked(ShipmentEvent):
    """Goods went into parcels; `packages` are all of the shipment."""

    type: ClassVar[str] = "shipment.packed"

    packages: list[PackageContent]


class ShipmentUnpacked(ShipmentEvent):
    """A parcel was taken apart; `packages` are those that are left."""

    type: ClassVar[str] = "shipment.unpacked"

    package_id: UUID
    packages: list[PackageContent]


class ShipmentDispatched(ShipmentEvent):
    """The goods left the house: inventory issues them, accounting recognises cost and revenue."""

    type: ClassVar[str] = "shipment.dispatched"

    reservation_id: UUID
    number: str
    currency: Currency
    lines: list[DispatchedLine]
    carrier_id: UUID | None = None
    tracking_number: str | None = None
    dispatched_at: datetime
    customer_id: UUID | None = None
    custom_fields: dict[str, bool | str] = {}
    """Fields that the company adds, by their keys; a number is a string."""


class ShipmentDelivered(ShipmentEvent):
    """Proof of delivery."""

    type: ClassVar[str] = "shipment.delivered"

    delivered_at: datetime
    signed_by: Personal[str] | None = None
    note: Personal[str] | None = None


class ShipmentCancelled(ShipmentEvent):
    """Nothing of the shipment leaves; `lines` are what it would have taken."""

    type: ClassVar[str] = "shipment.cancelled"

    reason: str
    lines: list[ShipmentLine]


class ReservedDeparture(Departure):
    """A shipment that has left, and the reservation that it was made from."""

    reservation_id: UUID


class ShipmentsCancelled(ShipmentTopic):
    """Answers `order.shipment_cancellation_requested`: nothing that it asked about is left to dispatch. `shipments` are those that were cancelled.

    `departed` are all that had left before, since `shipment.dispatched` of one may arrive after this answer.
    """

    type: ClassVar[str] = "shipment.order_cancelled"

    order_id: UUID
    shipments: list[UUID]
    departed: list[ReservedDeparture] = []


class CarrierDescription(ShipmentTopic):
    """`tracking_url` holds `{number}` where the tracking number goes."""

    carrier_id: UUID
    code: str
    name: str
    tracking_url: str | None = None
    active: bool = True
    bookable: bool = False


class CarrierCreated(CarrierDescription):
    """There is a new carrier."""

    type: ClassVar[str] = "shipment.carrier.created"


class CarrierUpdated(CarrierDescription):
    """The carrier is different now; carries the whole of it."""

    type: ClassVar[str] = "shipment.carrier.updated"


class CarrierRestored(CarrierDescription):
    """The carrier was deleted and is back, as it was; carries the whole of it."""

    type: ClassVar[str] = "shipment.carrier.restored"


class CarrierDeleted(ShipmentTopic):
    """The carrier is gone; what was made with it keeps it."""

    type: ClassVar[str] = "shipment.carrier.deleted"

    carrier_id: UUID
    code: str


PUBLISHED: tuple[type[ShipmentTopic], ...] = (
    ShipmentCreated,
    ShipmentLinesChanged,
    ShipmentHeld,
    ShipmentResumed,
    ShipmentFieldsChanged,
    ShipmentPicked,
    ShipmentPacked,
    ShipmentUnpacked,
    ShipmentDispatched,
    ShipmentDelivered,
    ShipmentCancelled,
    ShipmentsCancelled,
    CarrierCreated,
    CarrierUpdated,
    CarrierDeleted,
    CarrierRestored,
)
