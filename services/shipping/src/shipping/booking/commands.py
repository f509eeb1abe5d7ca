"""Booking, cancelling and tracking. Locks are taken in one order: the shipment, then its booking.

What the carrier answers is applied once (`tailrace.errands`), to a booking that waits for that answer, and to no other.
"""

from collections.abc import Sequence
from datetime import UTC, date, timedelta
from uuid import UUID

from sqlalchemy import select

from contracts.carriage import TrackedStep
from shipping.booking import partner as wire
from shipping.booking.models import ENDS, Booking
from shipping.booking.models import OPEN as UNSETTLED
from shipping.booking.refusals import AlreadyBooked, BookingState, NotBookable
from shipping.carriers import active_carrier
from shipping.dates import of_carriers
from shipping.models import OPEN, Shipment
from shipping.projections import days
from shipping.rates import commands as rates
from shipping.rates.commands import Choice
from shipping.rates.models import Tariff
from shipping.rates.pricing import Price
from shipping.refusals import Held, WrongState
from tailrace.core import clock
from tailrace.core.errors import Invalid
from tailrace.core.ids import uuid7
from tailrace.core.payload import Payload
from tailrace.db.database import Tx
from tailrace.errands.errands import Errand, Outcome
from tailrace.errands.partners import Partner
from tailrace.messaging.timers import Timer
from tailrace.observability.logs import log


class OfBooking(Payload):
    """Which booking a call is about."""

    booking_id: UUID


ASK_AGAIN = timedelta(minutes=30)
"""How long after an answer a carrier is asked where a shipment is."""
_LONGEST = timedelta(days=90)
"""How long after the booking it is asked at all."""
_LARGEST = 256 * 1024
_NO_PARTNER = "no-partner"

booking_errand = Errand(
    "shipping.booking", about=OfBooking, answer=wire.Booked, deadline=timedelta(hours=2), largest=_LARGEST
)
cancellation_errand = Errand(
    "shipping.cancellation", about=OfBooking, answer=wire.Cancelled, deadline=timedelta(hours=24), largest=_LARGEST
)
tracking_errand = Errand(
    "shipping.tracking", about=OfBooking, answer=wire.Way, deadline=timedelta(minutes=20), largest=_LARGEST
)
tracking_timer = Timer("shipping.tracking")


async def book(tx: Tx, shipment_id: UUID, tariff_id: UUID | None, choice: Choice | None, on: date) -> Booking:
    """Ask a carrier to take a shipment, by a tariff or by the one that is chosen.

    Raises Unknown, WrongState, Held, NotPacked, AlreadyBooked, NotBookable, Invalid.
    """
    shipment = await tx.load(Shipment, shipment_id)
    _ensure_waiting(shipment)
    rates.ensure_packed(shipment)
    if any(each.status in UNSETTLED for each in shipment.bookings):
        raise AlreadyBooked(f"Shipment {shipment.number} is booked already, or is being booked.", field="/shipment_id")
    tariff, price, reason = await _choose(tx, shipment, tariff_id, choice, on)
    booking = Booking(
        id=uuid7(),
        shipment_id=shipment.id,
        shipment_number=shipment.number,
        carrier_id=tariff.carrier_id,
        tariff_id=tariff.id,
        service=tariff.service,
        quoted=price.total,
        currency=tariff.currency,
        reason=reason,
        status="requested",
        steps=[],
        tracking=None,
        tracking_number=None,
        ended=False,
    )
    tx.add(booking)
    await _ask(tx, booking, shipment)
    return booking


async def retry(tx: Tx, booking_id: UUID, match: int | None, on: date) -> Booking:
    """Ask again for what came to nothing, at the price that was quoted, which has to hold yet.

    Raises Unknown, BookingState, WrongState, Held, NotPacked, NotBookable.
    """
    shipment, booking = await _locked(tx, booking_id, match)
    if booking.status != "failed":
        raise BookingState(
            f"The booking of {booking.shipment_number} is {booking.status}: only what failed is asked for again."
        )
    _ensure_waiting(shipment)
    rates.ensure_packed(shipment)
    await _ensure_as_quoted(tx, booking, shipment, on)
    await _ask(tx, booking, shipment)
    return booking


async def cancel(tx: Tx, booking_id: UUID, match: int | None, reason: str) -> Booking:
    """Raises Unknown, BookingState, NotBookable."""
    _, booking = await _locked(tx, booking_id, match)
    if wire.carrier_partner(tx) is None:
        raise NotBookable("Nobody is asked over the wire at the moment.")
    await _withdraw(tx, booking, reason)
    return booking


async def hasten(tx: Tx, booking_id: UUID, match: int | None) -> Booking:
    """Ask the carrier now where it is. Raises Unknown, and BookingState where nobody is asked any more."""
    booking = await tx.load(Booking, booking_id, match)
    if booking.tracking_number is None or booking.ended:
        raise BookingState(f"The booking of {booking.shipment_number} is {booking.status}: nobody is asked about it.")
    await tracking_timer.set(tx, booking.id, clock.now())
    return booking


async def confirmed(tx: Tx, shipment_id: UUID) -> Booking | None:
    """The booking that a shipment leaves by; None where no carrier has said that it takes it. The shipment is locked by the caller."""
    query = select(Booking).where(Booking.shipment_id == shipment_id, Booking.status == "booked")
    return await tx.scalar(query)


async def ensure_none(tx: Tx, shipment: Shipment) -> None:
    """Raises AlreadyBooked while a carrier counts on the parcels as they are. The shipment is locked by the caller."""
    if any(each.status in {"requested", "booked"} for each in shipment.bookings):
        raise AlreadyBooked(f"Shipment {shipment.number} is booked as it is packed; cancel the booking first.")


async def withdraw_all(tx: Tx, shipment_id: UUID, reason: str) -> None:
    """The shipment leaves another way, or not at all. The shipment is locked by the caller."""
    query = select(Booking.id).where(Booking.shipment_id == shipment_id, Booking.status.in_(("requested", "booked")))
    for id in list(await tx.scalars(query)):
        await _withdraw(tx, await tx.load(Booking, id), reason)


@booking_errand.outcome
async def note_booking(tx: Tx, outcome: Outcome) -> None:
    _, booking = await _locked(tx, outcome.about.booking_id)
    if booking.errand_id != outcome.errand_id:
        return
    said: wire.Booked | None = outcome.answer
    partner = wire.carrier_partner(tx)
    if said is not None:
        booking.confirm(said.tracking_number, said.cost, said.currency)
        await tracking_timer.set(tx, booking.id, clock.now() + ASK_AGAIN)
    elif booking.status == "requested":
        booking.fail(_failure(outcome))
    if booking.status == "cancelling":
        # What was not heard of may have been booked all the same.
        if partner is None:
            booking.keep(_NO_PARTNER)
        else:
            booking.await_cancellation(await _send_cancellation(tx, partner, booking))


@cancellation_errand.outcome
async def note_cancellation(tx: Tx, outcome: Outcome) -> None:
    _, booking = await _locked(tx, outcome.about.booking_id)
    if booking.errand_id != outcome.errand_id:
        return
    if outcome.answer is None:
        booking.keep(_failure(outcome))
    else:
        booking.cancel()
        await tracking_timer.clear(tx, booking.id)


@tracking_timer.due
async def ask_for_the_way(tx: Tx, key: UUID) -> None:
    booking = await tx.find(Booking, key)
    if booking.ended:
        return
    partner = wire.carrier_partner(tx)
    if partner is None:
        await tracking_timer.set(tx, key, clock.now() + ASK_AGAIN)
    else:
        await tracking_errand.send(tx, wire.track(partner, key), OfBooking(booking_id=key))


@tracking_errand.outcome
async def note_way(tx: Tx, outcome: Outcome) -> None:
    shipment, booking = await _locked(tx, outcome.about.booking_id)
    if booking.ended:
        return
    way: wire.Way | None = outcome.answer
    said = [] if way is None else way.steps
    bounds, calendar = await of_carriers(tx), await days.calendar(tx)
    meant = [_in_utc(step) for step in said if bounds.takes(step.at, calendar)]
    if len(meant) < len(said):
        log.warning("a carrier dates steps as nobody can mean", booking=str(booking.id), steps=len(said) - len(meant))
    await _go_on(tx, shipment, booking, meant)


def _in_utc(step: wire.Step) -> TrackedStep:
    return TrackedStep(**{**step.model_dump(), "at": step.at.astimezone(UTC)})


async def take_in(tx: Tx, booking_id: UUID, said: Sequence[TrackedStep]) -> None:
    """The carrier says by itself what became of a booking. What was said before, and what comes after the end, changes nothing.

    Raises Unknown, Implausible, and BookingState before the carrier has taken it as far as is known here.
    """
    shipment, booking = await _locked(tx, booking_id)
    if booking.ended:
        return
    if booking.tracking_number is None:
        raise BookingState(f"The booking of {booking.shipment_number} is {booking.status}: nothing is on its way yet.")
    bounds, calendar = await of_carriers(tx), await days.calendar(tx)
    for number, step in enumerate(said):
        bounds.checked(step.at, f"/steps/{number}/at", calendar)
    await _go_on(tx, shipment, booking, said)


async def _go_on(tx: Tx, shipment: Shipment, booking: Booking, said: Sequence[TrackedStep]) -> None:
    """Note what is new of the way. What goes on is asked about again; that lies further off with all that the carrier says."""
    booking.note(said, shipment.order_id)
    _deliver(shipment, booking)
    # What came before it left, by our books, is looked at again until it has left.
    goes_on = booking.tracking not in ENDS or (booking.tracking == "delivered" and shipment.status in OPEN)
    if goes_on and clock.now() < booking.created_at + _LONGEST:
        await tracking_timer.set(tx, booking.id, clock.now() + ASK_AGAIN)
    else:
        booking.end()
        await tracking_timer.clear(tx, booking.id)


def _deliver(shipment: Shipment, booking: Booking) -> None:
    """What left by this booking and was delivered, has arrived; not before it left, whatever the carrier's clock says."""
    left_by_it = shipment.status == "dispatched" and shipment.tracking_number == booking.tracking_number
    if booking.tracking == "delivered" and left_by_it:
        assert shipment.dispatched_at is not None and booking.tracked_at is not None
        detail = next((step.detail for step in booking.steps if step.state == "delivered"), None)
        shipment.deliver(max(booking.tracked_at, shipment.dispatched_at), None, detail)


async def _choose(
    tx: Tx, shipment: Shipment, tariff_id: UUID | None, choice: Choice | None, on: date
) -> tuple[Tariff, Price, str]:
    if choice is not None:
        found = await rates.quote(tx, shipment, on)
        if choice not in found.chosen:
            raise NotBookable(f"No tariff in {shipment.currency} is for shipment {shipment.number}.", field="/choice")
        tariff, reason = found.chosen[choice]
    else:
        assert tariff_id is not None
        known = await _active_tariff(tx, tariff_id)
        if known is None:
            raise Invalid.field("/tariff_id", f"There is no active tariff {tariff_id}.")
        tariff, reason = known, "It was named."
    price = rates.quote_by(tariff, shipment, on)
    if not isinstance(price, Price):
        raise NotBookable(
            f"Tariff {tariff.code} is not for shipment {shipment.number}: {price.replace('_', ' ')}.",
            field="/tariff_id",
        )
    return tariff, price, reason


async def _active_tariff(tx: Tx, id: UUID) -> Tariff | None:
    return await tx.scalar(select(Tariff).where(Tariff.id == id, Tariff.active, Tariff.deleted_at.is_(None)))


async def _ensure_as_quoted(tx: Tx, booking: Booking, shipment: Shipment, on: date) -> None:
    """Raises NotBookable where the tariff is none any more, or asks another price of the parcels as they are by now."""
    tariff = await _active_tariff(tx, booking.tariff_id)
    price = None if tariff is None else rates.quote_by(tariff, shipment, on)
    if tariff is None or not isinstance(price, Price):
        raise NotBookable("The tariff that was chosen is not for it any more: book it again, by another one.")
    if (price.total, tariff.currency) != (booking.quoted, booking.currency):
        by_now = f"{price.total} {tariff.currency} by now, and {booking.quoted} {booking.currency} was quoted"
        raise NotBookable(f"It costs {by_now}: book it again at today's price.")


async def _ask(tx: Tx, booking: Booking, shipment: Shipment) -> None:
    carrier = await active_carrier(tx, booking.carrier_id)
    partner = wire.carrier_partner(tx)
    if partner is None or not carrier.bookable:
        raise NotBookable(
            f"{carrier.name} is not asked over the wire: book there by hand, and say its tracking number when it leaves."
        )
    call = wire.book(partner, booking, shipment, carrier)
    booking.ask(await booking_errand.send(tx, call, OfBooking(booking_id=booking.id)))


async def _withdraw(tx: Tx, booking: Booking, reason: str) -> None:
    """While the carrier has not answered, nothing is cancelled: its answer is awaited first. Where nobody can be asked, a person sees that."""
    partner = wire.carrier_partner(tx) if booking.status == "booked" else None
    errand_id = None if partner is None else await _send_cancellation(tx, partner, booking)
    was_booked = booking.status == "booked"
    booking.withdraw(reason, errand_id)
    if was_booked and partner is None:
        booking.keep(_NO_PARTNER)


async def _send_cancellation(tx: Tx, partner: Partner, booking: Booking) -> UUID:
    return await cancellation_errand.send(tx, wire.cancel(partner, booking.id), OfBooking(booking_id=booking.id))


async def _locked(tx: Tx, booking_id: UUID, match: int | None = None) -> tuple[Shipment, Booking]:
    of = await tx.find(Booking, booking_id)
    shipment = await tx.load(Shipment, of.shipment_id)
    return shipment, await tx.load(Booking, booking_id, match)


def _ensure_waiting(shipment: Shipment) -> None:
    if shipment.status not in OPEN:
        raise WrongState(f"Shipment {shipment.number} is {shipment.status}: it is booked before it leaves.")
    if shipment.held:
        raise Held(f"Shipment {shipment.number} waits for its order: {shipment.reason}")


def _failure(outcome: Outcome) -> str:
    """A word for why."""
    if outcome.failure is not None:
        return outcome.failure
    return "unexplained" if outcome.response is None else f"status-{outcome.response.status}"
