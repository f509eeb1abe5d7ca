"""How levels, movements, reservations, lots and back-orders follow from the streams: each row, derived again from the events alone."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Table

from contracts.inventory import ReservationMade, ReservationRejected, ReservationReleased
from inventory import ledger, lots, waiting
from inventory.holding import Holding
from inventory.lots import LotRecord
from inventory.models import (
    Backorder,
    BackorderPlace,
    Base,
    Lot,
    LotMovement,
    LotStock,
    Movement,
    Reservation,
    StockLevel,
)
from inventory.stock import Moved, Place, StockItem
from inventory.waiting import Waiting
from tailrace.verify.replay import Derived, Proof, Step, Values

_LEVELS, _MOVEMENTS, _RESERVATIONS, _LOTS, _LOT_STOCKS, _LOT_MOVEMENTS, _BACKORDERS, _PLACES = (
    Base.metadata.tables[kind.__tablename__]
    for kind in (StockLevel, Movement, Reservation, Lot, LotStock, LotMovement, Backorder, BackorderPlace)
)


def _rows(steps: Iterable[Step]) -> Iterable[tuple[Table, Values]]:
    row: dict[str, Any] = {}
    last: Step | None = None
    for step in steps:
        last = step
        if isinstance(step.stream, StockItem):
            stock, event = step.stream, step.event
            stock.place = Place(event.item_id, event.warehouse_id)  # type: ignore[attr-defined]
            stock.recorded_at = step.stored.recorded_at
            if isinstance(event, Moved):
                stock.moved_lots = []
                yield _MOVEMENTS, ledger.movement_row(step.tenant_id, ledger.movement_of(stock, event))
                for moved in stock.moved_lots:
                    yield _LOT_MOVEMENTS, {"tenant_id": step.tenant_id, **moved}
        elif isinstance(step.stream, Holding):
            row = _after(row, step)
    if last is not None:
        yield from _last_rows(last, row)


def _last_rows(step: Step, reservation: dict[str, Any]) -> Iterable[tuple[Table, Values]]:
    """The rows that show a stream as it is after its last event."""
    tenant_id, stream = step.tenant_id, step.stream
    match stream:
        case StockItem():
            yield _LEVELS, ledger.level_row(tenant_id, stream)
            for lot in ledger.lot_stock_rows(tenant_id, stream):
                yield _LOT_STOCKS, lot
        case LotRecord():
            yield _LOTS, lots.row_of(tenant_id, stream)
        case Waiting():
            yield _BACKORDERS, waiting.row_of(tenant_id, stream)
            for place in waiting.places_of(tenant_id, stream):
                yield _PLACES, place
        case _:
            yield _RESERVATIONS, reservation


def _after(row: Values, step: Step) -> dict[str, Any]:
    """The row of a reservation after one more event."""
    holding, event = step.stream, step.event
    assert isinstance(holding, Holding)
    reason = row.get("reason")
    asked = {name: row[name] for name in ("complete", "requested")} if row else ledger.requested([])
    match event:
        case ReservationMade():
            asked = ledger.requested(event.lines)
        case ReservationRejected():
            asked, reason = ledger.requested(event.lines), event.reason
        case ReservationReleased() if holding.state.status == "released":
            reason = event.reason
    return ledger.reservation_row(step.tenant_id, holding, reason) | asked


proof = Proof(
    kinds=(StockItem, Holding, LotRecord, Waiting),
    rows=_rows,
    tables=(
        Derived(_LEVELS, ("item_id", "warehouse_id"), "id"),
        Derived(_MOVEMENTS, ("stock_id", "seq"), "stock_id", frozenset({"id"})),
        Derived(_RESERVATIONS, ("id",), "id"),
        Derived(_LOTS, ("id",), "id"),
        Derived(_LOT_STOCKS, ("stock_id", "lot_id"), "stock_id"),
        Derived(_LOT_MOVEMENTS, ("stock_id", "seq", "lot_id"), "stock_id", frozenset({"id"})),
        Derived(_BACKORDERS, ("id",), "id"),
        Derived(_PLACES, ("backorder_id", "item_id", "warehouse_id"), "backorder_id"),
    ),
)
