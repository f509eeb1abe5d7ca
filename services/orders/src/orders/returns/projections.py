"""What can be taken back: what has left with which shipment, and what was performed when."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from contracts.performances import PerformedLine, ServicesPerformed
from contracts.shipments import DispatchedLine, ShipmentDispatched
from orders.returns.lines import DepartedLine
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.subscribers import Projection

departures = Projection("orders.departures", tables=[DepartedLine])


@departures.on(ShipmentDispatched)
async def dispatched(tx: Tx, event: ShipmentDispatched, meta: Meta) -> None:
    await _keep(tx, event.shipment_id, event.lines, order_id=event.order_id, number=event.number, performed=False)


@departures.on(ServicesPerformed)
async def performed(tx: Tx, event: ServicesPerformed, meta: Meta) -> None:
    await _keep(tx, event.performance_id, event.lines, order_id=event.order_id, number=event.number, performed=True)


async def _keep(tx: Tx, id: UUID, lines: Iterable[DispatchedLine | PerformedLine], **said: Any) -> None:
    whose = {"tenant_id": tx.tenant_id, "shipment_id": id, **said}
    rows = [{**whose, "line_id": line.line_id, "quantity": line.quantity} for line in lines]
    if rows:
        await tx.execute(insert(DepartedLine).values(rows).on_conflict_do_nothing())
