"""What lists read, written with the events it follows from: levels, movements, reservations. Each row can be derived again from the streams.

The statements are made once: they run with every event, and building one costs more than running it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, func, update
from sqlalchemy.dialects.postgresql import insert

from contracts.inventory import (
    ReservedLine,
    StockAdjusted,
    StockCostSettled,
    StockIssued,
    StockReceived,
    StockTransferred,
)
from contracts.lots import LotQuantity
from inventory import waiting
from inventory.by_lot import NOTHING
from inventory.holding import Holding
from inventory.models import Base, LotMovement, LotStock, Movement, Reservation, StockLevel
from inventory.refusals import plain
from inventory.stock import Moved, StockItem
from tailrace.core.ids import uuid7
from tailrace.db.database import Tx

_LEVELS, _MOVEMENTS, _RESERVATIONS, _LOT_STOCKS, _LOT_MOVEMENTS = (
    Base.metadata.tables[kind.__tablename__] for kind in (StockLevel, Movement, Reservation, LotStock, LotMovement)
)

_BECAUSE = ("order_id", "shipment_id", "customer_id", "reservation_id", "receipt_id", "credited")
_CAME = ("order_id", "shipment_id", "delivery_line_id", "delivered")

_SAME = [name for name in _LOT_MOVEMENTS.c.keys() if name not in {"tenant_id", "id", "lot_id", "quantity"}]  # noqa: SIM118

_fresh = insert(_LEVELS)
_SHOW_LEVEL = _fresh.on_conflict_do_update(
    index_elements=["tenant_id", "id"],
    set_={
        name: _fresh.excluded[name] for name in ("on_hand", "reserved", "provisional", "value", "currency", "version")
    }
    | {"updated_at": func.now()},
)
_ENTER_MOVEMENT = insert(_MOVEMENTS)
_ENTER_LOT_MOVEMENT = insert(_LOT_MOVEMENTS)
_fresh_lot = insert(_LOT_STOCKS)
_SHOW_LOT = _fresh_lot.on_conflict_do_update(
    index_elements=["tenant_id", "stock_id", "lot_id"],
    set_={name: _fresh_lot.excluded[name] for name in ("quantity", "reserved")},
)
_ENTER_RESERVATION = insert(_RESERVATIONS)
_CHANGE_RESERVATION = (
    update(_RESERVATIONS)
    .where(_RESERVATIONS.c.tenant_id == bindparam("of_tenant"), _RESERVATIONS.c.id == bindparam("of_id"))
    .values(
        {name: bindparam(f"new_{name}") for name in ("status", "held", "version")}
        | {"reason": func.coalesce(bindparam("new_reason"), _RESERVATIONS.c.reason), "updated_at": func.now()}
    )
)


def movement_of(stock: StockItem, event: Moved) -> Movement:
    """The ledger's line for what `stock` has just recorded."""
    quantity, value = moved(event)
    movement = Movement(
        id=uuid7(),
        stock_id=stock.id,
        seq=stock.version,
        item_id=event.item_id,
        warehouse_id=event.warehouse_id,
        quantity=quantity,
        value=value,
        currency=event.currency,
        on_hand=stock.state.on_hand,
        stock_value=stock.state.value,
        reference=event.reference,
        effective_at=event.effective_at,
        recorded_at=stock.recorded_at,
        **_story(event),
    )
    stock.moved_lots += [_lot_row(movement, part) for part in event_lots(event)]
    return movement


def event_lots(event: Moved) -> Sequence[LotQuantity]:
    """Of which lots it moved something; what a cost settled later moves is nothing."""
    return () if isinstance(event, StockCostSettled) else event.lots


def _lot_row(movement: Movement, part: LotQuantity) -> dict[str, Any]:
    """All of the row but its tenant."""
    same = {name: getattr(movement, name) for name in _SAME}
    quantity = part.quantity if movement.quantity > 0 else -part.quantity
    return {**same, "id": uuid7(), "lot_id": part.lot_id, "quantity": quantity}


def moved(event: Moved) -> tuple[Decimal, int]:
    """What it changed of what is on hand, and of what that is worth."""
    match event:
        case StockCostSettled():
            return NOTHING, event.provisional - event.value
        case StockIssued() | StockTransferred():
            return -event.quantity, -event.value
        case _:
            return event.quantity, event.value


def settle(stock: StockItem, at: datetime) -> list[Movement]:
    """Cover what left without being there, as far as there is something free by now; the ledger's lines for it."""
    lines: list[Movement] = []
    while (event := stock.settle(at)) is not None:
        lines.append(movement_of(stock, event))
    return lines


def _story(event: Moved) -> dict[str, Any]:
    """Kind, reason, and what it was done for."""
    match event:
        case StockReceived():
            because = {name: getattr(event, name) for name in _CAME}
            return {
                "kind": "received",
                "reason": event.reason,
                "other_warehouse_id": event.from_warehouse_id,
                **because,
            }
        case StockAdjusted():
            return {"kind": "adjusted", "reason": event.reason}
        case StockTransferred():
            return {"kind": "transferred", "reason": "transfer", "other_warehouse_id": event.to_warehouse_id}
        case StockIssued() | StockCostSettled():
            kind = "issued" if isinstance(event, StockIssued) else "settled"
            because = {name: getattr(event, name, None) for name in _BECAUSE}
            return {"kind": kind, "reason": event.reason, **because}


async def write(tx: Tx, stocks: Iterable[StockItem], movements: Sequence[Movement] = ()) -> None:
    """Bring the levels of these stocks up to date, and enter what moved. Who waits for what has become free is about to have it."""
    stocks = list(stocks)
    levels = [level_row(tx.tenant_id, stock) for stock in stocks if stock.version]
    if levels:
        await tx.execute(_SHOW_LEVEL, levels)
    if movements:
        await tx.execute(_ENTER_MOVEMENT, [movement_row(tx.tenant_id, movement) for movement in movements])
    await _write_lots(tx, [stock for stock in stocks if stock.touched])
    await waiting.wake(tx, stocks)


async def _write_lots(tx: Tx, stocks: Sequence[StockItem]) -> None:
    """The rows of the lots that changed in these stocks, and what moved of them; none for what is not tracked."""
    rows = [row for stock in stocks for row in lot_stock_rows(tx.tenant_id, stock) if row["lot_id"] in stock.touched]
    there = {(row["stock_id"], row["lot_id"]) for row in rows}
    if rows:
        await tx.execute(_SHOW_LOT, rows)
    for stock in stocks:
        if gone := [id for id in stock.touched if (stock.id, id) not in there]:
            mine = and_(_LOT_STOCKS.c.stock_id == stock.id, _LOT_STOCKS.c.lot_id.in_(gone))
            await tx.execute(delete(_LOT_STOCKS).where(mine))
    if entered := [{"tenant_id": tx.tenant_id, **row} for stock in stocks for row in stock.moved_lots]:
        await tx.execute(_ENTER_LOT_MOVEMENT, entered)
    for stock in stocks:
        stock.touched, stock.moved_lots = set(), []


def lot_stock_rows(tenant_id: UUID, stock: StockItem) -> list[dict[str, Any]]:
    same = {"tenant_id": tenant_id, "stock_id": stock.id, "warehouse_id": stock.place.warehouse_id}
    return [{**same, **lot.model_dump(include={"lot_id", "quantity", "reserved"})} for lot in stock.state.lots]


def movement_row(tenant_id: UUID, movement: Movement) -> dict[str, Any]:
    row = {name: getattr(movement, name) for name in _MOVEMENTS.c.keys()}  # noqa: SIM118
    return {**row, "tenant_id": tenant_id}


def level_row(tenant_id: UUID, stock: StockItem) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "id": stock.id,
        "item_id": stock.place.item_id,
        "warehouse_id": stock.place.warehouse_id,
        "on_hand": stock.state.on_hand,
        "reserved": stock.state.reserved,
        "provisional": stock.state.provisional,
        "value": stock.state.value,
        "currency": stock.state.currency,
        "version": stock.version,
    }


async def enter(tx: Tx, holding: Holding, lines: Sequence[ReservedLine] = (), reason: str | None = None) -> None:
    """The row of a reservation that has just been answered, with its lines."""
    await tx.execute(_ENTER_RESERVATION, reservation_row(tx.tenant_id, holding, reason) | requested(lines))


def reservation_row(tenant_id: UUID, holding: Holding, reason: str | None) -> dict[str, Any]:
    """All of the row but what `requested` says."""
    return {
        "tenant_id": tenant_id,
        "id": holding.id,
        "order_id": holding.state.order_id,
        "status": holding.state.status,
        "held": _held(holding),
        "reason": reason,
        "expires_at": holding.state.expires_at,
        "version": holding.version,
    }


def requested(lines: Sequence[ReservedLine]) -> dict[str, Any]:
    """What a reservation's row says of its request: the lines as they were answered, and whether all of it is held."""
    return {
        "complete": bool(lines) and all(line.reserved == line.requested for line in lines),
        "requested": [line.model_dump(mode="json") for line in lines],
    }


async def change(tx: Tx, holding: Holding, reason: str | None = None) -> None:
    """Bring the row of a reservation up to date. A reason that was given before stays when there is none now."""
    now = {
        "of_tenant": tx.tenant_id,
        "of_id": holding.id,
        "new_status": holding.state.status,
        "new_held": _held(holding),
        "new_version": holding.version,
        "new_reason": reason,
    }
    await tx.execute(_CHANGE_RESERVATION, now)


def _held(holding: Holding) -> dict[str, str]:
    return {str(line.line_id): plain(line.quantity) for line in holding.state.held}
