"""A lead as it is to be, whole; the forms that strangers fill in; and how a lead becomes a customer's."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from contracts.leads import FormField
from tailrace.core.personal_data import Personal
from tailrace.core.values.fields import Amount, Code, Country, Day, Email, Name, Note, Text
from tailrace.core.values.money import Currency
from tailrace.core.values.wire import WrongFields
from tailrace.http.routing import Body

ASKED = ("name", "company", "position", "email", "phone", "country", "language", "note")
"""Fields of a lead that a form may ask for; what else it asks for is kept as answers."""


def _without_separators(value: Any) -> Any:
    return value.translate(str.maketrans("", "", " ()-./\u00a0")) if isinstance(value, str) else value


Phone = Annotated[
    str,
    BeforeValidator(_without_separators),
    Field(
        pattern=r"^\+?[0-9]{3,20}$",
        examples=["+81312345678"],
        description="Digits, `+` before them in international form; what stands between is left out.",
    ),
]
Language = Annotated[
    str, Field(pattern="^[a-z]{2,3}(-[A-Z]{2})?$", examples=["ja"], description="A language tag (BCP 47).")
]


class LeadBody(Body):
    """Somebody who might buy. Who looks after it, and how far it is, have routes of their own."""

    name: Personal[Name]
    """Who it is, or who speaks for the company."""
    company: Personal[Name] | None = None
    """Whom they speak for; null for somebody who buys for themselves."""
    position: Text | None = None
    """What they do there."""
    email: Personal[Email] | None = None
    phone: Personal[Phone] | None = None
    country: Country | None = None
    language: Language | None = None
    source: Annotated[Text, Field(max_length=60)] | None = None
    """Where it was heard of them, such as `fair` or `web`."""
    note: Personal[Note] | None = None
    amount: Amount | None = Field(None, description="What may come of it, in minor units of `currency`.")
    currency: Currency | None = None
    reference: Code | None = Field(None, description="What another system calls it; an import knows it again by that.")

    @model_validator(mode="after")
    def _in_a_currency(self) -> Self:
        if self.amount is not None and self.currency is None:
            raise WrongFields("An amount comes with its currency.", "currency")
        return self


class LeadAssignment(Body):
    """Who looks after the lead from now on: a user, or with `by_rules` whom the tenant's rules name."""

    owner_id: UUID | None = None
    """A user of the tenant; null for nobody."""
    team_id: UUID | None = None
    """The team that it counts for; the owner's first one when left out."""
    by_rules: bool = False
    """Whether the rules are to say it."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.by_rules and (self.owner_id is not None or self.team_id is not None):
            raise WrongFields("Name somebody, or let the rules do so, not both.", "by_rules")
        return self


class ConvertedOpportunity(Body):
    """What may come of the customer that the lead becomes."""

    name: Name | None = Field(None, description="What the lead is called, when left out.")
    pipeline_id: UUID | None = Field(None, description="The pipeline that it begins in; the oldest one when left out.")
    amount: Amount | None = Field(None, description="In minor units of the currency; the lead's amount when left out.")
    expected_close_on: Day


class LeadConversion(Body):
    """Whose customer the lead becomes: one that is there, or a new one."""

    customer_id: UUID | None = Field(None, description="A customer that is there; a new one is made when left out.")
    kind: Literal["company", "person"] | None = Field(
        None, description="What a new customer is; a company where the lead names one, when left out."
    )
    currency: Currency | None = Field(
        None, description="What a new customer is invoiced in; the lead's currency when left out."
    )
    opportunity: ConvertedOpportunity | None = None
    """The opportunity to make with it; null for none."""


def _fields(fields: list[FormField]) -> list[FormField]:
    keys = [each.key for each in fields]
    if len(set(keys)) != len(keys):
        raise ValueError("two fields have one key")
    if not {"name", "email"} & set(keys):
        raise ValueError("a form asks for a name or for an e-mail address")
    return fields


Origin = Annotated[
    str,
    Field(
        pattern=r"^https?://[a-z0-9.-]{1,253}(:[0-9]{1,5})?$",
        examples=["https://www.example.org"],
        description="Scheme, host and perhaps port, as browsers send it (RFC 6454).",
    ),
]


class FormFieldBody(FormField, Body):
    """What a form asks for."""


class LeadFormBody(Body):
    """A form that strangers fill in on a site of the company's."""

    code: Code
    name: Name
    fields: Annotated[list[FormFieldBody], Field(min_length=1, max_length=30), AfterValidator(_fields)]
    """What it asks for, in this order."""
    origins: Annotated[list[Origin], Field(max_length=20)] = []
    """The sites that it may be sent from; any program may send it when there are none."""
    consent_text: Note | None = Field(
        None, description="What somebody has to agree to who sends it; a text that changes is kept with each lead."
    )
    source: Annotated[Text, Field(max_length=60)] | None = None
    """The source that its leads have."""
    active: bool = True
    """Whether it takes anything at the moment."""
    min_seconds: Annotated[int, Field(ge=0, le=120)] = 3
    """How long somebody needs at least to fill it in, in seconds."""
    work: Annotated[int, Field(ge=0, le=2_000_000)] = 50_000
    """The largest number of hashes that a sender has to try, which costs a person nothing and a flood much; 0 for none."""
    per_address: Annotated[int, Field(ge=1, le=1_000)] = 10
    """How often one address may send it within an hour."""
    per_hour: Annotated[int, Field(ge=1, le=100_000)] = 500
    """How often it may be sent within an hour by all."""
    same_within_days: Annotated[int, Field(ge=0, le=365)] = 30
    """For how many days the same person's next answer belongs to the lead that is there; 0 to make one each time."""


class AnswerBody(Body):
    """One answer."""

    key: Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$")]
    """The key of the form's field."""
    value: Personal[Note]


class SubmissionBody(Body):
    """A form as somebody filled it in."""

    challenge: Annotated[str, Field(max_length=300)]
    """The one that came with the form."""
    solution: Annotated[int, Field(ge=0, le=10_000_000)] | None = None
    """The number that the challenge asks for; null where it asks for none."""
    answers: Annotated[list[AnswerBody], Field(max_length=30)]
    """What was filled in."""
    consent: bool = False
    """Whether the sender agrees to the form's text."""
    website: Annotated[str, Field(max_length=500)] | None = Field(
        None, description="Leave it empty: people do not see it."
    )
