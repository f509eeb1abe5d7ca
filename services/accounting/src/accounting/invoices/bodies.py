"""What clients say of invoices. Amounts are minor units of the invoice's currency, a rate is a share of one."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from contracts.invoices import BillingMode, PrepaymentsTaxed
from tailrace.core.values.custom_fields import CustomValues
from tailrace.core.values.fields import Amount, Code, Country, Day, Name, Note, Sentence, Text, UnitCode
from tailrace.core.values.money import PRICE_BOUND, Currency, Quantity, Rate, UnitPrice
from tailrace.core.values.wire import WrongFields
from tailrace.http.routing import Body

MOST_LINES = 500
MOST_SHIPMENTS = 100
ElectronicAddress = Annotated[
    Text, Field(max_length=100, pattern=r"^([0-9]{4}|AN|AQ|AS|AU|EM):[^\s:][^\s]*$", examples=["9930:DE123456789"])
]
"""A scheme of the EAS list, a colon, and what the scheme calls the receiver (EN 16931, BT-34 and BT-49)."""
_CLOSING_DAY = Annotated[int, Field(ge=1, le=31)]


class NewInvoiceLine(Body):
    """Something that is sold by the invoice itself: a fee, an hour, what no order is of."""

    name: Text
    """What is sold."""
    quantity: Quantity
    """How much of it, in `unit`."""
    unit: UnitCode | None = None
    unit_price: UnitPrice
    """Of one `unit`, in minor units."""
    tax_code: Code | None = None
    """The tax code that it is taxed by, one that the company has; its rate of the day counts."""
    tax_rate: Rate | None = Field(
        None,
        description="The share of the net amount that is due as tax. May be left out with `tax_code`, and is the same as its rate otherwise.",
    )


class PrepaymentBody(Body):
    """How much of an order is to be paid ahead, tax included: a share of it, or an amount."""

    share: Annotated[Rate, Field(gt=0, le=1, examples=["0.3"])] | None = None
    """The share of what the order comes to. Instead of `amount`."""
    amount: Annotated[Amount, Field(gt=0)] | None = None
    """How much, in minor units of the order's currency. Instead of `share`."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.share is None) == (self.amount is None):
            raise WrongFields("Say share or amount, one of them.", "share", "amount")
        return self


class NewInvoice(Body):
    """What to invoice: shipments and performances by id, or all that has left or was performed of an order or for a customer; lines of its own
    besides, or alone."""

    shipment_ids: Annotated[list[UUID], Field(max_length=MOST_SHIPMENTS)] = []
    """Shipments that have left, of one customer and in one currency; each is invoiced whole. Performances of services may be named here, too."""
    order_id: UUID | None = None
    """All that has left or was performed of this order and is not invoiced."""
    customer_id: UUID | None = None
    """All that has left or was performed for this customer and is not invoiced; with `lines` alone, whom they are for."""
    until: Day | None = Field(
        None, description="The last day that it left or was performed on; up to now when left out."
    )
    currency: Currency | None = Field(
        None,
        description="What it is in, an ISO 4217 code; the customer's when left out. What was ordered says it itself.",
    )
    lines: Annotated[list[NewInvoiceLine], Field(max_length=MOST_LINES)] = []
    """What is sold by the invoice itself."""
    prepayment: PrepaymentBody | None = Field(
        None, description="With `order_id`: what of the order is to be paid ahead, whatever has left."
    )
    payment_terms_days: Annotated[int, Field(ge=0, le=365)] | None = Field(
        None,
        description="How many days after its date it is due; when left out, what its orders say, which has to be the same of all,"
        " or else what was agreed with the customer.",
    )
    customer_reference: Text | None = None
    """What the customer calls it; that of the order when left out."""
    notes: Note | None = None
    custom_fields: CustomValues = {}
    """Values of the fields that the company's template adds to invoices, by their keys."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        sources = [bool(self.shipment_ids), self.order_id is not None, self.customer_id is not None]
        if sum(sources) != 1:
            raise WrongFields(
                "Say one of shipment_ids, order_id and customer_id.", "shipment_ids", "order_id", "customer_id"
            )
        if self.prepayment is not None and (self.order_id is None or self.lines or self.until is not None):
            besides = [name for name in ("shipment_ids", "customer_id", "lines", "until") if getattr(self, name)]
            raise WrongFields("What is paid ahead is of an order, and of nothing else.", *besides)
        return self


class NewOpenInvoice(Body):
    """What is open of an invoice of the system that the company came from."""

    number: Text
    """What it is called there, and on whatever pays it."""
    customer_id: UUID
    """Who owes it."""
    dated: Day
    """The day that it is of: not after the one from which it counts here."""
    due_on: Day
    """The last day on which it is paid in time."""
    currency: Currency
    """What it is in, an ISO 4217 code."""
    open: Annotated[Amount, Field(gt=0, lt=PRICE_BOUND)]
    """What is still to be paid of it, tax included, in minor units: it is sold once, so it has to be a price too."""
    tax_code: Code | None = Field(
        None, description="The tax code that it was taxed by, whose rate of its day a credit note takes tax back at."
    )
    tax_rate: Rate | None = Field(
        None,
        description="The share of the net amount that was due as tax, at which a credit note takes tax back; none when `tax_code` is left out, too.",
    )
    customer_reference: Text | None = None
    """What the customer calls it."""
    taken_over_on: Day | None = Field(
        None, description="The first day of the books here, from which it counts; today when left out."
    )


class InvoiceTerms(Body):
    """What may still be said of a draft; its shipments stay."""

    lines: Annotated[list[NewInvoiceLine], Field(max_length=MOST_LINES)] = []
    """What is sold by the invoice itself, in place of what was said before."""
    payment_terms_days: Annotated[int, Field(ge=0, le=365)]
    """How many days after its date it is due."""
    customer_reference: Text | None = None
    """What the customer calls it."""
    notes: Note | None = None
    custom_fields: CustomValues = {}
    """Values of the fields that the company's template adds to invoices, by their keys, in place of what was said before."""


class IssueBody(Body):
    """When the invoice is of, and what happens when rates of tax have changed since it was drafted."""

    dated: Day | None = Field(None, description="The day that it is of, not after today; today when left out.")
    reprice: bool = Field(
        False,
        description="Issue it at the rates that the tax codes of its own lines have on that day; refused (`invoice-price-changed`) when false and"
        " one of them has changed. What left or was performed is taxed as it was ordered.",
    )
    expected_total: Amount | None = Field(
        None,
        description="The total that the person saw, tax included, in minor units; refused (`invoice-price-changed`) at another total,"
        " with `reprice` too.",
    )


class CreditLine(Body):
    """What of a line of the invoice is taken back: so much of its quantity, or of its net amount."""

    line_id: UUID
    """The line of the invoice."""
    quantity: Quantity | None = None
    """How much of it comes back; its share of the line's amount is taken back. Instead of `net`."""
    net: Amount | None = None
    """By how much its net amount is lowered. Instead of `quantity`."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.quantity is None) == (self.net is None):
            raise WrongFields("Say quantity or net, one of them.", "quantity", "net")
        return self


class NewCreditNote(Body):
    """What is taken back of an invoice, and why; all that is left of it when no line is named."""

    reason: Sentence
    """Why, in a sentence or two; it stands on the credit note."""
    lines: Annotated[list[CreditLine], Field(max_length=MOST_LINES)] = []
    """The lines, each once."""
    dated: Day | None = Field(None, description="The day that it is of, not after today; today when left out.")


class IssuerBody(Body):
    """What documents say of the company."""

    name: Name | None = Field(None, description="Its registered name; what the tenant is called when left out.")
    lines: Annotated[list[Text], Field(max_length=6)] = []
    """Street and number, line by line."""
    city: Text | None = None
    """The town that it is in."""
    postal_code: Annotated[Text, Field(max_length=20)] | None = None
    """As the post of its country writes it."""
    region: Text | None = None
    """The state, prefecture or province."""
    country: Country | None = None
    tax_id: Annotated[Text, Field(max_length=40)] | None = None
    """Its number at the tax office, with the country's letters (DE123456789); in Japan that of an issuer of qualified invoices (T…)."""
    registration_id: Annotated[Text, Field(max_length=40)] | None = None
    """Its number in the register of companies."""
    electronic_address: ElectronicAddress | None = None
    """Where it receives electronic documents, such as 9930:DE123456789: a scheme of the EAS list, a colon, the address."""
    payment_instructions: Note | None = None


class BillingPolicyBody(Body):
    """How the company invoices, all of it."""

    mode: BillingMode = "manual"
    """When what has left is invoiced: when somebody asks, with each shipment, or each month on the closing day."""
    closing_day: _CLOSING_DAY = 31
    """The last day of the month that a periodic invoice is of; 31 for the last one there is."""
    issues: bool = False
    """Whether what is invoiced by itself is issued at once; a draft is made otherwise."""
    number_prefix: Annotated[str, Field(pattern="^[A-Z0-9]{1,8}$", examples=["INV"])] | None = Field(
        None,
        description="With what the numbers of invoices begin, in capitals; the year and the number follow. "
        "As the company's template says when left out.",
    )
    prepayments_taxed: PrepaymentsTaxed | None = Field(
        None,
        description="When tax on what is paid ahead is due: when it is received (as in the EU), or when goods leave (as in Japan). "
        "As in the company's country when left out.",
    )
    issuer: IssuerBody = IssuerBody()
    """What documents say of the company."""


class BillingTermsBody(Body):
    """What was agreed with one customer; null where the company's policy holds."""

    mode: BillingMode | None = None
    """When what has left is invoiced."""
    closing_day: _CLOSING_DAY | None = None
    """The last day of the month that a periodic invoice is of."""
    electronic_address: ElectronicAddress | None = None
    """Where the customer receives electronic documents: a scheme of the EAS list, a colon, the address."""
