"""What the events of others do to quotes: approvals decide, orders follow from them, customers and users go."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from contracts import approvals
from contracts.customers import CustomerDeleted, CustomerMerged, CustomerRestored, CustomerUnmerged
from contracts.orders import OrderCancelled, OrderCreated, OrderReinstated, OrderRestCancelled
from contracts.users import UserDeleted
from quotes.models import Quote
from quotes.timers import CustomerEnd, ending, handover
from tailrace.core.errors import Unknown
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.db.error_classes import NotYet
from tailrace.messaging.answers import Answers
from tailrace.messaging.subscribers import EVER, Reaction

answers = Answers("quotes.answers", "quote", Quote, Quote.awaits)
orders = Reaction("quotes.orders", since=EVER)
goings = Reaction("quotes.goings", since=EVER)

RESTORED_WITHIN = timedelta(minutes=1)
"""How long a deletion of a customer may turn out to be a mistake, before what was under way with it ends."""

_end = insert(CustomerEnd)
_END = _end.on_conflict_do_update(
    index_elements=["tenant_id", "customer_id"], set_={"into_customer_id": _end.excluded.into_customer_id}
)


@answers.to(approvals.ApprovalApproved)
async def approved(tx: Tx, quote: Quote, answer: approvals.ApprovalApproved) -> None:
    quote.approve(answer.subject.sha256, answer.approval_id)


@answers.to(approvals.ApprovalRejected)
async def rejected(tx: Tx, quote: Quote, answer: approvals.ApprovalRejected) -> None:
    quote.reject(answer.approval_id, answer.reason, final=answer.then == "fail")


@answers.to(approvals.ApprovalRecalled, approvals.ApprovalVoided)
async def recalled(tx: Tx, quote: Quote, answer: approvals.ApprovalRecalled | approvals.ApprovalVoided) -> None:
    quote.recall(answer.reason)


@orders.on(OrderCreated)
async def ordered(tx: Tx, event: OrderCreated, meta: Meta) -> None:
    if event.quote_id is not None:
        try:
            quote = await tx.load(Quote, event.quote_id)
        except Unknown as error:
            # It was made from an event of a quote that is not here: this database was restored behind its topic.
            raise NotYet(f"quote {event.quote_id} is not here") from error
        quote.become(event.order_id, event.number)


@orders.on(OrderCancelled, OrderRestCancelled)
async def ended(tx: Tx, event: OrderCancelled | OrderRestCancelled, meta: Meta) -> None:
    if (quote := await _became(tx, event.order_id)) is not None:
        quote.lose_order(event.reason, rest_only=isinstance(event, OrderRestCancelled))


@orders.on(OrderReinstated)
async def reinstated(tx: Tx, event: OrderReinstated, meta: Meta) -> None:
    if (quote := await _became(tx, event.order_id)) is not None:
        quote.regain_order()


async def _became(tx: Tx, order_id: UUID) -> Quote | None:
    """The quote that became this order, if any did."""
    id = await tx.scalar(select(Quote.id).where(Quote.order_id == order_id))
    return None if id is None else await tx.load(Quote, id)


@goings.on(CustomerMerged)
async def merged(tx: Tx, event: CustomerMerged, meta: Meta) -> None:
    await _follow_up(tx, event.customer_id, event.into_customer_id, datetime.now(UTC))


@goings.on(CustomerDeleted)
async def deleted(tx: Tx, event: CustomerDeleted, meta: Meta) -> None:
    """A quote that began before customers had heard of one brings its customer back; what has none by then ends."""
    await _follow_up(tx, event.customer_id, None, datetime.now(UTC) + RESTORED_WITHIN)


@goings.on(CustomerUnmerged, CustomerRestored)
async def came_back(tx: Tx, event: CustomerUnmerged | CustomerRestored, meta: Meta) -> None:
    """What was not followed up by now stays."""
    end = await tx.get(CustomerEnd, (tx.tenant_id, event.customer_id), with_for_update=True)
    if end is not None:
        await tx.delete(end)
        await ending.clear(tx, event.customer_id)


@goings.on(UserDeleted)
async def left(tx: Tx, event: UserDeleted, meta: Meta) -> None:
    await handover.leave(tx, event.user_id, event.successor_id)


async def _follow_up(tx: Tx, customer_id: UUID, into_customer_id: UUID | None, at: datetime) -> None:
    row = {"tenant_id": tx.tenant_id, "customer_id": customer_id, "into_customer_id": into_customer_id}
    await tx.execute(_END, row)
    await ending.set(tx, customer_id, at)
