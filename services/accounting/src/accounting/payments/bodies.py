"""What clients say of payments. Amounts are minor units of the currency beside them."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from accounting.chart import AccountCode
from contracts.payments import ExchangeRate
from tailrace.core.personal_data import Personal
from tailrace.core.values.fields import Code, Day, Name, Sentence, Text
from tailrace.core.values.money import Currency
from tailrace.http.routing import Body

MOST_ALLOCATIONS = 100
Received = Annotated[int, Field(gt=0, le=10**15, examples=[11_000])]


class BankAccountBody(Body):
    """An account at a bank."""

    code: Code
    """What it is known by here."""
    name: Name
    """What people call it."""
    iban: (
        Personal[Annotated[str, Field(pattern="^[A-Z]{2}[0-9]{2}[A-Z0-9]{8,30}$", examples=["DE89370400440532013000"])]]
        | None
    ) = None
    """Its number (ISO 13616), without blanks; by it a statement of the bank is told to be of this account."""
    bic: Annotated[str, Field(pattern="^[A-Z0-9]{8}([A-Z0-9]{3})?$", examples=["COBADEFFXXX"])] | None = None
    """The bank's code (ISO 9362)."""
    currency: Currency
    """What it is in; never changed."""
    account: AccountCode
    """The account of the chart that it is in the books; never changed."""


class AllocationBody(Body):
    """What of a payment is for an invoice; as much as possible, where no amount is said."""

    invoice_id: UUID
    """The invoice, which is issued."""
    amount: Received | None = Field(
        None, description="How much of the payment, in its currency; as much as is open, or as is left of it."
    )
    settled: Received | None = Field(
        None,
        description="How much of the invoice that settles, in the invoice's currency; by the day's rate when left out.",
    )


class PaymentBody(Body):
    """Money that came in."""

    bank_account_id: UUID
    """Where it came in."""
    amount: Received
    """How much, in minor units of the bank account's currency."""
    value_day: Day | None = Field(None, description="The day from which the bank counts it; today when left out.")
    customer_id: UUID | None = Field(None, description="Whose it is; null as long as nobody knows.")
    payer_name: Personal[Name] | None = Field(None, description="Who paid, as the bank says.")
    reference: Text | None = None
    """What the payer wrote."""
    allocations: Annotated[list[AllocationBody], Field(max_length=MOST_ALLOCATIONS)] = []
    """Which invoices it is for; the rest is the customer's credit."""


class AllocationsBody(Body):
    """Which invoices a payment is for."""

    allocations: Annotated[list[AllocationBody], Field(min_length=1, max_length=MOST_ALLOCATIONS)]
    """In this order; those that are there already stay."""


class PayerBody(Body):
    """Whose money it turned out to be."""

    customer_id: UUID
    """The customer whose credit it is from now on."""


class RateBody(Body):
    """What one unit of a currency is worth in another, both in major units."""

    currency: Currency
    """Of which one unit is meant."""
    against: Currency
    """What that is worth is said in this one."""
    day: Day
    """The first day on which it holds."""
    rate: ExchangeRate
    """So many units of `against`."""


class PaymentReturnBody(Body):
    """A payment that the bank took back."""

    reason: Sentence
    """Why, for people who read it later."""
    day: Day | None = Field(
        None, description="The day from which the bank counts it; today when left out, and not before it was allocated."
    )


class UnallocationBody(Body):
    """Why an allocation is undone."""

    reason: Sentence
    """Why, for people who read it later."""


class NewRevaluation(Body):
    """What is owed in other currencies is valued at the rates of this day."""

    day: Day
    """The day at whose end it is valued, which is over; most often the last of a period."""
