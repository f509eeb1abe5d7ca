"""What suppliers delivered and is to be put away: shipping says what came of a delivery, and receipts against its lines move stock.

A supplier's code is no item of the catalog and no notice says what goods cost, so a person says both with the receipt. What was taken in of a line
is the sum of its receipts, and stands nowhere else; the row's lock lets no two put the same goods away.
"""

from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from inventory.projections import DeliveryLine
from inventory.refusals import MoreThanCame
from tailrace.db.database import Tx
from tailrace.messaging.replica import absent


async def put_away(tx: Tx, line_id: UUID, quantity: Decimal) -> DeliveryLine:
    """So much of a line goes into stock; the line is locked. Raises NotYetKnown, MoreThanCame."""
    lock = select(DeliveryLine.id).where(DeliveryLine.id == line_id).with_for_update()
    # The sum is read behind the lock: who held it before may have taken goods in.
    line = (
        None
        if await tx.scalar(lock) is None
        else await tx.scalar(select(DeliveryLine).where(DeliveryLine.id == line_id))
    )
    if line is None:
        raise absent(
            line_id, "/delivery_line_id", f"No line {line_id} of a delivery has come, as far as is known here."
        )
    if line.taken_in + quantity > line.received:
        raise MoreThanCame(line.number, line.sku, line.received, line.taken_in, quantity)
    return line
