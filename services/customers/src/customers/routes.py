"""/v1/customers: who buys, found by any part of a name; who speaks for them; who looks after them; and duplicates made one."""

from collections.abc import Collection
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from sqlalchemy import ColumnElement, Select
from sqlalchemy.orm import raiseload

from contracts.customers import Kind, Purpose, Status
from customers import commands, verification
from customers.attachments import papers
from customers.bodies import (
    MOST_PEOPLE,
    Assignment,
    ConsentBody,
    CreditBody,
    CustomerBody,
    Merge,
    PersonBody,
    ProfileBody,
    TaxIdBody,
)
from customers.models import Customer, Person
from customers.projections import dates, days, price_lists, teams, templates, timeline, users, uses
from customers.scopes import Assigner, CreditManager, Merger, ProfileWriter, Reader, Writer, pii
from customers.sources import TimelineKind
from customers.timeline_rows import TimelineEntry
from customers.views import CustomerSummary, CustomerView, Duplicates, PersonView, TimelineEntryView
from tailrace.core.errors import Invalid
from tailrace.core.values.fields import Search
from tailrace.db import master_data
from tailrace.errands.partners import Partner, partner
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import Deleted, any_of, between, by_id, called, equal, where
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.lists.searching import paginate_found
from tailrace.http.masks import kept, shows
from tailrace.http.protocol.exact_json import WHOLE_BODY
from tailrace.http.routing import ReasonBody, Tx, tenant_router
from tailrace.storage.routes import attachment_routes

router = tenant_router(
    "/v1/customers",
    tag="customers",
    about="Who buys, who speaks for them, who looks after them, and what was agreed.",
    reads=[users, teams, price_lists, templates, uses, days, dates],
)
timeline_router = tenant_router("/v1/customers", tag="customers", reads=[timeline, teams], reads_own=[timeline])


def _agreeing(purpose: Purpose) -> ColumnElement[bool]:
    return Customer.consents.contains({purpose: {"granted": True}})


_FILTERS = (
    called(Customer),
    any_of(Customer.status, Status),
    equal(Customer.kind, Kind),
    equal(Customer.segment),
    equal(Customer.merged_into_id),
    where(
        "consent",
        Purpose,
        _agreeing,
        "Those that allow this use of what is known of them, by the newest that they said.",
    ),
)
_SORT = [Customer.number, Customer.name, Customer.created_at]
CONTACTS = {"emails": pii, "phones": pii}
PII = {"tax_ids": pii, **CONTACTS}
Words = Annotated[
    Search, Query(description="Words, or parts of them, of the number, a name, its reading, or an e-mail address.")
]
Verification = Annotated[Partner | None, partner("verification")]
Customers = Annotated[
    PageRequest, listed(Customer, by_id(Customer), *_FILTERS, equal(Customer.sales_rep_id), sort=_SORT)
]
Theirs = Annotated[PageRequest, listed(Customer, *_FILTERS, sort=_SORT)]
Found = Annotated[PageRequest, listed(Customer, *_FILTERS, sort=_SORT)]

Happenings = Annotated[
    PageRequest,
    listed(
        TimelineEntry,
        any_of(TimelineEntry.kind, TimelineKind),
        any_of(TimelineEntry.type),
        *between(TimelineEntry.occurred_at, days),
        sort=[TimelineEntry.occurred_at],
        default="-occurred_at",
    ),
]


def _but(body: CustomerBody | PersonBody, stays: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in body.values().items() if name not in stays}


def _shown(*, deleted: bool = False) -> Select[Customer]:
    return master_data.rows(Customer, deleted=deleted).options(raiseload(Customer.people))


@router.post("", status_code=201, response_model=CustomerView)
async def create_customer(tx: Tx, who: Writer, body: CustomerBody) -> Customer:
    """Add a customer."""
    return await commands.create(tx, body.values())


@router.get("", response_model=Page[CustomerSummary])
async def list_customers(tx: Tx, who: Reader, page: Customers, deleted: Deleted = False) -> Listing[Customer]:
    """Customers."""
    return await paginate(tx, _shown(deleted=deleted), page)


@router.get("/search", response_model=Page[CustomerSummary])
async def list_matching_customers(tx: Tx, who: Reader, page: Found, q: Words | None = None) -> Listing[Customer]:
    """Customers that have all these words, or parts of words; from two characters on anywhere, a single one where a word begins.

    E-mail addresses are looked in for those alone who may see them (`customers:pii`).
    """
    return await paginate_found(tx, _shown(), page, Customer, q, masked=shows(pii))


@router.get("/by-sales/{sales_rep_id}", response_model=Page[CustomerSummary])
async def list_customers_by_sales(tx: Tx, who: Reader, sales_rep_id: UUID, page: Theirs) -> Listing[Customer]:
    """The customers that somebody looks after. 404 for a user who is not known here."""
    await commands.require_user(tx, sales_rep_id)
    return await paginate(tx, _shown().where(Customer.sales_rep_id == sales_rep_id), page)


@router.get("/{customer_id}", response_model=CustomerView)
async def read_customer(tx: Tx, who: Reader, customer_id: UUID) -> Customer:
    """One customer, with the people there."""
    return await tx.find(Customer, customer_id)


@router.put("/{customer_id}", response_model=CustomerView)
async def replace_customer(tx: Tx, who: Writer, match: IfMatch, customer_id: UUID, body: CustomerBody) -> Customer:
    """Replace a customer. What has a route of its own stays: people, credit, profile, consents, who looks after it.

    What the caller may not see stays too, and is left out of the body (`customers:pii`).
    """
    return await commands.replace(tx, customer_id, match, _but(body, kept(body, PII)))


@router.delete("/{customer_id}", status_code=204)
async def delete_customer(tx: Tx, who: Writer, match: IfMatch, customer_id: UUID) -> None:
    """Delete a customer; its orders and invoices keep what they were made with."""
    await commands.delete(tx, customer_id, match)


@router.post("/{customer_id}/restore", response_model=CustomerView)
async def restore_customer(tx: Tx, who: Writer, match: IfMatch, customer_id: UUID) -> Customer:
    """Take a deleted customer back, as it was, unless another one has its number by now."""
    return await master_data.restore(tx, Customer, customer_id, match)


@router.post("/{customer_id}/assign", response_model=CustomerView)
async def assign_customer(tx: Tx, who: Assigner, match: IfMatch, customer_id: UUID, body: Assignment) -> Customer:
    """Say who looks after the customer."""
    return await commands.assign(tx, customer_id, match, body.sales_rep_id, body.reason)


@router.put("/{customer_id}/credit", response_model=CustomerView)
async def replace_credit(tx: Tx, who: CreditManager, match: IfMatch, customer_id: UUID, body: CreditBody) -> Customer:
    """Say how much the customer may owe."""
    customer = await tx.load(Customer, customer_id, match)
    customer.limit_credit(body.credit_limit, body.reason)
    return customer


@router.put("/{customer_id}/profile", response_model=CustomerView)
async def replace_profile(tx: Tx, who: ProfileWriter, match: IfMatch, customer_id: UUID, body: ProfileBody) -> Customer:
    """Say what the customer wants of investments and can bear, and when that is to be asked again."""
    return await commands.set_profile(tx, customer_id, match, body)


@router.put("/{customer_id}/consents", response_model=CustomerView)
async def replace_consent(tx: Tx, who: Writer, match: IfMatch, customer_id: UUID, body: ConsentBody) -> Customer:
    """Say whether the customer allows a use of what is known of it; what it said of other uses stays."""
    return await commands.consent(tx, customer_id, match, body)


@router.post("/{customer_id}/verify-tax-id", status_code=202, response_model=CustomerView)
async def verify_tax_id(
    tx: Tx, who: Writer, match: IfMatch, customer_id: UUID, body: TaxIdBody, asked: Verification
) -> Customer:
    """Have one of the customer's tax ids checked by the partner who can tell. Its check stands at `asked` until they have answered."""
    return await verification.verify_tax_id(tx, customer_id, match, body, asked)


@router.post("/{customer_id}/people", status_code=201, response_model=PersonView)
async def create_person(tx: Tx, who: Writer, match: IfMatch, customer_id: UUID, body: PersonBody) -> Person:
    """Add somebody who speaks for the customer."""
    customer = await tx.load(Customer, customer_id, match)
    if len(customer.people) >= MOST_PEOPLE:
        raise Invalid.field(WHOLE_BODY, f"A customer has at most {MOST_PEOPLE} people.")
    person = Person.of(body.values())
    customer.set_people([*customer.people, person])
    return person


@router.put("/{customer_id}/people/{person_id}", response_model=PersonView)
async def replace_person(
    tx: Tx, who: Writer, match: IfMatch, customer_id: UUID, person_id: UUID, body: PersonBody
) -> Person:
    """Replace what is known of somebody who speaks for the customer."""
    customer = await tx.load(Customer, customer_id, match)
    person = customer.person(person_id)
    customer.describe_person(person, _but(body, kept(body, CONTACTS)))
    return person


@router.delete("/{customer_id}/people/{person_id}", status_code=204)
async def delete_person(tx: Tx, who: Writer, match: IfMatch, customer_id: UUID, person_id: UUID) -> None:
    """Somebody speaks for the customer no more."""
    customer = await tx.load(Customer, customer_id, match)
    gone = customer.person(person_id)
    customer.set_people([person for person in customer.people if person is not gone])


@router.get("/{customer_id}/duplicates", response_model=Duplicates)
async def read_duplicates(tx: Tx, who: Reader, customer_id: UUID) -> dict[str, Any]:
    """Other customers that may be this one: they share a tax id, an e-mail address, a telephone number or the name."""
    return {"items": await commands.duplicates(tx, customer_id)}


@timeline_router.get("/{customer_id}/timeline", response_model=Page[TimelineEntryView])
async def list_timeline(tx: Tx, who: Reader, customer_id: UUID, page: Happenings) -> Listing[TimelineEntry]:
    """What happened with the customer, and with those that it stands for, the newest first: of each kind, what the caller may see."""
    customers = await commands.standing_with(tx, customer_id)
    return await paginate(tx, await timeline.shown_to(tx, who, customers, teams), page)


@router.post("/{customer_id}/merge", response_model=CustomerView)
async def merge_customer(tx: Tx, who: Merger, match: IfMatch, customer_id: UUID, body: Merge) -> Customer:
    """Let this customer stand for another, which is the one to go on with. Its papers are the other one's from here on. It can be undone."""
    return await commands.merge(tx, customer_id, match, body.into_customer_id, body.reason)


@router.post("/{customer_id}/unmerge", response_model=CustomerView)
async def unmerge_customer(tx: Tx, who: Merger, match: IfMatch, customer_id: UUID, body: ReasonBody) -> Customer:
    """Undo a merge: this customer is one of its own again, with the papers that it had."""
    return await commands.unmerge(tx, customer_id, match, body.reason)


papers_router = attachment_routes(
    papers,
    "/v1/customers",
    tag="customer attachments",
    about="Files about customers: contracts, certificates, letters.",
    reader=Reader,
    writer=Writer,
)
