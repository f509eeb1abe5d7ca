"""A job is long work in chunks: each is one transaction, which also says how far the work is, so that none is done twice and none is left out::

    recount = JobKind("stock.recount")

    @recount.chunk
    async def some(tx: Tx, run: Run) -> None:
        ...                                       # a second or so of work, from run.checkpoint on
        run.advance({"after": str(last)}, done=200)
        if nothing_left:
            run.finish()

What a chunk says in `run` is written with its transaction.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar
from uuid import UUID

from sqlalchemy import bindparam, func, insert, select, update

from tailrace.core.errors import Refused
from tailrace.core.ids import uuid7
from tailrace.db.database import Tx
from tailrace.db.tables import job, job_piece, job_queue

State = Literal["queued", "running", "succeeded", "failed", "cancelled"]
OPEN: tuple[State, ...] = ("queued", "running")
MOST_OPEN = 2000
"""Jobs of one tenant that may wait or run in a service at once."""
MOST_MESSAGES = 50
KEPT_DAYS = 30
"""How long a job that ended can be read, and what it made can be fetched."""

_OPEN_OF_TENANT = select(func.count()).select_from(
    select(job_queue.c.id)
    .where(job_queue.c.tenant_id == bindparam("tenant"), ~job_queue.c.ended)
    .limit(MOST_OPEN)
    .subquery()
)
_PIECE = insert(job_piece)


class TooManyJobs(Refused):
    """409: the tenant has as many jobs under way here as it may."""

    slug, title = "too-many-jobs", "Too many jobs are under way"


class Later(Exception):
    """Raised by a chunk that waits for something: it is undone, and tried again a second later, a few times."""


@dataclass
class Run:
    """A job as its chunk sees it. What a chunk changes here is written with its transaction, and lost with it."""

    id: UUID
    parameters: Mapping[str, Any]
    checkpoint: Mapping[str, Any]
    done: int = 0
    total: int | None = None
    counts: dict[str, int] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    attempt: int = 1
    """How often this chunk was begun, this time included."""
    state: State = "running"

    def advance(self, checkpoint: Mapping[str, Any], *, done: int = 0, **counts: int) -> None:
        """From where the next chunk goes on, how much this one did, and of what kinds."""
        self.checkpoint = dict(checkpoint)
        self.done += done
        for name, number in counts.items():
            self.counts[name] = self.counts.get(name, 0) + number

    def say(self, message: str) -> None:
        """Tell the one who asked for it. What is beyond `MOST_MESSAGES` is left out."""
        if len(self.messages) < MOST_MESSAGES:
            self.messages.append(message)

    def finish(self) -> None:
        """The work is done."""
        self.state = "succeeded"

    def fail(self, why: str) -> None:
        """The work cannot be done. What chunks before this one did stays."""
        self.messages = [*self.messages[: MOST_MESSAGES - 1], why]
        self.state = "failed"


Chunk = Callable[[Tx, Run], Awaitable[None]]
AnyChunk = TypeVar("AnyChunk", bound=Chunk)


class JobKind:
    """A kind of long work, by its name, which begins with the service's."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._chunk: Chunk | None = None

    def chunk(self, handler: AnyChunk) -> AnyChunk:
        """Register `async def handler(tx, run)`, which does a second or so of the work, and says how far it is."""
        self._chunk = handler
        return handler

    async def work(self, tx: Tx, run: Run) -> None:
        if self._chunk is None:
            raise RuntimeError(f"the job {self.name} has no chunk")
        await self._chunk(tx, run)

    async def start(
        self, tx: Tx, parameters: Mapping[str, Any], *, total: int | None = None, id: UUID | None = None
    ) -> UUID:
        """Ask for it, in the transaction that needs it: JSON-ready parameters, and how much there is to do where that is known.

        `id` is one that pieces were kept under already. Raises TooManyJobs.
        """
        if int(await tx.scalar(_OPEN_OF_TENANT, {"tenant": tx.tenant_id}) or 0) >= MOST_OPEN:
            raise TooManyJobs(f"At most {MOST_OPEN} jobs may be under way; wait for some to end, or cancel them.")
        if tx.context.user_id is None:
            raise RuntimeError("a job belongs to somebody")
        id = id or uuid7()
        asked = {
            "tenant_id": tx.tenant_id,
            "id": id,
            "kind": self.name,
            "user_id": tx.context.user_id,
            "state": "queued",
            "parameters": dict(parameters),
            "checkpoint": {},
            "total": total,
            "counts": {},
            "messages": [],
            "correlation_id": tx.context.correlation_id,
            "traceparent": tx.context.traceparent,
        }
        await tx.execute(insert(job), asked)
        await tx.execute(insert(job_queue), {"id": id, "tenant_id": tx.tenant_id, "kind": self.name})
        tx.makes_due()
        return id


async def cancel(tx: Tx, id: UUID) -> bool:
    """End a job where it is; the chunk under way is undone. False when it had ended already.

    The lease is taken away first, in the order of the runner: a process that has it cannot commit.
    """
    taken = (
        update(job_queue)
        .where(job_queue.c.id == id, job_queue.c.tenant_id == tx.tenant_id, ~job_queue.c.ended)
        .values(**ended_queue())
        .returning(job_queue.c.id)
    )
    if (await tx.execute(taken)).first() is None:
        return False
    await tx.execute(
        update(job)
        .where(job.c.tenant_id == tx.tenant_id, job.c.id == id)
        .values(state="cancelled", ended_at=func.now(), updated_at=func.now())
    )
    return True


async def retry(tx: Tx, id: UUID) -> bool:
    """Go on with a job that failed, from where it was. False when it did not fail, or its pieces are forgotten."""
    failed = select(job.c.id).where(job.c.tenant_id == tx.tenant_id, job.c.id == id, job.c.state == "failed")
    again = {"ended": False, "leased_until": None, "attempts": 0, "fence": job_queue.c.fence + 1, "due_at": func.now()}
    taken = (
        update(job_queue).where(job_queue.c.id.in_(failed), job_queue.c.ended).values(again).returning(job_queue.c.id)
    )
    if (await tx.execute(taken)).first() is None:
        return False
    values = {"state": "queued", "ended_at": None, "updated_at": func.now()}
    await tx.execute(update(job).where(job.c.tenant_id == tx.tenant_id, job.c.id == id).values(values))
    tx.makes_due()
    return True


def ended_queue() -> dict[str, Any]:
    """What the queue says of a job that ended: nobody has it, and its rows go some day."""
    kept = func.make_interval(0, 0, 0, KEPT_DAYS)
    return {"ended": True, "leased_until": None, "fence": job_queue.c.fence + 1, "due_at": func.now() + kept}


async def put_piece(tx: Tx, job_id: UUID, name: str, number: int, content: bytes) -> None:
    """Keep a piece of what a job works on, or makes, until the job is forgotten. Numbers begin with 0."""
    row = {"tenant_id": tx.tenant_id, "job_id": job_id, "name": name, "number": number, "content": content}
    await tx.execute(_PIECE, row)


async def piece(tx: Tx, job_id: UUID, name: str, number: int) -> bytes | None:
    """One piece; None when there is none of that number."""
    c = job_piece.c
    which = (c.tenant_id == tx.tenant_id, c.job_id == job_id, c.name == name, c.number == number)
    found: bytes | None = await tx.scalar(select(c.content).where(*which))
    return found
