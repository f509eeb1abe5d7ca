"""A canary proves the whole way from commit to topic: a row in the outbox every few seconds, looked for in Kafka.

A connector may say RUNNING and carry nothing. All canaries go to one topic of their own, keyed by service and compacted, so that it holds hardly
more than the newest of each. They are nobody's business but the platform's: no contract names them, and nothing publishes them a second time.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from tailrace import farewell, kafka_clients
from tailrace.context import Context
from tailrace.database import Database
from tailrace.events import Event
from tailrace.ids import NIL, derived_id, uuid7
from tailrace.logs import log
from tailrace.tables import outbox
from tailrace.wire import Malformed, read_meta

TOPIC = "tailrace.canary"
TOPIC_SETTINGS = {"cleanup.policy": "compact", "segment.ms": "600000", "min.cleanable.dirty.ratio": "0.1"}
"""One partition. What was superseded goes within some ten minutes."""
KEPT = timedelta(hours=1)
"""How long a canary stays in the outbox. Kit migration 0005 lets a service delete no younger one."""
_PATIENCE = 10.0


class Canary(Event):
    """A sign of life of the way from one service's outbox."""

    topic = TOPIC
    type = "tailrace.canary"

    service: str


@dataclass(frozen=True, slots=True)
class Heard:
    """A canary as it arrived: when it was recorded, by the database's clock, and how long after that it was in Kafka."""

    recorded_at: datetime
    way: timedelta


def canary_id(service: str) -> UUID:
    """The aggregate that a service's canaries belong to."""
    return derived_id("canary", service)


async def sing(database: Database, service: str) -> None:
    """Record one canary, and forget those that are old. They belong to nobody, under the nil tenant that no log-in ever has."""
    mine = outbox.c.aggregate_id == canary_id(service)
    canary = Canary(service=service)
    async with database.transaction(Context(tenant_id=NIL)) as tx:
        row = insert(outbox).values(
            id=uuid7(),
            tenant_id=NIL,
            topic=TOPIC,
            aggregate_id=canary_id(service),
            sequence=select(func.coalesce(func.max(outbox.c.sequence), 0) + 1).where(mine).scalar_subquery(),
            type=canary.type,
            schema_version=canary.version,
            dataschema=canary.schema_uri(),
            source=f"/tailrace/{service}",
            correlation_id=tx.context.correlation_id,
            payload=canary.model_dump_json(),
        )
        # Of two processes of a service that sing at once, one is enough.
        await tx.execute(row.on_conflict_do_nothing())
        await tx.execute(delete(outbox).where(mine, outbox.c.recorded_at < func.now() - KEPT))


async def sing_forever(database: Database, service: str, every: float, stop: asyncio.Event) -> None:
    """Sing now and every so many seconds, until stopped. A database that is away is waited for."""
    while not stop.is_set():
        try:
            await sing(database, service)
        except Exception as error:
            log.info("no canary", error=type(error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every)


class Listener:
    """Hears the canaries of every service, without a group. It connects when first used, and again after a failure."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._consumer: AIOKafkaConsumer | None = None
        self._heard: dict[UUID, Heard] = {}

    async def catch_up(self) -> Mapping[UUID, Heard]:
        """The newest canary of each service that has arrived by now. Raises OSError while Kafka does not answer."""
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._read_on()
        except (Exception, asyncio.CancelledError) as error:  # whatever the client ran into: the next one begins anew
            farewell.heed(error)
            await self.close()
            raise ConnectionError(f"Kafka at {self._bootstrap} does not answer: {error!r}") from error
        return self._heard

    async def close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await farewell.stop(consumer, within=_PATIENCE)

    async def _read_on(self) -> None:
        consumer = await self._connected()
        end = await consumer.end_offsets(list(consumer.assignment()))
        while behind := [place for place in end if await consumer.position(place) < end[place]]:
            for records in (await consumer.getmany(*behind, timeout_ms=200)).values():
                for record in records:
                    self._note(record)

    def _note(self, record: ConsumerRecord) -> None:
        try:
            meta = read_meta(record)
        except Malformed:
            return  # somebody else's; nothing depends on it
        arrived = datetime.fromtimestamp(record.timestamp / 1000, meta.time.tzinfo)
        known = self._heard.get(meta.aggregate_id)
        if known is None or known.recorded_at < meta.time:
            self._heard[meta.aggregate_id] = Heard(meta.time, max(arrived - meta.time, timedelta(0)))

    async def _connected(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            self._consumer = kafka_clients.consumer(self._bootstrap, TOPIC)
            await self._consumer.start()
        return self._consumer


@asynccontextmanager
async def listening(bootstrap: str) -> AsyncIterator[Listener]:
    """A listener for the length of a `with` block."""
    listener = Listener(bootstrap)
    try:
        yield listener
    finally:
        await listener.close()
