"""Events that follow one another come together before a busy consumer takes them, and none is left out."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable

import pytest
from aiokafka import ConsumerRecord
from toy.asking import Asking, on_kafka

from tailrace.core.ids import uuid7
from tailrace.messaging.consumer import Consumer
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
