"""The customer of a quote: found by id, followed where it was merged, and copied as the document says it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from quotes.copies import CustomerCopy, MergeCopy
from tailrace.core.errors import Invalid
from tailrace.db.database import Tx
from tailrace.messaging.replica import by_ids, followed

_COUNTRY_FIRST = {"JP"}


async def buyer(tx: Tx, customer_id: UUID, field: str = "/customer_id") -> CustomerCopy:
    """The customer to sell to. Raises NotYetKnown, and Invalid for one that was deleted."""
    id = await followed(tx, MergeCopy.into_customer_id, customer_id)
    return (await by_ids(tx, CustomerCopy, [id])).in_use(id, field)


def on_paper(customer: CustomerCopy, contact_id: UUID | None) -> dict[str, Any]:
    """What a document says of a customer, as it is now. Raises Invalid for a contact who is not of that customer."""
    person = next((each for each in customer.people if each["person_id"] == str(contact_id)), None)
    if contact_id is not None and person is None:
        raise Invalid.field("/contact_id", f"There is no such person at {customer.number}.")
    return {
        "name": customer.name,
        "number": customer.number,
        "lines": _label(_address(customer, "billing", "office")),
        "tax_id": next((each["number"] for each in customer.tax_ids), None),
        "contact": None if person is None else person["name"],
        "language": "ja" if (customer.language or "").startswith("ja") else "en",
    }


def delivery(customer: CustomerCopy) -> dict[str, Any] | None:
    """Where the customer wants goods; None when that is not known."""
    address = _address(customer, "shipping")
    if address is None or address["use"] != "shipping":
        return None
    return {name: address.get(name) for name in ("lines", "city", "postal_code", "country")}


def _address(customer: CustomerCopy, *uses: str) -> Mapping[str, Any] | None:
    """The first one for the first of these uses, else the first there is."""
    for use in uses:
        for address in customer.addresses:
            if address["use"] == use:
                return address
    return next(iter(customer.addresses), None)


def _label(address: Mapping[str, Any] | None) -> list[str]:
    """An address as it is printed: in Japan from the large to the small, elsewhere the other way."""
    if address is None:
        return []
    if address["country"] in _COUNTRY_FIRST:
        code = f"〒{address['postal_code']}" if address.get("postal_code") else None
        place = "".join(each for each in (address.get("region"), address.get("city")) if each)
        return [each for each in (code, place, *address["lines"]) if each]
    place = " ".join(each for each in (address.get("postal_code"), address.get("city")) if each)
    return [each for each in (*address["lines"], place, address.get("region"), address["country"]) if each]
