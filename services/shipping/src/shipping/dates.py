"""How far from today a dispatch or a delivery may lie, and the last day of goods, where the company has said so."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from contracts.users import TenantDatePolicyChanged
from shipping.base import Base
from shipping.projections import days
from tailrace.core.values.plausible import Bounds
from tailrace.db.database import Tx
from tailrace.messaging.date_policy import DatePolicy

MOVED = Bounds.of_years(1)
_SAID_BY_CARRIERS = replace(MOVED, ahead=timedelta(days=1))
"""Some carriers write the time of where a parcel is as if it were UTC's."""

dates = DatePolicy("shipping.dates", Base.metadata, TenantDatePolicyChanged, days)


async def moved(tx: Tx, said: datetime | date | None, field: str, after: datetime | None = None) -> datetime:
    """When goods moved, or now; on the day of what has to be before, `after`, as of that. Raises Implausible."""
    return await dates.moment(tx, "movement", MOVED, said, field, after=after)


async def check_last_days(tx: Tx, said: Sequence[date | None], at: str) -> None:
    """Of the goods in the lines at `at`, a JSON pointer, the last day that they are good; None where nobody said. Raises Implausible."""
    if any(said):
        today = await days.today(tx)
        for place, day in enumerate(said):
            if day is not None:
                await dates.check_last_day(tx, "expiry", day, today, f"{at}/{place}/expires_on")


async def of_carriers(tx: Tx) -> Bounds:
    """Within which carriers may say that they did."""
    return await dates.bounds(tx, "movement", _SAID_BY_CARRIERS)
