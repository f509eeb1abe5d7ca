"""Events of partners, on `partner.events`: who outside hears of which events of a company, and since when."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from tailrace.core.events import Event

PersonalFields = Literal["omitted", "masked", "plain"]
"""What becomes of personal fields on the way to a partner: left out, each value replaced, or as they are."""


class PartnerEvent(Event):
    topic: ClassVar[str] = "partner.events"
    publisher: ClassVar[str] = "partners"

    partner_id: UUID


class PartnerGrant(PartnerEvent):
    """All that a partner may hear."""

    name: str
    types: list[str]
    personal: PersonalFields
    since: datetime | None
    """Events from this moment on; from the beginning, when null."""


class PartnerRegistered(PartnerGrant):
    """A partner is to get credentials and topics of its own."""

    type: ClassVar[str] = "partner.registered"


class PartnerGranted(PartnerGrant):
    """A partner is to hear of other events than before, or to see more or less of them."""

    type: ClassVar[str] = "partner.granted"


class PartnerRotated(PartnerEvent):
    """A partner is to have another password; the one before is good no more."""

    type: ClassVar[str] = "partner.rotated"


class PartnerOpened(PartnerEvent):
    """What was asked for holds at Kafka."""

    type: ClassVar[str] = "partner.opened"


class PartnerRevoked(PartnerEvent):
    """A partner is to hear of nothing any more."""

    type: ClassVar[str] = "partner.revoked"


class PartnerClosed(PartnerEvent):
    """The partner's credentials, rights and topics are gone from Kafka."""

    type: ClassVar[str] = "partner.closed"


PUBLISHED: tuple[type[PartnerEvent], ...] = (
    PartnerRegistered,
    PartnerGranted,
    PartnerRotated,
    PartnerOpened,
    PartnerRevoked,
    PartnerClosed,
)
