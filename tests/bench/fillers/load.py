"""A thousand events a second, of ten tenants in turn: sent to Kafka, or committed to an outbox that Debezium reads, as services make them."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from contracts.registry import events_by_type
from fillers.process import TYPE
from orders.service import service as orders
from partners.models import topic_of
from tailrace.core.events import source_of
from tailrace.kafka import clients
from tailrace.runtime.migrate import prepare_database
from tailrace.runtime.provision import prepare_connectors, prepare_topics
from tailrace.settings import Settings

RATE, AGGREGATES = 1000, 500
SERVICE = orders.name
EACH = 4
"""Events of one document in a transaction, as an order that is entered and confirmed makes some."""
_WRITERS = 8
_HALF = 2**64 - 1
_SAMPLE = next((Path(__file__).parents[3] / "contracts/samples" / TYPE).glob("*.json"))
_KIND = events_by_type()[TYPE]
SOURCE = _KIND.topic
_ADD = """
INSERT INTO outbox (id, tenant_id, topic, aggregate_id, sequence, type, schema_version, dataschema, source, correlation_id, payload)
SELECT id, $2, $3, $4, at, $5, 1, $6, $7, $4, $8 FROM unnest($1::uuid[]) WITH ORDINALITY AS fresh (id, at)
"""
Numbers = dict[tuple[str, int], list[int]]
"""By topic and partition, the numbers of the events in order."""


async def capture(settings: Settings) -> None:
    """Make the database, the topics and the connector of the service whose outbox is written to; nothing else of it runs."""
    await prepare_database(settings.postgres, orders, settings)
    await prepare_topics([orders], settings, _say_nothing)
    await prepare_connectors([orders], settings, _say_nothing)


def _say_nothing(*_: object) -> None:
    """It takes seconds, and is no part of what is measured."""


def number_of(record: ConsumerRecord) -> int:
    """Which event it is: the number is the second half of its id."""
    return _id_of(record) & _HALF


def _id_of(record: ConsumerRecord) -> int:
    return UUID(dict(record.headers)["ce_id"].decode()).int


class Load:
    """What was written, and when the broker had it. `pairs`: of partner and tenant."""

    begins = "the broker's answer"

    def __init__(self, kafka: str, pairs: Sequence[tuple[UUID, UUID]]) -> None:
        self._kafka, self._pairs, self._turn = kafka, pairs, uuid4().int & ~_HALF
        self.had: dict[int, float] = {}
        self.came: dict[int, float] = {}
        """When a reader of the broker had it, where something comes before."""
        self.wanted: Numbers = defaultdict(list)

    def _id(self, number: int) -> UUID:
        return UUID(int=self._turn | number)

    def _pair(self, number: int) -> tuple[UUID, UUID]:
        return self._pairs[number % len(self._pairs)]

    def _want(self, number: int, partition: int) -> None:
        self.wanted[topic_of(self._pair(number)[0], SOURCE), partition].append(number)

    async def write(self, seconds: float) -> None:
        """Returns when all is in Kafka."""
        value = _SAMPLE.read_bytes()
        total, began, waiting = int(RATE * seconds), time.monotonic(), set[asyncio.Task[None]]()
        async with clients.producer(self._kafka) as producer:
            for number in range(total):
                await _until(began + number / RATE)
                headers = [("ce_type", TYPE.encode()), ("ce_tenantid", str(self._pair(number)[1]).encode())]
                headers.append(("ce_id", str(self._id(number)).encode()))
                key = str(number % AGGREGATES).encode()
                sent = await producer.send(SOURCE, value, key=key, headers=headers)
                task = asyncio.create_task(self._note(number, sent))
                waiting.add(task)
                task.add_done_callback(waiting.discard)
            await asyncio.gather(*waiting)

    async def _note(self, number: int, sent: "asyncio.Future[Any]") -> None:
        answer = await sent
        self.had[number] = time.time()
        self._want(number, answer.partition)


class Commits(Load):
    """The same, from the moment in which the commit is sent to PostgreSQL: its own time is part of the figure."""

    begins = "the commit"

    def __init__(self, kafka: str, pairs: Sequence[tuple[UUID, UUID]], database: str) -> None:
        """`database`: the address of the outbox, for its owner."""
        super().__init__(kafka, pairs)
        self._database = database

    async def write(self, seconds: float) -> None:
        payload, total = _SAMPLE.read_text(), int(RATE * seconds) // EACH
        began, waiting = time.monotonic(), set[asyncio.Task[None]]()
        async with (
            clients.consumer(self._kafka, SOURCE) as consumer,
            asyncpg.create_pool(self._database, min_size=_WRITERS, max_size=_WRITERS) as pool,
        ):
            reading = asyncio.create_task(self._read(consumer, total * EACH))
            for each in range(total):
                await _until(began + each * EACH / RATE)
                task = asyncio.create_task(self._commit(pool, each, payload))
                waiting.add(task)
                task.add_done_callback(waiting.discard)
            await asyncio.gather(*waiting)
            await asyncio.wait_for(reading, 120)

    async def _commit(self, pool: asyncpg.Pool, each: int, payload: str) -> None:
        # The tenants in turn, and all of a transaction for one: numbers apart by as many as there are.
        size = len(self._pairs)
        first = each // size * size * EACH + each % size
        numbers = range(first, first + size * EACH, size)
        ids, tenant = [self._id(number) for number in numbers], self._pair(first)[1]
        given = (SOURCE, uuid4(), TYPE, _KIND.schema_uri(), source_of(SERVICE), payload)
        begins = time.time()
        await pool.execute(_ADD, ids, tenant, *given)
        self.had |= dict.fromkeys(numbers, begins)

    async def _read(self, consumer: AIOKafkaConsumer, count: int) -> None:
        """What each partner is to have is what stands in Kafka, in that order."""
        while count > 0:
            batches, now = await consumer.getmany(timeout_ms=200), time.time()
            for place, records in batches.items():
                for record in records:
                    # Others are the service's own, and those of a measure before this one.
                    if _id_of(record) & ~_HALF == self._turn:
                        self.came[number_of(record)] = now
                        self._want(number_of(record), place.partition)
                        count -= 1
            await asyncio.sleep(0.003)


async def _until(moment: float) -> None:
    late = moment - time.monotonic()
    if late > 0:
        await asyncio.sleep(late)
