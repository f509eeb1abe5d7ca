"""Running instances move to another version of their process: one or many, as a job, each only if nothing of it would be lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from tailrace.core.errors import Invalid
from tailrace.core.ids import uuid7
from tailrace.db.database import Tx
from tailrace.jobs.kinds import JobKind, Run
from workflow import engine, roles, running
from workflow.deploying import version_of
from workflow.models import Approval, Instance
from workflow.processes import Process, ProcessVersion

AT_ONCE = 25
"""How many instances one chunk moves."""
MOST_CHECKED = 200

migration = JobKind("workflow.migration")


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an instance cannot move: where it is, and what of that would be lost."""

    instance_id: UUID
    element_id: str
    why: str


async def check(tx: Tx, process: Process, number: int, ids: Sequence[UUID] | None) -> tuple[int, list[Obstacle]]:
    """How many of the first instances would move, and what is in the way of the others. Raises Unknown, Invalid."""
    to = await version_of(tx, process, number)
    await _ensure_there(tx, ids)
    found: list[Obstacle] = []
    instances = list(await tx.scalars(_running(process.id, number, ids).limit(MOST_CHECKED)))
    for instance in instances:
        found += await _obstacles(tx, process, instance, to)
    return len(instances) - len({each.instance_id for each in found}), found


async def start(tx: Tx, process: Process, number: int, ids: Sequence[UUID] | None) -> UUID:
    """Ask for a migration of all that runs, or of some; of all that the caller sees. Raises Unknown, Invalid, TooManyJobs."""
    await version_of(tx, process, number)
    await _ensure_there(tx, ids)
    if ids is None and tx.owners is not None:
        ids = list(await tx.scalars(_running(process.id, number, None).with_only_columns(Instance.id)))
    chosen = None if ids is None else [str(id) for id in ids]
    return await migration.start(tx, {"process_id": str(process.id), "number": number, "ids": chosen}, id=uuid7())


@migration.chunk
async def move_some(tx: Tx, run: Run) -> None:
    """Some instances, in the order in which they began. Each is taken by its approval first, as everybody does who changes one."""
    said = run.parameters
    process = await tx.find(Process, UUID(said["process_id"]))
    to = await version_of(tx, process, said["number"])
    query = _running(process.id, to.number, None if said["ids"] is None else [UUID(id) for id in said["ids"]])
    if "after" in run.checkpoint:
        query = query.where(Instance.id > UUID(run.checkpoint["after"]))
    some = list(await tx.scalars(query.limit(AT_ONCE)))
    moved = 0
    for each in some:
        approval = await tx.load(Approval, each.id)
        instance = await tx.get_one(Instance, (tx.tenant_id, each.id), populate_existing=True)
        if approval.status != "pending" or instance.number == to.number:
            continue
        found = await _obstacles(tx, process, instance, to)
        for obstacle in found[:1]:
            run.say(f"{approval.number} ({approval.id}): {obstacle.element_id}: {obstacle.why}")
        if not found:
            await _move(tx, process, approval, instance, to)
            moved += 1
    if some:
        run.advance({"after": str(some[-1].id)}, done=len(some), moved=moved, refused=len(some) - moved)
    if len(some) < AT_ONCE:
        run.finish()


async def _ensure_there(tx: Tx, ids: Sequence[UUID] | None) -> None:
    """Raises Invalid for an id that no instance has, as far as the caller sees."""
    there = set(await tx.scalars(select(Instance.id).where(Instance.id.in_(ids)))) if ids else set()
    for at, id in enumerate(ids or ()):
        if id not in there:
            raise Invalid.field(f"/ids/{at}", f"There is no instance {id}.")


def _running(process_id: UUID, number: int, ids: Sequence[UUID] | None) -> Select[Any]:
    query = select(Instance).where(Instance.process_id == process_id, Instance.status.in_(["waiting", "incident"]))
    query = query.where(Instance.number != number)
    return (query if ids is None else query.where(Instance.id.in_(ids))).order_by(Instance.id)


async def _obstacles(tx: Tx, process: Process, instance: Instance, to: ProcessVersion) -> list[Obstacle]:
    if instance.state is None:
        return []
    old = await version_of(tx, process, instance.number)
    found = engine.diff(old.spec, to.spec, instance.state)
    return [Obstacle(instance.id, each.element_id, each.why) for each in found]


async def _move(tx: Tx, process: Process, approval: Approval, instance: Instance, to: ProcessVersion) -> None:
    if instance.state is not None:
        old = await version_of(tx, process, instance.number)
        instance.state = engine.migrate(old.spec, to.spec, instance.state).dump()
    instance.number = to.number
    approval.move(to.number, roles.asked(to, approval.named))
    await running.advance(tx, approval, instance, to)
