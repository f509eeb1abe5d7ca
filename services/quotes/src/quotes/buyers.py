"""The customer of a quote: found by id, followed where it was merged, and copied as the document says it."""

from typing import Any
from uuid import UUID

from quotes.copies import CustomerCopy, MergeCopy
from tailrace.core.errors import Invalid
from tailrace.core.values.postal import address_for, address_lines
from tailrace.db.database import Tx
from tailrace.messaging.replica import by_ids, followed


async def buyer(tx: Tx, customer_id: UUID, field: str = "/customer_id") -> CustomerCopy:
    """The customer to sell to. Raises NotYetKnown, and Invalid for one that was deleted."""
    id = await followed(tx, MergeCopy.into_customer_id, customer_id)
    return (await by_ids(tx, CustomerCopy, [id])).in_use(id, field)


def on_paper(customer: CustomerCopy, contact_id: UUID | None) -> dict[str, Any]:
    """What a document says of a customer, as it is now. Raises Invalid for a contact who is not of that customer."""
    person = person_of(customer, contact_id)
    if contact_id is not None and person is None:
        raise Invalid.field("/contact_id", f"There is no such person at {customer.number}.")
    return {
        "name": customer.name,
        "number": customer.number,
        "lines": address_lines(address_for(customer.addresses, "billing", "office")),
        "tax_id": next((each["number"] for each in customer.tax_ids), None),
        "contact": None if person is None else person["name"],
        "contact_id": None if person is None else person["person_id"],
        "language": "ja" if (customer.language or "").startswith("ja") else "en",
    }


def person_of(customer: CustomerCopy, id: UUID | str | None) -> dict[str, Any] | None:
    """Somebody at the customer; None for nobody, and for who is gone."""
    return next((each for each in customer.people if each["person_id"] == str(id)), None)


def address_of(customer: CustomerCopy, person: dict[str, Any] | None) -> str | None:
    """Where a quote for that person is mailed to: to them, or else to the customer. None where no address is known."""
    known = [*(person.get("emails", ()) if person else ()), *customer.emails]
    return known[0]["address"] if known else None
