"""Statements of banks over HTTP: read in, and said what each line is."""

from typing import Annotated
from uuid import UUID

from sqlalchemy import select

from accounting.bank import commands
from accounting.bank.bodies import BankLineConfirmation, NewBankStatement
from accounting.bank.models import BankLine, BankStatement, LineStatus
from accounting.bank.views import BankLineView, BankStatementView, MovedBackView, SuggestionsView, SuggestionView
from accounting.days import dates, days
from accounting.invoices.projections import companies, customers
from accounting.reactions import books
from accounting.scopes import InvoiceReader, InvoiceWriter
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import any_of, between, equal
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import ReasonBody, Tx, tenant_router

_READS = [books, customers, companies, days, dates]
router = tenant_router(
    "/v1/accounting/bank-statements",
    tag="bank statements",
    about="Files of banks: what moved on an account, line by line, and which payment each line is.",
    reads=_READS,
)
lines_router = tenant_router("/v1/accounting/bank-lines", tag="bank statements", reads=_READS)

Statements = Annotated[
    PageRequest,
    listed(BankStatement, equal(BankStatement.bank_account_id), sort=[BankStatement.created_at]),
]
Lines = Annotated[
    PageRequest,
    listed(
        BankLine,
        any_of(BankLine.status, LineStatus),
        equal(BankLine.bank_account_id),
        equal(BankLine.bank_statement_id),
        equal(BankLine.amount),
        *between(BankLine.value_day),
        sort=[BankLine.value_day],
    ),
]


@router.post("", status_code=201, response_model=BankStatementView)
async def create_bank_statement(tx: Tx, who: InvoiceWriter, body: NewBankStatement) -> BankStatement:
    """Read a file in. The same one again changes nothing and is answered with what was read; a line that an earlier file had is left out."""
    return await commands.import_statement(tx, body)


@router.get("", response_model=Page[BankStatementView])
async def list_bank_statements(tx: Tx, who: InvoiceReader, page: Statements) -> Listing[BankStatement]:
    """Files that were read in."""
    return await paginate(tx, select(BankStatement), page)


@router.get("/{bank_statement_id}", response_model=BankStatementView)
async def read_bank_statement(tx: Tx, who: InvoiceReader, bank_statement_id: UUID) -> BankStatement:
    """One file."""
    return await tx.find(BankStatement, bank_statement_id)


@lines_router.get("", response_model=Page[BankLineView])
async def list_bank_lines(tx: Tx, who: InvoiceReader, page: Lines) -> Listing[BankLine]:
    """What moved on accounts at banks."""
    return await paginate(tx, select(BankLine), page)


@lines_router.get("/{bank_line_id}", response_model=BankLineView)
async def read_bank_line(tx: Tx, who: InvoiceReader, bank_line_id: UUID) -> BankLine:
    """One movement."""
    return await tx.find(BankLine, bank_line_id)


@lines_router.get("/{bank_line_id}/suggestions")
async def read_suggestions(tx: Tx, who: InvoiceReader, bank_line_id: UUID) -> SuggestionsView:
    """Open invoices that a line may be for, and what may have moved back by it; nothing once it is known what it is."""
    found, moved = await commands.suggestions(tx, bank_line_id)
    return SuggestionsView(
        suggestions=[SuggestionView.model_validate(each) for each in found],
        moved_back=[MovedBackView.model_validate(each) for each in moved],
    )


@lines_router.post("/{bank_line_id}/confirm", response_model=BankLineView)
async def confirm_bank_line(
    tx: Tx, who: InvoiceWriter, match: IfMatch, bank_line_id: UUID, body: BankLineConfirmation
) -> BankLine:
    """Say that the line is a payment, and of what: the payment is entered with it. Or that money moved back by it."""
    return await commands.confirm(tx, who, bank_line_id, match, body)


@lines_router.post("/{bank_line_id}/dismiss", response_model=BankLineView)
async def dismiss_bank_line(
    tx: Tx, who: InvoiceWriter, match: IfMatch, bank_line_id: UUID, body: ReasonBody
) -> BankLine:
    """Say that the line is nothing that customers paid."""
    return await commands.dismiss(tx, bank_line_id, match, body.reason)
