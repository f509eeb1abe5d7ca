"""Events of approvals, on `approval.events`: how a document that its owner submitted was decided.

The owner of a document records `<document>.submitted` with an `ApprovalSubject`. It acts on an answer only while the hash in it is still that of its
document, so an approval is good for exactly what was shown to those who gave it. A change voids it.
"""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from tailrace.core.events import Event
from tailrace.core.money import Currency, Minor


class ApprovalSubject(BaseModel):
    """What is to be approved: a document of some kind, as it was when it was submitted."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    kind: str
    """What it is, such as `quote`: a process is chosen by it."""
    id: UUID
    """The document's own id."""
    number: str
    """What people know it by."""
    sha256: str
    """The hash of the canonical document (RFC 8785), in hexadecimal."""
    amount: Minor
    """What it comes to, in minor units."""
    currency: Currency
    requester_id: UUID | None = None
    """Who submitted it, a user."""
    attributes: dict[str, str] = {}
    """What a matrix of approvals may ask for besides, by name."""


class ApprovalEvent(Event):
    topic: ClassVar[str] = "approval.events"

    approval_id: UUID
    subject: ApprovalSubject


class ApprovalRequested(ApprovalEvent):
    """The tenant's process for this kind of document has begun."""

    type: ClassVar[str] = "approval.requested"


class ApprovalApproved(ApprovalEvent):
    """The document may take effect as it was submitted."""

    type: ClassVar[str] = "approval.approved"

    decided_by: UUID | None = None


class ApprovalRejected(ApprovalEvent):
    """The document may not take effect as it was submitted.

    `then`: it goes back to be changed (`return`), its process begins again without it being changed (`restart`), or it is over (`fail`).
    """

    type: ClassVar[str] = "approval.rejected"

    decided_by: UUID | None = None
    reason: str
    then: Literal["return", "restart", "fail"] = "return"


class ApprovalRecalled(ApprovalEvent):
    """The requester does not want it decided any more."""

    type: ClassVar[str] = "approval.recalled"

    reason: str | None = None


class ApprovalVoided(ApprovalEvent):
    """It counts no more: the document was changed, or what it was decided by."""

    type: ClassVar[str] = "approval.voided"

    reason: str | None = None


ANSWERS: tuple[type[ApprovalEvent], ...] = (ApprovalApproved, ApprovalRejected, ApprovalRecalled, ApprovalVoided)
PUBLISHED: tuple[type[ApprovalEvent], ...] = (ApprovalRequested, *ANSWERS)
