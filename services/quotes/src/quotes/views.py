"""What is shown of quotes: to those who work with them, to those who may know what they earn, and to the customer. Amounts are whole minor units."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal, Self
from uuid import UUID

from contracts.orders import Address, RateOfTax
from contracts.quotes import AuthorityLimit, Inclusion
from quotes.lines import QuoteLine
from quotes.models import Quote, Status
from quotes.scopes import customers_pii
from tailrace.core.personal_data import Personal
from tailrace.core.values.money import Currency, Minor, MinorTotal, Quantity, Rate, UnitPrice, round_minor
from tailrace.http.masks import masked
from tailrace.http.routing import ResourceView, View


class QuoteSummary(ResourceView):
    """A quote as lists show it: one revision of it."""

    number: str
    """What people call it; the same for all its revisions."""
    revision: int
    """Which one this is, from 1."""
    status: Status
    """What became of it so far."""
    customer_id: UUID
    """Whom it is for."""
    customer_name: Personal[str]
    """What the customer was called when it was made."""
    owner_id: UUID | None
    """The user who sells; null when they are gone and nobody took over."""
    owner_name: Personal[str | None]
    """What they were called when it became theirs."""
    opportunity_id: UUID | None
    """The opportunity that it is made for."""
    dated: date
    """The day that its prices and tax rates are of."""
    valid_until: date
    """The last day on which it can be accepted."""
    currency: Currency
    """What every amount of it is in, an ISO 4217 code."""
    net: Minor
    """What it comes to before tax, after every discount."""
    tax: Minor
    """The tax on that."""
    total: Minor
    """What is to be paid, `net` and `tax`."""
    custom_fields: dict[str, bool | str]
    """Values of the fields that the company adds, by their keys; a number is a string."""


class QuoteLineView(View):
    """A line. A text has no item, no price and no amounts."""

    id: UUID
    """By which an acceptance names it."""
    position: int
    """Its place, from 1."""
    kind: Literal["item", "text"]
    """Whether it offers something, or says something."""
    inclusion: Inclusion
    """Whether it is a part of the offer, may be taken besides, or in place of another line."""
    alternative_to: int | None
    """The position of the line that it can stand in place of."""
    counts: bool
    """Whether the totals are of it; once accepted, whether it was taken."""
    item_id: UUID | None
    """What is offered, of the catalog."""
    sku: str | None
    """The item's code when the quote was made."""
    name: str
    """What is offered, or what is said."""
    description: str | None
    """More about it."""
    quantity: Quantity | None
    """How much, in `unit`."""
    unit: str | None
    """The unit that `quantity` is in."""
    unit_price: UnitPrice | None
    """Of one `unit`, before `discount_rate`, to six decimals."""
    list_price: UnitPrice | None
    """What the price list says of one of the item's base unit; null where there is none to compare with."""
    price_list_id: UUID | None
    """The list that it was priced by, or compared with."""
    discount_rate: Rate | None
    """The share that is taken off the price."""
    amount: Minor
    """After the line's own discount, before that on the whole."""
    net: Minor
    """After both: what binds."""
    tax_code: str | None
    """The code that it is taxed by; null for the item's own rate."""
    tax_rate: Rate
    """The share of `net` that is due as tax."""
    tax: Minor
    """Its part of the tax."""


class BuyerView(View):
    """A customer as the document says."""

    name: Personal[str]
    """What it is called."""
    number: str
    """What it is known by."""
    lines: Personal[list[str]]
    """Its address, as it is printed."""
    tax_id: Personal[str | None]
    """A number that a tax office gave it."""
    contact: Personal[str | None]
    """Who the quote is addressed to."""
    language: Literal["en", "ja"]
    """What the document is written in."""


class QuoteMailView(View):
    """The newest mail by which the customer was to get the quote."""

    address: Annotated[Personal[str], masked(customers_pii)]
    """Where to."""
    status: Literal["sending", "sent", "failed"]
    """Whether the mail server has yet to take it, took it, or will not."""
    failure: str | None
    """A word for why it did not go, such as `status-550`; null unless it failed."""
    asked_at: datetime
    """When it was asked for, in UTC."""


class QuoteView(QuoteSummary):
    """A quote with its lines, as its author wrote it."""

    customer: BuyerView
    """The customer as it was when the quote was made."""
    customer_reference: str | None
    """What the customer calls it."""
    warehouse_id: UUID
    """Where the goods are to leave from."""
    ship_to: Address | None
    """Where the goods are to go."""
    price_list_id: UUID | None
    """What lines are priced by that name no list of their own."""
    payment_terms_days: int
    """How many days after an invoice it is due."""
    discount_rate: Rate | None
    """The share that is taken off the whole."""
    discount_amount: Minor | None
    """What is taken off the whole, in place of a share."""
    discount: Minor
    """What the whole was lowered by, either way."""
    taxes: list[RateOfTax]
    """The tax of each code and rate, to which the lines' taxes add up."""
    terms: str | None
    """The terms that it is offered on."""
    notes: str | None
    """What else it says."""
    confirm_order: bool
    """Whether the order that it becomes binds at once."""
    reason: str | None
    """Why it was rejected, recalled, declined or cancelled."""
    sent_at: datetime | None
    """When it was sent, in UTC."""
    mail: QuoteMailView | None
    """The newest mail to the customer, and whether it went; null as long as none was asked for."""
    accepted_at: datetime | None
    """When it was accepted, in UTC."""
    accepted_by: Personal[str | None]
    """Who accepted it."""
    order_id: UUID | None
    """The order that it became; null until that is there."""
    order_ended: bool
    """Whether that order was cancelled, or what was left of it: then the quote can be revised."""
    lines: list[QuoteLineView]
    """What is offered, by position."""


class LinkView(View):
    """How the customer sees the quote and answers it. Everybody who has `path` can do so: pass it on to nobody else."""

    path: str
    """Below the address of the API."""
    ends_at: datetime
    """The first moment at which it leads nowhere any more, in UTC."""


class LineMargin(View):
    """What a line earns; null where nobody knows what it costs."""

    line_id: UUID
    """The line of the quote that these figures are of."""
    net: Minor
    """What it comes to, after every discount."""
    unit_cost: UnitPrice | None
    """What one of the item's base unit costs, in minor units."""
    cost: MinorTotal | None
    """What all of it costs."""
    margin: MinorTotal | None
    """What is left of `net`."""


class MarginView(View):
    """What a quote earns: what is left of its net amount after what the goods cost."""

    currency: Currency
    """What every amount is in, an ISO 4217 code."""
    net: Minor
    """What the quote comes to before tax."""
    cost: MinorTotal | None
    """What the goods cost; null when that is not known of each line."""
    margin: MinorTotal | None
    """What is left."""
    margin_rate: str | None
    """`margin` as a share of `net`, to six decimals; null when the quote comes to nothing."""
    lines: list[LineMargin]
    """The same of each line that counts."""

    @classmethod
    def of(cls, quote: Quote) -> Self:
        lines = [_margin_of(line) for line in quote.counted]
        costs = [line.cost for line in lines]
        cost = None if None in costs else sum(each for each in costs if each is not None)
        margin = None if cost is None else quote.net - cost
        rate = None
        if margin is not None and quote.net:
            rate = format(Decimal(round_minor(Fraction(margin, quote.net) * 10**6)).scaleb(-6), "f")
        return cls(currency=quote.currency, net=quote.net, cost=cost, margin=margin, margin_rate=rate, lines=lines)


class AuthorityView(View):
    """Who may quote how much without approval."""

    limits: Sequence[AuthorityLimit]
    """One for each role or user."""


class OfferLine(View):
    """A line of an offer, as the customer sees it."""

    id: UUID
    """By which an acceptance names it."""
    position: int
    """Its place, from 1."""
    kind: Literal["item", "text"]
    """Whether it offers something, or says something."""
    inclusion: Inclusion
    """Whether it is a part of the offer, may be taken besides, or in place of another line."""
    alternative_to: int | None
    """The position of the line that it can stand in place of."""
    counts: bool
    """Whether the totals are of it; once accepted, whether it was taken."""
    name: str
    """What is offered, or what is said."""
    description: str | None
    """More about it."""
    quantity: Quantity | None
    """How much, in `unit`."""
    unit: str | None
    """The unit that `quantity` is in."""
    unit_price: UnitPrice | None
    """Of one `unit`, before `discount_rate`."""
    discount_rate: Rate | None
    """The share that is taken off the price."""
    amount: Minor
    """After that."""
    net: Minor
    """After what is taken off the whole, too."""
    tax_rate: Rate
    """The share of `net` that is due as tax."""
    tax: Minor
    """Its part of the tax."""


class OfferView(View):
    """A quote as the holder of its link sees it."""

    number: str
    """What to call it."""
    revision: int
    """Which one this is, from 1."""
    status: Literal["sent", "accepted"]
    """Whether it waits for an answer, or was accepted."""
    seller: str
    """Who offers."""
    customer_name: Personal[str]
    """Whom it is for."""
    dated: date
    """The day that its prices are of."""
    valid_until: date
    """The last day on which it can be accepted."""
    currency: Currency
    """What every amount of it is in, an ISO 4217 code."""
    discount: Minor
    """What the whole was lowered by."""
    net: Minor
    """What it comes to before tax."""
    tax: Minor
    """The tax on that."""
    total: Minor
    """What is to be paid."""
    taxes: list[RateOfTax]
    """The tax of each code and rate."""
    payment_terms_days: int
    """How many days after an invoice it is due."""
    terms: str | None
    """The terms that it is offered on."""
    notes: str | None
    """What else it says."""
    accepted_at: datetime | None
    """When it was accepted, in UTC."""
    lines: list[OfferLine]
    """What is offered, by position."""


class DeclinedView(View):
    """That an offer was declined."""

    number: str
    """What it was called."""
    revision: int
    """Which one it was."""
    status: Literal["declined"]
    """What became of it."""


def _margin_of(line: QuoteLine) -> LineMargin:
    assert line.base_quantity is not None
    cost = None if line.unit_cost is None else round_minor(Fraction(line.unit_cost) * Fraction(line.base_quantity))
    margin = None if cost is None else line.net - cost
    return LineMargin(line_id=line.id, net=line.net, unit_cost=line.unit_cost, cost=cost, margin=margin)
