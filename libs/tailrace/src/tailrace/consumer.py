"""A service's consumer: one group, offsets committed after the database, failures that pass waited out with the partition held.

A subscriber that is new in a running service is brought up beside it (see `attendance`, `catch_up`).
"""

import asyncio
from functools import partial

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CommitFailedError

from tailrace import farewell, kafka_clients
from tailrace.attendance import Attendance, Batch, Offsets
from tailrace.catch_up import CatchUp, passes
from tailrace.delivery import Courier
from tailrace.failures import is_transient
from tailrace.hearing import Hearing
from tailrace.history import ends
from tailrace.logs import log
from tailrace.settings import Settings

_BACK_OFF_FIRST, _BACK_OFF_MOST = 0.2, 5.0
_MAX_POLL_MS = 600_000
_LONGEST_POLL = _MAX_POLL_MS / 1000 + 60
"""Seconds of one look for records, which does not end while a place in the group is sought: longer than the broker lets that take."""
_ANSWER_WITHIN = 60.0
"""Seconds for whatever else is asked of the broker: aiokafka asks again for ever."""


class Consumer:
    """Runs until stopped. `ready` is set from its first place in its group on, while the last batch went through; Kafka may be away meanwhile.

    `waiting_for` says what is away, of Kafka and the database.
    """

    def __init__(self, group: str, courier: Courier, settings: Settings) -> None:
        self._group = group
        self._courier = courier
        self._settings = settings
        self._most = settings.reaction_batch if courier.reacts else settings.consumer_batch
        self._attendance = Attendance(courier)
        self.ready = asyncio.Event()
        self.waiting_for: str | None = None
        self._reading: AIOKafkaConsumer | None = None

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
    def catching_up(self) -> dict[str, tuple[int, int]]:
        """By subscriber that still reads history: how many facts it has read, and of how many."""
        return self._attendance.progress()

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop` is set; start over after anything that Kafka throws."""
        if not self._courier.topics:
            self.ready.set()
            return
        pause = _BACK_OFF_FIRST
        while not stop.is_set():
            try:
                await self._session(stop)
                pause = _BACK_OFF_FIRST
            except (Exception, asyncio.CancelledError) as error:
                if not passes(error):
                    raise
                # No reason to send a request elsewhere: what is written now is published when Kafka is back.
                self._waits(f"Kafka: {error!r}")
                await _sleep(stop, pause)
                pause = min(pause * 2, _BACK_OFF_MOST)

    async def _session(self, stop: asyncio.Event) -> None:
        self._attendance = Attendance(self._courier)
        consumer = self._connect()
        catch_up = CatchUp(self._group, self._courier.twin(), self._attendance, self._settings)
        catching_up = asyncio.create_task(catch_up.run())
        hearing = Hearing(consumer, partial(ends, self._settings.kafka, self._group))
        try:
            await consumer.start()
            self._reading = consumer
            while not stop.is_set() and not catching_up.done():
                # Until it has a place, which ends no wait, it looks often.
                wait = self._settings.consumer_wait_ms if consumer.assignment() else 500
                async with asyncio.timeout(_LONGEST_POLL):
                    batch = await consumer.getmany(timeout_ms=wait, max_records=self._most)
                await hearing.check(batch)
                async with asyncio.timeout(_ANSWER_WITHIN):
                    await self._attendance.learn(consumer)
                if consumer.assignment():
                    self._is_ready()
                await self._process(consumer, batch, stop)
            if catching_up.done():
                await catching_up
        finally:
            self._reading = None
            catching_up.cancel()
            await asyncio.wait([catching_up])
            await farewell.stop(consumer)

    def _connect(self) -> AIOKafkaConsumer:
        consumer = kafka_clients.consumer(
            self._settings.kafka,
            group=self._group,
            client_id=f"tailrace-{self._group}",
            fetch_max_wait_ms=self._settings.consumer_wait_ms,
            session_timeout_ms=10_000,
            heartbeat_interval_ms=2_000,
            max_poll_interval_ms=_MAX_POLL_MS,
            metadata_max_age_ms=60_000,
        )
        consumer.subscribe(sorted(self._courier.topics), listener=self._attendance)
        return consumer

    async def _process(self, consumer: AIOKafkaConsumer, fetched: Batch, stop: asyncio.Event) -> None:
        batch, absent = self._attendance.begin(fetched)
        if not batch:
            await _commit(consumer, self._attendance.delivered(batch))
            return
        records = [record for partition in sorted(batch) for record in batch[partition]]
        pause = _BACK_OFF_FIRST
        while not stop.is_set():
            try:
                await self._courier.deliver(records, absent)
            except Exception as error:
                if not is_transient(error):
                    raise
                self._waits(f"{type(error).__name__}: {str(error)[:200]}")
                self.ready.clear()
                await _sleep(stop, pause)
                pause = min(pause * 2, _BACK_OFF_MOST)
            else:
                self._is_ready()
                await _commit(consumer, self._attendance.delivered(batch))
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
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
