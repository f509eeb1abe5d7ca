"""What the job left on the topics, read as any partner would: how many events, how fast one led to the next, and one order's whole story."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any
from urllib.parse import unquote

from aiokafka import AIOKafkaConsumer, TopicPartition


@dataclass(frozen=True)
class Event:
    """A CloudEvent, as far as its headers tell."""

    id: str
    type: str
    topic: str
    subject: str
    tenant: str
    cause: str | None
    correlation: str
    sequence: int
    time: datetime


def connection(kafka: str) -> dict[str, Any]:
    """`host:port`, or as TAILRACE_KAFKA has it where Kafka is locked: `sasl_plaintext://user:password@host:port`."""
    scheme, locked, rest = kafka.partition("://")
    if not locked:
        return {"bootstrap_servers": kafka}
    login, _, brokers = rest.partition("?")[0].rpartition("@")
    user, _, password = login.partition(":")
    return {
        "bootstrap_servers": brokers,
        "security_protocol": scheme.upper(),
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": unquote(user),
        "sasl_plain_password": unquote(password),
    }


async def read_events(kafka: str) -> list[Event]:
    """Every event on the `.events` topics, from the beginning to where they end now; records without the headers of an event are passed over."""
    consumer = AIOKafkaConsumer(
        **connection(kafka),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    await consumer.start()
    try:
        # A partner's own topics, which repeat some of these, have longer names.
        named = [name for name in await consumer.topics() if name.endswith(".events") and name.count(".") == 1]
        consumer.subscribe(named)
        events: list[Event] = []
        ends: dict[TopicPartition, int] = {}
        while not ends or [p for p in ends if await consumer.position(p) < ends[p]]:
            for records in (await consumer.getmany(timeout_ms=500, max_records=5000)).values():
                events += filter(None, (event_of(record.topic, dict(record.headers)) for record in records))
            ends = ends or await consumer.end_offsets(list(consumer.assignment()))
        return events
    finally:
        await consumer.stop()


def event_of(topic: str, headers: dict[str, bytes | None]) -> Event | None:
    """As much of it as a trace is compared with; None of a record that is no event."""
    text = {name: value.decode() for name, value in headers.items() if value is not None}
    if "ce_id" not in text:
        return None
    cause = text.get("ce_causationid")  # what began it all has its correlation there
    return Event(
        text["ce_id"],
        text["ce_type"],
        topic,
        text["ce_subject"],
        text["ce_tenantid"],
        None if cause == text["ce_correlationid"] else cause,
        text["ce_correlationid"],
        int(text["ce_sequence"]),
        datetime.fromisoformat(text["ce_time"]),
    )


def per_topic(events: Iterable[Event]) -> dict[str, int]:
    return dict(sorted(Counter(event.topic for event in events).items()))


@dataclass(frozen=True)
class Latency:
    """From the commit of an event to the transaction, in another service, that it led to; milliseconds."""

    count: int
    median: float
    p99: float


def latency(events: Iterable[Event]) -> Latency | None:
    """Over every event that another service recorded because of one. None when there is no such pair."""
    by_id = {event.id: event for event in events}
    waits = sorted(
        (event.time - by_id[event.cause].time).total_seconds() * 1000
        for event in by_id.values()
        if event.cause in by_id and by_id[event.cause].topic != event.topic
    )
    if not waits:
        return None
    return Latency(len(waits), median(waits), waits[min(len(waits) - 1, int(len(waits) * 0.99))])


def story(events: Iterable[Event], order_id: str) -> Iterator[tuple[int, Event]]:
    """The order's events and everything they led to, depth first, each with how deep it stands."""
    children: dict[str | None, list[Event]] = defaultdict(list)
    everything = sorted(events, key=lambda event: (event.time, event.id))
    known = {event.id for event in everything}
    for event in everything:
        children[event.cause if event.cause in known else None].append(event)

    def walk(event: Event, depth: int) -> Iterator[tuple[int, Event]]:
        yield depth, event
        for child in children[event.id]:
            yield from walk(child, depth + 1)

    own = {event.id for event in everything if event.subject == order_id}
    ours = {order_id} | {
        event.subject for event in everything if event.type == "shipment.created" and event.cause in own
    }
    for event in children[None]:
        if event.subject in ours:
            yield from walk(event, 0)
