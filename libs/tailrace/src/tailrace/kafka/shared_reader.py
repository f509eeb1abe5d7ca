"""One consumer for all relays of a process that have caught up: a record is fetched and looked at once, however many relays there are.

A relay that begins, or is behind, reads alone (`relay`). Once it is close it joins, and gets a lane: what the shared reader hands out from then on is
put by there. What lies between where the relay is and that moment it still reads alone; then it goes on with its lane. A record's headers say whose
it is, by tenant and type, before anything of it is parsed.

Nothing is lost or doubled, since
- joining, handing out a round and taking from a lane are each one step of the event loop, without an await: nobody sees half of one;
- a lane begins in each partition at an offset of its own. What the relay reads alone ends there, and what is handed out before it is passed over;
- how far a lane is, is behind the last record that was taken, or, when nothing is left in it, as far as the reader is: the offsets that a relay
  commits are behind all that it gave, and before all that it did not;
- when the set of partitions changes, what was fetched for the former one is thrown away, and the reader begins again where it was in each.

Nobody waits for anybody: a lane that is not emptied is ended when it is full, and one that is ended, or whose reader broke, has its relay begin again
from what it committed. Nothing here is kept anywhere else, and so a process that dies or is fenced off leaves nothing behind.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError

from tailrace.core.retries.backoff import Backoff
from tailrace.kafka import clients, shutdown
from tailrace.kafka.stall_detector import StallDetector
from tailrace.kafka.topic_reader import ends
from tailrace.observability.logs import log

CLOSE = 2000
"""Records that a relay may be behind, and away from the shared reader, when it joins."""
FULL = 8 * 1024 * 1024
"""Bytes that a lane holds at most, a record counting for its value and `_OVERHEAD` more."""
_OVERHEAD = 1024
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
_WAIT_MS, _MOST = 200, 2000
"""How long it waits for something new before it looks who has joined, and how much it hands out at once."""
_ROUND = 0.01
"""Seconds between two rounds, in which a busy topic gathers some records: each fetch costs as much as dozens of them."""
Kind = tuple[bytes, bytes]
"""Whose event a record is, and of what type, as its headers say."""
Taken = tuple[TopicPartition, ConsumerRecord]
"""A record, and where it comes from."""


class Ended(Exception):
    """The lane holds nothing any more: begin again from what was committed."""


def kind_of(headers: Sequence[tuple[str, bytes | None]]) -> Kind:
    """Of a header that is there twice, the last one counts, as in a dictionary."""
    tenant = type_of = b""
    for name, value in headers:
        if name == "ce_tenantid":
            tenant = tenant if value is None else value
        elif name == "ce_type":
            type_of = type_of if value is None else value
    return tenant, type_of


@dataclass(eq=False)
class Lane:
    """Of one relay. Made by `SharedReader.join`."""

    reader: "SharedReader"
    kinds: Collection[Kind]
    begins: Mapping[TopicPartition, int]
    """The first offset of each partition that comes through the lane."""
    at: dict[TopicPartition, int]
    """How far it is: before this, there is nothing in the lane or to come."""
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False
    _put_by: deque[Taken] = field(default_factory=deque)
    _weight: int = 0

    def before(
        self, batches: Mapping[TopicPartition, Sequence[ConsumerRecord]]
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Of what the relay read alone, what does not come through the lane."""
        return {
            each: left
            for each, records in batches.items()
            if (left := [record for record in records if record.offset < self.begins[each]])
        }

    def put(self, at: TopicPartition, record: ConsumerRecord) -> None:
        if self.ended or record.offset < self.begins[at]:
            return
        self._put_by.append((at, record))
        self._weight += _OVERHEAD + len(record.value or b"")
        if self._weight > FULL:
            self.end()
        self.woken.set()

    def end(self) -> None:
        """It holds nothing any more, and `take` says so."""
        self.ended = True
        self._put_by.clear()
        self.woken.set()

    async def wait(self, within: float) -> None:
        """Returns when there is something, or may be, or after so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self.woken.wait()

    def take(self, most: int) -> tuple[list[Taken], dict[TopicPartition, int]]:
        """Up to `most` records, in order by partition, and how far the lane is behind them in each partition where it moved. Raises Ended."""
        self.woken.clear()
        if self.ended:
            raise Ended
        taken = [self._put_by.popleft() for _ in range(min(most, len(self._put_by)))]
        self._weight -= sum(_OVERHEAD + len(record.value or b"") for _, record in taken)
        if self._put_by:
            self.woken.set()
            behind = {at: record.offset + 1 for at, record in taken}
        else:
            behind = {each: self.reader.next[each] for each in self.begins}
        moved = {each: end for each, end in behind.items() if end > self.at[each]}
        self.at |= moved
        return taken, moved

    async def behind(self) -> int | None:
        """Records that were not handed out yet, or not taken; None while that is not known."""
        not_read = await self.reader.behind(self.begins)
        return None if not_read is None else not_read + len(self._put_by)


class SharedReader:
    """Of one process. Made by `shared_reader`."""

    def __init__(self, kafka: str) -> None:
        self._kafka = kafka
        self.next: dict[TopicPartition, int] = {}
        """Where it reads, and the next offset that it hands out."""
        self.lanes: set[Lane] = set()
        self._routes: dict[str, dict[Kind, list[Lane]]] = {}
        """By topic, who gets what."""
        self._joined = asyncio.Event()
        self._stale = False
        """Whether the consumer reads something else than `next` says."""
        self._resting = False
        self._consumer: AIOKafkaConsumer | None = None

    def join(self, kinds: Collection[Kind], at: Mapping[TopicPartition, int]) -> Lane | None:
        """A lane for one that has read all before these offsets; None while it is too far from the reader, or that rests."""
        apart = sum(abs(self.next.get(each, place) - place) for each, place in at.items())
        if self._resting or apart > CLOSE:
            return None
        begins = {each: max(place, self.next.get(each, place)) for each, place in at.items()}
        lane = Lane(self, kinds, begins, dict(at))
        if not at.keys() <= self.next.keys():
            self.next = {**at, **self.next}
            self._stale = True
        self.lanes.add(lane)
        self._route()
        self._joined.set()
        return lane

    def leave(self, lane: Lane) -> None:
        """Nothing is put by for it any more."""
        lane.end()
        if lane not in self.lanes:
            return
        self.lanes.discard(lane)
        read = {each for other in self.lanes for each in other.begins}
        if read != self.next.keys():
            self.next = {each: place for each, place in self.next.items() if each in read}
            self._stale = True
        self._route()
        if not self.lanes:
            self._joined.clear()

    async def behind(self, places: Collection[TopicPartition]) -> int | None:
        """Records that it has not handed out yet, as far as the brokers' last answers say; None while they have not said of each."""
        consumer, found = self._consumer, 0
        for each in places:
            if consumer is None or self._stale or (end := consumer.highwater(each)) is None:
                return None
            found += max(0, end - await consumer.position(each))
        return found

    async def run(self) -> None:
        """Until cancelled. Whatever fails ends the lanes."""
        backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
        while True:
            await self._joined.wait()
            try:
                await self._read(backoff)
                continue
            except (KafkaError, ConsumerStoppedError, OSError) as error:
                log.warning("shared reader begins again", error=type(error).__name__)
            except Exception as error:
                log.error("shared reader begins again", exc_info=error)
            except asyncio.CancelledError as error:
                shutdown.heed(error)
            with self._rest():
                await asyncio.sleep(backoff.next())

    @contextmanager
    def _rest(self) -> Iterator[None]:
        """Those that it served read alone meanwhile."""
        self._resting = True
        for lane in list(self.lanes):
            self.leave(lane)
        try:
            yield
        finally:
            self._resting = False

    async def _read(self, backoff: Backoff) -> None:
        """While anyone has joined."""
        self._consumer = consumer = clients.consumer(self._kafka, start="none")
        self._stale = True
        try:
            await consumer.start()
            stall_detector = StallDetector(consumer, partial(ends, self._kafka, "relay"))
            while self.lanes:
                if self._stale:
                    self._assign(consumer)
                batches = await consumer.getmany(timeout_ms=_WAIT_MS, max_records=_MOST)
                await stall_detector.check(batches)
                # Who came or went meanwhile may have changed where it is to read; then these are read again.
                if batches and not self._stale:
                    self.hand_out(batches)
                    backoff.reset()
                    await asyncio.sleep(_ROUND)
        finally:
            self._consumer = None
            await shutdown.stop(consumer)

    def _assign(self, consumer: AIOKafkaConsumer) -> None:
        consumer.assign(list(self.next))
        for each, place in self.next.items():
            consumer.seek(each, place)
        self._stale = False

    def _route(self) -> None:
        self._routes = {}
        for lane in self.lanes:
            for topic in {each.topic for each in lane.begins}:
                of = self._routes.setdefault(topic, {})
                for kind in lane.kinds:
                    of.setdefault(kind, []).append(lane)

    def hand_out(self, batches: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> None:
        """To those whom each record is for. All of these lie where it reads."""
        for at, records in batches.items():
            of = self._routes[at.topic]
            for record in records:
                for lane in of.get(kind_of(record.headers), ()):
                    lane.put(at, record)
            self.next[at] = records[-1].offset + 1
        for lane in [each for each in self.lanes if each.ended]:
            self.leave(lane)


@asynccontextmanager
async def shared_reader(kafka: str) -> AsyncIterator[SharedReader]:
    """It reads while any relay has joined, and ends with the block."""
    reader = SharedReader(kafka)
    task = asyncio.create_task(reader.run())
    try:
        yield reader
    finally:
        task.cancel()
        await asyncio.wait({task})
