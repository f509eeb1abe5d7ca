"""What is shown of partners, and to them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ConfigDict

from contracts.partners import PersonalFields
from partners.models import Status
from tailrace.http.routing import ResourceView, View


class PartnerView(ResourceView):
    name: str
    """What people call it."""
    types: list[str]
    """The types of events that it hears of, in order."""
    personal: PersonalFields
    """What becomes of personal fields on the way to it."""
    since: datetime | None
    """From which moment on it hears of events, in UTC; from the beginning, when null."""
    status: Status
    """`open` once what was asked for holds at Kafka, and `closed` once nothing of it is left there."""
    user: str
    """The name that it logs in to Kafka with; its consumer groups begin with this and a dot."""
    topics: list[str]
    """Where it finds its events."""


class CredentialsView(View):
    """What a partner logs in to Kafka with."""

    user: str
    """The name."""
    password: str
    """The one that counts now, by SCRAM-SHA-512."""


class PartnerProgressView(View):
    """How far a partner's topics are filled."""

    behind: int | None
    """Events of the company and of others that were not looked at yet; null while that is not known, as after a start or when it is closed."""
    told: int
    """How many events it was given. The last seconds of a process that was killed may not be counted."""
    told_lately: int
    """How many of them in the last minute."""
    looked_at: datetime | None
    """When this was so, in UTC; that nothing has changed since is said every half a minute."""


class PartnerEventView(View):
    """A CloudEvent in JSON (structured mode), with all attributes that the record has as headers."""

    model_config = ConfigDict(extra="allow", use_attribute_docstrings=True)

    specversion: str
    """Of CloudEvents."""
    id: UUID
    """The event's. One that comes twice is the same event."""
    type: str
    """As in `order.confirmed`."""
    source: str
    """Which service published it."""
    subject: UUID
    """What it happened to."""
    sequence: str
    """Counts the events of its subject, from 1, by one. Types that were not granted count too."""
    data: Any
    """The record's value, as `dataschema` describes it."""


class PartnerEventsView(View):
    """A page of events."""

    events: list[PartnerEventView]
    """Those of one subject in their order."""
    cursor: str
    """Where the next page begins; also when this one has no events."""
