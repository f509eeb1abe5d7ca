"""What time does to invoices: the day by which one was to be paid is over."""

from datetime import timedelta
from uuid import UUID

from accounting.days import days
from accounting.invoices.models import Invoice
from tailrace.db.database import Tx
from tailrace.messaging.timers import Timer

_ONE_DAY = timedelta(days=1)

due = Timer("accounting.invoice_due")


async def await_due(tx: Tx, invoice: Invoice) -> None:
    """Look at the invoice when the day by which it is to be paid is over, as the company counts its days now."""
    if invoice.due_on is not None and invoice.open and not invoice.overdue:
        await due.set(tx, invoice.id, (await days.calendar(tx)).first_moment(invoice.due_on + _ONE_DAY))


@due.due
async def reach(tx: Tx, invoice_id: UUID) -> None:
    """Note that it is overdue; later, when the company's days changed so that the last one is not over."""
    invoice = await tx.load(Invoice, invoice_id)
    if not invoice.open or invoice.overdue or invoice.due_on is None:
        return
    if await days.today(tx) <= invoice.due_on:
        await await_due(tx, invoice)
    else:
        invoice.reach_overdue(invoice.due_on + _ONE_DAY)
