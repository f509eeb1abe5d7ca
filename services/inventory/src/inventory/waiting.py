"""Back-orders: what an order wants and could not have, and who comes first when goods do.

An open back-order has a row for each place that it waits at. Whatever makes something free there sets a timer in the same transaction, and what it
fires gives the goods away. Locks: reservations, stocks, lots, then back-orders.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from contracts.inventory import BACKORDER, BackorderClosed, BackorderFilled, BackorderOpened, WaitingLine
from inventory.models import Backorder, BackorderPlace, Base, inventory_event
from inventory.stock import Place, StockItem
from tailrace.core.events import Event
from tailrace.core.ids import derived_id
from tailrace.db.database import Tx
from tailrace.db.event_streams import Stream
from tailrace.messaging.timers import Timer

filling = Timer("inventory.backorder_filling")
"""Fires for a stock of which something is free that somebody waits for."""

_ROWS, _PLACES = (Base.metadata.tables[kind.__tablename__] for kind in (Backorder, BackorderPlace))
_fresh = insert(_ROWS)
_SHOW = _fresh.on_conflict_do_update(
    index_elements=["tenant_id", "id"],
    set_={name: _fresh.excluded[name] for name in ("status", "lines", "reason", "version")}
    | {"updated_at": func.now()},
)
Turn = tuple[int, date, datetime, bytes]
"""Who comes first: the order's priority, its requested date, when it was confirmed, and for what is equal in all of that its id."""


@dataclass(frozen=True, slots=True)
class Queued:
    """An open back-order, as those who give goods away see it."""

    id: UUID
    turn: Turn
    complete: bool
    lines: Sequence[WaitingLine]


class WaitingState(BaseModel):
    order_id: UUID | None = None
    request_id: UUID | None = None
    status: Literal["new", "open", "filled", "closed"] = "new"
    complete: bool = False
    priority: int = 0
    requested_date: date | None = None
    confirmed_at: datetime | None = None
    hold_seconds: int | None = None
    lines: list[WaitingLine] = []
    reason: str | None = None


class Waiting(Stream[WaitingState]):
    """One back-order. `lines` is what still waits; of one that was closed, what it waited for then."""

    table = inventory_event
    events: ClassVar[Sequence[type[Event]]] = BACKORDER

    @classmethod
    def initial(cls) -> WaitingState:
        return WaitingState()

    def apply(self, event: Any) -> None:
        match event:
            case BackorderOpened():
                self.state = WaitingState(status="open", **event.model_dump(exclude={"backorder_id"}))
            case BackorderFilled():
                self.state.lines = event.lines
                self.state.status = "open" if event.lines else "filled"
            case BackorderClosed():
                self.state.status, self.state.reason = "closed", event.reason

    @property
    def is_open(self) -> bool:
        return self.state.status == "open"

    def fill(self, reservation_id: UUID, given: dict[UUID, Decimal]) -> None:
        """So much of its lines is held by that reservation."""
        left = [
            line.model_copy(update={"quantity": line.quantity - given.get(line.line_id, Decimal(0))})
            for line in self.state.lines
            if line.quantity > given.get(line.line_id, Decimal(0))
        ]
        assert self.state.order_id is not None
        ids = {"backorder_id": self.id, "order_id": self.state.order_id}
        self.record(BackorderFilled(**ids, reservation_id=reservation_id, lines=left))

    def give_up(self, reason: str) -> None:
        assert self.state.order_id is not None
        self.record(BackorderClosed(backorder_id=self.id, order_id=self.state.order_id, reason=reason))


def backorder_id(tenant_id: UUID, request_id: UUID) -> UUID:
    return derived_id(tenant_id, "backorder", request_id)


def turn_of(priority: int, requested_date: date | None, confirmed_at: datetime, id: UUID) -> Turn:
    return priority, requested_date or date.max, confirmed_at, id.bytes


async def queue(tx: Tx, places: Collection[Place]) -> list[Queued]:
    """Who waits at these places, with all of what they wait for; the first one first."""
    here = select(BackorderPlace.backorder_id).where(_at(places))
    rows = select(
        Backorder.id,
        Backorder.priority,
        Backorder.wanted_on,
        Backorder.confirmed_at,
        Backorder.complete,
        Backorder.lines,
    ).where(Backorder.id.in_(here))
    found = [
        Queued(
            row.id,
            (row.priority, row.wanted_on, row.confirmed_at, row.id.bytes),
            row.complete,
            [WaitingLine.model_validate(line) for line in row.lines],
        )
        for row in await tx.execute(rows)
    ]
    return sorted(found, key=lambda one: one.turn)


async def wake(tx: Tx, stocks: Iterable[StockItem]) -> None:
    """Of these stocks something became free: have it given to those who wait for it, if there are any."""
    by_place = {stock.place: stock for stock in stocks if stock.gained}
    if not by_place:
        return
    await wake_places(tx, by_place)


async def wake_places(tx: Tx, places: Collection[Place]) -> None:
    awaited = select(BackorderPlace.item_id, BackorderPlace.warehouse_id).where(_at(places)).distinct()
    found = [Place(row.item_id, row.warehouse_id) for row in await tx.execute(awaited)]
    for id in sorted((place.stock_id(tx.tenant_id) for place in found), key=lambda id: id.bytes):
        await filling.set(tx, id, datetime.now(UTC))


async def show(tx: Tx, backorders: Sequence[Waiting]) -> None:
    """Write the rows of these back-orders, and where they wait."""
    if not backorders:
        return
    await tx.execute(_SHOW, [row_of(tx.tenant_id, one) for one in backorders])
    await tx.execute(delete(_PLACES).where(_PLACES.c.backorder_id.in_([one.id for one in backorders])))
    places = [place for one in backorders for place in places_of(tx.tenant_id, one)]
    if places:
        await tx.execute(insert(_PLACES), places)


def row_of(tenant_id: UUID, one: Waiting) -> dict[str, Any]:
    state = one.state
    same = state.model_dump(exclude={"requested_date", "lines"})
    return {
        **same,
        "tenant_id": tenant_id,
        "id": one.id,
        "wanted_on": state.requested_date or date.max,
        "lines": [line.model_dump(mode="json") for line in state.lines],
        "version": one.version,
    }


def places_of(tenant_id: UUID, one: Waiting) -> list[dict[str, Any]]:
    if not one.is_open:
        return []
    places = {Place(line.item_id, line.warehouse_id) for line in one.state.lines}
    return [
        {"tenant_id": tenant_id, "backorder_id": one.id, "item_id": place.item_id, "warehouse_id": place.warehouse_id}
        for place in sorted(places, key=lambda place: (place.item_id, place.warehouse_id))
    ]


def _at(places: Collection[Place]) -> Any:
    pairs = [(place.item_id, place.warehouse_id) for place in places]
    return tuple_(BackorderPlace.item_id, BackorderPlace.warehouse_id).in_(pairs)
