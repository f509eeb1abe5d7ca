"""What clients are shown of customers."""

from datetime import date, datetime
from typing import Literal
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
)
from tailrace.http.routing import ResourceView, View


class PersonView(View):
    id: UUID
    name: str
    reading: str | None
    position: str | None
    emails: list[EmailAddress]
    phones: list[PhoneNumber]


class ProfileView(View):
    risk_tolerance: Risk
    experience: Experience
    objectives: list[Objective]
    horizon_years: int
    assets: int | None
    currency: str
    reviewed_on: date
    review_due_on: date


class ConsentView(View):
    granted: bool
    given_at: datetime
    source: str


class CustomerSummary(ResourceView):
    """A customer as lists show it."""

    number: str
    name: str
    reading: str | None
    kind: Kind
    status: Status
    segment: str | None
    currency: str
    sales_rep_id: UUID | None
    merged_into_id: UUID | None


class CustomerView(CustomerSummary):
    language: str | None
    payment_terms_days: int
    price_list_id: UUID | None
    tax_ids: list[TaxId]
    addresses: list[PostalAddress]
    emails: list[EmailAddress]
    phones: list[PhoneNumber]
    people: list[PersonView]
    credit_limit: int | None
    profile: ProfileView | None
    consents: dict[Purpose, ConsentView]


class Duplicate(View):
    """Another customer that may be this one, and what the two share."""

    customer: CustomerSummary
    shared: list[Literal["email", "name", "phone", "tax_id"]]


class Duplicates(View):
    items: list[Duplicate]
