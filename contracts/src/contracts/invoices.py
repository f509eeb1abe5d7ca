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
from tailrace.core.personal_data import Personal
from tailrace.core.values.money import Currency, Minor, MinorTotal, Quantity, Rate, UnitPrice

BillingMode = Literal["manual", "per_shipment", "periodic"]
"""When what has left is invoiced: when somebody asks, with each shipment, or on the day of the month that was agreed."""

InvoiceKind = Literal["invoice", "prepayment"]
"""What is asked for: what was supplied, or what is to be paid ahead of it."""

PrepaymentsTaxed = Literal["received", "supplied"]
"""When the tax on what is paid ahead is due: with the money (Directive 2006/112/EC, article 65), or with the goods."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class InvoicedLine(_Value):
    """A line: a part of an order that left or was performed, with the share of the order's amounts that falls to it; or anything else sold."""

    line_id: UUID
    order_id: UUID | None = None
    """The order that it is of; null for what was not ordered here."""
    order_line_id: UUID | None = None
    """The line of that order."""
    shipment_id: UUID | None = None
    """What it left with: its revenue and its tax were booked then."""
    performance_id: UUID | None = None
    """By which it was performed, of a service: its revenue and its tax were booked then."""
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
    """What of an invoice, or of a credit note, falls to one order: shares of the order's own net and tax, which add up to it.

    The invoice rounds its tax once for each rate of it, so what it asks for may differ from this by less than a unit for each rate.
    """

    order_id: UUID
    net: Minor
    tax: Minor


class Prepayment(_Value):
    """What an invoice deducts of a prepayment invoice, at one rate."""

    invoice_id: UUID
    """The prepayment invoice."""
    number: str
    """Under which it was issued."""
    dated: date
    """Its day."""
    tax_code: str | None = None
    """By which its tax was reckoned, where it has one."""
    tax_rate: Rate
    """The share of the net amount that was due as tax."""
    net: Minor
    """What was received ahead, before tax."""
    tax: Minor
    """The tax that was due on that."""


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
    custom_fields: dict[str, bool | str] = {}
    """Fields that the company adds, by their keys; a number is a string."""


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
    """The invoice binds, under the next number of its series.

    `delivered_net` and `delivered_tax` were booked when goods left: shares of their orders.
    """

    type: ClassVar[str] = "accounting.invoice.issued"

    number: str
    dated: date
    due_on: date
    delivered_net: Minor
    delivered_tax: Minor
    orders: list[OrderAmount] = []
    kind: InvoiceKind = "invoice"
    """Whether it asks to be paid ahead: nothing is sold by that, and its tax is due when it is received."""
    taken_over_on: date | None = None
    """Of what was open of an invoice of the system that the company came from, the day from which it counts here: it was sold and taxed there. Null
    for what was issued here."""
    order_id: UUID | None = None
    """The order that is paid ahead."""
    prepaid_net: Minor = 0
    prepaid_tax: Minor = 0
    """What it deducts that was received ahead, and the tax that was due on that."""
    prepayments: list[Prepayment] = []
    effective_at: datetime


class InvoiceStanding(InvoiceEvent):
    """How an invoice stands: `prepaid` was received ahead, `paid` since, `credited` taken back, `open` is left. `orders` is what it asks for by
    order."""

    number: str
    customer_id: UUID | None = None
    currency: Currency
    paid: Minor
    credited: Minor
    prepaid: Minor = 0
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


class PrepaymentDeducted(InvoiceEvent):
    """Another invoice deducts `amount` of this prepayment, tax included; below zero, less than before. `deducted` is all of it."""

    type: ClassVar[str] = "accounting.prepayment.deducted"

    deducted_by: UUID
    amount: Minor
    deducted: Minor


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
    kind: InvoiceKind = "invoice"
    """What kind of invoice it takes back."""
    released_net: Minor = 0
    released_tax: Minor = 0
    """What the invoice deducted, and is paid ahead again; the tax that is due on that."""
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
    number_prefix: str | None = None
    """With what the numbers of invoices begin; null for as the company's template says."""
    prepayments_taxed: PrepaymentsTaxed | None = None
    """When tax on what is paid ahead is due; null for as in the company's country."""


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
    open: MinorTotal
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
    PrepaymentDeducted,
    InvoiceOverdueReached,
    InvoiceReminded,
    CreditNoteIssued,
    DunningPolicyUpdated,
    DunningNoticeIssued,
    BillingPolicyUpdated,
    BillingTermsUpdated,
)
