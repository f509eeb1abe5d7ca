"""A redrive that a person asked for is kept: who, when, why, which event it began with, and what it came to.

The row is written before the first event is tried, so a redrive that was cut off is there too, without an end.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, insert, update

from tailrace.core.context import Context
from tailrace.core.ids import uuid7
from tailrace.db.database import Database
from tailrace.db.tables import redriven
from tailrace.redrive.redriver import Head, Outcome, Redriver


@dataclass(frozen=True, slots=True)
class Request:
    """Who wants something redriven, and why."""

    by: str
    because: str


async def redrive_because(request: Request, redriver: Redriver, database: Database, head: Head, type: str) -> Outcome:
    """Redrive the aggregate that `head` stands at the front of. Raises what `Redriver.redrive` raises."""
    id = await _begin(request, database, head, type)
    outcome = await redriver.redrive(head.pair)
    stopped = outcome.stopped
    ended = {
        "ended_at": func.now(),
        "applied": outcome.applied,
        "duplicates": outcome.duplicates,
        **({} if stopped is None else {"stopped_at": stopped.sequence, "stopped_kind": stopped.kind}),
        **({} if stopped is None else {"stopped_reason": stopped.reason}),
    }
    async with database.transaction(Context(tenant_id=None)) as tx:
        await tx.execute(update(redriven).where(redriven.c.id == id).values(ended))
    return outcome


async def _begin(request: Request, database: Database, head: Head, type: str) -> UUID:
    id = uuid7()
    row = {
        "id": id,
        "subscriber": head.place.subscriber,
        "topic": head.place.topic,
        "partition": head.place.partition,
        "offset": head.place.offset,
        "aggregate_id": head.aggregate_id,
        "epoch": head.epoch,
        "sequence": head.sequence,
        "tenant_id": head.tenant_id,
        "type": type,
        "kind": head.kind,
        "reason": head.reason,
        "because": request.because,
        "redriven_by": request.by,
    }
    async with database.transaction(Context(tenant_id=None)) as tx:
        await tx.execute(insert(redriven).values(row))
    return id
