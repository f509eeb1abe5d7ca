"""A converted lead becomes a customer, or a person of one that is there: once, under the ids that the lead named."""

from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select

from contracts.leads import LeadContact, LeadConverted
from customers import commands
from customers.bodies import MOST_PEOPLE, Phone
from customers.models import Customer, Person
from tailrace.db.database import Tx
from tailrace.db.error_classes import NotYet

_PHONE: TypeAdapter[str] = TypeAdapter(Phone)


async def take(tx: Tx, asked: LeadConverted) -> None:
    """Make the customer of a lead, or give one that is there the person. Records the answer at that customer."""
    found = await tx.scalar(select(Customer.id).where(Customer.id == asked.customer_id))
    if found is None and asked.existing:
        raise NotYet(f"customer {asked.customer_id} is not here")
    customer = await _new(tx, asked) if found is None else await _last_of(tx, asked.customer_id)
    if customer.deleted_at is not None:
        return customer.refuse_lead(asked.lead_id, asked.customer_id, f"Customer {customer.number} is deleted.")
    person_id = asked.contact.person_id
    if all(person.id != person_id for person in customer.people):
        if len(customer.people) >= MOST_PEOPLE:
            return customer.refuse_lead(
                asked.lead_id, asked.customer_id, f"Customer {customer.number} has {MOST_PEOPLE} people."
            )
        customer.set_people([*customer.people, _person(asked.contact)])
    if asked.consent is not None:
        customer.take_consent(asked.lead_id, asked.consent)
    customer.accept_lead(asked.lead_id, asked.customer_id, person_id)
    return None


async def _new(tx: Tx, asked: LeadConverted) -> Customer:
    contact = asked.contact
    owner_id = asked.owner_id if asked.owner_id is None else await commands.present(tx, asked.owner_id)
    is_person = asked.kind == "person"
    values: dict[str, Any] = {
        "number": await commands.next_number(tx),
        "name": asked.customer_name,
        "reading": None,
        "kind": asked.kind,
        "status": "prospect",
        "segment": None,
        "language": asked.language,
        "currency": asked.currency,
        "payment_terms_days": 30,
        "price_list_id": None,
        "tax_ids": [],
        "addresses": [],
        "emails": _emails(contact) if is_person else [],
        "phones": _phones(contact) if is_person else [],
        "people": [_person(contact)],
        "sales_rep_id": owner_id,
        "credit_limit": None,
        "profile": None,
        "custom_fields": {},
    }
    customer = Customer.create(values, asked.customer_id)
    tx.add(customer)
    return customer


async def _last_of(tx: Tx, id: UUID) -> Customer:
    """The customer that this one stands for in the end, held with all between."""
    customer = await tx.load(Customer, id, even_deleted=True)
    while customer.merged_into_id is not None:
        customer = await tx.load(Customer, customer.merged_into_id, even_deleted=True)
    return customer


def _person(contact: LeadContact) -> Person:
    person = Person.of(
        {
            "name": contact.name,
            "reading": None,
            "position": contact.position,
            "emails": _emails(contact),
            "phones": _phones(contact),
        }
    )
    person.id = contact.person_id
    return person


def _emails(contact: LeadContact) -> list[dict[str, Any]]:
    return [] if contact.email is None else [{"address": contact.email, "label": "work"}]


def _phones(contact: LeadContact) -> list[dict[str, Any]]:
    """None where the number is in no international form: nobody could tell whose it is."""
    try:
        return [] if contact.phone is None else [{"number": _PHONE.validate_python(contact.phone), "label": "work"}]
    except ValidationError:
        return []
