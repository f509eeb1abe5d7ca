"""What is shown of what customers owe. Amounts are whole minor units of the currency beside them."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from tailrace.core.personal_data import Personal
from tailrace.core.values.money import Currency, MinorTotal
from tailrace.http.routing import View


class AgedView(View):
    """What one customer owes in one currency, by how long it has been due."""

    customer_id: UUID | None
    """Who owes it; null for those whom an order only named, together."""
    customer_name: Personal[str | None]
    """What they are called."""
    currency: Currency
    """What every amount of the row is in, an ISO 4217 code."""
    not_due: MinorTotal
    """What is not due yet, that of the day included."""
    days_1_to_30: MinorTotal
    """What was due up to 30 days before."""
    days_31_to_60: MinorTotal
    """What was due up to 60 days before."""
    days_61_to_90: MinorTotal
    """What was due up to 90 days before."""
    over_90_days: MinorTotal
    """What was due earlier."""
    open: MinorTotal
    """All of these."""
    credit: MinorTotal
    """What they paid and is for no invoice, above zero."""
    balance: MinorTotal
    """What they owe in the end, `open` less `credit`."""


class AgeingView(View):
    """What customers owe, as of the end of a day."""

    day: date
    """The day that it is as of."""
    rows: Sequence[AgedView]
    """By customer and currency, where something is open or credit."""
    totals: Sequence[AgedView]
    """The same of all customers, by currency."""


class StatementEntryView(View):
    """Something that changed what the customer owes."""

    day: date
    """The day from which it counts."""
    kind: str
    """What it is: invoice, credit_note, payment, reversal, refund, refund_returned, or allocation where it changed the currency."""
    number: str
    """What it is called; of an allocation, the invoice."""
    amount: MinorTotal
    """By how much more is owed; below zero, less."""
    balance: MinorTotal
    """What is owed after it."""
    due_on: date | None
    """Of an invoice, the last day on which it is paid in time."""


class StatementView(View):
    """An account of what a customer owes in one currency, between two days."""

    customer_id: UUID
    """Whose account it is."""
    customer_name: Personal[str]
    """What they are called."""
    currency: Currency
    """What every amount is in, an ISO 4217 code."""
    since: date
    """The first day of it."""
    until: date
    """The last day of it."""
    opening: MinorTotal
    """What was owed before the first day."""
    closing: MinorTotal
    """What was owed at the end of the last one."""
    entries: Sequence[StatementEntryView]
    """What came between, day by day."""
