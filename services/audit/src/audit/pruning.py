"""Each day, contents whose time is over go. Records stay, and with them every hash and every proof; a hold keeps contents for longer."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select

from audit.models import Content, Hold, Record, Retention
from contracts.access import Accessed
from tailrace.db.database import Tx
from tailrace.messaging.timers import Timer

AT_ONCE = 10_000
"""Contents that go in one transaction."""

pruning = Timer("schedule:audit.pruning")
pruning.actor = pruning.name


def tomorrow() -> datetime:
    return datetime.now(UTC) + timedelta(days=1)


@pruning.due
async def prune(tx: Tx, key: UUID) -> None:
    """As many as go in one transaction, and again at once while there may be more."""
    more = await let_go(tx, datetime.now(UTC)) == AT_ONCE
    await pruning.set(tx, tx.tenant_id, datetime.now(UTC) if more else tomorrow())


async def let_go(tx: Tx, now: datetime) -> int:
    """How many contents went."""
    held = select(Hold.document_id).where(Hold.released_at.is_(None))
    everything = exists(held.where(Hold.document_id.is_(None)))
    over = (
        select(Content.position)
        .join(Record, Record.position == Content.position)
        .where(
            _over(await policy(tx), now),
            ~everything,
            Record.document_id.not_in(held.where(Hold.document_id.is_not(None))),
        )
    )
    some = over.order_by(Content.position).limit(AT_ONCE)
    going = delete(Content).where(Content.position.in_(some)).returning(Content.position)
    gone = await tx.execute(going.execution_options(synchronize_session=False))
    return len(gone.all())


def _over(retention: Retention, now: datetime) -> ColumnElement[bool]:
    access, others = (now - timedelta(days=days) for days in (retention.access_days, retention.days))
    is_access = Record.type == Accessed.type
    return or_(and_(is_access, Record.occurred_at < access), and_(~is_access, Record.occurred_at < others))


async def policy(tx: Tx) -> Retention:
    """The company's own, or what holds for all."""
    return await tx.scalar(select(Retention)) or Retention.default(tx.tenant_id)
