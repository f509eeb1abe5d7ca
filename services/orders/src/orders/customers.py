"""The customer of an order: found by id, and followed where it was merged."""

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
