"""Relays that share a reader: whoever comes, goes, falls behind or breaks, each gives every record that is its own once, and in order."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from tailrace.kafka import clients, shared_reader
from tailrace.kafka.relay import Headers, Passed, Relay, run
from tailrace.kafka.shared_reader import CLOSE, Ended, Kind, Lane, SharedReader, kind_of
from tailrace.kafka.topics import create_topics

PLACES = [TopicPartition("dug", 0), TopicPartition("dug", 1), TopicPartition("filled", 0)]
KINDS: list[Kind] = [(b"a", b"x"), (b"a", b"y"), (b"b", b"x"), (b"c", b"x")]


def _record(at: TopicPartition, offset: int, kind: Kind) -> Any:
    headers = (("ce_type", kind[1]), ("traceparent", b"1"), ("ce_tenantid", kind[0]), ("ce_actorid", None))
    return ConsumerRecord(at.topic, at.partition, offset, 0, 0, b"k", b"v", None, 1, 1, headers)


def test_the_last_header_that_says_something_says_whose_it_is() -> None:
    twice = [("ce_tenantid", b"a"), ("ce_type", b"x"), ("ce_tenantid", b"b"), ("ce_type", None)]
    assert kind_of(twice) == (b"b", b"x")
    assert kind_of([("ce_type", b"x")]) == (b"", b"x")
    assert kind_of([]) == (b"", b"")


@dataclass
class Simulated:
    """A relay whose transactions are one step: what it gave, and how far it committed that it was. It may die between any two of them."""

    kinds: frozenset[Kind]
    places: list[TopicPartition]
    committed: dict[TopicPartition, int]
    got: list[tuple[TopicPartition, int]] = field(default_factory=list)
    lane: Lane | None = None

    def begin(self, logs: dict[TopicPartition, list[Any]], reader: SharedReader, ahead: int) -> None:
        """Reads alone, a bit further than it commits, joins, and reads what lies before its lane."""
        at = {each: min(len(logs[each]), self.committed[each] + ahead) for each in self.places}
        self._give({each: logs[each][self.committed[each] : end] for each, end in at.items()})
        self.committed = dict(at)
        self.lane = reader.join(self.kinds, at)
        if self.lane is not None:
            self._give(self.lane.before({each: logs[each][at[each] : at[each] + CLOSE] for each in self.places}))
            self.committed = {each: max(at[each], self.lane.begins[each]) for each in self.places}

    def step(self, most: int) -> None:
        if self.lane is None:
            return
        try:
            taken, ends = self.lane.take(most)
        except Ended:
            self.lane = None
            return
        for at, record in taken:
            assert self.committed[at] <= record.offset < ends[at]
        self._give({each: [record for at, record in taken if at == each] for each in self.places})
        self.committed |= ends

    def _give(self, batches: Any) -> None:
        for at, records in batches.items():
            self.got += [(at, record.offset) for record in records if kind_of(record.headers) in self.kinds]


@dataclass
class World:
    """Logs, a reader, and relays that come and go, by chance."""

    chance: random.Random
    reader: SharedReader = field(default_factory=lambda: SharedReader("nowhere"))
    logs: dict[TopicPartition, list[Any]] = field(default_factory=lambda: {each: [] for each in PLACES})
    relays: list[Simulated] = field(default_factory=list)

    def __post_init__(self) -> None:
        for _ in range(5):
            kinds = frozenset(self.chance.sample(KINDS, self.chance.randint(1, 3)))
            places = self.chance.choice([PLACES, PLACES[:2], PLACES[2:]])
            self.relays.append(Simulated(kinds, places, dict.fromkeys(places, 0)))

    def write(self) -> None:
        at = self.chance.choice(PLACES)
        for _ in range(self.chance.randint(1, 8)):
            self.logs[at].append(_record(at, len(self.logs[at]), self.chance.choice(KINDS)))

    def read(self) -> None:
        here = self.reader.next.items()
        there = {each: self.logs[each][place : place + self.chance.randint(1, 9)] for each, place in here}
        self.reader.hand_out({each: records for each, records in there.items() if records})

    def begin(self) -> None:
        relay = self.chance.choice(self.relays)
        if relay.lane is None:
            relay.begin(self.logs, self.reader, self.chance.randint(0, 12))

    def die(self) -> None:
        self.leave(self.chance.choice(self.relays))

    def step(self) -> None:
        self.chance.choice(self.relays).step(self.chance.randint(1, 6))

    def leave(self, relay: Simulated) -> None:
        if relay.lane is not None:
            self.reader.leave(relay.lane)
            relay.lane = None

    def finish(self, relay: Simulated) -> None:
        """Until it has all there is."""
        for _ in range(10_000):
            if relay.lane is None:
                relay.begin(self.logs, self.reader, 10_000)
            if all(relay.committed[each] == len(self.logs[each]) for each in relay.places):
                return
            self.read()
            relay.step(100)
        raise AssertionError("it never has all there is")

    def wanted(self, relay: Simulated, at: TopicPartition) -> list[int]:
        return [each.offset for each in self.logs[at] if kind_of(each.headers) in relay.kinds]


@pytest.mark.parametrize("seed", range(40))
def test_wherever_it_joins_and_dies_each_record_is_given_once_and_in_order(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(random.Random(seed))
    monkeypatch.setattr(shared_reader, "FULL", 1100 * world.chance.choice([3, 10, 10_000]))
    steps = [world.write, world.read] * 2 + [world.step] * 3 + [world.begin, world.die]
    for _ in range(600):
        world.chance.choice(steps)()
    for relay in world.relays:
        world.finish(relay)
        for at in relay.places:
            assert [offset for where, offset in relay.got if where == at] == world.wanted(relay, at)
        world.leave(relay)
    assert (world.reader.next, world.reader.lanes) == ({}, set())


def test_who_is_too_far_away_goes_on_alone() -> None:
    reader = SharedReader("nowhere")
    one = reader.join(KINDS, {PLACES[0]: 10_000})
    assert one is not None
    assert reader.join(KINDS, {PLACES[0]: 10_000 - CLOSE - 1}) is None
    assert reader.join(KINDS, {PLACES[0]: 10_000 + CLOSE + 1}) is None
    two = reader.join(KINDS, {PLACES[0]: 10_000 - CLOSE})
    assert two is not None
    assert two.begins == one.begins


@dataclass
class Burrow:
    """A source of several tenants' records, relays that fill a target for each tenant, and what is to be in it."""

    kafka: str
    source: str
    tenants: list[bytes]
    shared: SharedReader
    running: dict[bytes, tuple[asyncio.Event, asyncio.Task[None]]] = field(default_factory=dict)
    written: int = 0

    def target(self, tenant: bytes) -> str:
        return f"{self.source}.{tenant.decode()}"

    def begin(self, tenant: bytes) -> None:
        stop, kinds = asyncio.Event(), frozenset({(tenant, b"dug")})
        relay = Relay(self.target(tenant), [self.source], None, kinds, lambda _: self.target(tenant), _as_it_is)
        self.running[tenant] = stop, asyncio.create_task(run(self.kafka, relay, stop, self.shared))

    async def end(self, *tenants: bytes) -> None:
        for tenant in tenants:
            stop, task = self.running.pop(tenant)
            stop.set()
            await task

    async def write(self, stop: asyncio.Event) -> None:
        async with clients.producer(self.kafka) as producer:
            while not stop.is_set():
                tenant, number = self.tenants[self.written % len(self.tenants)], str(self.written).encode()
                headers = [("ce_type", b"dug"), ("ce_tenantid", tenant)]
                await producer.send(self.source, number, partition=self.written % 7 % 3, headers=headers)
                self.written += 1
                if self.written % 20 == 0:
                    await asyncio.sleep(0.02)

    async def lanes(self, count: int, besides: set[Lane] | None = None) -> set[Lane]:
        """Once there are so many, none of them one of those."""
        async with asyncio.timeout(60):
            while len(self.shared.lanes) != count or self.shared.lanes & (besides or set()):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return set(self.shared.lanes)

    async def check(self, tenant: bytes) -> None:
        """Its target has its records and no others, each once, and each partition's in order."""
        wanted, got = defaultdict[int, list[int]](list), defaultdict[int, list[int]](list)
        for number in range(self.written):
            if self.tenants[number % len(self.tenants)] == tenant:
                wanted[number % 7 % 3].append(number)
        async with asyncio.timeout(60), clients.consumer(self.kafka, self.target(tenant)) as consumer:
            while sum(map(len, got.values())) < sum(map(len, wanted.values())):
                for at, records in (await consumer.getmany(timeout_ms=200)).items():
                    got[at.partition] += [int(each.value) for each in records]
            ends = await consumer.end_offsets(consumer.assignment())
            while any([await consumer.position(each) < end for each, end in ends.items()]):
                for at, records in (await consumer.getmany(timeout_ms=200)).items():
                    got[at.partition] += [int(each.value) for each in records]
        assert got == wanted


def _as_it_is(headers: Headers, value: bytes | None) -> Passed | None:
    return None if value is None else Passed(value, [(name, text) for name, text in headers if text is not None])


async def test_relays_come_go_fall_behind_and_break_while_it_is_written(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, tenants = f"burrow.{uuid4().hex[:8]}.events", [uuid4().hex.encode() for _ in range(4)]
    async with shared_reader.shared_reader(kafka) as shared:
        burrow = Burrow(kafka, source, tenants, shared)
        await create_topics(kafka, [source, *map(burrow.target, tenants)], 3, 1)
        try:
            burrow.begin(tenants[0])
            burrow.begin(tenants[1])
            await burrow.lanes(2)
            stop = asyncio.Event()
            writing = asyncio.create_task(burrow.write(stop))
            burrow.begin(tenants[2])
            await burrow.lanes(3)
            await burrow.end(tenants[0])
            burrow.begin(tenants[0])
            before = await burrow.lanes(3)
            # Every lane is full at once, and then its reader breaks.
            monkeypatch.setattr(shared_reader, "FULL", 0)
            async with asyncio.timeout(30):
                while before & shared.lanes:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            monkeypatch.undo()
            before = await burrow.lanes(3, before)
            monkeypatch.setattr(shared, "hand_out", _breaks(shared))
            before = await burrow.lanes(3, before)
            burrow.begin(tenants[3])
            await burrow.lanes(4)
            async with asyncio.timeout(30):
                last = burrow.written + 200
                while burrow.written < last:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            stop.set()
            await writing
            for tenant in tenants:
                await burrow.check(tenant)
        finally:
            await burrow.end(*burrow.running)
        assert shared.lanes == set()


def _breaks(shared: SharedReader) -> Callable[[Any], None]:
    """In the middle of the first round, and never again."""
    usual, broken = shared.hand_out, False

    def hand_out(batches: Any) -> None:
        nonlocal broken
        if not broken:
            broken = True
            usual(dict(list(batches.items())[:1]))
            raise OSError
        usual(batches)

    return hand_out
