"""What clients send about carriers and shipments. Quantities are in the item's base unit."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from tailrace.core.fields import Code, Moment, Name, Note, Text
from tailrace.core.money import Quantity
from tailrace.core.personal_data import Personal
from tailrace.http.routing import Body


def _with_number(url: str) -> str:
    if "{number}" not in url:
        raise ValueError("must hold {number}, where the tracking number goes")
    return url


TrackingUrl = Annotated[
    str, StringConstraints(max_length=500, pattern=r"^https?://[^\s\"'<>]+$"), AfterValidator(_with_number)
]


class CarrierBody(Body):
    """A carrier as it is to be."""

    code: Code
    """What the carrier is known by; unique among those in use."""
    name: Name
    """What people call the carrier."""
    tracking_url: TrackingUrl | None = None
    """Where a parcel can be followed: `{number}` stands for its tracking number."""
    active: bool = True
    """Whether it may be chosen for new shipments."""


class LineBody(Body):
    """How much of an order line, in the item's base unit."""

    line_id: UUID
    """A line of the shipment, as its order names it."""
    quantity: Quantity
    """How much of it, in the item's base unit."""


Lines = Annotated[list[LineBody], Field(min_length=1, max_length=500)]


class PickBody(Body):
    """What was taken from the shelf; everything that is left, when no lines are named."""

    lines: Lines | None = None
    """What was taken; null for everything that is left."""


class PackageBody(Body):
    """What is in a parcel, and its weight in grams."""

    lines: Lines
    """What is in the parcel."""
    weight_grams: Annotated[int, Field(gt=0, le=10**9)] | None = None
    """What it weighs, packaging included; null when it was not weighed."""


class SplitBody(Body):
    """What is to leave in a shipment of its own."""

    lines: Lines
    """What goes into the new shipment."""


class DispatchBody(Body):
    """With whom it left, and when: now, unless said otherwise; not in the future, and not over a year ago."""

    carrier_id: UUID | None = None
    """Who takes it; null when nobody but ourselves does."""
    tracking_number: Text | None = None
    """By which the carrier knows the parcel."""
    dispatched_at: Moment | None = None
    """When it left, not in the future, and not over a year ago; now when left out."""


class DeliveryBody(Body):
    """Proof of delivery. `delivered_at`: now, unless said otherwise; not in the future, and not before it left."""

    signed_by: Personal[Text]
    """Who took it, by name."""
    delivered_at: Moment | None = None
    """When it arrived, not in the future, and not before it left; now when left out."""
    note: Note | None = None
    """Anything else that was said at the door."""
