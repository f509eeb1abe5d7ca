"""What follows batch by batch: leads and opportunities go to the one who takes over from a user, and with the customer that they are about."""

from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from opportunities import assignment
from opportunities.base import Base
from opportunities.copies import CustomerCopy, Leaver, MergeCopy, UserCopy
from opportunities.leads import Lead
from opportunities.models import Opportunity
from tailrace.db.database import Tx
from tailrace.db.models import TenantRow
from tailrace.messaging.handover import Handover, Owner, Share
from tailrace.messaging.replica import by_ids, followed
from tailrace.messaging.timers import Timer

AT_ONCE = 200
"""How many leads, or opportunities, are changed in one transaction."""
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
    about = [Opportunity.customer_id == customer_id, Opportunity.own_customer_id == customer_id]
    if turned.from_customer_id is not None:
        # What it stood for may have been merged further, and so may what was merged into it.
        about.append(Opportunity.customer_id == await followed(tx, MergeCopy.into_customer_id, turned.from_customer_id))
    which = or_(*about) if turned.after_id is None else and_(or_(*about), Opportunity.id > turned.after_id)
    some = list(await tx.scalars(_of(Opportunity, which, even_deleted=True)))
    for id in some:
        await _follow(tx, await tx.load(Opportunity, id, even_deleted=True))
    into = await followed(tx, MergeCopy.into_customer_id, customer_id)
    leads = list(await tx.scalars(_of(Lead, Lead.customer_id == customer_id))) if into != customer_id else []
    for id in leads:
        (await tx.load(Lead, id)).belong_to(into)
    if AT_ONCE in (len(some), len(leads)):
        turned.after_id = some[-1] if some else turned.after_id
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
    if opportunity.deleted_at is not None:
        if gone or not opportunity.ended_by_customer:
            return
        opportunity.restore()
    if into != opportunity.customer_id:
        opportunity.belong_to(into)
    if gone and opportunity.status == "open":
        opportunity.delete(because_of_customer=True)


def _of(
    kind: type[Lead] | type[Opportunity],
    which: ColumnElement[bool],
    *,
    even_deleted: bool = False,
) -> Select[UUID]:
    """The first ids of those, in their order."""
    query = select(kind.id).where(which).order_by(kind.id).limit(AT_ONCE)
    return query if even_deleted else query.where(kind.deleted_at.is_(None))
