"""What clients are shown of customers."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from contracts.customers import (
    EmailAddress,
    Experience,
    Kind,
    Objective,
    PhoneNumber,
    PostalAddress,
    Purpose,
    Risk,
    Status,
    TaxId,
    TaxIdResult,
)
from customers.scopes import pii, profile
from tailrace.core.personal_data import Personal
from tailrace.http.masks import masked
from tailrace.http.routing import ResourceView, View


class PersonView(View):
    id: UUID
    """By which routes name the person."""
    name: str
    """What people call them."""
    reading: str | None
    """How the name is spoken, where its script does not tell."""
    position: str | None
    """What they do there."""
    emails: Annotated[list[EmailAddress], masked(pii)]
    """Where to write to."""
    phones: Annotated[list[PhoneNumber], masked(pii)]
    """Where to call."""


class ProfileView(View):
    risk_tolerance: Risk
    """How much loss it can bear."""
    experience: Experience
    """How well it knows such investments."""
    objectives: list[Objective]
    """What it wants of them."""
    horizon_years: int
    """For how long, in years."""
    assets: int | None
    """What it owns, in minor units; null when it did not say."""
    currency: str
    """What the assets are in, an ISO 4217 code."""
    reviewed_on: date
    """The day on which it was asked."""
    review_due_on: date
    """The day by which it is to be asked again."""


class ConsentView(View):
    granted: bool
    """Whether it agreed."""
    given_at: datetime
    """When it said so."""
    source: str
    """How that is known."""


class TaxIdCheckView(View):
    country: str
    """Whose tax office it is said to be from."""
    number: Personal[str]
    """The tax id, as it was asked about."""
    result: Literal["asked"] | TaxIdResult
    """What came of it; `asked` while nothing did."""
    requested_at: datetime
    """When it was asked, in UTC."""
    checked_on: date | None
    """The day that the partner's answer holds of; null without one."""
    reference: str | None
    """What the partner files its answer under."""


class CustomerSummary(ResourceView):
    """A customer as lists show it."""

    number: str
    """What it is known by; unique among those in use."""
    name: str
    """What it is called."""
    reading: str | None
    """How the name is spoken, where its script does not tell."""
    kind: Kind
    """A company, or somebody who buys for themselves."""
    status: Status
    """How far it has come; `merged` when it stands for another."""
    segment: str | None
    """What the tenant groups it under."""
    currency: str
    """What it is invoiced in, an ISO 4217 code."""
    custom_fields: dict[str, bool | str]
    """Values of the fields that the company adds, by their keys; a number is a string."""
    sales_rep_id: UUID | None
    """The user who looks after it; null for nobody."""
    merged_into_id: UUID | None
    """The customer that it stands for; null for itself."""


class CustomerView(CustomerSummary):
    language: str | None
    """A language tag (BCP 47) for letters and calls."""
    payment_terms_days: int
    """How many days after an invoice it is due."""
    price_list_id: UUID | None
    """The list that its prices are from; null for none."""
    tax_ids: Annotated[list[TaxId], masked(pii)]
    """Numbers that tax offices gave it."""
    tax_id_checks: Annotated[list[TaxIdCheckView], masked(pii)]
    """Of these numbers, those that were checked, or are."""
    addresses: list[PostalAddress]
    """Where it is, and where it wants goods and invoices."""
    emails: Annotated[list[EmailAddress], masked(pii)]
    """Where to write to."""
    phones: Annotated[list[PhoneNumber], masked(pii)]
    """Where to call."""
    people: list[PersonView]
    """Who speaks for it."""
    credit_limit: int | None
    """How much it may owe, in minor units of its currency; null for no limit."""
    profile: Annotated[ProfileView | None, masked(profile)]
    """What it wants of investments, when it was asked."""
    consents: dict[Purpose, ConsentView]
    """What it allows, by purpose."""


class Duplicate(View):
    """Another customer that may be this one, and what the two share."""

    customer: CustomerSummary
    """The other one."""
    shared: list[Literal["email", "name", "phone", "tax_id"]]
    """What both records have."""


class Duplicates(View):
    items: list[Duplicate]
    """Those that share most first."""


class TimelineEntryView(View):
    """Something that happened with a customer."""

    id: UUID
    """The id of the event that told it."""
    kind: str
    """What it happened to: the customer, a quote, an order and so on."""
    type: str
    """What happened, as the event is called."""
    occurred_at: datetime
    """When it happened, in UTC."""
    customer_id: UUID
    """Whose it is: the customer, or one that it stands for."""
    subject_id: UUID
    """The document that it happened to; the customer itself, of its own."""
    title: str | None
    """What the document is called by now."""
    owner_id: UUID | None
    """Who looks after the document by now, where somebody does."""
    details: dict[str, Any]
    """What the event says besides, by its own fields."""
