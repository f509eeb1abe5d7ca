"""The log of each company: records, their contents, the tree over them, the newest of each document; heads, holds, and how long contents are kept.

Records, tiles and documents are written by the log alone (`audit.log`), set by set. Contents go when their time is over; records never do.
"""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy import SmallInteger, UniqueConstraint, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from audit.refusals import HoldReleased, NotInTheArchive
from contracts import audit as events
from tailrace.core.ids import derived_id, uuid7
from tailrace.db.keys import tenant_index
from tailrace.db.models import Aggregate, Tables, TenantRow
from tailrace.db.row_security import INSERT_ONLY

DAYS = 5 * 365 + 1
"""How long contents are kept unless the company says otherwise: five years."""
ACCESS_DAYS = 365
ARCHIVE_DAYS = 365
"""After how many days contents go into the archive unless the company says otherwise."""


class Base(Tables, DeclarativeBase):
    """The tables of audit."""


class SigningKey(Base):
    """A key pair that heads are signed with (Ed25519), the private half encrypted. A platform table: it belongs to no tenant."""

    __tablename__ = "signing_key"

    id: Mapped[str] = mapped_column(primary_key=True)
    public_key: Mapped[str]
    private_key: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Log(TenantRow, Base):
    """How far a company's log has come. Its row is the lock under which records are added."""

    __tablename__ = "log"

    size: Mapped[int]
    newest: Mapped[bytes]
    """The hash of the newest record."""
    edge: Mapped[bytes]
    """The roots of the complete subtrees (`tailrace.verify.merkle.Edge`)."""
    signed: Mapped[int]
    """Records that the newest head covers."""
    waiting: Mapped[int]
    """Records since then, but for what is said of heads themselves: a head alone is no reason for the next."""
    documents: Mapped[int]


class Record(TenantRow, Base):
    """What is kept of one event, or of one access."""

    __tablename__ = "record"
    __table_args__ = (
        UniqueConstraint("tenant_id", "position"),
        tenant_index("document_id", "position"),
        tenant_index("correlation_id", "position"),
        tenant_index("causation_id", where="causation_id IS NOT NULL"),
        tenant_index("actor_id", "position"),
        tenant_index("type", "position"),
        tenant_index("occurred_at"),
        INSERT_ONLY,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    """Of the event."""
    position: Mapped[int]
    prev: Mapped[bytes]
    topic: Mapped[str]
    type: Mapped[str]
    schema: Mapped[int] = mapped_column(SmallInteger)
    service: Mapped[str]
    document_id: Mapped[UUID]
    epoch: Mapped[int]
    sequence: Mapped[int]
    correlation_id: Mapped[UUID]
    causation_id: Mapped[UUID | None]
    actor_id: Mapped[str | None]
    occurred_at: Mapped[datetime]
    commitment: Mapped[bytes]
    """The salted hash of what it said (`tailrace.verify.evidence`)."""


class Content(TenantRow, Base):
    """What an event said, and the salt of its hash. Goes when its time is over."""

    __tablename__ = "content"

    position: Mapped[int] = mapped_column(primary_key=True, sort_order=-10)
    salt: Mapped[bytes]
    data: Mapped[bytes]


class Document(TenantRow, Base):
    """The newest record of a document (`tailrace.verify.documents.Standing`).

    It moves with every record. So no index is on what moves, and pages have room left: then a move touches no index at all.
    """

    __tablename__ = "document"
    __table_args__ = (tenant_index("bucket"), {"postgresql_with": {"fillfactor": 70}})

    topic: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    bucket: Mapped[int]
    epoch: Mapped[int]
    sequence: Mapped[int]
    records: Mapped[int]
    last: Mapped[int]


class DocumentLink(TenantRow, Base):
    """That a document names another, as its contract says: it came of that, or else was made to help it."""

    __tablename__ = "document_link"
    __table_args__ = (tenant_index("to_id"),)

    document_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    to_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-9)
    comes_of: Mapped[bool]


class Tile(TenantRow, Base):
    """256 hashes of one of the two trees, or as many as there are: `records` over the log, `documents` over the newest record of each."""

    __tablename__ = "tile"

    tree: Mapped[str] = mapped_column(primary_key=True)
    level: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    hashes: Mapped[bytes]


class Head(TenantRow, Base):
    """A signed statement of how the log was at one time."""

    __tablename__ = "head"
    __table_args__ = (
        UniqueConstraint("tenant_id", "number"),
        tenant_index("number", where="shipped_at IS NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7, sort_order=-10)
    number: Mapped[int]
    size: Mapped[int]
    signed_at: Mapped[datetime]
    statement: Mapped[dict[str, Any]]
    """All that is signed, with the signature."""
    shipped_at: Mapped[datetime | None]
    """When it was put into the object store."""


class Signature(Aggregate, Base):
    """What publishes the heads of a company: one row, whose version is the number of its newest head."""

    __tablename__ = "signature"

    size: Mapped[int]

    @classmethod
    def id_of(cls, tenant_id: UUID) -> UUID:
        return derived_id("audit log", tenant_id)

    @classmethod
    def first(cls, tenant_id: UUID) -> Self:
        return cls(id=cls.id_of(tenant_id), size=0)

    def sign(self, head: dict[str, Any]) -> None:
        self.size = head["size"]
        said = {
            name: head[name]
            for name in ("number", "size", "root", "documents", "documents_root", "signed_at", "signature")
        }
        self.record(events.AuditHeadSigned(log_id=self.id, key_id=head["key"], **said))


class Retention(Aggregate, Base):
    """How long a company keeps the contents of its log, in days."""

    __tablename__ = "retention"

    days: Mapped[int]
    access_days: Mapped[int]
    archive_days: Mapped[int | None] = mapped_column()

    @classmethod
    def id_of(cls, tenant_id: UUID) -> UUID:
        return derived_id("audit retention", tenant_id)

    @classmethod
    def default(cls, tenant_id: UUID) -> Self:
        return cls(id=cls.id_of(tenant_id), version=0, days=DAYS, access_days=ACCESS_DAYS, archive_days=ARCHIVE_DAYS)

    def replace(self, days: int, access_days: int, archive_days: int | None) -> None:
        self.days, self.access_days, self.archive_days = days, access_days, archive_days
        said = {"days": days, "access_days": access_days, "archive_days": archive_days}
        self.record(events.AuditRetentionChanged(policy_id=self.id, **said))


class Archive(Aggregate, Base):
    """Records in a row whose contents are kept as one object, outside the database, or are about to be."""

    __tablename__ = "archive"
    __table_args__ = (UniqueConstraint("tenant_id", "number"), UniqueConstraint("tenant_id", "begin"))

    number: Mapped[int]
    begin: Mapped[int]
    """The position of its first record."""
    end: Mapped[int]
    """That of the first record after it."""
    head_id: Mapped[UUID]
    """The head that it is proven by."""
    newest_at: Mapped[datetime]
    """When the newest of its records happened."""
    kept_until: Mapped[datetime]
    sealed_at: Mapped[datetime | None]
    sha256: Mapped[str | None]
    size: Mapped[int | None]
    store_version: Mapped[str | None]
    """Which version of the object it is, where the store counts them."""
    locked: Mapped[bool]
    held: Mapped[bool]
    """Whether the store has it under a legal hold."""
    restored_until: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]

    @property
    def key(self) -> str:
        """Where it is in the store: noted here before it is put there, so that it is put once."""
        return f"archives/{self.tenant_id}/{self.number:010d}"

    @classmethod
    def start(cls, number: int, begin: int, end: int, head_id: UUID, newest_at: datetime, kept_until: datetime) -> Self:
        archive = cls(id=uuid7(), number=number, begin=begin, end=end, head_id=head_id, locked=False, held=False)
        archive.newest_at, archive.kept_until = newest_at, kept_until
        archive.record(events.AuditArchiveBegun(archive_id=archive.id, number=number, begin=begin, end=end))
        return archive

    def seal(self, sha256: str, size: int, version: str | None, locked: bool, now: datetime) -> None:
        self.sealed_at, self.sha256, self.size, self.store_version, self.locked = now, sha256, size, version, locked
        said = {"number": self.number, "kept_until": self.kept_until, "locked": locked}
        self.record(events.AuditArchived(archive_id=self.id, sha256=sha256, size=size, **said))

    def hold(self, held: bool) -> None:
        """Note that the store keeps it whatever its time, or does no more."""
        self.held = held
        self.record(events.AuditArchiveHoldChanged(archive_id=self.id, held=held))

    def ensure_there(self) -> None:
        """Raises NotInTheArchive."""
        if self.sealed_at is None or self.deleted_at is not None:
            raise NotInTheArchive("It is not there yet." if self.sealed_at is None else "Its time was over.")

    def restore(self, until: datetime) -> None:
        self.restored_until = until
        self.record(events.AuditArchiveRestored(archive_id=self.id, restored_until=until))

    def delete(self, now: datetime) -> None:
        self.deleted_at = now
        self.record(events.AuditArchiveDeleted(archive_id=self.id))


class Hold(Aggregate, Base):
    """Contents that are kept whatever the retention says."""

    __tablename__ = "hold"

    reason: Mapped[str]
    document_id: Mapped[UUID | None]
    """Those of one document; of all, when it names none."""
    released_at: Mapped[datetime | None]
    release_reason: Mapped[str | None]

    @classmethod
    def place(cls, reason: str, document_id: UUID | None) -> Self:
        hold = cls(id=uuid7(), reason=reason, document_id=document_id)
        hold.record(events.AuditHoldPlaced(hold_id=hold.id, reason=reason, document_id=document_id))
        return hold

    def release(self, reason: str, now: datetime) -> None:
        """Raises HoldReleased."""
        if self.released_at is not None:
            raise HoldReleased("It was released before.")
        self.released_at, self.release_reason = now, reason
        self.record(events.AuditHoldReleased(hold_id=self.id, reason=reason))
