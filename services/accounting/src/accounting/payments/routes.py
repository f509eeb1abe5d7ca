"""Payments, bank accounts and exchange rates over HTTP."""

from typing import Annotated
from uuid import UUID

from sqlalchemy import and_, not_, select
from sqlalchemy.orm import raiseload

from accounting.days import dates, days
from accounting.invoices.projections import companies, customers
from accounting.payments import commands, rates
from accounting.payments.bodies import (
    AllocationsBody,
    BankAccountBody,
    NewRevaluation,
    PayerBody,
    PaymentBody,
    PaymentReturnBody,
    RateBody,
    UnallocationBody,
)
from accounting.payments.models import BankAccount, Payment
from accounting.payments.rates import ExchangeRate
from accounting.payments.revaluation import Revaluation, revalue
from accounting.payments.views import BankAccountView, PaymentSummary, PaymentView, RateView, RevaluationView
from accounting.reactions import books
from accounting.receivables.projections import open_items
from accounting.scopes import InvoiceReader, InvoiceWriter, Writer
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import between, equal, numbered, where
from tailrace.http.lists.master_data import master_data_routes
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import ReasonBody, Tx, tenant_router

router = tenant_router(
    "/v1/accounting/payments",
    tag="payments",
    about="Money that came in: where, whose it is, and which invoices it is for.",
    reads=[books, customers, companies, days, dates],
)
bank_router = tenant_router(
    "/v1/accounting/bank-accounts",
    tag="bank accounts",
    about="Accounts at banks, and what they are in the books.",
    reads=[books],
)
rates_router = tenant_router(
    "/v1/accounting/rates", tag="exchange rates", about="What one currency is worth in another, from a day on."
)
revaluations_router = tenant_router(
    "/v1/accounting/revaluations",
    tag="exchange rates",
    reads=[books, companies, days, dates, open_items],
    reads_own=[open_items],
)


_left = and_(Payment.status == "received", Payment.allocated + Payment.refunded < Payment.amount)
_of_nobody = and_(_left, Payment.customer_id.is_(None))
Payments = Annotated[
    PageRequest,
    listed(
        Payment,
        numbered(Payment.number),
        equal(Payment.customer_id),
        equal(Payment.bank_account_id),
        equal(Payment.reference),
        where(
            "to_allocate",
            bool,
            lambda wanted: _left if wanted else not_(_left),
            "Whether some of it is for no invoice, and was not paid back.",
        ),
        where(
            "payer_unknown",
            bool,
            lambda wanted: _of_nobody if wanted else not_(_of_nobody),
            "Whether some of it is for no invoice, and nobody knows whose money it is.",
        ),
        *between(Payment.value_day),
        sort=[Payment.number, Payment.value_day],
    ),
]
Rates = Annotated[
    PageRequest,
    listed(
        ExchangeRate,
        equal(ExchangeRate.currency),
        equal(ExchangeRate.against),
        *between(ExchangeRate.day),
        sort=[ExchangeRate.day],
    ),
]

Revaluations = Annotated[PageRequest, listed(Revaluation, *between(Revaluation.day), sort=[Revaluation.day])]

master_data_routes(
    bank_router,
    BankAccount,
    "a bank account",
    body=BankAccountBody,
    view=BankAccountView,
    reader=InvoiceReader,
    writer=Writer,
)


@router.post("", status_code=201, response_model=PaymentView)
async def create_payment(tx: Tx, who: InvoiceWriter, body: PaymentBody) -> Payment:
    """Enter money that came in, for invoices as far as they are named; the rest is the customer's credit."""
    return await commands.receive(tx, body)


@router.get("", response_model=Page[PaymentSummary])
async def list_payments(tx: Tx, who: InvoiceReader, page: Payments) -> Listing[Payment]:
    """Payments without their allocations."""
    return await paginate(tx, select(Payment).options(raiseload(Payment.allocations)), page)


@router.get("/{payment_id}", response_model=PaymentView)
async def read_payment(tx: Tx, who: InvoiceReader, payment_id: UUID) -> Payment:
    """One payment, and which invoices it is for."""
    return await tx.find(Payment, payment_id)


@router.post("/{payment_id}/allocate", response_model=PaymentView)
async def allocate_payment(
    tx: Tx, who: InvoiceWriter, match: IfMatch, payment_id: UUID, body: AllocationsBody
) -> Payment:
    """Say which invoices it is for, besides those that it is for already."""
    return await commands.allocate_payment(tx, payment_id, match, body.allocations)


@router.post("/{payment_id}/allocations/{allocation_id}/undo", response_model=PaymentView)
async def undo_allocation(
    tx: Tx, who: InvoiceWriter, match: IfMatch, payment_id: UUID, allocation_id: UUID, body: UnallocationBody
) -> Payment:
    """It is not for that invoice after all: the invoice is open again, as of today."""
    return await commands.unallocate_payment(tx, payment_id, allocation_id, match, body.reason)


@router.post("/{payment_id}/assign", response_model=PaymentView)
async def assign_payment(tx: Tx, who: InvoiceWriter, match: IfMatch, payment_id: UUID, body: PayerBody) -> Payment:
    """Say whose money it is, once that is known: it is their credit."""
    return await commands.assign(tx, payment_id, match, body.customer_id)


@router.post("/{payment_id}/reverse", response_model=PaymentView)
async def reverse_payment(tx: Tx, who: InvoiceWriter, match: IfMatch, payment_id: UUID, body: ReasonBody) -> Payment:
    """Note that the money went back, or never came. Nothing of it may be allocated."""
    return await commands.reverse(tx, payment_id, match, body.reason)


@router.post("/{payment_id}/return", response_model=PaymentView)
async def return_payment(
    tx: Tx, who: InvoiceWriter, match: IfMatch, payment_id: UUID, body: PaymentReturnBody
) -> Payment:
    """Note that the bank took it back: the invoices that it was for are open again."""
    return await commands.take_back(tx, await tx.load(Payment, payment_id, match), body.day, body.reason)


@rates_router.put("", response_model=RateView)
async def replace_rate(tx: Tx, who: InvoiceWriter, match: IfMatch, body: RateBody) -> ExchangeRate:
    """Say what a currency is worth from a day on, or correct that. What was converted already stays."""
    return await rates.set_rate(tx, body.currency, body.against, body.day, body.rate, match)


@rates_router.get("", response_model=Page[RateView])
async def list_rates(tx: Tx, who: InvoiceReader, page: Rates) -> Listing[ExchangeRate]:
    """Rates by the day from which they hold."""
    return await paginate(tx, select(ExchangeRate), page)


@rates_router.get("/{rate_id}", response_model=RateView)
async def read_rate(tx: Tx, who: InvoiceReader, rate_id: UUID) -> ExchangeRate:
    """One rate."""
    return await tx.find(ExchangeRate, rate_id)


@revaluations_router.post("", status_code=201, response_model=RevaluationView)
async def create_revaluation(tx: Tx, who: Writer, body: NewRevaluation) -> Revaluation:
    """Value what is owed in other currencies at the rates of a day. It is booked at its end, and undone as the next one begins."""
    return await revalue(tx, body.day)


@revaluations_router.get("", response_model=Page[RevaluationView])
async def list_revaluations(tx: Tx, who: InvoiceReader, page: Revaluations) -> Listing[Revaluation]:
    """The days that were valued."""
    return await paginate(tx, select(Revaluation), page)


@revaluations_router.get("/{revaluation_id}", response_model=RevaluationView)
async def read_revaluation(tx: Tx, who: InvoiceReader, revaluation_id: UUID) -> Revaluation:
    """One of them."""
    return await tx.find(Revaluation, revaluation_id)
