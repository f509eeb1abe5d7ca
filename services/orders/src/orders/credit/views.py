"""What a client sees of credit. Amounts are whole minor units of the currency beside them."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from contracts.credit import CreditReason
from orders.credit.hold import HoldState
from tailrace.core.values.money import Currency, Minor, MinorTotal
from tailrace.http.routing import View


class CreditHoldView(View):
    """Why an order is held for credit, and how its customer stood then."""

    reasons: Sequence[CreditReason]
    """Why it does not bind yet."""
    held_at: datetime
    """Since when, in UTC."""
    credit_limit: Minor | None
    """What the customer might owe; null for without limit."""
    limit_currency: Currency | None
    """What the limit and the two amounts below are in; null without a limit."""
    exposure: MinorTotal | None
    """What the customer owed and had ordered without this order; null without a limit, and where a rate was missing."""
    worth: MinorTotal | None
    """What the order adds to that, tax included; null as `exposure` is."""
    overdue_invoices: int
    """How many invoices had been overdue for longer than the company bears."""
    overdue_since: date | None
    """The day by which the oldest of them was to be paid."""
    state: HoldState
    """What became of asking for its release: `nobody_asked` where the company asks nobody, so that a person may release it."""
    answer: str | None
    """What was said with the answer; null for nothing."""


class CreditSumsView(View):
    """What a customer has ordered, owes and paid ahead in one currency."""

    currency: Currency
    """What these amounts are in, an ISO 4217 code."""
    open_orders: MinorTotal
    """What is ordered and binds, and was not invoiced; of a cancelled order, what left of it."""
    receivables: MinorTotal
    """What is open on invoices."""
    paid_ahead: MinorTotal
    """What was paid and is for no invoice."""
    exposure: MinorTotal
    """The first two less the third."""
    held: MinorTotal
    """What is ordered and held for credit; it does not count."""


class CreditStandingView(View):
    """How a customer stands, with all customers that were merged into it."""

    customer_id: UUID
    """Who it is by now: the one that was asked about, or the one that it was merged into."""
    active: bool
    """Whether anything is sold to the customer at present."""
    credit_limit: Minor | None
    """What the customer may owe; null for without limit."""
    limit_currency: Currency | None
    """What the limit, `exposure` and `available` are in; null without a limit."""
    exposure: MinorTotal | None
    """What the customer owes and has ordered; null without a limit, and where a rate is missing."""
    available: MinorTotal | None
    """What may still be ordered, below zero when it is too much already; null as `exposure` is."""
    missing_rates: Sequence[Currency]
    """The currencies of which nobody said what they are worth in the limit's."""
    overdue_invoices: int
    """How many invoices have been overdue for longer than the company bears."""
    overdue_since: date | None
    """The day by which the oldest of them was to be paid; null for none."""
    sums: Sequence[CreditSumsView]
    """The parts of it, by currency; one in which there is nothing is left out."""


class CreditPolicyView(View):
    """When the company holds orders for credit."""

    overdue_days: int | None
    """For how many days an invoice may be overdue before the customer's orders are held; null for as long as it takes."""
