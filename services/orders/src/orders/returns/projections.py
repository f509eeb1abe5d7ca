"""What returns keep of shipping: what has left with which shipment, and so can come back."""

from sqlalchemy.dialects.postgresql import insert

from contracts.shipments import ShipmentDispatched
from orders.returns.models import DepartedLine
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.subscribers import Projection

departures = Projection("orders.departures", tables=[DepartedLine])


@departures.on(ShipmentDispatched)
async def dispatched(tx: Tx, event: ShipmentDispatched, meta: Meta) -> None:
    rows = [
        {
            "tenant_id": tx.tenant_id,
            "shipment_id": event.shipment_id,
            "line_id": line.line_id,
            "order_id": event.order_id,
            "number": event.number,
            "quantity": line.quantity,
        }
        for line in event.lines
    ]
    if rows:
        await tx.execute(insert(DepartedLine).values(rows).on_conflict_do_nothing())
