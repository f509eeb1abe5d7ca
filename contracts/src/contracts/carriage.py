"""Events of carriage, on `shipment.events`: what carriers ask for, which of them takes a shipment, and where it is on its way."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.shipments import ShipmentTopic
from tailrace.core.personal_data import Personal
from tailrace.core.values.money import Currency, Minor, Rate


class RateRow(BaseModel):
    """What a parcel of at most `up_to_grams` costs to where the postal code begins so; to all of the country without one."""

    model_config = ConfigDict(frozen=True)

    country: str
    postal_prefix: str | None = None
    up_to_grams: int
    price: Minor


class Surcharge(BaseModel):
    """What a parcel costs besides, above a weight or a length, or always."""

    model_config = ConfigDict(frozen=True)

    name: str
    amount: Minor
    above_grams: int | None = None
    above_longest_mm: int | None = None


class TariffDescription(ShipmentTopic):
    """What a carrier asks for a service. `divisor`: cubic millimetres that count as a gram. `fuel_rate` is a share of the price."""

    tariff_id: UUID
    code: str
    name: str
    carrier_id: UUID
    service: str
    currency: Currency
    valid_from: date
    valid_until: date | None = None
    days: int | None = None
    divisor: int | None = None
    fuel_rate: Rate
    rates: list[RateRow]
    surcharges: list[Surcharge] = []
    active: bool = True


class TariffCreated(TariffDescription):
    """There is a new tariff of a carrier."""

    type: ClassVar[str] = "shipment.tariff.created"


class TariffUpdated(TariffDescription):
    """The tariff is different now; carries the whole of it."""

    type: ClassVar[str] = "shipment.tariff.updated"


class TariffRestored(TariffDescription):
    """The tariff was deleted and is back, as it was; carries the whole of it."""

    type: ClassVar[str] = "shipment.tariff.restored"


class TariffDeleted(ShipmentTopic):
    """The tariff is gone; what was booked by it stays booked."""

    type: ClassVar[str] = "shipment.tariff.deleted"

    tariff_id: UUID
    code: str


class LabellingUpdated(ShipmentTopic):
    """How parcels are numbered and who sends them: `company_prefix` and `extension_digit` begin each SSCC (GS1)."""

    type: ClassVar[str] = "shipment.labelling.updated"

    labelling_id: UUID
    company_prefix: str
    extension_digit: int


class BookingEvent(ShipmentTopic):
    booking_id: UUID
    shipment_id: UUID


class BookingRequested(BookingEvent):
    """A carrier is asked to take a shipment; again, when it could not be booked before."""

    type: ClassVar[str] = "shipment.booking.requested"

    carrier_id: UUID
    tariff_id: UUID
    service: str
    quoted: Minor
    currency: Currency


class BookingConfirmed(BookingEvent):
    """The carrier takes the shipment. `cost` is what it said that this costs, in minor units of `currency`."""

    type: ClassVar[str] = "shipment.booking.confirmed"

    tracking_number: str
    cost: Minor | None = None
    currency: Currency | None = None


class BookingFailed(BookingEvent):
    """The carrier was asked and does not do it, or did not answer: `reason` is a word for why."""

    type: ClassVar[str] = "shipment.booking.failed"

    reason: str
    step: Literal["booking", "cancellation"]


class BookingWithdrawn(BookingEvent):
    """The shipment is not to go this way: the carrier is told so."""

    type: ClassVar[str] = "shipment.booking.withdrawn"

    reason: str


class BookingCancelled(BookingEvent):
    """The carrier does not take the shipment any more."""

    type: ClassVar[str] = "shipment.booking.cancelled"


TrackingState = Literal["picked_up", "in_transit", "out_for_delivery", "delivered", "exception", "returned", "lost"]


class TrackedStep(BaseModel):
    """What a carrier said of a parcel's way; `reference` is the carrier's own name for having said it."""

    model_config = ConfigDict(frozen=True)

    reference: str
    state: TrackingState
    at: datetime
    place: Personal[str] | None = None
    detail: Personal[str] | None = None


class BookingTracked(BookingEvent):
    """The carrier said more of the way: `steps` are those that are new, `state` is where the shipment is by all of them."""

    type: ClassVar[str] = "shipment.booking.tracked"

    state: TrackingState
    steps: list[TrackedStep]
    order_id: UUID | None = None
    """The order whose goods they are."""


class BookingEnded(BookingEvent):
    """The way is over, or was never heard of: nobody asks the carrier any more. `tracking` is the last that was said."""

    type: ClassVar[str] = "shipment.booking.ended"

    tracking: TrackingState | None = None


PUBLISHED: tuple[type[ShipmentTopic], ...] = (
    TariffCreated,
    TariffUpdated,
    TariffDeleted,
    TariffRestored,
    LabellingUpdated,
    BookingRequested,
    BookingConfirmed,
    BookingFailed,
    BookingWithdrawn,
    BookingCancelled,
    BookingTracked,
    BookingEnded,
)
