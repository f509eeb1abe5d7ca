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
    """What happened, as `order.confirmed`; an access is a `gateway.accessed`."""
    topic: str
    """Where it was published, as `order.events`."""
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
    """From 1; rises when its publisher's database was restored from a backup, and the sequence goes on from wherever it then was."""
    schema_version: int
    """Of the contract that its type had then."""
    prev: str
    """The hash of the record before, in hexadecimal."""
    commitment: str
    """The salted SHA-256 of what it said."""
    data: Any
    """What it said; fields that tell who a person is are `[personal]`. Null when its time is over."""
    data_in_full: Annotated[Any, masked(pii)]
    """All that it said."""
    archive_id: UUID | None
    """The archive that has what it said, where that is in no database any more; null otherwise."""


class HeadView(View):
    id: UUID
    """By which it is read again."""
    number: int
    """Counts from 1."""
    size: int
    """Records that it covers."""
    signed_at: datetime
    """When it was signed, in UTC."""
    shipped_at: datetime | None
    """When it was put into the object store."""
    statement: dict[str, Any]
    """The head as it is signed, with its signature: keep this, to prove later what the log held."""


class KeysView(View):
    keys: dict[str, str]
    """Public halves of Ed25519 keys in hexadecimal, by id."""


class RetentionView(View):
    id: UUID
    """The company has one policy, always of this id."""
    version: int
    """Rises by one with every change, from 0 for what holds unless it is changed; also the `ETag`."""
    days: int
    """How long what events said is kept."""
    access_days: int
    """The same of accesses at the gateway."""
    archive_days: int | None
    """After how many days it is moved into the archive; null for never."""


class ArchiveView(ResourceView):
    number: int
    """Counts the company's archives from 1."""
    begin: int
    """The position of its first record."""
    end: int
    """That of the first record after it."""
    sealed_at: datetime | None
    """When it was in the store; null while it is on its way there."""
    sha256: str | None
    """Of the object, in hexadecimal; null until it is sealed."""
    size: int | None
    """Of the object, in bytes; null until it is sealed."""
    key: str
    """Where it is in the object store, below the folder or prefix of audit."""
    kept_until: datetime
    """It is not deleted before."""
    locked: bool
    """Whether the store has said that it refuses to delete it before then."""
    held: bool
    """Whether the store has said that it refuses to delete it for as long as a hold keeps any of its documents (S3 legal hold)."""
    restored_until: datetime | None
    """Until when its contents are in the database besides; null while they are not."""
    deleted_at: datetime | None
    """When its time was over; null while it is there."""


class HoldView(ResourceView):
    reason: str
    """Why contents are kept: a dispute, an audit."""
    document_id: UUID | None
    """Whose contents are kept; null for those of all."""
    released_at: datetime | None
    """When the retention began to hold again; null while it does not."""
    release_reason: str | None
    """Why nothing has to be kept any more."""


class StatusView(View):
    size: int
    """Records in the log."""
    signed: int
    """Records that the newest head covers."""
    documents: int
    """How many things the records are about: orders, users, stocks."""
    head: HeadView | None
    """The newest; null before the first."""


class ReportRow(View):
    day: date
    """When it happened, in UTC."""
    actor_id: str | None
    """Who began it, as in a record."""
    type: str
    """What happened, as `order.confirmed`."""
    service: str
    """Who published it."""
    records: int
    """How often it happened."""


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
    """What its hash began with, in hexadecimal; null where `data` is."""
    data: str | None
    """What it said, as it was published; null when its time is over, or without `audit-log:pii` where it tells who a person is."""


class BundleView(View):
    format: str
    """Which form of bundle this is, for those who check it."""
    document: UUID
    """What the records are about."""
    topic: str
    """Where they were published: the same id on another topic is another document."""
    head: dict[str, Any]
    """The newest signed head, which all that is proven here goes back to."""
    keys: dict[str, str]
    """Public halves of Ed25519 keys in hexadecimal, by id."""
    standing: dict[str, Any]
    """What proves that these are all records of the document: how far it had come when the head was signed."""
    records: list[BundleRecord]
    """All of the document, in the order of the log."""
    continues: dict[str, list[str]]
    """By the size of a head from before, what proves that the log went on from there."""


class TraceNode(View):
    id: UUID
    """Of the event."""
    kind: Literal["event", "access"]
    """`event`: something changed. `access`: somebody asked, at the gateway."""
    at: datetime
    """When it was recorded where it happened."""
    service: str
    """Who published it."""
    type: str
    """What happened, as `order.confirmed`."""
    actor_id: str | None
    """Who began it, as in a record."""
    document_id: UUID
    """What it is about."""
    topic: str
    """Where it was published, as `order.events`."""
    sequence: int
    """Its place among the document's events, from 1."""
    correlation_id: UUID
    """The request or timer that began it all."""
    label: str | None
    """Of an access, what was asked for and how it was answered."""


class TraceEdge(View):
    cause: UUID
    """The node that came first."""
    effect: UUID
    """The node that came of it."""
    kind: Literal["caused", "asked", "followed", "linked"]
    """`caused`: the event names it as its cause. `asked`: the request that began it. `followed`: it acted on
    what the other left of the same document. `linked`: its document came of the other's, or was made to help it."""


class TraceGap(View):
    kind: Literal["cause", "sequence", "waiting"]
    """`cause`: an event names one that has not come. `sequence`: events of a document have not come. `waiting`: one came and
    could not be kept as yet."""
    id: UUID
    """Of the event, or of the document."""
    detail: str
    """What is missing, in words."""


class TraceView(View):
    id: UUID
    """What was asked about."""
    about: Literal["request", "event", "document"]
    """Whose id that is."""
    complete: bool
    """Whether every cause is there and no document has a gap."""
    missing: list[TraceGap]
    """What keeps it from being complete."""
    truncated: bool
    """Whether there is more than is shown."""
    nodes: list[TraceNode]
    """In the order of time."""
    edges: list[TraceEdge]
    """What led to what, between the nodes that are shown."""
