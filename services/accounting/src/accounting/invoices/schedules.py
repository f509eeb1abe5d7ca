"""Periodic invoices: on the day after a customer's closing day, all that has left for them by then is invoiced, by currency and terms of payment."""

from calendar import monthrange
from datetime import date
from uuid import UUID

from sqlalchemy import select

from accounting.days import days
from accounting.invoices import commands, policy
from accounting.invoices.bodies import MOST_SHIPMENTS
from accounting.invoices.buyers import followed, known_buyer
from accounting.invoices.copies import OrderCopy
from accounting.invoices.drafting import alike, fitting, of_customer, uninvoiced
from contracts.users import TenantCreated, TenantTimeZoneChanged
from tailrace.db.database import Tx
from tailrace.messaging.schedules import Schedule

closings = Schedule("accounting.closings", "30 0 * * *", days, TenantCreated, TenantTimeZoneChanged)


@closings.each_day
async def invoice_next(tx: Tx, day: date, behind: UUID | None) -> UUID | None:
    """Of a day that ended: one customer at a time, each in a transaction of its own, until there are no more."""
    later = select(OrderCopy.customer_id).where(OrderCopy.customer_id.is_not(None)).distinct()
    if behind is not None:
        later = later.where(OrderCopy.customer_id > behind)
    customer_id = await tx.scalar(later.order_by(OrderCopy.customer_id).limit(1))
    if customer_id is not None:
        await _invoice(tx, await followed(tx, customer_id), day)
    return customer_id


def closes_on(day: date, closing_day: int) -> bool:
    """Whether a day is the closing day of its month, which may be too short for it."""
    return day.day == min(closing_day, monthrange(day.year, day.month)[1])


async def _invoice(tx: Tx, customer_id: UUID, day: date) -> None:
    said, own = await policy.policy_of(tx), await policy.terms_of(tx, customer_id)
    if (own.mode or said.mode) != "periodic" or not closes_on(day, own.closing_day or said.closing_day):
        return
    theirs = await of_customer(tx, customer_id)
    while found := await uninvoiced(tx, theirs, until=day, most=MOST_SHIPMENTS):
        same = await alike(tx, found, await known_buyer(tx, customer_id))
        invoice = await commands.draft(tx, fitting(same))
        # What is not invoiced yet is asked of the database again.
        await tx.flush()
        if said.issues:
            await commands.issue(tx, invoice.id, None)
