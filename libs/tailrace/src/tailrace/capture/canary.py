"""A canary proves the whole way from commit to topic: a row in the outbox every few seconds, looked for in Kafka.

A connector may say RUNNING and carry nothing. All canaries go to one topic of their own, keyed by service and compacted, so that it holds hardly
more than the newest of each. They belong to the platform alone: no contract names them, and nothing publishes them a second time.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from tailrace.core.addresses.kafka import brokers_of
from tailrace.core.context import Context
from tailrace.core.events import Event, Meta, source_of
from tailrace.core.ids import NIL, derived_id, uuid7
from tailrace.core.stand_ins import cause_told, trace_told
from tailrace.db.database import Database
from tailrace.db.tables import outbox
from tailrace.kafka import clients, shutdown
from tailrace.kafka.cloudevents import Malformed, read_meta
from tailrace.observability.logs import log

TOPIC = "tailrace.canary"
TOPIC_SETTINGS = {"cleanup.policy": "compact", "segment.ms": "600000", "min.cleanable.dirty.ratio": "0.1"}
"""One partition. What was superseded goes within some ten minutes."""
TIMELINE = "('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int"
"""SQL: the timeline that the server writes now. It rises when a standby is promoted and when a backup is rolled forward to a moment."""
KEPT = timedelta(hours=1)
"""How long a canary stays in the outbox. Kit migration 0005 lets a service delete no younger one."""
KEPT_AT_LEAST = 360
"""How many stay there however old they are, as many as come about in that time: those of before a service stood still say what Kafka has to know."""
_TIMEOUT = 10.0
_PAYLOAD = text(
    f"""(SELECT json_build_object('service', CAST(:service AS text), 'system', system_identifier::text, 'timeline', {TIMELINE},
        'position', pg_current_wal_insert_lsn() - '0/0')::text FROM pg_control_system())"""
)


class Canary(Event):
    """A sign of life from one service's outbox."""

    topic = TOPIC
    type = "tailrace.canary"

    service: str
    system: str = ""
    """The system identifier of the database server. Empty in canaries of before they said so."""
    timeline: int = 0
    position: int = 0
    """Bytes of the write-ahead log when it was recorded."""


@dataclass(frozen=True, slots=True)
class Witness:
    """What Kafka knows of a database by the canary that came furthest: while that canary is in the outbox, nothing before it is missing there."""

    id: UUID
    epoch: int
    sequence: int
    recorded_at: datetime
    system: str
    timeline: int
    position: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """A canary as it arrived: when it was recorded, by the database's clock, and how long after that it was in Kafka."""

    recorded_at: datetime
    latency: timedelta


def canary_id(service: str) -> UUID:
    """The aggregate that a service's canaries belong to."""
    return derived_id("canary", service)


async def write_canary(database: Database, service: str) -> int | None:
    """Record one canary, and forget those that are old. They are written under the nil tenant, which no log-in ever has.

    Returns the epoch that the database is in; None when another process was quicker.
    """
    mine = outbox.c.aggregate_id == canary_id(service)
    canary = Canary(service=service)
    async with database.transaction(Context(tenant_id=NIL)) as tx:
        event_id, correlation_id = uuid7(), tx.context.correlation_id
        row = insert(outbox).values(
            id=event_id,
            tenant_id=NIL,
            topic=TOPIC,
            aggregate_id=canary_id(service),
            sequence=select(func.coalesce(func.max(outbox.c.sequence), 0) + 1).where(mine).scalar_subquery(),
            type=canary.type,
            schema_version=canary.version,
            dataschema=canary.schema_uri(),
            source=source_of(service),
            correlation_id=correlation_id,
            causation_id=cause_told(None, correlation_id),
            traceparent=trace_told(None, correlation_id, event_id),
            actor_id=f"service:{service}",
            payload=_PAYLOAD,
        )
        # Of two processes of a service that write at once, one is enough.
        written = await tx.execute(
            row.on_conflict_do_nothing().returning(outbox.c.epoch, outbox.c.sequence), {"service": service}
        )
        if (found := written.one_or_none()) is None:
            return None
        old = outbox.c.sequence <= found.sequence - KEPT_AT_LEAST
        await tx.execute(delete(outbox).where(mine, old, outbox.c.recorded_at < func.now() - KEPT))
    return int(found.epoch)


async def write_canaries(
    database: Database, service: str, every: float, stop: asyncio.Event, noticed: Callable[[int], None] | None = None
) -> None:
    """Write one now and every so many seconds, until stopped. A database that is away is waited for. `noticed` is told the database's epoch."""
    while not stop.is_set():
        try:
            epoch = await write_canary(database, service)
            if epoch is not None and noticed is not None:
                noticed(epoch)
        except Exception as error:
            log.info("no canary", error=type(error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every)


class CanaryReader:
    """Reads the canaries of every service, without a group. It connects when first used, and again after a failure."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._consumer: AIOKafkaConsumer | None = None
        self._newest: dict[UUID, Arrival] = {}
        self._furthest: dict[UUID, Witness] = {}
        self._told: Mapping[UUID, Witness] = {}
        self._reached = 0
        self.losses = 0
        """How often the topic ended before where it had been read to: Kafka had lost it."""

    @property
    def furthest(self) -> Mapping[UUID, Witness]:
        """Of each service, the canary with the highest epoch and sequence of those read so far: a restored database begins below it."""
        return self._told

    async def newest(self) -> Mapping[UUID, Arrival]:
        """The newest canary of each service that has arrived by now. Raises OSError while Kafka does not answer."""
        try:
            async with asyncio.timeout(_TIMEOUT):
                await self._read_on()
        except (Exception, asyncio.CancelledError) as error:  # the next call connects again
            shutdown.heed(error)
            await self.close()
            raise ConnectionError(f"Kafka at {brokers_of(self._bootstrap)} does not answer: {error!r}") from error
        return self._newest

    async def close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await shutdown.stop(consumer, within=_TIMEOUT)

    async def _read_on(self) -> None:
        consumer = await self._connected()
        if not consumer.assignment():
            raise ConnectionError(f"it does not tell of {TOPIC}")
        end = await consumer.end_offsets(list(consumer.assignment()))
        if sum(end.values()) < self._reached:  # a topic only grows: this is another, of a Kafka that lost the first
            log.error("Kafka lost canaries", read=self._reached, left=sum(end.values()))
            self._newest, self._furthest = {}, {}
            self.losses += 1
            await consumer.seek_to_beginning()
        self._reached = sum(end.values())
        while behind := [place for place in end if await consumer.position(place) < end[place]]:
            for records in (await consumer.getmany(*behind, timeout_ms=200)).values():
                for record in records:
                    self._note(record)
        self._told = self._furthest

    def _note(self, record: ConsumerRecord) -> None:
        try:
            meta = read_meta(record)
        except Malformed:
            return  # no canary; nothing depends on it
        arrived = datetime.fromtimestamp(record.timestamp / 1000, meta.time.tzinfo)
        known = self._newest.get(meta.aggregate_id)
        if known is None or known.recorded_at < meta.time:
            self._newest[meta.aggregate_id] = Arrival(meta.time, max(arrived - meta.time, timedelta(0)))
        before = self._furthest.get(meta.aggregate_id)
        if before is None or (before.epoch, before.sequence) < (meta.epoch, meta.sequence):
            self._furthest[meta.aggregate_id] = _witness(meta, record)

    async def _connected(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            self._consumer = clients.consumer(self._bootstrap, TOPIC)
            await self._consumer.start()
        return self._consumer


def _witness(meta: Meta, record: ConsumerRecord) -> Witness:
    try:
        said = Canary.model_validate_json(record.value or b"")
    except ValueError:
        said = Canary(service="")
    return Witness(meta.event_id, meta.epoch, meta.sequence, meta.time, said.system, said.timeline, said.position)


@asynccontextmanager
async def canary_reader(bootstrap: str) -> AsyncIterator[CanaryReader]:
    """A reader for the length of a `with` block."""
    canaries = CanaryReader(bootstrap)
    try:
        yield canaries
    finally:
        await canaries.close()
