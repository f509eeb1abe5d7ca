"""Tells a topic of what is no event of business, outside of any transaction: nobody waits for it, little is kept in memory, and some may be lost.

What is told bears the envelope of events. Each process has a stream of its own for each tenant, whose sequence has no gap, so that who keeps
marks keeps what is told once. What could not be told is counted, and the next thing that can says how many that were.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from tailrace.core.events import Event
from tailrace.core.ids import uuid7
from tailrace.core.retries.backoff import Backoff
from tailrace.kafka import clients, shutdown
from tailrace.observability.logs import log

MOST = 10_000
"""How much waits in memory; what comes beyond that is lost."""
_AT_ONCE, _EVERY = 500, 0.2
_LAST_WORDS = 3.0
"""Seconds that are taken at the end to tell what waits."""


@dataclass(frozen=True, slots=True)
class _Entry:
    tenant_id: UUID
    event: Event
    correlation_id: UUID
    actor: str
    at: datetime


@dataclass(slots=True)
class _Stream:
    id: UUID
    sequence: int = 0


class Diary:
    """Run it beside what it tells of; `note` returns at once."""

    def __init__(self, bootstrap: str, source: str, *, most: int = MOST) -> None:
        self._bootstrap, self._source, self._most = bootstrap, source, most
        self._waiting: deque[_Entry] = deque()
        self._streams: dict[UUID, _Stream] = {}
        self._lost: Counter[UUID] = Counter()

    @property
    def lost(self) -> int:
        """How many could not be told of, and were not said to be lost as yet."""
        return self._lost.total()

    def note(self, tenant_id: UUID, event: Event, *, correlation_id: UUID, actor: str) -> None:
        """Have it told soon. The event has a field `lost`."""
        if len(self._waiting) >= self._most:
            self._lost[tenant_id] += 1
            return
        self._waiting.append(_Entry(tenant_id, event, correlation_id, actor, datetime.now(UTC)))

    async def run(self) -> None:
        """Go on until cancelled, whatever becomes of Kafka; then tell what waits, if that is quick."""
        backoff = Backoff(0.5, 10.0)
        while True:
            producer = clients.producer(self._bootstrap)
            try:
                await producer.start()
                backoff.reset()
                await self._go_on(producer)
            except asyncio.CancelledError:
                await self._end(producer)
                raise
            except (KafkaError, OSError, RuntimeError) as error:
                log.info("accesses are not told of", error=type(error).__name__)
                await asyncio.sleep(backoff.next())
            finally:
                await shutdown.stop(producer)

    async def _go_on(self, producer: AIOKafkaProducer) -> None:
        pause = 0.0
        while True:
            await asyncio.sleep(pause)
            pause = 0.0 if await self._tell(producer) == _AT_ONCE else _EVERY

    async def _end(self, producer: AIOKafkaProducer) -> None:
        try:
            async with asyncio.timeout(_LAST_WORDS):
                while await self._tell(producer):
                    pass
        except (KafkaError, OSError, RuntimeError, TimeoutError):
            log.info("accesses lost at the end", many=len(self._waiting))

    async def _tell(self, producer: AIOKafkaProducer) -> int:
        """Some of what waits; how many that were. Raises what Kafka raises, after counting what is lost by it."""
        some = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
        if not some:
            return 0
        said = [(entry, self._lost.pop(entry.tenant_id, 0)) for entry in some]
        try:
            sent = [await self._send(producer, entry, lost) for entry, lost in said]
            await asyncio.gather(*sent)
        except BaseException:
            # What of it has arrived is not known: a stream that went on after it might have a gap.
            self._forget(said)
            raise
        return len(some)

    def _forget(self, said: Sequence[tuple[_Entry, int]]) -> None:
        for entry, lost in said:
            self._streams.pop(entry.tenant_id, None)
            self._lost[entry.tenant_id] += 1 + lost

    async def _send(self, producer: AIOKafkaProducer, entry: _Entry, lost: int) -> "asyncio.Future[object]":
        stream = self._streams.setdefault(entry.tenant_id, _Stream(uuid7()))
        stream.sequence += 1
        event = entry.event.model_copy(update={"lost": lost}) if lost else entry.event
        key = str(stream.id).encode()
        headers = {
            "ce_specversion": "1.0",
            "ce_id": str(uuid7()),
            "ce_type": event.type,
            "ce_source": self._source,
            "ce_subject": str(stream.id),
            "ce_time": entry.at.isoformat(timespec="microseconds"),
            "ce_dataschema": event.schema_uri(),
            "content-type": "application/json",
            "ce_tenantid": str(entry.tenant_id),
            "ce_sequence": str(stream.sequence),
            "ce_sequencetype": "Integer",
            "ce_epoch": "1",
            "ce_correlationid": str(entry.correlation_id),
            "ce_actorid": entry.actor,
        }
        pairs = [(name, value.encode()) for name, value in headers.items()]
        value = event.model_dump_json().encode()
        sent: asyncio.Future[object] = await producer.send(event.topic, value, key, headers=pairs)
        return sent
