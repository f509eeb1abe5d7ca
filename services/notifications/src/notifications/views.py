"""What clients are shown."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import model_validator

from contracts.notifications import Service
from notifications.bodies import ChoiceBody, DigestBody, QuietHoursBody
from notifications.kinds import KindName, Language, NewsKindName
from notifications.models import Status, Way
from tailrace.core.personal_data import Personal
from tailrace.http.routing import ResourceView, View


class NotificationView(View):
    id: UUID
    """Made when it was told, a UUIDv7: later ones sort behind earlier ones."""
    kind: KindName
    """What it is about, by the catalogue; `message` when a person wrote it."""
    title: Personal[str]
    """What happened, in a line, in one's own language."""
    text: Personal[str]
    """The same in a sentence or more."""
    link: str | None
    """Where the document is shown that it is about, below the address of this API; null for several."""
    document_id: UUID | None
    """The document that it is about; null for none, or several."""
    customer_id: UUID | None
    """The customer that it is about; null for none, or several."""
    sender_id: UUID | None
    """The user who wrote it; null for news of the company's doings."""
    urgent: bool
    """Whether somebody waits for one."""
    count: int
    """How many stand in it: more than one where many came in a short time."""
    created_at: datetime
    """When it was told, in UTC."""
    read_at: datetime | None
    """When one had seen it, in UTC; null while it is unread."""

    @model_validator(mode="before")
    @classmethod
    def _as_told(cls, row: Any) -> Any:
        if isinstance(row, dict):
            return row
        names = [name for name in cls.model_fields if name != "created_at"]
        return {**{name: getattr(row, name) for name in names}, "created_at": row.told_at}


class UnreadView(View):
    count: int
    """How many one has not seen."""
    items: list[NotificationView]
    """The newest of them, the newest first."""


class AllReadView(View):
    count: int
    """How many were unread until now."""


class ToldView(View):
    id: UUID
    """By which all who were told know what they were told of."""
    told: int
    """How many users were told."""


class NewsSubscriptionView(View):
    id: UUID
    """Made when one subscribed, a UUIDv7."""
    kind: NewsKindName | None
    """All news of this kind is wanted; null when it is something else."""
    document_id: UUID | None
    """All that is about this document is wanted; null when it is something else."""
    customer_id: UUID | None
    """All that is about this customer is wanted; null when it is something else."""
    created_at: datetime
    """When one subscribed, in UTC."""


class PreferencesView(View):
    language: Language | None
    """What one is spoken to in; null for as the company's country has it."""
    time_zone: str | None
    """Whose clock (IANA) one lives by; null for the company's."""
    quiet: QuietHoursBody | None
    """When nothing leaves the feed; null for never."""
    digest: DigestBody
    """When digests come."""
    choices: list[ChoiceBody]
    """What differs from the rule."""


class NotificationChannelView(ResourceView):
    code: str
    """What the channel is known by; unique among those in use."""
    name: str
    """What people call it."""
    service: Service
    """Which program it is in."""
    address: str
    """Its webhook's address as far as it is no secret."""
    secret: str
    """A reference to what the address ends in."""
    kinds: list[NewsKindName]
    """Which news the company has sent there."""
    user_id: UUID | None
    """Whose channel it is; null for the company's."""


class NotificationDeliveryView(View):
    id: UUID
    """Made when it was to be sent, a UUIDv7."""
    way: Way
    """By which way it goes."""
    user_id: UUID | None
    """Who gets it; null for a channel of the company's."""
    channel_id: UUID | None
    """The channel it goes to; null for mail."""
    notification_id: UUID | None
    """What it tells of, in the feed of its user; null for a channel of the company's."""
    kind: KindName
    """What it is about, by the catalogue."""
    status: Status
    """Whether its time is still to come, it is on its way, arrived, did not, or was seen before its time."""
    failure: str | None
    """A word for why it did not arrive."""
    due_at: datetime
    """When it may go, in UTC."""
    settled_at: datetime | None
    """When it arrived, or was given up, in UTC."""


class NewsKindView(View):
    kind: NewsKindName
    """Its name, as subscriptions and preferences have it."""
    scope: str
    """What one's roles must allow for a subscription to it."""
    urgent: bool
    """Whether it is mailed where nothing else is said."""


class NewsCatalogueView(View):
    kinds: list[NewsKindView]
    """Every kind of news, but for what people write to one another."""
