"""What the events of others lead to: those whom they are about are told, and a user who is gone wants to hear no more."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select

from contracts.users import UserDeleted
from notifications import kinds, telling
from notifications.models import Subscription
from notifications.telling import News
from tailrace.core import clock
from tailrace.core.events import Event, Meta
from tailrace.db.database import Tx
from tailrace.messaging.subscribers import EVER, Reaction

# What happened before anybody was told of anything is no news.
news = Reaction("notifications.news", since=datetime(2026, 11, 28, tzinfo=UTC))
goings = Reaction("notifications.goings", since=EVER)


@news.on(*kinds.EVENTS)
async def happened(tx: Tx, event: Event, meta: Meta) -> None:
    kind = kinds.BY_EVENT[event.type]
    if not kind.when(event):
        return
    document_id = getattr(event, kind.document)
    what = News(
        cause_id=meta.event_id,
        kind=kind.name,
        words=kind.events[type(event)],
        values=kind.values(event),
        link=f"{kind.path}/{document_id}",
        document_id=document_id,
        customer_id=kind.customer(event),
        urgent=kind.urgent,
    )
    users = await telling.meant(tx, kind.to(event)) | await telling.subscribers(tx, what, kind.scope)
    await telling.tell(tx, what, users - {_actor(meta)})


@goings.on(UserDeleted)
async def left(tx: Tx, event: UserDeleted, meta: Meta) -> None:
    live = select(Subscription.id).where(Subscription.user_id == event.user_id, Subscription.deleted_at.is_(None))
    for id in list(await tx.scalars(live.order_by(Subscription.id))):
        (await tx.load(Subscription, id)).end(clock.now())


def _actor(meta: Meta) -> UUID | None:
    """The user who did it; None for what no user did."""
    try:
        return UUID(meta.actor_id or "")
    except ValueError:
        return None
