"""How what customers owe follows from the events of invoices and payments alone."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from accounting.receivables.models import ReceivableEntry
from contracts import invoices as events
from contracts import payments, refunds
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.subscribers import Projection

open_items = Projection("accounting.open_items", tables=[ReceivableEntry])


@open_items.on(
    events.InvoiceIssued,
    events.CreditNoteIssued,
    payments.PaymentReceived,
    payments.PaymentAssigned,
    payments.PaymentAllocated,
    payments.PaymentUnallocated,
    payments.PaymentReversed,
    refunds.RefundPaid,
    refunds.RefundReturned,
)
async def keep(tx: Tx, event: Any, meta: Meta) -> None:
    empty = {"invoice_id": None, "payment_id": None, "due_on": None, "number": "", "customer_id": None}
    rows = [
        {**empty, "tenant_id": tx.tenant_id, "event_id": meta.event_id, "line": line, **said}
        for line, said in enumerate(movements(event), 1)
    ]
    if rows:
        await tx.execute(insert(ReceivableEntry).values(rows).on_conflict_do_nothing())


def movements(event: Any) -> Iterator[Mapping[str, Any]]:
    """What an event moves. Nobody owes less by a payment of somebody unknown."""
    who = {"customer_id": event.customer_id, "currency": event.currency}
    match event:
        case events.InvoiceIssued():
            since = event.taken_over_on or event.dated
            item = {"invoice_id": event.invoice_id, "number": event.number, "due_on": event.due_on, "day": since}
            yield {
                **who,
                **item,
                "kind": "invoice",
                "amount": event.net + event.tax - event.prepaid_net - event.prepaid_tax,
            }
        case events.CreditNoteIssued():
            item = {"invoice_id": event.invoice_id, "number": event.number, "day": event.dated}
            released = event.released_net + event.released_tax
            yield {**who, **item, "kind": "credit_note", "amount": released - event.net - event.tax}
        case payments.PaymentReceived(customer_id=UUID()):
            yield _paid(event, event.number, event.value_day, -event.amount)
        case payments.PaymentAssigned():
            yield _paid(event, "", event.day, -event.amount)
        case payments.PaymentReversed(customer_id=UUID()):
            yield _paid(event, "", event.day, event.amount) | {"kind": "reversal"}
        case refunds.RefundMoved():
            yield from _refunded(event)
        case payments.PaymentAllocation():
            sign = 1 if isinstance(event, payments.PaymentUnallocated) else -1
            item = {"payment_id": event.payment_id, "number": event.invoice_number, "day": event.day}
            settled = {"invoice_id": event.invoice_id, "currency": event.invoice_currency}
            owed = {"customer_id": event.invoice_customer_id, "amount": sign * event.settled}
            yield {**item, "kind": "allocation", **settled, **owed}
            if event.customer_id is not None:
                yield {**who, **item, "kind": "allocation", "amount": -sign * event.amount}


def _paid(event: Any, number: str, day: Any, amount: int) -> dict[str, Any]:
    about = {"customer_id": event.customer_id, "currency": event.currency, "payment_id": event.payment_id}
    return {**about, "kind": "payment", "number": number, "day": day, "amount": amount}


def _refunded(event: refunds.RefundMoved) -> Iterator[dict[str, Any]]:
    """Of the credit of each whose payment it was, so that two who were one for a while have each their own again."""
    kind, sign = ("refund", 1) if isinstance(event, refunds.RefundPaid) else ("refund_returned", -1)
    about = {"currency": event.currency, "number": event.number, "day": event.day}
    for customer_id, amount in event.credits.items():
        yield {**about, "customer_id": customer_id, "kind": kind, "amount": sign * amount}
