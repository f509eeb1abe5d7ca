"""What a service leaves behind when it is uninstalled: no connector, and no slot that would hold the write-ahead log for ever.

The database stays, and with it every row of the outbox that is retained: a service that is installed again gets a new slot, and what did not reach
Kafka is published then (`tailrace.capture.repair`).
"""

import asyncio
import time
from collections.abc import Callable

import asyncpg

from tailrace.capture import slots
from tailrace.capture.connect_api import Rest
from tailrace.core.names import slot_name
from tailrace.service import Service
from tailrace.settings import Settings

DRAINED_WITHIN = 30.0
"""Seconds in which the connector may still carry what was committed."""


async def release(service: Service, settings: Settings, rest: Rest, say: Callable[[str], None]) -> None:
    """Remove the connector and the slots of a service that nothing writes to any more. A second time it changes nothing.

    Raises OperatorError, RepairUnderWay, OSError or asyncpg's errors; then it can be run again.
    """
    try:
        async with slots.connected(service, settings) as connection, slots.alone(connection, service):
            # First, so that no watch brings back what is removed next.
            await _mark(service, settings)
            carried = await _drained(connection, service, rest)
            await rest.delete(service.name)
            for name in (slot_name(service.name), slots.spare_name(service)):
                await slots.drop(connection, name)
    except asyncpg.InvalidCatalogNameError:  # no such database, so no slot of it either
        await rest.delete(service.name)
        say("its connector is removed; there is no database")
        return
    say("its connector and its replication slot are removed; the database stays")
    if not carried:
        say("what did not reach Kafka is in its outbox, and is published when the service is installed again")


async def _mark(service: Service, settings: Settings) -> None:
    admin = await asyncpg.connect(settings.postgres, timeout=10)
    try:
        await admin.execute(f'ALTER DATABASE "{service.name}" SET {slots.RELEASED} = on')
    finally:
        await admin.close(timeout=5)


async def _drained(connection: asyncpg.Connection, service: Service, rest: Rest) -> bool:
    """Whether everything that was committed before now is in Kafka."""
    written = int(await connection.fetchval("SELECT pg_current_wal_insert_lsn() - '0/0'"))
    deadline = time.monotonic() + DRAINED_WITHIN
    while True:
        slot = (await slots.slots(connection)).get(slot_name(service.name))
        if slot is None or slot.lost is not None:
            return False
        if slot.confirmed >= written:
            return True
        status = (await rest.statuses()).get(service.name)
        running = status is not None and any(task["state"] == "RUNNING" for task in status["tasks"])
        if not running or time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.2)
