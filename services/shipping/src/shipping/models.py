"""Shipments: what was reserved for an order goes out in one or more parts, and no quantity is lost or doubled on the way.

pending → picking → picked → packed → dispatched → delivered; dispatching may skip what comes before it, cancelling is possible until then.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from contracts import shipments as events
from contracts.orders import ShipmentRequested
from shipping.base import Base
from shipping.booking.models import Booking
from shipping.carriers import Carrier
from shipping.lines import ZERO, ShipmentLine
from shipping.packages import Package
from shipping.refusals import Held, NothingLeft, NotMergeable, TooMuch, WrongState
from tailrace.core.errors import Invalid, Unknown
from tailrace.core.ids import uuid7
from tailrace.core.transitions import Transitions
from tailrace.core.values.units import check_decimals
from tailrace.db.keys import tenant_index
from tailrace.db.models import Aggregate

Status = Literal["pending", "picking", "picked", "packed", "dispatched", "delivered", "cancelled"]
_LEAVING: dict[str, Status] = {"dispatched": "dispatched", "cancelled": "cancelled"}
STATES = Transitions[Status](
    "Shipment",
    {
        # How far picking and packing have got, the lines say.
        "pending": {"described": "pending", "picked": "picking", "split": "pending", "merged": "pending", **_LEAVING},
        "picking": {
            "described": "picking",
            "picked": "picked",
            "packed": "packed",
            "unpacked": "picking",
            "split": "picking",
            "merged": "picking",
            **_LEAVING,
        },
        "picked": {"described": "picked", "packed": "packed", "unpacked": "picked", "merged": "picked", **_LEAVING},
        "packed": {"described": "packed", "unpacked": "picked", **_LEAVING},
        "dispatched": {"delivered": "delivered"},
        "delivered": {},
        "cancelled": {},
    },
    WrongState,
)
OPEN = STATES.allowing("cancelled")
GONE = ("dispatched", "delivered")

Wanted = Sequence[tuple[UUID, Decimal]]
"""Quantities of lines as a client names them: order line, quantity."""


class Shipment(Aggregate, Base):
    """One departure of goods for an order. `held` follows the order and stands beside the state."""

    __tablename__ = "shipment"
    __table_args__ = (
        tenant_index("order_id"),
        tenant_index("status", "id"),
        tenant_index("number", "id"),
        tenant_index("created_at", "id"),
        tenant_index("tracking_number"),
        tenant_index("carrier_id", where="status = 'dispatched'"),
    )

    number: Mapped[str]
    order_id: Mapped[UUID]
    order_number: Mapped[str]
    reservation_id: Mapped[UUID]
    split_from: Mapped[UUID | None]
    status: Mapped[Status]
    held: Mapped[bool]
    reason: Mapped[str | None]
    """Why it is held, or was cancelled."""
    currency: Mapped[str]
    customer_reference: Mapped[str]
    customer_name: Mapped[str]
    customer_id: Mapped[UUID | None]
    ship_to: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    carrier_id: Mapped[UUID | None]
    tracking_number: Mapped[str | None]
    tracking_link: Mapped[str | None]
    dispatched_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    signed_by: Mapped[str | None]
    note: Mapped[str | None]
    custom_fields: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    """Values of the fields that the company adds, by their keys."""
    lines: Mapped[list["ShipmentLine"]] = relationship(
        back_populates="shipment", cascade="all, delete-orphan", lazy="selectin", order_by="ShipmentLine.id"
    )
    packages: Mapped[list[Package]] = relationship(
        back_populates="shipment", cascade="all, delete-orphan", lazy="selectin", order_by="Package.id"
    )
    bookings: Mapped[list[Booking]] = relationship(viewonly=True, lazy="selectin", order_by="Booking.id")
    """For reading: each changes by itself, and the shipment does not."""

    @classmethod
    def request(cls, asked: ShipmentRequested, number: str) -> "Shipment":
        """A shipment of what the order asks for."""
        shipment = cls(
            id=asked.shipment_id,
            number=number,
            order_id=asked.order_id,
            order_number=asked.number,
            reservation_id=asked.reservation_id,
            status="pending",
            held=False,
            currency=asked.currency,
            customer_reference=asked.customer_reference,
            customer_name=asked.customer_name,
            customer_id=asked.customer_id,
            ship_to=asked.ship_to.model_dump(mode="json") if asked.ship_to else None,
            custom_fields={},
            lines=[ShipmentLine.requested(line) for line in asked.lines],
            packages=[],
            bookings=[],
        )
        shipment._record_created()
        return shipment

    @property
    def is_open(self) -> bool:
        """Whether it can still be cancelled."""
        return self.status in OPEN

    @property
    def booking(self) -> Booking | None:
        """The last one; None where no carrier was asked."""
        return self.bookings[-1] if self.bookings else None

    @property
    def is_packed(self) -> bool:
        """Whether all of it is in parcels."""
        packed = self._packed()
        return all(packed.get(line.line_id, ZERO) == line.quantity for line in self.lines)

    def as_departure(self) -> events.ReservedDeparture:
        """What it took, for one that has left."""
        lines = [line.as_left() for line in self.lines]
        return events.ReservedDeparture(shipment_id=self.id, reservation_id=self.reservation_id, lines=lines)

    def hold(self, reason: str) -> None:
        if self.is_open and not self.held:
            self.held, self.reason = True, reason
            self.record(events.ShipmentHeld(**self._ids(), reason=reason))

    def resume(self) -> None:
        if self.is_open and self.held:
            self.held, self.reason = False, None
            self.record(events.ShipmentResumed(**self._ids()))

    def cancel(self, reason: str) -> bool:
        """Returns whether it was cancelled; what has left stays."""
        if not self.is_open:
            return False
        self.status, self.held, self.reason = self._after("cancelled"), False, reason
        lines = [line.as_event() for line in self.lines]
        self.record(events.ShipmentCancelled(**self._ids(), reason=reason, lines=lines))
        return True

    def describe(self, custom_fields: dict[str, bool | str]) -> None:
        """Put these values in place of those that there are. Raises WrongState for what has left, or was cancelled."""
        self._after("described")
        self.custom_fields = custom_fields
        self.record(events.ShipmentFieldsChanged(**self._ids(), custom_fields=custom_fields))

    def pick(self, wanted: Wanted | None) -> None:
        """Take goods from the shelf: all that is left, or what is named. Raises WrongState, TooMuch, Invalid."""
        self._after("picked")
        if wanted is None:
            wanted = [(line.line_id, line.unpicked) for line in self.lines if line.unpicked]
        for line, quantity in self._take(wanted, lambda line: line.unpicked):
            line.picked += quantity
        self._settle_status()
        picked = [events.PickedLine(line_id=line_id, quantity=quantity) for line_id, quantity in wanted]
        self.record(events.ShipmentPicked(**self._ids(), lines=picked))

    def pack(self, wanted: Wanted, described: Mapping[str, Any], marks: Mapping[UUID, Mapping[str, Any]]) -> None:
        """Put picked goods into one more package. `described` is its weight, its size and its number, `marks` what the goods of a line say.

        Raises WrongState, TooMuch, Invalid.
        """
        self._after("packed")
        packed = self._packed()
        taken = self._take(wanted, lambda line: line.picked - packed.get(line.line_id, ZERO))
        contents = [
            {"line_id": str(line.line_id), "quantity": str(quantity), **marks.get(line.line_id, {})}
            for line, quantity in taken
        ]
        self.packages.append(Package(id=uuid7(), lines=contents, **described))
        self._settle_status()
        self.record(events.ShipmentPacked(**self._ids(), packages=[package.as_event() for package in self.packages]))

    def unpack(self, package_id: UUID) -> None:
        """Take a package apart; its goods are picked and wait for another one. Raises WrongState, Unknown."""
        self._after("unpacked")
        package = next((each for each in self.packages if each.id == package_id), None)
        if package is None:
            raise Unknown("Package", package_id)
        self.packages.remove(package)
        self._settle_status()
        left = [each.as_event() for each in self.packages]
        self.record(events.ShipmentUnpacked(**self._ids(), package_id=package_id, packages=left))

    def split(self, wanted: Wanted, number: str) -> "Shipment":
        """Move what has not been picked into a shipment of its own. Raises WrongState, TooMuch, NothingLeft, Invalid."""
        self._after("split")
        taken = self._take(wanted, lambda line: line.unpicked)
        if all(dict(wanted).get(line.line_id) == line.quantity for line in self.lines):
            raise NothingLeft(f"Shipment {self.number} would be empty; dispatch it whole.")
        other = self._offshoot(number, [line.part(quantity) for line, quantity in taken])
        for line, quantity in taken:
            line.give(quantity)
        self.lines = [line for line in self.lines if line.quantity]
        self._settle_status()
        self.record(events.ShipmentLinesChanged(**self._ids(), lines=[line.as_event() for line in self.lines]))
        return other

    def merge(self, other: "Shipment") -> None:
        """Take in all of another shipment of the same reservation, as far as it is picked, and what its fields say and this one's do not.

        Raises WrongState, NotMergeable, Held.
        """
        self._after("merged")
        if (self.order_id, self.reservation_id) != (other.order_id, other.reservation_id) or self.id == other.id:
            raise NotMergeable(f"Shipment {other.number} is not another one of the same reservation.")
        if self.held or other.held:
            raise Held(f"Shipment {self.number} waits for its order: {self.reason or other.reason}")
        own = {line.line_id: line for line in self.lines}
        for line in other.give_up(self.number):
            if line.line_id not in own:
                own[line.line_id] = line.part(ZERO)
                self.lines.append(own[line.line_id])
            own[line.line_id].take_in(line)
        self._settle_status()
        self.record(events.ShipmentLinesChanged(**self._ids(), lines=[line.as_event() for line in self.lines]))
        if other.custom_fields.keys() - self.custom_fields.keys():
            self.describe({**other.custom_fields, **self.custom_fields})

    def give_up(self, to: str) -> Sequence["ShipmentLine"]:
        """End, with nothing left that would leave; what it held goes to another one. Raises WrongState, NotMergeable."""
        self._after("merged")
        if self.packages:
            raise NotMergeable(f"Shipment {self.number} has parcels: unpack them first.")
        given, self.lines = list(self.lines), []
        self.status, self.reason = self._after("cancelled"), f"Merged into {to}."
        self.record(events.ShipmentCancelled(**self._ids(), reason=self.reason, lines=[]))
        return given

    def dispatch(
        self, before: Mapping[UUID, Decimal], at: datetime, carrier: Carrier | None, tracking_number: str | None
    ) -> None:
        """Everything in it leaves. `before` is what had left of each order line already. Raises WrongState, Held."""
        after = self._after("dispatched")
        if self.held:
            raise Held(f"Shipment {self.number} waits for its order: {self.reason}")
        self.status, self.dispatched_at = after, at
        self.carrier_id, self.tracking_number = (carrier.id if carrier else None), tracking_number
        self.tracking_link = carrier.link(tracking_number) if carrier and tracking_number else None
        for line in self.lines:
            line.picked = line.quantity
        left = [
            events.DispatchedLine(**line.as_event().model_dump(), dispatched_before=before[line.line_id])
            for line in self.lines
        ]
        self.record(
            events.ShipmentDispatched(
                **self._ids(),
                reservation_id=self.reservation_id,
                number=self.number,
                currency=self.currency,
                lines=left,
                carrier_id=self.carrier_id,
                tracking_number=tracking_number,
                dispatched_at=at,
                customer_id=self.customer_id,
                custom_fields=self.custom_fields,
            )
        )

    def deliver(self, at: datetime, signed_by: str | None, note: str | None) -> None:
        """Proof of delivery: when, to whom. Raises WrongState, and Invalid for a time before the dispatch."""
        after = self._after("delivered")
        if self.dispatched_at is not None and at < self.dispatched_at:
            raise Invalid.field("/delivered_at", f"It left at {self.dispatched_at.isoformat()}.")
        self.status, self.delivered_at, self.signed_by, self.note = after, at, signed_by, note
        self.record(events.ShipmentDelivered(**self._ids(), delivered_at=at, signed_by=signed_by, note=note))

    def _offshoot(self, number: str, lines: list["ShipmentLine"]) -> "Shipment":
        other = Shipment(
            id=uuid7(),
            number=number,
            split_from=self.id,
            status="pending",
            held=False,
            custom_fields={},
            lines=lines,
            packages=[],
            bookings=[],
            **{name: getattr(self, name) for name in _SHARED},
        )
        other._record_created()
        if self.held:
            other.hold(self.reason or "")
        return other

    def _record_created(self) -> None:
        self.record(
            events.ShipmentCreated(
                **self._ids(),
                number=self.number,
                reservation_id=self.reservation_id,
                currency=self.currency,
                customer_name=self.customer_name,
                ship_to=self.ship_to,
                lines=[line.as_event() for line in self.lines],
                split_from=self.split_from,
            )
        )

    def _after(self, step: str) -> Status:
        return STATES.after(self.status, step, self.number)

    def _take(
        self, wanted: Wanted, available: Callable[["ShipmentLine"], Decimal]
    ) -> list[tuple["ShipmentLine", Decimal]]:
        """The lines that are named, each once, with no more than there is of it and no finer than its unit."""
        lines = {line.line_id: line for line in self.lines}
        taken: dict[UUID, tuple[ShipmentLine, Decimal]] = {}
        for number, (line_id, quantity) in enumerate(wanted):
            line = lines.get(line_id)
            if line is None or line_id in taken:
                detail = "This line is named twice." if line else f"Shipment {self.number} has no line {line_id}."
                raise Invalid.field(f"/lines/{number}/line_id", detail)
            check_decimals(quantity, line.unit or line.sku, line.decimals, f"/lines/{number}/quantity")
            if quantity > available(line):
                detail = f"There is {available(line).normalize():f} of {line.sku}, not {quantity}."
                raise TooMuch(detail, field=f"/lines/{number}/quantity")
            taken[line_id] = (line, quantity)
        return list(taken.values())

    def _settle_status(self) -> None:
        """pending, picking, picked or packed, by how far its lines are."""
        if self.is_packed:
            self.status = "packed"
        elif all(not line.unpicked for line in self.lines):
            self.status = "picked"
        else:
            self.status = "picking" if any(line.picked for line in self.lines) else "pending"

    def _packed(self) -> dict[UUID, Decimal]:
        packed: dict[UUID, Decimal] = {}
        for package in self.packages:
            for content in package.as_event().lines:
                packed[content.line_id] = packed.get(content.line_id, ZERO) + content.quantity
        return packed

    def _ids(self) -> dict[str, Any]:
        return {"shipment_id": self.id, "order_id": self.order_id}


_ORDERED = ("order_id", "order_number", "reservation_id", "currency")
_SHARED = (*_ORDERED, "customer_reference", "customer_name", "customer_id", "ship_to")
