"""Events that follow one another come together before a busy consumer takes them, and none is left out."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Iterable
from itertools import pairwise

import pytest
from aiokafka import ConsumerRecord
from toy.asking import Asking, on_kafka

from tailrace.core.ids import uuid7
from tailrace.messaging.consumer import Consumer, Rests
from tailrace.messaging.dispatcher import Dispatcher, SubscriberPartition
from tailrace.settings import Settings
from tailrace_testing import Harness

GATHER_MS = 3000
EVENTS = 12


class Counting(Dispatcher):
    """How many records each delivery had."""

    sizes: list[int]

    async def deliver(
        self, records: Iterable[ConsumerRecord], excluded: Collection[SubscriberPartition] = frozenset()
    ) -> None:
        handed = list(records)
        self.sizes.append(len(handed))
        await super().deliver(handed, excluded)


@pytest.fixture
async def asking(toy: Harness, kafka: str) -> AsyncIterator[Asking]:
    async with on_kafka(toy, kafka) as asking:
        yield asking


async def test_what_follows_comes_together(asking: Asking) -> None:
    counting = Counting("toy", asking.toy.database, [asking.echo])
    counting.sizes = []
    stop = asyncio.Event()
    settings = Settings(kafka=asking.kafka, consumer_wait_ms=50, consumer_gather_ms=GATHER_MS)
    running = asyncio.create_task(Consumer(f"toy-{uuid7().hex[-8:]}", counting, settings).run(stop))
    await asking.send([uuid7()])
    await asking.comes_to("toy.echo")
    for _ in range(EVENTS):
        await asking.send([uuid7()])
        await asyncio.sleep(0.15)  # long enough for a delivery of its own
    await asking.comes_to("toy.echo")
    stop.set()
    await running
    assert counting.sizes[0] == 1, "the first goes at once"
    assert sum(counting.sizes) == 1 + EVENTS
    assert len(counting.sizes) <= 1 + EVENTS // 3


class Slow(Dispatcher):
    """When each delivery began and ended, and of how many it was. Each takes as long as on a machine that has much else to do."""

    times: list[tuple[float, float, int]]

    async def deliver(
        self, records: Iterable[ConsumerRecord], excluded: Collection[SubscriberPartition] = frozenset()
    ) -> None:
        began, records = time.monotonic(), list(records)
        await asyncio.sleep(0.1)
        await super().deliver(records, excluded)
        self.times.append((began, time.monotonic(), len(records)))


async def test_who_is_slow_rests_while_more_comes_together(asking: Asking) -> None:
    slow = Slow("toy", asking.toy.database, [asking.echo])
    slow.times = []
    stop = asyncio.Event()
    settings = Settings(kafka=asking.kafka, consumer_wait_ms=50)
    running = asyncio.create_task(Consumer(f"toy-{uuid7().hex[-8:]}", slow, settings).run(stop))
    await asking.send([uuid7()])
    await asking.comes_to("toy.echo")
    for _ in range(EVENTS):
        await asking.send([uuid7()])
        await asyncio.sleep(0.05)  # so that something waits whenever a delivery is through
    await asking.comes_to("toy.echo")
    stop.set()
    await running
    rests, owed = Rests(), list[float]()
    for (began, ended, of), (next_began, *_) in pairwise(slow.times):
        owed.append(rests.after(began, ended, of, settings.reaction_batch))
        assert next_began - ended > owed[-1] - 0.01
    assert sum(owed) > 0.14


def test_a_rest_is_as_long_as_deliveries_make_it_and_none_for_who_is_behind() -> None:
    rests, now, rested = Rests(), 1000.0, list[float]()
    for _ in range(40):
        rested.append(rests.after(now, now + 0.01, records=1, most=50))
        now += 0.01 + rested[-1]
    assert rested[:6] == [0.0] * 6, "what is little is owed on"
    assert rested[-10:] == pytest.approx([0.04] * 10), "who is always at it has a fifth of the time"
    assert rests.after(now, now + 0.01, records=4, most=50) == pytest.approx(0.01), "of four, for a fourth"
    now += 0.02
    assert rests.after(now, now + 0.01, records=25, most=50) == 0
    assert rests.after(now + 9, now + 9.01, records=1, most=50) == 0, "time makes up for it"
    assert rests.after(now + 10, now + 40, records=1, most=50) == 0.25


def test_two_that_follow_one_another_wait_for_nothing() -> None:
    rests = Rests()
    assert [rests.after(at, at + 0.03, records=1, most=50) for at in (5.0, 5.04)] == [0, 0]
