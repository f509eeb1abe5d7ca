"""Connect dies between sending records and storing its offset: they come to the topic a second time, and have no second effect."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer
from asking import free_port
from forkserver import ForkServer
from purse import Account, Transfer, service
from scenes import offsets

from tailrace.capture import canary
from tailrace.capture.connect_api import Rest
from tailrace.capture.connectors import connector_config
from tailrace.core.names import slot_name
from tailrace.kafka import clients
from tailrace.kafka.topics import create_topics
from tailrace.runtime import access
from tailrace.runtime.migrate import prepare_database
from tailrace.stack.embedded import Stack
from tailrace_testing import Harness
from tailrace_testing.databases import Databases
from tailrace_testing.gateway import eventually
from tailrace_testing.tokens import TestIssuer

TRANSFERS, OPENING = 60, 1000
DEATHS = 5
"""At most; Connect stores its offset once a second, and may have done so the moment before it dies."""


@pytest.fixture
async def purse(
    databases: Databases, issuer: TestIssuer, stack: Stack, kafka: str, connect_url: str
) -> AsyncIterator[Harness]:
    """The purse as the stack would run it: its own database and slot, its topic, its connector."""
    settings = databases.settings
    await prepare_database(settings.postgres, service, settings)
    await create_topics(kafka, ["purse.events", "purse.dlq"], 3, 1)
    await create_topics(kafka, [canary.TOPIC], 1, 1, settings=canary.TOPIC_SETTINGS)
    await asyncio.to_thread(access.grant, kafka, access.rights_of_connect([service]))
    async with Rest(connect_url) as rest:
        await rest.put(service.name, connector_config(service, settings))
    harness = Harness(service, databases, issuer, service.name)
    await harness.start()
    yield harness
    await harness.stop()

    async def withdrawn() -> bool:
        async with Rest(connect_url) as rest:
            return await rest.healthy() and await _delete(rest)

    await eventually(withdrawn, bool, what="the connector withdrawn")
    admin = await asyncpg.connect(settings.postgres)
    query = "SELECT count(pg_drop_replication_slot(slot_name)) FROM pg_replication_slots WHERE slot_name = $1 AND NOT active"
    await eventually(
        lambda: admin.fetchval(query, slot_name(service.name)), lambda count: count == 1, what="the slot free"
    )
    await admin.close()
    await databases.drop(service.name)


async def _delete(rest: Rest) -> bool:
    await rest.delete(service.name)
    return service.name not in await rest.statuses()


@pytest.mark.embedded("pauses or kills PostgreSQL, Kafka or Connect")
async def test_what_is_sent_twice_has_one_effect(
    purse: Harness, forkserver: ForkServer, stack: Stack, kafka: str
) -> None:
    settings = {"database_url": purse.settings.database_url, "kafka": kafka, "log_level": "ERROR"}
    life = forkserver.start("serve", service="purse", settings=settings, port=free_port(), parts=["consumer"])
    reader = AIOKafkaConsumer("purse.events", **clients.connection(kafka), auto_offset_reset="earliest")
    await reader.start()
    try:
        accounts = await _open(purse)
        seen: list[str] = []
        deaths = 0
        while len(seen) == len(set(seen)) and deaths < DEATHS:
            deaths += 1
            await _die(purse, stack, reader, seen, accounts)

        async def read() -> tuple[int, int]:
            await _more(reader, seen)
            return await offsets(kafka, "purse", "purse.events")

        await eventually(read, lambda found: found[0] == found[1] == len(seen), what="everything read")
        await _check(purse, deaths * TRANSFERS)
        assert len(seen) > len(set(seen)), "nothing was sent twice"
    finally:
        await reader.stop()
        await life.kill()


async def _die(
    purse: Harness, stack: Stack, reader: AIOKafkaConsumer, seen: list[str], accounts: tuple[Account, Account]
) -> None:
    """Connect is killed while events of transfers come to the topic, into `seen`; returns when all of them are there."""
    before, already, done = stack.pids()["connect"], len(seen), await _done(purse)
    writing = asyncio.create_task(_transfer(purse, *accounts))
    await eventually(lambda: _more(reader, seen), lambda ids: len(ids) >= already + 20, what="events in the topic")
    os.kill(before, signal.SIGKILL)
    await writing
    await eventually(lambda: _done(purse), lambda now: now == done + TRANSFERS, what="every transfer done")
    assert stack.pids()["connect"] != before
    rows = await purse.admin.fetch("SELECT id FROM outbox WHERE topic <> 'tailrace.canary'")
    events = {str(row["id"]) for row in rows}
    await eventually(lambda: _more(reader, seen), lambda ids: set(ids) == events, what="every event in its topic")


async def _open(purse: Harness) -> tuple[Account, Account]:
    async with purse.tx() as tx:
        source, target = Account.open(OPENING), Account.open(0)
        tx.add_all([source, target])
    return source, target


async def _transfer(purse: Harness, source: Account, target: Account) -> None:
    for _ in range(TRANSFERS):
        async with purse.tx() as tx:
            tx.add(Transfer.ask(source.id, target.id, 1))
        await asyncio.sleep(0.01)


async def _done(purse: Harness) -> int:
    return int(await purse.admin.fetchval("SELECT count(*) FROM saga WHERE state = 'done'"))


async def _more(reader: AIOKafkaConsumer, seen: list[str]) -> list[str]:
    """The ids of all records so far, into the list that it is given."""
    for records in (await reader.getmany(timeout_ms=200)).values():
        seen += [dict(record.headers)["ce_id"].decode() for record in records]
    return seen


async def _check(purse: Harness, transfers: int) -> None:
    balances = await purse.admin.fetch("SELECT balance FROM account ORDER BY balance")
    assert [row["balance"] for row in balances] == [transfers, OPENING - transfers]
    events = Counter(
        row["type"] for row in await purse.admin.fetch("SELECT type FROM outbox WHERE topic <> 'tailrace.canary'")
    )
    each = ("transfer.asked", "account.debited", "transfer.credit_requested", "account.credited")
    assert events == {"account.opened": 2} | dict.fromkeys(each, transfers)
    assert await purse.admin.fetchval("SELECT count(*) FROM dead_letter") == 0
    assert await purse.admin.fetchval("SELECT count(*) FROM timer") == 0
