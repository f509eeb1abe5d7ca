"""What is done with payments: entered, allocated, given back. What that leads to in the books follows from the events that this records."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from accounting.days import dates, days
from accounting.invoices.buyers import followed, known_buyer
from accounting.invoices.commands import ensure_roles, moment_of
from accounting.invoices.models import Invoice
from accounting.payments.allocation import allocate, unallocate
from accounting.payments.bodies import AllocationBody, PaymentBody
from accounting.payments.models import BankAccount, Payment
from accounting.payments.refusals import PaymentState
from tailrace.core.errors import Invalid, Unknown
from tailrace.core.values.plausible import checked_day
from tailrace.db.database import Tx
from tailrace.db.numbers import Numbers

NUMBERS = Numbers("payment", "P-{series}-{number:06}")
_BACK = timedelta(days=3653)


async def receive(tx: Tx, asked: PaymentBody) -> Payment:
    """Enter money that came in, and allocate it as far as was said.

    Raises Invalid, NotYetKnown, Implausible, RoleUnmapped, and what `allocate` does.
    """
    bank = await bank_account(tx, asked.bank_account_id)
    first, today = await enterable(tx)
    day = asked.value_day or today
    checked_day(day, first, today, "/value_day")
    await ensure_roles(tx, day, ("receivable", "customer_credit", "unidentified_receipts"))
    customer_id = asked.customer_id
    if customer_id is not None:
        customer_id = (await known_buyer(tx, customer_id)).customer_id
    at = await moment_of(tx, day)
    terms = {
        **asked.model_dump(include={"amount", "payer_name", "reference"}),
        "bank_account_id": bank.id,
        "account": bank.account,
        "currency": bank.currency,
        "value_day": day,
        "customer_id": customer_id,
        "number": await NUMBERS.next(tx, str(day.year)),
    }
    payment = Payment.received(terms, at)
    tx.add(payment)
    await _allocate(tx, payment, asked.allocations, as_it_came=True)
    return payment


async def enterable(tx: Tx) -> tuple[date, date]:
    """The first and the last value day of money that may be entered: of none that is still to come."""
    today = await days.today(tx)
    return await dates.days(tx, "payment", today, today - _BACK, today)


async def came_back_first(tx: Tx, value_day: date) -> date:
    """The first day on which money may have come back that moved on `value_day`: that one, or the first that the company takes payments of."""
    today = await days.today(tx)
    first, _ = await dates.days(tx, "payment", today, value_day, today)
    return max(first, value_day)


async def allocate_payment(tx: Tx, id: UUID, match: int | None, asked: Sequence[AllocationBody]) -> Payment:
    """Raises what `allocate` does."""
    payment = await tx.load(Payment, id, match)
    await _allocate(tx, payment, asked)
    return payment


async def unallocate_payment(tx: Tx, id: UUID, allocation_id: UUID, match: int | None, reason: str) -> Payment:
    """Undo one allocation, as of today. Raises Unknown."""
    payment = await tx.load(Payment, id, match)
    allocation = next((each for each in payment.allocations if each.id == allocation_id), None)
    if allocation is None:
        raise Unknown("Allocation", allocation_id)
    day = await days.today(tx)
    await unallocate(tx, payment, allocation, day, await moment_of(tx, day), reason)
    return payment


async def assign(tx: Tx, id: UUID, match: int | None, customer_id: UUID) -> Payment:
    """Know whose it is. Raises PaymentState, Invalid, NotYetKnown."""
    payment = await tx.load(Payment, id, match)
    buyer = await known_buyer(tx, customer_id)
    assert buyer.customer_id is not None
    day = await days.today(tx)
    payment.assign(buyer.customer_id, day, await moment_of(tx, day))
    return payment


async def reverse(tx: Tx, id: UUID, match: int | None, reason: str) -> Payment:
    """Note that the money went back. Raises PaymentState."""
    payment = await tx.load(Payment, id, match)
    day = await days.today(tx)
    payment.reverse(day, await moment_of(tx, day), reason)
    return payment


async def take_back(tx: Tx, payment: Payment, day: date | None, reason: str) -> Payment:
    """The bank took a payment back: what it was for is open again, and the money is gone. Raises PaymentState, Implausible.

    It holds from the day of the bank, or from the day on which something of it was allocated, where that was later.
    """
    payment.ensure_received()
    if payment.refunded:
        raise PaymentState(f"{payment.refunded} of payment {payment.number} was paid back.")
    today = await days.today(tx)
    if day is not None:
        checked_day(day, await came_back_first(tx, payment.value_day), today, "/day")
    since = max([day or today, *(each.day for each in payment.allocations)])
    at = await moment_of(tx, since)
    for allocation in sorted(payment.allocations, key=lambda one: one.invoice_id):
        await unallocate(tx, payment, allocation, since, at, reason)
    payment.reverse(since, at, reason)
    return payment


async def _allocate(tx: Tx, payment: Payment, asked: Sequence[AllocationBody], *, as_it_came: bool = False) -> None:
    """In the order of the invoices' ids, so that two who do this at once wait for one another. A payer who was unknown is the invoice's customer.

    What is allocated as it comes in settles from its value day on; what is allocated later, from that day on.
    """
    today = await days.today(tx)
    places = {each.invoice_id: at for at, each in enumerate(asked)}
    if len(places) < len(asked):
        raise Invalid.field("/allocations", "An invoice is named twice.")
    for each in sorted(asked, key=lambda one: one.invoice_id):
        field = f"/allocations/{places[each.invoice_id]}"
        try:
            invoice = await tx.load(Invoice, each.invoice_id)
        except Unknown as error:
            raise Invalid.field(f"{field}/invoice_id", f"There is no invoice {each.invoice_id}.") from error
        if payment.customer_id is None and invoice.customer_id is not None and not payment.allocated:
            known = payment.value_day if as_it_came else today
            payment.assign(await followed(tx, invoice.customer_id), known, await moment_of(tx, known))
        day = max(payment.value_day, invoice.counts_from or today) if as_it_came else today
        await allocate(tx, payment, invoice, each.amount, each.settled, day, await moment_of(tx, day), field)


async def bank_account(tx: Tx, id: UUID, *, lock: bool = False) -> BankAccount:
    """One that is in use; locked, so that others who read its statements wait. Raises Invalid."""
    try:
        return await tx.load(BankAccount, id) if lock else await tx.find(BankAccount, id)
    except Unknown as error:
        raise Invalid.field("/bank_account_id", f"There is no bank account {id}.") from error
