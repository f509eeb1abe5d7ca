"""The opportunity that a quote is made for: one that is known here, of the quote's customer, and still open when the quote first names it."""

from uuid import UUID

from quotes.copies import CustomerCopy, MergeCopy, OpportunityCopy
from tailrace.core.errors import Invalid
from tailrace.db.database import Tx
from tailrace.messaging.replica import absent, by_ids, followed

_FIELD = "/opportunity_id"


async def ensure_theirs(tx: Tx, id: UUID | None, customer_id: UUID, before: UUID | None) -> None:
    """Whether a quote for this customer can be made for this opportunity; `before` is the one that it named already, which may have ended since.

    Raises NotYetKnown, and Invalid for one that is gone, closed, or another customer's.
    """
    if id is None:
        return
    known = await by_ids(tx, OpportunityCopy, [id])
    opportunity = known.known(id, _FIELD) if id == before else known.in_use(id, _FIELD)
    theirs = await followed(tx, MergeCopy.into_customer_id, opportunity.customer_id)
    if theirs != customer_id:
        if theirs not in await by_ids(tx, CustomerCopy, [theirs]):
            # That of a converted lead is being made, or found to be another.
            raise absent(theirs, _FIELD, f"The customer of opportunity {id} is not here.")
        raise Invalid.field(_FIELD, f"The opportunity {id} is another customer's.")
    if opportunity.status != "open" and id != before:
        raise Invalid.field(_FIELD, f"The opportunity {id} is {opportunity.status}.")
