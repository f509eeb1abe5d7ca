"""What a topic holds and its database has lost, and what the database recorded and no reader heard: the two compared, event by event.

Compared is everything younger than the outbox's retention. A row counts as heard when it was the first in its place of its aggregate: readers pass
over a second one as a duplicate. After the first row of an aggregate that was not heard, none was.
"""

from collections.abc import AsyncIterator, Iterable, Set
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from aiokafka import ConsumerRecord

from tailrace.capture import canary
from tailrace.capture.outbox_retention import KEPT, MARGIN
from tailrace.core.events import Meta
from tailrace.kafka.cloudevents import Malformed, read_meta
from tailrace.kafka.topic_reader import TopicReader
from tailrace.messaging.dead_letters import dlq_topic
from tailrace.service import Service

_AT_ONCE = 2000
_OLDEST = "SELECT min(recorded_at) FROM outbox WHERE topic <> $1"
_ROWS = "SELECT id, aggregate_id FROM outbox WHERE topic <> $1 AND recorded_at >= $2 ORDER BY aggregate_id, sequence"
_Place = tuple[UUID, int, int]


@dataclass(frozen=True, slots=True)
class LostEvent:
    """An event that readers have seen and the database does not hold."""

    id: UUID
    type: str
    tenant_id: UUID
    aggregate_id: UUID
    epoch: int
    sequence: int
    time: datetime
    actor_id: str | None
    correlation_id: UUID
    payload: str

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {name: value if isinstance(value, int) else str(value) for name, value in asdict(self).items()}


@dataclass(slots=True)
class Difference:
    """Between a topic and the outbox that it was filled from."""

    since: datetime
    """From when on everything was compared."""
    lost: list[LostEvent] = field(default_factory=list)
    unheard: list[UUID] = field(default_factory=list)
    """Ids of outbox rows."""

    @property
    def next_epoch(self) -> int:
        """Above everything that was lost."""
        return 1 + max((event.epoch for event in self.lost), default=0)


async def compare(connection: Any, service: Service, kafka: str, epoch: int) -> Difference:
    """Topic against outbox, for a database in that epoch; what earlier epochs lost was decided about.

    `connection` is of the capture role. Raises KafkaError, OSError and asyncpg's errors. Ids of all that is compared are held in memory.
    """
    oldest = await connection.fetchval(_OLDEST, canary.TOPIC)
    kept = datetime.now(UTC) - KEPT
    since = min(kept, oldest) if oldest else kept
    rows = [(row["id"], row["aggregate_id"]) for row in await connection.fetch(_ROWS, canary.TOPIC, since)]
    told = Told({id for id, _ in rows}, epoch)
    async for record in _records(service, kafka, since - MARGIN):
        meta = _meta(record)
        if meta is not None and meta.time >= since:
            told.note(meta, record.value or b"")
    return Difference(since, told.lost, told.unheard(rows))


class Told:
    """What readers were told, record by record in the order of the topic, by a database that holds `own` events and is in this epoch."""

    def __init__(self, own: Set[UUID], epoch: int) -> None:
        self._own = own
        self._epoch = epoch
        self._first: dict[_Place, UUID] = {}
        self._lost: dict[UUID, LostEvent] = {}

    def note(self, meta: Meta, value: bytes) -> None:
        """One record."""
        self._first.setdefault((meta.aggregate_id, meta.epoch, meta.sequence), meta.event_id)
        if meta.event_id not in self._own and meta.epoch >= self._epoch:
            self._lost.setdefault(meta.event_id, _lost(meta, value))

    @property
    def lost(self) -> list[LostEvent]:
        """Each once, in the order in which readers saw them."""
        return list(self._lost.values())

    def unheard(self, rows: Iterable[tuple[UUID, UUID]]) -> list[UUID]:
        """Of rows, as ids with their aggregates in the order of their sequences: those that readers passed over, or never saw."""
        heard, cut, found = set(self._first.values()), set[UUID](), list[UUID]()
        for id, aggregate in rows:
            if id not in heard:
                cut.add(aggregate)
            if aggregate in cut:
                found.append(id)
        return found


async def _records(service: Service, kafka: str, since: datetime) -> AsyncIterator[ConsumerRecord]:
    """Everything of the service's topics that Kafka took in from then on, up to where they end now."""
    topics = [topic for topic in (service.topic, dlq_topic(service.name)) if topic is not None]
    async with TopicReader(kafka, f"reconcile-{service.name}") as reader:
        ends = await reader.ends(topics)
        at = {place: offset for place, offset in (await reader.since(topics, since)).items() if offset < ends[place]}
        while at:
            records, at = await reader.read(at, _AT_ONCE)
            for record in records:
                yield record
            at = {place: offset for place, offset in at.items() if offset < ends[place]}


def _meta(record: ConsumerRecord) -> Meta | None:
    try:
        return read_meta(record)
    except Malformed:
        return None  # no event of this service, by what it says


def _lost(meta: Meta, value: bytes) -> LostEvent:
    return LostEvent(
        meta.event_id,
        meta.type,
        meta.tenant_id,
        meta.aggregate_id,
        meta.epoch,
        meta.sequence,
        meta.time,
        meta.actor_id,
        meta.correlation_id,
        value.decode("utf-8", "replace"),
    )
