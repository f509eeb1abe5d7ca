"""Which payment is for which invoice, both locked: a payment is allocated once, and an invoice is paid once, also when several ask at once."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from accounting.days import days
from accounting.invoices.buyers import same_customer
from accounting.invoices.models import Invoice
from accounting.invoices.timers import await_due
from accounting.payments.models import Allocation, Payment
from accounting.payments.rates import realised, worth
from accounting.payments.refusals import NotTheirInvoice, TooMuchAllocated
from tailrace.core import clock
from tailrace.core.errors import Invalid
from tailrace.core.ids import uuid7
from tailrace.core.values.money import LARGEST_AMOUNT
from tailrace.db.database import Tx


async def allocate(
    tx: Tx,
    payment: Payment,
    invoice: Invoice,
    amount: int | None,
    settled: int | None,
    day: date,
    at: datetime,
    field: str = "",
) -> Allocation:
    """Let `amount` of a payment settle `settled` of an invoice; as much as possible, where they are not said.

    `day` is from when on it is settled. In one currency both amounts are the same. In two, the rate of the day on which the money came says what an
    amount is worth, and what differs is a gain or a loss. Raises InvoiceState, PaymentState, TooMuchAllocated, NotTheirInvoice, NoRate.
    """
    payment.ensure_received()
    invoice.after("settled")
    assert invoice.counts_from is not None
    if invoice.customer_id is not None and not await same_customer(tx, invoice.customer_id, payment.customer_id):
        raise NotTheirInvoice(f"Invoice {invoice.name} is not one of the customer whose payment this is.", field=field)
    came = max(payment.value_day, invoice.counts_from)
    if payment.currency == invoice.currency:
        amount = amount or settled or min(payment.unallocated, invoice.open)
        settled = valued = amount
    else:
        amount = amount or payment.unallocated
        valued = await worth(tx, amount, payment.currency, invoice.currency, came)
        settled = settled or min(valued, invoice.open)
    if not amount or not settled or settled > invoice.open:
        raise TooMuchAllocated(f"Of invoice {invoice.name}, {invoice.open} is open.", field=field)
    currency, gain = await realised(tx, invoice.currency, invoice.paid, settled, invoice.counts_from, came)
    if max(valued, abs(gain)) > LARGEST_AMOUNT:
        raise Invalid.field(field, "By the rates of its day, it is worth more than an amount holds.")
    allocation = Allocation(
        id=uuid7(),
        invoice_id=invoice.id,
        invoice_number=invoice.name,
        amount=amount,
        invoice_currency=invoice.currency,
        settled=settled,
        worth=valued,
        company_currency=currency,
        realised=gain,
        day=day,
    )
    payment.allocate(allocation, invoice.customer_id, at, invoice.settle(settled, day))
    return allocation


async def unallocate(tx: Tx, payment: Payment, allocation: Allocation, day: date, at: datetime, reason: str) -> None:
    """Undo an allocation: the invoice is open again by so much. Raises InvoiceState."""
    invoice = await tx.load(Invoice, allocation.invoice_id)
    due = -invoice.settle(-allocation.settled, day)
    payment.unallocate(allocation, invoice.customer_id, day, at, reason, due)
    await await_due(tx, invoice)


async def free(tx: Tx, invoice: Invoice, amount: int, day: date, reason: str) -> None:
    """Give so much of what was paid for an invoice free, from the newest payment back; it is the customer's credit again.

    It is free from `day` on, or from the day on which it was allocated, where that was later. What is given free beyond it is allocated again, of
    the same payment.
    """
    newest = select(Allocation.id, Allocation.payment_id).where(Allocation.invoice_id == invoice.id)
    for id, payment_id in (await tx.execute(newest.order_by(Allocation.id.desc()))).all():
        if amount <= 0:
            break
        payment = await tx.load(Payment, payment_id)
        allocation = next(each for each in payment.allocations if each.id == id)
        settled, currency, since = allocation.settled, allocation.invoice_currency, max(day, allocation.day)
        at = min(clock.now(), await days.end_of(tx, since))
        await unallocate(tx, payment, allocation, since, at, reason)
        if settled > amount:
            part = settled - amount
            same = payment.currency == currency
            paid = part if same else max(allocation.amount * part // settled, 1)
            await allocate(tx, payment, invoice, paid, part, since, at)
        amount -= settled


async def of_invoice(tx: Tx, invoice_id: UUID) -> list[Allocation]:
    """What was paid for an invoice, in the order in which it was allocated."""
    return list(await tx.scalars(select(Allocation).where(Allocation.invoice_id == invoice_id).order_by(Allocation.id)))
