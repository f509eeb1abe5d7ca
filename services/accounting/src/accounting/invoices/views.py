"""What is shown of invoices and credit notes. Amounts are whole minor units of their currency."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from accounting.invoices.bodies import IssuerBody
from accounting.invoices.models import Kind, Status
from contracts.invoices import BillingMode, Prepayment, PrepaymentsTaxed
from contracts.orders import RateOfTax
from tailrace.core.personal_data import Personal
from tailrace.core.values.money import Currency, Minor, Quantity, Rate, SignedQuantity, UnitPrice
from tailrace.http.routing import ResourceView, View


class InvoiceSummary(ResourceView):
    """An invoice as lists show it."""

    kind: Kind
    """Whether it asks for what was supplied, or for a prepayment."""
    number: str | None
    """What people call it, without a gap in its series; null for a draft."""
    order_id: UUID | None
    """Of a prepayment, the order that is paid ahead."""
    status: Status
    """Whether it binds, and how much of it is paid."""
    overdue: bool
    """Whether the day by which it was to be paid is over, with something open."""
    customer_id: UUID | None
    """Whom it is for; null when the order only named somebody."""
    customer_name: Personal[str]
    """What the customer was called when it was drafted."""
    customer_reference: str | None
    """What the customer calls it, or the order."""
    currency: Currency
    """What every amount of it is in, an ISO 4217 code."""
    net: Minor
    """What it comes to before tax."""
    tax: Minor
    """The tax on that."""
    total: Minor
    """What it asks for, `net` and `tax`."""
    prepaid: Minor
    """What it deducts that was received ahead, tax included."""
    paid: Minor
    """What was received for it."""
    credited: Minor
    """What credit notes took back."""
    open: Minor
    """What is still to be paid; zero for a draft."""
    dunning_level: int
    """The highest level that the customer was reminded at; 0 for never."""
    dated: date | None
    """The day that it is of; null for a draft."""
    due_on: date | None
    """The last day on which it is paid in time; null for a draft."""
    taken_over_on: date | None
    """Of one that another system wrote, the day from which it counts here; null for one of the company's own."""


class InvoiceLineView(View):
    """A line: of a shipment, of services that were performed, or sold by the invoice itself."""

    id: UUID
    """By which a credit note names it."""
    position: int
    """Its place, from 1."""
    order_id: UUID | None
    """The order that it is of; null for what the invoice itself sells."""
    order_number: str | None
    """What that order is called."""
    shipment_id: UUID | None
    """What it left with; null for a service."""
    shipment_number: str | None
    """What that shipment is called."""
    performance_id: UUID | None
    """By which a service was performed, as `order.services_performed` says; null for goods."""
    performance_number: str | None
    """What that is called."""
    supplied_on: date | None
    """The day on which it left, or was performed."""
    item_id: UUID | None
    """What it is, of the catalog."""
    sku: str | None
    """The item's code when it was ordered."""
    name: str
    """What was sold."""
    quantity: Quantity
    """How much of it, in `unit`."""
    unit: str | None
    """The unit that `quantity` is in; null when nobody said."""
    unit_price: UnitPrice
    """Of one `unit`, for display."""
    net: Minor
    """What it comes to before tax: what binds."""
    tax_code: str | None
    """The code that it is taxed by; null for the item's own rate."""
    tax_rate: Rate
    """The share of `net` that is due as tax."""
    tax: Minor
    """Its part of the tax."""
    credited_net: Minor
    """What credit notes took back of `net`."""
    credited_quantity: SignedQuantity
    """How much of it came back."""
    received: Minor
    """Of a prepayment: what came in for it, tax included."""
    deducted: Minor
    """What of that invoices have deducted."""


class PartyView(View):
    """A customer as the document says."""

    name: Personal[str]
    """What it is called."""
    number: str | None
    """What it is known by here; null for one that an order only names."""
    lines: Personal[list[str]]
    """Its address, as it is printed."""
    tax_id: Personal[str | None]
    """A number that a tax office gave it."""
    language: Literal["en", "ja"]
    """What the document is written in."""


class InvoiceView(InvoiceSummary):
    """An invoice with its lines."""

    customer: PartyView
    """The customer as it was when the invoice was drafted."""
    payment_terms_days: int
    """How many days after its date it is due."""
    notes: str | None
    """What else it says."""
    custom_fields: dict[str, bool | str]
    """Values of the fields that the company adds, by their keys; a number is a string."""
    supplied_from: date | None
    """The first day on which something of it left."""
    supplied_until: date | None
    """The last one."""
    issued_at: datetime | None
    """When it took effect in the books, in UTC."""
    taxes: list[RateOfTax]
    """The tax of each code and rate, to which the lines' taxes add up."""
    lines: list[InvoiceLineView]
    """What it asks for, by position."""
    prepayments: list[Prepayment]
    """What it deducts of which prepayment invoice, by rate."""


class CreditNoteSummary(ResourceView):
    """A credit note as lists show it."""

    number: str
    """What people call it, without a gap in its series."""
    invoice_id: UUID
    """The invoice that it takes back."""
    invoice_number: str
    """What that is called."""
    customer_id: UUID | None
    """Whom it is for."""
    customer_name: Personal[str]
    """What the customer was called."""
    reason: str
    """Why something was taken back."""
    dated: date
    """The day that it is of."""
    currency: Currency
    """What every amount is in, an ISO 4217 code."""
    net: Minor
    """What is taken back before tax, above zero."""
    tax: Minor
    """The tax on that."""
    total: Minor
    """Both."""


class CreditNoteLineView(View):
    """What of a line of the invoice was taken back."""

    line_id: UUID
    """The line of the invoice."""
    name: str
    """What was sold."""
    quantity: Quantity | None
    """How much of it came back; null where only the amount was lowered."""
    net: Minor
    """What was taken back before tax."""
    tax_code: str | None
    """The code that it was taxed by."""
    tax_rate: Rate
    """The share of `net` that was due as tax."""
    tax: Minor
    """Its part of the tax."""


class CreditNoteView(CreditNoteSummary):
    """A credit note with its lines."""

    taxes: list[RateOfTax]
    """What is taken back at each rate."""
    lines: list[CreditNoteLineView]
    """Of which lines of the invoice it is."""


class BillingPolicyView(View):
    """How the company invoices."""

    mode: BillingMode
    """When what has left is invoiced."""
    closing_day: int
    """The last day of the month that a periodic invoice is of; 31 for the last one there is."""
    issues: bool
    """Whether what is invoiced by itself is issued at once."""
    number_prefix: str | None
    """With what the numbers of invoices begin; null for as the company's template says."""
    prepayments_taxed: PrepaymentsTaxed | None
    """When tax on what is paid ahead is due; null for as in the company's country."""
    issuer: IssuerBody
    """What documents say of the company."""


class BillingTermsView(View):
    """What was agreed with one customer; null where the company's policy holds."""

    mode: BillingMode | None
    """When what has left is invoiced."""
    closing_day: int | None
    """The last day of the month that a periodic invoice is of."""
    electronic_address: str | None
    """Where the customer receives electronic documents."""
