"""What orders and shipments set off here. Neither needs a copy of anything: the streams alone say what is there and who holds it. Only for what
customers give back the item's valuation is looked up."""

from contracts.orders import ReservationReleaseRequested, ReservationRequested
from contracts.return_shipments import ReturnInspected
from contracts.shipments import ShipmentDispatched
from inventory import customer_returns, reservations
from inventory.holding import Wanted
from inventory.stock import Place
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.subscribers import EVER, Reaction

fulfilment = Reaction("inventory.fulfilment", since=EVER)
returns = Reaction("inventory.returns", since=EVER)


@fulfilment.on(ReservationRequested)
async def reserve(tx: Tx, event: ReservationRequested, meta: Meta) -> None:
    lines = [Wanted(line.line_id, Place(line.item_id, line.warehouse_id), line.quantity) for line in event.lines]
    request = reservations.Request(event.reservation_id, lines, event.partial_allowed, event.order_id, event.expires_at)
    await reservations.answer(tx, request)


@fulfilment.on(ReservationReleaseRequested)
async def release(tx: Tx, event: ReservationReleaseRequested, meta: Meta) -> None:
    await reservations.answer_release(tx, event)


@fulfilment.on(ShipmentDispatched)
async def issue(tx: Tx, event: ShipmentDispatched, meta: Meta) -> None:
    await reservations.dispatch(tx, event)


@returns.on(ReturnInspected)
async def inspected(tx: Tx, event: ReturnInspected, meta: Meta) -> None:
    await customer_returns.take_in(tx, event)
