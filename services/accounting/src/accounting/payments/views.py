"""What is shown of payments, bank accounts and exchange rates."""

from datetime import date
from typing import Literal
from uuid import UUID

from contracts.payments import ExchangeRate
from tailrace.core.personal_data import Personal
from tailrace.core.values.money import Currency, Minor, MinorTotal
from tailrace.http.routing import ResourceView, View


class BankAccountView(ResourceView):
    code: str
    """What it is known by here."""
    name: str
    """What people call it."""
    iban: Personal[str] | None
    """Its number (ISO 13616)."""
    bic: str | None
    """The bank's code (ISO 9362)."""
    currency: Currency
    """What it is kept in, an ISO 4217 code."""
    account: str
    """The account of the chart that it is in the books."""


class AllocationView(View):
    id: UUID
    """By which it is undone."""
    invoice_id: UUID
    """The invoice that it settles."""
    invoice_number: str
    """What that is called."""
    amount: Minor
    """How much of the payment, in its currency."""
    invoice_currency: Currency
    """What the invoice is in, an ISO 4217 code."""
    settled: Minor
    """How much of the invoice, in that currency."""
    worth: Minor
    """What the amount was worth in the invoice's currency, at the day's rate."""
    company_currency: Currency | None
    """What the company keeps its books in, where the invoice is in another one and both rates are known."""
    realised: Minor
    """What was gained in it by rates that moved since the invoice was issued; below zero, lost."""
    day: date
    """From which day on it is settled."""


class PaymentSummary(ResourceView):
    number: str
    """What people call it."""
    status: Literal["received", "reversed"]
    """Whether the money is there, or went back."""
    customer_id: UUID | None
    """Whose it is; null as long as nobody knows."""
    payer_name: Personal[str] | None
    """Who paid, as the bank says."""
    reference: str | None
    """What the payer wrote."""
    bank_account_id: UUID
    """Where it came in."""
    account: str
    """The account of the chart that it is on."""
    currency: Currency
    """What it is in, an ISO 4217 code."""
    amount: Minor
    """How much came in."""
    allocated: Minor
    """How much of that is for invoices."""
    refunded: Minor
    """How much was paid back."""
    unallocated: Minor
    """How much is for none, and is there: the customer's credit, or nobody's yet."""
    value_day: date
    """The day from which the bank counts it."""


class PaymentView(PaymentSummary):
    allocations: list[AllocationView]
    """Which invoices it is for."""


class RateView(ResourceView):
    currency: Currency
    """Of which one unit is meant."""
    against: Currency
    """What that is worth is said in this one."""
    day: date
    """The first day on which it holds."""
    rate: ExchangeRate
    """So many units of `against`, both major ones."""


class RevaluedView(View):
    currency: Currency
    """What was owed in."""
    open: MinorTotal
    """What was owed, in that currency."""
    difference: MinorTotal
    """By how much it is worth more than when it was issued, in the company's currency."""


class RevaluationView(ResourceView):
    day: date
    """At whose end it was valued."""
    currency: Currency
    """The company's own, an ISO 4217 code."""
    difference: MinorTotal
    """By how much all of it is worth more; undone as the next day begins."""
    lines: list[RevaluedView]
    """The same by currency."""
