"""What is refused of bookings."""

from tailrace.core.errors import Refused, Taken


class BookingState(Refused):
    """409: the booking is past this step, or not there yet."""

    slug, title = "booking-state", "Not possible in this state of the booking"


class AlreadyBooked(Taken):
    """409: the shipment is booked, or is being booked, with a carrier."""

    slug, title = "already-booked", "Booked already"


class NotBookable(Refused):
    """409: nobody can be asked over the wire, or by no tariff: send it by hand."""

    slug, title = "not-bookable", "Cannot be booked"
