"""A partner's topics are filled exactly once: what is read, what is shown of it, and how far that was, are one Kafka transaction.

There is a loop for each partner, with a transactional id of its own. Who starts it fences off whoever had it before, so that two fillers at once,
or one that was thought dead, double nothing. A record keeps its partition, and so the order of its aggregate.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from fastapi import FastAPI
from sqlalchemy import select

from contracts.registry import events_by_type
from partners.masking import Grant, Unreadable, shown
from partners.models import Filling, topic_of
from tailrace.core.backoff import Backoff
from tailrace.core.context import Context
from tailrace.db.database import Database
from tailrace.db.error_classes import is_transient
from tailrace.kafka import clients, shutdown
from tailrace.observability.logs import log
from tailrace.settings import Settings

GROUP = "partners"
_LOOK_EVERY, _FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 0.5, 10.0
_WAIT_MS, _MOST = 500, 500
"""How long a loop waits for something new before it looks whether it is to end, and how much one transaction holds."""


@dataclass(frozen=True)
class Wanted:
    """What is in force for one partner."""

    partner_id: UUID
    grant: Grant
    since: datetime | None

    @property
    def name(self) -> str:
        """The group of its offsets, and its transactional id."""
        return f"{GROUP}.{self.partner_id}"

    @property
    def topics(self) -> list[str]:
        return sorted({event.topic for event in self.grant.types.values()})


async def fill_all(app: FastAPI, settings: Settings, stop: asyncio.Event) -> None:
    """One loop for each partner that is open, of all tenants, until stopped. A grant that changed holds from its loop's next transaction on."""
    database: Database = app.state.database
    running: dict[UUID, tuple[Wanted, asyncio.Event, asyncio.Task[None]]] = {}
    while not stop.is_set():
        try:
            wanted = await in_force(database)
            for partner_id, (had, end, _) in running.items():
                if wanted.get(partner_id) != had:
                    end.set()
            running = {key: each for key, each in running.items() if not each[2].done()}
            for partner_id in wanted.keys() - running.keys():
                end = asyncio.Event()
                loop = asyncio.create_task(fill(settings.kafka, wanted[partner_id], end))
                running[partner_id] = wanted[partner_id], end, loop
        except Exception as error:
            if not is_transient(error):
                log.error("partners are not looked after", exc_info=error)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _LOOK_EVERY)
    for _, end, _ in running.values():
        end.set()
    await asyncio.gather(*(loop for _, _, loop in running.values()), return_exceptions=True)


async def in_force(database: Database) -> Mapping[UUID, Wanted]:
    """By partner."""
    async with database.transaction(Context(tenant_id=None), read_only=True) as tx:
        rows = await tx.scalars(select(Filling))
        return {
            row.partner_id: Wanted(
                row.partner_id,
                Grant(row.owner_id, {each: events_by_type()[each] for each in row.types}, row.personal),
                row.since,
            )
            for row in rows
        }


async def fill(kafka: str, wanted: Wanted, stop: asyncio.Event) -> None:
    """Fill one partner's topics until stopped. Whatever fails is begun again from what was committed."""
    backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
    while not stop.is_set():
        try:
            await _fill(kafka, wanted, stop, backoff)
        except (KafkaError, OSError) as error:
            log.warning("partner not filled", partner=str(wanted.partner_id), error=type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), backoff.next())


async def _fill(kafka: str, wanted: Wanted, stop: asyncio.Event, backoff: Backoff) -> None:
    producer = clients.transactional(kafka, wanted.name)
    consumer = clients.consumer(kafka, group=wanted.name, start="none", max_poll_records=_MOST)
    try:
        # First: from here on no one else commits, and so what was committed is where it goes on.
        await producer.start()
        await consumer.start()
        await _position(consumer, wanted)
        while not stop.is_set():
            batches = await consumer.getmany(timeout_ms=_WAIT_MS)
            if batches:
                await _show(producer, wanted, batches)
                backoff.reset()
    finally:
        await shutdown.stop(consumer)
        await shutdown.stop(producer)


async def _position(consumer: AIOKafkaConsumer, wanted: Wanted) -> None:
    """Where it was; on topics that it has not read before, at the moment or the beginning that was asked for."""
    found = [
        TopicPartition(topic, each)
        for topic in wanted.topics
        for each in sorted(await consumer._client._wait_on_metadata(topic))
    ]
    consumer.assign(found)
    new = []
    for each in found:
        at = await consumer.committed(each)
        if at is None:
            new.append(each)
        else:
            consumer.seek(each, at)
    if not new:
        return
    starts = await consumer.beginning_offsets(new)
    if wanted.since is not None:
        moment = int(wanted.since.timestamp() * 1000)
        later = await consumer.offsets_for_times(dict.fromkeys(new, moment))
        ends = await consumer.end_offsets(new)
        starts = {each: met.offset if (met := later[each]) else ends[each] for each in new}
    for each, start in starts.items():
        consumer.seek(each, start)


async def _show(
    producer: AIOKafkaProducer, wanted: Wanted, batches: Mapping[TopicPartition, Sequence[ConsumerRecord]]
) -> None:
    """What one look brought, in one transaction."""
    given = []
    for at, records in batches.items():
        topic = topic_of(wanted.partner_id, at.topic)
        for record in records:
            try:
                told = shown(wanted.grant, record.headers, record.value)
            except Unreadable:
                # It cannot be shown without what may be personal; the service that published it hears of it as a dead letter of its readers.
                log.error(
                    "an event is kept from a partner", topic=at.topic, partition=at.partition, offset=record.offset
                )
                continue
            if told is not None:
                given.append((topic, record, told))
    async with producer.transaction():
        for topic, record, told in given:
            await producer.send(
                topic,
                told.value,
                key=record.key,
                headers=told.headers,
                partition=record.partition,
                timestamp_ms=record.timestamp,
            )
        ends = {at: records[-1].offset + 1 for at, records in batches.items()}
        await producer.send_offsets_to_transaction(ends, wanted.name)
