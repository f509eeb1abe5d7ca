"""The customer of an order: found by id, followed where it was merged, and what was agreed with it."""

from uuid import UUID

from orders.projections import CustomerCopy, MergeCopy
from tailrace.db.database import Tx
from tailrace.messaging.replica import by_ids, followed


async def by_now(tx: Tx, customer_id: UUID | None) -> UUID | None:
    """The customer that this one stands for, deleted or not: itself, as long as it was not merged."""
    return None if customer_id is None else await followed(tx, MergeCopy.into_customer_id, customer_id)


async def buyer(tx: Tx, customer_id: UUID) -> CustomerCopy:
    """The customer to sell to. Raises NotYetKnown, and Invalid for one that was deleted."""
    id = await followed(tx, MergeCopy.into_customer_id, customer_id)
    return (await by_ids(tx, CustomerCopy, [id])).in_use(id, "/customer_id")


def list_of(customer: CustomerCopy | None, currency: str) -> UUID | None:
    """The customer's price list, where the order is in the currency that was agreed with them."""
    return None if customer is None or currency != customer.currency else customer.price_list_id
