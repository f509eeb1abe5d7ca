"""Each night of the company, those who owe something that has reached a new level are reminded, where that is the policy."""

from datetime import UTC, date, datetime
from uuid import UUID

from accounting.days import days
from accounting.dunning import commands
from contracts.users import TenantCreated, TenantTimeZoneChanged
from tailrace.core.payload import Payload
from tailrace.db.database import Tx
from tailrace.messaging.schedules import Schedule
from tailrace.messaging.timers import Timer


class Night(Payload):
    """The day as of which reminders are due."""

    day: date


nights = Schedule("accounting.dunning", "0 2 * * *", days, TenantCreated, TenantTimeZoneChanged)
batch = Timer("accounting.dunning_batch", carries=Night)


@nights.run
async def begin(tx: Tx, at: datetime) -> None:
    if (await commands.policy_of(tx)).automatic:
        await batch.set(tx, tx.tenant_id, datetime.now(UTC), Night(day=await days.day_of(tx, at)))


@batch.due
async def remind_next(tx: Tx, key: UUID, night: Night) -> None:
    """One customer at a time, each in a transaction of its own, until nobody is left: what was reminded has reached its level."""
    found = await commands.next_invoice(tx, night.day)
    if found is not None:
        await commands.remind(tx, found.id, night.day)
        await batch.set(tx, tx.tenant_id, datetime.now(UTC), night)
