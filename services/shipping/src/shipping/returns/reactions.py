"""What orders ask of shipping about returns: expect, and expect no more. One subscriber, so that it is heard in its order."""

from contracts.returns import ReturnAuthorised, ReturnCancellationRequested
from shipping.returns import commands
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.subscribers import EVER, Reaction

return_requests = Reaction("shipping.return_requests", since=EVER)


@return_requests.on(ReturnAuthorised)
async def authorised(tx: Tx, event: ReturnAuthorised, meta: Meta) -> None:
    await commands.expect(tx, event)


@return_requests.on(ReturnCancellationRequested)
async def cancellation_requested(tx: Tx, event: ReturnCancellationRequested, meta: Meta) -> None:
    await commands.end(tx, event.return_shipment_id, event.reason)
