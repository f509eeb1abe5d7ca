"""What clients are shown."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from audit.scopes import pii
from tailrace.http.masks import masked
from tailrace.http.routing import ResourceView, View


class RecordSummary(View):
    id: UUID
    """Of the event."""
    position: int
    """Its place in the company's log, from 0."""
    occurred_at: datetime
    """When it was recorded where it happened."""
    type: str
    topic: str
    service: str
    """Who published it."""
    document_id: UUID
    """What it is about: an order, a user, a stock; of accesses, a stream of them."""
    sequence: int
    """Its place among the document's events, from 1."""
    actor_id: str | None
    """Who began it: a user's id, or `timer:`, `schedule:`, `partner:`, `link:` or `service:` with a name; null of what is older than that."""
    correlation_id: UUID
    """The request or timer that began it all."""
    causation_id: UUID | None
    """The event that led to it; null at the beginning."""


class RecordView(RecordSummary):
    epoch: int
    schema_version: int
    prev: str
    """The hash of the record before, in hexadecimal."""
    commitment: str
    """The salted SHA-256 of what it said."""
    data: Any
    """What it said; fields that tell who a person is are `[personal]`. Null when its time is over."""
    data_in_full: Annotated[Any, masked(pii)]
    """All that it said."""


class HeadView(View):
    id: UUID
    number: int
    """Counts from 1."""
    size: int
    """Records that it covers."""
    signed_at: datetime
    shipped_at: datetime | None
    """When it was put into the object store."""
    statement: dict[str, Any]
    """The head as it is signed, with its signature: keep this, to prove later what the log held."""


class KeysView(View):
    keys: dict[str, str]
    """Public halves of Ed25519 keys in hexadecimal, by id."""


class RetentionView(View):
    id: UUID
    version: int
    days: int
    """How long what events said is kept."""
    access_days: int
    """The same of accesses at the gateway."""


class HoldView(ResourceView):
    reason: str
    document_id: UUID | None
    """Whose contents are kept; null for those of all."""
    released_at: datetime | None
    release_reason: str | None


class StatusView(View):
    size: int
    """Records in the log."""
    signed: int
    """Records that the newest head covers."""
    documents: int
    head: HeadView | None
    """The newest; null before the first."""


class ReportRow(View):
    day: date
    """In UTC."""
    actor_id: str | None
    type: str
    service: str
    records: int


class ReportView(View):
    items: list[ReportRow]
    """By day, actor and type."""
    records: int
    """Of all rows together."""
    complete: bool
    """Whether these are all rows; when not, ask for a shorter time."""


class BundleRecord(View):
    entry: dict[str, Any]
    """The record as it was hashed."""
    path: list[str]
    """What proves it to be in the signed tree (RFC 9162)."""
    salt: str | None
    data: str | None
    """What it said, as it was published; null when its time is over, or without `audit-log:pii` where it tells who a person is."""


class BundleView(View):
    format: str
    document: UUID
    topic: str
    head: dict[str, Any]
    keys: dict[str, str]
    standing: dict[str, Any]
    """What proves that these are all records of the document: how far it had come when the head was signed."""
    records: list[BundleRecord]
    continues: dict[str, list[str]]
    """By the size of a head from before, what proves that the log went on from there."""


class TraceNode(View):
    id: UUID
    kind: Literal["event", "access"]
    at: datetime
    service: str
    type: str
    actor_id: str | None
    document_id: UUID
    topic: str
    sequence: int
    correlation_id: UUID
    label: str | None
    """Of an access, what was asked for and how it was answered."""


class TraceEdge(View):
    cause: UUID
    effect: UUID
    kind: Literal["caused", "asked", "followed"]
    """`caused`: the event names it as its cause. `asked`: the request that began it. `followed`: it acted on
    what the other left of the same document."""


class TraceGap(View):
    kind: Literal["cause", "sequence", "waiting"]
    """`cause`: an event names one that has not come. `sequence`: events of a document have not come. `waiting`: one came and
    could not be kept as yet."""
    id: UUID
    """Of the event, or of the document."""
    detail: str


class TraceView(View):
    id: UUID
    """What was asked about."""
    about: Literal["request", "event", "document"]
    complete: bool
    """Whether every cause is there and no document has a gap."""
    missing: list[TraceGap]
    truncated: bool
    """Whether there is more than is shown."""
    nodes: list[TraceNode]
    """In the order of time."""
    edges: list[TraceEdge]
