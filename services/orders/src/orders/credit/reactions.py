"""What others' events do to orders that wait: an approval decides, and what made room has them looked at again.

That is done by a timer, in a transaction after this one: by then the copies have the event too, whichever subscriber was first.
"""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select

from contracts import approvals, customers, invoices, payments, refunds
from contracts.orders import OrderCancelled, OrderRestCancelled
from contracts.reopenings import OrderReopened
from contracts.return_settlements import ReturnSettled
from orders.credit import commands
from orders.credit.commands import relief
from orders.credit.hold import KIND
from orders.models import Order
from orders.pricing import taxed_as_today
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.answers import Answers
from tailrace.messaging.subscribers import EVER, Reaction

decisions = Answers("orders.credit_decisions", KIND, Order, Order.awaits_release)
room = Reaction("orders.credit_room", since=EVER)


@decisions.to(approvals.ApprovalApproved)
async def approved(tx: Tx, order: Order, answer: approvals.ApprovalApproved) -> None:
    """Somebody's yes releases the order. Where the matrix asks nobody, that is no yes: a person has to say so. What is taxed otherwise by now
    is not what they said yes to: it is confirmed again."""
    if answer.decided_by is None:
        order.answer_credit(answer.approval_id, "nobody_asked", None)
    elif not await taxed_as_today(tx, order.lines):
        order.answer_credit(answer.approval_id, "voided", "It is taxed otherwise by now: confirm it again.")
    else:
        order.release_credit("approval", approval_id=answer.approval_id)


@decisions.to(approvals.ApprovalRejected)
async def rejected(tx: Tx, order: Order, answer: approvals.ApprovalRejected) -> None:
    order.answer_credit(answer.approval_id, "rejected", answer.reason)
    if answer.then == "fail":
        order.end_credit_hold(answer.reason)
        order.cancel(answer.reason)


@decisions.to(approvals.ApprovalRecalled)
async def recalled(tx: Tx, order: Order, answer: approvals.ApprovalRecalled) -> None:
    order.answer_credit(answer.approval_id, "recalled", answer.reason)


@decisions.to(approvals.ApprovalVoided)
async def voided(tx: Tx, order: Order, answer: approvals.ApprovalVoided) -> None:
    order.answer_credit(answer.approval_id, "voided", answer.reason)


@room.on(
    payments.PaymentReceived,
    payments.PaymentAssigned,
    payments.PaymentAllocated,
    refunds.RefundReturned,
    invoices.CreditNoteIssued,
    customers.CustomerCreditChanged,
)
async def made(tx: Tx, event: payments.PaymentReceived | customers.CustomerCreditChanged, meta: Meta) -> None:
    await _look_again(tx, event.customer_id)


@room.on(ReturnSettled)
async def returned(tx: Tx, event: ReturnSettled, meta: Meta) -> None:
    """What came back before it was invoiced is owed no more; what was invoiced, a credit note says."""
    if event.unbilled:
        await _look_again(tx, await tx.scalar(select(Order.customer_id).where(Order.id == event.order_id)))


@room.on(customers.CustomerUnmerged)
async def parted(tx: Tx, event: customers.CustomerUnmerged, meta: Meta) -> None:
    await _look_again(tx, event.customer_id)
    await _look_again(tx, event.from_customer_id)


@room.on(customers.CustomerUpdated)
async def described(tx: Tx, event: customers.CustomerUpdated, meta: Meta) -> None:
    """Something may be sold to the customer again."""
    waits = select(Order.id).where(Order.customer_id == event.customer_id, Order.status == "credit_hold").limit(1)
    if event.status != "inactive" and await tx.scalar(waits) is not None:
        await _look_again(tx, event.customer_id)


@room.on(OrderCancelled, OrderRestCancelled, OrderReopened)
async def cancelled(tx: Tx, event: OrderCancelled | OrderRestCancelled | OrderReopened, meta: Meta) -> None:
    await _look_again(tx, await tx.scalar(select(Order.customer_id).where(Order.id == event.order_id)))


@room.on(payments.RateSet)
async def converted(tx: Tx, event: payments.RateSet, meta: Meta) -> None:
    await commands.look_again(tx)


async def _look_again(tx: Tx, customer_id: UUID | None) -> None:
    """Whether anything waits is seen under the customer's lock alone: an order may just be on its way to waiting."""
    if customer_id is not None:
        await relief.set(tx, customer_id, datetime.now(UTC))
