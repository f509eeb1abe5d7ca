"""What shipping and accounting say of returns."""

from uuid import UUID

from contracts.return_settlements import ReturnSettled
from contracts.return_shipments import ReturnExpectationEnded, ReturnInspected, ShipmentReturned
from orders.returns.exchanges import finish
from orders.returns.models import Return
from tailrace.core.errors import Unknown
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.db.error_classes import NotYet
from tailrace.messaging.subscribers import EVER, Reaction

returns = Reaction("orders.returns", since=EVER)


@returns.on(ShipmentReturned)
async def returned(tx: Tx, event: ShipmentReturned, meta: Meta) -> None:
    """What came besides is shipping's to say; only an expected line brings the return on."""
    if event.lines:
        (await _of(tx, event.return_id)).receive(event.lines)


@returns.on(ReturnInspected)
async def inspected(tx: Tx, event: ReturnInspected, meta: Meta) -> None:
    of = await _of(tx, event.return_id)
    of.inspect(event.lines)
    await finish(tx, of)


@returns.on(ReturnExpectationEnded)
async def expectation_ended(tx: Tx, event: ReturnExpectationEnded, meta: Meta) -> None:
    of = await _of(tx, event.return_id)
    of.end_expectation(event.reason, event.lines)
    await finish(tx, of)


@returns.on(ReturnSettled)
async def settled(tx: Tx, event: ReturnSettled, meta: Meta) -> None:
    of = await _of(tx, event.return_id)
    of.credit(event)
    await finish(tx, of)


async def _of(tx: Tx, id: UUID) -> Return:
    """Raises NotYet for one that is not here: this database was restored behind its topic."""
    try:
        return await tx.load(Return, id)
    except Unknown:
        raise NotYet(f"return {id} is not here") from None
