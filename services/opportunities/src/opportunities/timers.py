"""What follows batch by batch: leads and opportunities go to the one who takes over from a user, and with the customer that they are about."""

from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from opportunities import assignment
from opportunities.base import Base
from opportunities.copies import CustomerCopy, Leaver, MergeCopy, UserCopy
from opportunities.leads import Lead
from opportunities.models import Opportunity
from opportunities.pipelines import Pipeline
from tailrace.db.database import Tx
from tailrace.db.models import TenantRow
from tailrace.messaging.handover import Handover, Owner, Share
from tailrace.messaging.replica import by_ids, followed
from tailrace.messaging.timers import Timer

AT_ONCE = 200
"""How many leads and opportunities are changed in one transaction."""
_LOOK_AGAIN = timedelta(seconds=1)
_WAITS_FOR_COPY = timedelta(minutes=1)

following = Timer("opportunities.customer_following")


Turned = Literal["merged", "unmerged", "deleted", "restored"]


class CustomerTurn(TenantRow, Base):
    """A customer that was merged, split off, deleted or restored, and whose opportunities are still to follow."""

    __tablename__ = "customer_turn"

    customer_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    what: Mapped[Turned]
    from_customer_id: Mapped[UUID | None]
    """Whom it stood for until now."""
    turned_at: Mapped[datetime]
    after_id: Mapped[UUID | None]
    """The last opportunity that was looked at."""


async def turn(tx: Tx, customer_id: UUID, what: Turned, from_customer_id: UUID | None = None) -> None:
    """Begin to let what is about a customer follow it."""
    row = {"tenant_id": tx.tenant_id, "customer_id": customer_id, "what": what, "from_customer_id": from_customer_id}
    fresh = insert(CustomerTurn).values(**row, turned_at=datetime.now(UTC), after_id=None)
    newest = {name: fresh.excluded[name] for name in ("what", "from_customer_id", "turned_at", "after_id")}
    await tx.execute(fresh.on_conflict_do_update(index_elements=["tenant_id", "customer_id"], set_=newest))
    await following.set(tx, customer_id, datetime.now(UTC))


def _leads_of(user_id: UUID) -> Select[UUID]:
    theirs = select(Lead.id).where(Lead.owner_id == user_id, Lead.status.in_(("new", "qualified")))
    return theirs.where(Lead.deleted_at.is_(None)).order_by(Lead.id)


async def _give_lead(tx: Tx, id: UUID, to: Owner) -> None:
    (await tx.load(Lead, id)).hand_over(to.id, await assignment.first_team(tx, to.id))


def _opportunities_of(user_id: UUID) -> Select[UUID]:
    """What is closed stays theirs: they closed it."""
    theirs = select(Opportunity.id).where(Opportunity.owner_id == user_id, Opportunity.status == "open")
    return theirs.where(Opportunity.deleted_at.is_(None)).order_by(Opportunity.id)


async def _give_opportunity(tx: Tx, id: UUID, to: Owner) -> None:
    (await tx.load(Opportunity, id)).hand_over(to.id, await assignment.first_team(tx, to.id))


handover = Handover(
    "opportunities.handover",
    Leaver,
    UserCopy,
    Share(_leads_of, _give_lead),
    Share(_opportunities_of, _give_opportunity),
    at_once=AT_ONCE,
)


@following.due
async def follow(tx: Tx, customer_id: UUID) -> None:
    """Let opportunities and leads be about whom the customer stands for by now. Open ones of a deleted customer are deleted with it, and return."""
    turned = await tx.get(CustomerTurn, (tx.tenant_id, customer_id), with_for_update=True)
    if turned is None:
        return None
    if not await _is_heard(tx, turned) and turned.turned_at > datetime.now(UTC) - _WAITS_FOR_COPY:
        return await following.set(tx, customer_id, datetime.now(UTC) + _LOOK_AGAIN)
    stood_for = None
    if turned.from_customer_id is not None:
        # What it stood for may have been merged further, and so may what was merged into it.
        stood_for = await followed(tx, MergeCopy.into_customer_id, turned.from_customer_id)
    found: list[tuple[UUID, type[Lead] | type[Opportunity]]] = []
    for kind in (Lead, Opportunity):
        query = _about(kind, {customer_id, *([] if stood_for is None else [stood_for])}, customer_id)
        if turned.after_id is not None:
            query = query.where(kind.id > turned.after_id)
        found += [(id, kind) for id in await tx.scalars(query)]
    found = sorted(found, key=lambda each: each[0])[:AT_ONCE]
    for id, kind in found:
        if kind is Lead:
            await _follow_lead(tx, await tx.load(Lead, id))
        else:
            await _follow(tx, await tx.load(Opportunity, id, even_deleted=True))
    if len(found) == AT_ONCE:
        turned.after_id = found[-1][0]
        await following.set(tx, customer_id, datetime.now(UTC))
    else:
        await tx.delete(turned)
    return None


async def _is_heard(tx: Tx, turned: CustomerTurn) -> bool:
    """Whether the copies say already what turned: they are kept by other subscribers."""
    if turned.what in {"merged", "unmerged"}:
        merge = (await by_ids(tx, MergeCopy, [turned.customer_id])).get(turned.customer_id)
        return (merge is not None and merge.active) == (turned.what == "merged")
    copy = (await by_ids(tx, CustomerCopy, [turned.customer_id])).get(turned.customer_id)
    return copy is not None and copy.active == (turned.what == "restored")


async def _follow(tx: Tx, opportunity: Opportunity) -> None:
    into = await followed(tx, MergeCopy.into_customer_id, opportunity.own_customer_id)
    customer = (await by_ids(tx, CustomerCopy, [into])).get(into)
    gone = customer is not None and not customer.active
    if opportunity.ended_by_customer and not gone:
        await _restore(tx, opportunity)
    if into != opportunity.customer_id:
        opportunity.belong_to(into)
    if gone and opportunity.status == "open" and opportunity.deleted_at is None:
        opportunity.delete(because_of_customer=True)


async def _restore(tx: Tx, opportunity: Opportunity) -> None:
    """Let it go on in its stage; when that is gone, or another kind of stage by now, in the first of its pipeline, as what is reopened does."""
    held = select(Pipeline).where(Pipeline.id == opportunity.pipeline_id).with_for_update(key_share=True, read=True)
    pipeline = (await tx.scalars(held.execution_options(populate_existing=True))).one()
    stage = pipeline.fitting(opportunity.stage, opportunity.status)
    opportunity.restore(stage or pipeline.first(opportunity.status), moved=stage is None)


async def _follow_lead(tx: Tx, lead: Lead) -> None:
    if lead.own_customer_id is not None:
        into = await followed(tx, MergeCopy.into_customer_id, lead.own_customer_id)
        if into != lead.customer_id:
            lead.belong_to(into)


def _about(kind: type[Lead] | type[Opportunity], now: set[UUID], own: UUID) -> Select[UUID]:
    """The first ids of those that are about one of these by now, or were made for one; of opportunities also those that went with their customer."""
    query = select(kind.id).where(or_(kind.customer_id.in_(now), kind.own_customer_id == own))
    query = query.order_by(kind.id).limit(AT_ONCE)
    return query if kind is Opportunity else query.where(kind.deleted_at.is_(None))
