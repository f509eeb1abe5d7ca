"""Events of approvals, on `approval.events`: how a document that its owner submitted was decided.

The owner of a document records `<document>.submitted`, a `Submission` with an `ApprovalSubject`. It acts on an answer only while the hash in it is
still that of its document, so an approval is good for exactly what was shown to those who gave it. A change voids it: the owner says so with a
`Withdrawal`. `contracts.submissions` lists both, and what decides hears whatever stands there.
"""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from tailrace.core.events import Event
from tailrace.core.values.money import Currency, Minor


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


class Submission(Event):
    """A document waits for an approval of `subject`. Mixed into the event by which its owner says so."""

    subject: ApprovalSubject


class Withdrawal(Event):
    """A document is not as it was submitted any more, or not wanted: an approval of it, asked for or given, counts no more."""

    withdraws: ClassVar[tuple[str, str]]
    """The kind of the subject, and the field that has its id."""

    @property
    def withdrawn(self) -> tuple[str, UUID]:
        """The kind and the id of what is withdrawn."""
        kind, field = self.withdraws
        return kind, getattr(self, field)


Decision = Literal["approved", "rejected"]
Then = Literal["return", "restart", "fail"]
"""What becomes of what was rejected: it goes back to be changed, its process begins again without it being changed, or it is over."""


class ApprovalEvent(Event):
    topic: ClassVar[str] = "approval.events"
    publisher: ClassVar[str] = "workflow"

    approval_id: UUID
    subject: ApprovalSubject


class ApprovalRequested(ApprovalEvent):
    """The tenant's process for this kind of document has begun; `round` counts how often."""

    type: ClassVar[str] = "approval.requested"

    process: str | None = None
    """The key of the process, and which version of it; null where the company's template says that nobody is asked."""
    process_version: int | None = None
    process_note: str | None = None
    """Why it is this process, where the template names another."""
    round: int = 1
    roles: list[str] = []
    """The roles that this version of the process names, or who asked: any of them may come to be asked."""


class ApprovalUpdated(ApprovalEvent):
    """A free approval is about something else now: whatever was said of it counts no more, and its process begins again."""

    type: ClassVar[str] = "approval.updated"


class ApprovalMoved(ApprovalEvent):
    """It goes on with another version of its process, from where it is."""

    type: ClassVar[str] = "approval.moved"

    process_version: int
    roles: list[str]
    """The roles that this version names, or who asked: any of them may come to be asked."""


class ApprovalAssigned(ApprovalEvent):
    """A step waits for people, or for others than before: any of `user_ids`, and any who has one of the `roles`."""

    type: ClassVar[str] = "approval.assigned"

    task_id: UUID
    step: str
    """What the process calls it."""
    user_ids: list[UUID] = []
    roles: list[str] = []
    due_at: datetime | None = None
    because: str | None = None


class ApprovalClaimed(ApprovalEvent):
    """Somebody took a step on, so that others leave it alone."""

    type: ClassVar[str] = "approval.claimed"

    task_id: UUID
    user_id: UUID


class ApprovalReleased(ApprovalEvent):
    """The one who had taken a step on gives it back."""

    type: ClassVar[str] = "approval.released"

    task_id: UUID
    user_id: UUID


class ApprovalEndorsed(ApprovalEvent):
    """One of those whom a step waits for said what they think of it."""

    type: ClassVar[str] = "approval.endorsed"

    task_id: UUID
    step: str
    user_id: UUID
    on_behalf_of: UUID | None = None
    decision: Decision
    reason: str | None = None


class ApprovalStepCancelled(ApprovalEvent):
    """The process went on without a step being decided: it waits for nobody any more."""

    type: ClassVar[str] = "approval.step.cancelled"

    task_id: UUID
    step: str


class ApprovalCommented(ApprovalEvent):
    """Somebody said something about it."""

    type: ClassVar[str] = "approval.commented"

    comment_id: UUID
    user_id: UUID


class ApprovalEscalated(ApprovalEvent):
    """A step was not decided when it was due: others may decide it too."""

    type: ClassVar[str] = "approval.escalated"

    task_id: UUID
    step: str
    user_ids: list[UUID] = []
    roles: list[str] = []


class ApprovalApproved(ApprovalEvent):
    """The document may take effect as it was submitted."""

    type: ClassVar[str] = "approval.approved"

    decided_by: UUID | None = None
    """Who had the last word; null when the process needed nobody's."""
    reason: str | None = None
    """Why nobody was asked, where the company's template says so."""


class ApprovalRejected(ApprovalEvent):
    """The document may not take effect as it was submitted.

    `then`: it goes back to be changed (`return`), its process begins again without it being changed (`restart`), or it is over (`fail`).
    """

    type: ClassVar[str] = "approval.rejected"

    decided_by: UUID | None = None
    reason: str
    then: Then = "return"


class ApprovalRecalled(ApprovalEvent):
    """The requester does not want it decided any more."""

    type: ClassVar[str] = "approval.recalled"

    reason: str | None = None


class ApprovalVoided(ApprovalEvent):
    """It counts no more: the document was changed, or what it was decided by."""

    type: ClassVar[str] = "approval.voided"

    reason: str | None = None


NoApproval = ApprovalRejected | ApprovalRecalled | ApprovalVoided


class DelegationEvent(Event):
    topic: ClassVar[str] = "approval.events"
    publisher: ClassVar[str] = "workflow"

    delegation_id: UUID
    user_id: UUID
    """Whose decisions are meant."""
    to_user_id: UUID
    """Who may take them in their place."""


class DelegationCreated(DelegationEvent):
    """From one moment until another, somebody decides in another's place."""

    type: ClassVar[str] = "approval.delegation.created"

    begins_at: datetime
    ends_at: datetime


class DelegationEnded(DelegationEvent):
    """It was ended before its time."""

    type: ClassVar[str] = "approval.delegation.ended"


class ProcessEvent(Event):
    topic: ClassVar[str] = "approval.events"
    publisher: ClassVar[str] = "workflow"

    process_id: UUID
    key: str


class ProcessDeployed(ProcessEvent):
    """There is a new version of a process; what began with an older one goes on with that."""

    type: ClassVar[str] = "approval.process.deployed"

    version_number: int


class ProcessActivated(ProcessEvent):
    """From now on, documents of these kinds begin with this version of the process; `*` is any kind that has none of its own."""

    type: ClassVar[str] = "approval.process.activated"

    version_number: int
    kinds: list[str]
    roles: list[str] = []
    """The roles that this version names."""


ANSWERS: tuple[type[ApprovalEvent], ...] = (ApprovalApproved, ApprovalRejected, ApprovalRecalled, ApprovalVoided)
PUBLISHED: tuple[type[Event], ...] = (
    ApprovalRequested,
    ApprovalUpdated,
    ApprovalMoved,
    ApprovalAssigned,
    ApprovalClaimed,
    ApprovalReleased,
    ApprovalEndorsed,
    ApprovalStepCancelled,
    ApprovalCommented,
    ApprovalEscalated,
    *ANSWERS,
    DelegationCreated,
    DelegationEnded,
    ProcessDeployed,
    ProcessActivated,
)
