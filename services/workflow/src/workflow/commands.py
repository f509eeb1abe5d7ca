"""What people and documents do to approvals. Each command takes the approval first, so that two who decide at once take turns."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import rfc8785
from sqlalchemy import select

from contracts.approvals import ApprovalSubject, Decision, Then
from tailrace.core import clock
from tailrace.core.context import Principal
from tailrace.core.errors import Invalid, Problem
from tailrace.core.ids import uuid7
from tailrace.db.database import Tx
from tailrace.db.numbers import Numbers
from tailrace.db.text_search.among import among
from tailrace.messaging.replica import by_ids
from workflow import engine, roles, running
from workflow.bodies import ApprovalBody, MessageBody
from workflow.choosing import NOBODY
from workflow.deploying import serving, version_of
from workflow.desk import Desk
from workflow.models import FREE, Approval, Comment, Instance, People, Vote
from workflow.people import Voice, voice, voters
from workflow.processes import Process
from workflow.projections import UserCopy, days
from workflow.refusals import (
    ClaimedByAnother,
    InstanceEnded,
    NotAwaited,
    NotTheRequester,
    NotYours,
    OwnersDocument,
    ReasonNeeded,
)
from workflow.rules import named_users, outcome

NUMBERS = Numbers("approval", "A-{series}-{number:05}")


async def submit(tx: Tx, subject: ApprovalSubject, before: Sequence[UUID], desk: Desk) -> Approval:
    """Begin the process of a document that its owner submitted. What was asked for or given of it before counts no more."""
    for id in before:
        await void(tx, id, "It was submitted again.")
    return await _begin(tx, uuid7(), subject, {}, desk)


async def withdraw(tx: Tx, kind: str, document_id: UUID, reason: str) -> None:
    """Void what was asked for or given of a document."""
    for ids in (await in_force(tx, [(kind, document_id)])).values():
        for id in ids:
            await void(tx, id, reason)


async def in_force(tx: Tx, documents: Collection[tuple[str, UUID]]) -> Mapping[tuple[str, UUID], Sequence[UUID]]:
    """What was asked for or given of these documents, kind and id of each, and counts as yet: the ids of approvals, the oldest first."""
    query = select(Approval.kind, Approval.document_id, Approval.id).where(
        Approval.kind.in_({kind for kind, _ in documents}),
        among(Approval.document_id, {id for _, id in documents}),
        Approval.status.in_(["pending", "approved"]),
    )
    found: dict[tuple[str, UUID], list[UUID]] = {}
    for kind, document_id, id in await tx.execute(query.order_by(Approval.id)):
        found.setdefault((kind, document_id), []).append(id)
    return found


async def void(tx: Tx, id: UUID, reason: str) -> None:
    """Let an approval count no more, if it still does."""
    approval = await tx.load(Approval, id)
    if approval.status in {"pending", "approved"}:
        approval.void(reason, clock.now())
        await running.stop(tx, approval)


async def create(tx: Tx, who: Principal, asked: ApprovalBody) -> Approval:
    """Ask for a free approval, numbered in the company's year. Raises Invalid, NotYetKnown for somebody who is named and not known."""
    await ensure_known(tx, asked)
    id = uuid7()
    number = await NUMBERS.next(tx, str((await days.today(tx)).year))
    subject = _subject(id, number, who, asked)
    desk = Desk(tx)
    made = await _begin(tx, id, subject, _words(asked), desk)
    await desk.close()
    return made


async def change(tx: Tx, id: UUID, match: int | None, who: Principal, asked: ApprovalBody) -> Approval:
    """Ask for something else; whatever was said counts no more. Raises NotInThisState, NotTheRequester, OwnersDocument."""
    approval = await tx.load(Approval, id, match)
    if approval.kind != FREE:
        raise OwnersDocument("It is changed where it is kept, and submitted again.")
    _ensure_requester(approval, who)
    approval.after("changed")
    await ensure_known(tx, asked)
    subject = _subject(id, approval.number, who, asked)
    said = {**_words(asked), "amount": subject.amount, "currency": subject.currency, "attributes": subject.attributes}
    await _forget_deadlines(tx, approval)
    process, version = await serving(tx, approval.kind)
    approval.process, approval.process_version = process.key, version.number
    approval.change(subject.sha256, said, roles.asked(version, said["named"]), clock.now())
    await running.begin(tx, approval, process, version)
    return approval


async def decide(
    tx: Tx,
    id: UUID,
    match: int | None,
    who: Principal,
    decision: Decision,
    *,
    reason: str | None = None,
    then: Then | None = None,
    task_id: UUID | None = None,
) -> Approval:
    """Say yes or no to the step that waits for the caller.

    Raises NotInThisState, OwnRequest, NotYours, DecidedBefore, ClaimedByAnother, ReasonNeeded.
    """
    approval = await tx.load(Approval, id, match)
    approval.after("decided")
    found = await voice(tx, approval, who, task_id)
    task = found.task
    if reason is None and (decision == "rejected" or task.reason_needed):
        raise ReasonNeeded("Say why, for those who read it later.", field="/reason")
    approval.endorse(task, _vote(who, found, decision, reason, then))
    people = await voters(tx, task, approval.requester_id)
    became = outcome(task.mode, task.said, people)
    if became is not None:
        task.status = became
        await running.dues.clear(tx, task.id)
        await _advance(tx, approval)
    elif task.claimed_by in {found.on_behalf_of, who.user_id}:
        # What it waits for now is the others.
        approval.release(task)
    return approval


async def decide_all(tx: Tx, ids: Sequence[UUID], who: Principal, reason: str | None) -> dict[UUID, Problem | None]:
    """Approve several, each by itself: what refuses one leaves the others alone. The refusal of each, or None.

    Raises Invalid when one of them is not there.
    """
    there = set(await tx.scalars(select(Approval.id).where(Approval.id.in_(ids))))
    for at, id in enumerate(ids):
        if id not in there:
            raise Invalid.field(f"/ids/{at}", f"There is no approval {id}.")
    became: dict[UUID, Problem | None] = {}
    for id in sorted(set(ids)):
        try:
            async with tx.begin_nested():
                await decide(tx, id, None, who, "approved", reason=reason)
            became[id] = None
        except Problem as problem:
            became[id] = problem
    return became


async def claim(tx: Tx, id: UUID, match: int | None, who: Principal, task_id: UUID | None) -> Approval:
    """Take the step on that waits for the caller. Raises what `decide` raises."""
    approval = await tx.load(Approval, id, match)
    approval.after("decided")
    found = await voice(tx, approval, who, task_id)
    if found.task.claimed_by is None:
        approval.claim(found.task, who.user_id)
    return approval


async def unclaim(tx: Tx, id: UUID, match: int | None, who: Principal) -> Approval:
    """Give back what the caller took on. Raises ClaimedByAnother when that is nothing."""
    approval = await tx.load(Approval, id, match)
    approval.after("decided")
    mine = [task for task in approval.open_tasks if task.claimed_by == who.user_id]
    if not mine:
        raise ClaimedByAnother("You have taken nothing on here.")
    for task in mine:
        approval.release(task)
    return approval


async def comment(tx: Tx, id: UUID, match: int | None, who: Principal, text: str) -> Comment:
    approval = await tx.load(Approval, id, match)
    said = approval.comment(who.user_id, text, clock.now())
    tx.add(said)
    return said


async def recall(tx: Tx, id: UUID, match: int | None, who: Principal, reason: str | None) -> Approval:
    """Ask for it no more. Raises NotInThisState, NotTheRequester."""
    approval = await tx.load(Approval, id, match)
    _ensure_requester(approval, who)
    approval.recall(reason, who.user_id, clock.now())
    await running.stop(tx, approval)
    return approval


async def reassign(
    tx: Tx, id: UUID, match: int | None, who: Principal, task_id: UUID, to_user_id: UUID, because: str, *, any_of: bool
) -> Approval:
    """Give a step to somebody else: one's own, or with `any_of` anybody's. Raises NotInThisState, NotYours, Invalid."""
    approval = await tx.load(Approval, id, match)
    approval.after("decided")
    task = next((one for one in approval.open_tasks if one.id == task_id), None)
    if task is None:
        raise Invalid.field("/task_id", "No open step of this approval has this id.")
    if not any_of and (await voice(tx, approval, who, task_id)).task is not task:
        raise NotYours("It waits for others.")
    (await by_ids(tx, UserCopy, {to_user_id})).in_use(to_user_id, "/to_user_id")
    if to_user_id == approval.requester_id:
        raise Invalid.field("/to_user_id", "They asked for it themselves.")
    approval.reassign(task, People([to_user_id]), because)
    return approval


async def go_on(tx: Tx, id: UUID, tell: running.Told | None = None) -> None:
    """Let the process of a pending approval go on: something was said to it, or what went wrong may go right now."""
    approval = await tx.load(Approval, id)
    if approval.status == "pending":
        await _advance(tx, approval, tell)


async def send(tx: Tx, id: UUID, asked: MessageBody) -> None:
    """Say something to the process of a pending approval. Raises InstanceEnded, NotAwaited."""
    approval = await tx.load(Approval, id)
    if approval.status != "pending":
        raise InstanceEnded("It waits for nothing any more.")

    def tell(state: engine.State, now: datetime) -> None:
        if not state.message(asked.name, asked.correlation, dict(asked.data), now):
            raise NotAwaited(f"Nothing in it waits for {asked.name} of this correlation.", field="/name")

    await _advance(tx, approval, tell)


async def ensure_known(tx: Tx, asked: ApprovalBody) -> None:
    """Raises what `Known.in_use` raises for somebody who is named by id and is not known, or gone."""
    named = {
        f"/steps/{at}/side_by_side/{beside}/approvers": named_users(one.approvers)
        for at, step in enumerate(asked.steps or ())
        for beside, one in enumerate(step.side_by_side)
    }
    known = await by_ids(tx, UserCopy, {id for ids in named.values() for id in ids})
    for field, ids in named.items():
        for id in ids:
            known.in_use(id, field)


async def _begin(tx: Tx, id: UUID, subject: ApprovalSubject, words: Mapping[str, Any], desk: Desk) -> Approval:
    """`words` are what it is in the words of who asked, for a free one."""
    choice, now = await desk.chosen(subject.kind), clock.now()
    if choice is None:
        approval = Approval.requested(id, subject, None, None, now)
    else:
        asked = roles.asked(choice.version, words.get("named"))
        which = (choice.process.key, choice.version.number)
        approval = Approval.requested(id, subject, *which, now, choice.note, asked)
    approval.update_from(words)
    tx.add(approval)
    if choice is None:
        approval.approve(None, now, NOBODY)
    else:
        await running.begin(tx, approval, choice.process, choice.version, desk, replaces=False)
    return approval


async def _advance(tx: Tx, approval: Approval, tell: running.Told | None = None) -> None:
    instance = await tx.get_one(Instance, (tx.tenant_id, approval.id))
    process = await tx.find(Process, instance.process_id)
    await running.advance(tx, approval, instance, await version_of(tx, process, instance.number), tell)


async def _forget_deadlines(tx: Tx, approval: Approval) -> None:
    await running.clocks.clear(tx, approval.id)
    for task in approval.open_tasks:
        await running.dues.clear(tx, task.id)


def _vote(who: Principal, found: Voice, decision: Decision, reason: str | None, then: Then | None) -> Vote:
    return Vote(
        id=uuid7(),
        user_id=who.user_id,
        on_behalf_of=found.on_behalf_of,
        decision=decision,
        reason=reason,
        consequence=then,
        at=clock.now(),
    )


def _subject(id: UUID, number: str, who: Principal, asked: ApprovalBody) -> ApprovalSubject:
    """What a free approval is asked for. Its document is what the requester says."""
    said: Any = asked.model_dump(mode="json", exclude={"steps"})
    return ApprovalSubject(
        kind=FREE,
        id=id,
        number=number,
        sha256=sha256(rfc8785.dumps({"number": number, **said})).hexdigest(),
        amount=asked.amount,
        currency=asked.currency,
        requester_id=who.user_id,
        attributes={**asked.attributes, "roles": " ".join(sorted(who.roles))},
    )


def _words(asked: ApprovalBody) -> dict[str, Any]:
    named = None
    if asked.steps is not None:
        numbered = enumerate(asked.steps, 1)
        named = [{"step": number, **one.stated()} for number, step in numbered for one in step.side_by_side]
    return {"title": asked.title, "text": asked.text, "named": named}


def _ensure_requester(approval: Approval, who: Principal) -> None:
    if approval.requester_id != who.user_id:
        raise NotTheRequester("Only who asked for it can do that.")
