"""What clients send about carriers and shipments. Quantities are in the item's base unit."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from shipping.labels.gs1 import check_digit, has_check_digit, is_lot
from tailrace.core.personal_data import Personal
from tailrace.core.values.custom_fields import CustomValues
from tailrace.core.values.fields import Code, Day, MomentOrDay, Name, Note, Text
from tailrace.core.values.meaning import Means
from tailrace.core.values.money import Quantity
from tailrace.core.values.wire import WrongFields
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
    bookable: bool = False
    """Whether shipments are booked with it over the wire, by the partner that the operator named; else they are sent by hand."""


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


def _gtin(text: str) -> str:
    if not has_check_digit(text):
        raise ValueError(f"the check digit of {text} is not {check_digit(text[:-1])}")
    return text


def _lot(text: str) -> str:
    if not is_lot(text):
        raise ValueError("a lot has 1 to 20 characters that a bar code can hold (GS1 set 82)")
    return text


Gtin = Annotated[
    str, StringConstraints(pattern=r"^([0-9]{8}|[0-9]{12,14})$"), AfterValidator(_gtin), Means("A GTIN (GS1).")
]
Lot = Annotated[str, StringConstraints(min_length=1, max_length=20), AfterValidator(_lot), Means("A lot (GS1).")]
Side = Annotated[int, Field(gt=0, le=100_000)]


class PackedLineBody(LineBody):
    """How much of a line is in the parcel, and what the goods' own label says."""

    gtin: Gtin | None = None
    """The GTIN of one piece, with its check digit; then it is counted in the parcel's bar code."""
    lot: Lot | None = None
    """The batch or lot that they are of."""
    expires_on: Day | None = None
    """The last day that they are good."""


class PackageBody(Body):
    """What is in a parcel, its weight in grams, and its size in millimetres: all three sides, or none."""

    lines: Annotated[list[PackedLineBody], Field(min_length=1, max_length=500)]
    """What is in the parcel."""
    weight_grams: Annotated[int, Field(gt=0, le=10**9)] | None = None
    """What it weighs, packaging included; null when it was not weighed."""
    length_mm: Side | None = None
    """The length; null when it was not measured."""
    width_mm: Side | None = None
    """The width; null when it was not measured."""
    height_mm: Side | None = None
    """The height; null when it was not measured."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if len({side is None for side in (self.length_mm, self.width_mm, self.height_mm)}) > 1:
            raise WrongFields("length_mm, width_mm and height_mm come together.", "length_mm", "width_mm", "height_mm")
        return self


class SplitBody(Body):
    """What is to leave in a shipment of its own."""

    lines: Lines
    """What goes into the new shipment."""


class FieldsBody(Body):
    """Values of the fields that the company's template adds to shipments, whole. What is required may follow until the shipment leaves."""

    custom_fields: CustomValues
    """All of them, by their keys; null and left out are the same."""


class MergeBody(Body):
    """What is to leave together."""

    shipment_id: UUID
    """The shipment that ends: one of the same reservation, without parcels."""


class DispatchBody(Body):
    """With whom it left, and when: now, unless said otherwise; not in the future, and not over a year ago."""

    carrier_id: UUID | None = None
    """Who takes it; null when nobody but ourselves does."""
    tracking_number: Text | None = None
    """By which the carrier knows the parcel."""
    dispatched_at: MomentOrDay | None = None
    """When it left, a plain day from its first moment on: not in the future, and not over a year ago; now when left out."""


class DeliveryBody(Body):
    """Proof of delivery. `delivered_at`: now, unless said otherwise; not in the future, and not before it left."""

    signed_by: Personal[Text]
    """Who took it, by name."""
    delivered_at: MomentOrDay | None = None
    """When it arrived, a plain day from its first moment on, or on the day that it left, as it left: not in the future, and not before it left;
    now when left out."""
    note: Note | None = None
    """Anything else that was said at the door."""
