"""A subscriber that is new in a running service reads history beside the live delivery, delays no other, and joins when it has caught up.

The reading has no group; what it hands out goes through the same marks as everything else, so it may be killed at any point and go on.
"""

import asyncio
from collections.abc import Mapping

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from tailrace.core.retries.backoff import Backoff
from tailrace.db.error_classes import is_transient
from tailrace.kafka.shutdown import stray
from tailrace.kafka.topic_reader import TopicReader
from tailrace.messaging.dispatcher import Dispatcher
from tailrace.messaging.subscriber_offsets import Behind, SubscriberOffsets
from tailrace.observability.logs import log
from tailrace.settings import Settings

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0


class Backfill:
    """Reads for all subscribers that are behind in the partitions that this process holds: each partition once, however many wait for it."""

    def __init__(
        self, group: str, dispatcher: Dispatcher, subscriber_offsets: SubscriberOffsets, settings: Settings
    ) -> None:
        self._group = group
        self._dispatcher = dispatcher
        self._subscriber_offsets = subscriber_offsets
        self._settings = settings

    async def run(self) -> None:
        """Runs until cancelled. While none is behind it waits, without a connection to Kafka. What passes is waited out."""
        backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
        while True:
            await self._subscriber_offsets.any_behind.wait()
            try:
                await self._read()
                backoff.reset()
            except (Exception, asyncio.CancelledError) as error:
                if not passes(error):
                    raise
                log.warning("backfill waits", reason=f"{type(error).__name__}: {str(error)[:200]}")
                await asyncio.sleep(backoff.next())

    async def _read(self) -> None:
        async with TopicReader(self._settings.kafka, self._group) as history:
            while reading := self._subscriber_offsets.behind:
                places = {at: behind.position for at, behind in reading.items()}
                records, positions = await history.read(places, self._most(reading))
                if records:
                    await self._dispatcher.deliver(records, self._subscriber_offsets.not_behind(reading))
                self._subscriber_offsets.have_read(reading, positions)

    def _most(self, reading: Mapping[TopicPartition, Behind]) -> int:
        listening = ((s, b) for at, b in reading.items() for s in self._dispatcher.subscribers(at.topic))
        records = any(subscriber.records and subscriber.name in behind.names for subscriber, behind in listening)
        return most_at_once(self._settings, reacts=records, keeps=self._dispatcher.keeps)


def most_at_once(settings: Settings, *, reacts: bool, keeps: bool) -> int:
    """Records that one transaction may hold, where there are reactions, or else journals."""
    if reacts:
        return settings.reaction_batch
    return settings.journal_batch if keeps else settings.consumer_batch


def passes(error: BaseException) -> bool:
    """Whether Kafka or the database are away, or asked for another try."""
    return isinstance(error, TimeoutError | KafkaError | OSError) or is_transient(error) or stray(error)
