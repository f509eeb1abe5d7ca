"""What clients send: a customer as it is to be, whole, and what was agreed."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from contracts.customers import AddressUse, Experience, Kind, Label, Objective, Purpose, Risk
from customers.tax_ids import checked
from tailrace.core.personal_data import Personal
from tailrace.core.values.custom_fields import CustomValues
from tailrace.core.values.fields import Amount, Code, Country, Day, Email, Moment, MomentOrDay, Name, Sentence, Text
from tailrace.core.values.money import Currency
from tailrace.core.values.wire import WrongFields
from tailrace.http.routing import Body

MOST_PEOPLE = 200


def _without_separators(value: Any) -> Any:
    return value.translate(str.maketrans("", "", " ()-./\u00a0")) if isinstance(value, str) else value


Phone = Annotated[
    str,
    BeforeValidator(_without_separators),
    Field(pattern=r"^\+[1-9][0-9]{6,14}$", examples=["+81312345678"], description="In international form (E.164)."),
]
Language = Annotated[
    str, Field(pattern="^[a-z]{2,3}(-[A-Z]{2})?$", examples=["ja"], description="A language tag (BCP 47).")
]


def _once(values: list[Any]) -> list[Any]:
    if len({value.key for value in values}) != len(values):
        raise ValueError("the same one stands here twice")
    return values


class EmailBody(Body):
    """An e-mail address, and what it is for."""

    address: Personal[Email]
    label: Label = "work"
    """Where it reaches."""

    @property
    def key(self) -> str:
        return self.address


class PhoneBody(Body):
    """A telephone number, and what it is for."""

    number: Personal[Phone]
    label: Label = "work"
    """Where it reaches."""

    @property
    def key(self) -> str:
        return self.number


class TaxIdBody(Body):
    """A number that a tax office gave. Its check digits must be right, where the country's rule is known."""

    country: Country
    number: Personal[Text]

    @model_validator(mode="after")
    def _check(self) -> Self:
        try:
            self.number, _ = checked(self.country, self.number)
        except ValueError as error:
            raise WrongFields(str(error), "number") from error
        return self

    @property
    def key(self) -> str:
        return self.country + self.number


class AddressBody(Body):
    """An address, and what it is used for."""

    use: AddressUse = "billing"
    """What goes there."""
    lines: Personal[Annotated[list[Text], Field(min_length=1, max_length=6)]]
    """Street, house and the like, from the first line of the label on."""
    city: Personal[Text] | None = None
    postal_code: Personal[Annotated[Text, Field(max_length=20)]] | None = None
    region: Text | None = None
    country: Country


Emails = Annotated[list[EmailBody], Field(max_length=20), AfterValidator(_once)]
Phones = Annotated[list[PhoneBody], Field(max_length=20), AfterValidator(_once)]


class PersonBody(Body):
    """Somebody who speaks for a customer."""

    name: Personal[Name]
    reading: Personal[Name] | None = Field(None, description="How the name is spoken, where its script does not tell.")
    position: Text | None = None
    emails: Emails = []
    """Where to write to."""
    phones: Phones = []
    """Where to call."""

    def values(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


class CustomerBody(Body):
    """A customer as it is to be. Credit, profile, consents, people and who looks after it are said by themselves."""

    number: Code | None = Field(None, description="The next free one when left out; when replacing, the one it has.")
    name: Personal[Name]
    reading: Personal[Name] | None = Field(None, description="How the name is spoken, where its script does not tell.")
    kind: Kind = "company"
    """A company, or somebody who buys for themselves."""
    status: Literal["prospect", "active", "inactive"] = "prospect"
    """How far it has come; `merged` comes by a merge alone."""
    segment: Annotated[Text, Field(max_length=60)] | None = None
    language: Language | None = None
    currency: Currency
    payment_terms_days: Annotated[int, Field(ge=0, le=365)] = 30
    """How many days after an invoice it is due."""
    price_list_id: UUID | None = None
    """The list that its prices are from; null for none."""
    tax_ids: Annotated[list[TaxIdBody], Field(max_length=10), AfterValidator(_once)] = []
    """Numbers that tax offices gave it."""
    addresses: Annotated[list[AddressBody], Field(max_length=50)] = []
    """Where it is, and where it wants goods and invoices."""
    emails: Emails = []
    """Where to write to."""
    phones: Phones = []
    """Where to call."""
    custom_fields: CustomValues = {}
    """Values of the fields that the company's template adds to customers, by their keys."""

    def values(self) -> dict[str, Any]:
        lists = {"custom_fields", "tax_ids", "addresses", "emails", "phones"}
        return {**self.model_dump(exclude=lists), **self.model_dump(mode="json", include=lists)}


class ConsentRowBody(Body):
    """Whether the customer allows something, since when, and how that is known."""

    granted: bool
    """Whether it agrees."""
    given_at: Moment
    """When it said so; a file may have a plain day, which is its first moment."""
    source: Sentence


class ConsentsRowBody(Body):
    """What the customer allows, by purpose."""

    marketing_email: ConsentRowBody | None = None
    """To be written to by e-mail."""
    marketing_phone: ConsentRowBody | None = None
    """To be called."""
    marketing_post: ConsentRowBody | None = None
    """To be written to by letter."""
    profiling: ConsentRowBody | None = None
    """That what it is likely to want is worked out."""
    data_sharing: ConsentRowBody | None = None
    """That others are told of it."""
    lead_form: ConsentRowBody | None = None
    """What stood beside the box of a form, word for word in `source`."""


class CustomerRowBody(CustomerBody):
    """A customer as a file has it, which says besides what has commands of its own over HTTP."""

    sales_rep_id: UUID | None = None
    """A user of the tenant; null for nobody."""
    credit_limit: Amount | None = None
    """How much it may owe, in minor units of its currency; null for no limit."""
    credit_reason: Sentence | None = Field(None, exclude=True)
    """Why, where the limit is another than before."""
    people: Annotated[list[PersonBody], Field(max_length=MOST_PEOPLE)] = []
    """Who speaks for it."""
    consents: ConsentsRowBody = ConsentsRowBody()
    """What it allows."""

    def values(self) -> dict[str, Any]:
        """Those of a customer; the others have commands of their own."""
        return {name: value for name, value in super().values().items() if name in CustomerBody.model_fields}


class Assignment(Body):
    """Who looks after the customer from now on; nobody, with null."""

    sales_rep_id: UUID | None
    """A user of the tenant; null for nobody."""
    reason: Sentence | None = None


class CreditBody(Body):
    """How much the customer may owe, in minor units of its currency; no limit at all, with null."""

    credit_limit: Amount | None
    reason: Sentence


class ProfileBody(Body):
    """What the customer wants of investments and can bear (MiFID II, article 25: suitability)."""

    risk_tolerance: Risk
    """How much loss it can bear."""
    experience: Experience
    """How well it knows such investments."""
    objectives: Annotated[list[Objective], Field(min_length=1, max_length=5)]
    """What it wants of them."""
    horizon_years: Annotated[int, Field(ge=0, le=100)]
    """For how long, in years."""
    assets: Amount | None = None
    reviewed_on: Day
    review_due_on: Day

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.review_due_on <= self.reviewed_on:
            raise WrongFields("review_due_on must lie after reviewed_on", "review_due_on")
        return self


class ConsentBody(Body):
    """What of, whether the customer allows it, since when, and how that is known."""

    purpose: Purpose
    """What it is asked about."""
    granted: bool
    """Whether it agrees."""
    given_at: MomentOrDay
    """When it said so, a plain day from its first moment on: not in the future."""
    source: Sentence


class Merge(Body):
    """The customer that this one stands for from here on, and why."""

    into_customer_id: UUID
    """The one to go on with."""
    reason: Sentence
