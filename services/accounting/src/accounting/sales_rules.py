"""How sales invoices and what is paid for them become journal lines. What left with a shipment was sold then: an invoice only moves it from what is
not billed to what is owed. Anything else that an invoice asks for is sold by it.

What is to be paid ahead sells nothing: the customer owes it, and the company owes goods, until they leave. Its tax is due as it is received.

Money that came in is owed to the customer until it is allocated to an invoice; to nobody known, until it is known whose it is. An amount that changes
its currency passes the account `exchange_clearing`, in both.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from accounting.moves import Move, Moves, Posting, Rule, entry, side
from contracts import invoices as events
from contracts import payments, refunds
from contracts.accounting import AccountRole
from contracts.return_settlements import ReturnSettled


def invoice_issued(event: events.InvoiceIssued) -> Posting:
    """What is owed: of what left, and of what the invoice itself sells, less what was paid ahead. Or what is to be paid ahead: nothing is sold.

    Or what was open in another system, which sold and taxed it.
    """
    if event.taken_over_on is not None:
        moves = entry("receivable", "opening_equity", event.net + event.tax, event.currency)
        return Posting(f"Open invoice {event.number}", moves)
    if event.kind == "prepayment":
        moves = entry("receivable", "prepayment", event.net + event.tax, event.currency)
        return Posting(f"Prepayment invoice {event.number}", moves)
    delivered = event.delivered_net + event.delivered_tax
    moves = (
        *side("receivable", event.net + event.tax - event.prepaid_net - event.prepaid_tax, event.currency),
        *side("prepayment", event.prepaid_net, event.currency),
        *side("unbilled_receivable", -delivered, event.currency),
        *side("revenue", event.delivered_net - event.net, event.currency),
        *side("output_tax", event.delivered_tax - event.tax + event.prepaid_tax, event.currency),
    )
    return Posting(f"Invoice {event.number}", moves)


def credit_note_issued(event: events.CreditNoteIssued) -> Posting:
    """Revenue and tax are taken back, and owed no more; what the invoice deducted is paid ahead again. Or it is not to be paid ahead any more."""
    text = f"Credit note {event.number} of {event.invoice_number}"
    if event.kind == "prepayment":
        return Posting(text, entry("prepayment", "receivable", event.net + event.tax, event.currency))
    released = event.released_net + event.released_tax
    moves = (
        *side("revenue", event.net, event.currency),
        *side("output_tax", event.tax - event.released_tax, event.currency),
        *side("prepayment", -event.released_net, event.currency),
        *side("receivable", released - event.net - event.tax, event.currency),
    )
    return Posting(text, moves)


def return_settled(event: ReturnSettled) -> Posting:
    """Revenue and tax of goods that came back before they were invoiced are taken back, and nothing is to be billed for them."""
    moves = (
        *side("revenue", event.unbilled_net, event.currency),
        *side("output_tax", event.unbilled_tax, event.currency),
        *side("unbilled_receivable", -event.unbilled_net - event.unbilled_tax, event.currency),
    )
    return Posting(f"Return {event.return_number}, not invoiced", moves)


def payment_received(event: payments.PaymentReceived) -> Posting:
    """Money on the bank's account, and whose it is."""
    moves = (
        Move(None, event.currency, event.amount, event.account),
        *side(_owner(event), -event.amount, event.currency),
    )
    return Posting(f"Payment {event.number}", moves)


def payment_assigned(event: payments.PaymentAssigned) -> Posting:
    """It is known whose the money is."""
    moves = (
        *side("unidentified_receipts", event.amount, event.currency),
        *side("customer_credit", -event.amount, event.currency),
    )
    return Posting("Payer identified", moves)


def payment_reversed(event: payments.PaymentReversed) -> Posting:
    """The money went back."""
    moves = (
        *side(_owner(event), event.amount, event.currency),
        Move(None, event.currency, -event.amount, event.account),
    )
    return Posting(f"Payment reversed: {event.reason}", moves)


def payment_allocated(event: payments.PaymentAllocation) -> Posting:
    """What is owed is settled out of the customer's credit."""
    return Posting(f"Payment of invoice {event.invoice_number}", _allocation(event, 1))


def payment_unallocated(event: payments.PaymentUnallocated) -> Posting:
    """The mirror image."""
    return Posting(f"Payment of invoice {event.invoice_number} undone: {event.reason}", _allocation(event, -1))


def refund_paid(event: refunds.RefundPaid) -> Posting:
    """Money that was for no invoice left the bank's account."""
    return Posting(f"Refund {event.number}: {event.reason}", _refund(event, 1))


def refund_returned(event: refunds.RefundReturned) -> Posting:
    """The mirror image."""
    return Posting(f"Refund {event.number} returned: {event.reason}", _refund(event, -1))


def revaluation_posted(event: payments.RevaluationPosted) -> Posting:
    """What is owed in other currencies is worth more, or less."""
    return Posting(f"Revaluation as of {event.day}", _revalued(event, event.difference))


def revaluation_reversed(event: payments.RevaluationReversed) -> Posting:
    """The mirror image."""
    return Posting(f"Revaluation as of {event.day} undone", _revalued(event, -event.difference))


def sales_amounts(event: Any) -> Mapping[AccountRole, int]:
    """What an event adds to the control account of each role in its own currency, in minor units, debits above zero."""
    if isinstance(event, events.InvoiceIssued | events.CreditNoteIssued):
        return _invoice_amounts(event)
    match event:
        case ReturnSettled():
            owed = event.unbilled_net + event.unbilled_tax
            return {"unbilled_receivable": -owed, "output_tax": event.unbilled_tax}
        case payments.PaymentReceived():
            return {_owner(event): -event.amount}
        case payments.PaymentAssigned():
            return {"unidentified_receipts": event.amount, "customer_credit": -event.amount}
        case payments.PaymentReversed():
            return {_owner(event): event.amount}
        case refunds.RefundPaid():
            return {_owner(event): event.amount}
        case refunds.RefundReturned():
            return {_owner(event): -event.amount}
        case payments.PaymentUnallocated():
            return {_owner(event): -event.amount}
        case payments.PaymentAllocated():
            return {_owner(event): event.amount}
        case _:
            return {}


def _invoice_amounts(event: events.InvoiceIssued | events.CreditNoteIssued) -> Mapping[AccountRole, int]:
    match event:
        case events.InvoiceIssued(taken_over_on=date()):
            return {"receivable": event.net + event.tax}
        case events.InvoiceIssued(kind="prepayment"):
            return {"receivable": event.net + event.tax, "prepayment": -event.net - event.tax}
        case events.InvoiceIssued():
            delivered = event.delivered_net + event.delivered_tax
            return {
                "receivable": event.net + event.tax - event.prepaid_net - event.prepaid_tax,
                "unbilled_receivable": -delivered,
                "output_tax": event.delivered_tax - event.tax + event.prepaid_tax,
                "prepayment": event.prepaid_net,
            }
        case events.CreditNoteIssued(kind="prepayment"):
            return {"receivable": -event.net - event.tax, "prepayment": event.net + event.tax}
        case events.CreditNoteIssued():
            return {
                "receivable": event.released_net + event.released_tax - event.net - event.tax,
                "output_tax": event.tax - event.released_tax,
                "prepayment": -event.released_net,
            }


def settled_amounts(event: payments.PaymentAllocation) -> Mapping[AccountRole, int]:
    """What an allocation adds to control accounts in the currency of the invoice, which may be another than the event's own."""
    sign = -1 if isinstance(event, payments.PaymentUnallocated) else 1
    return {
        "receivable": -sign * event.settled,
        "prepayment": sign * event.tax_due,
        "output_tax": -sign * event.tax_due,
    }


SALES = (
    Rule("invoice-issued", 1, events.InvoiceIssued, invoice_issued),
    Rule("credit-note-issued", 1, events.CreditNoteIssued, credit_note_issued),
    Rule("return-settled", 1, ReturnSettled, return_settled),
    Rule("payment-received", 1, payments.PaymentReceived, payment_received),
    Rule("payment-assigned", 1, payments.PaymentAssigned, payment_assigned),
    Rule("payment-reversed", 1, payments.PaymentReversed, payment_reversed),
    Rule("payment-allocated", 1, payments.PaymentAllocated, payment_allocated),
    Rule("payment-unallocated", 1, payments.PaymentUnallocated, payment_unallocated),
    Rule("refund-paid", 1, refunds.RefundPaid, refund_paid),
    Rule("refund-returned", 1, refunds.RefundReturned, refund_returned),
    Rule("revaluation-posted", 1, payments.RevaluationPosted, revaluation_posted),
    Rule("revaluation-reversed", 1, payments.RevaluationReversed, revaluation_reversed),
)


_Owned = payments.PaymentReceived | payments.PaymentReversed | payments.PaymentAllocation | refunds.RefundMoved


def _owner(event: _Owned) -> AccountRole:
    """What the money is in the books as long as it is for no invoice."""
    return "unidentified_receipts" if event.customer_id is None else "customer_credit"


def _allocation(event: payments.PaymentAllocation, sign: int) -> Moves:
    own, theirs = event.currency, event.invoice_currency
    moves = [
        *side(_owner(event), sign * event.amount, own),
        *side("receivable", -sign * event.settled, theirs),
        *entry("prepayment", "output_tax", sign * event.tax_due, theirs),
    ]
    if own != theirs:
        moves += [
            *side("exchange_clearing", -sign * event.amount, own),
            *side("exchange_clearing", sign * event.worth, theirs),
            *side("exchange_differences", sign * (event.settled - event.worth), theirs),
        ]
    if event.company_currency is not None:
        moves += [
            *side("exchange_clearing", sign * event.realised, event.company_currency),
            *side("exchange_differences", -sign * event.realised, event.company_currency),
        ]
    return tuple(moves)


def _refund(event: refunds.RefundMoved, sign: int) -> Moves:
    return (
        *side(_owner(event), sign * event.amount, event.currency),
        Move(None, event.currency, -sign * event.amount, event.account),
    )


def _revalued(event: payments.RevaluationEvent, difference: int) -> Moves:
    return (
        *side("exchange_clearing", difference, event.currency),
        *side("exchange_differences", -difference, event.currency),
    )
