"""Events on a real Kafka, as Debezium would put them there, and what a subscriber made of them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer

from tailrace.core.events import Event
from tailrace.core.ids import uuid7
from tailrace.kafka import clients
from tailrace.kafka.topics import create_topics
from tailrace_testing import Harness
from tailrace_testing.gateway import eventually
from toy.elsewhere import elsewhere

PARTITIONS = 3


class Asking:
    """A topic of its own, and the toy's subscribers on it."""

    def __init__(self, producer: AIOKafkaProducer, toy: Harness, kafka: str) -> None:
        self.toy = toy
        self.kafka = kafka
        self.topic = f"asking-{uuid7().hex[-8:]}.events"
        self.events = elsewhere(self.topic)
        self.heard, self.echo = self.events.heard, self.events.echo
        self.sent: dict[UUID, int] = {}
        self._producer = producer

    async def send(self, aggregates: Sequence[UUID], *, text: str = "hi", time: datetime | None = None) -> None:
        """One more event of each aggregate."""
        event = self.events.asked
        waiting = [await self._send(event(key=each, text=text), each, self.toy.tenant, time) for each in aggregates]
        await asyncio.gather(*waiting)

    async def send_for(self, tenant: UUID, aggregate: UUID, text: str = "hi") -> None:
        await (await self._send(self.events.asked(key=aggregate, text=text), aggregate, tenant, None))

    async def answer(self, aggregate: UUID) -> None:
        """An event that `heard` and `echo` pass over."""
        await (await self._send(self.events.answered(key=aggregate), aggregate, self.toy.tenant, None))

    async def send_unreadable(self) -> None:
        await self._producer.send_and_wait(self.topic, b"?", key=b"?")

    async def marks(self, subscriber: str) -> dict[UUID, int]:
        query = "SELECT aggregate_id, sequence FROM inbox WHERE subscriber = $1"
        return {row["aggregate_id"]: row["sequence"] for row in await self.toy.admin.fetch(query, subscriber)}

    async def comes_to(self, subscriber: str) -> None:
        """Returns when the subscriber has had all that was sent."""

        def agrees(marks: dict[UUID, int]) -> bool:
            return {key: marks.get(key) for key in self.sent} == self.sent

        what = f"all of it for {subscriber}"
        await eventually(lambda: self.marks(subscriber), agrees, what=what)

    async def times(self) -> dict[UUID, int]:
        rows = await self.toy.admin.fetch("SELECT key, times FROM heard")
        return {row["key"]: row["times"] for row in rows}

    async def dead_letters(self) -> list[tuple[str, int]]:
        rows = await self.toy.admin.fetch("SELECT kind, sequence FROM dead_letter ORDER BY sequence")
        return [(row["kind"], row["sequence"]) for row in rows]

    async def _send(self, event: Event, aggregate: UUID, tenant: UUID, time: datetime | None) -> Any:
        self.sent[aggregate] = self.sent.get(aggregate, 0) + 1
        headers = {
            "ce_id": uuid4(),
            "ce_type": event.type,
            "ce_subject": aggregate,
            "ce_time": (time or datetime.now(UTC)).isoformat(),
            "ce_dataschema": event.schema_uri(),
            "ce_tenantid": tenant,
            "ce_sequence": self.sent[aggregate],
            "ce_epoch": 1,
            "ce_correlationid": uuid4(),
        }
        pairs = [(name, str(value).encode()) for name, value in headers.items()]
        key, value = str(aggregate).encode(), event.model_dump_json().encode()
        return await self._producer.send(self.topic, value, key=key, headers=pairs)


@asynccontextmanager
async def on_kafka(toy: Harness, kafka: str) -> AsyncIterator[Asking]:
    producer = AIOKafkaProducer(**clients.connection(kafka), acks="all", enable_idempotence=True)
    await producer.start()
    try:
        asking = Asking(producer, toy, kafka)
        await create_topics(kafka, [asking.topic], PARTITIONS, 1)
        yield asking
    finally:
        await producer.stop()
