"""What a client sees of returns. Quantities are in each item's base unit, amounts are whole minor units of `currency`."""

from decimal import Decimal
from uuid import UUID

from contracts.returns import Outcome, ReturnStatus
from tailrace.core.personal_data import Personal
from tailrace.core.values.money import Currency, Minor, Quantity, Rate, SignedQuantity
from tailrace.http.routing import ResourceView, View


class ReturnReasonView(ResourceView):
    code: str
    """What the reason is known by; unique among those in use."""
    name: str
    """What people call it."""
    active: bool
    """Whether it may be given for new returns."""


class ReturnLineView(View):
    """A part of an order's line that left with one shipment, or of a service that was performed at once."""

    id: UUID
    """By which the receipt and the inspection name it."""
    position: int
    """Its place in the return, from 1."""
    shipment_id: UUID
    """What it left with; of a service, the performance."""
    shipment_number: str
    """What people call that shipment or performance."""
    performed: bool
    """Whether it is of a service: nothing comes back, and it is accepted by the authorisation."""
    line_id: UUID
    """The line of the order."""
    item_id: UUID
    """What comes back, of the catalog."""
    sku: str
    """The item's code when it was ordered."""
    name: str
    """What the item was called when it was ordered."""
    warehouse_id: UUID
    """Where it left from, and comes back to; a service was sold from there."""
    unit: str
    """The item's base unit, which every quantity of the line is in."""
    quantity: SignedQuantity
    """How much is agreed; what never came is taken off when the rest is cancelled."""
    outcome: Outcome
    """What the customer is to have for what is accepted."""
    received: SignedQuantity
    """How much has come; of a service, how much is taken back."""
    accepted: SignedQuantity
    """How much of that was kept, and is credited."""
    sent_back: SignedQuantity
    """How much of that goes back to the customer."""


class ReturnSummary(ResourceView):
    """A return without its lines, as lists show it."""

    number: str
    """What people call it, such as RT-000001; unique within the tenant."""
    status: ReturnStatus
    """How far it has come, from the request to its settlement."""
    cancelling: bool
    """Whether shipping has been asked to expect nothing more, and has yet to answer."""
    cancel_reason: str | None
    """Why it, or the rest of it, was cancelled."""
    order_id: UUID
    """The order that it was supplied for."""
    order_number: str
    """What people call that order."""
    customer_id: UUID | None
    """The customer that the order was taken for; null for an order that only names somebody."""
    customer_name: Personal[str]
    """Who ordered."""
    owner_id: UUID | None
    """The user who sells; null for nobody."""
    owner_name: Personal[str | None]
    """What they were called when it became theirs."""
    return_reason_id: UUID
    """Why it comes back, of the reasons that are kept."""
    reason_code: str
    """The reason's code when it was given."""
    reason: str
    """What the reason was called when it was given."""
    note: str | None
    """What else the customer said."""
    currency: Currency
    """What every amount of it is in, an ISO 4217 code."""
    fee_net: Minor
    """What is asked for the trouble, before tax; zero for nothing."""
    fee_tax_code: str | None
    """The code that the fee is taxed by."""
    fee_tax_rate: Rate
    """The share of the fee that is due as tax."""
    fee: Minor
    """What the invoice of the fee asks for, tax included; zero before there is one."""
    credited_net: Minor
    """What was taken back of what the goods were sold for, before tax, invoiced or not."""
    credited_tax: Minor
    """The tax on it."""
    return_shipment_id: UUID | None
    """What shipping expects it as; null before it is authorised, and where it is of services alone."""
    exchange_order_id: UUID | None
    """The order of what is sent instead; null for none."""
    exchange_order_number: str | None
    """What people call that order."""


class ReturnView(ReturnSummary):
    """A return with its lines."""

    lines: list[ReturnLineView]
    """What may come back, by position."""


class ReturnableLine(View):
    """What left with a shipment or was performed, and how much of it may still come back."""

    shipment_id: UUID
    """What it left with; of a service, the performance."""
    shipment_number: str
    """What people call that shipment or performance."""
    performed: bool
    """Whether it is of a service."""
    line_id: UUID
    """The line of the order."""
    sku: str
    """The item's code when it was ordered."""
    name: str
    """What the item was called when it was ordered."""
    unit: str
    """What both quantities are in."""
    shipped: Quantity
    """How much of the line left with that shipment, or was performed then."""
    returnable: SignedQuantity
    """How much of that is in no return."""

    @classmethod
    def said(cls, shipped: Decimal, bound: Decimal, **rest: object) -> "ReturnableLine":
        return cls.model_validate({"shipped": shipped, "returnable": shipped - bound, **rest})


class Returnable(View):
    """What of an order may still come back."""

    order_id: UUID
    """The order that it was supplied for."""
    number: str
    """What people call the order."""
    lines: list[ReturnableLine]
    """By shipment or performance, and line."""
