"""Topics read from a cursor that the caller keeps: the next offset of each partition, by topic. No group, no offsets at Kafka.

What belongs to the platform reads by `topic_reader`: this one gives events as documents, and refuses a cursor that no topic has.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from tailrace.core.errors import Unavailable
from tailrace.kafka import clients
from tailrace.kafka.kept_consumers import KeptConsumers, stop_soon
from tailrace.kafka.structured import structured, type_of

Places = dict[str, list[int]]
_ANSWER_WITHIN = 10.0
"""Seconds in which Kafka says where topics begin and end."""
_FETCHED = 256 * 1024
"""Bytes of a partition that are read ahead: a reader that is given up has read them in vain."""
_TUNING: dict[str, Any] = {
    "max_partition_fetch_bytes": _FETCHED,
    "fetch_max_bytes": 8 * _FETCHED,
    "fetch_max_wait_ms": 200,
}
"""A kept consumer answers what comes next once the broker has answered its last fetch, and keeps what that brought."""


class Expired(Exception):
    """A place that no topic has: what stood there is not kept any more, or never was there."""


@dataclass(frozen=True, slots=True)
class Found:
    """One record: where it stands, the type of its event, and the event as a JSON document (see `structured`)."""

    topic: str
    partition: int
    offset: int
    type: str
    document: bytes


class CursorReader:
    """Made by `reading`."""

    def __init__(self, consumer: AIOKafkaConsumer, places: Places, ends: Mapping[TopicPartition, int]) -> None:
        self._consumer = consumer
        self._ends = ends
        self._has_given = False
        self.places = places

    async def more(self, most: int, within: float) -> list[Found]:
        """What comes next, in order by partition: up to `most` records as soon as there are any, none after so many seconds."""
        batches = await self._consumer.getmany(timeout_ms=max(1, int(within * 1000)), max_records=most)
        self._has_given |= bool(batches)
        return [
            Found(at.topic, at.partition, record.offset, type_of(record), structured(record))
            for at, records in batches.items()
            for record in records
        ]

    def passed(self, record: Found) -> None:
        """The place is behind this record now."""
        self.places[record.topic][record.partition] = record.offset + 1

    async def settle(self) -> None:
        """All that `more` gave was passed: the place is also behind what marks the ends of transactions."""
        for each in self._ends:
            self.places[each.topic][each.partition] = await self._consumer.position(each)

    async def has_all(self) -> bool:
        """Whether everything that was there when the reader began has been given."""
        return all([await self._consumer.position(each) >= end for each, end in self._ends.items()])

    async def answers(self) -> bool:
        """Whether it gave something, or there was nothing to give: one that would never give anything is like none that is idle."""
        return self._has_given or await self.has_all()


@asynccontextmanager
async def reading(
    kafka: str,
    topics: Sequence[str],
    places: Mapping[str, Sequence[int]],
    *,
    kept: KeptConsumers[Any] | None = None,
    key: Any = None,
) -> AsyncIterator[CursorReader]:
    """From the places that are known, else from the beginning. Raises Expired, and Unavailable when Kafka does not answer.

    Reads by a consumer that is `kept` under this key, if there is one, and keeps its own, unless something failed, or nothing came although there was
    something.
    """
    consumer = None if kept is None else kept.take(key)
    is_new = consumer is None
    if consumer is None:
        consumer = clients.consumer(kafka, start="none", **_TUNING)
    is_kept = False
    try:
        async with asyncio.timeout(_ANSWER_WITHIN) as within:
            if is_new:
                await consumer.start()
            reader = await _placed(consumer, topics, places)
        yield reader
        is_kept = kept is not None and await reader.answers() and kept.put(key, consumer)
    except (KafkaError, TimeoutError) as error:
        if isinstance(error, TimeoutError) and not within.expired():
            raise
        raise Unavailable("Kafka does not answer at the moment.") from error
    finally:
        if not is_kept:
            await asyncio.shield(stop_soon(consumer))


async def _placed(
    consumer: AIOKafkaConsumer, topics: Sequence[str], places: Mapping[str, Sequence[int]]
) -> CursorReader:
    """With every partition where it is to begin. Raises Expired."""
    found = [
        TopicPartition(topic, each)
        for topic in topics
        for each in sorted(await consumer._client._wait_on_metadata(topic))
    ]
    is_new = consumer.assignment() != set(found)
    if is_new:
        consumer.assign(found)
    begin, ends = await consumer.beginning_offsets(found), await consumer.end_offsets(found)
    now = {topic: list(of) for topic, of in places.items()}
    for topic in topics:
        first = [begin[each] for each in found if each.topic == topic]
        known = now.get(topic, [])
        if len(known) > len(first):
            raise Expired
        now[topic] = [*known, *first[len(known) :]]
    for each in found:
        place = now[each.topic][each.partition]
        if not begin[each] <= place <= ends[each]:
            raise Expired
        # One that is there already has perhaps read ahead.
        if is_new or await consumer.position(each) != place:
            consumer.seek(each, place)
    consumer.resume(*found)
    return CursorReader(consumer, now, ends)
