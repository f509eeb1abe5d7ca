"""A partner, its grant, and what of it is in force: the row that its filler goes by."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from contracts import partners as events
from contracts.partners import PersonalFields
from contracts.registry import events_by_type
from partners.refusals import NotInThisState
from tailrace.core.events import Event
from tailrace.core.ids import uuid7
from tailrace.core.transitions import Transitions
from tailrace.db.models import Aggregate, Tables

Status = Literal["opening", "open", "closing", "closed"]
STATES = Transitions[Status](
    "Partner",
    {
        "opening": {"granted": "opening", "rotated": "opening", "opened": "open", "revoked": "closing"},
        "open": {"granted": "opening", "rotated": "opening", "revoked": "closing"},
        "closing": {"closed": "closed"},
        "closed": {},
    },
    NotInThisState,
)


class Base(Tables, DeclarativeBase):
    """The tables of partners."""


class Partner(Aggregate, Base):
    """A command says what is to be; a timer makes Kafka so, and records that it is."""

    __tablename__ = "partner"

    name: Mapped[str]
    types: Mapped[list[Any]]
    personal: Mapped[PersonalFields]
    since: Mapped[datetime | None]
    credential: Mapped[int]
    """Which of its passwords is the one that counts; they derive from this and a secret, and are stored nowhere."""
    status: Mapped[Status]

    @classmethod
    def register(cls, name: str, types: list[str], personal: PersonalFields, since: datetime | None) -> Self:
        partner = cls(
            id=uuid7(), name=name, types=types, personal=personal, since=since, credential=1, status="opening"
        )
        partner.record_as(events.PartnerRegistered)
        return partner

    @property
    def user(self) -> str:
        """Its user at Kafka. Its topics and its groups begin with this and a dot."""
        return user_of(self.id)

    @property
    def topics(self) -> list[str]:
        """Where it finds its events, in order."""
        return topics_of(self.id, self.types)

    def check_in_use(self) -> None:
        """Raises NotInThisState for one that was revoked."""
        STATES.after(self.status, "rotated", self.name)

    def grant(self, types: list[str], personal: PersonalFields) -> None:
        """Raises NotInThisState."""
        after = STATES.after(self.status, "granted", self.name)
        if self.update_from({"types": types, "personal": personal}):
            self.status = after
            self.record_as(events.PartnerGranted)

    def rotate(self) -> None:
        """Raises NotInThisState."""
        self.status = STATES.after(self.status, "rotated", self.name)
        self.credential += 1
        self.record_as(events.PartnerRotated)

    def revoke(self) -> None:
        """Raises NotInThisState."""
        self.status = STATES.after(self.status, "revoked", self.name)
        self.record_as(events.PartnerRevoked)

    def opened(self) -> None:
        self.status = STATES.after(self.status, "opened", self.name)
        self.record_as(events.PartnerOpened)

    def closed(self) -> None:
        self.status = STATES.after(self.status, "closed", self.name)
        self.record_as(events.PartnerClosed)


class Filling(Base):
    """What is in force for a partner: routing data, which the fillers of all tenants go by."""

    __tablename__ = "filling"

    partner_id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID]
    """The tenant whose events these are."""
    types: Mapped[list[Any]]
    personal: Mapped[PersonalFields]
    since: Mapped[datetime | None]
    holder: Mapped[UUID | None]
    """The filler that fills it, as long as that is alive."""
    behind: Mapped[int | None]
    """How many records its filler has not looked at, a moment ago."""
    told: Mapped[int] = mapped_column(server_default="0")
    """How many events it was given; a filler that dies may not have counted its last."""
    lately: Mapped[int] = mapped_column(server_default="0")
    """How many of them in the minute before that."""
    looked_at: Mapped[datetime | None]
    """When its filler last said so."""


class Filler(Base):
    """A process that fills, and until when it counts as alive."""

    __tablename__ = "filler"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    until: Mapped[datetime]


class Login(Base):
    """Which password of a partner counts, for who comes with it by HTTP: routing data, since nobody knows the tenant by then."""

    __tablename__ = "login"

    partner_id: Mapped[UUID] = mapped_column(primary_key=True)
    credential: Mapped[int]


USERS = "partner."


def user_of(partner_id: UUID) -> str:
    """How a partner is called where it logs in."""
    return f"{USERS}{partner_id}"


def topic_of(partner_id: UUID, topic: str) -> str:
    """Where a partner finds what is published on `topic`."""
    return f"{user_of(partner_id)}.{topic}"


def known(types: Iterable[str]) -> dict[str, type[Event]]:
    """The events of these types. One that only another release's contracts have is none here."""
    return {each: event for each in types if (event := events_by_type().get(each)) is not None}


def topics_of(partner_id: UUID, types: Iterable[str]) -> list[str]:
    """Where a partner finds events of these types, in order."""
    return sorted({topic_of(partner_id, event.topic) for event in known(types).values()})
