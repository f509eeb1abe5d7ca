"""Delegations: for a while, somebody decides in another's place. Who decides for whom is followed through several, and never in a circle."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, and_, bindparam, func, literal, or_, select
from sqlalchemy.orm import Mapped

from contracts import approvals as events
from tailrace.core import clock
from tailrace.core.errors import Invalid
from tailrace.core.ids import uuid7
from tailrace.core.values.plausible import Bounds
from tailrace.db.database import Tx
from tailrace.db.keys import tenant_index
from tailrace.db.models import Aggregate
from tailrace.db.visibility import Owned
from tailrace.messaging.replica import by_ids
from workflow.base import Base
from workflow.projections import UserCopy, dates
from workflow.refusals import DelegationLoop, DelegationOver

BEGINS = Bounds(back=timedelta(days=3660), ahead=timedelta(days=3660))
"""How far from now somebody may begin to decide in another's place, where the company says nothing; the end may be said as never."""
_LOCK = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("lock"), 0)))


class Delegation(Aggregate, Owned, Base):
    __tablename__ = "delegation"
    __table_args__ = (tenant_index("user_id", "ends_at"), tenant_index("to_user_id", "ends_at"))

    owned_by = "user_id"

    user_id: Mapped[UUID]
    to_user_id: Mapped[UUID]
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str | None]
    ended: Mapped[bool]
    """Whether it was ended before its time."""

    @classmethod
    def owned_within(cls, owners: frozenset[UUID]) -> ColumnElement[bool]:
        """It concerns both: who gave their decisions away, and whom they were given to."""
        return or_(cls.user_id.in_(owners), cls.to_user_id.in_(owners))

    def end(self) -> None:
        """Raises DelegationOver."""
        if self.ended or self.ends_at <= clock.now():
            raise DelegationOver("It counts no more.")
        self.ended = True
        self.record_as(events.DelegationEnded)


async def delegate(
    tx: Tx, user_id: UUID, to_user_id: UUID, begins_at: datetime, ends_at: datetime, reason: str | None
) -> Delegation:
    """Let another decide in somebody's place. Raises Invalid, Implausible, NotYetKnown, DelegationLoop."""
    if user_id == to_user_id:
        raise DelegationLoop("Nobody delegates to themselves.", field="/to_user_id")
    if ends_at <= begins_at or ends_at <= clock.now():
        raise Invalid.field("/ends_at", "It ends before it begins, or has ended already.")
    await dates.moment(tx, "delegation", BEGINS, begins_at, "/begins_at")
    (await by_ids(tx, UserCopy, {to_user_id})).in_use(to_user_id, "/to_user_id")
    # Two that make a circle together, asked for at once, take turns.
    await tx.execute(_LOCK, {"lock": f"workflow.delegation/{tx.tenant_id}"})
    if user_id in await _reached(tx, to_user_id, begins_at, ends_at):
        raise DelegationLoop("They delegate to you at that time, themselves or through others.", field="/to_user_id")
    made = Delegation(
        id=uuid7(),
        user_id=user_id,
        to_user_id=to_user_id,
        begins_at=begins_at,
        ends_at=ends_at,
        reason=reason,
        ended=False,
    )
    made.record_as(events.DelegationCreated)
    tx.add(made)
    return made


async def represented(tx: Tx, user_id: UUID) -> frozenset[UUID]:
    """Those in whose place somebody may decide now: who delegates to them, and who delegates to those."""
    now = clock.now()
    found: set[UUID] = set()
    level: Collection[UUID] = {user_id}
    while level:
        query = select(Delegation.user_id).where(
            Delegation.to_user_id.in_(level), ~Delegation.ended, Delegation.begins_at <= now, Delegation.ends_at > now
        )
        with tx.seeing_all():
            level = set(await tx.scalars(query)) - found - {user_id}
        found |= level
    return frozenset(found)


def speaks(owners: frozenset[UUID]) -> ColumnElement[UUID]:
    """These users and all in whose place one of them may decide now, as `represented` has it, for a condition of a query."""
    now, some = clock.now(), literal(sorted(owners), ARRAY(Uuid))
    these: Any = select(func.unnest(some).label("user_id")).cte("speaks", recursive=True, nesting=True)
    row = Delegation.__table__.alias("given")
    counts = and_(~row.c.ended, row.c.begins_at <= now, row.c.ends_at > now)
    these = these.union(select(row.c.user_id).join(these, row.c.to_user_id == these.c.user_id).where(counts))
    return select(these.c.user_id).scalar_subquery()


async def end_all(tx: Tx, user_id: UUID) -> None:
    """End what somebody who is gone delegated, and what was delegated to them."""
    theirs = or_(Delegation.user_id == user_id, Delegation.to_user_id == user_id)
    query = select(Delegation.id).where(theirs, ~Delegation.ended, Delegation.ends_at > clock.now())
    for id in await tx.scalars(query.order_by(Delegation.id)):
        (await tx.load(Delegation, id)).end()


async def _reached(tx: Tx, user_id: UUID, begins_at: datetime, ends_at: datetime) -> set[UUID]:
    """To whom somebody's decisions may come at any time between two moments."""
    found: set[UUID] = set()
    level: Collection[UUID] = {user_id}
    while level:
        query = select(Delegation.to_user_id).where(
            Delegation.user_id.in_(level),
            ~Delegation.ended,
            Delegation.begins_at < ends_at,
            Delegation.ends_at > begins_at,
        )
        with tx.seeing_all():
            level = set(await tx.scalars(query)) - found
        found |= level
    return found
