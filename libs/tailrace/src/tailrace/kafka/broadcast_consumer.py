"""Follows a topic without a group: each process reads a stretch of the past before it is current, and from then on what comes.

For what every process has to know, and keeps in memory: a group would give each process a part of it. While Kafka is away the follower
keeps what it knows and is told so. Coming back it reads the whole stretch again, so what a follower takes must do no harm twice.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Set
from functools import partial
from typing import Any, NoReturn, Protocol

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from tailrace.core.events import Meta
from tailrace.core.retries.backoff import Backoff
from tailrace.kafka import clients, shutdown
from tailrace.kafka.cloudevents import Malformed, read_meta, read_payload
from tailrace.observability.logs import log

_LOOK_EVERY = 2.0
_LOOK_WITHIN, _ANSWER_WITHIN = 5.0, 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0


class Follower(Protocol):
    """What the records are handed to. All three methods must return at once."""

    @property
    def behind(self) -> str | None:
        """None while current."""
        ...

    def take(self, meta: Meta, payload: Callable[[], dict[str, Any]]) -> None:
        """An event; `payload` reads it. May raise ValueError, KeyError or TypeError for one that makes no sense: it is reported."""
        ...

    def is_current(self) -> None:
        """Everything up to the topic's end, as it was a moment ago, has been taken."""
        ...

    def is_behind(self, reason: str) -> None:
        """What comes now may not be known."""
        ...


async def follow(topic: str, bootstrap: str, follower: Follower, *, past: float, client: str) -> NoReturn:
    """Go on until cancelled, from the records of `past` seconds ago."""
    backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
    while True:
        try:
            await _follow(topic, bootstrap, follower, past, client)
        # Whatever it is: one that ended in silence would leave its follower believing it knows.
        except (Exception, asyncio.CancelledError) as error:
            shutdown.heed(error)
            if follower.behind is None:
                log.warning("a topic is not followed", topic=topic, reason=repr(error))
                backoff.reset()
            follower.is_behind(f"Kafka: {error!r}"[:200])
        await asyncio.sleep(backoff.next())


async def _follow(topic: str, bootstrap: str, follower: Follower, past: float, client: str) -> NoReturn:
    consumer = clients.consumer(bootstrap, topic, client_id=client, metadata_max_age_ms=5_000)
    try:
        async with asyncio.timeout(_ANSWER_WITHIN):
            await consumer.start()
            await _begin(consumer, past)
        places = consumer.assignment()
        while True:
            await _read_on(consumer, places, follower)
    finally:
        await shutdown.stop(consumer, within=_ANSWER_WITHIN)


async def _begin(consumer: AIOKafkaConsumer, past: float) -> None:
    """Go to the first record of so long ago in every partition; to the end where there is none so young."""
    places = consumer.assignment()
    since = int((time.time() - past) * 1000)
    found = await consumer.offsets_for_times(dict.fromkeys(places, since))
    ends = await consumer.end_offsets(places)
    for place in places:
        start = found.get(place)
        consumer.seek(place, ends[place] if start is None else start.offset)


class Stopped(Exception):
    """The topic is not the one that was read, or nothing comes of it: begin again."""


async def _read_on(consumer: AIOKafkaConsumer, places: Set[TopicPartition], follower: Follower) -> None:
    """Read up to where the topic ends now, and then what comes until it is time to look again.

    The broker is asked for the end since a consumer that lost it does not say so: it only gets nothing any more.
    """
    async with asyncio.timeout(_LOOK_WITHIN):
        ends = await consumer.end_offsets(places)
    while await _is_before(consumer, ends):
        records = await _some(consumer, _ANSWER_WITHIN)
        if not records:
            raise Stopped("there is more, and it does not come")
        _tell(records, follower)
    follower.is_current()
    until = time.monotonic() + _LOOK_EVERY
    while (left := until - time.monotonic()) > 0:
        _tell(await _some(consumer, left), follower)


async def _is_before(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> bool:
    if consumer.assignment() != ends.keys():
        raise Stopped("the topic has other partitions now")
    positions = {place: await consumer.position(place) for place in ends}
    if any(positions[place] > end for place, end in ends.items()):
        raise Stopped("the topic was recreated")
    return any(positions[place] < end for place, end in ends.items())


async def _some(consumer: AIOKafkaConsumer, seconds: float) -> list[ConsumerRecord]:
    batches = await consumer.getmany(timeout_ms=max(1, int(seconds * 1000)))
    return [record for batch in batches.values() for record in batch]


def _tell(records: Iterable[ConsumerRecord], follower: Follower) -> None:
    """A record that is no event is passed over, and reported."""
    for record in records:
        try:
            follower.take(read_meta(record), partial(read_payload, record))
        except (Malformed, ValueError, KeyError, TypeError) as error:
            log.error(
                "not an event", topic=record.topic, partition=record.partition, offset=record.offset, reason=str(error)
            )
