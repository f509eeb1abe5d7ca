"""How far from today a dispatch or a delivery may lie, where the company has said so."""

from dataclasses import replace
from datetime import timedelta

from contracts.users import TenantDatePolicyChanged
from shipping.base import Base
from tailrace.core.plausible import Bounds
from tailrace.db.database import Tx
from tailrace.messaging.date_policy import DatePolicy

MOVED = Bounds.of_years(1)
_SAID_BY_CARRIERS = replace(MOVED, ahead=timedelta(days=1))
"""Some carriers write the time of where a parcel is as if it were UTC's."""

dates = DatePolicy("shipping.dates", Base.metadata, TenantDatePolicyChanged)


async def of_movements(tx: Tx) -> Bounds:
    """Within which goods may have moved."""
    return await dates.bounds(tx, "movement", MOVED)


async def of_carriers(tx: Tx) -> Bounds:
    """Within which carriers may say that they did."""
    return await dates.bounds(tx, "movement", _SAID_BY_CARRIERS)
