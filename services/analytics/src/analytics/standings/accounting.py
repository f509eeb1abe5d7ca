"""Invoices, credit notes and payments, as the books have them: nobody's own, so that only those who see all see them.

Invoices and credit notes are net amounts at the moment at which they hold in the books; payments are what came in.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from analytics.standings.standing import Entry, Source, Standing
from contracts import invoices, payments


class Issued(Standing):
    """An invoice or a credit note. `label` is the kind of invoice."""

    net: int
    issued_at: datetime


class Invoice(Issued):
    """An invoice that was issued."""

    def entries(self) -> Iterator[Entry]:
        yield Entry("invoice_issued", self.issued_at, self.net)


class CreditNote(Issued):
    """A credit note."""

    def entries(self) -> Iterator[Entry]:
        yield Entry("credit_note_issued", self.issued_at, self.net)


class Payment(Standing):
    """What came in, and perhaps went back."""

    amount: int
    received_at: datetime
    reversed_at: datetime | None = None

    def entries(self) -> Iterator[Entry]:
        yield Entry("payment_received", self.received_at, self.amount)
        if self.reversed_at is not None:
            yield Entry("payment_reversed", self.reversed_at, self.amount)


def _issued(event: Any) -> dict[str, Any]:
    said = {name: getattr(event, name) for name in ("number", "customer_id", "currency", "net")}
    return {**said, "label": event.kind, "issued_at": event.effective_at}


def fold_invoice(standing: Invoice | None, event: Any, at: datetime) -> Invoice | None:
    """An invoice that is issued never changes. One that another system wrote was issued there, before the company's figures begin."""
    if event.taken_over_on is not None:
        return None
    return Invoice(**_issued(event))


def fold_credit_note(standing: CreditNote | None, event: Any, at: datetime) -> CreditNote | None:
    """Nor does a credit note."""
    return CreditNote(**_issued(event))


def fold_payment(standing: Payment | None, event: Any, at: datetime) -> Payment | None:
    """Where the payment stands after the event."""
    if isinstance(event, payments.PaymentReceived):
        said = {name: getattr(event, name) for name in ("number", "customer_id", "currency", "amount")}
        return Payment(received_at=event.effective_at, **said)
    if standing is None:
        return None
    if isinstance(event, payments.PaymentAssigned):
        return standing.model_copy(update={"customer_id": event.customer_id})
    return standing.model_copy(update={"reversed_at": event.effective_at})


INVOICES = Source("invoice", "invoice_id", Invoice, fold_invoice, (invoices.InvoiceIssued,))
CREDIT_NOTES = Source("credit_note", "credit_note_id", CreditNote, fold_credit_note, (invoices.CreditNoteIssued,))
PAYMENTS = Source(
    "payment",
    "payment_id",
    Payment,
    fold_payment,
    (payments.PaymentReceived, payments.PaymentAssigned, payments.PaymentReversed),
)
