"""What a carrier is asked over the wire, and what it answers. It knows a booking by our reference, so that whatever is asked twice is done once.

Which partner that is, the operator says (`TAILRACE_PARTNERS`, under the name `carrier`); which carrier is meant stands in what is asked.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import FastAPI
from pydantic import AwareDatetime, Field

from contracts.carriage import TrackingState
from shipping.booking.models import Booking
from shipping.carriers import Carrier
from shipping.models import Shipment
from tailrace.core.values.fields import Sentence, Text
from tailrace.core.values.money import Currency
from tailrace.core.values.wire import WireModel
from tailrace.db.database import Tx
from tailrace.db.per_database import PerDatabase
from tailrace.errands.calls import Call
from tailrace.errands.partners import Partner, partner_of
from tailrace.settings import Settings

MOST_STEPS = 200
_settings: PerDatabase[Settings] = PerDatabase()


class Booked(WireModel):
    """What is answered to a booking; `cost` in minor units."""

    tracking_number: Annotated[Text, Field(max_length=100)]
    cost: Annotated[int, Field(ge=0, le=10**12)] | None = None
    currency: Currency | None = None


class Cancelled(WireModel):
    """What is answered to a cancellation, also where nothing was booked under the reference."""

    cancelled: bool


class Step(WireModel):
    """What is said of the way, as when a carrier calls by itself. One whose `at` nobody can mean is left out, and the others are read."""

    reference: Text
    state: TrackingState
    at: AwareDatetime
    place: Text | None = None
    detail: Sentence | None = None


CALLBACKS = "/v1/bookings/callbacks"
"""Where a carrier may say by itself what it would answer when asked for a way."""


class Way(WireModel):
    """All that a carrier says of a parcel's way, again each time."""

    steps: Annotated[list[Step], Field(max_length=MOST_STEPS)]


async def prepare(app: FastAPI, settings: Settings) -> None:
    """Before anything is served or fired."""
    _settings.keep(app.state.database, settings)


def carrier_partner(tx: Tx) -> Partner | None:
    """Who is asked, in the process that this transaction runs in; None while no setting says where it is."""
    return partner_of(_settings.of(tx), "carrier")


def book(partner: Partner, booking: Booking, shipment: Shipment, carrier: Carrier) -> Call:
    """Ask for it to be taken. The name and the address of who gets it are with the call until it is settled, and no longer."""
    to: dict[str, Any] = shipment.ship_to or {}
    parcels = [
        {name: getattr(each, name) for name in ("sscc", "weight_grams", "length_mm", "width_mm", "height_mm")}
        for each in shipment.packages
    ]
    asked = {
        "reference": str(booking.id),
        "shipment": shipment.number,
        "carrier": carrier.code,
        "service": booking.service,
        "country": to.get("country"),
        "to": {"name": shipment.customer_name, **to},
        "weight_grams": sum(each.weight_grams or 0 for each in shipment.packages),
        "parcels": parcels,
        "callback": f"{CALLBACKS}/{booking.tenant_id}",
    }
    return partner.call("POST", "/bookings", json=asked)


def cancel(partner: Partner, booking_id: UUID) -> Call:
    """Ask for it not to be taken, if it is."""
    return partner.call("POST", "/cancellations", json={"reference": str(booking_id)})


def track(partner: Partner, booking_id: UUID) -> Call:
    """Ask where it is."""
    return partner.call("GET", f"/ways/{booking_id}")
