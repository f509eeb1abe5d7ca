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
    name: Name
    tracking_url: TrackingUrl | None = None
    active: bool = True


class LineBody(Body):
    """How much of an order line, in the item's base unit."""

    line_id: UUID
    quantity: Quantity


Lines = Annotated[list[LineBody], Field(min_length=1, max_length=500)]


class PickBody(Body):
    """What was taken from the shelf; everything that is left, when no lines are named."""

    lines: Lines | None = None


class PackageBody(Body):
    """What is in a parcel, and its weight in grams."""

    lines: Lines
    weight_grams: Annotated[int, Field(gt=0, le=10**9)] | None = None


class SplitBody(Body):
    """What is to leave in a shipment of its own."""

    lines: Lines


class DispatchBody(Body):
    """With whom it left, and when: now, unless said otherwise; not in the future, and not over a year ago."""

    carrier_id: UUID | None = None
    tracking_number: Text | None = None
    dispatched_at: Moment | None = None


class DeliveryBody(Body):
    """Proof of delivery. `delivered_at`: now, unless said otherwise; not in the future, and not before it left."""

    signed_by: Personal[Text]
    delivered_at: Moment | None = None
    note: Note | None = None
