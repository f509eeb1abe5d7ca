"""Topics read from a cursor that the caller keeps: the next offset of each partition, by topic. No group, no offsets at Kafka.

What belongs to the platform reads by `topic_reader`: this one gives events as documents, and refuses a cursor that no topic has.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from tailrace.core.errors import Unavailable
from tailrace.kafka import clients, shutdown
from tailrace.kafka.structured import structured, type_of

Places = dict[str, list[int]]
_ANSWER_WITHIN = 10.0
"""Seconds in which Kafka says where topics begin and end."""
_FETCHED = 256 * 1024
"""Bytes of a partition that are read ahead: a reader that is given up has read them in vain."""


_stopping: set[asyncio.Task[None]] = set()
"""A task that nothing refers to may be collected before it is done."""


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
        self.places = places

    async def more(self, most: int, within: float) -> list[Found]:
        """What comes next, in order by partition: up to `most` records as soon as there are any, none after so many seconds."""
        batches = await self._consumer.getmany(timeout_ms=max(1, int(within * 1000)), max_records=most)
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


@asynccontextmanager
async def reading(
    kafka: str, topics: Sequence[str], places: Mapping[str, Sequence[int]]
) -> AsyncIterator[CursorReader]:
    """From the places that are known, else from the beginning. Raises Expired, and Unavailable when Kafka does not answer."""
    consumer = clients.consumer(kafka, start="none", max_partition_fetch_bytes=_FETCHED)
    try:
        async with asyncio.timeout(_ANSWER_WITHIN) as within:
            await consumer.start()
            reader = await _placed(consumer, topics, places)
        yield reader
    except (KafkaError, TimeoutError) as error:
        if isinstance(error, TimeoutError) and not within.expired():
            raise
        raise Unavailable("Kafka does not answer at the moment.") from error
    finally:
        # What reads for a client that went away is cancelled, and again at each await: the consumer would stay.
        stopping = asyncio.create_task(shutdown.stop(consumer))
        _stopping.add(stopping)
        stopping.add_done_callback(_stopping.discard)
        await asyncio.shield(stopping)


async def _placed(
    consumer: AIOKafkaConsumer, topics: Sequence[str], places: Mapping[str, Sequence[int]]
) -> CursorReader:
    """With every partition where it is to begin. Raises Expired."""
    found = [
        TopicPartition(topic, each)
        for topic in topics
        for each in sorted(await consumer._client._wait_on_metadata(topic))
    ]
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
        consumer.seek(each, place)
    return CursorReader(consumer, now, ends)
