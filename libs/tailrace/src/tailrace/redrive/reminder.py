"""What is parked is reported without anybody asking: in the health answer, from which `tailrace status` reads it, and again and again in the log."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select

from tailrace.db.database import Database, Tx
from tailrace.db.error_classes import is_transient
from tailrace.db.tables import parked
from tailrace.observability.logs import log

EVERY = 60.0
"""Seconds between two reminders in the log."""

_COUNT = (
    select(parked.c.kind, func.count(), func.min(parked.c.parked_at)).group_by(parked.c.kind).order_by(parked.c.kind)
)


@dataclass(frozen=True, slots=True)
class DeadLetterCount:
    """How many events are parked, by kind, and since when the oldest of them."""

    kinds: Mapping[str, int]
    since: datetime | None

    @property
    def total(self) -> int:
        return sum(self.kinds.values())

    def as_json(self) -> dict[str, Any]:
        """`parked`, and where it is not zero `parked_kinds` and `parked_since` (RFC 3339)."""
        if self.since is None:
            return {"parked": 0}
        since = self.since.astimezone(UTC).isoformat(timespec="seconds")
        return {"parked": self.total, "parked_kinds": dict(self.kinds), "parked_since": since}


async def count_parked(database: Database) -> DeadLetterCount:
    """One query. Raises whatever the driver raises when the database does not answer or has no tables yet."""
    async with database.engine.connect() as connection:
        rows = [(kind, count, oldest) for kind, count, oldest in await connection.execute(_COUNT)]
    return DeadLetterCount({kind: count for kind, count, _ in rows}, min((oldest for *_, oldest in rows), default=None))


async def parked_for(tx: Tx, subscriber: str) -> int:
    """How many events of this tenant one subscriber has parked: what a command must wait for that needs all of them."""
    mine = select(func.count()).where(parked.c.subscriber == subscriber, parked.c.tenant_id == tx.tenant_id)
    return int(await tx.scalar(mine) or 0)


async def remind_forever(service: str, database: Database, stop: asyncio.Event, *, every: float = EVERY) -> None:
    """While anything is parked, say so once a minute, until `stop`."""
    while not stop.is_set():
        try:
            _remind(service, await count_parked(database))
        except Exception as error:
            if not is_transient(error):
                log.error("parked events were not counted", exc_info=error)
        try:
            await asyncio.wait_for(stop.wait(), every)
        except TimeoutError:
            continue


def _remind(service: str, dead_letters: DeadLetterCount) -> None:
    if dead_letters.total:
        log.warning("events are parked", **dead_letters.as_json(), see=f"tailrace dlq list --service {service}")
