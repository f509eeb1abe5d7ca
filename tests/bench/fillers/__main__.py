"""Fills ten partners' topics from one that all their companies share, on a Kafka of its own: `python -m fillers 20`, for so many seconds, or those
of more with `--partners 40`.

A thousand events a second are written, of ten tenants in turn, with a partner each; their relays share a reader. `--kills 20` kills the
process that fills so many times besides, after some seconds of peace. Both end by comparing what each partner has with what it should have, event by
event, and in order. It measures from the broker's answer that it has an event until a reader of the partner's topic is handed it; what comes before,
from the commit to Kafka, `make bench` measures.
"""

import argparse
import asyncio
import multiprocessing
import os
import statistics
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psutil
from aiokafka import AIOKafkaConsumer

from contracts.registry import events_by_type
from fillers.process import TYPE, fill_for, run
from partners.models import topic_of
from tailrace.kafka import clients
from tailrace.kafka.topics import create_topics
from tailrace.observability.logs import configure
from tailrace.stack.embedded import Stack

RATE, PARTITIONS, AGGREGATES = 1000, 6, 500
WARM = 10
"""Seconds of writing that come first, of which nothing is timed: a broker that has just begun is slow at its first transactions."""
CALM = 15.0
"""Seconds before the kills, in which nobody is killed."""
APART = 4.0
"""Seconds between two kills at least: a process needs some of them to begin."""
SAMPLE = next((Path(__file__).parents[3] / "contracts/samples" / TYPE).glob("*.json"))
Numbers = dict[tuple[str, int], list[int]]
"""By topic and partition, the numbers of the events in order."""


class _Load:
    """What was written, and when the broker had it."""

    def __init__(self, kafka: str, pairs: list[tuple[UUID, UUID]], source: str) -> None:
        self._kafka, self._pairs, self._source = kafka, pairs, source
        self.had: dict[int, float] = {}
        self.wanted: Numbers = defaultdict(list)

    async def write(self, seconds: float) -> None:
        value = SAMPLE.read_bytes()
        total, began, waiting = int(RATE * seconds), time.monotonic(), set[asyncio.Task[None]]()
        async with clients.producer(self._kafka) as producer:
            for number in range(total):
                late = began + number / RATE - time.monotonic()
                if late > 0:
                    await asyncio.sleep(late)
                tenant = self._pairs[number % len(self._pairs)][1]
                headers = [("ce_type", TYPE.encode()), ("ce_tenantid", str(tenant).encode())]
                headers.append(("ce_id", str(number).encode()))
                key = str(number % AGGREGATES).encode()
                sent = await producer.send(self._source, value, key=key, headers=headers)
                task = asyncio.create_task(self._note(number, sent))
                waiting.add(task)
                task.add_done_callback(waiting.discard)
            await asyncio.gather(*waiting)

    async def _note(self, number: int, sent: "asyncio.Future[Any]") -> None:
        answer = await sent
        self.had[number] = time.time()
        partner = self._pairs[number % len(self._pairs)][0]
        self.wanted[topic_of(partner, self._source), answer.partition].append(number)


async def _read(consumer: AIOKafkaConsumer, count: int, got: Numbers, at: dict[int, float]) -> None:
    left = count
    while left > 0:
        batches = await consumer.getmany(timeout_ms=200)
        now = time.time()
        await asyncio.sleep(0.01)  # it reads sixty partitions at once: without this, it would fetch all the time
        for place, records in batches.items():
            for record in records:
                number = int(dict(record.headers)["ce_id"])
                got[place.topic, place.partition].append(number)
                at.setdefault(number, now)
                left -= 1


def _used(process: psutil.Process) -> float:
    """Seconds of CPU so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


async def measure(kafka: str, broker: psutil.Process, partners: int, seconds: float, kills: int) -> bool:
    """Prints the figures; whether every partner has each of its events once, in order."""
    source = events_by_type()[TYPE].topic
    pairs = [(uuid4(), uuid4()) for _ in range(partners)]
    targets = [topic_of(partner, source) for partner, _ in pairs]
    await create_topics(kafka, [source, *targets], PARTITIONS, 1)
    context = multiprocessing.get_context("spawn")

    def begin() -> multiprocessing.process.BaseProcess:
        process = context.Process(target=fill_for, args=(kafka, pairs), daemon=True)
        process.start()
        return process

    filler = begin()
    load, got, at = _Load(kafka, pairs, source), defaultdict[tuple[str, int], list[int]](list), dict[int, float]()
    async with clients.consumer(kafka, *targets) as reader:
        await asyncio.sleep(5)  # until the loops wait for what comes: their start is no part of the figures
        reading = asyncio.create_task(_read(reader, int(RATE * (WARM + seconds)), got, at))
        writing = asyncio.create_task(load.write(WARM + seconds))
        await asyncio.sleep(WARM)
        used = [_used(each) for each in (psutil.Process(filler.pid), broker, psutil.Process())]
        for _ in range(kills):
            await asyncio.sleep(max(APART, seconds / (kills + 1)))
            filler.kill()
            filler.join()
            filler = begin()
        await writing
        if not kills:
            after = [_used(each) for each in (psutil.Process(filler.pid), broker, psutil.Process())]
        with suppress(TimeoutError):
            await asyncio.wait_for(reading, 120)
        # Behind all that could still come twice.
        await asyncio.sleep(2)
        for records in (await reader.getmany(timeout_ms=500)).values():
            for record in records:
                got[record.topic, record.partition].append(int(dict(record.headers)["ce_id"]))
    filler.kill()
    filler.join()
    waits = sorted(
        (at[number] - had) * 1000 for number, had in load.had.items() if number >= RATE * WARM and number in at
    )
    every = [number for of in got.values() for number in of]
    lost, doubled = len(load.had.keys() - set(every)), len(every) - len(set(every))
    print(f"{len(load.had)} events, {kills} kills: {lost} lost, {doubled} doubled", flush=True)
    if waits:
        print(
            f"to the partner's topic: median {statistics.median(waits):.0f} ms, 99 of 100 in {waits[len(waits) * 99 // 100]:.0f} ms"
        )
    if not kills:
        shares = [(then - before) / seconds for then, before in zip(after, used, strict=True)]
        print(
            "of a core: {:.2f} what fills, {:.2f} the broker, {:.2f} what writes and reads".format(*shares), flush=True
        )
    holds = dict(got) == dict(load.wanted)
    print(
        "each partner has its own, in order" if holds else "a partner has something else than its own, or not in order",
        flush=True,
    )
    return holds


def main() -> None:
    """Ends with 1 when something is lost, doubled or out of order."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", type=float, nargs="?", default=20.0)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--partners", type=int, default=10)
    asked = parser.parse_args()
    configure("fillers", "ERROR")
    stack = Stack(Path(tempfile.mkdtemp(prefix="tailrace-fillers-")) / "data", only="kafka")
    try:
        stack.start()
        print(f"load {os.getloadavg()[0]:.1f}", flush=True)
        broker = psutil.Process(stack.pids()["kafka"])
        holds = run(measure(stack.kafka, broker, asked.partners, asked.seconds if not asked.kills else CALM, 0))
        if asked.kills:
            # So long that something is written while each of them happens.
            holds &= run(
                measure(stack.kafka, broker, asked.partners, max(asked.seconds, (asked.kills + 1) * APART), asked.kills)
            )
    finally:
        stack.discard()
    raise SystemExit(not holds)


if __name__ == "__main__":
    main()
