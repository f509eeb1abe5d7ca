"""How levels, movements and reservations follow from the streams: what `ledger` wrote with each event, derived again from the events alone."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Table

from contracts.inventory import ReservationMade, ReservationRejected, ReservationReleased
from inventory import ledger
from inventory.holding import Holding
from inventory.models import Base, Movement, Reservation, StockLevel
from inventory.stock import Moved, Place, StockItem
from tailrace.verify.replay import Derived, Proof, Step, Values

_LEVELS, _MOVEMENTS, _RESERVATIONS = (
    Base.metadata.tables[kind.__tablename__] for kind in (StockLevel, Movement, Reservation)
)


def _rows(steps: Iterable[Step]) -> Iterable[tuple[Table, Values]]:
    row: dict[str, Any] = {}
    table = _LEVELS
    for step in steps:
        if isinstance(step.stream, StockItem):
            stock, event = step.stream, step.event
            stock.place = Place(event.item_id, event.warehouse_id)  # type: ignore[attr-defined]
            stock.recorded_at = step.stored.recorded_at
            if isinstance(event, Moved):
                yield _MOVEMENTS, ledger.movement_row(step.tenant_id, ledger.movement_of(stock, event))
            row = ledger.level_row(step.tenant_id, stock)
        else:
            table, row = _RESERVATIONS, _after(row, step)
    yield table, row


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
    kinds=(StockItem, Holding),
    rows=_rows,
    tables=(
        Derived(_LEVELS, ("item_id", "warehouse_id"), "id"),
        Derived(_MOVEMENTS, ("stock_id", "seq"), "stock_id", frozenset({"id"})),
        Derived(_RESERVATIONS, ("id",), "id"),
    ),
)
