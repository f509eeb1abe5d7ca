"""What people do with their own notifications, and how they tell others."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from notifications import catalogue, kinds, telling
from notifications.bodies import NewsSubscriptionBody, NotificationBody, PreferencesBody
from notifications.copies import CustomerCopy, DocumentCopy, UserCopy
from notifications.kinds import Audience
from notifications.models import Mailbox, MailboxPlace, Notification, Subscription
from notifications.telling import News
from tailrace.core import clock
from tailrace.core.context import Principal
from tailrace.core.errors import FieldProblem, Invalid, Unknown
from tailrace.core.ids import uuid7
from tailrace.db.database import Tx
from tailrace.messaging.replica import absent, by_ids


async def read(tx: Tx, who: Principal, id: UUID) -> Notification:
    """Mark one's own as seen; it stays so. Raises Unknown."""
    one = await _own(tx, who, id)
    one.read(clock.now())
    return one


async def read_all(tx: Tx, who: Principal) -> int:
    """Mark everything up to here as seen; how many were not. What comes at this moment stays unread."""
    mailbox = await Mailbox.of(tx, who.user_id)
    count = await unread(tx, who)
    if mailbox.read_all(await MailboxPlace.last(tx, who.user_id), clock.now()):
        tx.add(mailbox)
    return count


async def unread(tx: Tx, who: Principal) -> int:
    query = select(Notification.id).where(*shown_to(who), ~Notification.is_read())
    return await tx.scalar(select(func.count()).select_from(query.subquery())) or 0


async def delete(tx: Tx, who: Principal, id: UUID) -> None:
    """Take one's own away. Raises Unknown."""
    (await _own(tx, who, id)).delete(clock.now())


async def tell(tx: Tx, who: Principal, said: NotificationBody) -> tuple[UUID, int]:
    """Tell those whom it names, and nobody else: the id of the message, and how many were told. Raises Invalid, NotYetKnown."""
    await _ensure_roles(tx, said.roles)
    await _ensure_there(tx, said.document_id, said.customer_id)
    known = await by_ids(tx, UserCopy, said.user_ids)
    for number, id in enumerate(said.user_ids):
        known.in_use(id, f"/user_ids/{number}")
    words = (said.title.replace("{", "{{").replace("}", "}}"), said.text.replace("{", "{{").replace("}", "}}"))
    message = News(
        cause_id=uuid7(),
        kind=kinds.MESSAGE,
        words={"en": words, "ja": words},
        values={},
        document_id=said.document_id,
        customer_id=said.customer_id,
        sender_id=who.user_id,
    )
    users = await telling.meant(tx, Audience(users=said.user_ids, roles=said.roles))
    return message.cause_id, await telling.tell(tx, message, users)


async def subscribe(tx: Tx, who: Principal, said: NewsSubscriptionBody) -> Subscription:
    """Raises SubscribedAlready, Invalid for a kind of which one may see nothing, and NotYetKnown."""
    await _ensure_there(tx, said.document_id, said.customer_id)
    if said.kind is not None:
        kind = catalogue.BY_NAME[said.kind]
        sees = who.reach(kind.scope) is not None if kind.by_owner else who.may(kind.scope)
        if not sees:
            raise Invalid.field("/kind", f"News of this kind is for those who have the scope {kind.scope}.")
    values = said.model_dump()
    one = Subscription(id=uuid7(), user_id=who.user_id, topic=said.topic, **values)
    one.begin()
    tx.add(one)
    return one


async def unsubscribe(tx: Tx, who: Principal, id: UUID) -> None:
    """Raises Unknown."""
    one = await tx.load(Subscription, id)
    if one.user_id != who.user_id:
        raise Unknown("Subscription", id)
    one.end(clock.now())


async def prefer(tx: Tx, who: Principal, said: PreferencesBody) -> PreferencesBody:
    """What is waiting already goes as it was to go."""
    mailbox = await Mailbox.of(tx, who.user_id)
    if mailbox.prefer(said.model_dump(mode="json")):
        tx.add(mailbox)
    return said


async def preferences(tx: Tx, who: Principal) -> PreferencesBody:
    kept = await tx.scalar(select(Mailbox.preferences).where(Mailbox.user_id == who.user_id))
    return PreferencesBody.model_validate(kept or {})


def shown_to(who: Principal) -> tuple[ColumnElement[bool], ...]:
    """The conditions of what is in somebody's feed; another's is not there."""
    return Notification.user_id == who.user_id, Notification.shown.is_(True), Notification.deleted_at.is_(None)


async def _ensure_roles(tx: Tx, names: Sequence[str]) -> None:
    """Raises Invalid with each role that there is not."""
    known = await telling.roles_among(tx, names)
    wrong = [number for number, name in enumerate(names) if name not in known]
    if wrong:
        errors = [FieldProblem(field=f"/roles/{at}", detail=f"There is no role {names[at]} here.") for at in wrong]
        raise Invalid("Some roles are not there.", errors=errors)


async def _ensure_there(tx: Tx, document_id: UUID | None, customer_id: UUID | None) -> None:
    """Raises NotYetKnown, Invalid."""
    if customer_id is not None:
        (await by_ids(tx, CustomerCopy, [customer_id])).known(customer_id, "/customer_id")
    if (
        document_id is not None
        and await tx.scalar(select(DocumentCopy.id).where(DocumentCopy.id == document_id)) is None
    ):
        raise absent(document_id, "/document_id", f"There is no document {document_id} here.")


async def _own(tx: Tx, who: Principal, id: UUID) -> Notification:
    one = await tx.load(Notification, id)
    if one.user_id != who.user_id or not one.shown:
        raise Unknown("Notification", id)
    return one
