"""Events of audit, on `audit.events`: what was signed of a company's audit log, how long it is kept, and where."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from tailrace.core.events import Event


class AuditEvent(Event):
    topic: ClassVar[str] = "audit.events"
    publisher: ClassVar[str] = "audit"


class AuditHeadSigned(AuditEvent):
    """The log of a company was signed as it is now: this, kept, proves later what it held."""

    type: ClassVar[str] = "audit.head_signed"

    log_id: UUID
    number: int
    """Counts the heads of the company from 1."""
    size: int
    """Records that it covers."""
    root: str
    """Of the Merkle tree over them (RFC 9162), in hexadecimal."""
    documents: int
    """Documents that they are about."""
    documents_root: str
    """Of the tree over the newest record of each document, in hexadecimal."""
    signed_at: datetime
    key_id: str
    signature: str
    """Of Ed25519, in hexadecimal."""


class AuditRetentionChanged(AuditEvent):
    """Contents of the log are kept for another time from now on. What was hashed and signed stays in any case."""

    type: ClassVar[str] = "audit.retention_changed"

    policy_id: UUID
    days: int
    access_days: int
    """Of accesses to the gateway."""
    archive_days: int | None = None
    """After how many contents go into the archive; never, when there is none."""


class AuditHoldPlaced(AuditEvent):
    """Contents that a dispute is about are kept whatever the retention says, until the hold is released."""

    type: ClassVar[str] = "audit.hold_placed"

    hold_id: UUID
    reason: str
    document_id: UUID | None = None
    """The document whose contents are kept; those of all, when there is none."""


class AuditHoldReleased(AuditEvent):
    """A hold is over; retention holds again."""

    type: ClassVar[str] = "audit.hold_released"

    hold_id: UUID
    reason: str


class AuditArchiveBegun(AuditEvent):
    """Records that are old enough are about to be kept as one object, outside the database."""

    type: ClassVar[str] = "audit.archive_begun"

    archive_id: UUID
    number: int
    """Counts the archives of the company from 1."""
    begin: int
    """The position of its first record."""
    end: int
    """That of the first record after it."""


class AuditArchived(AuditEvent):
    """An archive is in the store. Its hash, here, is in the log itself and so under its next head."""

    type: ClassVar[str] = "audit.archived"

    archive_id: UUID
    number: int
    sha256: str
    """Of the object, in hexadecimal."""
    size: int
    """Of the object, in bytes."""
    kept_until: datetime
    """Before then it is not deleted."""
    locked: bool
    """Whether the store has said that it refuses to delete it before then."""


class AuditArchiveHoldChanged(AuditEvent):
    """A hold on what an archive keeps was placed or released, and the store follows: beside the time, nothing more or again keeps the object."""

    type: ClassVar[str] = "audit.archive_hold_changed"

    archive_id: UUID
    held: bool
    """Whether the store refuses to delete it for as long as the hold lasts, whatever its time."""


class AuditArchiveRestored(AuditEvent):
    """What an archive keeps is in the database too, for a while."""

    type: ClassVar[str] = "audit.archive_restored"

    archive_id: UUID
    restored_until: datetime


class AuditArchiveDeleted(AuditEvent):
    """The time of an archive was over, and no hold kept it."""

    type: ClassVar[str] = "audit.archive_deleted"

    archive_id: UUID


PUBLISHED: tuple[type[AuditEvent], ...] = (
    AuditHeadSigned,
    AuditRetentionChanged,
    AuditHoldPlaced,
    AuditHoldReleased,
    AuditArchiveBegun,
    AuditArchived,
    AuditArchiveHoldChanged,
    AuditArchiveRestored,
    AuditArchiveDeleted,
)
