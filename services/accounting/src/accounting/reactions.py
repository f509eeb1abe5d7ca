"""What accounting does by itself: it begins the books of a new tenant, and posts what happened to stock, shipments, invoices and payments."""

from typing import Any

from accounting.chart import CHARTS
from accounting.chart_commands import found_books
from accounting.posting import post_event
from contracts import invoices, payments
from contracts.inventory import StockAdjusted, StockCostSettled, StockIssued, StockReceived
from contracts.shipments import ShipmentDispatched
from contracts.users import TenantCreated
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.subscribers import EVER, Reaction

books = Reaction("accounting.books", since=EVER)
postings = Reaction("accounting.postings", since=EVER)


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
    payments.PaymentReceived,
    payments.PaymentAssigned,
    payments.PaymentAllocated,
    payments.PaymentUnallocated,
    payments.PaymentReversed,
    payments.RevaluationPosted,
    payments.RevaluationReversed,
)
async def post(tx: Tx, event: Any, meta: Meta) -> None:
    await post_event(tx, event, meta)
