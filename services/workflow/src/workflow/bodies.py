"""What a client may say about approvals, delegations and processes."""

from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, StringConstraints, field_validator, model_validator

from contracts.approvals import Then
from tailrace.core.values.fields import Amount, MomentOrDay, Name, Note, Sentence, Text, XmlText
from tailrace.core.values.meaning import Means
from tailrace.core.values.money import Currency
from tailrace.core.values.wire import WireModel, WrongFields
from tailrace.http.routing import Body
from workflow import matrix
from workflow.rules import MOST_STEPS, approver_groups, duration

Approvers = Annotated[
    str,
    StringConstraints(min_length=1, max_length=400),
    Field(examples=["superior|role:manager"]),
    Means("Who: `role:manager`, `user:<id>`, `superior`, several with commas; after `|` in whose absence others."),
]
Mode = Annotated[
    str,
    StringConstraints(pattern="^(any|all|quorum:[1-9][0-9]?)$"),
    Field(examples=["any"]),
    Means("How many of them: `any`, `all`, or so many: `quorum:2`."),
]
Duration = Annotated[
    str,
    StringConstraints(pattern="^P[0-9WDTHMS]{1,30}$"),
    Field(examples=["P3D"]),
    Means("An ISO 8601 duration in weeks, days, hours, minutes and seconds."),
]
Key = Annotated[
    str,
    StringConstraints(pattern="^[a-z][a-z0-9-]{0,63}$"),
    Field(examples=["approval"]),
    Means("What a process is known by: lower case, digits and hyphens."),
]
Kind = Annotated[
    str,
    StringConstraints(pattern="^([a-z][a-z0-9_]{0,63}|[*])$"),
    Field(examples=["quote"]),
    Means("A kind of document; `*` is any that has no process of its own."),
]
_CLOSED = Field(json_schema_extra={"additionalProperties": False})
"""Of a map: no names but those of the pattern."""
_NAME = StringConstraints(pattern="^[A-Za-z_][A-Za-z0-9_]{0,63}$")
AttributeName = Annotated[str, _NAME, Means("What a matrix asks for it by.")]
FileBody = Annotated[XmlText, StringConstraints(min_length=1, max_length=1_000_000)]


class RequirementBody(WireModel):
    """Some people who have to agree."""

    model_config = {"extra": "forbid", "use_attribute_docstrings": True}

    approvers: Approvers
    mode: Mode = "any"
    due: Duration | None = None
    """When it is due, from when they are asked; a week when left out."""
    escalate: Approvers | None = None
    """Who else may decide once it is due."""
    reason: bool = False
    """Whether who approves has to say why."""
    repeat: bool = False
    """Whether one who decided an earlier step may decide this one too."""
    name: Name | None = None

    @field_validator("approvers", "escalate")
    @classmethod
    def _somebody(cls, said: str | None) -> str | None:
        if said is not None:
            approver_groups(said)
        return said

    @field_validator("due")
    @classmethod
    def _lasting(cls, said: str | None) -> str | None:
        if said is not None:
            duration(said)
        return said

    def stated(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_none=True)


class StepBody(WireModel):
    """What is decided side by side, before what comes next."""

    model_config = {"extra": "forbid", "use_attribute_docstrings": True}

    side_by_side: Annotated[list[RequirementBody], Field(min_length=1, max_length=10)]
    """All of these have to be met."""


class ApprovalBody(Body):
    """What a person asks for, without a document of a service's."""

    title: Name
    """What it is about."""
    text: Note | None = None
    """What those who decide should know."""
    amount: Amount = 0
    currency: Currency = "EUR"
    """What `amount` is in."""
    attributes: Annotated[dict[AttributeName, Text], Field(max_length=20), _CLOSED] = {}
    """What a matrix may ask for besides, by name."""
    steps: Annotated[list[StepBody], Field(min_length=1, max_length=10)] | None = None
    """Who has to approve, step after step; the company's matrix says so when left out."""


class DecisionBody(Body):
    """A yes."""

    reason: Sentence | None = None
    """Why; some steps ask for it."""
    task_id: UUID | None = None
    """Which step is meant, where several wait for the caller; the first when left out."""


class RejectionBody(Body):
    """A no, and what becomes of the document."""

    reason: Sentence
    """Why, for the one who asked."""
    then: Then | None = None
    """It goes back to be changed (the default), its process begins again, or it is over."""
    task_id: UUID | None = None
    """Which step is meant, where several wait for the caller; the first when left out."""


class ManyBody(Body):
    """A yes to several approvals."""

    ids: Annotated[list[UUID], Field(min_length=1, max_length=100)]
    """Which ones. What refuses one leaves the others alone."""
    reason: Sentence | None = None
    """Why; some steps ask for it."""


class ClaimBody(Body):
    """Which step is taken on."""

    task_id: UUID | None = None
    """The first that waits for the caller, when left out."""


class ApprovalRecallBody(Body):
    """Why it is not asked for any more."""

    reason: Sentence | None = None
    """Why; may be left out."""


class ApprovalCommentBody(Body):
    """What somebody has to say."""

    text: Annotated[Note, Field(min_length=1)]
    """For everybody who sees the approval."""


class ReassignmentBody(Body):
    """Who is to decide in the place of those whom a step waits for."""

    task_id: UUID
    """An open step of the approval."""
    to_user_id: UUID
    """Who decides it from now on."""
    reason: Sentence
    """Why, for people who read it later."""


class DelegationBody(Body):
    """From when until when another decides in one's place."""

    to_user_id: UUID
    """Who decides in one's place."""
    begins_at: MomentOrDay
    """From when on, a plain day from its first moment."""
    ends_at: MomentOrDay
    """Until when, a plain day to its end."""
    reason: Sentence | None = None
    """Why, such as a holiday."""
    user_id: UUID | None = None
    """Whose decisions are meant: the caller's when left out; somebody else's takes `approvals:administer`."""


class MatrixRuleBody(WireModel):
    """A row of a matrix."""

    model_config = {"extra": "forbid", "use_attribute_docstrings": True}

    when: Annotated[
        dict[AttributeName, Annotated[str, StringConstraints(max_length=200)]], Field(max_length=20), _CLOSED
    ] = {}
    """Unary tests of DMN by the name of an input, such as `> 100000`; one that is left out is true of anything."""
    then: RequirementBody
    """What applies then."""
    step: Annotated[int, Field(ge=1, le=MOST_STEPS)] = 1
    """After which others: rows of one step are decided side by side."""


class MatrixBody(Body):
    """A matrix of approvals: every rule that applies counts."""

    name: Name = "Who approves what"
    inputs: Annotated[list[AttributeName], Field(min_length=1, max_length=20)] = ["kind", "amount"]
    """What the rules ask of a document: `kind`, `amount`, `currency`, or one of its attributes."""
    rules: Annotated[list[MatrixRuleBody], Field(max_length=500)]
    """In no order."""

    @field_validator("inputs")
    @classmethod
    def _once(cls, inputs: list[str]) -> list[str]:
        if len(set(inputs)) != len(inputs):
            raise ValueError("Name each input once.")
        return inputs

    @model_validator(mode="after")
    def _known(self) -> Self:
        for at, rule in enumerate(self.rules):
            if strangers := sorted(set(rule.when) - set(self.inputs)):
                said = f"A rule asks for {strangers[0]}, which is no input."
                raise WrongFields(said, *(f"rules/{at}/when/{name}" for name in strangers))
        return self

    def dmn(self) -> bytes:
        rules = [matrix.Rule(rule.when, {"step": rule.step, **rule.then.stated()}) for rule in self.rules]
        return matrix.Matrix(self.inputs, rules, self.name).dmn()


class DeploymentBody(Body):
    """A version of a process: a BPMN 2.0 file, and the DMN files of its decisions."""

    source: FileBody
    """The BPMN file."""
    decisions: Annotated[dict[AttributeName, FileBody], Field(max_length=20), _CLOSED] = {}
    """The DMN files by the id of the decision in them; `matrix` says who has to approve."""
    matrix: MatrixBody | None = None
    """In place of a DMN file called `matrix`."""


class ProcessBody(DeploymentBody):
    """A process, with its first version."""

    key: Key
    name: Name


class ActivationBody(Body):
    """Which version documents begin with, and documents of which kinds."""

    number: Annotated[int, Field(ge=1)]
    """The version."""
    kinds: Annotated[list[Kind], Field(max_length=50)]
    """Other processes serve these no more."""


class DryRunBody(Body):
    """A matrix to be tried: as JSON, as a DMN file, or as a version has it."""

    matrix: MatrixBody | None = None
    """The matrix as JSON."""
    dmn: FileBody | None = None
    """The matrix as a DMN file."""
    number: Annotated[int, Field(ge=1)] | None = None
    """A version of the process, with its matrix."""
    since: MomentOrDay | None = None
    """Documents that were submitted from then on, a plain day from its first moment; all when left out."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(each is not None for each in (self.matrix, self.dmn, self.number)) != 1:
            raise WrongFields("Say matrix, dmn or number, one of them.", "matrix", "dmn", "number")
        return self


class MigrationBody(Body):
    """Which running instances move to another version of their process."""

    number: Annotated[int, Field(ge=1)]
    """The version that they move to."""
    ids: Annotated[list[UUID], Field(min_length=1, max_length=1000)] | None = None
    """Which ones; all of the process that run when left out."""


class MessageBody(Body):
    """What a process that waits for a message is told."""

    name: Name
    """The message, by its name in the file."""
    correlation: Text | None = None
    """Which one is meant, where the file says by what it is told apart."""
    data: Annotated[dict[AttributeName, Text], Field(max_length=20), _CLOSED] = {}
    """What comes with it, for conditions to ask."""
