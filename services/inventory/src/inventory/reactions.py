"""What orders and shipments set off here. Neither needs a copy of anything: the streams alone say what is there and who holds it."""

from contracts.orders import ReservationReleaseRequested, ReservationRequested
from contracts.shipments import ShipmentDispatched
from inventory import reservations
from inventory.holding import Wanted
from inventory.stock import Place
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.subscribers import EVER, Reaction

fulfilment = Reaction("inventory.fulfilment", since=EVER)


@fulfilment.on(ReservationRequested)
async def reserve(tx: Tx, fact: ReservationRequested, meta: Meta) -> None:
    lines = [Wanted(line.line_id, Place(line.item_id, line.warehouse_id), line.quantity) for line in fact.lines]
    request = reservations.Request(fact.reservation_id, lines, fact.partial_allowed, fact.order_id, fact.expires_at)
    await reservations.answer(tx, request)


@fulfilment.on(ReservationReleaseRequested)
async def release(tx: Tx, fact: ReservationReleaseRequested, meta: Meta) -> None:
    await reservations.answer_release(tx, fact)


@fulfilment.on(ShipmentDispatched)
async def issue(tx: Tx, fact: ShipmentDispatched, meta: Meta) -> None:
    await reservations.dispatch(tx, fact)
