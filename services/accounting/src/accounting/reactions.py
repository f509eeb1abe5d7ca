"""What accounting does by itself: begins the books of a tenant, posts what happened to goods, invoices and payments, and what was approved."""

from typing import Any

from accounting.chart import CHARTS
from accounting.chart_commands import found_books
from accounting.drafts import JournalDraft, post
from accounting.posting import post_event
from contracts import approvals, invoices, payments, refunds
from contracts.inventory import StockAdjusted, StockCostSettled, StockIssued, StockReceived
from contracts.return_settlements import ReturnSettled
from contracts.shipments import ShipmentDispatched
from contracts.users import TenantCreated
from tailrace.core.errors import Unknown
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.db.error_classes import NotYet
from tailrace.messaging.subscribers import EVER, Reaction

books = Reaction("accounting.books", since=EVER)
postings = Reaction("accounting.postings", since=EVER)
decisions = Reaction("accounting.decisions", since=EVER)


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


@decisions.on(approvals.ApprovalApproved)
async def approved(tx: Tx, event: approvals.ApprovalApproved, meta: Meta) -> None:
    draft = await _waiting(tx, event.subject)
    if draft is not None:
        await post(tx, draft, event.approval_id)


@decisions.on(approvals.ApprovalRejected)
async def rejected(tx: Tx, event: approvals.ApprovalRejected, meta: Meta) -> None:
    draft = await _waiting(tx, event.subject)
    if draft is not None and event.then != "restart":
        draft.reject(event.reason)


@decisions.on(approvals.ApprovalRecalled, approvals.ApprovalVoided)
async def given_up(tx: Tx, event: approvals.ApprovalRecalled | approvals.ApprovalVoided, meta: Meta) -> None:
    draft = await _waiting(tx, event.subject)
    if draft is not None:
        draft.reject(event.reason or "The request was recalled.")


async def _waiting(tx: Tx, subject: approvals.ApprovalSubject) -> JournalDraft | None:
    """The journal that waits for this very answer; None when it does not, any more or at all."""
    if subject.kind != "journal":
        return None
    try:
        draft = await tx.load(JournalDraft, subject.id)
    except Unknown as error:
        raise NotYet(f"journal draft {subject.id} is not here") from error
    return draft if draft.status == "in_approval" and draft.sha256 == subject.sha256 else None
