"""What clients may send."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from contracts.notifications import Service
from notifications.kinds import KindName, Language, NewsKindName
from tailrace.core.values.days import TimeZone
from tailrace.core.values.fields import Code, Name, Note, Sentence
from tailrace.core.values.wire import WrongFields
from tailrace.http.routing import Body

Clock = Annotated[str, StringConstraints(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$"), Field(examples=["22:00"])]
How = Literal["now", "digest", "never"]
WayName = Literal["in_app", "email", "slack", "teams"]


class NotificationBody(Body):
    """What somebody tells others."""

    title: Sentence
    """What it is about, in a line."""
    text: Note = ""
    """The whole of it."""
    user_ids: Annotated[list[UUID], Field(max_length=200)] = []
    """Who is told, by name."""
    roles: Annotated[list[Name], Field(max_length=20)] = []
    """Who is told, by role: everybody who has one of them."""
    document_id: UUID | None = None
    """What it is about. Nobody hears by that who is not named."""
    customer_id: UUID | None = None
    """Which customer it is about. Nobody hears by that who is not named."""

    @model_validator(mode="after")
    def _to_somebody(self) -> Self:
        if not self.user_ids and not self.roles:
            raise WrongFields("name users, or roles", "user_ids", "roles")
        return self


class NewsSubscriptionBody(Body):
    """What somebody wants to hear of: one of the three."""

    kind: NewsKindName | None = None
    """All news of this kind. Messages go to those whom they name alone."""
    document_id: UUID | None = None
    """All that is about this document, such as an order or a task."""
    customer_id: UUID | None = None
    """All that is about this customer."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(each is not None for each in (self.kind, self.document_id, self.customer_id)) != 1:
            raise WrongFields(
                "name a kind, a document or a customer, and one of them", "kind", "document_id", "customer_id"
            )
        return self

    @property
    def topic(self) -> str:
        """The one, in words that no other has."""
        of = (("kind", self.kind), ("document", self.document_id), ("customer", self.customer_id))
        return next(f"{what}:{value}" for what, value in of if value is not None)


class QuietHoursBody(Body):
    """When nothing is to leave the feed. Over midnight, when it begins later than it ends."""

    begin: Clock
    """From this time of the day on, by one's own clock."""
    end: Clock
    """Until this time of the day."""


class DigestBody(Body):
    """When what waits for a digest comes, all in one."""

    every: Literal["day", "week"] = "day"
    """How often it comes."""
    at: Clock = "08:00"
    """The time of the day, by one's own clock."""
    weekday: Annotated[int, Field(ge=1, le=7)] = 1
    """The day of a weekly one: 1 is Monday, 7 is Sunday (ISO 8601)."""


class ChoiceBody(Body):
    """How one wants to hear of a kind by one way."""

    kind: KindName
    """Which news is meant."""
    way: WayName
    """By which way: in the feed, by mail, or by a chat program in one's own channel there."""
    how: How
    """At once, with the next digest, or not at all; in the feed there is no digest."""

    @model_validator(mode="after")
    def _no_digest_in_app(self) -> Self:
        if self.way == "in_app" and self.how == "digest":
            raise WrongFields("the feed has no digest", "how")
        return self


class PreferencesBody(Body):
    """How one wants to hear; all of it."""

    language: Language | None = None
    """What one is spoken to in; null for as the company's country has it."""
    time_zone: TimeZone | None = None
    """Whose clock one lives by; null for the company's."""
    quiet: QuietHoursBody | None = None
    """When nothing is to leave the feed; null for never."""
    digest: DigestBody = DigestBody()
    """When digests come."""
    choices: Annotated[list[ChoiceBody], Field(max_length=100)] = []
    """What differs from the rule: all in the feed, and what is urgent by mail and in one's own channels too."""


class NotificationChannelBody(Body):
    """A channel as it is to be."""

    code: Code
    name: Name
    service: Service
    """Which program it is in. Stays."""
    address: Annotated[
        str,
        StringConstraints(
            max_length=500, pattern=r"^(https://[A-Za-z0-9.:-]+|http://127\.0\.0\.1:[0-9]+)(/[A-Za-z0-9._~-]+)*/$"
        ),
        Field(examples=["https://hooks.slack.com/services/"]),
    ]
    """Its webhook's address as far as it is no secret; ends in `/`."""
    secret: Annotated[
        str,
        StringConstraints(max_length=200, pattern=r"^(env:PARTNER_SECRET_[A-Z0-9_]+|file:[A-Za-z0-9][A-Za-z0-9._-]*)$"),
    ]
    """A reference to what the address ends in, which the operator keeps; it bears the company's id."""
    kinds: Annotated[list[NewsKindName], Field(max_length=50)] = []
    """Which news the company has sent there; none for one person's channel, where the person's own preferences say so."""
    user_id: UUID | None = None
    """Whose channel it is; null for the company's. Stays."""
