"""Whether a database is still the one whose events Kafka holds: each canary says which server wrote it, on which timeline and how far its log was.

A database that was put back from a backup, or from a standby that lagged, has forgotten what readers know. Left alone, it would give the same
sequences to other events, and every reader would pass over them as duplicates.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tailrace.capture.canary import TIMELINE, Witness, canary_id
from tailrace.service import Service

_SERVER = f"SELECT system_identifier::text AS system, {TIMELINE} AS timeline, pg_postmaster_start_time() AS started FROM pg_control_system()"
_FOUND = f"""
    SELECT system_identifier::text AS system, {TIMELINE} AS timeline, (pg_current_wal_insert_lsn() - '0/0')::bigint AS written,
           (SELECT id FROM outbox WHERE aggregate_id = $1 AND sequence = $2) AS there,
           (SELECT max(sequence) FROM outbox WHERE aggregate_id = $1) AS newest,
           (SELECT max(epoch) FROM database_history WHERE accepted_at IS NOT NULL) AS epoch,
           (SELECT max(epoch) FROM database_history WHERE accepted_at IS NULL) AS pending,
           (SELECT reason FROM database_history WHERE accepted_at IS NULL ORDER BY epoch DESC LIMIT 1) AS reason,
           (SELECT lost FROM database_history WHERE accepted_at IS NULL ORDER BY epoch DESC LIMIT 1) AS lost
    FROM pg_control_system()"""


@dataclass(frozen=True, slots=True)
class Server:
    """A run of a database server. A database is put back by starting the server on other files, so nothing needs to be compared within one run."""

    system: str
    timeline: int
    started: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """What a database says of itself. `written` is where its log ends, in bytes."""

    system: str
    timeline: int
    written: int
    there: UUID | None
    """The id of the canary in the witness's place."""
    newest: int | None
    """The newest canary's sequence."""
    epoch: int
    pending: int | None
    """The epoch that begins when an operator has decided; None when there is nothing to decide."""
    reason: str | None
    """Why it is to be decided."""
    lost: int | None
    """How many events readers have seen that are not there; None when that was not counted yet."""


async def server(connection: Any) -> Server:
    """The server behind a connection."""
    row = await connection.fetchrow(_SERVER)
    return Server(row["system"], row["timeline"], row["started"])


async def look(connection: Any, service: Service, witness: Witness | None) -> Found:
    """What a service's database says, under its capture role. Raises asyncpg's errors."""
    row = await connection.fetchrow(_FOUND, canary_id(service.name), witness.sequence if witness else 0)
    return Found(**{**row, "epoch": row["epoch"] or 1})


def fault(witness: Witness | None, found: Found, acknowledged: int | None = None) -> str | None:
    """Why it is not the database whose events Kafka holds, or None. `acknowledged` is where Connect's stored offset stands, in bytes of the log.

    A witness of an earlier epoch says nothing: what it knew was decided about. One that is missing below the oldest canary was forgotten in time.
    """
    if witness is None or witness.epoch < found.epoch:
        return None
    said = f"canary {witness.sequence:,} of {witness.recorded_at:%Y-%m-%d %H:%M:%S} UTC arrived in Kafka"
    if found.newest is None or found.newest < witness.sequence:
        return f"{said}, and its newest is {found.newest or 0:,}"
    if found.there is not None and found.there != witness.id:
        return f"{said}, and another stands in its place"
    if witness.system and found.system != witness.system:
        return f"{said} from the server {witness.system}, and this is {found.system}"
    if witness.system and found.timeline != witness.timeline:
        return f"{said} on timeline {witness.timeline}, and this is timeline {found.timeline}"
    known = max(witness.position, acknowledged or 0)
    if found.written < known:
        return f"Kafka has read its log up to byte {known:,}, and it ends at {found.written:,}"
    return None
