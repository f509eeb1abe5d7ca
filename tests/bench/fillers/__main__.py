"""Fills ten partners' topics from one that all their companies share, on a Kafka of its own: `python -m fillers 20`, for so many seconds, or those
of more with `--partners 40`.

A thousand events a second are written, of ten tenants in turn, with a partner each; their relays share a reader. `--kills 20` kills the
process that fills so many times besides, after some seconds of peace. Both end by comparing what each partner has with what it should have, event by
event, and in order. It measures from the broker's answer that it has an event until a reader of the partner's topic is handed it. `--committed` goes
the whole way: events are committed to an outbox, four of a document in a transaction, Debezium brings them to Kafka, and it measures from the moment
in which the commit is sent.
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
from uuid import uuid4

import psutil
from aiokafka import AIOKafkaConsumer

from fillers.load import RATE, SERVICE, SOURCE, Commits, Load, Numbers, capture, number_of
from fillers.process import fill_for, run
from partners.models import topic_of
from tailrace.kafka import clients
from tailrace.kafka.topics import create_topics
from tailrace.observability.logs import configure
from tailrace.settings import settings_from
from tailrace.stack.embedded import Stack

PARTITIONS = 6
WARM, WARM_WHOLE = 10, 40
"""Seconds of writing that come first, of which nothing is timed: a broker that has just begun is slow at its first transactions, and Java compiles
what runs often a second time in the first half minute."""
_AS_IN_PRODUCTION = "-XX:TieredStopAtLevel=4"
"""A stack for a desk leaves Java's second compiler out, to start sooner; where a broker runs for months, it has it."""
CALM = 15.0
"""Seconds before the kills, in which nobody is killed."""
APART = 4.0
"""Seconds between two kills at least: a process needs some of them to begin."""


async def _read(consumer: AIOKafkaConsumer, count: int, got: Numbers, at: dict[int, float]) -> None:
    left = count
    while left > 0:
        batches = await consumer.getmany(timeout_ms=200)
        now = time.time()
        await asyncio.sleep(0.003)  # it reads sixty partitions at once: without this, it would fetch all the time
        for place, records in batches.items():
            for record in records:
                number = number_of(record)
                got[place.topic, place.partition].append(number)
                at.setdefault(number, now)
                left -= 1


def _waits(had: dict[int, float], at: dict[int, float], warm: int) -> list[float]:
    """Milliseconds of each event that came, in order; not of those of the first `warm` seconds."""
    return sorted((at[each] - began) * 1000 for each, began in had.items() if each >= RATE * warm and each in at)


def _used(process: psutil.Process) -> float:
    """Seconds of CPU so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


async def measure(stack: Stack, partners: int, seconds: float, kills: int, *, committed: bool) -> bool:
    """Prints the figures; whether every partner has each of its events once, in order."""
    kafka, broker = stack.kafka, psutil.Process(stack.pids()["kafka"])
    pairs = [(uuid4(), uuid4()) for _ in range(partners)]
    targets = [topic_of(partner, SOURCE) for partner, _ in pairs]
    await create_topics(kafka, [SOURCE, *targets], PARTITIONS, 1)
    outbox = stack.postgres_url.rsplit("/", 1)[0] + f"/{SERVICE}"
    load = Commits(kafka, pairs, outbox) if committed else Load(kafka, pairs)
    warm = WARM_WHOLE if committed else WARM
    context = multiprocessing.get_context("spawn")

    def begin() -> multiprocessing.process.BaseProcess:
        process = context.Process(target=fill_for, args=(kafka, pairs), daemon=True)
        process.start()
        return process

    filler = begin()
    got, at = defaultdict[tuple[str, int], list[int]](list), dict[int, float]()
    async with clients.consumer(kafka, *targets) as reader:
        await asyncio.sleep(5)  # until the loops wait for what comes: their start is no part of the figures
        reading = asyncio.create_task(_read(reader, int(RATE * (warm + seconds)), got, at))
        writing = asyncio.create_task(load.write(warm + seconds))
        await asyncio.sleep(warm)
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
                got[record.topic, record.partition].append(number_of(record))
    filler.kill()
    filler.join()
    waits, before = _waits(load.had, at, warm), _waits(load.had, load.came, warm)
    every = [number for of in got.values() for number in of]
    lost, doubled = len(load.had.keys() - set(every)), len(every) - len(set(every))
    print(f"{len(load.had)} events, {kills} kills: {lost} lost, {doubled} doubled", flush=True)
    if before:
        print(f"of which to a reader of Kafka: median {statistics.median(before):.0f} ms")
    if waits:
        median, late = statistics.median(waits), waits[len(waits) * 99 // 100]
        print(f"from {load.begins} to the partner's topic: median {median:.0f} ms, 99 of 100 in {late:.0f} ms")
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
    parser.add_argument("--committed", action="store_true")
    asked = parser.parse_args()
    configure("fillers", "ERROR")
    data = Path(tempfile.mkdtemp(prefix="tailrace-fillers-")) / "data"
    os.environ.setdefault("TAILRACE_JAVA_OPTIONS", _AS_IN_PRODUCTION if asked.committed else "")
    stack = Stack(data, only="stack" if asked.committed else "kafka")
    try:
        stack.start()
        if asked.committed:
            asyncio.run(capture(settings_from(stack.environment)))
        print(f"load {os.getloadavg()[0]:.1f}", flush=True)

        def look(seconds: float, kills: int) -> bool:
            return run(measure(stack, asked.partners, seconds, kills, committed=asked.committed))

        holds = look(asked.seconds if not asked.kills else CALM, 0)
        if asked.kills:
            # So long that something is written while each of them happens.
            holds &= look(max(asked.seconds, (asked.kills + 1) * APART), asked.kills)
    finally:
        stack.discard()
    raise SystemExit(not holds)


if __name__ == "__main__":
    main()
