"""What a client may say about a quote. A quantity and a price are decimals, a discount is a share of one, amounts are whole minor units."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from contracts.orders import Address
from contracts.quotes import AuthorityLimit, Inclusion
from tailrace.core.personal_data import Personal
from tailrace.core.values.custom_fields import CustomValues
from tailrace.core.values.fields import Amount, Country, Day, Email, Name, Note, Sentence, Text, UnitCode
from tailrace.core.values.money import Currency, Quantity, Rate, UnitPrice
from tailrace.core.values.wire import WrongFields
from tailrace.http.routing import Body

MOST_LINES = 500
MOST_LIMITS = 500


_OF_ITEMS = ("item_id", "quantity", "unit", "unit_price", "price_list_id", "discount_rate")


class QuoteLineBody(Body):
    """A line: so much of an item, priced by a price list or by `unit_price`; or a text, which has a `name` and perhaps a `description` alone."""

    kind: Literal["item", "text"] = "item"
    """Whether it offers something, or says something."""
    inclusion: Inclusion = "included"
    """Whether it is a part of the offer, may be taken besides, or in place of another line."""
    alternative_to: Annotated[int, Field(ge=1, le=MOST_LINES)] | None = None
    """The position, from 1, of the included line that this one can stand in place of."""
    item_id: UUID | None = None
    """What is offered, of the catalog."""
    quantity: Quantity | None = None
    """How much, in `unit`; above zero, and no finer than that unit allows."""
    unit: UnitCode | None = Field(
        None, description="The unit that `quantity` is in; the item's base unit when left out."
    )
    unit_price: UnitPrice | None = Field(
        None, description="An agreed price of one `unit`, in minor units; the price list says it when left out."
    )
    price_list_id: UUID | None = Field(None, description="Price by this list; by that of the quote when left out.")
    discount_rate: Rate | None = None
    """The share that is taken off the price."""
    name: Text | None = None
    """What a text says; of an item, what it is called in the catalog when left out."""
    description: Note | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind == "text":
            wrong = [name for name in _OF_ITEMS if getattr(self, name) is not None]
            wrong += ["name"] if self.name is None else []
            wrong += ["inclusion"] if self.inclusion != "included" else []
            if wrong:
                raise WrongFields("A text has a name, perhaps a description, and nothing else.", *wrong)
        elif missing := [name for name in ("item_id", "quantity") if getattr(self, name) is None]:
            raise WrongFields("Say item_id and quantity.", *missing)
        if self.unit_price is not None and self.discount_rate is not None:
            raise WrongFields(
                "Lower the price by unit_price or by discount_rate, not by both.", "unit_price", "discount_rate"
            )
        if (self.inclusion == "alternative") != (self.alternative_to is not None):
            raise WrongFields("alternative_to says which line an alternative can stand in place of.", "alternative_to")
        return self


class DeliverTo(Address, Body):
    """Where the goods are to go."""

    lines: Personal[list[Text]] = Field([], max_length=10)
    """Street and number, and whatever else stands above the town, line by line."""
    city: Personal[Text | None] = None
    """The town that the goods go to."""
    postal_code: Personal[Annotated[Text, Field(max_length=20)] | None] = None
    """As the post of that country writes it."""
    country: Country | None = None


class QuoteBody(Body):
    """All that an author says about a quote; replaces the whole of a draft."""

    customer_id: UUID
    """Whom it is for. One that was merged is followed to the one that it stands for."""
    contact_id: UUID | None = None
    """Who it is addressed to, one of the customer's people; null for nobody by name."""
    owner_id: UUID | None = Field(
        None,
        description="The user who sells; when left out, the one who looks after the customer, or the caller, and when replacing, as it was.",
    )
    customer_reference: Text | None = None
    """What the customer calls it, such as the number of their request."""
    opportunity_id: UUID | None = None
    """The opportunity of this customer that it is made for, an open one; accepted, the quote proposes that as won."""
    dated: Day | None = Field(
        None, description="The day that prices and tax rates are of; today when left out, or when replacing, as it was."
    )
    valid_until: Day | None = Field(
        None, description="The last day on which it can be accepted; 30 days after `dated` when left out."
    )
    currency: Currency | None = Field(
        None, description="What every amount is in, an ISO 4217 code; the customer's when left out."
    )
    price_list_id: UUID | None = Field(None, description="What lines are priced by; the customer's list when left out.")
    warehouse_id: UUID
    """Where the goods are to leave from."""
    ship_to: DeliverTo | None = Field(
        None, description="Where the goods are to go; the customer's address for goods when left out."
    )
    payment_terms_days: Annotated[int, Field(ge=0, le=365)] | None = Field(
        None, description="How many days after an invoice it is due; what was agreed with the customer when left out."
    )
    discount_rate: Rate | None = None
    """The share that is taken off the whole."""
    discount_amount: Amount | None = None
    """What is taken off the whole, in place of a share."""
    terms: Note | None = None
    notes: Note | None = None
    confirm_order: bool = True
    """Whether the order that an acceptance leads to binds at once, or is a draft."""
    custom_fields: CustomValues = {}
    """Values of the fields that the company's template adds to quotes, by their keys."""
    lines: list[QuoteLineBody] = Field(min_length=1, max_length=MOST_LINES)
    """What is offered, in the order in which it is shown."""

    @model_validator(mode="after")
    def _lowered_once(self) -> Self:
        if self.discount_rate is not None and self.discount_amount is not None:
            raise WrongFields(
                "Lower the whole by discount_rate or by discount_amount, not by both.",
                "discount_rate",
                "discount_amount",
            )
        return self


class MailBody(Body):
    """Where a quote is mailed to."""

    mail_to: Personal[Email] | None = None
    """The address; when left out, that of the person whom the quote is for, or else the customer's first."""


class SendBody(MailBody):
    """How the customer gets the quote: by mail, or, when nothing is said, by a person who passes the link on."""

    by_mail: bool = False
    """Whether it is mailed. An address in `mail_to` says so, too."""


class RecallBody(Body):
    """Why a quote is taken back before anybody was shown it."""

    reason: Sentence | None = None


class AcceptanceBody(Body):
    """What the customer takes, as they said it to somebody."""

    accepted_by: Personal[Name] | None = Field(None, description="Who said so.")
    customer_reference: Text | None = None
    """What the customer calls their order."""
    taken: Annotated[list[UUID], Field(max_length=MOST_LINES)] = []
    """The optional and alternative lines that are wanted, by their ids."""


class OfferAcceptance(Body):
    """What the holder of a link takes."""

    name: Personal[Name] = Field(description="Who accepts.")
    customer_reference: Text | None = None
    """What the customer calls their order."""
    taken: Annotated[list[UUID], Field(max_length=MOST_LINES)] = []
    """The optional and alternative lines that are wanted, by their ids."""


class LineCost(Body):
    """What one base unit of a line's item costs."""

    line_id: UUID
    """The line, one of the quote's."""
    unit_cost: UnitPrice | None
    """In minor units of the quote's currency; null when nobody knows."""


class CostsBody(Body):
    """What the items of some lines cost; the others keep what is known of theirs."""

    lines: Annotated[list[LineCost], Field(min_length=1, max_length=MOST_LINES)]
    """The lines, each once."""


class LimitBody(AuthorityLimit, Body):
    """How far a role, or a user, may go without anybody's approval."""

    role: Name | None = None
    """A role that it holds for."""
    user_id: UUID | None = None
    """A user whom this alone holds for, whatever roles they have."""
    max_net: Amount | None = None
    """The largest amount before tax, in minor units of `currency`; null for any."""
    currency: Currency | None = None
    """What `max_net` is in, an ISO 4217 code."""

    @model_validator(mode="after")
    def _of_one(self) -> Self:
        if (self.role is None) == (self.user_id is None):
            raise WrongFields("Say role or user_id, one of them.", "role", "user_id")
        if (self.max_net is None) != (self.currency is None):
            raise WrongFields("max_net and currency come together.", "max_net", "currency")
        return self


class AuthorityBody(Body):
    """Who may quote how much without approval; replaces all limits. Who has none may quote what the price lists say."""

    limits: Annotated[list[LimitBody], Field(max_length=MOST_LIMITS)]
    """One for each role or user."""
