"""Events of sales invoices, on `accounting.events`: invoices, credit notes, reminders, and how the company invoices.

Amounts are whole minor units of the currency beside them, days are the company's. An invoice that is issued never changes: what is wrong with it, a
credit note puts right. `effective_at` is when it holds in the books.
"""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.accounting import AccountingEvent
from contracts.orders import RateOfTax
from tailrace.core.money import Currency, Minor, Quantity, Rate, UnitPrice
from tailrace.core.personal_data import Personal

BillingMode = Literal["manual", "per_shipment", "periodic"]
"""When what has left is invoiced: when somebody asks, with each shipment, or on the day of the month that was agreed."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class InvoicedLine(_Value):
    """A line: a part of an order that left with a shipment, with the share of the order's amounts that falls to it; or anything else that is sold."""

    line_id: UUID
    order_id: UUID | None = None
    """The order that it is of; null for what was not ordered here."""
    order_line_id: UUID | None = None
    """The line of that order."""
    shipment_id: UUID | None = None
    """What it left with: its revenue and its tax were booked then."""
    item_id: UUID | None = None
    sku: str | None = None
    name: str
    quantity: Quantity
    unit: str | None = None
    """What `quantity` is in; null when nobody said."""
    unit_price: UnitPrice
    """For display: `net` is what binds."""
    net: Minor
    tax_code: str | None = None
    tax_rate: Rate
    tax: Minor


class OrderAmount(_Value):
    """What of an invoice, or of a credit note, falls to one order."""

    order_id: UUID
    net: Minor
    tax: Minor


class InvoiceEvent(AccountingEvent):
    invoice_id: UUID


class InvoiceDescription(InvoiceEvent):
    """The whole of an invoice. `customer_id` is null for an order that only names somebody."""

    customer_id: UUID | None = None
    customer_name: Personal[str]
    currency: Currency
    net: Minor
    tax: Minor
    taxes: list[RateOfTax]
    lines: list[InvoicedLine]


class InvoiceCreated(InvoiceDescription):
    """An invoice was drafted. Nothing is booked."""

    type: ClassVar[str] = "accounting.invoice.created"


class InvoiceUpdated(InvoiceDescription):
    """A draft says something else now; carries the whole of it."""

    type: ClassVar[str] = "accounting.invoice.updated"


class InvoiceDeleted(InvoiceEvent):
    """A draft was dropped: what it was of can be invoiced again."""

    type: ClassVar[str] = "accounting.invoice.deleted"


class InvoiceIssued(InvoiceDescription):
    """The invoice binds, under the next number of its series. `delivered_net` and `delivered_tax` are of what left before: they were booked then."""

    type: ClassVar[str] = "accounting.invoice.issued"

    number: str
    dated: date
    due_on: date
    delivered_net: Minor
    delivered_tax: Minor
    orders: list[OrderAmount] = []
    effective_at: datetime


class InvoiceStanding(InvoiceEvent):
    """How an invoice stands: `paid` was received, `credited` taken back, `open` is left. `orders` is what it asks for by order."""

    number: str
    customer_id: UUID | None = None
    currency: Currency
    paid: Minor
    credited: Minor
    open: Minor
    orders: list[OrderAmount] = []
    day: date


class InvoicePartlyPaid(InvoiceStanding):
    """Something was paid, or less is paid than was, and something is open."""

    type: ClassVar[str] = "accounting.invoice.partly_paid"


class InvoicePaid(InvoiceStanding):
    """Nothing is open any more, and something was paid."""

    type: ClassVar[str] = "accounting.invoice.paid"


class InvoiceReopened(InvoiceStanding):
    """It was paid, and is not any more."""

    type: ClassVar[str] = "accounting.invoice.reopened"


class InvoiceCredited(InvoiceStanding):
    """Something was taken back by a credit note."""

    type: ClassVar[str] = "accounting.invoice.credited"


class InvoiceOverdueReached(InvoiceEvent):
    """The day by which it was to be paid is over, and something is open."""

    type: ClassVar[str] = "accounting.invoice.overdue_reached"

    number: str
    customer_id: UUID | None = None
    currency: Currency
    open: Minor
    due_on: date


class InvoiceReminded(InvoiceEvent):
    """The customer was reminded of it, at a level that it was not reminded at before. Of `dunning_notice_id`."""

    type: ClassVar[str] = "accounting.invoice.reminded"

    number: str
    level: int
    dunning_notice_id: UUID
    open: Minor


class CreditedLine(_Value):
    """What of a line of the invoice is taken back."""

    line_id: UUID
    """The line of the invoice."""
    quantity: Quantity | None = None
    """How much of it comes back; null where only the amount is lowered."""
    net: Minor
    tax: Minor


class CreditNoteIssued(AccountingEvent):
    """An invoice, or a part of it, is taken back, with the tax of each rate; amounts are above zero."""

    type: ClassVar[str] = "accounting.credit_note.issued"

    credit_note_id: UUID
    number: str
    invoice_id: UUID
    invoice_number: str
    customer_id: UUID | None = None
    reason: str
    dated: date
    currency: Currency
    net: Minor
    tax: Minor
    taxes: list[RateOfTax]
    lines: list[CreditedLine]
    orders: list[OrderAmount] = []
    effective_at: datetime


class BillingPolicyUpdated(AccountingEvent):
    """How the company invoices; carries the whole of it."""

    type: ClassVar[str] = "accounting.billing_policy.updated"

    billing_policy_id: UUID
    mode: BillingMode
    closing_day: int
    """Of a month, the last of its days that a periodic invoice is of; 31 for the last one that the month has."""
    issues: bool
    """Whether an invoice that was made by itself is issued at once."""
    number_prefix: str


class BillingTermsUpdated(AccountingEvent):
    """What was agreed with one customer about invoices; null where the company's policy holds."""

    type: ClassVar[str] = "accounting.billing_terms.updated"

    billing_terms_id: UUID
    customer_id: UUID
    mode: BillingMode | None = None
    closing_day: int | None = None


class DunningPolicyUpdated(AccountingEvent):
    """When customers are reminded, and how; levels from the first on."""

    type: ClassVar[str] = "accounting.dunning_policy.updated"

    dunning_policy_id: UUID
    days: list[int]
    """By level, how many days after an invoice was due."""


class DunningNoticeIssued(AccountingEvent):
    """A customer was reminded of invoices that are overdue, each at a level that it had not reached."""

    type: ClassVar[str] = "accounting.dunning_notice.issued"

    dunning_notice_id: UUID
    number: str
    customer_id: UUID | None = None
    dated: date
    level: int
    currency: Currency
    open: Minor
    fee: Minor
    invoices: list[UUID]


PUBLISHED: tuple[type[AccountingEvent], ...] = (
    InvoiceCreated,
    InvoiceUpdated,
    InvoiceDeleted,
    InvoiceIssued,
    InvoicePartlyPaid,
    InvoicePaid,
    InvoiceReopened,
    InvoiceCredited,
    InvoiceOverdueReached,
    InvoiceReminded,
    CreditNoteIssued,
    DunningPolicyUpdated,
    DunningNoticeIssued,
    BillingPolicyUpdated,
    BillingTermsUpdated,
)
