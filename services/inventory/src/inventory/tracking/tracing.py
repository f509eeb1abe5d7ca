"""Where a lot came from and where it went: the answer to a recall, from what each movement moved of it."""

from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from inventory.models import Lot, LotMovement, LotStock
from inventory.tracking.views import LotDetail, LotMovementView, LotPlaceView, LotView
from tailrace.db.database import Tx

MOST = 200


async def detail(tx: Tx, id: UUID) -> LotDetail:
    """Raises Unknown."""
    lot = await tx.find(Lot, id)
    lies = await tx.scalars(select(LotStock).where(LotStock.lot_id == id).order_by(LotStock.warehouse_id))
    places = [LotPlaceView.model_validate(row) for row in lies]
    # What went from one warehouse to another did not leave the house.
    moves = select(LotMovement).where(LotMovement.lot_id == id, LotMovement.other_warehouse_id.is_(None))
    newest = moves.order_by(LotMovement.id.desc()).limit(MOST)
    came = await tx.scalars(newest.where(LotMovement.quantity > 0))
    went = await tx.scalars(newest.where(LotMovement.quantity < 0))
    return LotDetail(
        **LotView.model_validate(lot).model_dump(),
        on_hand=sum((place.quantity for place in places), Decimal(0)),
        places=places,
        came_from=[LotMovementView.model_validate(row) for row in came],
        went_to=[LotMovementView.model_validate(row) for row in went],
    )
