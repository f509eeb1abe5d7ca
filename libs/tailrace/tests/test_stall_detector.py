"""A consumer whose client gets nothing any more, and does not say so, begins anew."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from operator import attrgetter
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest
from toy.asking import Asking, on_kafka

from tailrace.core.ids import uuid7
from tailrace.kafka import clients, shutdown, stall_detector
from tailrace.kafka.stall_detector import check_tasks
from tailrace.kafka.topics import create_topics
from tailrace.messaging.consumer import Consumer
from tailrace.messaging.dispatcher import Dispatcher
from tailrace.runtime.process import _loop_factory
from tailrace.settings import Settings
from tailrace_testing import Harness


@pytest.fixture
async def asking(toy: Harness, kafka: str) -> AsyncIterator[Asking]:
    async with on_kafka(toy, kafka) as asking:
        yield asking


@pytest.fixture
async def consumer(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Consumer]:
    monkeypatch.setattr(stall_detector, "SILENCE", 0.5)
    stop = asyncio.Event()
    settings = Settings(kafka=asking.kafka, consumer_wait_ms=50)
    consumer = Consumer(f"toy-{uuid7().hex[-8:]}", Dispatcher("toy", asking.toy.database, [asking.echo]), settings)
    running = asyncio.create_task(consumer.run(stop))
    yield consumer
    stop.set()
    await running


async def _reading(asking: Asking, consumer: Consumer) -> Any:
    await asking.send([uuid7()])
    await asking.comes_to("toy.echo")
    assert consumer._reading is not None
    return consumer._reading


async def _for_ever() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("task", ["_fetcher._fetch_task", "_client._sync_task"])
async def test_a_task_that_ended_in_silence_is_missed(asking: Asking, consumer: Consumer, task: str) -> None:
    reading = await _reading(asking, consumer)
    attrgetter(task)(reading).cancel()
    await asking.send([uuid7() for _ in range(3)])
    await asking.comes_to("toy.echo")
    assert consumer._reading is not reading


async def test_one_that_goes_on_and_brings_nothing_is_missed_when_there_is_more(
    asking: Asking, consumer: Consumer
) -> None:
    reading = await _reading(asking, consumer)
    reading._fetcher._fetch_task.cancel()
    reading._fetcher._fetch_task = asyncio.create_task(_for_ever())
    await asyncio.sleep(1.5)
    assert consumer._reading is reading, "nothing is missed where nothing came"
    await asking.send([uuid7() for _ in range(3)])
    await asking.comes_to("toy.echo")
    assert consumer._reading is not reading


async def test_a_topic_that_is_silent_is_no_reason_to_reconnect(asking: Asking, consumer: Consumer) -> None:
    reading = await _reading(asking, consumer)
    await asyncio.sleep(1.5)
    assert consumer._reading is reading


async def test_whoever_stops_a_client_does_not_end_with_its_tasks(asking: Asking, consumer: Consumer) -> None:
    """aiokafka awaits a fetch that it has cancelled: where that waits to try again, the cancellation comes out of `stop()`."""
    for stop in (AIOKafkaConsumer.stop, shutdown.stop):
        client = AIOKafkaConsumer(asking.topic, **clients.connection(asking.kafka))
        await client.start()
        client._fetcher._pending_tasks.add(asyncio.create_task(_for_ever()))
        await asyncio.sleep(0)
        if stop is shutdown.stop:
            await stop(client)
        else:
            with pytest.raises(asyncio.CancelledError) as stray:
                await stop(client)
            assert shutdown.stray(stray.value)


async def test_a_cancellation_that_is_meant_is_heeded() -> None:
    heard: list[bool] = []

    async def work() -> None:
        try:
            await _for_ever()
        except asyncio.CancelledError as error:
            heard.append(shutdown.stray(error))
            shutdown.heed(error)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert heard == [False]


async def test_a_consumer_goes_on_after_a_stray_cancellation(
    asking: Asking, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = await _reading(asking, consumer)

    async def strayed(*_: object) -> None:
        monkeypatch.undo()
        raise asyncio.CancelledError

    monkeypatch.setattr(stall_detector.StallDetector, "check", strayed)
    await asking.send([uuid7() for _ in range(3)])
    await asking.comes_to("toy.echo")
    assert consumer._reading is not reading


def test_a_connection_that_closed_under_a_write_ends_no_task(kafka: str) -> None:
    """On uvloop, as services run: where aiokafka would not know the error, the task that met it ended, and said nothing."""
    with ThreadPoolExecutor(1) as aside:
        aside.submit(_on_uvloop, _write_to_closed_connections(kafka)).result(timeout=180)


def _on_uvloop(work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(work)


async def _write_to_closed_connections(kafka: str) -> None:
    topic = f"closing-{uuid7().hex[-8:]}"
    await create_topics(kafka, [topic], 1, 1)
    async with (
        AIOKafkaProducer(**clients.connection(kafka)) as producer,
        AIOKafkaConsumer(
            topic, **clients.connection(kafka), auto_offset_reset="earliest", retry_backoff_ms=20
        ) as consumer,
    ):
        for number in range(5):
            await producer.send_and_wait(topic, b"%d" % number)
            async with asyncio.timeout(300):
                assert (await consumer.getone()).value == b"%d" % number
            for connection in list(consumer._client._conns.values()):
                connection._writer.transport.abort()
                await asyncio.sleep(0)  # closed by now, and its reader does not know yet
                with pytest.raises(KafkaConnectionError):
                    connection.send(MetadataRequest([topic]))
            check_tasks(consumer)
