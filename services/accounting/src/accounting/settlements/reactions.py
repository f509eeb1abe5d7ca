"""What orders ask of the books about returns."""

from accounting.settlements.commands import settle
from contracts.returns import ReturnSettlementRequested
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.subscribers import EVER, Reaction

settlements = Reaction("accounting.return_settlements", since=EVER)


@settlements.on(ReturnSettlementRequested)
async def requested(tx: Tx, event: ReturnSettlementRequested, meta: Meta) -> None:
    await settle(tx, event)
