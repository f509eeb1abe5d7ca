"""What is shown of how fresh an answer is."""

from datetime import datetime
from uuid import UUID

from tailrace.http.routing import View


class HeardView(View):
    """How far one topic was read."""

    topic: str
    """The topic, which one service publishes."""
    event_id: UUID | None
    """The newest event of the company's that was applied; null before there was any."""
    type: str | None
    """What that event is called."""
    committed_at: datetime | None
    """When it was recorded by the service that published it, in UTC."""
    age_seconds: int | None
    """How old it is. On a quiet topic this grows, and nothing is missing."""
    partition: int | None
    """Where it stands in the topic."""
    offset: int | None
    """Where it stands in the partition."""
    behind: int | None
    """How many events of the topic, of all companies, are still to be read; null while nobody can tell."""
    complete_until: datetime | None
    """What happened in that service until then is in the report, in UTC; null while nobody can tell."""


class LakeView(View):
    """How far the tables are that readers outside open. Answers here have what waits in them too."""

    exported_at: datetime | None
    """When something was written there last, in UTC; null before anything was."""
    waiting: int
    """How many rows of reports are still to be written there; 10000 for as many and more."""


class FreshnessView(View):
    """How fresh an answer is. `complete_until` says what is in it for certain; ages say only when something happened last."""

    at: datetime
    """When the answer was read, in UTC."""
    complete_until: datetime | None
    """What happened anywhere until then is in the report: the earliest of the topics'. Null while nobody can tell."""
    set_aside: int
    """How many events of the company's could not be applied and wait for somebody: what they said is missing, whatever else stands here."""
    lake: LakeView
    """How far the lake has come."""
    topics: list[HeardView]
    """Each topic that reports are made of."""
