"""What orders and shipments set off here. Neither needs a copy of anything: the streams alone say what is there and who holds it. Only for what
customers give back the item's valuation is looked up."""

from contracts.orders import BackorderCancellationRequested, ReservationReleaseRequested, ReservationRequested
from contracts.return_shipments import ReturnInspected
from contracts.shipments import ShipmentDispatched
from inventory import backorders, customer_returns, reservations
from inventory.holding import Wanted
from inventory.stock import Place
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.subscribers import EVER, Reaction

fulfilment = Reaction("inventory.fulfilment", since=EVER)
returns = Reaction("inventory.returns", since=EVER)
_SAME = ("reservation_id", "partial_allowed", "order_id", "expires_at", "rank", "waits", "hold_seconds")


@fulfilment.on(ReservationRequested)
async def reserve(tx: Tx, event: ReservationRequested, meta: Meta) -> None:
    lines = [
        Wanted(line.line_id, Place(line.item_id, line.warehouse_id), line.quantity, line.lot, line.remaining_days)
        for line in event.lines
    ]
    same = {name: getattr(event, name) for name in _SAME}
    await reservations.answer(tx, backorders.Request(lines=lines, **same))


@fulfilment.on(ReservationReleaseRequested)
async def release(tx: Tx, event: ReservationReleaseRequested, meta: Meta) -> None:
    await reservations.answer_release(tx, event)


@fulfilment.on(BackorderCancellationRequested)
async def stop_waiting(tx: Tx, event: BackorderCancellationRequested, meta: Meta) -> None:
    await backorders.close(tx, event)


@fulfilment.on(ShipmentDispatched)
async def issue(tx: Tx, event: ShipmentDispatched, meta: Meta) -> None:
    await reservations.dispatch(tx, event)


@returns.on(ReturnInspected)
async def inspected(tx: Tx, event: ReturnInspected, meta: Meta) -> None:
    await customer_returns.take_in(tx, event)
