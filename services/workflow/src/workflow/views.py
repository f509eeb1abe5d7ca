"""What is shown of approvals, delegations, processes and what runs by them. Amounts are in minor units of the currency beside them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import field_validator

from contracts.approvals import Decision, Then
from tailrace.core.values.money import Currency, Minor
from tailrace.http.routing import ResourceView, View
from workflow.dry_runs import End
from workflow.models import InstanceStatus, TaskStatus
from workflow.states import Status


class VoteView(View):
    """What somebody said of a step."""

    id: UUID
    """Made when it was said, a UUIDv7."""
    user_id: UUID
    """Who said it."""
    on_behalf_of: UUID | None
    """In whose place; null for themselves."""
    decision: Decision
    """Yes or no."""
    reason: str | None
    """Why, where it was said."""
    at: datetime
    """When, in UTC."""


class ApprovalTaskView(View):
    """A step that waits for people, or did."""

    id: UUID
    """By which a decision or a claim names it."""
    name: str
    """What the process calls it."""
    round: int
    """Which time of the process it belongs to."""
    status: TaskStatus
    """What became of it so far."""
    mode: str
    """How many of them have to agree: `any`, `all`, or so many, such as `quorum:2`."""
    users: list[UUID]
    """Who is asked, by id."""
    roles: list[str]
    """Those of these roles are asked too."""
    reason_needed: bool
    """Whether who approves has to say why."""
    due_at: datetime
    """When others are asked besides, in UTC."""
    escalated_at: datetime | None
    """When others were asked besides, in UTC; null before that."""
    claimed_by: UUID | None
    """Who took it on."""
    votes: list[VoteView]
    """What was said of it."""


class ApprovalSummary(ResourceView):
    """An approval as lists show it, without its steps."""

    number: str
    """What people know the document by."""
    kind: str
    """What it is; `free` for what a person asked for without a document."""
    document_id: UUID
    """The document's own id; of a free approval, this one's."""
    title: str | None
    """What a free approval is about."""
    amount: Minor
    """What it comes to."""
    currency: Currency
    """What the amount is in, an ISO 4217 code."""
    requester_id: UUID | None
    """Who asked for it."""
    status: Status
    """What became of it so far."""
    round: int
    """How often its process began."""
    due_at: datetime
    """When the next open step is due, in UTC; without one, when it was asked for."""
    decided_at: datetime | None
    """When it ended, in UTC; null before that."""
    decided_by: UUID | None
    """Who had the last word; null where nobody was asked."""


class ApprovalView(ApprovalSummary):
    """An approval with its steps."""

    sha256: str
    """The hash of the document that it is good for."""
    attributes: dict[str, str]
    """What a matrix may ask for besides, by name."""
    text: str | None
    """What those who decide should know."""
    reason: str | None
    """Why it ended, or began again, where that was said."""
    then: Then | None
    """What becomes of a document that was rejected."""
    process: str | None
    """The key of the process that it began with; null where the company's template says that nobody is asked."""
    process_version: int | None
    """The version of the process that it began with."""
    process_note: str | None
    """Why it is this process, where the template names another, which is not there or not active."""
    tasks: list[ApprovalTaskView]
    """Its steps so far."""


class ApprovalCommentView(View):
    """What somebody had to say."""

    id: UUID
    """Made when it was said, a UUIDv7."""
    user_id: UUID
    """Who said it."""
    text: str
    """What they said."""
    at: datetime
    """When, in UTC."""


class RefusalView(View):
    """Why one of several was not approved."""

    id: UUID
    """Which approval."""
    type: str
    """The name of the problem, a URN."""
    detail: str
    """What is wrong, for people to read."""


class ManyView(View):
    """What became of several approvals."""

    approved: list[UUID]
    """Where the caller's yes counts."""
    refused: list[RefusalView]
    """The others, and why."""


class DelegationView(ResourceView):
    """From when until when another decides in somebody's place."""

    user_id: UUID
    """Whose decisions are meant."""
    to_user_id: UUID
    """Who decides in their place."""
    begins_at: datetime
    """From when on, in UTC."""
    ends_at: datetime
    """Until when, in UTC."""
    reason: str | None
    """Why."""
    ended: bool
    """Whether it was ended before its time."""


class ProcessView(ResourceView):
    """A process."""

    key: str
    """What it is known by."""
    name: str
    """What people call it."""
    kinds: list[str]
    """The kinds of documents that begin with it; `*` is any that has no process of its own."""
    active: int
    """The version that they begin with; 0 for none as yet."""
    latest: int
    """The newest version."""


class ProcessElementView(View):
    """An element of a BPMN file."""

    id: str
    """As the file has it."""
    kind: str
    """Its name in BPMN, such as `userTask`."""
    name: str | None
    """What the file calls it."""
    runs: bool
    """Whether it runs here."""
    why: str | None
    """Why not, or what to know about it."""


class ProcessVersionView(View):
    """A version of a process. It never changes."""

    id: UUID
    """Made when it was deployed, a UUIDv7."""
    number: int
    """Which one, from 1."""
    decisions: list[str]
    """The decisions that it brings, by name."""
    elements: list[ProcessElementView]
    """What its file holds."""

    @field_validator("decisions", mode="before")
    @classmethod
    def _names(cls, decisions: Any) -> Any:
        return sorted(decisions)


class ProcessVersionSummary(View):
    """A version of a process, as lists show it."""

    id: UUID
    """Made when it was deployed, a UUIDv7."""
    number: int
    """Which one, from 1."""


class MatrixRuleView(View):
    """A row of a matrix."""

    when: dict[str, str]
    """Unary tests of DMN by the name of an input."""
    then: dict[str, str | int | bool]
    """What applies then, by the name of an output."""


class MatrixView(View):
    """A matrix as JSON."""

    name: str
    """What its file calls it."""
    inputs: list[str]
    """What its rules ask of a document."""
    rules: list[MatrixRuleView]
    """Each that applies counts."""


class InstanceView(View):
    """Where an approval is in its process."""

    id: UUID
    """The approval's."""
    process_id: UUID
    """The process that it runs by."""
    number: int
    """The version of it."""
    status: InstanceStatus
    """Whether it waits, stands still because something went wrong, or how it ended."""
    incident: str | None
    """What went wrong."""
    began_at: datetime
    """When it began, in UTC; the last time, where it began again."""


class ObstacleView(View):
    """Why an instance cannot move to another version."""

    instance_id: UUID
    """The one that would stay where it is."""
    element_id: str
    """Where it is."""
    why: str
    """What would be lost."""


class MigrationCheckView(View):
    """What a migration would do: looked at are the first 200 instances."""

    would_move: int
    """How many nothing is in the way of."""
    obstacles: list[ObstacleView]
    """What is in the way of the others."""


class OutcomeView(View):
    """What a process makes of a document, when everybody who is asked agrees."""

    end: End
    """How it ends; `waiting` where it needs more than people."""
    automatic: bool
    """Whether nobody is asked."""
    steps: list[list[str]]
    """Who is asked, step by step, such as `any of role:manager`; those of one step side by side."""
    why: str | None
    """What goes wrong, where something does."""


class DryRunView(View):
    """A matrix that was tried."""

    id: UUID
    """The job's."""
    process_id: UUID
    """The process that it was tried with."""
    number: int
    """The version that it is compared with."""
    since: datetime | None
    """Documents from then on, in UTC; null for all."""
    asked_at: datetime
    """When it was asked for, in UTC."""
    documents: int
    """How many were tried so far."""
    changes: int
    """How many of them would be treated otherwise."""


class DryRunChangeView(View):
    """A document that the matrix would treat otherwise."""

    id: UUID
    """Of this line, a UUIDv7."""
    approval_id: UUID
    """The approval that was asked for then."""
    kind: str
    """What the document is."""
    number: str
    """What people know it by."""
    amount: Minor
    """What it comes to."""
    currency: Currency
    """What the amount is in, an ISO 4217 code."""
    before: OutcomeView
    """As the active version has it."""
    after: OutcomeView
    """As the tried matrix has it."""
