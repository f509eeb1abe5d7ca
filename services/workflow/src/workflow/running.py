"""How approvals go through their processes: what the engine waits for becomes steps for people, and what they decide moves it on.

`advance` can be called again at any time: it completes in the engine what is decided here, and makes steps of what it waits for then. So an incident
is retried by calling it once more, and nothing is done twice.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, get_args

from contracts.approvals import ApprovalSubject, Then
from tailrace.core import clock
from tailrace.core.values.wire import SHAPES
from tailrace.db.database import Tx
from tailrace.messaging.timers import Timer
from tailrace.observability.logs import log
from workflow import engine, roles
from workflow.choosing import again
from workflow.desk import Desk
from workflow.models import Approval, Instance, Task
from workflow.people import meant
from workflow.processes import MATRIX, Process, ProcessVersion
from workflow.projections import days
from workflow.rules import duration, requirement, steps

clocks = Timer("workflow.clock")
"""When the engine wants to be told that time has passed, by approval."""
dues = Timer("workflow.due")
"""When a step is due."""
Told = Callable[[engine.State, datetime], None]
_TURNS = 1000
"""Steps of one run that go on without anybody's decision; more is an incident."""


def inputs(subject: ApprovalSubject, named: Sequence[Any] | None = None) -> dict[str, Any]:
    """What a process knows of a document from its beginning: the subject, and its attributes beside it, numbers among them as numbers."""
    attributes = {name: _number(text) for name, text in subject.attributes.items()}
    return {
        **attributes,
        "kind": subject.kind,
        "number": subject.number,
        "amount": subject.amount,
        "currency": subject.currency,
        "requester": None if subject.requester_id is None else str(subject.requester_id),
        "attributes": dict(subject.attributes),
        MATRIX: list(named or ()),
        "at": 0,
        "more": False,
        # Not to be had from a document's attributes, which its requester may have chosen.
        "decision": None,
        "reason": None,
        "then": None,
    }


def requirements(task: Any) -> list[dict[str, Any]]:
    """What a task of the engine asks for: what its file says of it, else the step of the matrix that is due. Raises ValueError."""
    said = dict(task.attributes)
    if "approvers" in said:
        return [said]
    stated, at = _steps(task), int(task.data.get("at") or 0)
    if at < len(stated):
        return stated[at]
    if task.lane:
        return [{"approvers": f"role:{task.lane}", **said}]
    raise ValueError(f"nobody is named for {task.element_id}")


def decided(task: Any, decision: str, reason: str | None, then: str | None) -> dict[str, Any]:
    """What a task of the engine is completed with; `more` says whether a further step is to follow."""
    at = int(task.data.get("at") or 0)
    more = at + 1 < len(_steps(task))
    return {"decision": decision, "reason": reason, "then": then or "return", "at": at + 1, "more": more}


async def begin(
    tx: Tx,
    approval: Approval,
    process: Process,
    version: ProcessVersion,
    desk: Desk | None = None,
    *,
    replaces: bool = True,
) -> None:
    """Let the process of an approval begin, in place of what ran of it before, whose deadlines are forgotten by now.

    At a `desk` the deadlines are noted only; `replaces` is false for an approval that is just made, of which nothing ran.
    """
    instance = await tx.get(Instance, (tx.tenant_id, approval.id)) if replaces else None
    if instance is None:
        instance = Instance(id=approval.id)
        tx.add(instance)
    instance.process_id, instance.number, instance.began_at = process.id, version.number, clock.now()
    instance.status, instance.state, instance.incident = "waiting", None, None
    if desk is not None:
        await _advance(tx, approval, instance, version, desk)
    else:
        await advance(tx, approval, instance, version)


async def advance(
    tx: Tx, approval: Approval, instance: Instance, version: ProcessVersion, tell: Told | None = None
) -> None:
    """Go on as far as possible. What goes wrong is an incident, with the state before it; `tell` says something to the engine first."""
    desk = Desk(tx)
    await _advance(tx, approval, instance, version, desk, tell)
    await desk.close()


async def zone_of(tx: Tx, now: datetime) -> str:
    """In which the company counts its days as a process begins: days that it names are the company's."""
    calendar = await days.calendar(tx)
    return calendar.zone_of(calendar.day_of(now))


def _counts_days(spec: Any) -> bool:
    """Whether anything in it has a timer, or decides by a table, which may compare a day with a moment."""
    if isinstance(spec, Mapping):
        return not spec.keys().isdisjoint(("timer", "decision")) or any(map(_counts_days, spec.values()))
    return isinstance(spec, list) and any(map(_counts_days, spec))


async def _advance(
    tx: Tx, approval: Approval, instance: Instance, version: ProcessVersion, desk: Desk, tell: Told | None = None
) -> None:
    now, begins = clock.now(), instance.state is None
    zone = await zone_of(tx, now) if begins and _counts_days(version.spec) else None
    try:
        state = (
            engine.start(version.spec, inputs(approval.subject, approval.named), now, zone=zone)
            if instance.state is None
            else engine.load(version.spec, instance.state)
        )
        if tell is not None:
            tell(state, now)
        waiting, wanted = _complete(approval, state, now)
    except (engine.Unevaluable, engine.Unexpected, ValueError) as error:
        _incident(approval, instance, str(error))
        return
    instance.state, instance.incident, instance.status = state.dump(), None, "waiting"
    await _pass_over(tx, approval, {task.id for task in waiting})
    for task, rows in wanted:
        for row in rows:
            await _assign(tx, approval, task, row, now, desk)
    if state.finished:
        await _conclude(tx, approval, instance, state.outcome or {}, desk)
    elif state.timers:
        desk.deadlines.note(tx, clocks, approval.id, min(timer.due for timer in state.timers))
    elif not begins:
        await clocks.clear(tx, approval.id)


async def _pass_over(tx: Tx, approval: Approval, waiting: Collection[str]) -> None:
    """Ask nobody any more for what the process does not wait for."""
    for task in approval.open_tasks:
        if task.round == approval.round and task.engine_task not in waiting:
            approval.pass_over(task)
            await dues.clear(tx, task.id)
    approval.mind_due()


async def stop(tx: Tx, approval: Approval) -> None:
    """Nothing more happens in the process of an approval that ended otherwise."""
    instance = await tx.get(Instance, (tx.tenant_id, approval.id))
    if instance is not None and instance.status in {"waiting", "incident"}:
        instance.status = "cancelled"
    await _forget_deadlines(tx, approval)


def _complete(
    approval: Approval, state: Any, now: datetime
) -> tuple[Sequence[Any], list[tuple[Any, list[dict[str, Any]]]]]:
    """Complete in the engine what is decided here. Returns what it waits for, and which of that nobody was asked yet."""
    for _ in range(_TURNS):
        if state.failed is not None:
            raise ValueError(f"{state.failed.element} {state.failed.element_id}: {state.failed.why}")
        waiting = state.tasks
        if not _one(approval, state, waiting, now):
            break
    else:
        raise ValueError(f"it did not come to rest in {_TURNS} steps")
    known = {task.engine_task for task in _of_round(approval)}
    fresh = [task for task in waiting if task.id not in known and task.kind != "receive"]
    if strange := next((task for task in fresh if task.kind != "user"), None):
        raise ValueError(f"{strange.element_id} asks for {strange.work or strange.kind}, which nothing here does")
    return waiting, [(task, _checked(requirements(task))) for task in fresh]


def _one(approval: Approval, state: Any, waiting: Sequence[Any], now: datetime) -> bool:
    """Whether there was a task to complete, of those that it waits for."""
    for task in waiting:
        mine = [each for each in _of_round(approval) if each.engine_task == task.id]
        against = next((each for each in mine if each.status == "rejected"), None)
        if against is not None:
            vote = next(vote for vote in reversed(against.votes) if vote.decision == "rejected")
            for other in mine:
                if other.status == "open":
                    other.status = "cancelled"
            state.complete(task.id, decided(task, "rejected", vote.reason, vote.consequence), now)
            return True
        if mine and all(each.status == "approved" for each in mine):
            state.complete(task.id, decided(task, "approved", None, None), now)
            return True
    return False


def _of_round(approval: Approval) -> list[Task]:
    return [task for task in approval.tasks if task.round == approval.round]


def _steps(task: Any) -> list[list[dict[str, Any]]]:
    """What a matrix, or the requester, asks for: by step. Raises ValueError."""
    return steps(task.data.get(MATRIX) or ())


def _checked(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Raises ValueError for a requirement that is none, before anybody is asked."""
    for row in rows:
        requirement(row)
    return rows


async def _assign(tx: Tx, approval: Approval, task: Any, row: Mapping[str, Any], now: datetime, desk: Desk) -> None:
    said = requirement(row)
    people = await meant(tx, said.approvers, approval.requester_id, desk.directory)
    due = duration(said.due).after(now, await days.calendar(tx))
    made = approval.assign(task.id, task.element_id, task.name or task.element_id, said, people, due)
    desk.deadlines.note(tx, dues, made.id, made.due_at)


def approves(outcome: Mapping[str, Any]) -> bool:
    """What a process that has ended says of its document: yes, unless a decision that it made says otherwise."""
    return (outcome.get("decision") or "approved") == "approved"


async def _conclude(tx: Tx, approval: Approval, instance: Instance, outcome: Mapping[str, Any], desk: Desk) -> None:
    instance.status = "finished"
    await _forget_deadlines(tx, approval)
    now, by = clock.now(), next((vote.user_id for vote in reversed(approval.votes)), None)
    if approves(outcome):
        approval.approve(by, now)
        return
    reason = str(outcome.get("reason") or "It was rejected by its process.")[:500]
    then: Then = outcome["then"] if outcome.get("then") in get_args(Then) else "return"
    if then == "restart" and not approval.votes:
        # It would begin again for ever: nobody has a part in it.
        then = "return"
    approval.reject(by, reason, then, now)
    if then == "restart":
        choice = await again(tx, instance.process_id)
        approval.begin_again(choice.version.number, roles.asked(choice.version, approval.named))
        await begin(tx, approval, choice.process, choice.version, desk)


async def _forget_deadlines(tx: Tx, approval: Approval) -> None:
    await clocks.clear(tx, approval.id)
    for task in approval.tasks:
        if task.status != "open":
            await dues.clear(tx, task.id)


def _incident(approval: Approval, instance: Instance, why: str) -> None:
    log.warning("approval incident", approval=str(approval.id), why=why)
    instance.status, instance.incident = "incident", why[:500]


def _number(text: str) -> Any:
    """The number that a text is, in plain decimal notation; else the text."""
    if not SHAPES[Decimal].pattern.fullmatch(text):
        return text
    return Decimal(text) if "." in text else int(text)
