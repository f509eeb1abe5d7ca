"""A service of one's own on the real Kafka: its database, topic and group are shared with nobody, so that many scenes play at once.

What Debezium would carry from the outbox to the topic is carried by `Scene.pump`, each record twice, as at-least-once allows.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from asking import free_port
from failpoints import Failpoint
from forkserver import ForkServer, Life

from tailrace.kafka import clients
from tailrace.kafka.topics import create_topics
from tailrace.service import Service
from tailrace_testing import Harness
from tailrace_testing.databases import Databases
from tailrace_testing.tokens import TestIssuer

AT_ONCE = 6
_HEADERS = {
    "id": "ce_id",
    "type": "ce_type",
    "source": "ce_source",
    "aggregate_id": "ce_subject",
    "dataschema": "ce_dataschema",
    "tenant_id": "ce_tenantid",
    "sequence": "ce_sequence",
    "epoch": "ce_epoch",
    "correlation_id": "ce_correlationid",
    "causation_id": "ce_causationid",
    "actor_id": "ce_actorid",
}


class Scene:
    """One service, one topic with one partition, one group."""

    def __init__(self, name: str, harness: Harness, forkserver: ForkServer, kafka: str, topic: str) -> None:
        self.name = name
        self.harness = harness
        self.topic = f"{topic}.{name}"
        self.group = f"{harness.service.name}.{name}"
        self.held: set[str] = set()
        """Types of events that the pump does not carry yet."""
        self._forkserver = forkserver
        self._kafka = kafka
        self._lives: list[Life] = []

    async def __aenter__(self) -> "Scene":
        self._producer = AIOKafkaProducer(**clients.connection(self._kafka), acks="all", enable_idempotence=True)
        await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        for life in self._lives:
            await life.kill()
        await self._producer.stop()

    def start(self, *points: Failpoint) -> Life:
        settings = {"database_url": self.harness.settings.database_url, "kafka": self._kafka, "log_level": "ERROR"}
        given = {"settings": settings, "port": free_port(), "parts": ["consumer"], "scene": self.name}
        life = self._forkserver.start("serve", points, service=self.harness.service.name, **given)
        self._lives.append(life)
        return life

    async def produce(self, records: Iterable[ConsumerRecord]) -> None:
        for record in records:
            await self._producer.send(self.topic, record.value, record.key, headers=list(record.headers))
        await self._producer.flush()

    async def read(self) -> tuple[int, int]:
        """How many records the group has committed, and how many the topic holds."""
        return await offsets(self._kafka, self.group, self.topic)

    @asynccontextmanager
    async def pump(self) -> AsyncIterator[None]:
        """Carry the outbox to the topic meanwhile, in order, but for the types that are `held`."""
        carrying = asyncio.create_task(self._carry())
        try:
            yield
        finally:
            carrying.cancel()
            with suppress(asyncio.CancelledError):
                await carrying

    async def _carry(self) -> None:
        admin = await asyncpg.connect(self.harness.admin_url)
        sent: set[Any] = set()
        try:
            while True:
                rows = await admin.fetch(
                    "SELECT * FROM outbox WHERE topic NOT LIKE '%.dlq' AND topic <> 'tailrace.canary' ORDER BY id"
                )
                for row in rows:
                    if row["id"] not in sent and row["type"] not in self.held:
                        sent.add(row["id"])
                        await self.produce([_record(row)] * 2)
                await asyncio.sleep(0.03)
        finally:
            await admin.close()


async def offsets(kafka: str, group: str, topic: str) -> tuple[int, int]:
    """Summed over the topic's partitions: how far the group has committed, and where they end."""
    admin = AIOKafkaAdminClient(**clients.connection(kafka))
    consumer = AIOKafkaConsumer(topic, **clients.connection(kafka))
    await admin.start()
    await consumer.start()
    try:
        places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        committed = await admin.list_consumer_group_offsets(group)
        done = [committed[place].offset for place in places if place in committed]
        return sum(max(each, 0) for each in done), sum((await consumer.end_offsets(places)).values())
    finally:
        await consumer.stop()
        await admin.close()


def _record(row: Any) -> ConsumerRecord:
    headers = [(header, str(row[column]).encode()) for column, header in _HEADERS.items() if row[column] is not None]
    headers += [("ce_time", row["recorded_at"].isoformat().encode()), ("ce_specversion", b"1.0")]
    key, value = str(row["aggregate_id"]).encode(), row["payload"].encode()
    return ConsumerRecord("", 0, 0, 0, 0, key, value, None, len(key), len(value), headers)


Play = Callable[[Scene], Awaitable[None]]


@asynccontextmanager
async def playing(
    plays: dict[str, Play],
    request: pytest.FixtureRequest,
    service: Service,
    topic: str,
    databases: Databases,
    issuer: TestIssuer,
    forkserver: ForkServer,
    kafka: str,
) -> AsyncIterator[dict[str, "asyncio.Task[None]"]]:
    """The plays that this run has chosen tests for, under way side by side: each waits much for Kafka's time-outs."""
    chosen = {
        str(item.callspec.params["play"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.path == request.path and "play" in item.fixturenames
    }
    names = {name: f"s{number}" for number, name in enumerate(plays) if name in chosen}
    topics = {topic, *(each for subscriber in service.subscribers for each in subscriber.topics)}
    await create_topics(kafka, [f"{each}.{name}" for each in sorted(topics) for name in names.values()], 1, 1)
    turns = asyncio.Semaphore(AT_ONCE)

    async def play(name: str) -> None:
        async with turns:
            harness = Harness(service, databases, issuer, await databases.take(service))
            await harness.start()
            try:
                async with Scene(names[name], harness, forkserver, kafka, topic) as scene:
                    await plays[name](scene)
            finally:
                await harness.stop()
                await databases.give_back(harness.database_name)

    tasks = {name: asyncio.create_task(play(name)) for name in names}
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)
