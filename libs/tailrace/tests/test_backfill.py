"""A subscriber that is new in a running service reads history from Kafka, misses nothing, and is brought up by whoever is there."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from toy.asking import Asking, on_kafka

from tailrace.core.ids import uuid7
from tailrace.kafka import clients
from tailrace.messaging.consumer import Consumer
from tailrace.messaging.dispatcher import Dispatcher
from tailrace.messaging.subscribers import EVER, Reaction, Subscriber
from tailrace.settings import Settings
from tailrace_testing import Harness
from tailrace_testing.gateway import eventually

_CONSUME = """
import asyncio, sys
from tailrace.messaging.consumer import Consumer
from tailrace.db.database import Database
from tailrace.messaging.dispatcher import Dispatcher
from tailrace.settings import Settings
from toy.elsewhere import elsewhere

async def main():
    settings, toy = Settings(), elsewhere(sys.argv[2])
    dispatcher = Dispatcher("toy", Database(settings.database_url, "toy"), [toy.echo, toy.heard])
    await Consumer(sys.argv[1], dispatcher, settings).run(asyncio.Event())

asyncio.run(main())
"""
_BOTH = '{"live":["toy.echo","toy.heard"]}'


@pytest.fixture
async def asking(toy: Harness, kafka: str) -> AsyncIterator[Asking]:
    async with on_kafka(toy, kafka) as asking:
        yield asking


@pytest.fixture
def group() -> str:
    return f"toy-{uuid7().hex[-8:]}"


@asynccontextmanager
async def _serving(asking: Asking, group: str, *subscribers: Subscriber) -> AsyncIterator[Consumer]:
    """One process's consumer; stopped at the end, as for a deployment."""
    stop = asyncio.Event()
    dispatcher = Dispatcher("toy", asking.toy.database, subscribers)
    settings = Settings(kafka=asking.kafka, consumer_wait_ms=50, consumer_batch=50)
    consumer = Consumer(group, dispatcher, settings)
    running = asyncio.create_task(consumer.run(stop))
    try:
        yield consumer
    finally:
        stop.set()
        await running


async def _caught_up(consumer: Consumer) -> None:
    async def behind() -> bool:
        return not consumer.ready.is_set() or bool(consumer.backfilling)

    await eventually(behind, lambda is_behind: not is_behind, what="a subscriber that caught up")


async def _committed(asking: Asking, group: str) -> dict[Any, Any]:
    admin = AIOKafkaAdminClient(**clients.connection(asking.kafka))
    await admin.start()
    try:
        offsets: dict[Any, Any] = await admin.list_consumer_group_offsets(group)
        return offsets
    finally:
        await admin.close()


async def test_a_new_subscriber_reads_history_while_the_others_go_on(asking: Asking, group: str) -> None:
    keys = [uuid7() for _ in range(40)]
    for _ in range(3):
        await asking.send(keys)
    async with _serving(asking, group, asking.echo):
        await asking.comes_to("toy.echo")
    async with _serving(asking, group, asking.echo, asking.heard) as consumer:
        for _ in range(3):
            await asking.send(keys)
            await asking.answer(keys[0])
        await asking.comes_to("toy.heard")
        await asking.comes_to("toy.echo")
        await _caught_up(consumer)
        await asking.send([*keys, uuid7()])
        await asking.comes_to("toy.heard")
    assert {times for key, times in (await asking.times()).items() if key in keys} == {7}
    assert await asking.dead_letters() == []
    assert {kept.metadata for kept in (await _committed(asking, group)).values()} == {_BOTH}


async def test_a_new_service_begins_live(asking: Asking, group: str) -> None:
    await asking.send([uuid7() for _ in range(30)])
    async with _serving(asking, group, asking.echo, asking.heard) as consumer:
        await _caught_up(consumer)
        await asking.comes_to("toy.heard")
        assert consumer.backfilling == {}


async def test_what_a_process_without_the_subscriber_moved_past_is_read_again(asking: Asking, group: str) -> None:
    """A release that was taken back, or two versions side by side: the offset went on without the new one."""
    keys = [uuid7() for _ in range(20)]
    for subscribers in ([asking.echo, asking.heard], [asking.echo], [asking.echo, asking.heard]):
        await asking.send(keys)
        async with _serving(asking, group, *subscribers):
            await asking.comes_to(subscribers[-1].name)
    assert set((await asking.times()).values()) == {3}
    assert await asking.dead_letters() == []


async def test_two_processes_bring_it_up_together(asking: Asking, group: str) -> None:
    keys = [uuid7() for _ in range(30)]
    for _ in range(3):
        await asking.send(keys)
    async with _serving(asking, group, asking.echo):
        await asking.comes_to("toy.echo")
    both = (asking.echo, asking.heard)
    async with _serving(asking, group, *both), _serving(asking, group, *both):
        for _ in range(2):
            await asking.send(keys)
            await asking.comes_to("toy.heard")
    assert set((await asking.times()).values()) == {5}
    assert len(await asking.toy.published("note.written")) == sum(asking.sent.values())


async def test_a_reaction_starts_at_its_since(asking: Asking, group: str) -> None:
    told: list[str] = []
    old, new = uuid7(), uuid7()
    since = datetime(2026, 6, 1, tzinfo=UTC)
    late, all_along = Reaction("toy.late", since=since), Reaction("toy.all_along", since=EVER)

    @late.on(asking.events.asked)
    async def tell(tx: Any, event: Any, meta: Any) -> None:
        told.append(event.text)

    @all_along.on(asking.events.asked)
    async def tell_all(tx: Any, event: Any, meta: Any) -> None:
        told.append(f"{event.text} too")

    await asking.send([old], text="before", time=datetime(2026, 5, 31, 23, 59, tzinfo=UTC))
    await asking.send([old, new], text="after", time=since)
    async with _serving(asking, group, asking.heard):
        await asking.comes_to("toy.heard")
    async with _serving(asking, group, asking.heard, late, all_along):
        await asking.comes_to("toy.late")
        await asking.comes_to("toy.all_along")
    assert sorted(told) == ["after", "after", "after too", "after too", "before too"]


async def test_where_no_names_were_kept_a_subscriber_with_marks_is_live(asking: Asking, group: str) -> None:
    """An older version, or a tool that moves offsets, commits without our text."""
    await asking.send([uuid7() for _ in range(20)])
    async with _serving(asking, group, asking.echo):
        await asking.comes_to("toy.echo")
    offsets = {at: kept.offset for at, kept in (await _committed(asking, group)).items()}
    tool = AIOKafkaConsumer(**clients.connection(asking.kafka), group_id=group, enable_auto_commit=False)
    tool.assign(list(offsets))
    await tool.start()
    await tool.commit(offsets)
    await tool.stop()
    assert {kept.metadata for kept in (await _committed(asking, group)).values()} == {""}
    async with _serving(asking, group, asking.echo, asking.heard) as consumer:
        await asking.comes_to("toy.heard")
        await _caught_up(consumer)

        async def notes() -> set[str]:
            return {kept.metadata for kept in (await _committed(asking, group)).values()}

        await eventually(notes, lambda found: found == {_BOTH}, what="the names of both")
    assert set((await asking.times()).values()) == {1}


async def test_killed_in_the_middle_of_its_history_it_goes_on(asking: Asking, group: str) -> None:
    keys = [uuid7() for _ in range(300)]
    for _ in range(3):
        await asking.send(keys)
    async with _serving(asking, group, asking.echo):
        await asking.comes_to("toy.echo")
    read = "SELECT coalesce(sum(times), 0) FROM heard"
    first = _process(asking, group)
    try:
        await eventually(lambda: asking.toy.admin.fetchval(read), lambda n: n > 50, what="the first events")
    finally:
        first.send_signal(signal.SIGKILL)
        await asyncio.to_thread(first.wait)
    assert await asking.toy.admin.fetchval(read) < 900
    second = _process(asking, group)
    try:
        await asking.send(keys)
        await asking.comes_to("toy.heard")
    finally:
        second.kill()
        await asyncio.to_thread(second.wait)
    assert set((await asking.times()).values()) == {4}
    assert await asking.dead_letters() == []


def _process(asking: Asking, group: str) -> "subprocess.Popen[bytes]":
    settings = {"TAILRACE_DATABASE_URL": asking.toy.settings.database_url or "", "TAILRACE_KAFKA": asking.kafka}
    limits = {"TAILRACE_CONSUMER_BATCH": "10", "TAILRACE_REACTION_BATCH": "10"}
    environment = {**os.environ, **settings, **limits, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.Popen([sys.executable, "-c", _CONSUME, group, asking.topic], env=environment)
