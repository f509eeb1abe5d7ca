"""From topics to others, exactly once: what is read, what is made of it, and how far that was, are one Kafka transaction.

A relay has a name, which is its transactional id and the group of its offsets. The one that starts fences off the one that had that name before, so
that two at once, or one that was thought dead, double nothing. A record keeps its partition, and so the order of its aggregate.

Relays of one process share a reader once they have caught up (`shared_reader`), and never a transaction:
- one that is slow, or whose topic is away, holds up itself alone; the others' transactions go on;
- one that another process has begun is fenced off by its own transactional id, at its next transaction, although others still read for it;
- one that begins, from a moment or from what it committed, reads alone until it is close, and costs the others nothing;
- one that is stopped ends with its transaction; what was put by for it and not given stands behind what it committed, and who fills next reads it.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from tailrace.core.retries.backoff import Backoff
from tailrace.kafka import clients, shutdown
from tailrace.kafka.shared_reader import CLOSE, Ended, Kind, Lane, SharedReader, Taken, kind_of
from tailrace.kafka.stall_detector import StallDetector
from tailrace.kafka.topic_reader import ends
from tailrace.observability import metrics
from tailrace.observability.logs import log

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
_WAIT_MS, _MOST = 500, 500
"""How long a relay waits for something new before it looks whether it is to end, and how much one transaction holds."""
_APART = 0.03
"""Seconds from one transaction's begin to the next one's, in which a busy relay gathers: each costs the brokers and the process the same, whether it
holds one record or a hundred. The first after a pause does not wait."""
_LOOK_EVERY = 1.0
"""Seconds in which a relay with a lane looks how far it is, though nothing comes."""
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
    """`passes` says what goes on of the headers and value of a record of one of the `kinds`, None for nothing, or raises KeptBack; `target` where it
    goes, by its topic. Records of other kinds are looked at no further.

    On topics that it has not read before it begins with `since`, or at the beginning. Targets have as many partitions as what they are filled from.
    """

    name: str
    topics: Sequence[str]
    since: datetime | None
    kinds: frozenset[Kind]
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


async def run(kafka: str, relay: Relay, stop: asyncio.Event, shared: SharedReader) -> None:
    """Until stopped. Whatever fails is begun again from what was committed."""
    backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
    progress = under_way[relay.name] = Progress()
    try:
        while not stop.is_set():
            try:
                await _run(kafka, relay, stop, shared, backoff, progress)
            except Ended:
                log.info("relay reads alone again", relay=relay.name)
            except (KafkaError, OSError) as error:
                log.warning("relay begins again", relay=relay.name, error=type(error).__name__)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), backoff.next())
    finally:
        if under_way.get(relay.name) is progress:
            del under_way[relay.name]


async def _run(
    kafka: str, relay: Relay, stop: asyncio.Event, shared: SharedReader, backoff: Backoff, progress: Progress
) -> None:
    giver = _Giver(clients.transactional(kafka, relay.name), relay, backoff, progress)
    try:
        # First: from here on no one else commits, and so what was committed is where it goes on.
        await giver.producer.start()
        lane = await _alone(kafka, giver, shared, stop)
        if lane is not None:
            try:
                await _together(lane, giver, stop)
            finally:
                shared.leave(lane)
    finally:
        await shutdown.stop(giver.producer)


async def _alone(kafka: str, giver: "_Giver", shared: SharedReader, stop: asyncio.Event) -> Lane | None:
    """From what was committed, until it has a lane and all that lies before it; None when it is stopped."""
    relay = giver.relay
    lane: Lane | None = None
    consumer = clients.consumer(kafka, group=relay.name, start="none", max_poll_records=_MOST)
    try:
        await consumer.start()
        await _position(consumer, relay)
        stall_detector = StallDetector(consumer, partial(ends, kafka, relay.name))
        while not stop.is_set():
            batches = await consumer.getmany(timeout_ms=_WAIT_MS)
            await stall_detector.check(batches)
            if lane is not None:
                batches = lane.before(batches)
            await giver.give(
                [(at, record) for at, records in batches.items() for record in records],
                {at: records[-1].offset + 1 for at, records in batches.items()},
                sum(map(len, batches.values())),
            )
            behind = giver.progress.behind = await _behind(consumer)
            places = {each: await consumer.position(each) for each in consumer.assignment()}
            # Its first answers say that each place is one that its partition has: the others' reader is not to fail for it.
            if lane is None and behind is not None and behind <= CLOSE:
                lane = shared.join(relay.kinds, places)
            if lane is not None and all(places[each] >= begin for each, begin in lane.begins.items()):
                joined, lane = lane, None
                return joined
        return None
    finally:
        if lane is not None:
            shared.leave(lane)
        await shutdown.stop(consumer)


async def _together(lane: Lane, giver: "_Giver", stop: asyncio.Event) -> None:
    """What comes through the lane, until stopped. Raises Ended."""
    stopped = asyncio.create_task(stop.wait())
    stopped.add_done_callback(lambda _: lane.woken.set())
    begun = looked = 0.0
    try:
        while not stop.is_set():
            await lane.wait(_LOOK_EVERY)
            await asyncio.sleep(max(0.0, begun + _APART - time.monotonic()))
            begun, was = time.monotonic(), dict(lane.at)
            taken, ends = lane.take(_MOST)
            await giver.give(taken, ends, sum(end - was[at] for at, end in ends.items()))
            if time.monotonic() >= looked + _LOOK_EVERY:
                looked = time.monotonic()
                if (behind := await lane.behind()) is not None:
                    giver.progress.behind = behind
    finally:
        stopped.cancel()


@dataclass
class _Giver:
    """Gives what a relay reads to its targets."""

    producer: AIOKafkaProducer
    relay: Relay
    backoff: Backoff
    progress: Progress
    _ends: dict[TopicPartition, int] = field(default_factory=dict)
    _unsaid: int = 0

    async def give(self, records: Iterable[Taken], ends: Mapping[TopicPartition, int], looked_at: int) -> None:
        """What goes on of the records, in one transaction with how far that was. If nothing does, that is said once it is worth it."""
        given = _passed(self.relay, records)
        self._ends |= ends
        self._unsaid += looked_at
        if given or self._unsaid > _PASSED_OVER:
            await _pass_on(self.producer, self.relay, given, self._ends)
            self._ends, self._unsaid = {}, 0
            self.progress.passed += len(given)
            metrics.relayed(self.relay.name, len(given))
            self.backoff.reset()


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


def _passed(relay: Relay, records: Iterable[Taken]) -> list[_Given]:
    """What goes on of what one look brought."""
    given = []
    for at, record in records:
        if kind_of(record.headers) not in relay.kinds:
            continue
        try:
            passed = relay.passes(record.headers, record.value)
        except KeptBack:
            # Where it is may be said, and nothing of what it holds.
            where = {"topic": at.topic, "partition": at.partition, "offset": record.offset}
            log.error("a record is kept back", relay=relay.name, **where)
            continue
        if passed is not None:
            given.append((relay.target(at.topic), record, passed))
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
