"""Refunds over HTTP: money that is for no invoice goes back to the customer."""

from typing import Annotated
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import raiseload

from accounting.days import dates, days
from accounting.invoices.projections import companies, customers
from accounting.reactions import books
from accounting.refunds import commands
from accounting.refunds.bodies import NewRefund, RefundReturnBody
from accounting.refunds.models import Refund, RefundStatus
from accounting.refunds.views import RefundSummary, RefundView
from accounting.scopes import InvoiceReader, InvoiceWriter
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import any_of, between, equal, numbered
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import ReasonBody, Tx, tenant_router

router = tenant_router(
    "/v1/accounting/refunds",
    tag="refunds",
    about="Money that came in, is for no invoice, and is paid back.",
    reads=[books, customers, companies, days, dates],
)

Refunds = Annotated[
    PageRequest,
    listed(
        Refund,
        any_of(Refund.status, RefundStatus),
        numbered(Refund.number),
        equal(Refund.customer_id),
        equal(Refund.bank_account_id),
        *between(Refund.value_day),
        sort=[Refund.number],
    ),
]


@router.post("", status_code=201, response_model=RefundView)
async def create_refund(tx: Tx, who: InvoiceWriter, body: NewRefund) -> Refund:
    """Pay a customer's credit back, or what of payments is for no invoice. Above the company's limit for journals, it waits for an approval."""
    return await commands.create(tx, who, body)


@router.get("", response_model=Page[RefundSummary])
async def list_refunds(tx: Tx, who: InvoiceReader, page: Refunds) -> Listing[Refund]:
    """Refunds without the payments that they are of."""
    return await paginate(tx, select(Refund).options(raiseload(Refund.parts)), page)


@router.get("/{refund_id}", response_model=RefundView)
async def read_refund(tx: Tx, who: InvoiceReader, refund_id: UUID) -> Refund:
    """One refund, and the payments that it is of."""
    return await tx.find(Refund, refund_id)


@router.post("/{refund_id}/withdraw", response_model=RefundView)
async def withdraw_refund(tx: Tx, who: InvoiceWriter, match: IfMatch, refund_id: UUID, body: ReasonBody) -> Refund:
    """Do not want it paid any more, while it waits for an approval."""
    refund = await tx.load(Refund, refund_id, match)
    refund.withdraw(body.reason)
    return refund


@router.post("/{refund_id}/return", response_model=RefundView)
async def return_refund(tx: Tx, who: InvoiceWriter, match: IfMatch, refund_id: UUID, body: RefundReturnBody) -> Refund:
    """Note that the money came in again: it is the customer's credit, as before."""
    return await commands.come_back(tx, await tx.load(Refund, refund_id, match), body.day, body.reason)
