"""How far from today a dispatch or a delivery may lie, where the company has said so."""

from contracts.users import TenantDatePolicyChanged
from shipping.base import Base
from tailrace.core.plausible import Bounds
from tailrace.db.database import Tx
from tailrace.messaging.date_policy import DatePolicy

MOVED = Bounds.of_years(1)

dates = DatePolicy("shipping.dates", Base.metadata, TenantDatePolicyChanged)


async def of_movements(tx: Tx) -> Bounds:
    """Within which goods may have moved."""
    return await dates.bounds(tx, "movement", MOVED)
