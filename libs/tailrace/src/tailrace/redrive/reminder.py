"""Dead letters are reported unasked: in the health answer, from which `tailrace status` reads it, and once a minute in the log."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from tailrace.db.database import Database, Tx
from tailrace.db.error_classes import is_transient
from tailrace.db.tables import dead_letter
from tailrace.db.text_search.among import among
from tailrace.observability.logs import log

EVERY = 60.0
"""Seconds between two reminders in the log."""

_COUNT = (
    select(dead_letter.c.kind, func.count(), func.min(dead_letter.c.dead_lettered_at))
    .group_by(dead_letter.c.kind)
    .order_by(dead_letter.c.kind)
)


@dataclass(frozen=True, slots=True)
class DeadLetterCount:
    """How many dead letters there are, by kind, and since when the oldest."""

    kinds: Mapping[str, int]
    since: datetime | None

    @property
    def total(self) -> int:
        return sum(self.kinds.values())

    def as_json(self) -> dict[str, Any]:
        """`dead_letters`, and where it is not zero `dead_letter_kinds` and `dead_letters_since` (RFC 3339)."""
        if self.since is None:
            return {"dead_letters": 0}
        since = self.since.astimezone(UTC).isoformat(timespec="seconds")
        return {"dead_letters": self.total, "dead_letter_kinds": dict(self.kinds), "dead_letters_since": since}


async def count_dead_letters(database: Database) -> DeadLetterCount:
    """One query. Raises whatever the driver raises when the database does not answer or has no tables yet."""
    async with database.engine.connect() as connection:
        rows = [(kind, count, oldest) for kind, count, oldest in await connection.execute(_COUNT)]
    return DeadLetterCount({kind: count for kind, count, _ in rows}, min((oldest for *_, oldest in rows), default=None))


async def dead_letters_of(tx: Tx, subscriber: str) -> int:
    """How many dead letters of this tenant one subscriber has. A command that needs all of its events waits until there are none."""
    mine = select(func.count()).where(dead_letter.c.subscriber == subscriber, dead_letter.c.tenant_id == tx.tenant_id)
    return int(await tx.scalar(mine) or 0)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that could not be applied as yet: what it is about, its type, its place there, and the kind of dead letter that it is."""

    aggregate_id: UUID
    type: str | None
    sequence: int | None
    kind: str


async def dead_letters_about(tx: Tx, aggregate_ids: Collection[UUID]) -> Sequence[Waiting]:
    """Those of this tenant that are about any of these, by aggregate and sequence."""
    letter = dead_letter.c
    query = select(letter.aggregate_id, letter.type, letter.sequence, letter.kind).where(
        letter.tenant_id == tx.tenant_id, among(letter.aggregate_id, aggregate_ids)
    )
    return [Waiting(*row) for row in await tx.execute(query.order_by(letter.aggregate_id, letter.sequence))]


async def remind_forever(service: str, database: Database, stop: asyncio.Event, *, every: float = EVERY) -> None:
    """While there are dead letters, say so once a minute, until `stop`."""
    while not stop.is_set():
        try:
            _remind(service, await count_dead_letters(database))
        except Exception as error:
            if not is_transient(error):
                log.error("dead letters were not counted", exc_info=error)
        try:
            await asyncio.wait_for(stop.wait(), every)
        except TimeoutError:
            continue


def _remind(service: str, dead_letters: DeadLetterCount) -> None:
    if dead_letters.total:
        log.warning("dead letters wait", **dead_letters.as_json(), see=f"tailrace dlq list --service {service}")
