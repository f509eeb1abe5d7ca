"""Each morning of the company, the customers whose investment profile is due to be asked about again are announced, each once."""

from datetime import UTC, date, datetime

from sqlalchemy import select

from contracts.users import TenantCreated, TenantTimeZoneChanged
from customers.models import Customer
from customers.projections import days
from tailrace.core.payload import Payload
from tailrace.db.database import Tx
from tailrace.messaging.schedules import Schedule
from tailrace.messaging.timers import Timer

AT_ONCE = 500
"""How many customers are announced in one transaction."""


class Morning(Payload):
    """The day up to which reviews are due."""

    day: date


mornings = Schedule("customers.reviews", "0 6 * * *", days, TenantCreated, TenantTimeZoneChanged)
batch = Timer("customers.review_batch", carries=Morning)


@mornings.run
async def begin(tx: Tx, at: datetime) -> None:
    await batch.set(tx, tx.tenant_id, datetime.now(UTC), Morning(day=await days.day_of(tx, at)))


@batch.due
async def announce(tx: Tx, key: object, morning: Morning) -> None:
    """A batch at a time, until there are no more."""
    due = (
        select(Customer.id)
        .where(Customer.review_due_on <= morning.day, Customer.deleted_at.is_(None), Customer.merged_into_id.is_(None))
        .order_by(Customer.review_due_on, Customer.id)
        .limit(AT_ONCE)
    )
    ids = list(await tx.scalars(due))
    for id in sorted(ids):
        (await tx.load(Customer, id)).reach_review(morning.day)
    if len(ids) == AT_ONCE:
        await batch.set(tx, tx.tenant_id, datetime.now(UTC), morning)
