"""What time does to approvals: steps are due, processes go on; and batch by batch, steps of people who are gone are handed on, and those that waited
for somebody by a role go on without.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Text, func, or_, select
from sqlalchemy.dialects.postgresql import array

from tailrace.core import clock
from tailrace.core.payload import Payload
from tailrace.db.database import Tx
from tailrace.messaging.timers import Timer
from workflow import commands, engine, running
from workflow.models import Approval, People, Task
from workflow.people import heirs, meant, voters
from workflow.rules import FALLBACK, outcome

AT_ONCE = 100
"""How many approvals are changed in one transaction."""


class Demotion(Payload):
    """Which roles a user has no more."""

    user_id: UUID
    roles: list[str]
    after: UUID | None = None
    """Approvals up to this one have been looked at."""


class Leaving(Payload):
    """Who takes over from a user who is gone, and the roles that they had."""

    successor_id: UUID | None = None
    roles: list[str] = []
    after: UUID | None = None


leaving = Timer("workflow.leaving", carries=Leaving)
demotion = Timer("workflow.demotion", carries=Demotion)
losing = Timer("workflow.losing")


@running.clocks.due
async def tick(tx: Tx, approval_id: UUID) -> None:
    """Let the timers of a process come."""
    await commands.go_on(tx, approval_id, _fire)


@running.dues.due
async def escalate(tx: Tx, task_id: UUID) -> None:
    """A step that is due and open: those whom it names for that case may decide it too, and if it names nobody, administrators may."""
    task = await tx.find(Task, task_id)
    approval = await tx.load(Approval, task.approval_id)
    task = next(each for each in approval.tasks if each.id == task_id)
    if approval.status == "pending" and task.status == "open":
        approval.escalate(task, await meant(tx, task.escalate or FALLBACK, approval.requester_id), clock.now())


@leaving.due
async def hand_over(tx: Tx, user_id: UUID, said: Leaving) -> None:
    """Give the open steps of a user who is gone to the successor, else to who stands above, else to a role; and let those that waited for the
    user by a role go on without.
    """
    some = await _touched(tx, user_id, said.roles, said.after)
    for id in some:
        approval = await tx.load(Approval, id)
        for task in approval.open_tasks:
            if str(user_id) in task.users and all(user_id != vote.person for vote in task.said):
                await _replace(tx, approval, task, user_id, said.successor_id)
        await _go_on_without(tx, approval, user_id)
    if len(some) == AT_ONCE:
        await leaving.set(tx, user_id, datetime.now(UTC), said.model_copy(update={"after": some[-1]}))


@demotion.due
async def demote(tx: Tx, key: UUID, said: Demotion) -> None:
    """Let the open steps that waited for a user by a role that they have no more go on without."""
    some = await _touched(tx, said.user_id, said.roles, said.after)
    for id in some:
        await _go_on_without(tx, await tx.load(Approval, id), said.user_id)
    if len(some) == AT_ONCE:
        await demotion.set(tx, key, datetime.now(UTC), said.model_copy(update={"after": some[-1]}))


@losing.due
async def void_about(tx: Tx, customer_id: UUID) -> None:
    """What was asked for about a customer who is deleted is not to be decided any more."""
    about = Approval.attributes["customer_id"].astext == str(customer_id)
    query = select(Approval.id).where(Approval.status == "pending", about).order_by(Approval.id)
    some = list(await tx.scalars(query.limit(AT_ONCE)))
    for id in some:
        await commands.void(tx, id, "The customer was deleted.")
    if len(some) == AT_ONCE:
        await losing.set(tx, customer_id, datetime.now(UTC))


def _fire(state: engine.State, now: datetime) -> None:
    state.fire(now)


async def _touched(tx: Tx, user_id: UUID, roles: Sequence[str], after: UUID | None) -> Sequence[UUID]:
    """The next approvals with an open step that waits for the user or for one of these roles, or that the user took on."""
    by_role = func.jsonb_exists_any(Task.roles, array(roles, type_=Text))
    theirs = or_(Task.users.contains([str(user_id)]), Task.claimed_by == user_id, by_role)
    query = select(Task.approval_id).where(Task.status == "open", theirs).distinct().order_by(Task.approval_id)
    if after is not None:
        query = query.where(Task.approval_id > after)
    return list(await tx.scalars(query.limit(AT_ONCE)))


async def _replace(tx: Tx, approval: Approval, task: Task, user_id: UUID, successor_id: UUID | None) -> None:
    """Let others decide in the place of one who is gone."""
    instead = await heirs(tx, user_id, successor_id, approval.requester_id)
    people = task.people
    to = People(people.users - {user_id} | instead.users, people.roles | instead.roles)
    approval.reassign(task, to, "Who was to decide is gone.")


async def _go_on_without(tx: Tx, approval: Approval, user_id: UUID) -> None:
    """What they took on is free again; those who are left may have decided it already; and where nobody is left, administrators decide."""
    decided = False
    for task in approval.open_tasks:
        people = await voters(tx, task, approval.requester_id)
        if task.claimed_by == user_id and user_id not in people:
            approval.release(task)
        became = outcome(task.mode, task.said, people)
        if became is not None:
            task.status = became
            await running.dues.clear(tx, task.id)
            decided = True
        elif not people - {vote.person for vote in task.said}:
            await _call_others(tx, approval, task)
    if decided:
        await commands.go_on(tx, approval.id)


async def _call_others(tx: Tx, approval: Approval, task: Task) -> None:
    others, people = await meant(tx, FALLBACK, approval.requester_id), task.people
    to = People(people.users | others.users, people.roles | others.roles)
    if to.users != people.users or to.roles != people.roles:
        approval.reassign(task, to, "Nobody is left who might decide.")
