"""What clients are shown of bookings."""

from datetime import datetime
from uuid import UUID

from contracts.carriage import TrackingState
from shipping.booking.models import Status
from tailrace.core.personal_data import Personal
from tailrace.http.routing import ResourceView, View


class TrackingStepView(View):
    state: TrackingState
    """What became of it."""
    at: datetime
    """When, as the carrier says, in UTC."""
    place: Personal[str] | None
    """Where, as the carrier calls it."""
    detail: Personal[str] | None
    """What the carrier says besides."""


class BookingSummary(View):
    """The last booking of a shipment."""

    id: UUID
    """By which it is named."""
    status: Status
    """Whether the carrier takes it."""
    carrier_id: UUID
    """Who is asked."""
    service: str
    """What the carrier is to do."""
    tracking_number: str | None
    """By which the carrier knows it; null before it is booked."""
    tracking: TrackingState | None
    """Where it is, by all that the carrier said; null before anything was said."""
    tracked_at: datetime | None
    """When that was so, in UTC."""
    failure: str | None
    """A word for why the last call to the carrier came to nothing: `status-422`, `deadline`, …; null where it did not."""


class BookingView(ResourceView):
    shipment_id: UUID
    """What is to be sent."""
    shipment_number: str
    """What people call that shipment."""
    carrier_id: UUID
    """Who is asked."""
    tariff_id: UUID
    """The tariff that it was quoted by."""
    service: str
    """What the carrier is to do."""
    quoted: int
    """What the tariff says that it costs, in minor units of `currency`."""
    currency: str
    """What `quoted` is in."""
    reason: str
    """Why this tariff."""
    status: Status
    """Whether the carrier takes it."""
    failure: str | None
    """A word for why the last call to the carrier came to nothing: `status-422`, `deadline`, …; null where it did not."""
    tracking_number: str | None
    """By which the carrier knows it; null before it is booked."""
    cost: int | None
    """What the carrier says that it costs, in minor units of `cost_currency`; null where it does not say."""
    cost_currency: str | None
    """The currency that the carrier names; null where it names none."""
    tracking: TrackingState | None
    """Where it is, by all that the carrier said; null before anything was said."""
    tracked_at: datetime | None
    """When that was so, in UTC."""
    ended: bool
    """Whether its way is over, so that nobody asks any more."""
    steps: list[TrackingStepView]
    """What the carrier said of the way, by when it was."""
