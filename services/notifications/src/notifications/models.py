"""What notifications keep of their own: what each person was told, how they want to hear, what is still to be sent, and where.

A person's feed has places, counted without a gap in the order of the commits: who has seen one has seen all before it. So a stream that broke off
goes on behind the last place that it showed, and misses nothing.
"""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, column_property, mapped_column

from contracts import notifications as events
from notifications.base import Base
from notifications.channels import NotificationChannel
from notifications.copies import CompanyCopy, CustomerCopy, DocumentCopy, RoleCopy, UserCopy
from notifications.refusals import SubscribedAlready
from tailrace.core.ids import derived_id, uuid7
from tailrace.db.database import Tx
from tailrace.db.keys import tenant_index
from tailrace.db.models import Aggregate, SoftDeleted, TenantRow
from tailrace.db.unique import LIVE, unique_value

__all__ = [
    "Base",
    "CompanyCopy",
    "CustomerCopy",
    "Delivery",
    "DocumentCopy",
    "Mailbox",
    "MailboxPlace",
    "Notification",
    "NotificationChannel",
    "RoleCopy",
    "Subscription",
    "Told",
    "UserCopy",
]

Way = Literal["email", "slack", "teams"]
"""By which ways news leaves the feed."""
Status = Literal["waiting", "sending", "sent", "failed", "dropped"]
"""Of a delivery: its time is still to come, it is on its way, it arrived, it did not, or it was seen before its time came."""


class MailboxPlace(TenantRow, Base):
    """The last place of a person's feed."""

    __tablename__ = "mailbox_place"

    user_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    place: Mapped[int]

    @classmethod
    async def next(cls, tx: Tx, user_id: UUID) -> int:
        """The next one; nobody else gets any of this person's until this is committed. Several people's are taken in the order of their ids."""
        first = insert(cls).values(tenant_id=tx.tenant_id, user_id=user_id, place=1)
        more = first.on_conflict_do_update(index_elements=["tenant_id", "user_id"], set_={"place": cls.place + 1})
        return int((await tx.execute(more.returning(cls.place))).scalar_one())

    @classmethod
    async def last(cls, tx: Tx, user_id: UUID) -> int:
        """0 for a feed that has none."""
        return await tx.scalar(select(cls.place).where(cls.user_id == user_id)) or 0


class Mailbox(Aggregate, Base):
    """How far a person has seen everything, and how they want to hear."""

    __tablename__ = "mailbox"
    __table_args__ = (unique_value("user_id"),)

    user_id: Mapped[UUID]
    read_through: Mapped[int]
    all_read_at: Mapped[datetime | None]
    preferences: Mapped[dict[str, Any]]

    @staticmethod
    def id_of(user_id: UUID) -> UUID:
        return derived_id("mailbox", user_id)

    @classmethod
    async def of(cls, tx: Tx, user_id: UUID) -> "Mailbox":
        """The person's, locked, or a new one, to be added once it has something to say."""
        id = cls.id_of(user_id)
        kept = await tx.get(cls, (tx.tenant_id, id), with_for_update=True)
        return kept or cls(id=id, user_id=user_id, read_through=0, all_read_at=None, preferences={})

    def read_all(self, through: int, at: datetime) -> bool:
        """Whether that changed anything."""
        if through <= self.read_through:
            return False
        self.read_through, self.all_read_at = through, at
        self.record_as(events.MailboxAllRead)
        return True

    def prefer(self, preferences: dict[str, Any]) -> bool:
        """Whether that changed anything."""
        if preferences == self.preferences:
            return False
        self.preferences = preferences
        self.record_as(events.MailboxPreferencesChanged)
        return True


class Told(TenantRow, Base):
    """That somebody was told of an event, whatever became of it: nothing tells them of it again."""

    __tablename__ = "told"

    cause_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    to_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-9)
    """A user, or a channel of the company's."""

    @classmethod
    async def first_time(cls, tx: Tx, cause_id: UUID, to_id: UUID) -> bool:
        """Note it; whether it was not noted before."""
        row = insert(cls).values(tenant_id=tx.tenant_id, cause_id=cause_id, to_id=to_id).on_conflict_do_nothing()
        return (await tx.execute(row.returning(cls.to_id))).first() is not None


class Notification(SoftDeleted, Base):
    """What somebody was told, in words. One that is not `shown` was wanted by other ways alone, and stands in no list."""

    __tablename__ = "notification"
    __table_args__ = (
        tenant_index("user_id", "place"),
        tenant_index("user_id", "id"),
        tenant_index("user_id", "kind", "told_at"),
    )

    user_id: Mapped[UUID] = mapped_column()
    kind: Mapped[str]
    title: Mapped[str]
    text: Mapped[str]
    link: Mapped[str | None]
    document_id: Mapped[UUID | None]
    customer_id: Mapped[UUID | None]
    cause_id: Mapped[UUID | None]
    sender_id: Mapped[UUID | None]
    urgent: Mapped[bool]
    shown: Mapped[bool]
    place: Mapped[int] = mapped_column()
    count: Mapped[int] = mapped_column(Integer)
    """How many stand in it; more than one, or one that may become more, where a storm is folded."""
    folded: Mapped[bool]
    told_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]

    seen_with_all_at: Mapped[datetime | None] = column_property(
        select(Mailbox.all_read_at)
        .where(Mailbox.user_id == user_id, Mailbox.read_through >= place)
        .correlate_except(Mailbox)
        .scalar_subquery(),
        expire_on_flush=False,
    )

    @property
    def read_at(self) -> datetime | None:
        """When its person had seen it: this one, or all up to here."""
        return self.opened_at or self.seen_with_all_at

    @classmethod
    def is_read(cls) -> ColumnElement[bool]:
        """For the condition of a query."""
        through = select(Mailbox.read_through).where(Mailbox.user_id == cls.user_id).scalar_subquery()
        return or_(cls.opened_at.is_not(None), func.coalesce(through, 0) >= cls.place)

    @classmethod
    def tell(cls, **said: Any) -> "Notification":
        one = cls(id=uuid7(), count=1, opened_at=None, **said)
        one.record_as(events.NotificationCreated)
        return one

    def fold_in(self, title: str, text: str, place: int, count: int) -> None:
        """So many stand in it by now: it is new again, at the end of the feed."""
        self.title, self.text, self.place, self.count, self.opened_at = title, text, place, count, None
        self.record_as(events.NotificationFolded)

    def read(self, at: datetime) -> None:
        if self.read_at is None:
            self.opened_at = at
            self.record_as(events.NotificationRead)

    def delete(self, at: datetime) -> None:
        self.deleted_at = at
        self.record_as(events.NotificationDeleted)


class Subscription(SoftDeleted, Base):
    """That somebody wants to hear of a kind, of a document, or of all that is about a customer."""

    __tablename__ = "subscription"
    __table_args__ = (
        unique_value("user_id", "topic", refusal=SubscribedAlready, where=LIVE, field="kind"),
        tenant_index("topic", where=LIVE),
    )

    user_id: Mapped[UUID]
    topic: Mapped[str]
    """What of: `kind:…`, `document:…` or `customer:…`."""
    kind: Mapped[str | None]
    document_id: Mapped[UUID | None]
    customer_id: Mapped[UUID | None]

    def begin(self) -> None:
        self.record_as(events.SubscriptionCreated)

    def end(self, at: datetime) -> None:
        self.deleted_at = at
        self.record_as(events.SubscriptionDeleted)


class Delivery(TenantRow, Base):
    """News that leaves the feed by one way: whose it is, from when on it may go, and what became of it."""

    __tablename__ = "delivery"
    __table_args__ = (
        tenant_index("target_id", "due_at", where="status = 'waiting'"),
        tenant_index("status", "id"),
        tenant_index("errand_id"),
        tenant_index("target_id", "kind", "asked_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7, sort_order=-10)
    target_id: Mapped[UUID]
    """Made of the way and of whose it is: what has one target and is due goes together."""
    way: Mapped[Way]
    user_id: Mapped[UUID | None]
    channel_id: Mapped[UUID | None]
    notification_id: Mapped[UUID | None]
    kind: Mapped[str]
    language: Mapped[str]
    title: Mapped[str]
    text: Mapped[str]
    link: Mapped[str | None]
    patient: Mapped[bool]
    """Whether it waits for a digest, for the end of quiet hours or of a storm: what is seen meanwhile is not sent."""
    folded: Mapped[int] = mapped_column(Integer)
    """How many stand in it, where the storm of a channel is folded; 0 for what stands by itself."""
    due_at: Mapped[datetime]
    status: Mapped[Status]
    errand_id: Mapped[UUID | None]
    failure: Mapped[str | None]
    settled_at: Mapped[datetime | None]
    asked_at: Mapped[datetime] = mapped_column(server_default=func.now())
