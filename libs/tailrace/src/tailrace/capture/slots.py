"""A service's replication slot, seen and renewed under its capture role, by one process at a time.

A slot that is being renewed has a second one beside it (`…_repair`) until everything that its predecessor lost is in Kafka. So the slot's own
name stands for a promise, that nothing committed before it is missing in Kafka, also when a repair is cut off.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from tailrace.capture.canary import Witness, canary_id
from tailrace.capture.connectors import PUBLICATION
from tailrace.core.names import slot_name
from tailrace.service import Service
from tailrace.settings import Settings

_SLOTS = """SELECT slot_name, active_pid, wal_status, invalidation_reason, confirmed_flush_lsn - '0/0' AS confirmed
            FROM pg_replication_slots"""
_CANARIES = """SELECT now() - min(recorded_at) FILTER (WHERE $2::timestamptz IS NULL OR recorded_at > $2) AS missing,
                      now() - max(recorded_at) AS newest, pg_current_wal_insert_lsn() - '0/0' AS written
               FROM outbox WHERE aggregate_id = $1"""
_PASSED = """SELECT id, epoch, sequence FROM outbox, pg_replication_slots WHERE aggregate_id = $1 AND slot_name = $2 AND
             CASE aggregate_id WHEN $1 THEN (payload::json ->> 'position')::bigint END <= confirmed_flush_lsn - '0/0'
             ORDER BY epoch DESC, sequence DESC LIMIT 2"""
_PUBLISHED = (
    "SELECT true FROM pg_publication_tables WHERE pubname = $1 AND schemaname = 'public' AND tablename = 'outbox'"
)
LOST = "Kafka has lost what it had of it"
RELEASED = "tailrace.released"
"""A setting of a database whose service was uninstalled: nobody mends its capture, until it is prepared again."""
_INSTALLED = f"""SELECT datname FROM pg_database d WHERE NOT EXISTS (
    SELECT FROM pg_db_role_setting s WHERE s.setdatabase = d.oid AND s.setrole = 0 AND '{RELEASED}=on' = ANY (s.setconfig))"""
_TERMINATE = (
    "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1 AND active_pid IS NOT NULL"
)
_DROP_TIMEOUT, _CREATE_TIMEOUT = 20.0, 120.0


class RepairUnderWay(Exception):
    """Another process repairs this slot right now."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A row of pg_replication_slots. `confirmed` is the position, in bytes of the log, up to which everything was taken."""

    name: str
    active_pid: int | None
    wal_status: str | None
    invalidation_reason: str | None
    confirmed: int

    @property
    def lost(self) -> str | None:
        """Why it can never be read from again, or None."""
        if self.invalidation_reason is not None:
            return self.invalidation_reason
        return "wal_status is lost" if self.wal_status == "lost" else None


@dataclass(frozen=True, slots=True)
class Outbox:
    """What an outbox says of its canaries. Ages by the database's clock."""

    missing: timedelta | None
    """Age of the oldest canary that did not arrive, or None when all did."""
    newest: timedelta | None
    written: int
    """The log's end, in bytes: whatever is visible now was committed before it."""
    published: bool
    """Whether the publication holds the outbox."""


def spare_name(service: Service) -> str:
    """The slot that stands in while a new one is being made good."""
    return f"{slot_name(service.name)}_repair"


@asynccontextmanager
async def connected(service: Service, settings: Settings) -> AsyncIterator[Any]:
    """A connection to the service's database under its capture role. Raises OSError or asyncpg's errors."""
    connection = await asyncpg.connect(settings.database(service.name, "capture", "postgresql"), timeout=10)
    try:
        yield connection
    finally:
        await connection.close(timeout=5)


@asynccontextmanager
async def connected_to_any(services: Sequence[Service], settings: Settings) -> AsyncIterator[Any]:
    """A connection to the first of these services' databases that is there; each sees all slots. Raises what the last one did when none is."""
    for number, service in enumerate(services, 1):
        try:
            connection = await asyncpg.connect(settings.database(service.name, "capture", "postgresql"), timeout=10)
            break
        # Never prepared here: no database, or no role.
        except (asyncpg.InvalidCatalogNameError, asyncpg.InvalidAuthorizationSpecificationError):
            if number == len(services):
                raise
    try:
        yield connection
    finally:
        await connection.close(timeout=5)


async def installed(connection: Any) -> frozenset[str]:
    """The databases there are, by name, whose service was not released: those of the services to look after."""
    return frozenset(row[0] for row in await connection.fetch(_INSTALLED))


@asynccontextmanager
async def alone(connection: Any, service: Service) -> AsyncIterator[None]:
    """Hold the right to repair this service's slot. Raises RepairUnderWay. The lock ends with the connection, whatever happens."""
    name = f"tailrace.capture/{service.name}"
    if not await connection.fetchval("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", name):
        raise RepairUnderWay(f"another process repairs {service.name}")
    try:
        yield
    finally:
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await connection.execute("SELECT pg_advisory_unlock(hashtextextended($1, 0))", name)


async def leads(connection: Any) -> bool:
    """Whether this connection is the one whose watch looks and mends, from now until it ends. False while another's is."""
    return bool(await connection.fetchval("SELECT pg_try_advisory_lock(hashtextextended('tailrace.capture', 0))"))


async def slots(connection: Any) -> dict[str, Slot]:
    """Every slot of the server, by name."""
    rows = await connection.fetch(_SLOTS)
    return {row[0]: Slot(row[0], row[1], row[2], row[3], int(row["confirmed"] or 0)) for row in rows}


def fault(slot: Slot | None, *, spare: bool) -> str | None:
    """Why a service's slot does not hold what its name promises, or None. `spare` says whether the one of a repair is there."""
    if spare:
        return "a repair of its replication slot is unfinished"
    if slot is None:
        return "its replication slot is gone"
    return None if slot.lost is None else f"its replication slot is lost: {slot.lost}"


def is_ahead(slot: Slot, position: int | None) -> str | None:
    """What to say of a slot that let go of more than Kafka acknowledged, or None: it is not the one that the connector read from."""
    if position is None or slot.confirmed <= position:
        return None
    return "its replication slot is another one than its connector read from"


async def outbox(connection: Any, service: Service, arrived: datetime | None) -> Outbox:
    """What the outbox says, when the last canary that arrived was recorded then."""
    row = await connection.fetchrow(_CANARIES, canary_id(service.name), arrived)
    published = await connection.fetchval(_PUBLISHED, PUBLICATION) is True
    return Outbox(row["missing"], row["newest"], int(row["written"]), published)


async def forgotten(connection: Any, service: Service, witness: Witness | None) -> str | None:
    """What to say of a Kafka that holds no canary, though it acknowledged some, or None: it was lost, and what it held is in the outbox alone.

    A canary that the slot's reader has passed was committed before the next one was written, so the first of two arrived. One that a new slot
    begins behind did not; but a repair puts the last of those into Kafka itself.
    """
    if witness is not None:
        return None
    return LOST if len(await _passed(connection, service, slot_name(service.name))) > 1 else None


async def last_passed(connection: Any, service: Service, name: str, beyond: Witness | None) -> UUID | None:
    """The newest canary that was written before where that slot stands; None where there is none, or none beyond what Kafka holds."""
    passed = await _passed(connection, service, name)
    known = (beyond.epoch, beyond.sequence) if beyond else (0, 0)
    return passed[0]["id"] if passed and (passed[0]["epoch"], passed[0]["sequence"]) > known else None


async def _passed(connection: Any, service: Service, name: str) -> Sequence[Any]:
    found: Sequence[Any] = await connection.fetch(_PASSED, canary_id(service.name), name)
    return found


async def terminate(connection: Any, name: str) -> None:
    """End the session that reads a slot, if there is one."""
    await connection.fetch(_TERMINATE, name)


async def drop(connection: Any, name: str) -> None:
    """Drop a slot, ending the session that reads it; one that is not there is fine. Raises ConnectionError when its reader does not go."""
    deadline = time.monotonic() + _DROP_TIMEOUT
    while name in await slots(connection):
        await terminate(connection, name)
        try:
            await connection.execute("SELECT pg_drop_replication_slot($1)", name)
        except asyncpg.UndefinedObjectError:
            return
        except asyncpg.ObjectInUseError as error:
            if time.monotonic() > deadline:
                raise ConnectionError(f"the slot {name} is still being read: {error}") from error
            await asyncio.sleep(0.05)


async def create(connection: Any, name: str) -> None:
    """Make a slot that goes over to a standby: whatever commits after this returned can be read from it. It waits for open transactions."""
    await connection.fetchval(
        "SELECT pg_create_logical_replication_slot($1, 'pgoutput', failover => true)", name, timeout=_CREATE_TIMEOUT
    )


async def copy(connection: Any, source: str, name: str) -> None:
    """Make a slot that begins where another stands; it does not go over to a standby as yet."""
    await connection.fetchval("SELECT pg_copy_logical_replication_slot($1, $2)", source, name)


async def let_go_over(connection: Any, service: Service, settings: Settings, name: str) -> None:
    """Let a slot that nobody reads go over to a standby, as only the replication protocol can say of one that is there."""
    if await connection.fetchval("SELECT failover FROM pg_replication_slots WHERE slot_name = $1", name):
        return
    url = settings.database(service.name, "capture", "postgresql")
    replication = await asyncpg.connect(url, timeout=10, server_settings={"replication": "database"})
    try:
        await replication.execute(f"ALTER_REPLICATION_SLOT {name} (FAILOVER true)")
    finally:
        await replication.close(timeout=5)


async def restore_publication(service: Service, settings: Settings) -> None:
    """Put the outbox, its inserts alone, back into the publication, as the owner role."""
    owner = await asyncpg.connect(settings.database(service.name, "owner", "postgresql"), timeout=10)
    try:
        if not await owner.fetchval("SELECT true FROM pg_publication WHERE pubname = $1", PUBLICATION):
            await owner.execute(f"CREATE PUBLICATION {PUBLICATION} FOR TABLE outbox WITH (publish = 'insert')")
        elif not await owner.fetchval(_PUBLISHED, PUBLICATION):
            await owner.execute(f"ALTER PUBLICATION {PUBLICATION} ADD TABLE outbox")
    finally:
        await owner.close(timeout=5)
