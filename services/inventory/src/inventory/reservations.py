"""What is done with reservations: made and answered, given back, used up by a shipment, ended by the clock."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from contracts.inventory import DrawnLine, KeptLine, ReservedLine
from contracts.lots import LotQuantity
from contracts.orders import Departure, ReservationReleaseRequested
from contracts.shipments import DispatchedLine, ShipmentDispatched
from inventory import backorders, ledger
from inventory.backorders import Allotted, Request, expiry
from inventory.by_lot import NOTHING, common, first_of, total, without
from inventory.holding import HeldLine, Holding, suffices
from inventory.models import Movement, Reservation
from inventory.projections import may_go_negative
from inventory.refusals import ReservationEnded, Short, missing, plain
from inventory.stock import Place, StockItem, load_stocks
from tailrace.core.errors import Stale, Unknown
from tailrace.db.database import Tx
from tailrace.db.error_classes import NotYet


async def answer(tx: Tx, request: Request) -> None:
    """Make the reservation or reject it, as an event either way; nothing when it was answered before. What it lacks may wait, as a back-order."""
    if await _is_known(tx, request.reservation_id):
        return
    holding = tx.new_stream(Holding, request.reservation_id)
    allotted = await backorders.allot(tx, request)
    lines = list(allotted.lines)
    held = suffices(lines, partial_allowed=request.partial_allowed)
    waits = request.waits and request.rank is not None and any(line.reserved < line.requested for line in lines)
    if held:
        await _hold(tx, holding, request, allotted, waiting=waits)
    else:
        reason = _reason(lines)
        holding.reject(request.order_id, lines, reason, waiting=waits)
        await ledger.enter(tx, holding, lines, reason)
    if waits:
        none = [line.model_copy(update={"reserved": NOTHING, "lots": []}) for line in lines]
        await backorders.open(tx, request, lines if held else none)


async def reserve(tx: Tx, request: Request) -> Reservation:
    """Make a new reservation. Raises Short, and records nothing, when there is not enough."""
    allotted = await backorders.allot(tx, request)
    if not suffices(allotted.lines, partial_allowed=request.partial_allowed):
        raise missing([(line.item_id, line.warehouse_id, line.requested, line.reserved) for line in allotted.lines])
    await _hold(tx, tx.new_stream(Holding, request.reservation_id), request, allotted)
    return await tx.find(Reservation, request.reservation_id)


async def answer_release(tx: Tx, asked: ReservationReleaseRequested) -> None:
    """Free what is still held and say so, also when nothing was. A request that comes after its own release finds it answered.

    What left with a shipment that has not been heard of here stays held for it, so that nobody else is promised what is gone.
    """
    order_id, reason = asked.order_id, asked.reason
    holding = await tx.load_stream(Holding, asked.reservation_id)
    is_new = holding.version == 0
    kept = holding.state.part(await _not_issued_yet(tx, asked.departed))
    await _free(tx, holding, kept)
    holding.release(order_id, reason, kept)
    if is_new:
        await ledger.enter(tx, holding, reason=reason)
    else:
        await ledger.change(tx, holding, reason if holding.state.status == "released" else None)


async def release(tx: Tx, reservation_id: UUID, reason: str, match: int | None) -> Reservation:
    """End a reservation. What it holds is free at once, or for an order, as soon as the order let go. Raises Unknown, Stale, ReservationEnded."""
    holding = await tx.load_stream(Holding, reservation_id)
    if holding.version == 0:
        raise Unknown("Reservation", reservation_id)
    if match is not None and match != holding.version:
        raise Stale(match, holding.version)
    if not holding.is_open:
        raise ReservationEnded(holding.state.status)
    kept = _kept_for_order(holding)
    await _free(tx, holding, kept)
    holding.release(holding.state.order_id, reason, kept)
    await ledger.change(tx, holding, reason)
    return await tx.find(Reservation, reservation_id)


@expiry.due
async def expire(tx: Tx, reservation_id: UUID) -> None:
    """The time is over: what is still held is free again, or for an order, as soon as the order let go."""
    holding = await tx.load_stream(Holding, reservation_id)
    if not holding.is_open:
        return
    kept = _kept_for_order(holding)
    await _free(tx, holding, kept)
    holding.expire(kept)
    await ledger.change(tx, holding)


async def draw(tx: Tx, holding: Holding, lines: list[DrawnLine]) -> None:
    """So much of the reservation has been issued."""
    holding.draw(lines)
    if not holding.is_open:
        await _stop_clock(tx, holding)
    await ledger.change(tx, holding)


async def dispatch(tx: Tx, shipment: ShipmentDispatched) -> None:
    """The goods left: issue them at cost, what the reservation holds first, the rest from what is free.

    Raises NotYet when the books have less than what left and may not go below zero there: the event waits until a receipt or a count puts them
    right. Where they may, what is missing goes at a provisional cost.
    """
    holding = await tx.load_stream(Holding, shipment.reservation_id)
    stocks = await load_stocks(tx, (Place(line.item_id, line.warehouse_id) for line in shipment.lines))
    drawn: dict[tuple[UUID, Place], Decimal] = {}
    drawn_lots: dict[tuple[UUID, Place], list[LotQuantity]] = {}
    movements: list[Movement] = []
    try:
        for line in shipment.lines:
            place = Place(line.item_id, line.warehouse_id)
            of_line = (line.line_id, place)
            already = drawn.get(of_line, NOTHING)
            part = min(line.quantity, holding.state.held_for(*of_line) - already)
            held_lots = without(holding.state.lots_for(*of_line), drawn_lots.get(of_line, ()))
            left = _lots_that_left(stocks[place], line, held_lots)
            mine = common(held_lots, left)
            if left:
                part = total(mine)
            drawn[of_line] = already + part
            drawn_lots[of_line] = [*drawn_lots.get(of_line, ()), *mine]
            for quantity, held_by, lots in (
                (part, holding.id, mine),
                (line.quantity - part, None, without(left, mine)),
            ):
                if quantity:
                    movement = await _issue(tx, stocks[place], shipment, line.line_id, quantity, held_by, lots)
                    movements.append(movement)
    except Short as short:
        raise NotYet(f"shipment {shipment.number} left, and the books lack what it took: {short.detail}") from short
    await ledger.write(tx, stocks.values(), movements)
    lines = [
        DrawnLine(line_id=of_line[0], quantity=quantity, lots=drawn_lots[of_line])
        for of_line, quantity in drawn.items()
        if quantity
    ]
    if lines:
        await draw(tx, holding, lines)


def _lots_that_left(stock: StockItem, line: DispatchedLine, held: Sequence[LotQuantity]) -> list[LotQuantity]:
    """The lots that a shipment says it took. Where it does not say, those that were held, and then what came first; none of what is not tracked."""
    if line.lots or not stock.state.lots:
        return line.lots
    free = [
        LotQuantity(lot_id=lot.lot_id, number=lot.number, quantity=lot.free) for lot in stock.state.lots if lot.free > 0
    ]
    return first_of([*held, *free], line.quantity)


async def _issue(
    tx: Tx,
    stock: StockItem,
    shipment: ShipmentDispatched,
    line_id: UUID,
    quantity: Decimal,
    held_by: UUID | None,
    lots: Sequence[LotQuantity],
) -> Movement:
    """The policy is asked for only when it matters: nearly always, everything is there."""
    place, short = stock.place, held_by is None and quantity > stock.state.free
    allowed = short and await may_go_negative(tx, place.item_id, place.warehouse_id)
    event = stock.issue(
        quantity,
        "shipment",
        shipment.dispatched_at,
        held_by=held_by,
        beyond=shipment.currency if allowed else None,
        lots=lots,
        line_id=line_id,
        customer_id=shipment.customer_id,
        order_id=shipment.order_id,
        shipment_id=shipment.shipment_id,
        reference=shipment.number,
    )
    return ledger.movement_of(stock, event)


async def _hold(tx: Tx, holding: Holding, request: Request, allotted: Allotted, *, waiting: bool = False) -> None:
    for line in allotted.lines:
        if line.reserved:
            stock = allotted.stocks[Place(line.item_id, line.warehouse_id)]
            stock.reserve(line.reserved, holding.id, line.line_id, line.lots)
    holding.make(request.order_id, list(allotted.lines), request.expires_at, waiting=waiting)
    await ledger.write(tx, allotted.stocks.values())
    await ledger.enter(tx, holding, allotted.lines)
    if request.expires_at is not None:
        await expiry.set(tx, holding.id, request.expires_at)


async def _free(tx: Tx, holding: Holding, kept: Sequence[HeldLine]) -> None:
    """Give back everything but `kept`, to be recorded by what ends the reservation."""
    keep = {line.line_id: line for line in kept}
    freed: list[HeldLine] = []
    for line in holding.state.held:
        stays = keep.get(line.line_id)
        quantity = line.quantity - (stays.quantity if stays else NOTHING)
        if quantity:
            lots = without(line.lots, stays.lots if stays else ())
            freed.append(line.model_copy(update={"quantity": quantity, "lots": lots}))
    stocks = await load_stocks(tx, (line.place for line in freed))
    for line in freed:
        stocks[line.place].release(line.quantity, holding.id, line.line_id, line.lots)
    # What is free again covers first what left without being in the books.
    now = datetime.now(UTC)
    await ledger.write(tx, stocks.values(), [line for stock in stocks.values() for line in ledger.settle(stock, now)])
    await _stop_clock(tx, holding)


def _kept_for_order(holding: Holding) -> list[HeldLine]:
    """Everything, when it is held for an order: its goods may be leaving right now, and only the order can find out."""
    return holding.state.held if holding.state.order_id is not None else []


async def _not_issued_yet(tx: Tx, departed: Sequence[Departure]) -> dict[UUID, KeptLine]:
    """What shipments took that have left and are still to be heard of here, by line."""
    if not departed:
        return {}
    known = select(Movement.shipment_id).where(Movement.shipment_id.in_([one.shipment_id for one in departed]))
    issued = set(await tx.scalars(known))
    waiting: dict[UUID, KeptLine] = {}
    for line in (line for one in departed if one.shipment_id not in issued for line in one.lines if line.quantity > 0):
        before = waiting.get(line.line_id)
        quantity, lots = (before.quantity, before.lots) if before else (NOTHING, [])
        waiting[line.line_id] = KeptLine(
            line_id=line.line_id, quantity=quantity + line.quantity, lots=[*lots, *line.lots]
        )
    return waiting


async def _stop_clock(tx: Tx, holding: Holding) -> None:
    if holding.state.expires_at is not None:
        await expiry.clear(tx, holding.id)


async def _is_known(tx: Tx, reservation_id: UUID) -> bool:
    """Requests of one order arrive one after another, so nobody else can be making this reservation right now."""
    return await tx.scalar(select(Reservation.version).where(Reservation.id == reservation_id)) is not None


def _reason(lines: Sequence[ReservedLine]) -> str:
    short = [line for line in lines if line.reserved < line.requested]
    if not short:
        return "Nothing was asked for."
    first, more = short[0], f", and {len(short) - 1} more lines are short" if len(short) > 1 else ""
    wanted, free = plain(first.requested), plain(first.reserved)
    return f"Not enough stock: of item {first.item_id} {wanted} are wanted and {free} are free{more}."
