"""The customer of an invoice: found by id, followed where it was merged, and copied as the document says it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from accounting.invoices.copies import CustomerCopy, MergeCopy, OrderCopy
from tailrace.core.values.postal import address_for, address_lines
from tailrace.db.database import Tx
from tailrace.messaging.replica import by_ids

DAYS_TO_PAY = 30
"""For somebody with whom nothing was agreed."""
_LONGEST_CHAIN = 20


@dataclass(frozen=True, slots=True)
class Buyer:
    """Whom an invoice is for. `paper` is what the document says of them."""

    customer_id: UUID | None
    paper: Mapping[str, Any]
    payment_terms_days: int
    currency: str


async def followed(tx: Tx, customer_id: UUID) -> UUID:
    """The customer that this one stands for by now, which is itself as long as it was not merged."""
    for _ in range(_LONGEST_CHAIN):
        merge = (await by_ids(tx, MergeCopy, [customer_id])).get(customer_id)
        if merge is None or not merge.active:
            break
        customer_id = merge.into_customer_id
    return customer_id


async def standing_for(tx: Tx, customer_id: UUID) -> set[UUID]:
    """The customer, and all that were merged into it, also by way of others."""
    found = {customer_id}
    while True:
        merged = select(MergeCopy.id).where(MergeCopy.into_customer_id.in_(found), MergeCopy.active)
        more = set(await tx.scalars(merged)) - found
        if not more:
            return found
        found |= more


async def merges(tx: Tx) -> Mapping[UUID, UUID]:
    """For each customer that was merged, the one that it stands for by now."""
    rows = await tx.execute(select(MergeCopy.id, MergeCopy.into_customer_id).where(MergeCopy.active))
    into = {row[0]: row[1] for row in rows}
    found = {}
    for id in into:
        last = id
        for _ in range(_LONGEST_CHAIN):
            if last not in into:
                break
            last = into[last]
        found[id] = last
    return found


async def same_customer(tx: Tx, one: UUID, other: UUID | None) -> bool:
    """Whether two ids stand for one customer by now."""
    return other is not None and (one == other or await followed(tx, one) == await followed(tx, other))


async def known_buyer(tx: Tx, customer_id: UUID, field: str = "/customer_id") -> Buyer:
    """One that is kept, deleted or not: what was delivered is owed. Raises NotYetKnown, Invalid."""
    id = await followed(tx, customer_id)
    customer = (await by_ids(tx, CustomerCopy, [id])).known(id, field)
    return Buyer(id, _on_paper(customer), customer.payment_terms_days, customer.currency)


def named_buyer(order: OrderCopy) -> Buyer:
    """One that an order only names."""
    paper: dict[str, Any] = {
        "name": order.customer_name,
        "number": None,
        "lines": [],
        "tax_id": None,
        "language": "en",
        "street": [],
        "city": None,
        "postal_code": None,
        "region": None,
        "country": None,
        "email": None,
    }
    return Buyer(None, paper, DAYS_TO_PAY, order.currency)


def _on_paper(customer: CustomerCopy) -> dict[str, Any]:
    address = address_for(customer.addresses, "billing", "office")
    said = address or {}
    return {
        "name": customer.name,
        "number": customer.number,
        "lines": address_lines(address),
        "tax_id": next((each["number"] for each in customer.tax_ids), None),
        "language": "ja" if (customer.language or "").startswith("ja") else "en",
        "street": list(said.get("lines", [])),
        **{name: said.get(name) for name in ("city", "postal_code", "region", "country")},
        "email": next((each["address"] for each in customer.emails), None),
    }
