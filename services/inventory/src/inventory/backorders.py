"""Goods are given to those who wait for them: by the order's priority, then its requested date, then when it was confirmed.

A request for stock takes its turn among those who wait already: nobody passes another by coming at the right moment. A back-order that takes all or
nothing holds nothing while something of it is missing, so that others may have what is there.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from contracts.inventory import BackorderOpened, ReservedLine, WaitingLine
from contracts.orders import BackorderCancellationRequested, Rank
from inventory import ledger, waiting
from inventory.holding import Holding, Wanted, suffices
from inventory.models import StockLevel
from inventory.shelves import Shelf, shelf_of
from inventory.stock import Place, StockItem, load_stocks
from inventory.waiting import Queued, Waiting, filling
from tailrace.core.ids import uuid7
from tailrace.db.database import Tx
from tailrace.messaging.timers import Timer

expiry = Timer("inventory.reservation_expiry")
Plan = dict[UUID, list[ReservedLine]]
"""What each back-order is to have."""


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody wants stock held. Without a rank, those who wait come first."""

    reservation_id: UUID
    lines: Sequence[Wanted]
    partial_allowed: bool
    order_id: UUID | None = None
    expires_at: datetime | None = None
    rank: Rank | None = None
    waits: bool = False
    hold_seconds: int | None = None

    @property
    def turn(self) -> waiting.Turn | None:
        if self.rank is None:
            return None
        return waiting.turn_of(
            self.rank.priority, self.rank.requested_date, self.rank.confirmed_at, self.reservation_id
        )


@dataclass(frozen=True, slots=True)
class Allotted:
    """What a request can have: its lines, and the stocks, locked, that hold it."""

    stocks: Mapping[Place, StockItem]
    lines: Sequence[ReservedLine]


async def allot(tx: Tx, request: Request) -> Allotted:
    """What a request can have of what is free, in its turn; those before it, who wait, have theirs. Nothing of its own is held yet."""
    places = {line.place for line in request.lines}
    stocks, ahead = await _meet(tx, places)
    shelf = await shelf_of(tx, stocks.values())
    turn = request.turn
    before = [one for one in ahead if turn is None or one.turn < turn]
    shelf, planned = _plan(stocks, shelf, before)
    trial = shelf.copy()
    lines = [trial.take(line) for line in request.lines]
    if suffices(lines, partial_allowed=request.partial_allowed):
        shelf = trial
    planned |= _plan(stocks, shelf, ahead[len(before) :])[1]
    await _give(tx, stocks, planned)
    return Allotted(stocks, lines)


async def open(tx: Tx, request: Request, lines: Sequence[ReservedLine]) -> None:
    """What `lines` do not hold of the request waits from now on."""
    assert request.order_id is not None
    assert request.rank is not None
    wanted = {line.line_id: line for line in request.lines}
    left = [(line, line.requested - line.reserved) for line in lines]
    backorder = tx.new_stream(Waiting, waiting.backorder_id(tx.tenant_id, request.reservation_id))
    backorder.record(
        BackorderOpened(
            backorder_id=backorder.id,
            order_id=request.order_id,
            request_id=request.reservation_id,
            lines=[
                WaitingLine(
                    line_id=line.line_id,
                    item_id=line.item_id,
                    warehouse_id=line.warehouse_id,
                    quantity=quantity,
                    lot=wanted[line.line_id].lot,
                    remaining_days=wanted[line.line_id].remaining_days,
                )
                for line, quantity in left
                if quantity
            ],
            complete=not request.partial_allowed,
            hold_seconds=request.hold_seconds,
            **request.rank.model_dump(),
        )
    )
    await waiting.show(tx, [backorder])


async def close(tx: Tx, asked: BackorderCancellationRequested) -> None:
    """The order does not wait any more. Nothing happens when it was filled meanwhile, or never was."""
    backorder = await tx.load_stream(Waiting, waiting.backorder_id(tx.tenant_id, asked.reservation_id))
    if backorder.is_open:
        backorder.give_up(asked.reason)
        await waiting.show(tx, [backorder])


@filling.due
async def fill(tx: Tx, stock_id: UUID) -> None:
    """Something is free in a stock: those who wait for it have it, as far as it goes."""
    where = select(StockLevel.item_id, StockLevel.warehouse_id).where(StockLevel.id == stock_id)
    level = (await tx.execute(where)).one_or_none()
    if level is None:
        # Nothing ever came in there.
        return
    stocks, queue = await _meet(tx, {Place(level.item_id, level.warehouse_id)})
    if queue:
        await _give(tx, stocks, _plan(stocks, await shelf_of(tx, stocks.values()), queue)[1])


async def _meet(tx: Tx, places: Collection[Place]) -> tuple[Mapping[Place, StockItem], list[Queued]]:
    """The stocks at these places, locked, and who waits there; and the stocks elsewhere that those need who take all or nothing."""
    first = await waiting.queue(tx, places)
    also = {Place(line.item_id, line.warehouse_id) for one in first if one.complete for line in one.lines}
    stocks = await load_stocks(tx, {*places, *also})
    # Asked again under the locks: from now on nobody else gives anything away here.
    queue = await waiting.queue(tx, places)
    missed = {
        place
        for one in queue
        if one.complete
        for line in one.lines
        if (place := Place(line.item_id, line.warehouse_id)) not in stocks
    }
    if missed:
        # Somebody who waits for these as well has just come: they are looked at in a transaction of their own.
        await waiting.wake_places(tx, missed)
    return stocks, queue


def _plan(stocks: Mapping[Place, StockItem], shelf: Shelf, queue: Sequence[Queued]) -> tuple[Shelf, Plan]:
    """What those in the queue can have, in its order, and what is left on the shelf then."""
    planned: Plan = {}
    for one in queue:
        trial = shelf.copy() if one.complete else shelf
        wanted = [_wanted(line) for line in one.lines]
        lines = [trial.take(line) for line in wanted if line.place in stocks]
        whole = len(lines) == len(wanted) and all(line.reserved == line.requested for line in lines)
        if whole or not one.complete:
            shelf = trial
            if any(line.reserved for line in lines):
                planned[one.id] = [line for line in lines if line.reserved]
    return shelf, planned


async def _give(tx: Tx, stocks: Mapping[Place, StockItem], planned: Plan) -> None:
    """Have them held what is planned; all at once, so that their locks are taken in one order."""
    if not planned:
        return
    backorders = await tx.load_streams(Waiting, planned)
    filled: list[Waiting] = []
    for id, lines in planned.items():
        backorder = backorders[id]
        if not backorder.is_open:
            # Given up a moment ago: what was put aside for it goes to those who are next.
            await waiting.wake_places(tx, {Place(line.item_id, line.warehouse_id) for line in lines})
            continue
        await _hold(tx, stocks, backorder, lines)
        filled.append(backorder)
    await ledger.write(tx, stocks.values())
    await waiting.show(tx, filled)


async def _hold(tx: Tx, stocks: Mapping[Place, StockItem], backorder: Waiting, lines: Sequence[ReservedLine]) -> None:
    state, holding = backorder.state, tx.new_stream(Holding, uuid7())
    for line in lines:
        place = Place(line.item_id, line.warehouse_id)
        stocks[place].reserve(line.reserved, holding.id, line.line_id, line.lots)
    given = {line.line_id: line.reserved for line in lines}
    backorder.fill(holding.id, given)
    expires_at = None if state.hold_seconds is None else datetime.now(UTC) + timedelta(seconds=state.hold_seconds)
    holding.make(state.order_id, list(lines), expires_at, fills=state.request_id, waiting=backorder.is_open)
    await ledger.enter(tx, holding, lines)
    if expires_at is not None:
        await expiry.set(tx, holding.id, expires_at)


def _wanted(line: WaitingLine) -> Wanted:
    place = Place(line.item_id, line.warehouse_id)
    return Wanted(line.line_id, place, line.quantity, line.lot, line.remaining_days)
