"""Events of what customers pay, on `accounting.events`: payments and their allocation, accounts at banks, exchange rates.

Amounts are whole minor units of the currency beside them, days are the company's. `effective_at` is when it holds in the books.
"""

from datetime import date, datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.accounting import AccountingEvent
from tailrace.core.personal_data import Personal
from tailrace.core.values.money import Currency, Exact, Minor, MinorTotal

ExchangeRate = Annotated[Exact, Field(gt=0, max_digits=24, decimal_places=12, examples=["163.42"])]
"""What one unit of a currency, in major units, is worth in another."""


class PaymentEvent(AccountingEvent):
    payment_id: UUID


class PaymentReceived(PaymentEvent):
    """Money came in, on an account of the chart. Without a customer, nobody knows whose it is."""

    type: ClassVar[str] = "accounting.payment.received"

    number: str
    customer_id: UUID | None = None
    payer_name: Personal[str] | None = None
    reference: Personal[str] | None = None
    bank_account_id: UUID
    account: str
    currency: Currency
    amount: Minor
    value_day: date
    effective_at: datetime


class PaymentAssigned(PaymentEvent):
    """It turned out whose the money is: it is a credit of that customer from here on."""

    type: ClassVar[str] = "accounting.payment.assigned"

    customer_id: UUID
    currency: Currency
    amount: Minor
    day: date
    effective_at: datetime


class PaymentAllocation(PaymentEvent):
    """`amount` of the payment settles `settled` of an invoice, each in its own currency, and is `worth` that much there at the day's rate.

    `realised` is what the company gained, in its own currency, by rates that moved since the invoice was issued; below zero, lost. `tax_due` is the
    tax, in the invoice's currency, that became due because a prepayment was received; of what is undone, what is not due any more.

    `invoice_customer_id` is whose the invoice is: nobody's who is kept, or somebody who was merged with `customer_id`, whose money it is.
    """

    allocation_id: UUID
    invoice_id: UUID
    invoice_number: str
    invoice_customer_id: UUID | None = None
    customer_id: UUID | None = None
    currency: Currency
    amount: Minor
    invoice_currency: Currency
    settled: Minor
    worth: Minor
    company_currency: Currency | None = None
    realised: Minor = 0
    tax_due: Minor = 0
    day: date
    effective_at: datetime


class PaymentAllocated(PaymentAllocation):
    """A part of the payment, or all of it, is for this invoice."""

    type: ClassVar[str] = "accounting.payment.allocated"


class PaymentUnallocated(PaymentAllocation):
    """It is not for this invoice after all; says what is undone."""

    type: ClassVar[str] = "accounting.payment.unallocated"

    reason: str


class PaymentReversed(PaymentEvent):
    """The money went back, or never came: of what nothing is allocated."""

    type: ClassVar[str] = "accounting.payment.reversed"

    customer_id: UUID | None = None
    account: str
    currency: Currency
    amount: Minor
    reason: str
    day: date
    effective_at: datetime


class PaymentRefund(PaymentEvent):
    """`amount` of the payment belongs to a refund, whose own event says what that is in the books."""

    refund_id: UUID
    amount: Minor


class PaymentRefunded(PaymentRefund):
    """So much of it was paid back to the customer."""

    type: ClassVar[str] = "accounting.payment.refunded"


class PaymentRefundReturned(PaymentRefund):
    """What was paid back came in again."""

    type: ClassVar[str] = "accounting.payment.refund_returned"


class RateSet(AccountingEvent):
    """One unit of `currency` is worth `rate` units of `against`, both major ones, from the day on until another one is set."""

    type: ClassVar[str] = "accounting.rate.set"

    rate_id: UUID
    currency: Currency
    against: Currency
    day: date
    rate: ExchangeRate


class Revalued(BaseModel):
    """What is open in one currency at the end of the day, and what it is worth more than when it was issued, in the company's currency."""

    model_config = ConfigDict(frozen=True)

    currency: Currency
    open: MinorTotal
    difference: MinorTotal


class RevaluationEvent(AccountingEvent):
    """`difference` is in `currency`, the company's own: above zero, what is owed in other currencies is worth more than when it was issued."""

    revaluation_id: UUID
    day: date
    currency: Currency
    difference: MinorTotal
    effective_at: datetime


class RevaluationPosted(RevaluationEvent):
    """What is owed in other currencies was valued at the rates of a day, at its end."""

    type: ClassVar[str] = "accounting.revaluation.posted"

    lines: list[Revalued]


class RevaluationReversed(RevaluationEvent):
    """That is undone with the beginning of the next day, as it always is."""

    type: ClassVar[str] = "accounting.revaluation.reversed"


class BankAccountDescription(AccountingEvent):
    """An account at a bank, and the account of the chart that it is in the books."""

    bank_account_id: UUID
    code: str
    name: str
    iban: Personal[str] | None = None
    bic: str | None = None
    currency: Currency
    account: str


class BankAccountCreated(BankAccountDescription):
    """The company has another account at a bank."""

    type: ClassVar[str] = "accounting.bank_account.created"


class BankAccountUpdated(BankAccountDescription):
    """The account at the bank is different now; carries the whole of it."""

    type: ClassVar[str] = "accounting.bank_account.updated"


class BankAccountRestored(BankAccountDescription):
    """The account at the bank was deleted and is back, as it was; carries the whole of it."""

    type: ClassVar[str] = "accounting.bank_account.restored"


class BankAccountDeleted(AccountingEvent):
    """The account at the bank is used no more; what was paid there stays."""

    type: ClassVar[str] = "accounting.bank_account.deleted"

    bank_account_id: UUID
    code: str


class BankStatementImported(AccountingEvent):
    """A file of a bank was read: so many lines, of which so many were new."""

    type: ClassVar[str] = "accounting.bank_statement.imported"

    bank_statement_id: UUID
    bank_account_id: UUID
    name: str
    lines: int
    fresh: int


class BankLineEvent(AccountingEvent):
    bank_line_id: UUID


class BankLineImported(BankLineEvent):
    """A line of a statement of the bank was read; above zero, money came in."""

    type: ClassVar[str] = "accounting.bank_line.imported"

    bank_account_id: UUID
    currency: Currency
    amount: Minor
    value_day: date
    reference: Personal[str] | None = None


class BankLineMatched(BankLineEvent):
    """It is known what the line is: this payment, which came in or went back, or this refund."""

    type: ClassVar[str] = "accounting.bank_line.matched"

    payment_id: UUID | None = None
    refund_id: UUID | None = None


class BankLineDismissed(BankLineEvent):
    """The line is nothing that customers paid."""

    type: ClassVar[str] = "accounting.bank_line.dismissed"

    reason: str


PUBLISHED: tuple[type[AccountingEvent], ...] = (
    BankAccountCreated,
    BankAccountUpdated,
    BankAccountDeleted,
    BankAccountRestored,
    PaymentReceived,
    PaymentAssigned,
    PaymentAllocated,
    PaymentUnallocated,
    PaymentReversed,
    PaymentRefunded,
    PaymentRefundReturned,
    RateSet,
    RevaluationPosted,
    RevaluationReversed,
    BankStatementImported,
    BankLineImported,
    BankLineMatched,
    BankLineDismissed,
)
