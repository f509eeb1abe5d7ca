"""Dry runs: past documents through another matrix, before it goes live. What is compared is who would have to approve, and how it would end."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Mapped, mapped_column, raiseload

from tailrace.core import clock
from tailrace.core.ids import uuid7
from tailrace.core.values.days import DEFAULT_ZONE
from tailrace.db.database import Tx
from tailrace.db.keys import tenant_index
from tailrace.db.models import TenantRow
from tailrace.db.visibility import Narrowed
from tailrace.jobs.kinds import JobKind, Run
from workflow import engine, running
from workflow.base import Base
from workflow.choosing import named_by_the_template
from workflow.deploying import compiled, version_of
from workflow.models import Approval
from workflow.processes import MATRIX, Files, Process, ProcessVersion
from workflow.rules import requirement
from workflow.seeing import seen_with_its_approval

AT_ONCE = 100
"""How many documents one chunk of a dry run takes."""
_TURNS = 1000

End = Literal["approved", "rejected", "waiting", "incident"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a process asks of people when each of them agrees, and how it ends then."""

    end: End
    steps: tuple[tuple[str, ...], ...]
    """By step, what is decided side by side, as `any of role:manager`."""
    why: str | None = None

    @property
    def automatic(self) -> bool:
        """Whether nobody was asked."""
        return not self.steps


class DryRun(TenantRow, Base):
    """What was tried, under the job's id."""

    __tablename__ = "dry_run"

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    process_id: Mapped[UUID]
    number: Mapped[int]
    """The version that was active: what it is compared with."""
    matrix: Mapped[str]
    """The matrix that was tried, as a DMN file."""
    since: Mapped[datetime | None]
    asked_at: Mapped[datetime]
    documents: Mapped[int]
    changes: Mapped[int]


class DryRunChange(TenantRow, Narrowed, Base):
    """A document that the matrix would treat otherwise."""

    __tablename__ = "dry_run_change"
    __table_args__ = (tenant_index("dry_run_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7, sort_order=-10)
    dry_run_id: Mapped[UUID]
    approval_id: Mapped[UUID]
    kind: Mapped[str]
    number: Mapped[str]
    amount: Mapped[int]
    currency: Mapped[str]
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]

    @classmethod
    def owned_within(cls, owners: frozenset[UUID]) -> ColumnElement[bool]:
        return seen_with_its_approval(cls.approval_id, owners)


trial = JobKind("workflow.dry_run")


def foresee(spec: Mapping[str, Any], given: dict[str, Any], zone: str = DEFAULT_ZONE) -> Outcome:
    """What a process makes of a document, when everybody who is asked agrees. Timers do not come; days are counted in `zone`."""
    asked: list[tuple[str, ...]] = []
    known: set[str] = set()
    now = clock.now()
    try:
        state = engine.start(dict(spec), given, now, zone=zone)
        for _ in range(_TURNS):
            if state.failed is not None:
                return Outcome("incident", tuple(asked), str(state.failed.why))
            if state.finished:
                end: End = "approved" if running.approves(state.outcome or {}) else "rejected"
                return Outcome(end, tuple(asked))
            people = [task for task in state.tasks if task.kind == "user"]
            if not people:
                break
            for task in people:
                if task.id not in known:
                    known.add(task.id)
                    asked.append(tuple(sorted(map(_said, running.requirements(task)))))
            # One after the other: where one of them has agreed, the process may ask the others no more.
            state.complete(people[0].id, running.decided(people[0], "approved", None, None), now)
    except (engine.Unevaluable, engine.Unexpected, ValueError) as error:
        return Outcome("incident", tuple(asked), str(error))
    return Outcome("waiting", tuple(asked))


async def start(tx: Tx, process: Process, dmn: bytes, since: datetime | None) -> UUID:
    """Ask for a dry run. Raises CannotRun, TooManyJobs."""
    version = await version_of(tx, process, process.active)
    compiled(Files.of(version).with_matrix(dmn), "/matrix")
    parameters = {"process_id": str(process.id), "number": process.active}
    id = await trial.start(tx, parameters)
    tx.add(
        DryRun(
            id=id,
            process_id=process.id,
            number=process.active,
            matrix=dmn.decode(),
            since=since,
            asked_at=clock.now(),
            documents=0,
            changes=0,
        )
    )
    return id


@trial.chunk
async def try_some(tx: Tx, run: Run) -> None:
    """Some documents, in the order in which they were submitted."""
    tried = await tx.get_one(DryRun, (tx.tenant_id, run.id))
    version = await _version(tx, tried)
    new = compiled(Files.of(version).with_matrix(tried.matrix.encode())).spec_json
    query = select(Approval).where(Approval.named.is_(None)).options(raiseload(Approval.tasks)).order_by(Approval.id)
    served = await _kinds(tx, tried.process_id)
    query = query.where(served)
    if tried.since is not None:
        query = query.where(Approval.created_at >= tried.since)
    if "after" in run.checkpoint:
        query = query.where(Approval.id > UUID(run.checkpoint["after"]))
    some = list(await tx.scalars(query.limit(AT_ONCE)))
    changes, zone = 0, await running.zone_of(tx, clock.now())
    for approval in some:
        given = running.inputs(approval.subject)
        before, after = foresee(version.spec, given, zone), foresee(new, given, zone)
        if (before.end, before.steps) != (after.end, after.steps):
            changes += 1
            tx.add(_change(run.id, approval, before, after))
    tried.documents += len(some)
    tried.changes += changes
    if some:
        run.advance({"after": str(some[-1].id)}, done=len(some), changed=changes, same=len(some) - changes)
    if len(some) < AT_ONCE:
        run.finish()


async def _version(tx: Tx, tried: DryRun) -> ProcessVersion:
    return await version_of(tx, await tx.find(Process, tried.process_id), tried.number)


async def _kinds(tx: Tx, process_id: UUID) -> Any:
    """Documents that the process serves: those for which the template names it, those of its kinds, and with `*` those that no other one serves."""
    named = await named_by_the_template(tx)
    mine, others = set[str](), set[str]()
    for id, kinds in (await tx.execute(select(Process.id, Process.kinds))).all():
        (mine if id == process_id else others).update(set(kinds) - named.keys())
    for kind, named_id in named.items():
        (mine if named_id == process_id else others).add(kind)
    return Approval.kind.not_in(others) if "*" in mine else Approval.kind.in_(mine)


def _change(dry_run_id: UUID, approval: Approval, before: Outcome, after: Outcome) -> DryRunChange:
    return DryRunChange(
        id=uuid7(),
        dry_run_id=dry_run_id,
        approval_id=approval.id,
        kind=approval.kind,
        number=approval.number,
        amount=approval.amount,
        currency=approval.currency,
        before=_shown(before),
        after=_shown(after),
    )


def _shown(outcome: Outcome) -> dict[str, Any]:
    return {
        "end": outcome.end,
        "automatic": outcome.automatic,
        "steps": [list(step) for step in outcome.steps],
        "why": outcome.why,
    }


def _said(row: Mapping[str, Any]) -> str:
    said = requirement(row)
    return f"{said.mode} of {said.approvers}"


def matrix_of(version: ProcessVersion) -> bytes | None:
    """The matrix of a version, as a DMN file."""
    text = version.decisions.get(MATRIX)
    return None if text is None else str(text).encode()
