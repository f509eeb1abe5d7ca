"""What orders ask of shipping: ship, wait, go on, cancel. One subscriber, so that an order's wishes are heard in their order."""

from contracts.orders import OrderHeld, OrderResumed, ShipmentCancellationRequested, ShipmentRequested
from shipping import commands
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.subscribers import EVER, Reaction

order_requests = Reaction("shipping.order_requests", since=EVER)


@order_requests.on(ShipmentRequested)
async def requested(tx: Tx, event: ShipmentRequested, meta: Meta) -> None:
    await commands.create(tx, event)


@order_requests.on(OrderHeld)
async def held(tx: Tx, event: OrderHeld, meta: Meta) -> None:
    await commands.hold(tx, event.order_id, event.reason)


@order_requests.on(OrderResumed)
async def resumed(tx: Tx, event: OrderResumed, meta: Meta) -> None:
    await commands.resume(tx, event.order_id)


@order_requests.on(ShipmentCancellationRequested)
async def cancel_requested(tx: Tx, event: ShipmentCancellationRequested, meta: Meta) -> None:
    await commands.cancel(tx, event.order_id, event.reservation_id, event.reason)
