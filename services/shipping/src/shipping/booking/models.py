"""Bookings: a shipment with a carrier, from being asked for to the door. What the carrier says of the way comes once each, in any order.

requested → booked → cancelling → cancelled; requested → failed → requested again by a person. What was withdrawn while the carrier had not
answered is cancelling until it has.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from contracts import carriage as events
from contracts.carriage import TrackingState
from shipping.base import Base
from shipping.booking.refusals import AlreadyBooked, BookingState
from tailrace.core.ids import uuid7
from tailrace.core.transitions import Transitions
from tailrace.db.keys import refers_to, tenant_index
from tailrace.db.models import Aggregate, Part
from tailrace.db.unique import unique_value

Status = Literal["requested", "booked", "failed", "cancelling", "cancelled"]
STATES = Transitions[Status](
    "The booking of",
    {
        "requested": {"confirmed": "booked", "failed": "failed", "withdrawn": "cancelling"},
        "booked": {"withdrawn": "cancelling"},
        "failed": {"retried": "requested"},
        "cancelling": {"cancelled": "cancelled", "kept": "booked", "failed": "failed"},
        "cancelled": {},
    },
    BookingState,
)
OPEN = ("requested", "booked", "cancelling")
"""While a carrier may count on the shipment: it is booked with no other."""
_TAKEN = "status IN ('requested', 'booked', 'cancelling')"
ENDS = frozenset[TrackingState]({"delivered", "returned", "lost"})
_RANK: Sequence[TrackingState] = (
    "picked_up",
    "in_transit",
    "exception",
    "out_for_delivery",
    "delivered",
    "returned",
    "lost",
)
"""Which of two that were said of the same moment comes later."""


class Booking(Aggregate, Base):
    """Events of it stand under its own id, beside those of its shipment."""

    __tablename__ = "booking"
    __table_args__ = (
        refers_to("shipment", "shipment_id"),
        unique_value("shipment_id", refusal=AlreadyBooked, where=_TAKEN),
        tenant_index("shipment_id", "id"),
        tenant_index("status", "id"),
        tenant_index("carrier_id", "id"),
    )

    shipment_id: Mapped[UUID]
    shipment_number: Mapped[str]
    carrier_id: Mapped[UUID]
    tariff_id: Mapped[UUID]
    service: Mapped[str]
    quoted: Mapped[int]
    """What the tariff says that it costs, in minor units of `currency`."""
    currency: Mapped[str]
    reason: Mapped[str]
    """Why this tariff was chosen."""
    status: Mapped[Status]
    errand_id: Mapped[UUID | None]
    """The call whose outcome it waits for."""
    failure: Mapped[str | None]
    """A word for why the last call came to nothing."""
    tracking_number: Mapped[str | None]
    cost: Mapped[int | None]
    """What the carrier says that it costs, in minor units of `cost_currency`."""
    cost_currency: Mapped[str | None]
    tracking: Mapped[TrackingState | None]
    tracked_at: Mapped[datetime | None]
    """When that was so, as the carrier says."""
    ended: Mapped[bool] = mapped_column(server_default=false())
    """Whether its way is over."""
    steps: Mapped[list["TrackingStep"]] = relationship(
        back_populates="booking", cascade="all, delete-orphan", lazy="selectin", order_by="TrackingStep.at"
    )

    def ask(self, errand_id: UUID) -> None:
        """The carrier is asked, the first time or again."""
        if self.status == "failed":
            self._go("retried")
        self.errand_id, self.failure = errand_id, None
        self.record_as(events.BookingRequested)

    def confirm(self, tracking_number: str, cost: int | None, currency: str | None) -> None:
        """The carrier takes it, also when it was withdrawn meanwhile: then it is told so. Raises BookingState."""
        if self.status != "cancelling":
            self._go("confirmed")
        self.errand_id, self.failure = None, None
        self.tracking_number, self.cost, self.cost_currency = tracking_number, cost, currency
        said = {"tracking_number": tracking_number, "cost": cost, "currency": currency}
        self.record_as(events.BookingConfirmed, **said)

    def fail(self, reason: str) -> None:
        """The carrier does not take it, or said nothing. Raises BookingState."""
        self._go("failed")
        self.errand_id, self.failure = None, reason
        self.record_as(events.BookingFailed, reason=reason, step="booking")

    def withdraw(self, reason: str, errand_id: UUID | None) -> None:
        """It is not to go this way. `errand_id`: the call that says so; None while the answer to the first is awaited. Raises BookingState."""
        self._go("withdrawn")
        self.errand_id = errand_id or self.errand_id
        self.failure = None
        self.record_as(events.BookingWithdrawn, reason=reason)

    def await_cancellation(self, errand_id: UUID) -> None:
        """It was withdrawn before the carrier had answered, which has by now, or will not, and is told."""
        self.errand_id = errand_id
        self.record_as(events.BookingWithdrawn, reason="The carrier had not answered before.")

    def cancel(self) -> None:
        """The carrier does not take it any more. Raises BookingState."""
        self._go("cancelled")
        self.errand_id, self.failure, self.ended = None, None, True
        self.record_as(events.BookingCancelled)

    def keep(self, reason: str) -> None:
        """The carrier does not let it go, or said nothing: it stands as it stood. Raises BookingState."""
        self._go("kept" if self.tracking_number else "failed")
        self.errand_id, self.failure = None, reason
        self.record_as(events.BookingFailed, reason=reason, step="cancellation")

    def note(self, said: Sequence[events.TrackedStep], order_id: UUID) -> None:
        """Take in what is new of what the carrier says, which may say all of it again, and in any order; the goods are of that order."""
        known = {step.reference for step in self.steps}
        fresh = list({step.reference: step for step in said if step.reference not in known}.values())
        if not fresh:
            return
        self.steps += [TrackingStep(id=uuid7(), **step.model_dump()) for step in fresh]
        last = max(self.steps, key=lambda step: (step.state in ENDS, step.at, _RANK.index(step.state), step.reference))
        self.tracking, self.tracked_at = last.state, last.at
        self.record_as(events.BookingTracked, order_id=order_id, state=last.state, steps=fresh)

    def end(self) -> None:
        """Nobody asks any more."""
        self.ended = True
        self.record_as(events.BookingEnded)

    def _go(self, step: str) -> None:
        self.status = STATES.after(self.status, step, self.shipment_number)


class TrackingStep(Part, Base):
    """What a carrier said of the way, once: `reference` is its own name for having said it."""

    __tablename__ = "tracking_step"
    __root__ = "booking"
    __table_args__ = (refers_to("booking", "booking_id"), unique_value("booking_id", "reference"))

    booking_id: Mapped[UUID]
    reference: Mapped[str]
    state: Mapped[TrackingState]
    at: Mapped[datetime]
    place: Mapped[str | None]
    detail: Mapped[str | None]
    booking: Mapped[Booking] = relationship(back_populates="steps")
