"""Events of notifications, on `notification.events`: what people were told, and what they want to hear of (CRM design, Analytics service).

A notification belongs to one person. It is told in words when it is made, in that person's language, and stays as it was said.
"""

from typing import Any, ClassVar, Literal
from uuid import UUID

from tailrace.core.events import Event
from tailrace.core.personal_data import Personal

Service = Literal["slack", "teams"]
"""Which program a channel leads to."""


class NotificationTopic(Event):
    topic: ClassVar[str] = "notification.events"
    publisher: ClassVar[str] = "notifications"


class NotificationEvent(NotificationTopic):
    notification_id: UUID
    user_id: UUID
    """Whose it is."""
    kind: str
    """What it is about, a name of the catalogue such as `approval.requested`."""


class NotificationCreated(NotificationEvent):
    """Somebody is told something. `cause_id` is the event that led to it; a person who writes to others is the `sender_id`."""

    type: ClassVar[str] = "notification.created"

    title: Personal[str]
    text: Personal[str]
    link: str | None = None
    document_id: UUID | None = None
    customer_id: UUID | None = None
    cause_id: UUID | None = None
    sender_id: UUID | None = None


class NotificationFolded(NotificationEvent):
    """More of the same kind came in a short time: `count` of them stand in this one."""

    type: ClassVar[str] = "notification.folded"

    count: int


class NotificationRead(NotificationEvent):
    """Its person has seen it."""

    type: ClassVar[str] = "notification.read"


class NotificationDeleted(NotificationEvent):
    """Its person took it away."""

    type: ClassVar[str] = "notification.deleted"


class MailboxEvent(NotificationTopic):
    mailbox_id: UUID
    user_id: UUID
    """Whose it is."""


class MailboxAllRead(MailboxEvent):
    """The person has seen everything up to the place `read_through` of the feed."""

    type: ClassVar[str] = "notification.mailbox.all_read"

    read_through: int


class MailboxPreferencesChanged(MailboxEvent):
    """The person said how they want to hear; carries the whole of it."""

    type: ClassVar[str] = "notification.mailbox.preferences_changed"

    preferences: dict[str, Any]


class SubscriptionEvent(NotificationTopic):
    subscription_id: UUID
    user_id: UUID
    """Who wants to hear."""


class SubscriptionCreated(SubscriptionEvent):
    """Somebody wants to hear of a kind, of a document, or of all that is about a customer."""

    type: ClassVar[str] = "notification.subscription.created"

    kind: str | None = None
    document_id: UUID | None = None
    customer_id: UUID | None = None


class SubscriptionDeleted(SubscriptionEvent):
    """It is not wanted any more."""

    type: ClassVar[str] = "notification.subscription.deleted"


class ChannelDescription(NotificationTopic):
    """The whole of a channel, but for its address, which is a secret. Created, updated and restored say the same."""

    notification_channel_id: UUID
    code: str
    name: str
    service: Service
    kinds: list[str]
    user_id: UUID | None = None


class ChannelCreated(ChannelDescription):
    """There is a new channel."""

    type: ClassVar[str] = "notification.channel.created"


class ChannelUpdated(ChannelDescription):
    """The channel is different now."""

    type: ClassVar[str] = "notification.channel.updated"


class ChannelRestored(ChannelDescription):
    """The channel was deleted and is back, as it was."""

    type: ClassVar[str] = "notification.channel.restored"


class ChannelDeleted(NotificationTopic):
    """The channel is gone; nothing is sent there any more."""

    type: ClassVar[str] = "notification.channel.deleted"

    notification_channel_id: UUID
    code: str


PUBLISHED: tuple[type[NotificationTopic], ...] = (
    NotificationCreated,
    NotificationFolded,
    NotificationRead,
    NotificationDeleted,
    MailboxAllRead,
    MailboxPreferencesChanged,
    SubscriptionCreated,
    SubscriptionDeleted,
    ChannelCreated,
    ChannelUpdated,
    ChannelRestored,
    ChannelDeleted,
)
