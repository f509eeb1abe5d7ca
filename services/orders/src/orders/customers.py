"""The customer of an order: found by id, and followed where it was merged."""

from uuid import UUID

from orders.projections import CustomerCopy, MergeCopy
from tailrace.db.database import Tx
from tailrace.messaging.replica import by_ids

_LONGEST_CHAIN = 20


async def buyer(tx: Tx, customer_id: UUID) -> CustomerCopy:
    """The customer to sell to. Raises NotYetKnown, and Invalid for one that was deleted."""
    for _ in range(_LONGEST_CHAIN):
        merge = (await by_ids(tx, MergeCopy, [customer_id])).get(customer_id)
        if merge is None or not merge.active:
            break
        customer_id = merge.into_customer_id
    return (await by_ids(tx, CustomerCopy, [customer_id])).in_use(customer_id, "/customer_id")
