"""Jobs go on by chunks, tenants in turn, and each chunk is done once: a process that lost its lease cannot commit.

A lease is a number that rises (a fencing token). A chunk's transaction ends by comparing it, under the lock of the queue's row; the heartbeat only
keeps others from beginning the same chunk in vain. What dies in between is rolled back, and begun again from its checkpoint when the lease is over.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from opentelemetry.trace import SpanKind
from sqlalchemy import and_, delete, func, or_, select, update

from tailrace.core.context import Context
from tailrace.core.errors import Problem
from tailrace.db.database import Database, Tx
from tailrace.db.error_classes import is_conflict, is_transient, is_uncertain
from tailrace.db.lookout import Lookout
from tailrace.db.tables import job, job_piece, job_queue
from tailrace.jobs.kinds import JobKind, Later, Run, ended_queue
from tailrace.observability import tracing
from tailrace.observability.logs import log

LEASE = 30.0
"""Seconds until a chunk whose process died is begun again."""
_MOST_ATTEMPTS = 5
_PAUSE = 1.0
_AT_ONCE_OF_TENANT = 2
"""Chunks of one tenant that all processes together have under way."""
_queue = job_queue.c


class _Lost(Exception):
    """Somebody else has the lease, or the job was cancelled."""


@dataclass(frozen=True, slots=True)
class _Lease:
    id: UUID
    tenant_id: UUID
    kind: str
    fence: int
    attempt: int
    ended: bool


class JobRunner:
    """Goes on with the jobs of one service; several processes share the work. `lease` in seconds."""

    def __init__(self, database: Database, kinds: Sequence[JobKind], *, lease: float = LEASE) -> None:
        self._database = database
        self._kinds = {kind.name: kind for kind in kinds}
        self._lease = lease
        self._turns: dict[UUID, int] = {}
        self._turn = 0

    async def run(self, stop: asyncio.Event, lookout: Lookout) -> None:
        """Until `stop`: whenever the lookout says that something is due. What a process that died was at is found by its look every so often."""
        free = or_(_queue.leased_until.is_(None), _queue.leased_until < func.now())
        ours = or_(_queue.kind.in_(self._kinds), _queue.ended)
        post = lookout.post("jobs", select(func.min(_queue.due_at)).where(free, ours))
        while self._kinds and not stop.is_set():
            try:
                worked = await self.step()
            except Exception as error:
                if not is_transient(error):
                    log.error("jobs failed", exc_info=error)
                worked = False
            if not worked:
                await post.rest(stop)

    async def step(self) -> bool:
        """One chunk of the tenant whose turn it is; whether there was any."""
        lease = await self._take()
        if lease is None:
            return False
        if lease.ended:
            await self._forget(lease)
            return True
        beat = asyncio.create_task(self._heartbeat(lease))
        work = asyncio.create_task(self._work(lease))
        try:
            await asyncio.wait({beat, work}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # A heartbeat ends by itself when the lease is lost, and then the chunk has nothing left to win.
            for task in (beat, work):
                if not (task is work and work.done()):
                    task.cancel()
            await asyncio.gather(beat, work, return_exceptions=True)
        if not work.cancelled():
            await work
        return True

    async def drain(self, most: int = 100_000) -> int:
        """Chunks until nothing is due; how many."""
        steps = 0
        while steps < most and await self.step():
            steps += 1
        return steps

    async def _take(self) -> _Lease | None:
        """Lease the job that waits longest of the tenant that was served longest ago."""
        free = or_(_queue.leased_until.is_(None), _queue.leased_until < func.now())
        due = and_(_queue.due_at <= func.now(), free, or_(_queue.kind.in_(self._kinds), _queue.ended))
        if not await self._database.finds(select(_queue.id).where(due).limit(1)):
            return None
        async with self._database.transaction(Context(tenant_id=None)) as tx:
            waiting = list(await tx.scalars(select(_queue.tenant_id).where(due).distinct()))
            for tenant in sorted(waiting, key=lambda each: self._turns.get(each, 0)):
                if (lease := await self._lease_one(tx, tenant, due)) is not None:
                    self._turn += 1
                    self._turns = {each: turn for each, turn in self._turns.items() if each in waiting}
                    self._turns[tenant] = self._turn
                    return lease
        return None

    async def _lease_one(self, tx: Tx, tenant: UUID, due: Any) -> _Lease | None:
        under_way = select(func.count()).where(_queue.tenant_id == tenant, _queue.leased_until > func.now())
        if int(await tx.scalar(under_way) or 0) >= _AT_ONCE_OF_TENANT:
            return None
        mine = select(_queue.id).where(due, _queue.tenant_id == tenant)
        first = mine.order_by(_queue.ended, _queue.due_at, _queue.id).limit(1).with_for_update(skip_locked=True)
        leased = await tx.execute(
            update(job_queue)
            .where(_queue.id == first.scalar_subquery())
            .values(fence=_queue.fence + 1, attempts=_queue.attempts + 1, leased_until=self._until())
            .returning(_queue.id, _queue.kind, _queue.fence, _queue.attempts, _queue.ended)
        )
        row = leased.one_or_none()
        return None if row is None else _Lease(row.id, tenant, row.kind, row.fence, row.attempts, row.ended)

    async def _work(self, lease: _Lease) -> None:
        try:
            if lease.attempt > _MOST_ATTEMPTS:
                await self._end(lease, f"Given up: a part of it broke off {_MOST_ATTEMPTS} times.")
                return
            await self._chunk(lease)
        except _Lost:
            log.info("job's lease lost", job=str(lease.id))
        except Exception as error:
            await self._failed(lease, error)

    async def _chunk(self, lease: _Lease) -> None:
        """See the module: the work, its checkpoint, and the lease given back, in one transaction."""
        async with self._database.transaction(Context(tenant_id=lease.tenant_id)) as tx:
            found = await tx.execute(select(job).where(job.c.tenant_id == lease.tenant_id, job.c.id == lease.id))
            row = found.mappings().one()
            with tracing.span(f"job {lease.kind}", SpanKind.INTERNAL, row["traceparent"]) as traceparent:
                tx.context = Context(lease.tenant_id, row["user_id"], row["correlation_id"], None, traceparent)
                run = Run(
                    id=lease.id,
                    parameters=row["parameters"],
                    checkpoint=row["checkpoint"],
                    done=row["done"],
                    total=row["total"],
                    counts=dict(row["counts"]),
                    messages=list(row["messages"]),
                    attempt=lease.attempt,
                )
                await self._kinds[lease.kind].work(tx, run)
                await tx.settle()
                await self._write(tx, lease, run)

    async def _write(self, tx: Tx, lease: _Lease, run: Run) -> None:
        """Raises _Lost when the lease is another's by now: everything in the transaction is undone."""
        over = run.state not in {"queued", "running"}
        # A turn takes the job to the end of its tenant's queue, so that a long one does not stand before the short ones.
        given_back = {"leased_until": None, "attempts": 0, "due_at": func.clock_timestamp()}
        await self._update_mine(tx, lease, ended_queue() if over else given_back)
        written = {
            "state": run.state,
            "checkpoint": dict(run.checkpoint),
            "done": run.done,
            "total": run.total,
            "counts": run.counts,
            "messages": run.messages,
            "updated_at": func.now(),
            **({"ended_at": func.now()} if over else {}),
        }
        await tx.execute(update(job).where(job.c.tenant_id == lease.tenant_id, job.c.id == lease.id).values(**written))

    async def _failed(self, lease: _Lease, error: Exception) -> None:
        """Try again what may pass, a few times what waits or may pass; end the job with anything else."""
        passing = is_transient(error)
        if passing or is_conflict(error) or is_uncertain(error) or isinstance(error, Later):
            log.warning("job put off", job=str(lease.id), kind=lease.kind, error=type(error).__name__)
            with suppress(_Lost):
                async with self._database.transaction(Context(tenant_id=None)) as tx:
                    later = func.now() + func.make_interval(0, 0, 0, 0, 0, 0, _PAUSE)
                    again = {"leased_until": None, "due_at": later}
                    # What says nothing about the work counts for nothing.
                    await self._update_mine(tx, lease, {**again, "attempts": 0} if passing else again)
                    tx.makes_due(_PAUSE)
            return
        if isinstance(error, Problem) and error.status < 500:
            why = error.detail or error.title
        else:
            log.error("job failed", job=str(lease.id), kind=lease.kind, exc_info=error)
            why = "Something went wrong that nobody foresaw; the service's log has the reason."
        with suppress(_Lost):
            await self._end(lease, why)

    async def _end(self, lease: _Lease, why: str) -> None:
        """As failed; what chunks before did stays."""
        async with self._database.transaction(Context(tenant_id=lease.tenant_id)) as tx:
            await self._update_mine(tx, lease, ended_queue())
            said = func.jsonb_build_array(why)
            await tx.execute(
                update(job)
                .where(job.c.tenant_id == lease.tenant_id, job.c.id == lease.id)
                .values(state="failed", messages=job.c.messages + said, ended_at=func.now(), updated_at=func.now())
            )

    async def _forget(self, lease: _Lease) -> None:
        """Delete a job that ended long enough ago, with its pieces."""
        async with self._database.transaction(Context(tenant_id=lease.tenant_id)) as tx:
            which = {"tenant_id": lease.tenant_id}
            await tx.execute(delete(job_piece).filter_by(**which, job_id=lease.id))
            await tx.execute(delete(job).filter_by(**which, id=lease.id))
            await tx.execute(delete(job_queue).where(_queue.id == lease.id))

    async def _heartbeat(self, lease: _Lease) -> None:
        """Keep the lease while the chunk is at work; ends when it is lost."""
        while True:
            await asyncio.sleep(self._lease / 3)
            try:
                async with self._database.transaction(Context(tenant_id=None)) as tx:
                    await self._update_mine(tx, lease, {"leased_until": self._until()})
            except _Lost:
                return
            except Exception as error:
                log.warning("job's heartbeat missed", job=str(lease.id), error=type(error).__name__)

    async def _update_mine(self, tx: Tx, lease: _Lease, values: dict[str, Any]) -> None:
        """Raises _Lost."""
        mine = (_queue.id == lease.id, _queue.fence == lease.fence, ~_queue.ended)
        if (await tx.execute(update(job_queue).where(*mine).values(**values).returning(_queue.id))).first() is None:
            raise _Lost

    def _until(self) -> Any:
        return func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, self._lease)
