"""How those copies follow from events alone. An invoice moves what it asks for from the orders to what is owed in one transaction.

A prepayment asks for what is ordered already, so it adds nothing: what was received on it stands below zero until an invoice deducts it.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from contracts import customers, invoices, payments, refunds
from contracts.return_settlements import ReturnSettled
from orders.credit.copies import BuyerCopy, CreditLimitCopy, OpenInvoice, OrderBilled, PaidAhead, RateCopy
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.replica import Source, replica
from tailrace.messaging.subscribers import Projection

terms = replica(
    "orders.credit_terms",
    Source(CreditLimitCopy, "customer_id", (customers.CustomerCreditChanged,)),
    Source(BuyerCopy, *customers.CUSTOMER),
)
rates = replica("orders.rates", Source(RateCopy, "rate_id", (payments.RateSet,)))
receivables = Projection("orders.receivables", tables=[OpenInvoice, PaidAhead, OrderBilled])

_invoice = insert(OpenInvoice)
_MORE_OPEN = _invoice.on_conflict_do_update(
    index_elements=["tenant_id", "invoice_id"], set_={"open": OpenInvoice.open + _invoice.excluded.open}
)
_ISSUED = _invoice.on_conflict_do_update(
    index_elements=["tenant_id", "invoice_id"],
    set_={
        "open": OpenInvoice.open + _invoice.excluded.open,
        "customer_id": _invoice.excluded.customer_id,
        "due_on": _invoice.excluded.due_on,
    },
)
_ahead = insert(PaidAhead)
_AHEAD = _ahead.on_conflict_do_update(
    index_elements=["tenant_id", "customer_id", "currency"], set_={"amount": PaidAhead.amount + _ahead.excluded.amount}
)
_billed = insert(OrderBilled)
_BILLED = _billed.on_conflict_do_update(
    index_elements=["tenant_id", "order_id"], set_={"amount": OrderBilled.amount + _billed.excluded.amount}
)


@receivables.on(invoices.InvoiceIssued)
async def issued(tx: Tx, event: invoices.InvoiceIssued, meta: Meta) -> None:
    ahead = event.kind == "prepayment"
    owed = 0 if ahead else event.net + event.tax - event.prepaid_net - event.prepaid_tax
    await tx.execute(_ISSUED, _item(tx, event, event.currency, owed) | {"due_on": None if ahead else event.due_on})
    for each in sorted(event.orders, key=lambda one: one.order_id.bytes):
        await _ask_no_more(tx, each.order_id, each.net + each.tax)


@receivables.on(invoices.CreditNoteIssued)
async def credited(tx: Tx, event: invoices.CreditNoteIssued, meta: Meta) -> None:
    if event.kind != "prepayment":
        taken_back = event.net + event.tax - event.released_net - event.released_tax
        await tx.execute(_MORE_OPEN, _item(tx, event, event.currency, -taken_back))


@receivables.on(invoices.PrepaymentDeducted)
async def deducted(tx: Tx, event: invoices.PrepaymentDeducted, meta: Meta) -> None:
    """What another invoice deducts is ahead no more. The prepayment was issued before: its events come in order."""
    more = {"open": OpenInvoice.open + event.amount}
    await tx.execute(update(OpenInvoice).where(OpenInvoice.invoice_id == event.invoice_id).values(more))


@receivables.on(payments.PaymentAllocated, payments.PaymentUnallocated)
async def allocated(tx: Tx, event: payments.PaymentAllocation, meta: Meta) -> None:
    """What it settles is open no more, and what it took of the payment is paid ahead no more."""
    sign = 1 if isinstance(event, payments.PaymentUnallocated) else -1
    await tx.execute(_MORE_OPEN, _item(tx, event, event.invoice_currency, sign * event.settled))
    await _pay_ahead(tx, event.customer_id, event.currency, sign * event.amount)


@receivables.on(payments.PaymentReceived, payments.PaymentAssigned)
async def paid(tx: Tx, event: payments.PaymentReceived | payments.PaymentAssigned, meta: Meta) -> None:
    await _pay_ahead(tx, event.customer_id, event.currency, event.amount)


@receivables.on(payments.PaymentReversed)
async def reversed_(tx: Tx, event: payments.PaymentReversed, meta: Meta) -> None:
    await _pay_ahead(tx, event.customer_id, event.currency, -event.amount)


@receivables.on(refunds.RefundPaid, refunds.RefundReturned)
async def refunded(tx: Tx, event: refunds.RefundMoved, meta: Meta) -> None:
    """What was paid back is paid ahead no more, by whose payment it was."""
    sign = 1 if isinstance(event, refunds.RefundReturned) else -1
    for customer_id, amount in sorted(event.credits.items()):
        await _pay_ahead(tx, customer_id, event.currency, sign * amount)


@receivables.on(ReturnSettled)
async def settled(tx: Tx, event: ReturnSettled, meta: Meta) -> None:
    """What came back before it was invoiced is never going to be."""
    await _ask_no_more(tx, event.order_id, event.unbilled_net + event.unbilled_tax)


async def _ask_no_more(tx: Tx, order_id: UUID, amount: int) -> None:
    """So much of an order is asked for, or will never be."""
    if amount:
        await tx.execute(_BILLED, {"tenant_id": tx.tenant_id, "order_id": order_id, "amount": amount})


def _item(tx: Tx, event: Any, currency: str, amount: int) -> dict[str, Any]:
    said = {"invoice_id": event.invoice_id, "customer_id": event.customer_id, "currency": currency}
    return {"tenant_id": tx.tenant_id, "due_on": None, "open": amount, **said}


async def _pay_ahead(tx: Tx, customer_id: UUID | None, currency: str, amount: int) -> None:
    """Nobody has paid ahead by a payment of somebody unknown."""
    if customer_id is not None:
        said = {"customer_id": customer_id, "currency": currency, "amount": amount}
        await tx.execute(_AHEAD, {"tenant_id": tx.tenant_id, **said})
