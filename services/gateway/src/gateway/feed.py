"""Follows `user.events` without a group: each process reads one token lifetime of it before it is ready, and from then on what comes.

While Kafka is away the process keeps what it knows and says so. Coming back it reads the whole time again, which changes nothing that is known.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Set
from typing import NoReturn, Protocol

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from contracts.users import UserFact
from gateway.revocations import CLOCKS_DIFFER, TYPES, Revocations
from tailrace.logs import log
from tailrace.settings import Settings
from tailrace.wire import Malformed, read_meta, read_payload

_LOOK_EVERY = 2.0
_LOOK_WITHIN, _ANSWER_WITHIN = 5.0, 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0


class Feed(Protocol):
    """What tells a process of the gateway about revocations."""

    async def run(self, revocations: Revocations) -> None:
        """Go on until cancelled."""
        ...


class UserEvents:
    """The facts of identity, from Kafka."""

    def __init__(self, settings: Settings, topic: str = UserFact.topic) -> None:
        self._bootstrap = settings.kafka
        self._window = settings.token_lifetime + CLOCKS_DIFFER
        self._topic = topic

    async def run(self, revocations: Revocations) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                await self._follow(revocations)
            except Exception as error:  # whatever it is, a feed that ended in silence would let everybody in
                if revocations.behind is None:
                    log.warning("revocations are not read", reason=repr(error))
                    pause = _FIRST_PAUSE
                revocations.is_behind(f"Kafka: {error!r}"[:200])
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _follow(self, revocations: Revocations) -> NoReturn:
        consumer = AIOKafkaConsumer(
            self._topic,
            bootstrap_servers=self._bootstrap,
            group_id=None,
            client_id="tailrace-gateway",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            metadata_max_age_ms=5_000,
            retry_backoff_ms=200,
        )
        try:
            async with asyncio.timeout(_ANSWER_WITHIN):
                await consumer.start()
                await self._begin(consumer)
            places = consumer.assignment()
            while True:
                await _read_on(consumer, places, revocations)
        finally:
            await _stop(consumer)

    async def _begin(self, consumer: AIOKafkaConsumer) -> None:
        """Go to the first record of one token lifetime ago in every partition; to the end where there is none so young."""
        places = consumer.assignment()
        since = int((time.time() - self._window) * 1000)
        found = await consumer.offsets_for_times(dict.fromkeys(places, since))
        ends = await consumer.end_offsets(places)
        for place in places:
            start = found.get(place)
            consumer.seek(place, ends[place] if start is None else start.offset)


class Stopped(Exception):
    """The topic is not the one that was read, or nothing comes of it: begin again."""


async def _read_on(consumer: AIOKafkaConsumer, places: Set[TopicPartition], revocations: Revocations) -> None:
    """Read up to where the topic ends now, and then what comes until it is time to look again.

    The broker is asked for the end since a consumer that lost it does not say so: it only gets nothing any more.
    """
    async with asyncio.timeout(_LOOK_WITHIN):
        ends = await consumer.end_offsets(places)
    while await _is_before(consumer, ends):
        records = await _some(consumer, _ANSWER_WITHIN)
        if not records:
            raise Stopped("there is more, and it does not come")
        _apply(records, revocations)
    revocations.is_current()
    until = time.monotonic() + _LOOK_EVERY
    while (left := until - time.monotonic()) > 0:
        _apply(await _some(consumer, left), revocations)


async def _is_before(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> bool:
    if consumer.assignment() != ends.keys():
        raise Stopped("the topic has other partitions now")
    positions = {place: await consumer.position(place) for place in ends}
    if any(positions[place] > end for place, end in ends.items()):
        raise Stopped("the topic was made anew")
    return any(positions[place] < end for place, end in ends.items())


async def _some(consumer: AIOKafkaConsumer, seconds: float) -> list[ConsumerRecord]:
    batches = await consumer.getmany(timeout_ms=max(1, int(seconds * 1000)))
    return [record for batch in batches.values() for record in batch]


def _apply(records: Iterable[ConsumerRecord], revocations: Revocations) -> None:
    """A record that is no fact is passed over: whoever wrote it cannot have meant a session by it."""
    for record in records:
        try:
            meta = read_meta(record)
            if meta.type in TYPES:
                revocations.apply(meta, read_payload(record))
        except (Malformed, ValueError, KeyError, TypeError) as error:
            log.error(
                "not a fact", topic=record.topic, partition=record.partition, offset=record.offset, reason=str(error)
            )


async def _stop(consumer: AIOKafkaConsumer) -> None:
    try:
        await asyncio.wait_for(consumer.stop(), _ANSWER_WITHIN)
    except (TimeoutError, KafkaError, OSError) as error:
        log.info("consumer stopped without a farewell", reason=repr(error))
