"""What lists read, written with the events it follows from: levels, movements, reservations. Each row can be derived again from the streams."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert

from contracts.inventory import ReservedLine, StockAdjusted, StockIssued, StockReceived, StockTransferred
from inventory.holding import Holding
from inventory.models import Movement, Reservation, StockLevel
from inventory.refusals import plain
from inventory.stock import Moved, StockItem
from tailrace.database import Tx


def note(tx: Tx, stock: StockItem, event: Moved) -> Movement:
    """Enter what `stock` has just recorded into the ledger."""
    sign = -1 if isinstance(event, StockIssued | StockTransferred) else 1
    movement = Movement(
        stock_id=stock.id,
        seq=stock.version,
        item_id=event.item_id,
        warehouse_id=event.warehouse_id,
        quantity=sign * event.quantity,
        value=sign * event.value,
        currency=event.currency,
        on_hand=stock.state.on_hand,
        stock_value=stock.state.value,
        reference=event.reference,
        effective_at=event.effective_at,
        **_story(event),
    )
    tx.add(movement)
    return movement


def _story(event: Moved) -> dict[str, Any]:
    """Kind, reason, and what it was done for."""
    match event:
        case StockReceived():
            return {"kind": "received", "reason": event.reason, "other_warehouse_id": event.from_warehouse_id}
        case StockAdjusted():
            return {"kind": "adjusted", "reason": event.reason}
        case StockTransferred():
            return {"kind": "transferred", "reason": "transfer", "other_warehouse_id": event.to_warehouse_id}
        case StockIssued():
            because = {name: getattr(event, name) for name in ("order_id", "shipment_id", "reservation_id")}
            return {"kind": "issued", "reason": event.reason, **because}


async def show_stock(tx: Tx, stocks: Iterable[StockItem]) -> None:
    """Bring the levels of these up to date, in one statement."""
    rows = [
        {
            "tenant_id": tx.tenant_id,
            "id": stock.id,
            "item_id": stock.place.item_id,
            "warehouse_id": stock.place.warehouse_id,
            "on_hand": stock.state.on_hand,
            "reserved": stock.state.reserved,
            "value": stock.state.value,
            "currency": stock.state.currency,
            "version": stock.version,
        }
        for stock in stocks
        if stock.version
    ]
    if not rows:
        return
    fresh = insert(StockLevel).values(rows)
    changed = {name: fresh.excluded[name] for name in ("on_hand", "reserved", "value", "currency", "version")}
    await tx.execute(
        fresh.on_conflict_do_update(index_elements=["tenant_id", "id"], set_={**changed, "updated_at": func.now()})
    )


async def show_reservation(tx: Tx, holding: Holding, **more: Any) -> None:
    """Bring the row of a reservation up to date. `more`: requested, complete and reason, where they change."""
    row = {
        "tenant_id": tx.tenant_id,
        "id": holding.id,
        "order_id": holding.state.order_id,
        "status": holding.state.status,
        "held": _by_line(holding),
        "expires_at": holding.state.expires_at,
        "version": holding.version,
        **more,
    }
    fresh = insert(Reservation).values(row)
    changed = {name: value for name, value in row.items() if name not in {"tenant_id", "id"}}
    await tx.execute(
        fresh.on_conflict_do_update(index_elements=["tenant_id", "id"], set_={**changed, "updated_at": func.now()})
    )


def requested(lines: Iterable[ReservedLine]) -> list[dict[str, Any]]:
    """The lines as the reservation's row keeps them."""
    return [line.model_dump(mode="json") for line in lines]


def _by_line(holding: Holding) -> dict[str, str]:
    return {str(line.line_id): plain(holding.state.held_for(line.line_id, line.place)) for line in holding.state.held}
