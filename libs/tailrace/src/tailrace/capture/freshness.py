"""How far a service has read the topics that it listens to: how many events are left, and until when none is missing.

The age of the last event is no lag: on a quiet topic it grows while nothing is missing. What can be said for certain is found in three looks, in this
order: at the newest canary of the service that publishes a topic (whatever that service committed before its canary is in Kafka too), at the ends of
the topic's partitions, and at how far the reader has committed, which it does after its database. Where nothing is left between the last two, all
from before the canary is applied; where something is, all from before the first event that is not. Rows that are read after that hold at least as
much, but for dead letters (`set_aside`).

An event bears the time at which its transaction began, and is committed up to LONGEST later: that much is taken off.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from sqlalchemy import func, select

from tailrace.capture.canary import Arrival, canary_id, canary_reader
from tailrace.db.database import Tx
from tailrace.db.tables import dead_letter
from tailrace.kafka.cloudevents import Malformed, read_meta
from tailrace.kafka.topic_reader import TopicReader, committed
from tailrace.observability.logs import log

LONGEST = timedelta(seconds=15)
"""How long a transaction that records an event may take. Nobody waits for a lock longer than ten seconds, and requests are cut off before."""
_KEPT, _WITHIN = 2.0, 4.0
"""Seconds for which a look counts as new, and that it may take."""
_READS, _AT_ONCE = 10, 200
"""How often, and how many records at a time, are read for the first one that is left in each partition."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Of a topic: how many events are still to be read, and until when nothing is missing."""

    behind: int
    complete_until: datetime | None


def reading_of(
    canary: Arrival | None,
    ends: Mapping[int, int],
    applied: Mapping[int, int],
    unread: Mapping[int, datetime],
) -> Reading:
    """By partition: where the topic ends, how far it was applied, and when the first event happened that was not.

    `canary` is the publisher's newest that was in Kafka before the ends were looked at.
    """
    left = {number: end - applied.get(number, 0) for number, end in ends.items() if end > applied.get(number, 0)}
    if canary is None or left.keys() - unread.keys():
        return Reading(sum(left.values()), None)
    until = min([canary.recorded_at, *(unread[number] for number in left)])
    return Reading(sum(left.values()), until - LONGEST)


class Watch:
    """Looks at Kafka for one process, at most once in a while, however many ask."""

    def __init__(self, kafka: str, group: str, publishers: Mapping[str, str]) -> None:
        """`publishers`: by topic that is looked at, the service that publishes it. `group` is the reader's, its service's name."""
        self._kafka, self._group, self._publishers = kafka, group, publishers
        self._lock = asyncio.Lock()
        self._seen: Mapping[str, Reading] = {}
        self._at = float("-inf")

    async def look(self) -> Mapping[str, Reading]:
        """By topic; empty while Kafka does not answer."""
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if now - self._at > _KEPT:
                try:
                    async with asyncio.timeout(_WITHIN):
                        self._seen = await self._read()
                except Exception as error:
                    log.info("freshness unknown", error=type(error).__name__)
                    self._seen = {}
                self._at = asyncio.get_running_loop().time()
            return self._seen

    async def _read(self) -> Mapping[str, Reading]:
        async with canary_reader(self._kafka) as canaries:
            newest = dict(await canaries.newest())
        async with TopicReader(self._kafka, f"freshness-{self._group}") as topics:
            ends = await topics.ends(self._publishers)
            applied = await committed(self._kafka, self._group)
            left = {at: applied.get(at, 0) for at, end in ends.items() if end > applied.get(at, 0)}
            unread = await _first(topics, left)
        return {
            topic: reading_of(
                newest.get(canary_id(service)),
                _of(topic, ends),
                _of(topic, applied),
                _of(topic, unread),
            )
            for topic, service in self._publishers.items()
        }


def _of(topic: str, values: Mapping[TopicPartition, Any]) -> dict[int, Any]:
    return {at.partition: value for at, value in values.items() if at.topic == topic}


async def _first(topics: TopicReader, left: Mapping[TopicPartition, int]) -> dict[TopicPartition, datetime]:
    """When the first event happened that is left in each partition; a partition in which it cannot be read is not there."""
    found: dict[TopicPartition, datetime | None] = {}
    for _ in range(_READS):
        missing = {at: offset for at, offset in left.items() if at not in found}
        if not missing:
            break
        records, _positions = await topics.read(missing, _AT_ONCE)
        for record in records:
            found.setdefault(TopicPartition(record.topic, record.partition), _time_of(record))
    return {at: moment for at, moment in found.items() if moment is not None}


def _time_of(record: ConsumerRecord) -> datetime | None:
    try:
        return read_meta(record).time
    except Malformed:
        return None


async def set_aside(tx: Tx, *subscribers: str) -> int:
    """How many events of the transaction's tenant are dead letters of these subscribers: what they said is missing in their rows."""
    mine = (dead_letter.c.subscriber.in_(subscribers), dead_letter.c.tenant_id == tx.tenant_id)
    each = select(dead_letter.c.topic, dead_letter.c.partition, dead_letter.c.offset).where(*mine).distinct().subquery()
    return await tx.scalar(select(func.count()).select_from(each)) or 0
