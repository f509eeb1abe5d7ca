"""Somebody is told something, once for each event: in the feed, and by the ways that they want.

Many of one kind in a short time are folded into one, whose number rises. All that is decided here is written in one transaction with the mark that
the event was heard, so it is told once wherever a process dies; what leaves the feed goes by `mailing`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Text, func, or_, select
from sqlalchemy.dialects.postgresql import array

from notifications import mailing, wording
from notifications.catalogue import BY_NAME
from notifications.copies import CompanyCopy, CustomerCopy, RoleCopy, UserCopy
from notifications.feed import bell
from notifications.kinds import Audience, Words
from notifications.mailing import STORM, STORM_LASTS
from notifications.models import Mailbox, MailboxPlace, Notification, NotificationChannel, Subscription, Told
from notifications.preferences import Reader, reader_of
from notifications.projections import teams
from tailrace.core import clock
from tailrace.core.manifest import OWN, TEAM, granting
from tailrace.db.database import Tx


@dataclass(frozen=True)
class News:
    """What is to be told, in all languages: once for each cause, or in all where `once_id` says of what."""

    cause_id: UUID
    kind: str
    words: Words
    values: Mapping[str, Any]
    link: str | None = None
    document_id: UUID | None = None
    customer_id: UUID | None = None
    also: Sequence[UUID] = ()
    sender_id: UUID | None = None
    urgent: bool = False
    once_id: UUID | None = None

    @property
    def told_of(self) -> UUID:
        return self.once_id or self.cause_id

    @property
    def topics(self) -> Sequence[str]:
        """What a subscription to it may be called."""
        documents = (("document", each) for each in (self.document_id, *self.also))
        of = (("kind", self.kind), ("customer", self.customer_id), *documents)
        return [f"{what}:{value}" for what, value in of if value is not None]


async def meant(tx: Tx, audience: Audience) -> set[UUID]:
    """The users in use who are meant."""
    users = {each for each in audience.users if each is not None}
    wanted = set(audience.roles)
    if audience.scope is not None:
        wanted |= await _roles_granting(tx, audience.scope)
    any_of = [UserCopy.id.in_(users)]
    if wanted:
        any_of.append(_has_role(wanted))
    if audience.team_id is not None:
        people = teams.members.c
        any_of.append(UserCopy.id.in_(select(people.user_id).where(people.team_id == audience.team_id)))
    found = set(await tx.scalars(select(UserCopy.id).where(UserCopy.active, or_(*any_of))))
    # Who is so new that nothing is known of them here is told in the feed all the same.
    known = set(await tx.scalars(select(UserCopy.id).where(UserCopy.id.in_(users))))
    return found | (users - known)


async def subscribers(tx: Tx, news: News, scope: str, owner_id: UUID | None = None) -> set[UUID]:
    """Who wants to hear of it, and may see it at this moment: all such things, or those of `owner_id`, as lists show them."""
    wants = select(Subscription.user_id).where(Subscription.topic.in_(news.topics), Subscription.deleted_at.is_(None))
    wanting = set(await tx.scalars(wants))
    may = await _holding(tx, wanting, scope)
    if owner_id is not None and (rest := wanting - may):
        may |= await _holding(tx, rest & {owner_id}, f"{scope}:{OWN}")
        may |= await _holding(tx, rest & await teams.seeing(tx, owner_id), f"{scope}:{TEAM}")
    return may


async def _holding(tx: Tx, users: Collection[UUID], scope: str) -> set[UUID]:
    """Those of these users who are in use and whose roles grant a scope."""
    if not users or not (roles := await _roles_granting(tx, scope)):
        return set()
    return set(await tx.scalars(select(UserCopy.id).where(UserCopy.active, UserCopy.id.in_(users), _has_role(roles))))


async def tell(tx: Tx, news: News, users: Collection[UUID]) -> int:
    """Tell each of these users, and the company's channels that want it; how many users were told that had not been.

    What a person writes goes into no channel of the company's: it is for those whom it names."""
    company = await tx.scalar(select(CompanyCopy))
    customer = await _name_of(tx, news.customer_id)
    mailboxes = {row.user_id: row for row in await tx.scalars(select(Mailbox).where(Mailbox.user_id.in_(users)))}
    told = 0
    for user_id in sorted(users):
        if await Told.first_time(tx, news.told_of, user_id):
            await _tell_one(tx, news, user_id, reader_of(mailboxes.get(user_id), company), customer)
            told += 1
    wanting = (NotificationChannel.user_id.is_(None), NotificationChannel.kinds.contains([news.kind]))
    for channel in await _channels(tx, *wanting) if news.kind in BY_NAME else ():
        if await Told.first_time(tx, news.told_of, channel.id):
            reader = reader_of(None, company)
            title, text = wording.told(news.words, news.values, customer, reader.language, reader.zone)
            what = mailing.What(news.kind, reader.language, title, text, news.link)
            await mailing.post(tx, channel, what)
    return told


async def _tell_one(tx: Tx, news: News, user_id: UUID, reader: Reader, customer: str | None) -> None:
    now = clock.now()
    place = await MailboxPlace.next(tx, user_id)
    # The feed is held from here on: what is counted below stays as it is.
    lately = select(Notification).where(
        Notification.user_id == user_id, Notification.kind == news.kind, Notification.told_at > now - STORM_LASTS
    )
    storm = await tx.scalar(
        lately.where(Notification.folded, Notification.deleted_at.is_(None)).order_by(Notification.id.desc()).limit(1)
    )
    if storm is not None:
        storm = await tx.load(Notification, storm.id)
        title, text = wording.many(news.kind, storm.count + 1, reader.language)
        storm.fold_in(title, text, place, storm.count + 1)
    else:
        alone = select(func.count()).select_from(lately.where(~Notification.folded).subquery())
        folded = news.kind in BY_NAME and (await tx.scalar(alone) or 0) >= STORM
        await _add(tx, news, user_id, reader, customer, place, folded=folded)
    await bell.ring(tx, str(user_id))


async def _add(
    tx: Tx, news: News, user_id: UUID, reader: Reader, customer: str | None, place: int, *, folded: bool
) -> None:
    now = clock.now()
    title, text = wording.told(news.words, news.values, customer, reader.language, reader.zone)
    if folded:
        title, text = wording.many(news.kind, 1, reader.language)
    one = Notification.tell(
        user_id=user_id,
        kind=news.kind,
        title=title,
        text=text,
        link=None if folded else news.link,
        document_id=None if folded else news.document_id,
        customer_id=None if folded else news.customer_id,
        cause_id=news.cause_id,
        sender_id=news.sender_id,
        urgent=news.urgent,
        shown=reader.how(news.kind, "in_app", urgent=news.urgent) == "now",
        place=place,
        folded=folded,
        told_at=now,
    )
    tx.add(one)
    # What this transaction tells the same person next is counted together with it.
    await tx.flush()
    what = mailing.What(news.kind, reader.language, title, text, one.link, notification_id=one.id)
    for target in await _targets(tx, user_id):
        how = reader.how(news.kind, target.way, urgent=news.urgent)
        if how != "never":
            # Of a storm, one message tells when it is over.
            due = reader.due(how, now + STORM_LASTS if folded else now)
            await mailing.send(tx, target, what, due, patient=due > now)


async def _targets(tx: Tx, user_id: UUID) -> list[mailing.Target]:
    """The mail, and the person's own channels."""
    own = await _channels(tx, NotificationChannel.user_id == user_id)
    return [mailing.to_user(user_id), *(mailing.to_channel(each) for each in own)]


async def _channels(tx: Tx, *conditions: Any) -> list[NotificationChannel]:
    live = select(NotificationChannel).where(NotificationChannel.deleted_at.is_(None), *conditions)
    return list(await tx.scalars(live.order_by(NotificationChannel.id)))


async def roles_among(tx: Tx, names: Collection[str]) -> set[str]:
    """Those of these names that a role has. One that is gone allows nothing any more."""
    there = select(RoleCopy.name).where(RoleCopy.name.in_(set(names)), func.jsonb_array_length(RoleCopy.scopes) > 0)
    return set(await tx.scalars(there)) if names else set()


async def _roles_granting(tx: Tx, scope: str) -> set[str]:
    """The names of the roles that grant a scope, or one that reaches further."""
    granted = func.jsonb_exists_any(RoleCopy.scopes, array(sorted(granting(scope)), type_=Text))
    return set(await tx.scalars(select(RoleCopy.name).where(granted)))


def _has_role(names: Collection[str]) -> Any:
    return func.jsonb_exists_any(UserCopy.roles, array(sorted(names), type_=Text))


async def _name_of(tx: Tx, customer_id: UUID | None) -> str | None:
    if customer_id is None:
        return None
    return await tx.scalar(select(CustomerCopy.name).where(CustomerCopy.id == customer_id))
