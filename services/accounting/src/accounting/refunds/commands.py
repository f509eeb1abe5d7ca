"""What is done with refunds: asked for, paid, withdrawn, come in again. What that leads to in the books follows from the events that this records.

Payments are locked in the order of their ids, so that two who pay back the same money wait for one another, and the second one is refused.
"""

from datetime import date
from uuid import UUID

from sqlalchemy import select

from accounting.days import days
from accounting.drafts import limits_of
from accounting.invoices.buyers import followed, known_buyer, same_customer, standing_for
from accounting.invoices.commands import ensure_roles, moment_of
from accounting.payments.commands import bank_account, came_back_first, enterable
from accounting.payments.models import BankAccount, Payment
from accounting.payments.refusals import TooMuchAllocated
from accounting.refunds.bodies import NewRefund
from accounting.refunds.models import Refund, RefundPart
from accounting.refunds.refusals import NothingToRefund
from tailrace.core.context import Principal
from tailrace.core.errors import Invalid, Problem, Unknown
from tailrace.core.ids import uuid7
from tailrace.core.values.money import LARGEST_AMOUNT
from tailrace.core.values.plausible import checked_day
from tailrace.db.database import Tx
from tailrace.db.numbers import Numbers

NUMBERS = Numbers("refund", "R-{series}-{number:06}")


async def create(tx: Tx, who: Principal, asked: NewRefund) -> Refund:
    """Pay money back, or let that wait for an approval where it is above the company's limit.

    Raises Invalid, NotYetKnown, Implausible, NothingToRefund, TooMuchAllocated, PaymentState, RoleUnmapped.
    """
    bank = await bank_account(tx, asked.bank_account_id)
    first, today = await enterable(tx)
    if asked.value_day is not None:
        checked_day(asked.value_day, first, today, "/value_day")
    found = await _named(tx, bank, asked) if asked.payments else await _credit(tx, bank, asked)
    payer = found[0][0].customer_id
    customer_id = None if payer is None else await followed(tx, payer)
    latest = max(payment.value_day for payment, _ in found)
    if asked.value_day is not None and asked.value_day < latest:
        raise Invalid.field("/value_day", f"Some of it came in on {latest}: not before that.")
    parts = [
        RefundPart(id=uuid7(), position=position, payment_id=payment.id, payment_number=payment.number, amount=amount)
        for position, (payment, amount) in enumerate(found, 1)
    ]
    amount = sum(part.amount for part in parts)
    if amount > LARGEST_AMOUNT:
        raise Invalid.field("/payments" if asked.payments else "/amount", f"{amount} is too much for one refund.")
    terms = {
        "id": uuid7(),
        "number": await NUMBERS.next(tx, str((asked.value_day or today).year)),
        "customer_id": customer_id,
        "bank_account_id": bank.id,
        "account": bank.account,
        "currency": bank.currency,
        "amount": amount,
        "requester_id": who.user_id,
        **asked.model_dump(include={"payee_name", "payee_iban", "reason", "value_day"}),
    }
    refund = Refund.of(terms, parts)
    tx.add(refund)
    limit = {each.currency: each.amount for each in await limits_of(tx)}.get(refund.currency)
    if limit is not None and refund.amount > limit:
        refund.submit()
    else:
        await pay(tx, refund, None)
    return refund


async def pay(tx: Tx, refund: Refund, approval_id: UUID | None) -> None:
    """Take it from its payments. Raises TooMuchAllocated and PaymentState when it is not there any more, RefundState, RoleUnmapped."""
    day = refund.value_day or await days.today(tx)
    await ensure_roles(tx, day, ("customer_credit", "unidentified_receipts"))
    whose: dict[UUID, UUID | None] = {}
    for part in sorted(refund.parts, key=lambda one: one.payment_id):
        payment = await tx.load(Payment, part.payment_id)
        if not await _theirs(tx, payment, refund.customer_id):
            raise TooMuchAllocated(f"Payment {payment.number} is somebody else's by now.")
        payment.refund(refund.id, part.amount)
        whose[payment.id] = payment.customer_id
    refund.pay(day, await moment_of(tx, day), approval_id, whose)


async def pay_approved(tx: Tx, refund: Refund, approval_id: UUID) -> None:
    """Pay what was approved. What is not there any more is not paid: the refund is rejected, with the reason."""
    id = refund.id
    try:
        async with tx.begin_nested():
            await pay(tx, refund, approval_id)
    except Problem as problem:
        refund = await tx.load(Refund, id)
        refund.reject(problem.detail or problem.title)


async def come_back(tx: Tx, refund: Refund, day: date | None, reason: str) -> Refund:
    """The money came in again: it is for no invoice, as before. Raises RefundState, Implausible."""
    refund.after("returned")
    assert refund.value_day is not None
    today = await days.today(tx)
    if day is not None:
        checked_day(day, await came_back_first(tx, refund.value_day), today, "/day")
    day = day or today
    whose: dict[UUID, UUID | None] = {}
    for part in sorted(refund.parts, key=lambda one: one.payment_id):
        payment = await tx.load(Payment, part.payment_id)
        payment.take_back(refund.id, part.amount)
        whose[payment.id] = payment.customer_id
    refund.come_back(day, await moment_of(tx, day), reason, whose)
    return refund


async def _named(tx: Tx, bank: BankAccount, asked: NewRefund) -> list[tuple[Payment, int]]:
    places = {each.payment_id: at for at, each in enumerate(asked.payments)}
    if len(places) < len(asked.payments):
        raise Invalid.field("/payments", "A payment is named twice.")
    found: list[tuple[Payment, int]] = []
    for each in sorted(asked.payments, key=lambda one: one.payment_id):
        field = f"/payments/{places[each.payment_id]}/payment_id"
        try:
            payment = await tx.load(Payment, each.payment_id)
        except Unknown as error:
            raise Invalid.field(field, f"There is no payment {each.payment_id}.") from error
        if payment.currency != bank.currency:
            raise Invalid.field(field, f"It is in {payment.currency}, and the bank account in {bank.currency}.")
        if found and not await _theirs(tx, payment, found[0][0].customer_id):
            raise Invalid.field(field, "It is another customer's than the others.")
        payment.ensure_received()
        amount = each.amount or payment.unallocated
        if not amount or amount > payment.unallocated:
            raise TooMuchAllocated(f"Of payment {payment.number}, {payment.unallocated} is left.", field=field)
        found.append((payment, amount))
    return found


async def _theirs(tx: Tx, payment: Payment, customer_id: UUID | None) -> bool:
    """Whether it is the payment of this customer, who may be called otherwise by now; or nobody's, as long as nobody is known."""
    if payment.customer_id is None or customer_id is None:
        return payment.customer_id == customer_id
    return await same_customer(tx, payment.customer_id, customer_id)


async def _credit(tx: Tx, bank: BankAccount, asked: NewRefund) -> list[tuple[Payment, int]]:
    """Of the customer's payments, the oldest first, as much as is asked for."""
    assert asked.customer_id is not None
    customer_id = (await known_buyer(tx, asked.customer_id)).customer_id
    assert customer_id is not None
    query = (
        select(Payment.id)
        .where(
            Payment.customer_id.in_(await standing_for(tx, customer_id)),
            Payment.currency == bank.currency,
            Payment.status == "received",
            Payment.amount > Payment.allocated + Payment.refunded,
        )
        .order_by(Payment.id)
    )
    found, left = [], asked.amount
    for id in (await tx.scalars(query)).all():
        payment = await tx.load(Payment, id)
        amount = payment.unallocated if left is None else min(left, payment.unallocated)
        if amount:
            found.append((payment, amount))
        if left is not None:
            left -= amount
            if not left:
                break
    if not found:
        raise NothingToRefund(f"Nothing of the customer's money in {bank.currency} is for no invoice.")
    if left:
        there = sum(amount for _, amount in found)
        raise TooMuchAllocated(f"{there} of the customer's money is for no invoice.", field="/amount")
    return found
