"""Reservations: stock held for somebody, line by line, until it is issued, given back or the time is over.

All lines are held or none, unless a part was said to do. Each reservation is answered once: a second request under the same id changes nothing.
A reservation is locked before any stock, and stock always in the same order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.inventory import (
    RESERVATION,
    DrawnLine,
    KeptLine,
    ReservationConsumed,
    ReservationDrawn,
    ReservationExpired,
    ReservationMade,
    ReservationRejected,
    ReservationReleased,
    ReservedLine,
)
from inventory.models import inventory_event
from inventory.stock import NOTHING, Place, StockItem
from tailrace.core.events import Event
from tailrace.db.event_streams import Stream

Status = Literal["new", "made", "rejected", "released", "expired", "consumed"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A line of a request: so much, in base units."""

    line_id: UUID
    place: Place
    quantity: Decimal


class HeldLine(BaseModel):
    """What is still held of a line."""

    model_config = ConfigDict(frozen=True)

    line_id: UUID
    item_id: UUID
    warehouse_id: UUID
    quantity: Decimal

    @property
    def place(self) -> Place:
        return Place(self.item_id, self.warehouse_id)


class ReservationState(BaseModel):
    """Of a reservation that has ended, what is still `held` belongs to goods that have left, or may have, and are not issued yet."""

    status: Status = "new"
    order_id: UUID | None = None
    expires_at: datetime | None = None
    held: list[HeldLine] = []
    freed: bool = False
    """Whether something of it was given back."""

    def held_for(self, line_id: UUID, place: Place) -> Decimal:
        lines = (line.quantity for line in self.held if line.line_id == line_id and line.place == place)
        return sum(lines, NOTHING)

    def part(self, quantities: Mapping[UUID, Decimal]) -> list[HeldLine]:
        """Of what is held, so much of each line; all of a line where that is less."""
        wanted = ((line, min(line.quantity, quantities.get(line.line_id, NOTHING))) for line in self.held)
        return [line.model_copy(update={"quantity": quantity}) for line, quantity in wanted if quantity]


class Holding(Stream[ReservationState]):
    """One reservation."""

    table = inventory_event
    events: ClassVar[Sequence[type[Event]]] = RESERVATION

    @classmethod
    def initial(cls) -> ReservationState:
        return ReservationState()

    def apply(self, event: Any) -> None:
        state = self.state
        if state.status == "new":
            state.order_id = event.order_id
        match event:
            case ReservationMade():
                state.status, state.expires_at = "made", event.expires_at
                state.held = [_held(line) for line in event.lines if line.reserved]
            case ReservationDrawn():
                state.held = _after_drawing(state.held, event.lines)
            case ReservationRejected():
                self._end("rejected")
            case ReservationReleased():
                self._end("released", event.kept)
            case ReservationExpired():
                self._end("expired", event.kept)
            case ReservationConsumed():
                self._end("consumed")

    def _end(self, status: Status, kept: Sequence[KeptLine] = ()) -> None:
        """How it ended first is how it ended: a release that is asked for afterwards is answered, and changes no more than what is held.

        But when all of it has left, and nothing was ever given back, it was consumed, whatever was said while the goods were leaving.
        """
        state, left = self.state, self.state.part({line.line_id: line.quantity for line in kept})
        if state.status in {"new", "made"} or (status == "consumed" and not state.freed):
            state.status = status
        state.freed = state.freed or (status != "consumed" and left != state.held)
        state.held = left

    @property
    def is_open(self) -> bool:
        return self.state.status == "made"

    def make(self, order_id: UUID | None, lines: list[ReservedLine], expires_at: datetime | None) -> None:
        complete = all(line.reserved == line.requested for line in lines)
        self.record(
            ReservationMade(
                reservation_id=self.id, order_id=order_id, lines=lines, complete=complete, expires_at=expires_at
            )
        )

    def reject(self, order_id: UUID | None, lines: list[ReservedLine], reason: str) -> None:
        self.record(ReservationRejected(reservation_id=self.id, order_id=order_id, lines=lines, reason=reason))

    def release(self, order_id: UUID | None, reason: str, kept: Sequence[HeldLine] = ()) -> None:
        self.record(ReservationReleased(reservation_id=self.id, order_id=order_id, reason=reason, kept=_as_kept(kept)))

    def expire(self, kept: Sequence[HeldLine] = ()) -> None:
        self.record(ReservationExpired(reservation_id=self.id, order_id=self.state.order_id, kept=_as_kept(kept)))

    def draw(self, lines: list[DrawnLine]) -> None:
        """So much of it has been issued; with the last of it, the reservation ends."""
        if _after_drawing(self.state.held, lines):
            self.record(ReservationDrawn(reservation_id=self.id, order_id=self.state.order_id, lines=lines))
        else:
            self.record(ReservationConsumed(reservation_id=self.id, order_id=self.state.order_id))


def allot(stocks: Mapping[Place, StockItem], wanted: Sequence[Wanted]) -> list[ReservedLine]:
    """What each line can have of what is free, first come, first served; nothing is changed."""
    free = {place: stock.state.free for place, stock in stocks.items()}
    lines: list[ReservedLine] = []
    for one in wanted:
        part = min(one.quantity, free[one.place])
        free[one.place] -= part
        lines.append(
            ReservedLine(
                line_id=one.line_id,
                item_id=one.place.item_id,
                warehouse_id=one.place.warehouse_id,
                requested=one.quantity,
                reserved=part,
            )
        )
    return lines


def suffices(lines: Sequence[ReservedLine], *, partial_allowed: bool) -> bool:
    """Whether there is something to hold, and all that was wanted unless a part will do."""
    if not any(line.reserved for line in lines):
        return False
    return partial_allowed or all(line.reserved == line.requested for line in lines)


def _held(line: ReservedLine) -> HeldLine:
    return HeldLine(line_id=line.line_id, item_id=line.item_id, warehouse_id=line.warehouse_id, quantity=line.reserved)


def _as_kept(lines: Sequence[HeldLine]) -> list[KeptLine]:
    return [KeptLine(line_id=line.line_id, quantity=line.quantity) for line in lines]


def _after_drawing(held: Sequence[HeldLine], drawn: Sequence[DrawnLine]) -> list[HeldLine]:
    """What is still held, line by line; lines of which nothing is left are dropped."""
    due: dict[UUID, Decimal] = {}
    for one in drawn:
        due[one.line_id] = due.get(one.line_id, NOTHING) + one.quantity
    left: list[HeldLine] = []
    for line in held:
        part = min(line.quantity, due.get(line.line_id, NOTHING))
        if part:
            due[line.line_id] -= part
        if part < line.quantity:
            left.append(line.model_copy(update={"quantity": line.quantity - part}))
    return left
