"""What the job left on the topics, read as any partner would: how many facts, how fast one led to the next, and one order's whole story."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from aiokafka import AIOKafkaConsumer, TopicPartition


@dataclass(frozen=True)
class Fact:
    """A CloudEvent, as far as its headers tell."""

    id: str
    type: str
    topic: str
    subject: str
    tenant: str
    cause: str | None
    correlation: str
    time: datetime


async def read_facts(kafka: str) -> list[Fact]:
    """Every fact on the `.events` topics, from the beginning to where they end now."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    await consumer.start()
    try:
        consumer.subscribe([name for name in await consumer.topics() if name.endswith(".events")])
        facts: list[Fact] = []
        ends: dict[TopicPartition, int] = {}
        while not ends or [p for p in ends if await consumer.position(p) < ends[p]]:
            for records in (await consumer.getmany(timeout_ms=500, max_records=5000)).values():
                facts += [_fact(record.topic, dict(record.headers)) for record in records]
            ends = ends or await consumer.end_offsets(list(consumer.assignment()))
        return facts
    finally:
        await consumer.stop()


def _fact(topic: str, headers: dict[str, bytes | None]) -> Fact:
    text = {name: value.decode() for name, value in headers.items() if value is not None}
    return Fact(
        text["ce_id"],
        text["ce_type"],
        topic,
        text["ce_subject"],
        text["ce_tenantid"],
        text.get("ce_causationid"),
        text["ce_correlationid"],
        datetime.fromisoformat(text["ce_time"]),
    )


def per_topic(facts: Iterable[Fact]) -> dict[str, int]:
    return dict(sorted(Counter(fact.topic for fact in facts).items()))


@dataclass(frozen=True)
class Latency:
    """From the commit of a fact to the transaction, in another service, that it led to; milliseconds."""

    count: int
    median: float
    p99: float


def latency(facts: Iterable[Fact]) -> Latency | None:
    """Over every fact that another service recorded because of one. None when there is no such pair."""
    by_id = {fact.id: fact for fact in facts}
    waits = sorted(
        (fact.time - by_id[fact.cause].time).total_seconds() * 1000
        for fact in by_id.values()
        if fact.cause in by_id and by_id[fact.cause].topic != fact.topic
    )
    if not waits:
        return None
    return Latency(len(waits), median(waits), waits[min(len(waits) - 1, int(len(waits) * 0.99))])


def story(facts: Iterable[Fact], order_id: str) -> Iterator[tuple[int, Fact]]:
    """The order's facts and everything they led to, depth first, each with how deep it stands."""
    children: dict[str | None, list[Fact]] = defaultdict(list)
    everything = sorted(facts, key=lambda fact: (fact.time, fact.id))
    known = {fact.id for fact in everything}
    for fact in everything:
        children[fact.cause if fact.cause in known else None].append(fact)

    def walk(fact: Fact, depth: int) -> Iterator[tuple[int, Fact]]:
        yield depth, fact
        for child in children[fact.id]:
            yield from walk(child, depth + 1)

    own = {fact.id for fact in everything if fact.subject == order_id}
    ours = {order_id} | {fact.subject for fact in everything if fact.type == "shipment.created" and fact.cause in own}
    for fact in children[None]:
        if fact.subject in ours:
            yield from walk(fact, 0)
