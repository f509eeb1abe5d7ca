"""Orders: placed, confirmed, cancelled, and how much of them was shipped, invoiced and paid, step by step.

What left is valued by line as a share of the line's net amount, rounded once; what was invoiced and paid includes tax, as orders say it.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from analytics.measures import Measure
from analytics.standings.standing import Entry, Source, Standing
from contracts import orders as events
from contracts.reopenings import OrderReopened
from tailrace.core.values.money import portion


class Line(BaseModel):
    """Of a line that was confirmed: how much was ordered, and what that comes to."""

    line_id: UUID
    quantity: Decimal
    net: int


class Step(BaseModel):
    """What one event added; below zero, took back."""

    at: datetime
    amount: int


class Order(Standing):
    """Where an order stands."""

    net: int = 0
    placed_at: datetime
    confirmed_at: datetime | None = None
    cancelled_at: datetime | None = None
    lines: list[Line] = []
    shipped: list[Step] = []
    invoiced: list[Step] = []
    paid: list[Step] = []

    def entries(self) -> Iterator[Entry]:
        yield Entry("order_placed", self.placed_at, self.net)
        if self.confirmed_at is not None:
            yield Entry("order_confirmed", self.confirmed_at, self.net)
        if self.cancelled_at is not None:
            yield Entry("order_cancelled", self.cancelled_at, self.net)
        yield from _steps("order_shipped", self.shipped)
        yield from _steps("order_invoiced", self.invoiced)
        yield from _steps("order_paid", self.paid)


def _steps(measure: Measure, steps: list[Step]) -> Iterator[Entry]:
    for place, step in enumerate(steps):
        count = (step.amount > 0) - (step.amount < 0)
        yield Entry(measure, step.at, step.amount, count, key=str(place))


def _with(steps: list[Step], at: datetime, total: int) -> list[Step]:
    more = total - sum(step.amount for step in steps)
    return [*steps, Step(at=at, amount=more)] if more else steps


def fold(standing: Order | None, event: Any, at: datetime) -> Order | None:
    """Where the order stands after the event."""
    if isinstance(event, events.OrderCreated | events.OrderChanged | events.OrderConfirmed):
        said = {name: getattr(event, name) for name in ("number", "owner_id", "customer_id", "currency", "net")}
        said |= {"placed_at": event.ordered_at, "came_of_id": event.quote_id}
        if isinstance(event, events.OrderConfirmed):
            said["confirmed_at"] = at
            said["lines"] = [Line(line_id=one.line_id, quantity=one.quantity, net=one.net) for one in event.lines]
        return Order(**said) if standing is None else standing.model_copy(update=said)
    return None if standing is None else standing.model_copy(update=_change(standing, event, at))


def _change(standing: Order, event: Any, at: datetime) -> dict[str, Any]:
    """What is different after an event that does not describe the whole order."""
    match event:
        case events.OrderAssigned():
            return {"owner_id": event.owner_id}
        case OrderReopened():
            return {"confirmed_at": None, "lines": []}
        case events.OrderCancelled():
            return {"cancelled_at": at}
        case events.OrderReinstated():
            return {"cancelled_at": None}
        case events.OrderShipmentProgressed():
            left = {one.line_id: one.quantity for one in event.lines}
            worth = [portion(line.net, left.get(line.line_id, Decimal()), line.quantity) for line in standing.lines]
            return {"shipped": _with(standing.shipped, at, sum(worth))}
        case events.OrderInvoiced():
            return {"invoiced": _with(standing.invoiced, at, event.invoiced)}
        case _:
            return {"paid": _with(standing.paid, at, event.paid)}


ORDERS = Source(
    "order",
    "order_id",
    Order,
    fold,
    (
        events.OrderCreated,
        events.OrderChanged,
        events.OrderConfirmed,
        events.OrderAssigned,
        events.OrderCancelled,
        events.OrderReinstated,
        OrderReopened,
        events.OrderShipmentProgressed,
        events.OrderInvoiced,
        events.OrderPaid,
    ),
)
