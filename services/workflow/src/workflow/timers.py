"""What time does to approvals: steps are due, processes go on; and batch by batch, steps of people who are gone are handed on."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select

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


class Leaving(Payload):
    """Who takes over from a user who is gone."""

    successor_id: UUID | None = None


leaving = Timer("workflow.leaving", carries=Leaving)
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
    """Give the open steps of a user who is gone to the successor, else to who stands above, else to a role."""
    waits = select(Task.approval_id).where(Task.status == "open", Task.users.contains([str(user_id)]))
    query = waits.distinct().order_by(Task.approval_id)
    some = list(await tx.scalars(query.limit(AT_ONCE)))
    for id in some:
        approval = await tx.load(Approval, id)
        for task in approval.open_tasks:
            if str(user_id) in task.users:
                await _replace(tx, approval, task, user_id, said.successor_id)
        if any(task.status != "open" for task in approval.tasks if task.round == approval.round):
            await commands.go_on(tx, id)
    if len(some) == AT_ONCE:
        await leaving.set(tx, user_id, datetime.now(UTC), said)


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


async def _replace(tx: Tx, approval: Approval, task: Task, user_id: UUID, successor_id: UUID | None) -> None:
    """Others decide in the place of one who is gone; those who are left may have decided it already."""
    instead = await heirs(tx, user_id, successor_id, approval.requester_id)
    people = task.people
    to = People(people.users - {user_id} | instead.users, people.roles | instead.roles)
    approval.reassign(task, to, "Who was to decide is gone.")
    became = outcome(task.mode, task.said, await voters(tx, task, approval.requester_id))
    if became is not None:
        task.status = became
        await running.dues.clear(tx, task.id)
