"""Events of audit, on `audit.events`: what was signed of a company's audit log, and how long it is kept."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from tailrace.core.events import Event


class AuditEvent(Event):
    topic: ClassVar[str] = "audit.events"


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


PUBLISHED: tuple[type[AuditEvent], ...] = (
    AuditHeadSigned,
    AuditRetentionChanged,
    AuditHoldPlaced,
    AuditHoldReleased,
)
