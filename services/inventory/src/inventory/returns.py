"""Goods that go back to their supplier: credited at the price that they were received for, and no more of a receipt than came in with it.

They leave at the cost that the valuation gives them, as any issue; what that differs from the credit is a variance, which accounting posts.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select

from contracts.lots import LotQuantity
from inventory.by_lot import NOTHING
from inventory.models import LotMovement, Movement
from inventory.projections import DeliveryLine
from inventory.refusals import CurrencyDiffers, ReturnedAlready
from inventory.stock import Place, StockItem, load_stocks
from tailrace.core.errors import Invalid, Stale
from tailrace.core.values.money import share
from tailrace.db.database import Tx


async def load(tx: Tx, place: Place, receipt_id: UUID | None, match: int | None) -> tuple[StockItem, Movement | None]:
    """The stock that goods leave, locked, and the receipt they came in with. Raises Stale, Invalid, CurrencyDiffers.

    Goods may have been moved since: the stock that the receipt came into is locked as well, so that no two give the same goods back.
    """
    receipt = await _receipt(tx, place.item_id, receipt_id) if receipt_id is not None else None
    places: Sequence[Place] = (place,) if receipt is None else (place, Place(receipt.item_id, receipt.warehouse_id))
    stock = (await load_stocks(tx, places))[place]
    if match is not None and match != stock.version:
        raise Stale(match, stock.version)
    if receipt is not None and stock.state.valued_in not in {None, receipt.currency}:
        raise CurrencyDiffers(str(stock.state.currency), receipt.currency, "/receipt_id")
    return stock, receipt


async def credit(tx: Tx, receipt: Movement, quantity: Decimal, at: datetime) -> int:
    """What so much was received for, in minor units: parts of a receipt add up to it exactly. Raises ReturnedAlready, Invalid (the time)."""
    if at < receipt.effective_at:
        raise Invalid.field(
            "/effective_at", f"The goods came in at {receipt.effective_at.isoformat()}; not before that."
        )
    sent_back = select(func.coalesce(func.sum(-Movement.quantity), 0)).where(Movement.receipt_id == receipt.id)
    returned = Decimal(await tx.scalar(sent_back) or 0)
    if returned + quantity > receipt.quantity:
        raise ReturnedAlready(receipt.quantity, returned, quantity)
    return share(receipt.value, returned, quantity, receipt.quantity)


async def delivery_of(tx: Tx, receipt: Movement | None) -> UUID | None:
    """The delivery that a receipt was put away of; None where it was of none, or is not known."""
    if receipt is None or receipt.delivery_line_id is None:
        return None
    return await tx.scalar(select(DeliveryLine.asn_id).where(DeliveryLine.id == receipt.delivery_line_id))


async def check_lots(tx: Tx, receipt: Movement, lots: Sequence[LotQuantity]) -> None:
    """Of a tracked item, no more of a lot goes back than came in of it with the receipt. Raises Invalid and ReturnedAlready, which name the lot."""
    of_receipt = (LotMovement.stock_id == receipt.stock_id, LotMovement.seq == receipt.seq)
    rows = await tx.execute(select(LotMovement.lot_id, LotMovement.quantity).where(*of_receipt))
    came = {row[0]: row[1] for row in rows}
    query = (
        select(LotMovement.lot_id, func.sum(-LotMovement.quantity))
        .join(Movement, (Movement.stock_id == LotMovement.stock_id) & (Movement.seq == LotMovement.seq))
        .where(Movement.receipt_id == receipt.id)
        .group_by(LotMovement.lot_id)
    )
    returned = {row[0]: row[1] for row in await tx.execute(query)}
    for place, lot in enumerate(lots):
        if lot.lot_id not in came:
            raise Invalid.field(f"/lots/{place}/number", f"Nothing of lot {lot.number} came in with this receipt.")
        before = returned.get(lot.lot_id, NOTHING)
        if before + lot.quantity > came[lot.lot_id]:
            raise ReturnedAlready(came[lot.lot_id], before, lot.quantity, field=f"/lots/{place}/quantity")


async def _receipt(tx: Tx, item_id: UUID, id: UUID) -> Movement:
    bought = (Movement.kind == "received", Movement.reason == "purchase", Movement.item_id == item_id)
    receipt = await tx.scalar(select(Movement).where(Movement.id == id, *bought))
    if receipt is None:
        raise Invalid.field("/receipt_id", f"No purchase of this item came in with movement {id}.")
    return receipt
