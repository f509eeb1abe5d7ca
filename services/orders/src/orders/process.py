"""The fulfilment of an order: reserve stock, have it shipped, note what leaves; and undo whatever is under way when the order is cancelled.

What an event tells is remembered first. What to do next follows from that memory and from the order's status, under the order's lock, so that
a hold or a cancellation counts from its own commit on, whichever event arrives first.
"""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from contracts import inventory, orders, performances, reopenings, shipments
from contracts.lots import LotQuantity
from orders.models import Order
from tailrace.core.errors import Unknown
from tailrace.core.events import Meta
from tailrace.core.ids import NIL, uuid7
from tailrace.db.database import Tx
from tailrace.db.error_classes import NotYet
from tailrace.messaging.sagas import Run, Saga
from tailrace.messaging.subscribers import EVER

ANSWER_WITHIN = timedelta(minutes=5)

RESERVING = "reserving"
SHIPPING = "shipping"
SHORT = "short"
PERFORMING = "performing"
HELD = "held"
DONE = "done"
COMPENSATING = "compensating"
COMPENSATED = "compensated"
REOPENING = "reopening"
REOPENED = "reopened"
QUIET = {RESERVING, PERFORMING, DONE, COMPENSATED, REOPENED}
"""To be in one of these still is no step: the wait for an answer goes on, or nothing is left to do."""


class Reservation(BaseModel):
    """A reservation that may hold stock for the order.

    asked: no answer yet. made: stock is held and nothing has followed from it (the order is on hold). used: a shipment of it was asked for.
    given_up: not answered in time. ending: inventory ends it, and its shipments are being cancelled. releasing: inventory was asked to free it.
    """

    state: Literal["asked", "made", "used", "given_up", "ending", "releasing"] = "asked"
    lines: dict[UUID, Decimal] = {}
    """What it still holds, by line."""
    lots: dict[UUID, list[LotQuantity]] = {}
    """Of which lots that was when it was made."""
    departed: dict[UUID, list[orders.LineQuantity]] = {}
    """What has left of it, by shipment, as far as shipping said when it cancelled the rest."""
    lost: str | None = None
    """Why inventory ended it; None when it did not."""


class Fulfilment(BaseModel):
    """What the process remembers. A reservation that has ended is forgotten."""

    reservations: dict[UUID, Reservation] = {}
    wanted: bool = False
    """What is open is to be reserved, as soon as the order is not on hold."""
    undoing: bool = False
    cancels: int = 0
    """Requests to cancel shipments that shipping has not answered yet."""
    backorder: UUID | None = None
    """The request of which the rest waits in inventory for goods: what fills it is welcome, and nothing else that was not asked for."""
    waits: dict[UUID, Decimal] = {}
    """How much of each line waits there."""
    answered_short: bool = False
    """Inventory has less than it was asked for, and nothing waits."""
    departed: set[UUID] = set()
    """The shipments that were noted as left."""

    def in_state(self, *states: str) -> dict[UUID, Reservation]:
        return {id: one for id, one in self.reservations.items() if one.state in states}

    @property
    def asking(self) -> bool:
        """Whether an attempt to allocate is under way, or is to follow."""
        return self.wanted or bool(self.in_state("asked"))

    @property
    def held(self) -> dict[UUID, Decimal]:
        """What is held for the order and in use, by line."""
        total: dict[UUID, Decimal] = {}
        for one in self.in_state("used", "ending", "releasing").values():
            for line_id, quantity in one.lines.items():
                total[line_id] = total.get(line_id, Decimal(0)) + quantity
        return total


Fulfilling = Run[Fulfilment]
saga = Saga("orders.fulfilment", Fulfilment, since=EVER)


def _order(event: orders.OrderEvent) -> UUID:
    return event.order_id


def _reserved_for(event: inventory.ReservationEvent) -> UUID:
    return event.order_id or NIL


# What people decided.


@saga.starts(orders.OrderConfirmed, key=_order, at_once=True)
async def confirmed(tx: Tx, run: Fulfilling, event: orders.OrderConfirmed, meta: Meta) -> None:
    run.data.wanted = True
    await _go_on(tx, run)


@saga.on_answer(orders.AllocationRequested, key=_order)
async def allocation_requested(tx: Tx, run: Fulfilling, event: orders.AllocationRequested, meta: Meta) -> None:
    run.data.wanted = True
    await _go_on(tx, run)


@saga.on_answer(orders.OrderHeld, key=_order)
async def held(tx: Tx, run: Fulfilling, event: orders.OrderHeld, meta: Meta) -> None:
    await _go_on(tx, run)


@saga.on_answer(orders.OrderResumed, key=_order)
async def resumed(tx: Tx, run: Fulfilling, event: orders.OrderResumed, meta: Meta) -> None:
    await _go_on(tx, run)


@saga.on_answer(orders.OrderCancelled, key=_order)
async def cancelled(tx: Tx, run: Fulfilling, event: orders.OrderCancelled, meta: Meta) -> None:
    await _go_on(tx, run)


@saga.on_answer(orders.OrderRestCancelled, key=_order)
async def rest_cancelled(tx: Tx, run: Fulfilling, event: orders.OrderRestCancelled, meta: Meta) -> None:
    """By people, when nothing is left to supply; what this process gave up itself, it went on with then."""
    if (await _loaded(tx, run)).shipment == "full":
        await _go_on(tx, run)


@saga.on_answer(reopenings.OrderReopeningRequested, key=_order)
async def reopening(tx: Tx, run: Fulfilling, event: reopenings.OrderReopeningRequested, meta: Meta) -> None:
    await _go_on(tx, run)


@saga.on_answer(performances.ServicesPerformed, key=_order)
async def performed(tx: Tx, run: Fulfilling, event: performances.ServicesPerformed, meta: Meta) -> None:
    await _go_on(tx, run)


# What inventory answers.


@saga.on_answer(inventory.ReservationMade, key=_reserved_for)
async def made(tx: Tx, run: Fulfilling, event: inventory.ReservationMade, meta: Meta) -> None:
    memory, known = run.data, run.data.reservations.get(event.reservation_id)
    if known is None and event.fills is not None and event.fills == memory.backorder:
        known = memory.reservations[event.reservation_id] = Reservation()
    if known is None or known.state == "given_up":
        order = await tx.load(Order, run.key)
        order.ask_release(event.reservation_id, "The answer came too late.")
        memory.reservations[event.reservation_id] = Reservation(state="releasing")
    elif known.state == "asked":
        known.lines = {line.line_id: line.reserved for line in event.lines if line.reserved > 0}
        known.lots = {line.line_id: line.lots for line in event.lines if line.lots}
        known.state = "made"
        if event.fills is None:
            memory.waits = {}
        memory.waits |= {line.line_id: line.requested - line.reserved for line in event.lines}
        memory.backorder = (event.fills or event.reservation_id) if event.waiting else None
        memory.answered_short = not event.complete and not event.waiting
    if known is not None and known.state == "made" and not known.lines:
        await _gone(tx, run, event.reservation_id, "Nothing of it is in stock.")
    else:
        await _go_on(tx, run)


@saga.on_answer(inventory.ReservationRejected, key=_reserved_for)
async def rejected(tx: Tx, run: Fulfilling, event: inventory.ReservationRejected, meta: Meta) -> None:
    known = run.data.reservations.get(event.reservation_id)
    asked = known is not None and known.state == "asked"
    if asked:
        run.data.backorder = event.reservation_id if event.waiting else None
        run.data.waits = {line.line_id: line.requested for line in event.lines}
        run.data.answered_short = not event.waiting
    await _gone(tx, run, event.reservation_id, event.reason if asked else None)


@saga.on_answer(inventory.ReservationReleased, key=_reserved_for)
async def released(tx: Tx, run: Fulfilling, event: inventory.ReservationReleased, meta: Meta) -> None:
    known = run.data.reservations.get(event.reservation_id)
    if known is not None and known.state in {"made", "used"}:
        await _ended(tx, run, event.reservation_id, f"The reservation was released: {event.reason}")
    elif known is not None and known.state != "ending":
        await _gone(tx, run, event.reservation_id, known.lost)


@saga.on_answer(inventory.ReservationExpired, key=_reserved_for)
async def expired(tx: Tx, run: Fulfilling, event: inventory.ReservationExpired, meta: Meta) -> None:
    known = run.data.reservations.get(event.reservation_id)
    if known is not None and known.state in {"made", "used"}:
        await _ended(tx, run, event.reservation_id, "The reservation expired.")


@saga.on_timeout(RESERVING)
async def unanswered(tx: Tx, run: Fulfilling) -> None:
    order = await tx.load(Order, run.key)
    if order.status == "confirmed":
        for reservation_id, one in run.data.in_state("asked").items():
            one.state = "given_up"
            order.ask_release(reservation_id, "No answer in time.")
            if order.when_short == "wait":
                order.stop_waiting(reservation_id, "No answer in time.")
        order.fall_short("Inventory did not answer in time.", allocating=run.data.wanted)
    await _go_on(tx, run)


# What shipping answers.


@saga.on_answer(shipments.ShipmentDispatched, key=lambda event: event.order_id)
async def dispatched(tx: Tx, run: Fulfilling, event: shipments.ShipmentDispatched, meta: Meta) -> None:
    order = await tx.load(Order, run.key)
    lines = [orders.LineQuantity(line_id=line.line_id, quantity=line.quantity) for line in event.lines]
    _note_departure(order, run.data, event.reservation_id, orders.Departure(shipment_id=event.shipment_id, lines=lines))
    await _go_on(tx, run)


@saga.on_answer(shipments.ShipmentsCancelled, key=lambda event: event.order_id)
async def shipments_cancelled(tx: Tx, run: Fulfilling, event: shipments.ShipmentsCancelled, meta: Meta) -> None:
    order = await tx.load(Order, run.key)
    for departure in event.departed:
        _note_departure(order, run.data, departure.reservation_id, departure)
        known = run.data.reservations.get(departure.reservation_id)
        if known is not None:
            known.departed[departure.shipment_id] = departure.lines
    run.data.cancels = max(0, run.data.cancels - 1)
    await _go_on(tx, run)


# What follows.


def _note_departure(order: Order, memory: Fulfilment, reservation_id: UUID, departure: orders.Departure) -> None:
    """Goods left. Shipping says so once by itself, and again when it answers that the rest is cancelled; whichever comes first counts."""
    if departure.shipment_id in memory.departed:
        return
    memory.departed.add(departure.shipment_id)
    order.ship((line.line_id, line.quantity) for line in departure.lines)
    known = memory.reservations.get(reservation_id)
    if known is not None:
        for line in departure.lines:
            known.lines[line.line_id] = known.lines.get(line.line_id, Decimal(0)) - line.quantity
        known.lines = {line_id: left for line_id, left in known.lines.items() if left > 0}
        if known.state == "used" and not known.lines:
            del memory.reservations[reservation_id]
    order.hold_stock(memory.held)


async def _ended(tx: Tx, run: Fulfilling, reservation_id: UUID, reason: str) -> None:
    """Inventory ends a reservation that nobody here gave up: its shipments must not go any more. What it holds is freed when that is certain."""
    order, one = await tx.load(Order, run.key), run.data.reservations[reservation_id]
    one.lost = reason
    if one.state == "used" and not run.data.undoing:
        order.ask_shipment_cancel(reason, reservation_id)
        run.data.cancels += 1
    if one.state == "made":
        one.lines = {}
    one.state = "ending"
    await _go_on(tx, run)


async def _gone(tx: Tx, run: Fulfilling, reservation_id: UUID, reason: str | None) -> None:
    """A reservation holds nothing any more. With a `reason`, that was not the order's wish: it is short."""
    if run.data.reservations.pop(reservation_id, None) is not None:
        order = await tx.load(Order, run.key)
        order.hold_stock(run.data.held)
        if (
            reason is not None
            and order.status not in {"cancelled", "reopening"}
            and (order.allocating or order.open_lines())
        ):
            order.fall_short(reason, allocating=run.data.asking)
    await _go_on(tx, run)


async def _loaded(tx: Tx, run: Fulfilling) -> Order:
    try:
        return await tx.load(Order, run.key)
    except Unknown as error:
        # Its own event without its row: this database was restored behind its topic, and nobody is at fault.
        raise NotYet(f"order {run.key} is not here") from error


async def _go_on(tx: Tx, run: Fulfilling) -> None:
    """Do what the order's status and the memory call for, and be in the state that this leads to."""
    order = await _loaded(tx, run)
    if run.data.cancels == 0:
        _release(order, run.data.in_state("ending"))
    if order.status == "reopening":
        _reopen(tx, order, run.data)
    if order.status == "cancelled":
        state = COMPENSATED if _undo(order, run.data, "The order was cancelled.") else COMPENSATING
    elif order.status == "reopening":
        state = REOPENING
    elif order.status in {"draft", "credit_hold"}:
        state = REOPENED
    elif order.status == "on_hold":
        _step_back(order, run.data)
        state = HELD
    else:
        state = _advance(order, run.data)
    if state != run.state or state not in QUIET:
        run.goto(state, timeout=ANSWER_WITHIN if state == RESERVING else None)


def _advance(order: Order, memory: Fulfilment) -> str:
    """Use what was reserved, ask for what is wanted."""
    for reservation_id, one in memory.in_state("made").items():
        one.state = "used"
        order.hold_stock(memory.held)
        order.ask_shipment(reservation_id, one.lines, one.lots, allocating=memory.asking)
    # While shipments are being cancelled, some of what looks open may be leaving after all.
    # Everything left before it could be cancelled or reopened: what was to be undone stands.
    memory.undoing = False
    if memory.wanted and memory.cancels == 0 and not memory.in_state("asked"):
        memory.wanted = False
        _stop_waiting(order, memory, "All that is open is asked for again.")
        if order.open_lines():
            reservation_id = uuid7()
            memory.reservations[reservation_id] = Reservation()
            order.ask_reservation(reservation_id)
    order.wait(memory.waits if memory.backorder is not None else {})
    if memory.answered_short and not memory.asking:
        memory.answered_short = False
        if order.when_short == "cancel" and order.open_lines():
            order.cancel_rest("It is not in stock.")
    if order.shipment == "full":
        return DONE
    if memory.in_state("asked"):
        return RESERVING
    if memory.in_state("used", "ending"):
        return SHIPPING
    return PERFORMING if order.open_services() and not order.open_lines() else SHORT


def _undo(order: Order, memory: Fulfilment, reason: str) -> bool:
    """Take back what is under way: first the shipments, then the stock, so that nothing leaves that is no longer held. True when all of it is."""
    if not memory.undoing:
        memory.undoing, memory.wanted = True, False
        _stop_waiting(order, memory, reason)
        if memory.in_state("used"):
            order.ask_shipment_cancel(reason)
            memory.cancels += 1
    if memory.cancels == 0:
        for one in memory.in_state("made").values():
            one.lines = {}
        _release(order, memory.in_state("asked", "made", "used"), reason)
    return not memory.cancels and not memory.reservations


def _reopen(tx: Tx, order: Order, memory: Fulfilment) -> None:
    """Let the order be a draft again as soon as nothing is under way, or stand, when something has left meanwhile."""
    if not _undo(order, memory, "The order is being changed."):
        return
    if order.shipment == "none":
        tx.add(order.return_to_draft())
    else:
        order.stay_confirmed("Some of it")
        memory.wanted = True
    memory.undoing = memory.answered_short = False


def _step_back(order: Order, memory: Fulfilment) -> None:
    """On hold, it leaves its turn to others, and asks again for what is open when it goes on."""
    if memory.backorder is not None:
        _stop_waiting(order, memory, "The order is on hold.")
        memory.wanted = True


def _stop_waiting(order: Order, memory: Fulfilment, reason: str) -> None:
    """What fills the back-order from now on is not welcome any more, also when it is on its way already."""
    if memory.backorder is not None:
        order.stop_waiting(memory.backorder, reason)
        memory.backorder = None


def _release(order: Order, reservations: Mapping[UUID, Reservation], reason: str = "The order was cancelled.") -> None:
    """Have these freed, but for what has left of them. Nothing of them must be able to leave any more."""
    for reservation_id, one in reservations.items():
        one.state = "releasing"
        departed = [orders.Departure(shipment_id=id, lines=lines) for id, lines in one.departed.items()]
        order.ask_release(reservation_id, one.lost or reason, departed)
