"""What is shown of reminders. Amounts are whole minor units of their currency."""

from datetime import date
from uuid import UUID

from accounting.dunning.bodies import DunningLevel
from tailrace.core.personal_data import Personal
from tailrace.core.values.money import Currency, Minor, MinorTotal
from tailrace.http.routing import ResourceView, View


class DunningPolicyView(View):
    """When customers are reminded."""

    automatic: bool
    """Whether reminders go out by themselves, each night."""
    levels: list[DunningLevel]
    """From the first on."""


class DunnedInvoiceView(View):
    """An invoice on a reminder, as it was then."""

    invoice_id: UUID
    """The one that is overdue."""
    number: str
    """What it is called."""
    dated: date
    """The day that it is of."""
    due_on: date
    """The last day on which it would have been paid in time."""
    open: Minor
    """What was open of it."""
    level: int
    """The level that it reached."""


class DunningNoticeView(ResourceView):
    number: str
    """What people call it."""
    customer_id: UUID | None
    """Who was reminded; null for somebody whom an order only named."""
    customer_name: Personal[str]
    """What they are called."""
    dated: date
    """The day that it is of."""
    level: int
    """The highest level that an invoice of it reached."""
    currency: Currency
    """What every amount of it is in, an ISO 4217 code."""
    open: MinorTotal
    """What was open of the invoices."""
    fee: Minor
    """What the reminder costs."""
    fee_invoice_id: UUID | None
    """The invoice that asks for that; null without a fee."""
    total: MinorTotal
    """Both."""
    items: list[DunnedInvoiceView]
    """The invoices that it is of."""
