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
from contracts.lots import LotQuantity
from inventory.by_lot import NOTHING, first_of, without
from inventory.models import inventory_event
from inventory.stock import Place
from tailrace.core.events import Event
from tailrace.db.event_streams import Stream

Status = Literal["new", "made", "rejected", "released", "expired", "consumed"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A line of a request: so much, in base units, of a certain lot or of any, good for so many days more."""

    line_id: UUID
    place: Place
    quantity: Decimal
    lot: str | None = None
    remaining_days: int | None = None


class HeldLine(BaseModel):
    """What is still held of a line."""

    model_config = ConfigDict(frozen=True)

    line_id: UUID
    item_id: UUID
    warehouse_id: UUID
    quantity: Decimal
    lots: list[LotQuantity] = []

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

    def lots_for(self, line_id: UUID, place: Place) -> list[LotQuantity]:
        """Of which lots that is."""
        return [lot for line in self.held if line.line_id == line_id and line.place == place for lot in line.lots]

    def part(self, quantities: Mapping[UUID, KeptLine]) -> list[HeldLine]:
        """Of what is held, so much of each line; all of a line where that is less."""
        left: list[HeldLine] = []
        for line in self.held:
            kept = quantities.get(line.line_id)
            if kept is not None and (quantity := min(line.quantity, kept.quantity)):
                lots = first_of(kept.lots or line.lots, quantity) if line.lots else []
                left.append(line.model_copy(update={"quantity": quantity, "lots": lots}))
        return left


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
        state, left = self.state, self.state.part({line.line_id: line for line in kept})
        if state.status in {"new", "made"} or (status == "consumed" and not state.freed):
            state.status = status
        state.freed = state.freed or (status != "consumed" and left != state.held)
        state.held = left

    @property
    def is_open(self) -> bool:
        return self.state.status == "made"

    def make(
        self,
        order_id: UUID | None,
        lines: list[ReservedLine],
        expires_at: datetime | None,
        *,
        fills: UUID | None = None,
        waiting: bool = False,
    ) -> None:
        complete = all(line.reserved == line.requested for line in lines)
        self.record(
            ReservationMade(
                reservation_id=self.id,
                order_id=order_id,
                lines=lines,
                complete=complete,
                expires_at=expires_at,
                fills=fills,
                waiting=waiting,
            )
        )

    def reject(self, order_id: UUID | None, lines: list[ReservedLine], reason: str, *, waiting: bool = False) -> None:
        said = {"order_id": order_id, "lines": lines, "reason": reason, "waiting": waiting}
        self.record(ReservationRejected(reservation_id=self.id, **said))

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


def suffices(lines: Sequence[ReservedLine], *, partial_allowed: bool) -> bool:
    """Whether there is something to hold, and all that was wanted unless a part will do."""
    if not any(line.reserved for line in lines):
        return False
    return partial_allowed or all(line.reserved == line.requested for line in lines)


def _held(line: ReservedLine) -> HeldLine:
    same = line.model_dump(include={"line_id", "item_id", "warehouse_id"})
    return HeldLine(**same, quantity=line.reserved, lots=line.lots)


def _as_kept(lines: Sequence[HeldLine]) -> list[KeptLine]:
    return [KeptLine(line_id=line.line_id, quantity=line.quantity, lots=line.lots) for line in lines]


def _after_drawing(held: Sequence[HeldLine], drawn: Sequence[DrawnLine]) -> list[HeldLine]:
    """What is still held, line by line; lines of which nothing is left are dropped."""
    due: dict[UUID, Decimal] = {}
    gone: dict[UUID, list[LotQuantity]] = {}
    for one in drawn:
        due[one.line_id] = due.get(one.line_id, NOTHING) + one.quantity
        gone.setdefault(one.line_id, []).extend(one.lots)
    left: list[HeldLine] = []
    for line in held:
        part = min(line.quantity, due.get(line.line_id, NOTHING))
        if part:
            due[line.line_id] -= part
        if part < line.quantity:
            lots = without(line.lots, gone.get(line.line_id, ()))
            left.append(line.model_copy(update={"quantity": line.quantity - part, "lots": lots}))
    return left
