"""What the events of others lead to: those whom they are about are told; what a user who is gone wanted to hear ends."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select

from contracts.customers import CustomerDeleted
from contracts.users import UserDeleted
from notifications import catalogue, telling
from notifications.copies import DocumentCopy
from notifications.kinds import Kind
from notifications.models import NotificationChannel, Subscription
from notifications.telling import News
from tailrace.core import clock
from tailrace.core.events import Event, Meta
from tailrace.core.ids import derived_id
from tailrace.db.database import Tx
from tailrace.messaging.subscribers import EVER, Reaction

# What happened before anybody was told of anything is no news.
news = Reaction("notifications.news", since=datetime(2026, 11, 28, tzinfo=UTC))
goings = Reaction("notifications.goings", since=EVER)


@news.on(*catalogue.EVENTS)
async def happened(tx: Tx, event: Event, meta: Meta) -> None:
    kind = catalogue.BY_EVENT[event.type]
    if not kind.when(event):
        return
    document_id, audience = getattr(event, kind.document), kind.to(event)
    sale = await _sale(tx, document_id, getattr(event, "order_id", None)) if kind.of_sale else _Sale()
    what = News(
        cause_id=meta.event_id,
        kind=kind.name,
        words=kind.events[type(event)],
        values={"number": sale.number or document_id, **kind.values(event)},
        link=f"{kind.path}/{document_id}",
        document_id=document_id,
        customer_id=kind.customer(event) or sale.customer_id,
        also=[*kind.also(event), *sale.also],
        urgent=kind.urgent,
        once_id=_once(kind, event),
    )
    if kind.tells_owner:
        audience = replace(audience, users=[*audience.users, sale.owner_id])
    users = await telling.meant(tx, audience)
    owner_id = (kind.owner(event) or sale.owner_id) if kind.by_owner else None
    users |= await telling.subscribers(tx, what, kind.scope, owner_id)
    await telling.tell(tx, what, users - {_actor(meta)})


@dataclass(frozen=True)
class _Sale:
    """What is kept of a document and of the order that it is of."""

    number: str | None = None
    customer_id: UUID | None = None
    owner_id: UUID | None = None
    also: Sequence[UUID] = ()
    """The order, of a shipment."""


async def _sale(tx: Tx, document_id: UUID, order_id: UUID | None) -> _Sale:
    """Nothing of what is not known here any more: its owner is not told, and subscribers are."""
    document = await _copy(tx, document_id)
    order = document if order_id == document_id else await _copy(tx, order_id)
    return _Sale(
        number=document.number if document else None,
        customer_id=order.customer_id if order else None,
        owner_id=order.owner_id if order else None,
        also=[order_id] if order_id is not None and order_id != document_id else [],
    )


async def _copy(tx: Tx, id: UUID | None) -> DocumentCopy | None:
    if id is None:
        return None
    return await tx.scalar(select(DocumentCopy).where(DocumentCopy.id == id))


def _once(kind: Kind, event: Event) -> UUID | None:
    return None if kind.once is None else derived_id(kind.name, getattr(event, kind.once))


@goings.on(UserDeleted)
async def left(tx: Tx, event: UserDeleted, meta: Meta) -> None:
    await _end_subscriptions(tx, Subscription.user_id == event.user_id)
    channels = select(NotificationChannel.id).where(
        NotificationChannel.user_id == event.user_id, NotificationChannel.deleted_at.is_(None)
    )
    # What waits for it is not sent: it may tell of what was theirs to know, and is not any more.
    for id in list(await tx.scalars(channels.order_by(NotificationChannel.id))):
        (await tx.load(NotificationChannel, id)).delete()


@goings.on(CustomerDeleted)
async def customer_left(tx: Tx, event: CustomerDeleted, meta: Meta) -> None:
    await _end_subscriptions(tx, Subscription.customer_id == event.customer_id)


async def _end_subscriptions(tx: Tx, of: ColumnElement[bool]) -> None:
    live = select(Subscription.id).where(of, Subscription.deleted_at.is_(None))
    for id in list(await tx.scalars(live.order_by(Subscription.id))):
        (await tx.load(Subscription, id)).end(clock.now())


def _actor(meta: Meta) -> UUID | None:
    """The user who did it; None for what no user did."""
    try:
        return UUID(meta.actor_id or "")
    except ValueError:
        return None
