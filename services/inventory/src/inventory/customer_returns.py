"""Goods that customers gave back, once somebody has looked at them: they come in at the cost that they left at, and what is scrapped leaves at once.

What left with a shipment is known by its events: quantity, cost, and what was settled of it since. A part that comes back costs its share of that,
and the parts of a line add up to it, to the minor unit. Under the first-in-first-out rule they are a layer of their own, the youngest; under the
moving average they join the one that there is. Of a tracked item, the lots come back that the inspection names; where it names none, or one that is
not with the customer any more, those of the line in the order in which they left.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from sqlalchemy import and_, select

from contracts.inventory import StockCostSettled, StockIssued, StockReceived
from contracts.lots import LotQuantity
from contracts.return_shipments import InspectedLine, ReturnInspected
from inventory import ledger
from inventory.by_lot import NOTHING, first_of, total, without
from inventory.models import Movement, inventory_event
from inventory.projections import ItemCopy
from inventory.stock import Place, StockItem, load_stocks
from tailrace.core.ids import uuid7
from tailrace.core.values.money import share
from tailrace.db.database import Tx
from tailrace.db.error_classes import NotYet
from tailrace.messaging.replica import by_ids


@dataclass(slots=True)
class Departed:
    """What left of an order's line with a shipment, what it cost, and what of both is back."""

    currency: str = ""
    quantity: Decimal = NOTHING
    value: int = 0
    back: Decimal = NOTHING
    value_back: int = 0
    lots: list[LotQuantity] = field(default_factory=list)
    """Of a tracked item, which are still with the customer."""

    def cost(self, quantity: Decimal) -> int:
        """What so much more of it cost: with it, what is back is its share of the whole, whatever was settled in between.

        Where an estimate turned out so much too high that more is back already, the rest is worth nothing.
        """
        return max(share(self.value, NOTHING, self.back + quantity, self.quantity) - self.value_back, 0)


async def take_in(tx: Tx, event: ReturnInspected) -> None:
    """Take in what is kept. Raises NotYet for goods whose departure, or whose item, has not been heard of here."""
    kept = [line for line in event.lines if line.verdict != "send_back"]
    stocks = await load_stocks(tx, (Place(line.item_id, line.warehouse_id) for line in kept))
    items = await by_ids(tx, ItemCopy, {line.item_id for line in kept})
    known: dict[tuple[UUID, UUID], Departed] = {}
    movements: list[Movement] = []
    for line in kept:
        if line.item_id not in items:
            raise NotYet(f"item {line.item_id} of return {event.number} is not here")
        stock = stocks[Place(line.item_id, line.warehouse_id)]
        part = (line.shipment_id, line.line_id)
        if part not in known:
            known[part] = await _departed(tx, stock, *part)
        departed = known[part]
        if departed.back + line.quantity > departed.quantity:
            raise NotYet(f"of return {event.number}, more comes back than is known to have left: {line.line_id}")
        averages = items[line.item_id].valuation == "moving_average"
        movements += _take(stock, stock.id if averages else uuid7(), line, event, departed)
    # What is restocked covers first what left without being in the books.
    movements += [each for stock in stocks.values() for each in ledger.settle(stock, event.inspected_at)]
    await ledger.write(tx, stocks.values(), movements)


def _take(
    stock: StockItem, layer_id: UUID, line: InspectedLine, event: ReturnInspected, departed: Departed
) -> list[Movement]:
    """In at the cost that it left at; and out again, of the very layer, where it is scrapped."""
    value, at = departed.cost(line.quantity), event.inspected_at
    because = {"order_id": event.order_id, "shipment_id": line.shipment_id, "line_id": line.line_id}
    because |= {"return_id": event.return_id}
    lots = _lots_of(line, departed)
    departed.lots = without(departed.lots, lots)
    came = stock.receive(
        layer_id, line.quantity, value, departed.currency, "return", at, event.number, lots=lots, **because
    )
    departed.back += line.quantity
    departed.value_back += value
    movements = [ledger.movement_of(stock, came)]
    if line.verdict == "scrap":
        gone = stock.scrap(layer_id, line.quantity, value, at, event.number, lots, **because)
        movements.append(ledger.movement_of(stock, gone))
    return movements


def _lots_of(line: InspectedLine, departed: Departed) -> list[LotQuantity]:
    """Those that the inspection names; the first ones that left, where it names none, or one that is not out any more."""
    named = total(line.lots) == line.quantity and not without(line.lots, departed.lots)
    return line.lots if named else first_of(departed.lots, line.quantity)


async def _departed(tx: Tx, stock: StockItem, shipment_id: UUID, line_id: UUID) -> Departed:
    """Read under the stock's lock. The movements of the shipment lead to their events, which say of which line they are."""
    query = (
        select(inventory_event.c.type, inventory_event.c.payload)
        .join(
            Movement,
            and_(
                Movement.tenant_id == inventory_event.c.tenant_id,
                Movement.stock_id == inventory_event.c.stream_id,
                Movement.seq == inventory_event.c.seq,
            ),
        )
        .where(Movement.shipment_id == shipment_id, Movement.stock_id == stock.id)
        .order_by(Movement.seq)
    )
    found = Departed()
    for type, payload in await tx.execute(query):
        if payload.get("line_id") != str(line_id):
            continue
        if type == StockReceived.type:
            came = StockReceived.model_validate(payload)
            found.back += came.quantity
            found.value_back += came.value
            found.lots = without(found.lots, came.lots)
        elif type == StockIssued.type and payload["reason"] == "shipment":
            left = StockIssued.model_validate(payload)
            found.currency = left.currency
            found.quantity += left.quantity
            found.value += left.value
            found.lots += left.lots
        elif type == StockCostSettled.type:
            settled = StockCostSettled.model_validate(payload)
            found.currency = settled.currency
            found.value += settled.value - settled.provisional
    return found
