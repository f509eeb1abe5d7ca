"""A service's consumer: one group, offsets committed after the database, failures that pass waited out with the partition held.

A subscriber that is new in a running service is brought up beside it (see `subscriber_offsets`, `backfill`).
"""

import asyncio
import time
from dataclasses import dataclass
from functools import partial

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CommitFailedError

from tailrace.core.retries.backoff import Backoff
from tailrace.db.error_classes import is_transient
from tailrace.kafka import clients, shutdown
from tailrace.kafka.stall_detector import StallDetector
from tailrace.kafka.topic_reader import ends
from tailrace.messaging.backfill import Backfill, most_at_once, passes
from tailrace.messaging.dispatcher import Dispatcher
from tailrace.messaging.subscriber_offsets import Batch, Offsets, SubscriberOffsets
from tailrace.observability.logs import log
from tailrace.settings import Settings

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
_MAX_POLL_MS = 600_000
_LONGEST_POLL = _MAX_POLL_MS / 1000 + 60
"""Seconds of one look for records, which does not end while a place in the group is sought: longer than the broker lets that take."""
_ANSWER_WITHIN = 60.0
"""Seconds for whatever else is asked of the broker: aiokafka asks again for ever."""
_REST, _LONGEST_REST, _AT_ONCE = 4.0, 0.25, 0.25
"""How many times as long as an event of its deliveries took it rests, how many seconds at most, and how many seconds of rest it may owe."""


class Consumer:
    """Runs until stopped. `ready` is set from its first place in its group on, while the last batch went through; Kafka may be away meanwhile.

    `waiting_for` says what is away, of Kafka and the database.
    """

    def __init__(self, group: str, dispatcher: Dispatcher, settings: Settings) -> None:
        self._group = group
        self._dispatcher = dispatcher
        self._settings = settings
        self._most = most_at_once(settings, reacts=dispatcher.reacts, keeps=dispatcher.keeps)
        self._subscriber_offsets = SubscriberOffsets(dispatcher)
        self.ready = asyncio.Event()
        self.waiting_for: str | None = None
        self._reading: AIOKafkaConsumer | None = None
        self._epoch = 1
        self._begin_again = asyncio.Event()

    def noticed(self, epoch: int) -> None:
        """The database is in this epoch now: what was known of who has read how far is from before, and is looked up again."""
        if epoch != self._epoch:
            self._begin_again.set()

    async def lag(self) -> dict[tuple[str, int], int]:
        """Records behind the end of each partition that is read here, as the last fetch saw it. Raises TimeoutError while a place is sought."""
        behind: dict[tuple[str, int], int] = {}
        reading = self._reading
        if reading is None:
            return behind
        for place in reading.assignment():
            end = reading.highwater(place)
            if end is not None:
                position = await asyncio.wait_for(reading.position(place), 1)
                behind[place.topic, place.partition] = max(end - position, 0)
        return behind

    @property
    def backfilling(self) -> dict[str, tuple[int, int]]:
        """By subscriber that still reads history: how many events it has read, and of how many."""
        return self._subscriber_offsets.progress()

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop` is set; start over after anything that Kafka throws."""
        if not self._dispatcher.topics:
            self.ready.set()
            return
        backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
        while not stop.is_set():
            try:
                await self._session(stop)
                backoff.reset()
            except (Exception, asyncio.CancelledError) as error:
                if not passes(error):
                    raise
                # No reason to send a request elsewhere: what is written now is published when Kafka is back.
                self._waits(f"Kafka: {error!r}")
                await _sleep(stop, backoff.next())

    async def _session(self, stop: asyncio.Event) -> None:
        self._begin_again.clear()
        self._epoch = await self._dispatcher.epoch()
        self._subscriber_offsets = SubscriberOffsets(self._dispatcher, self._epoch)
        consumer = self._connect()
        backfill = Backfill(self._group, self._dispatcher.copy(), self._subscriber_offsets, self._settings)
        backfilling = asyncio.create_task(backfill.run())
        stall_detector = StallDetector(consumer, partial(ends, self._settings.kafka, self._group))
        try:
            await consumer.start()
            self._reading = consumer
            next_at, rests = time.monotonic(), Rests()
            while not (stop.is_set() or backfilling.done() or self._begin_again.is_set()):
                # aiokafka fetches nothing more until what it has is taken: meanwhile it comes together at the broker.
                await _sleep(stop, next_at - time.monotonic())
                # Until it has a place, which ends no wait, it looks often.
                wait = self._settings.consumer_wait_ms if consumer.assignment() else 500
                async with asyncio.timeout(_LONGEST_POLL):
                    batch = await consumer.getmany(timeout_ms=wait, max_records=self._most)
                began = time.monotonic()
                await stall_detector.check(batch)
                async with asyncio.timeout(_ANSWER_WITHIN):
                    await self._subscriber_offsets.learn(consumer)
                if consumer.assignment():
                    self._is_ready()
                await self._process(consumer, batch, stop)
                if batch:
                    ended = time.monotonic()
                    rest = rests.after(began, ended, sum(map(len, batch.values())), self._most)
                    next_at = max(began + self._settings.consumer_gather_ms / 1000, ended + rest)
            if backfilling.done():
                await backfilling
        finally:
            self._reading = None
            backfilling.cancel()
            await asyncio.wait([backfilling])
            await shutdown.stop(consumer)

    def _connect(self) -> AIOKafkaConsumer:
        consumer = clients.consumer(
            self._settings.kafka,
            group=self._group,
            client_id=f"tailrace-{self._group}",
            fetch_max_wait_ms=self._settings.consumer_wait_ms,
            session_timeout_ms=10_000,
            heartbeat_interval_ms=2_000,
            max_poll_interval_ms=_MAX_POLL_MS,
            metadata_max_age_ms=60_000,
        )
        consumer.subscribe(sorted(self._dispatcher.topics), listener=self._subscriber_offsets)
        return consumer

    async def _process(self, consumer: AIOKafkaConsumer, fetched: Batch, stop: asyncio.Event) -> None:
        batch, excluded = self._subscriber_offsets.begin(fetched)
        if not batch:
            await _commit(consumer, self._subscriber_offsets.delivered(batch))
            return
        records = [record for partition in sorted(batch) for record in batch[partition]]
        backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
        while not stop.is_set():
            try:
                await self._dispatcher.deliver(records, excluded)
            except Exception as error:
                if not is_transient(error):
                    raise
                self._waits(f"{type(error).__name__}: {str(error)[:200]}")
                self.ready.clear()
                await _sleep(stop, backoff.next())
            else:
                self._is_ready()
                await _commit(consumer, self._subscriber_offsets.delivered(batch))
                return

    def _waits(self, reason: str) -> None:
        if self.waiting_for is None:
            log.warning("consumer waits", reason=reason)
        self.waiting_for = reason

    def _is_ready(self) -> None:
        if self.waiting_for is not None:
            log.info("consumer goes on")
        self.waiting_for = None
        self.ready.set()


@dataclass
class Rests:
    """In which further events come together, after deliveries that took long for the few events that they were of.

    A transaction of a few events costs almost what one of many does. So where it takes long, since all have much to do at once, everybody takes
    more at a time, and what each event costs falls until they keep up. What is of many already gains nothing by more, and hardly rests. Rest is owed
    for each delivery and made up for by time that passes; what is little is owed on, so that two events one after another wait for nothing.
    """

    owed: float = 0.0
    """Seconds, at `at`."""
    at: float = 0.0

    def after(self, began: float, ended: float, records: int, most: int) -> float:
        """Seconds to rest after a delivery of so many, of `most` that one may hold. Who has half as many is behind, and does not rest."""
        owed = max(0.0, self.owed - (began - self.at)) + _REST * (ended - began) / records
        self.owed, self.at = min(owed, _AT_ONCE + _LONGEST_REST), ended
        return 0.0 if 2 * records >= most else max(0.0, self.owed - _AT_ONCE)


async def _commit(consumer: AIOKafkaConsumer, offsets: Offsets) -> None:
    if not offsets:
        return
    try:
        async with asyncio.timeout(_ANSWER_WITHIN):
            await consumer.commit(offsets)
    except CommitFailedError:
        # A rebalance took the partition away: its next owner reads these records again and finds them applied.
        log.info("offsets not committed after a rebalance")


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    if seconds <= 0:
        return
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
