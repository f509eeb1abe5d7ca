"""What is shown of statements of a bank. Amounts are whole minor units of the account's currency."""

from datetime import date
from typing import Literal
from uuid import UUID

from accounting.bank.matching import Reason
from accounting.bank.models import LineStatus
from tailrace.core.personal_data import Personal
from tailrace.core.values.money import Currency, Minor
from tailrace.http.routing import ResourceView, View


class BankStatementView(ResourceView):
    bank_account_id: UUID
    """The account that the bank made it for."""
    format: Literal["camt.053", "csv"]
    """What was read."""
    name: str
    """What the bank calls it."""
    opening: Minor | None
    """What was on the account before; null when the file does not say."""
    closing: Minor | None
    """What was there after it."""
    lines: int
    """How many lines it has."""
    fresh: int
    """How many of them no earlier file had."""


class BankLineView(ResourceView):
    bank_account_id: UUID
    """On which account it was."""
    bank_statement_id: UUID
    """In which file it came."""
    status: LineStatus
    """Whether it is known what it is."""
    currency: Currency
    """What it is in, an ISO 4217 code."""
    amount: Minor
    """Above zero, money came in."""
    booked_on: date
    """The day on which the bank booked it."""
    value_day: date
    """The day from which the bank counts it."""
    payer_name: Personal[str | None]
    """Who paid, or was paid, as the bank says."""
    payer_iban: Personal[str | None]
    """The number of their account."""
    reference: Personal[str | None]
    """What they wrote."""
    bank_reference: str | None
    """What the bank calls it."""
    payment_id: UUID | None
    """The payment that it is, come in or gone back; null as long as nobody has said."""
    refund_id: UUID | None
    """The refund that it is, gone out or come in again; null as long as nobody has said."""
    reason: str | None
    """Why it is nothing that customers paid."""


class SuggestionView(View):
    """An open invoice that a line may be for."""

    invoice_id: UUID
    """The one that is suggested."""
    invoice_number: str
    """What it is called."""
    customer_id: UUID | None
    """Whom it is for."""
    customer_name: Personal[str]
    """What they are called."""
    open: Minor
    """What is still to be paid of it."""
    score: int
    """How likely it is, of 100."""
    reasons: list[Reason]
    """Why: the line names it, has its amount, or comes from somebody of that name."""


class MovedBackView(View):
    """What a line may be by which money moved back: a refund, or a payment that the bank took back."""

    kind: Literal["refund", "returned_refund", "returned_payment"]
    """Whether a refund left, or a refund or a payment came back."""
    id: UUID
    """The refund or the payment."""
    number: str
    """What it is called."""
    customer_id: UUID | None
    """Whose money it is."""
    score: int
    """How likely it is, of 100."""
    reasons: list[Reason]
    """Why: the line names it, has its amount, or its name."""


class SuggestionsView(View):
    """What a line may be for."""

    suggestions: list[SuggestionView]
    """Open invoices, the likeliest first."""
    moved_back: list[MovedBackView]
    """Refunds, and payments that the bank took back; the likeliest first."""
