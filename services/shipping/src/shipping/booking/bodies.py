"""What clients say of bookings."""

from typing import Self
from uuid import UUID

from pydantic import model_validator

from shipping.rates.commands import Choice
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
            raise ValueError("Say either tariff_id or choice.")
        return self
