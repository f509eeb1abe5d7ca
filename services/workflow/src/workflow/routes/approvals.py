"""Approvals over HTTP: asked for, seen, decided, taken on, recalled."""

from typing import Annotated
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import aliased, raiseload
from sqlalchemy.types import Text

from tailrace.core.errors import Unknown
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import any_of, between, equal, numbered
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, tenant_router
from workflow import commands
from workflow.bodies import (
    ApprovalBody,
    ApprovalCommentBody,
    ApprovalRecallBody,
    ClaimBody,
    DecisionBody,
    ManyBody,
    ReassignmentBody,
    RejectionBody,
)
from workflow.models import Approval, Comment, Task, Vote
from workflow.people import roles_of, tasks_of
from workflow.projections import UserCopy, days, teams, templates, users
from workflow.reactions import submissions
from workflow.scopes import Administrator, Reader, Writer
from workflow.states import Status
from workflow.views import ApprovalCommentView, ApprovalSummary, ApprovalView, ManyView, RefusalView

router = tenant_router(
    "/v1/approvals",
    tag="approvals",
    about="Who has to approve a document before it takes effect, and what they said.",
    reads=[submissions, users, teams, days, templates],
)

_FILTERS = (
    any_of(Approval.status, Status),
    equal(Approval.kind),
    numbered(Approval.number),
    equal(Approval.document_id),
    *between(Approval.due_at, days),
)
_SORT = [Approval.number, Approval.due_at, Approval.amount, Approval.created_at]
Approvals = Annotated[PageRequest, listed(Approval, *_FILTERS, equal(Approval.requester_id), sort=_SORT)]
Inbox = Annotated[
    PageRequest, listed(Approval, equal(Approval.kind), *between(Approval.due_at, days), sort=_SORT, default="due_at")
]
Theirs = Annotated[PageRequest, listed(Approval, *_FILTERS, sort=_SORT)]
Comments = Annotated[PageRequest, listed(Comment)]


@router.post("", status_code=201, response_model=ApprovalView)
async def create_approval(tx: Tx, who: Writer, body: ApprovalBody) -> Approval:
    """Ask for something to be approved that is no document of a service's."""
    return await commands.create(tx, who, body)


@router.get("", response_model=Page[ApprovalSummary])
async def list_approvals(tx: Tx, who: Reader, page: Approvals) -> Listing[Approval]:
    """Approvals without their steps; by `id` they come in order of request."""
    return await paginate(tx, select(Approval).options(raiseload(Approval.tasks)), page)


@router.get("/pending", response_model=Page[ApprovalSummary])
async def list_pending_approvals(tx: Tx, who: Reader, page: Inbox) -> Listing[Approval]:
    """What waits for the caller, what is due first coming first; what others delegated to them too."""
    mine = _waiting_for(*await tasks_of(tx, who.user_id, who.roles), but=who.user_id)
    return await paginate(tx, select(Approval).where(mine).options(raiseload(Approval.tasks)), page)


@router.get("/requester/{user_id}", response_model=Page[ApprovalSummary])
async def list_approvals_by_requester(tx: Tx, who: Reader, user_id: UUID, page: Theirs) -> Listing[Approval]:
    """What somebody asked for. 404 for a user who is not known here."""
    await _require_user(tx, user_id)
    theirs = select(Approval).where(Approval.requester_id == user_id)
    return await paginate(tx, theirs.options(raiseload(Approval.tasks)), page)


@router.get("/approver/{user_id}", response_model=Page[ApprovalSummary])
async def list_approvals_by_approver(tx: Tx, who: Reader, user_id: UUID, page: Theirs) -> Listing[Approval]:
    """What waits for somebody, and what they decided a step of. 404 for a user who is not known here."""
    await _require_user(tx, user_id)
    voted = exists().where(Task.approval_id == Approval.id, Vote.task_id == Task.id, Vote.user_id == user_id)
    waits = _waiting_for(*await tasks_of(tx, user_id, await roles_of(tx, user_id)), but=user_id)
    theirs = select(Approval).where(or_(voted, waits))
    return await paginate(tx, theirs.options(raiseload(Approval.tasks)), page)


@router.post("/approve")
async def approve_several(tx: Tx, who: Writer, body: ManyBody) -> ManyView:
    """Approve several at once, each by itself: what refuses one leaves the others alone."""
    became = await commands.decide_all(tx, body.ids, who, body.reason)
    return ManyView(
        approved=[id for id, problem in became.items() if problem is None],
        refused=[
            RefusalView(id=id, type=f"urn:tailrace:problem:{problem.slug}", detail=problem.detail)
            for id, problem in became.items()
            if problem is not None
        ],
    )


@router.get("/{approval_id}", response_model=ApprovalView)
async def read_approval(tx: Tx, who: Reader, approval_id: UUID) -> Approval:
    """One approval, with its steps and what was said."""
    return await tx.find(Approval, approval_id)


@router.put("/{approval_id}", response_model=ApprovalView)
async def replace_approval(tx: Tx, who: Writer, match: IfMatch, approval_id: UUID, body: ApprovalBody) -> Approval:
    """Ask for something else: a free approval begins again, and what was said of it counts no more."""
    return await commands.change(tx, approval_id, match, who, body)


@router.patch("/{approval_id}/approve", response_model=ApprovalView)
async def change_to_approved(
    tx: Tx, who: Writer, match: IfMatch, approval_id: UUID, body: DecisionBody | None = None
) -> Approval:
    """Say yes to the step that waits for the caller."""
    said = body or DecisionBody()
    return await commands.decide(tx, approval_id, match, who, "approved", reason=said.reason, task_id=said.task_id)


@router.patch("/{approval_id}/reject", response_model=ApprovalView)
async def change_to_rejected(tx: Tx, who: Writer, match: IfMatch, approval_id: UUID, body: RejectionBody) -> Approval:
    """Say no to the step that waits for the caller, why, and what becomes of the document."""
    said = {"reason": body.reason, "then": body.then, "task_id": body.task_id}
    return await commands.decide(tx, approval_id, match, who, "rejected", **said)  # type: ignore[arg-type]


@router.post("/{approval_id}/claim", response_model=ApprovalView)
async def claim_approval(
    tx: Tx, who: Writer, match: IfMatch, approval_id: UUID, body: ClaimBody | None = None
) -> Approval:
    """Take a step on, so that others leave it alone."""
    return await commands.claim(tx, approval_id, match, who, None if body is None else body.task_id)


@router.post("/{approval_id}/unclaim", response_model=ApprovalView)
async def unclaim_approval(tx: Tx, who: Writer, match: IfMatch, approval_id: UUID) -> Approval:
    """Give back what the caller took on."""
    return await commands.unclaim(tx, approval_id, match, who)


@router.post("/{approval_id}/recall", response_model=ApprovalView)
async def recall_approval(
    tx: Tx, who: Writer, match: IfMatch, approval_id: UUID, body: ApprovalRecallBody | None = None
) -> Approval:
    """Ask for it no more. Only who asked for it can."""
    return await commands.recall(tx, approval_id, match, who, None if body is None else body.reason)


@router.post("/{approval_id}/forward", response_model=ApprovalView)
async def forward_approval(tx: Tx, who: Writer, match: IfMatch, approval_id: UUID, body: ReassignmentBody) -> Approval:
    """Give a step that waits for the caller to somebody else."""
    given = (body.task_id, body.to_user_id, body.reason)
    return await commands.reassign(tx, approval_id, match, who, *given, any_of=False)


@router.post("/{approval_id}/reassign", response_model=ApprovalView)
async def reassign_approval(
    tx: Tx, who: Administrator, match: IfMatch, approval_id: UUID, body: ReassignmentBody
) -> Approval:
    """Give any open step to somebody else."""
    given = (body.task_id, body.to_user_id, body.reason)
    return await commands.reassign(tx, approval_id, match, who, *given, any_of=True)


@router.post("/{approval_id}/comments", status_code=201, response_model=ApprovalCommentView)
async def create_comment(tx: Tx, who: Writer, match: IfMatch, approval_id: UUID, body: ApprovalCommentBody) -> Comment:
    """Say something about it, for everybody who sees it."""
    return await commands.comment(tx, approval_id, match, who, body.text)


@router.get("/{approval_id}/comments", response_model=Page[ApprovalCommentView])
async def list_comments(tx: Tx, who: Reader, approval_id: UUID, page: Comments) -> Listing[Comment]:
    """What was said about it, in order."""
    await tx.find(Approval, approval_id)
    return await paginate(tx, select(Comment).where(Comment.approval_id == approval_id), page)


def _waiting_for(people: frozenset[UUID], roles: frozenset[str], *, but: UUID) -> ColumnElement[bool]:
    """Approvals that an open step of waits for one of these; nobody decides what they asked for themselves."""
    named = [Task.users.contains([str(one)]) for one in sorted(people)]
    held = func.jsonb_exists_any(Task.roles, array(sorted(roles), type_=Text)) if roles else None
    waits = or_(*named, *((held,) if held is not None else ()))
    not_own = or_(Approval.requester_id.is_(None), Approval.requester_id != but)
    theirs = or_(Vote.user_id == but, Vote.on_behalf_of == but)
    said = exists().where(Vote.task_id == Task.id, theirs)
    # One person decides once, but where a step allows it.
    other = aliased(Task)
    heard = exists().where(Vote.task_id == other.id, other.approval_id == Task.approval_id, other.round == Task.round)
    may = and_(~said, or_(Task.repeatable, ~heard.where(theirs)))
    open_one = exists().where(Task.approval_id == Approval.id, Task.status == "open", waits, may)
    return and_(Approval.status == "pending", not_own, open_one)


async def _require_user(tx: Tx, user_id: UUID) -> None:
    """Raises Unknown for a user who is not known here."""
    if await tx.scalar(select(UserCopy.id).where(UserCopy.id == user_id)) is None:
        raise Unknown("User", user_id)
