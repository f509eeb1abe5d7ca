"""What clients say of bookings, and carriers of the way."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from contracts.carriage import TrackingState
from shipping.rates.commands import Choice
from tailrace.core.personal_data import Personal
from tailrace.core.values.fields import Moment, Sentence, Text
from tailrace.core.values.wire import WrongFields
from tailrace.http.routing import Body


class NewBooking(Body):
    """What to book, and by which tariff: one that is named, or the cheapest or fastest in the order's currency."""

    shipment_id: UUID
    """What is to be sent; all of it packed and weighed."""
    tariff_id: UUID | None = None
    """By which tariff; null with a `choice`."""
    choice: Choice | None = None
    """How the tariff is chosen, by today's quotes; null with a `tariff_id`."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.tariff_id is None) == (self.choice is None):
            raise WrongFields("Say either tariff_id or choice.", "tariff_id", "choice")
        return self


class TrackedStepBody(Body):
    """What became of the parcels."""

    reference: Text
    """The carrier's own name for having said it: what comes again under it is not new."""
    state: TrackingState
    """What became of them."""
    at: Moment
    """When, at most a day ahead, and not over a year ago."""
    place: Personal[Text] | None = None
    """Where, as the carrier calls it."""
    detail: Personal[Sentence] | None = None
    """What the carrier says besides."""


class CarrierSays(Body):
    """What is new of one booking's way, or all of it."""

    reference: UUID
    """Our reference, by which the carrier was asked: the booking's id."""
    steps: Annotated[list[TrackedStepBody], Field(min_length=1, max_length=100)]
    """In any order, also such as were said before."""
