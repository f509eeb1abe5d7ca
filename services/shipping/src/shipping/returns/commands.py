"""What happens to returns in the warehouse. The row's lock decides whether goods came before nothing more was expected."""

from collections.abc import Set
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from contracts.return_shipments import UnexpectedGoods
from contracts.returns import ReturnAuthorised
from shipping.dates import moved
from shipping.models import Shipment
from shipping.returns import lots
from shipping.returns.bodies import InspectionBody, ReceiptBody
from shipping.returns.models import ReturnShipment
from tailrace.core import clock
from tailrace.core.errors import Invalid, Unknown
from tailrace.db.database import Tx
from tailrace.db.error_classes import NotYet


async def expect(tx: Tx, asked: ReturnAuthorised) -> None:
    """Expect the goods that were authorised; nothing when they are expected already, or where all of it was performed."""
    if all(line.performed for line in asked.lines):
        return
    if await tx.scalar(select(ReturnShipment.id).where(ReturnShipment.id == asked.return_shipment_id)) is None:
        tx.add(ReturnShipment.expected(asked))


async def receive(tx: Tx, id: UUID, match: int | None, said: ReceiptBody) -> ReturnShipment:
    """Raises Implausible, WrongState, TooMuch, Invalid."""
    shipment = await tx.load(ReturnShipment, id, match)
    left = await _left(tx, shipment, {line.return_line_id for line in said.lines})
    at = await moved(tx, said.received_at, "/received_at", left)
    if left is not None and at < left:
        raise Invalid.field("/received_at", f"It left at {left.isoformat()}: it was not back before that.")
    came = [(line.return_line_id, line.quantity) for line in said.lines]
    shipment.receive(came, [UnexpectedGoods(**each.model_dump()) for each in said.unexpected], at)
    return shipment


async def inspect(tx: Tx, id: UUID, match: int | None, said: InspectionBody) -> ReturnShipment:
    """Raises WrongState, TooMuch, Invalid, NotYetKnown."""
    shipment = await tx.load(ReturnShipment, id, match)
    shipment.ensure_inspectable()
    of_lots = await lots.chosen(tx, shipment, said.lines)
    judged = [
        (line.return_line_id, line.verdict, line.quantity, line.note, which)
        for line, which in zip(said.lines, of_lots, strict=True)
    ]
    shipment.inspect(judged, clock.now())
    return shipment


async def end(tx: Tx, id: UUID, reason: str) -> None:
    """Expect nothing more of it, and answer. Raises NotYet for one that is not here: this database was restored behind its topic."""
    try:
        shipment = await tx.load(ReturnShipment, id)
    except Unknown:
        raise NotYet(f"return shipment {id} is not here") from None
    shipment.end(reason)


async def _left(tx: Tx, shipment: ReturnShipment, lines: Set[UUID]) -> datetime | None:
    """When the last of what these lines are of left; they cannot be back before that. None where that is not known."""
    parts = {line.shipment_id for line in shipment.lines if line.id in lines}
    return await tx.scalar(select(func.max(Shipment.dispatched_at)).where(Shipment.id.in_(parts)))
