"""An approval: a document as it was submitted, the steps of its process that wait for people, what they said, and how it ended.

Each change is a method that refuses, or records an event. What runs the process stands in `Instance`, which no event describes.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from contracts import approvals as events
from contracts.approvals import ApprovalSubject, Decision, Then
from tailrace.core.ids import uuid7
from tailrace.db.keys import refers_to, tenant_index
from tailrace.db.models import Aggregate, Part, TenantRow
from tailrace.db.visibility import Narrowed, Owned
from workflow.base import Base
from workflow.rules import Requirement, Said
from workflow.seeing import seen_by, seen_with_its_approval
from workflow.states import STATES, Status

FREE = "free"
"""The kind of what a person asks for without any document of a service's."""
TaskStatus = Literal["open", "approved", "rejected", "cancelled"]
InstanceStatus = Literal["waiting", "incident", "finished", "cancelled"]


class Approval(Aggregate, Owned, Base):
    __tablename__ = "approval"
    owned_by = "requester_id"
    __table_args__ = (
        tenant_index("kind", "document_id"),
        tenant_index("requester_id", "id"),
        tenant_index("status", "due_at", "id"),
    )

    number: Mapped[str]
    kind: Mapped[str]
    document_id: Mapped[UUID]
    sha256: Mapped[str]
    amount: Mapped[int]
    currency: Mapped[str]
    requester_id: Mapped[UUID | None]
    attributes: Mapped[dict[str, Any]]
    title: Mapped[str | None]
    """What a free approval is about."""
    text: Mapped[str | None]
    named: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    """The steps that the requester of a free approval names, in place of a matrix: rows as a matrix has them."""
    status: Mapped[Status]
    reason: Mapped[str | None]
    consequence: Mapped[Then | None]
    """What becomes of a document that was rejected; `then` is a word of SQL."""
    round: Mapped[int]
    """How often its process began."""
    process: Mapped[str | None]
    """Its key; None where the company's template says that nobody is asked."""
    process_version: Mapped[int | None]
    process_note: Mapped[str | None]
    """Why it is this process, where the template names another."""
    due_at: Mapped[datetime]
    """When the next of its open steps is due; when none is, the time of the request."""
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]
    tasks: Mapped[list["Task"]] = relationship(
        back_populates="approval", cascade="all, delete-orphan", lazy="selectin", order_by="Task.id"
    )

    @classmethod
    def owned_within(cls, owners: frozenset[UUID]) -> ColumnElement[bool]:
        return seen_by(cls, owners)

    @property
    def subject(self) -> ApprovalSubject:
        return ApprovalSubject(
            kind=self.kind,
            id=self.document_id,
            number=self.number,
            sha256=self.sha256,
            amount=self.amount,
            currency=self.currency,
            requester_id=self.requester_id,
            attributes=self.attributes,
        )

    @property
    def then(self) -> Then | None:
        return self.consequence

    @property
    def open_tasks(self) -> Sequence["Task"]:
        return [task for task in self.tasks if task.status == "open"]

    @property
    def votes(self) -> Sequence["Vote"]:
        """Of this round."""
        return [vote for task in self.tasks if task.round == self.round for vote in task.votes]

    @classmethod
    def requested(
        cls,
        id: UUID,
        subject: ApprovalSubject,
        process: str | None,
        version: int | None,
        at: datetime,
        note: str | None = None,
        roles: Sequence[str] = (),
    ) -> "Approval":
        """`roles` are those that the version names, and who asked."""
        approval = cls(
            id=id,
            number=subject.number,
            kind=subject.kind,
            document_id=subject.id,
            sha256=subject.sha256,
            amount=subject.amount,
            currency=subject.currency,
            requester_id=subject.requester_id,
            attributes=dict(subject.attributes),
            status="pending",
            round=1,
            process=process,
            process_version=version,
            process_note=note,
            due_at=at,
        )
        approval.record(events.ApprovalRequested(**approval._which(), **approval._process(), roles=roles))
        return approval

    def after(self, step: str) -> Status:
        """The status that a step leads to. Raises NotInThisState."""
        return STATES.after(self.status, step, self.number)

    # While it is pending.

    def assign(
        self, engine_task: str, element: str, name: str, said: Requirement, to: "People", due: datetime
    ) -> "Task":
        """Let a step wait for people until it is due."""
        task = Task(
            id=uuid7(),
            engine_task=engine_task,
            element_id=element,
            name=said.name or name,
            round=self.round,
            status="open",
            mode=said.mode,
            users=sorted(map(str, to.users)),
            roles=sorted(to.roles),
            escalate=said.escalate,
            reason_needed=said.reason,
            repeatable=said.repeat,
            due_at=due,
            votes=[],
        )
        self.tasks.append(task)
        self.mind_due()
        self._tell_assigned(task)
        return task

    def reassign(self, task: "Task", to: "People", because: str) -> None:
        """Let an open step wait for others; who had taken it on has it no more."""
        self.after("decided")
        task.users, task.roles, task.claimed_by = sorted(map(str, to.users)), sorted(to.roles), None
        self._tell_assigned(task, because)

    def claim(self, task: "Task", user_id: UUID) -> None:
        task.claimed_by = user_id
        self.record(events.ApprovalClaimed(**self._which(), task_id=task.id, user_id=user_id))

    def release(self, task: "Task") -> None:
        """Give it back. Records nothing when nobody had it."""
        if task.claimed_by is not None:
            user_id, task.claimed_by = task.claimed_by, None
            self.record(events.ApprovalReleased(**self._which(), task_id=task.id, user_id=user_id))

    def endorse(self, task: "Task", vote: "Vote") -> None:
        """Note what somebody says of a step."""
        self.after("decided")
        task.votes.append(vote)
        self.record(
            events.ApprovalEndorsed(
                **self._which(),
                task_id=task.id,
                step=task.name,
                user_id=vote.user_id,
                on_behalf_of=vote.on_behalf_of,
                decision=vote.decision,
                reason=vote.reason,
            )
        )

    def mind_due(self) -> None:
        """Note when the next of the open steps is due, if there is one."""
        self.due_at = min((task.due_at for task in self.open_tasks), default=self.due_at)

    def pass_over(self, task: "Task") -> None:
        """The process went on without this step."""
        task.status = "cancelled"
        self.record(events.ApprovalStepCancelled(**self._which(), task_id=task.id, step=task.name))

    def escalate(self, task: "Task", to: "People", at: datetime) -> None:
        """Let others decide a step too, which is due; who had taken it on has it no more, or those others could not."""
        self.release(task)
        task.escalated_at = at
        task.users = sorted({*task.users, *map(str, to.users)})
        task.roles = sorted({*task.roles, *to.roles})
        said = {"user_ids": sorted(to.users), "roles": sorted(to.roles)}
        self.record(events.ApprovalEscalated(**self._which(), task_id=task.id, step=task.name, **said))

    def comment(self, user_id: UUID, text: str, at: datetime) -> "Comment":
        comment = Comment(id=uuid7(), approval=self, user_id=user_id, text=text, at=at)
        self.record(events.ApprovalCommented(**self._which(), comment_id=comment.id, user_id=user_id))
        return comment

    def change(self, sha256: str, said: dict[str, Any], roles: Sequence[str], at: datetime) -> None:
        """Ask for something else: what was said so far counts no more."""
        self.after("changed")
        self.sha256 = sha256
        self.update_from(said)
        self.round += 1
        self.due_at = at
        self._cancel_tasks()
        self.record(events.ApprovalUpdated(**self._which()))
        self.record(events.ApprovalRequested(**self._which(), **self._process(), roles=roles))

    # How it ends.

    def approve(self, by: UUID | None, at: datetime, reason: str | None = None) -> None:
        self._end("approved", at, by, reason)
        self.record(events.ApprovalApproved(**self._which(), decided_by=by, reason=reason))

    def reject(self, by: UUID | None, reason: str, then: Then, at: datetime) -> None:
        """Raises NotInThisState. With `restart` it is pending again, in its next round."""
        if then == "restart":
            self.after("restarted")
            self._cancel_tasks()
            self.reason, self.round, self.due_at = reason, self.round + 1, at
        else:
            self._end("rejected", at, by, reason)
            self.consequence = then
        self.record(events.ApprovalRejected(**self._which(), decided_by=by, reason=reason, then=then))

    def begin_again(self, version: int, roles: Sequence[str]) -> None:
        """The process begins again, with this version."""
        self.process_version = version
        self.record(events.ApprovalRequested(**self._which(), **self._process(), roles=roles))

    def move(self, version: int, roles: Sequence[str]) -> None:
        """It goes on with this version of its process."""
        self.process_version = version
        self.record(events.ApprovalMoved(**self._which(), process_version=version, roles=roles))

    def recall(self, reason: str | None, by: UUID, at: datetime) -> None:
        self._end("recalled", at, by, reason)
        self.record(events.ApprovalRecalled(**self._which(), reason=reason))

    def void(self, reason: str, at: datetime) -> None:
        self._end("voided", at, None, reason)
        self.record(events.ApprovalVoided(**self._which(), reason=reason))

    def _end(self, step: str, at: datetime, by: UUID | None, reason: str | None = None) -> None:
        self.status = self.after(step)
        self.decided_at, self.decided_by, self.reason = at, by, reason
        self._cancel_tasks()

    def _cancel_tasks(self) -> None:
        for task in self.open_tasks:
            task.status = "cancelled"

    def _tell_assigned(self, task: "Task", because: str | None = None) -> None:
        self.record(
            events.ApprovalAssigned(
                **self._which(),
                task_id=task.id,
                step=task.name,
                user_ids=[UUID(one) for one in task.users],
                roles=task.roles,
                due_at=task.due_at,
                because=because,
            )
        )

    def _which(self) -> dict[str, Any]:
        return {"approval_id": self.id, "subject": self.subject}

    def _process(self) -> dict[str, Any]:
        which = {"process": self.process, "process_version": self.process_version, "process_note": self.process_note}
        return {**which, "round": self.round}


class People:
    """Users by id, and all who have one of some roles."""

    def __init__(self, users: Collection[UUID] = (), roles: Collection[str] = ()) -> None:
        self.users, self.roles = frozenset(users), frozenset(roles)

    def __bool__(self) -> bool:
        return bool(self.users or self.roles)


class Task(Part, Base):
    """A step that waits for people: one requirement."""

    __tablename__ = "task"
    __root__ = "approval"
    __table_args__ = (
        refers_to("approval", "approval_id"),
        tenant_index("approval_id"),
        tenant_index("status", "id", where="status = 'open'"),
    )

    approval_id: Mapped[UUID]
    engine_task: Mapped[str]
    """What the engine calls it; several requirements of one step have the same."""
    element_id: Mapped[str]
    name: Mapped[str]
    round: Mapped[int]
    status: Mapped[TaskStatus]
    mode: Mapped[str]
    users: Mapped[list[Any]]
    roles: Mapped[list[Any]]
    escalate: Mapped[str | None]
    reason_needed: Mapped[bool]
    repeatable: Mapped[bool]
    due_at: Mapped[datetime]
    escalated_at: Mapped[datetime | None]
    claimed_by: Mapped[UUID | None]
    approval: Mapped[Approval] = relationship(back_populates="tasks")
    votes: Mapped[list["Vote"]] = relationship(
        back_populates="task", cascade="all, delete-orphan", lazy="selectin", order_by="Vote.id"
    )

    @property
    def people(self) -> People:
        return People([UUID(one) for one in self.users], self.roles)

    @property
    def said(self) -> list[Said]:
        return [Said(vote.on_behalf_of or vote.user_id, vote.decision) for vote in self.votes]


class Vote(Part, Base):
    """What somebody said of a step, for themselves or in another's place."""

    __tablename__ = "vote"
    __root__ = "task"
    __table_args__ = (refers_to("task", "task_id"), tenant_index("task_id"), tenant_index("user_id"))

    task_id: Mapped[UUID]
    user_id: Mapped[UUID]
    on_behalf_of: Mapped[UUID | None]
    decision: Mapped[Decision]
    reason: Mapped[str | None]
    consequence: Mapped[Then | None]
    at: Mapped[datetime]
    task: Mapped[Task] = relationship(back_populates="votes")


class Comment(Part, Base):
    __tablename__ = "comment"
    __root__ = "approval"
    __table_args__ = (refers_to("approval", "approval_id"), tenant_index("approval_id", "id"))

    approval_id: Mapped[UUID]
    user_id: Mapped[UUID]
    text: Mapped[str]
    at: Mapped[datetime]
    approval: Mapped[Approval] = relationship()


class Instance(TenantRow, Narrowed, Base):
    """Where an approval is in its process, under the approval's id."""

    __tablename__ = "instance"
    __table_args__ = (tenant_index("process_id", "status", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    process_id: Mapped[UUID]
    number: Mapped[int]
    """The version of the process."""
    status: Mapped[InstanceStatus]
    state: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """As the engine has it; None before it began."""
    incident: Mapped[str | None]
    began_at: Mapped[datetime]

    @classmethod
    def owned_within(cls, owners: frozenset[UUID]) -> ColumnElement[bool]:
        return seen_with_its_approval(cls.id, owners)
