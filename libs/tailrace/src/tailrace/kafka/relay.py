"""From topics to others, exactly once: what is read, what is made of it, and how far that was, are one Kafka transaction.

A relay has a name, which is its transactional id and the group of its offsets. The one that starts fences off the one that had that name before, so
that two at once, or one that was thought dead, double nothing. A record keeps its partition, and so the order of its aggregate.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from tailrace.core.backoff import Backoff
from tailrace.kafka import clients, shutdown
from tailrace.observability import metrics
from tailrace.observability.logs import log

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
_WAIT_MS, _MOST = 500, 500
"""How long a relay waits for something new before it looks whether it is to end, and how much one transaction holds."""
_PASSED_OVER = 5000
"""Records of which nothing goes on, before a transaction says that they were read: most of what a relay reads may be none of its business."""
Headers = Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True)
class Passed:
    """What goes on of a record."""

    value: bytes
    headers: list[tuple[str, bytes]]


class KeptBack(Exception):
    """A record of which nothing may go on. It repeats nothing of the record."""


@dataclass(frozen=True)
class Relay:
    """`passes` says what goes on of a record's headers and value, None for nothing, or raises KeptBack; `target` where it goes, by its topic.

    On topics that it has not read before it begins with `since`, or at the beginning. Targets have as many partitions as what they are filled from.
    """

    name: str
    topics: Sequence[str]
    since: datetime | None
    target: Callable[[str], str]
    passes: Callable[[Headers, bytes | None], Passed | None]


@dataclass
class Progress:
    """How far a relay is."""

    behind: int | None = None
    """Records that it has not looked at yet; None before it knows."""
    passed: int = 0
    """Records that it passed on, since it began in this process."""


under_way: dict[str, Progress] = {}
"""Of the relays of this process, by name; `gauges` shows it."""


async def run(kafka: str, relay: Relay, stop: asyncio.Event) -> None:
    """Until stopped. Whatever fails is begun again from what was committed."""
    backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
    progress = under_way[relay.name] = Progress()
    try:
        while not stop.is_set():
            try:
                await _run(kafka, relay, stop, backoff, progress)
            except (KafkaError, OSError) as error:
                log.warning("relay begins again", relay=relay.name, error=type(error).__name__)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), backoff.next())
    finally:
        if under_way.get(relay.name) is progress:
            del under_way[relay.name]


async def _run(kafka: str, relay: Relay, stop: asyncio.Event, backoff: Backoff, progress: Progress) -> None:
    producer = clients.transactional(kafka, relay.name)
    consumer = clients.consumer(kafka, group=relay.name, start="none", max_poll_records=_MOST)
    try:
        # First: from here on no one else commits, and so what was committed is where it goes on.
        await producer.start()
        await consumer.start()
        await _position(consumer, relay)
        ends: dict[TopicPartition, int] = {}
        unsaid = 0
        while not stop.is_set():
            batches = await consumer.getmany(timeout_ms=_WAIT_MS)
            given = _passed(relay, batches)
            ends |= {at: records[-1].offset + 1 for at, records in batches.items()}
            unsaid += sum(map(len, batches.values()))
            if given or unsaid > _PASSED_OVER:
                await _pass_on(producer, relay, given, ends)
                ends, unsaid = {}, 0
                progress.passed += len(given)
                metrics.relayed(relay.name, len(given))
                backoff.reset()
            progress.behind = await _behind(consumer)
    finally:
        await shutdown.stop(consumer)
        await shutdown.stop(producer)


async def _behind(consumer: AIOKafkaConsumer) -> int | None:
    """Records between where it is and where the topics end, as far as the brokers' last answers say; None before each has."""
    ends = {each: consumer.highwater(each) for each in consumer.assignment()}
    if None in ends.values():
        return None
    behind: int = sum([max(0, end - await consumer.position(each)) for each, end in ends.items()])
    return behind


async def _position(consumer: AIOKafkaConsumer, relay: Relay) -> None:
    """Where it was; on topics that it has not read before, at the moment or the beginning that was asked for."""
    found = [
        TopicPartition(topic, each)
        for topic in relay.topics
        for each in sorted(await consumer._client._wait_on_metadata(topic))
    ]
    consumer.assign(found)
    new = []
    for each in found:
        at = await consumer.committed(each)
        if at is None:
            new.append(each)
        else:
            consumer.seek(each, at)
    if not new:
        return
    starts = await consumer.beginning_offsets(new)
    if relay.since is not None:
        moment = int(relay.since.timestamp() * 1000)
        later = await consumer.offsets_for_times(dict.fromkeys(new, moment))
        ends = await consumer.end_offsets(new)
        starts = {each: met.offset if (met := later[each]) else ends[each] for each in new}
    for each, start in starts.items():
        consumer.seek(each, start)


_Given = tuple[str, ConsumerRecord, Passed]
"""Where it goes, what it was, and what it is now."""


def _passed(relay: Relay, batches: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> list[_Given]:
    """What goes on of what one look brought."""
    given = []
    for at, records in batches.items():
        topic = relay.target(at.topic)
        for record in records:
            try:
                passed = relay.passes(record.headers, record.value)
            except KeptBack:
                # Where it is may be said, and nothing of what it holds.
                where = {"topic": at.topic, "partition": at.partition, "offset": record.offset}
                log.error("a record is kept back", relay=relay.name, **where)
                continue
            if passed is not None:
                given.append((topic, record, passed))
    return given


async def _pass_on(
    producer: AIOKafkaProducer, relay: Relay, given: Sequence[_Given], ends: Mapping[TopicPartition, int]
) -> None:
    """In one transaction with how far that was."""
    async with producer.transaction():
        for topic, record, passed in given:
            await producer.send(
                topic,
                passed.value,
                key=record.key,
                headers=passed.headers,
                partition=record.partition,
                timestamp_ms=record.timestamp,
            )
        await producer.send_offsets_to_transaction(ends, relay.name)
