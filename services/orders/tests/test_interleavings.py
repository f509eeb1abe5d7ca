"""Whatever happens in whatever order: neighbours that keep their contracts, people who change their minds, and books that agree in the end."""

import random
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from contracts import inventory, shipments
from contracts import orders as events
from tailrace.core.events import Event
from tailrace.core.ids import uuid7

from .conftest import Desk


@dataclass
class World:
    """One order of ten pieces, and neighbours as simple as their contracts allow. Each reader gets the events in order, when chance says."""

    desk: Desk
    order: dict[str, Any]
    dice: random.Random
    stock: Decimal
    held: dict[UUID, Decimal] = field(default_factory=dict)
    pending: dict[UUID, tuple[events.ShipmentRequested, Decimal]] = field(default_factory=dict)
    on_hold: bool = False
    left: Decimal = Decimal(0)
    departed: list[shipments.ReservedDeparture] = field(default_factory=list)
    over: set[UUID] = field(default_factory=set)
    """Reservations that have expired, and are kept until the order lets go."""
    answers: dict[Any, deque[tuple[UUID, Event]]] = field(default_factory=lambda: defaultdict(deque))
    read: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    async def next_event(self, reader: str) -> Any:
        """The next of the order's events that this reader has not seen."""
        published = await self.desk.h.published()
        if self.read[reader] == len(published):
            return None
        self.read[reader] += 1
        return published[self.read[reader] - 1]

    async def saga_reads(self) -> bool:
        event = await self.next_event("saga")
        if event is not None:
            await self.desk.h.deliver(event.event, aggregate_id=event.aggregate_id, sequence=event.sequence)
        return event is not None

    async def inventory_reads(self) -> bool:
        event = await self.next_event("inventory")
        if event is None:
            return False
        match event.event:
            case events.ReservationRequested() as request:
                self.reserve(request)
            case events.ReservationReleaseRequested() as request:
                self.held.pop(request.reservation_id, None)
                self.over.discard(request.reservation_id)
                self.reservation(inventory.ReservationReleased, request.reservation_id, reason=request.reason)
        return True

    def reserve(self, request: events.ReservationRequested) -> None:
        (wanted,) = request.lines
        free = max(Decimal(0), min(self.stock - sum(self.held.values()), wanted.quantity))
        line = inventory.ReservedLine(
            **wanted.model_dump(exclude={"quantity"}), requested=wanted.quantity, reserved=free
        )
        if free == wanted.quantity or (free > 0 and request.partial_allowed):
            self.held[request.reservation_id] = free
            complete = free == wanted.quantity
            self.reservation(inventory.ReservationMade, request.reservation_id, lines=[line], complete=complete)
        else:
            self.reservation(inventory.ReservationRejected, request.reservation_id, lines=[line], reason="Short.")

    def reservation(self, kind: type[inventory.ReservationEvent], id: UUID, **given: Any) -> None:
        event = kind(reservation_id=id, order_id=UUID(self.order["id"]), **given)
        self.answers[id].append((id, event))

    async def shipping_reads(self) -> bool:
        event = await self.next_event("shipping")
        if event is None:
            return False
        match event.event:
            case events.OrderHeld() | events.OrderResumed() as decided:
                self.on_hold = isinstance(decided, events.OrderHeld)
            case events.ShipmentRequested() as request:
                self.pending[request.shipment_id] = (request, request.lines[0].quantity)
            case events.ShipmentCancellationRequested() as request:
                only = request.reservation_id
                gone = [id for id, (of, _) in self.pending.items() if only in (None, of.reservation_id)]
                for id in gone:
                    del self.pending[id]
                left = [one for one in self.departed if only in (None, one.reservation_id)]
                answer = shipments.ShipmentsCancelled(order_id=UUID(self.order["id"]), shipments=gone, departed=left)
                self.answers["shipping"].append((uuid7(), answer))
        return True

    async def goods_leave(self) -> bool:
        if self.on_hold or not self.pending:
            return False
        id = self.dice.choice(list(self.pending))
        request, quantity = self.pending.pop(id)
        part = Decimal(self.dice.randint(1, int(quantity)))
        if part < quantity:
            self.pending[id] = (request, quantity - part)
        line = shipments.DispatchedLine(
            **{**request.lines[0].model_dump(), "quantity": part}, dispatched_before=self.left
        )
        dispatched = shipments.ShipmentDispatched(
            shipment_id=uuid7(),
            order_id=request.order_id,
            reservation_id=request.reservation_id,
            number="S",
            currency="EUR",
            lines=[line],
            dispatched_at=datetime.now(UTC),
        )
        self.answers[dispatched.shipment_id].append((dispatched.shipment_id, dispatched))
        took = events.LineQuantity(line_id=line.line_id, quantity=part)
        ids = {"shipment_id": dispatched.shipment_id, "reservation_id": request.reservation_id}
        self.departed.append(shipments.ReservedDeparture(**ids, lines=[took]))
        self.left += part
        self.stock -= part
        still = self.held.get(request.reservation_id, Decimal(0)) - part
        self.held = {**self.held, request.reservation_id: still}
        self.held = {id: quantity for id, quantity in self.held.items() if quantity > 0}
        return True

    async def an_answer_arrives(self) -> bool:
        waiting = [queue for queue in self.answers.values() if queue]
        if not waiting:
            return False
        aggregate_id, event = self.dice.choice(waiting).popleft()
        await self.desk.h.deliver(event, aggregate_id=aggregate_id)
        return True

    async def somebody_acts(self) -> bool:
        action = self.dice.choice(["hold", "resume", "resume", "allocate", "allocate", "cancel"])
        if action == "cancel" and self.dice.random() < 0.6:
            return True
        body = {"reason": "x"} if action in {"hold", "cancel"} else None
        answer = await self.desk.h.client.post(f"/v1/orders/{self.order['id']}/{action}", json=body)
        assert answer.status_code in {200, 409}, answer.text
        return True

    async def fate_strikes(self) -> bool:
        match self.dice.choice(["goods in", "expiry", "time-out"]):
            case "goods in":
                self.stock += 4
            case "time-out":
                await self.desk.h.make_timers_due()
                await self.desk.h.fire_timers()
            case "expiry" if self.held.keys() - self.over:
                id = self.dice.choice(sorted(self.held.keys() - self.over))
                self.over.add(id)
                self.reservation(inventory.ReservationExpired, id)
        return True

    async def run(self, steps: int) -> None:
        reading = [self.saga_reads, self.inventory_reads, self.shipping_reads, self.an_answer_arrives]
        for _ in range(steps):
            await self.one_of([*reading, *reading, self.goods_leave, self.somebody_acts, self.fate_strikes])
        await self.desk.h.client.post(f"/v1/orders/{self.order['id']}/resume")
        while await self.any_of(reading):
            continue

    async def one_of(self, things: Sequence[Callable[[], Awaitable[bool]]]) -> None:
        await self.dice.choice(things)()

    async def any_of(self, things: Sequence[Callable[[], Awaitable[bool]]]) -> bool:
        return any([await thing() for thing in things])


@pytest.mark.parametrize("seed", range(6))
async def test_the_books_agree_in_the_end(desk: Desk, seed: int) -> None:
    dice = random.Random(seed)
    order = await desk.create(partial_allowed=dice.random() < 0.6, confirm=True)
    world = World(desk, order, dice, stock=Decimal(dice.choice([0, 4, 10, 30])))
    await world.run(steps=70)

    now = await desk.read(order)
    (line,) = now["lines"]
    state = (await desk.states(order))[-1]
    shipped, allocated = Decimal(line["shipped"]), Decimal(line["allocated"])
    held = sum(world.held.values(), Decimal(0))
    to_leave = sum((quantity for _, quantity in world.pending.values()), Decimal(0))
    assert shipped == world.left <= 10
    assert allocated == shipped + held
    assert held == to_leave
    assert not now["allocating"]
    assert now["status"] == "confirmed" or now["shipment"] != "full"
    await nothing_was_asked_for_on_hold(desk)
    if now["status"] == "cancelled":
        assert (state, held) == ("compensated", Decimal(0))
    else:
        assert state == ("done" if shipped == 10 else "shipping" if held else "short")
        assert now["allocation"] == ("full" if allocated == 10 else "partial" if allocated else "none")


async def nothing_was_asked_for_on_hold(desk: Desk) -> None:
    """An order's events stand in the order of its commits, so between a hold and what ends it nothing may stand that allocates or ships."""
    on_hold = False
    for published in await desk.h.published():
        if published.type in {"order.held", "order.resumed", "order.cancelled"}:
            on_hold = published.type == "order.held"
        assert not (on_hold and published.type in {"order.reservation_requested", "order.shipment_requested"})
