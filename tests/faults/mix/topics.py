"""The topics as any stranger with a Kafka client reads them: every record from the first, in the order of each partition."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.client import AIOKafkaClient

from mix import logins
from mix.stopping import stop

Where = tuple[str, int, int]
"""Topic, partition, offset."""
_KEPT = 400


@dataclass(frozen=True, slots=True)
class Record:
    """A record that claims to be an event: its place in Kafka, its envelope, and a digest of its value."""

    where: Where
    id: str
    type: str
    subject: str
    tenant: str
    sequence: int
    digest: str

    @property
    def aggregate(self) -> tuple[str, str]:
        return self.where[0], self.subject


def digest(value: bytes) -> str:
    return blake2b(value, digest_size=8).hexdigest()


class Topics:
    """What was read so far of all `.events` topics, of some tenants, without a group and so without a trace."""

    def __init__(self, kafka: str, tenants: set[str]) -> None:
        self._kafka = kafka
        self._tenants = tenants
        self._next: dict[TopicPartition, int] = {}
        self.records: list[Record] = []
        self.latest: dict[str, list[ConsumerRecord]] = {}
        """The last few whole records of each topic."""

    async def read_on(self) -> None:
        """Read on to where the topics end now."""
        consumer = AIOKafkaConsumer(
            **logins.of(self._kafka),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        )
        await consumer.start()
        try:
            places = await _partitions(self._kafka)
            ends = await consumer.end_offsets(places)
            behind = [place for place in places if self._next.get(place, 0) < ends[place]]
            if not behind:
                return
            consumer.assign(behind)
            for place in behind:
                consumer.seek(place, self._next.get(place, 0))
            while [place for place in behind if await consumer.position(place) < ends[place]]:
                for place, batch in (await consumer.getmany(timeout_ms=500, max_records=10_000)).items():
                    self._take(batch)
                    self._next[place] = batch[-1].offset + 1
        finally:
            await stop(consumer)

    def _take(self, batch: Iterable[ConsumerRecord]) -> None:
        for record in batch:
            read = read_record(record)
            if read is not None and read.tenant in self._tenants:
                self.records.append(read)
                latest = self.latest.setdefault(record.topic, [])
                latest.append(record)
                if len(latest) > 2 * _KEPT:
                    del latest[:_KEPT]


async def _partitions(kafka: str) -> list[TopicPartition]:
    """Of every topic that holds events."""
    client = AIOKafkaClient(**logins.of(kafka))
    await client.bootstrap()
    try:
        cluster = await client.fetch_all_metadata()
        names = sorted(name for name in cluster.topics() if name.endswith(".events"))
        return [TopicPartition(name, p) for name in names for p in sorted(cluster.partitions_for_topic(name) or ())]
    finally:
        await client.close()


def read_record(record: ConsumerRecord) -> Record | None:
    """None for what does not even look like an event."""
    try:
        headers = {name: value.decode() for name, value in record.headers if value is not None}
        return Record(
            (record.topic, record.partition, record.offset),
            headers["ce_id"],
            headers["ce_type"],
            headers["ce_subject"],
            headers["ce_tenantid"],
            int(headers["ce_sequence"]),
            digest(record.value or b""),
        )
    except (KeyError, ValueError):
        return None


async def produce(kafka: str, records: Iterable[ConsumerRecord]) -> list[Where]:
    """Send records as they are to the partitions that they name; where they came to lie."""
    producer = AIOKafkaProducer(**logins.of(kafka), acks="all", enable_idempotence=True)
    await producer.start()
    try:
        sent = [
            await producer.send(
                record.topic,
                record.value,
                key=record.key,
                headers=list(record.headers),
                partition=None if record.partition < 0 else record.partition,
            )
            for record in records
        ]
        return [(done.topic, done.partition, done.offset) for done in [await future for future in sent]]
    finally:
        await producer.stop()
