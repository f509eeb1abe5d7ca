"""The outbox is transport, not an archive: what is older than seven days, and surely in Kafka, is deleted in batches.

Surely means: recorded well before a canary that has arrived. Deleting publishes nothing, and event-sourced tables keep their own events for ever.
"""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, func, literal, select

from tailrace.capture.canary import canary_id, canary_reader
from tailrace.core.context import Context
from tailrace.db.database import Database
from tailrace.db.tables import outbox
from tailrace.observability.logs import log

KEPT = timedelta(days=7)
"""Kit migration 0005 lets a service delete no younger row, whatever is asked here."""
MARGIN = timedelta(hours=1)
"""A row is as old as its transaction's beginning, and is captured at its end: no transaction lasts so long."""
_BATCH, _EVERY = 1000, 3600.0
_EXPIRED = (
    select(outbox.c.id)
    .where(outbox.c.recorded_at < func.least(func.now() - KEPT, bindparam("arrived")))
    .order_by(outbox.c.recorded_at)
    .limit(bindparam("most"))
)
_PRUNE = delete(outbox).where(outbox.c.id.in_(_EXPIRED)).returning(literal(1))


async def prune(database: Database, last_arrived: datetime, most: int = _BATCH) -> int:
    """Delete rows of every tenant that are old and were captured, at most so many; returns how many.

    `last_arrived` is when the newest canary that arrived in Kafka was recorded.
    """
    # Without a tenant, row-level security shows exactly the rows that are old enough (kit migration 0005).
    async with database.transaction(Context(tenant_id=None)) as tx:
        return len((await tx.execute(_PRUNE, {"arrived": last_arrived - MARGIN, "most": most})).all())


async def prune_all(database: Database, service: str, kafka: str) -> int:
    """Delete everything that may go, in batches; returns how many rows that was. Without a canary in Kafka nothing goes.

    Raises OSError while Kafka does not answer.
    """
    async with canary_reader(kafka) as canaries:
        arrival = (await canaries.newest()).get(canary_id(service))
    if arrival is None:
        return 0
    gone = 0
    while (batch := await prune(database, arrival.recorded_at)) > 0:
        gone += batch
    return gone


async def prune_forever(database: Database, service: str, kafka: str, stop: asyncio.Event) -> None:
    """Prune now and every hour until stopped. A database or a Kafka that is down is met again an hour later."""
    while not stop.is_set():
        try:
            if gone := await prune_all(database, service, kafka):
                log.info("outbox pruned", rows=gone)
        except Exception as error:
            log.warning("outbox not pruned", error=type(error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _EVERY)
