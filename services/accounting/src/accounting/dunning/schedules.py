"""Each night of the company, those who owe something that has reached a new level are reminded, where that is the policy."""

from datetime import UTC, date, datetime
from uuid import UUID

from accounting.days import days
from accounting.dunning import commands
from contracts.users import TenantCreated, TenantTimeZoneChanged
from tailrace.core.errors import Problem
from tailrace.core.payload import Payload
from tailrace.db.database import Tx
from tailrace.db.error_classes import NotYet
from tailrace.messaging.schedules import Schedule
from tailrace.messaging.timers import Timer
from tailrace.observability.logs import log


class Night(Payload):
    """The day as of which reminders are due, and the last invoice that nobody could be reminded of: those before it had their turn."""

    version = 2

    day: date
    due_on: date | None = None
    invoice_id: UUID | None = None

    @property
    def behind(self) -> tuple[date, UUID] | None:
        return None if self.due_on is None or self.invoice_id is None else (self.due_on, self.invoice_id)


nights = Schedule("accounting.dunning", "0 2 * * *", days, TenantCreated, TenantTimeZoneChanged)
batch = Timer("accounting.dunning_batch", carries=Night)


@nights.run
async def begin(tx: Tx, at: datetime) -> None:
    if (await commands.policy_of(tx)).automatic:
        await batch.set(tx, tx.tenant_id, datetime.now(UTC), Night(day=await days.day_of(tx, at)))


@batch.due
async def remind_next(tx: Tx, key: UUID, night: Night) -> None:
    """One customer at a time, each in a transaction of its own, until nobody is left: what was reminded has reached its level."""
    found = await commands.next_invoice(tx, night.day, night.behind)
    if found is None:
        return
    id, due_on = found.id, found.due_on
    try:
        async with tx.begin_nested():
            await commands.remind(tx, id, night.day)
    except Problem as problem:
        if problem.status >= 500 or isinstance(problem, NotYet):
            raise
        # One whose fee cannot be asked for, for instance. The others do not wait for it; who reminds by hand is told why.
        log.warning("nobody was reminded", invoice=str(id), reason=problem.slug)
        night = Night(day=night.day, due_on=due_on, invoice_id=id)
    await batch.set(tx, tx.tenant_id, datetime.now(UTC), night)
