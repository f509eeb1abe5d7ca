"""/v1/bookings: carriers are asked to take shipments."""

from typing import Annotated
from uuid import UUID

from sqlalchemy import select

from contracts.carriage import TrackingState
from shipping.booking import commands
from shipping.booking.bodies import NewBooking
from shipping.booking.models import Booking, Status
from shipping.booking.views import BookingView
from shipping.dates import dates
from shipping.projections import days
from shipping.reactions import order_requests
from shipping.scopes import Reader, Writer
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import any_of, equal
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import ReasonBody, Tx, tenant_router

router = tenant_router(
    "/v1/bookings",
    tag="bookings",
    about="Carriers are asked to take shipments, and where these are.",
    reads=[order_requests, days, dates],
)

Bookings = Annotated[
    PageRequest,
    listed(
        Booking,
        equal(Booking.shipment_id),
        equal(Booking.carrier_id),
        any_of(Booking.status, Status),
        any_of(Booking.tracking, TrackingState),
        equal(Booking.tracking_number),
        sort=[Booking.status, Booking.created_at],
    ),
]


@router.post("", status_code=201, response_model=BookingView)
async def create_booking(tx: Tx, who: Writer, body: NewBooking) -> Booking:
    """Ask a carrier to take a shipment, by a tariff that is named, or by today's cheapest or fastest. Its answer comes by itself."""
    return await commands.book(tx, body.shipment_id, body.tariff_id, body.choice, await days.today(tx))


@router.get("", response_model=Page[BookingView])
async def list_bookings(tx: Tx, who: Reader, page: Bookings) -> Listing[Booking]:
    """Bookings, and where their shipments are."""
    return await paginate(tx, select(Booking), page)


@router.get("/{booking_id}", response_model=BookingView)
async def read_booking(tx: Tx, who: Reader, booking_id: UUID) -> Booking:
    """One booking, with what the carrier said of the way."""
    return await tx.find(Booking, booking_id)


@router.post("/{booking_id}/retry", response_model=BookingView)
async def retry_booking(tx: Tx, who: Writer, match: IfMatch, booking_id: UUID) -> Booking:
    """Ask the carrier again for what it refused or did not answer. 409 where it costs another price by now than was quoted: book it again then."""
    return await commands.retry(tx, booking_id, match, await days.today(tx))


@router.post("/{booking_id}/cancel", response_model=BookingView)
async def cancel_booking(tx: Tx, who: Writer, match: IfMatch, booking_id: UUID, body: ReasonBody) -> Booking:
    """Tell the carrier not to take it. It stays `cancelling` until the carrier has answered."""
    return await commands.cancel(tx, booking_id, match, body.reason)


@router.post("/{booking_id}/track", status_code=202, response_model=BookingView)
async def track_booking(tx: Tx, who: Writer, match: IfMatch, booking_id: UUID) -> Booking:
    """Ask the carrier now where it is; it is asked by itself every half hour."""
    return await commands.hasten(tx, booking_id, match)
