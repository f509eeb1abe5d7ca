"""Single records read back from Kafka by where they stand, without a group, so that reading moves nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from tailrace.core.addresses.kafka import brokers_of
from tailrace.kafka import clients, shutdown

ReadRecord = Callable[[str, int, int], Awaitable[ConsumerRecord | None]]
"""The record at (topic, partition, offset), or None when it is gone."""
_TIMEOUT = 10.0


class KafkaAway(ConnectionError):
    """No connection to Kafka came about. Counts as transient."""


@asynccontextmanager
async def reading(bootstrap: str) -> AsyncIterator[ReadRecord]:
    """A way to read records; it connects when first used."""
    records = _Records(bootstrap)
    try:
        yield records.read
    finally:
        await records.close()


class _Records:
    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._consumer: AIOKafkaConsumer | None = None
        self._at: TopicPartition | None = None
        self._next = -1

    async def close(self) -> None:
        if self._consumer is not None:
            await shutdown.stop(self._consumer)

    async def read(self, topic: str, partition: int, offset: int) -> ConsumerRecord | None:
        """The record, or None when Kafka does not hold it any more. Raises OSError while Kafka is away."""
        following, self._next = self._next, -1
        try:
            async with asyncio.timeout(_TIMEOUT):
                record = await self._read(TopicPartition(topic, partition), offset, following)
        except OffsetOutOfRangeError:
            record = None
        except KafkaError as error:
            raise ConnectionError(f"Kafka: {error!r}") from error
        if record is None or record.offset != offset:
            self._at = None
            return None
        self._next = offset + 1
        return record

    async def _read(self, place: TopicPartition, offset: int, following: int) -> ConsumerRecord | None:
        consumer = await self._connected()
        if place != self._at:
            first, end = await consumer.beginning_offsets([place]), await consumer.end_offsets([place])
            if not first[place] <= offset < end[place]:
                return None
            consumer.assign([place])
            self._at, following = place, -1
        if offset != following:
            consumer.seek(place, offset)
        return await consumer.getone(place)

    async def _connected(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            consumer = clients.consumer(self._bootstrap, start="none")
            try:
                await consumer.start()
            except BaseException as error:
                await shutdown.stop(consumer)
                if isinstance(error, KafkaError):
                    raise KafkaAway(f"Kafka at {brokers_of(self._bootstrap)} does not answer: {error!r}") from error
                raise
            self._consumer = consumer
        return self._consumer
