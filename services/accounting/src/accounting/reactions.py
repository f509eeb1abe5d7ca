"""What accounting does by itself: begins the books of a tenant, posts what happened to goods, invoices and payments, and what was approved."""

from typing import Any

from accounting.chart import CHARTS
from accounting.chart_commands import found_books
from accounting.drafts import JournalDraft, post
from accounting.posting import post_event
from contracts import approvals, invoices, payments, refunds
from contracts.inventory import StockAdjusted, StockCostSettled, StockIssued, StockReceived
from contracts.performances import ServicesPerformed
from contracts.return_settlements import ReturnSettled
from contracts.shipments import ShipmentDispatched
from contracts.users import TenantCreated
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.answers import Answers
from tailrace.messaging.subscribers import EVER, Reaction

books = Reaction("accounting.books", since=EVER)
postings = Reaction("accounting.postings", since=EVER)
decisions = Answers("accounting.decisions", "journal", JournalDraft, JournalDraft.awaits)


@books.on(TenantCreated)
async def begin(tx: Tx, event: TenantCreated, meta: Meta) -> None:
    """Raises BooksBegun when the books began with another chart and hold a journal: then a person decides."""
    await found_books(tx, CHARTS[event.chart])


@postings.on(
    StockReceived,
    StockIssued,
    StockCostSettled,
    StockAdjusted,
    ShipmentDispatched,
    ServicesPerformed,
    invoices.InvoiceIssued,
    invoices.CreditNoteIssued,
    ReturnSettled,
    payments.PaymentReceived,
    payments.PaymentAssigned,
    payments.PaymentAllocated,
    payments.PaymentUnallocated,
    payments.PaymentReversed,
    refunds.RefundPaid,
    refunds.RefundReturned,
    payments.RevaluationPosted,
    payments.RevaluationReversed,
)
async def post_moves(tx: Tx, event: Any, meta: Meta) -> None:
    await post_event(tx, event, meta)


@decisions.to(approvals.ApprovalApproved)
async def approved(tx: Tx, draft: JournalDraft, answer: approvals.ApprovalApproved) -> None:
    await post(tx, draft, answer.approval_id)


@decisions.to(approvals.ApprovalRejected, approvals.ApprovalRecalled, approvals.ApprovalVoided)
async def given_up(tx: Tx, draft: JournalDraft, answer: approvals.NoApproval) -> None:
    draft.reject(answer.reason or "The request was recalled.")
