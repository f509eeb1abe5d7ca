"""What a partner's reading costs, and what its quota lets through, on a Kafka of its own: `python -m fillers.reading`.

Polls of an empty topic of six partitions by a consumer that is kept and by one that is made for each, in turn: wall time and this process's CPU time.
Then a reader of a partner's own user, with a quota, for some seconds, and before it had one: what it got a second.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from uuid import uuid4

from tailrace.core.addresses.kafka import KafkaAddress
from tailrace.kafka import clients
from tailrace.kafka.cursor_reader import reading
from tailrace.kafka.kept_consumers import KeptConsumers
from tailrace.kafka.quotas import READ_BYTES, set_quotas
from tailrace.kafka.topics import create_topics
from tailrace.observability.logs import configure
from tailrace.runtime import access
from tailrace.stack.embedded import Stack

POLLS, APART = 60, 0.25
MOST, SECONDS = 500_000, 25.0
RECORD = b"x" * 2000


async def polls(kafka: str) -> None:
    topic = f"partner.{uuid4()}.order.events"
    await create_topics(kafka, [topic], 6, 1)
    kept, made = KeptConsumers[str](4, 60.0), KeptConsumers[str](4, 60.0)
    wall, cpu = {"kept": list[float](), "made": list[float]()}, {"kept": list[float](), "made": list[float]()}
    with kept.open():
        for number in range(POLLS):
            for how, of in (("kept", kept), ("made", made)):
                await asyncio.sleep(APART)
                began, used = time.monotonic(), time.process_time()
                async with reading(kafka, [topic], {}, kept=of, key=topic) as reader:
                    assert await reader.has_all()
                if number:
                    wall[how].append((time.monotonic() - began) * 1000)
                    cpu[how].append((time.process_time() - used) * 1000)
    for how in wall:
        took, used = statistics.median(wall[how]), statistics.median(cpu[how])
        print(f"a poll by a consumer that is {how}: median {took:.1f} ms, {used:.1f} ms of CPU", flush=True)


async def quota(kafka: str) -> None:
    user = f"partner.{uuid4()}"
    topic = f"{user}.order.events"
    access.set_password(kafka, user, "of-a-partner")
    access.apply(kafka, access.rights_of_partner(user), [user])
    await create_topics(kafka, [topic], 1, 1)
    async with clients.producer(kafka) as producer:
        for _ in range(int(MOST * (SECONDS + 15) / len(RECORD))):
            await producer.send(topic, RECORD)
        await producer.flush()
    address = KafkaAddress.parse(kafka).as_user(user, "of-a-partner").text()
    for most in (None, MOST):
        await set_quotas(kafka, user, {READ_BYTES: most})
        # What Kafka counts is of ten seconds: what comes within them at once is behind it by then.
        await asyncio.sleep(12)
        began, got = time.monotonic(), 0
        async with clients.consumer(address, topic, max_partition_fetch_bytes=100_000) as consumer:
            total = sum((await consumer.end_offsets(consumer.assignment())).values()) * len(RECORD)
            while got < total and time.monotonic() < began + SECONDS:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    got += sum(len(each.value or b"") for each in records)
        took = time.monotonic() - began
        limit = "no quota" if most is None else f"a quota of {most / 1000:.0f} kB/s"
        print(f"{limit}: {got / took / 1000:.0f} kB/s over {took:.1f} s", flush=True)


def main() -> None:
    configure("fillers", "ERROR")
    stack = Stack(Path(tempfile.mkdtemp(prefix="tailrace-reading-")) / "data", only="kafka")
    try:
        stack.start()
        asyncio.run(polls(stack.kafka))
        asyncio.run(quota(stack.kafka))
    finally:
        stack.discard()


if __name__ == "__main__":
    main()
