"""What of shipments came back before it was invoiced, and so is never invoiced."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select

from accounting.settlements.models import UnbilledReturn
from tailrace.db.database import Tx


@dataclass(frozen=True, slots=True)
class Back:
    """So much of a line of a shipment, and what it had been booked with."""

    quantity: Decimal = Decimal(0)
    net: int = 0
    tax: int = 0


async def unbilled(tx: Tx, shipment_ids: Collection[UUID]) -> Mapping[tuple[UUID, UUID], Back]:
    """By shipment and line of the order. Ask for it with the shipments locked."""
    whose = (UnbilledReturn.shipment_id, UnbilledReturn.line_id)
    sums = (func.sum(UnbilledReturn.quantity), func.sum(UnbilledReturn.net), func.sum(UnbilledReturn.tax))
    query = select(*whose, *sums).where(UnbilledReturn.shipment_id.in_(shipment_ids)).group_by(*whose)
    found = (await tx.execute(query)).all()
    return {(each[0], each[1]): Back(Decimal(each[2]), int(each[3]), int(each[4])) for each in found}
