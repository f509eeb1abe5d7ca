"""What analytics do by the clock: measure, each night, what the day that ended brought."""

from datetime import date
from uuid import UUID

from analytics import kpis
from analytics.projections import days
from contracts.users import TenantCreated, TenantTimeZoneChanged
from tailrace.db.database import Tx
from tailrace.messaging.schedules import Schedule

nights = Schedule("analytics.kpis", "15 0 * * *", days, TenantCreated, TenantTimeZoneChanged)
"""A quarter of an hour after the day's end, so that what happened last has arrived; what comes later counts the night after."""


@nights.each_day
async def measure(tx: Tx, day: date, behind: UUID | None) -> None:
    await kpis.measure_all(tx, day)
