"""Topics read from any offset on without a group: reading commits no offsets and leaves nothing behind."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Self

from aiokafka import ConsumerRecord, TopicPartition

from tailrace.kafka import clients, shutdown
from tailrace.kafka.stall_detector import check_tasks

Positions = Mapping[TopicPartition, int]
"""By partition, the offset of the next record."""
_WAIT_MS = 200


class TopicReader:
    """`async with TopicReader(bootstrap) as reader`. Raises aiokafka's KafkaError, and OSError, while Kafka is away."""

    def __init__(self, bootstrap: str, client: str) -> None:
        self._consumer: Any = clients.consumer(
            bootstrap, client_id=f"tailrace-{client}-history", fetch_max_wait_ms=_WAIT_MS
        )
        self._at: dict[TopicPartition, int] = {}

    async def __aenter__(self) -> Self:
        try:
            await self._consumer.start()
        except BaseException:
            await shutdown.stop(self._consumer)
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await shutdown.stop(self._consumer)

    async def beginnings(self, topics: Iterable[str]) -> dict[TopicPartition, int]:
        """The offset of the first record that Kafka still holds, for each partition; 0 unless something was deleted."""
        return dict(await self._consumer.beginning_offsets(await self._partitions(topics)))

    async def since(self, topics: Iterable[str], moment: datetime) -> dict[TopicPartition, int]:
        """The offset of the first record of then or later, for each partition; where there is none, that of the next one."""
        partitions = await self._partitions(topics)
        found = await self._consumer.offsets_for_times(dict.fromkeys(partitions, int(moment.timestamp() * 1000)))
        ends = await self._consumer.end_offsets(partitions)
        return {at: ends[at] if found.get(at) is None else found[at].offset for at in partitions}

    async def ends(self, topics: Iterable[str]) -> dict[TopicPartition, int]:
        """The offset that the next record of each partition will have."""
        return dict(await self._consumer.end_offsets(await self._partitions(topics)))

    async def read(self, positions: Positions, most: int) -> tuple[list[ConsumerRecord], dict[TopicPartition, int]]:
        """At most so many records from there on, in order per partition, and the positions after them. Empty after 0.2 s without any."""
        if positions != self._at:
            self._consumer.assign(list(positions))
            for partition, offset in positions.items():
                self._consumer.seek(partition, offset)
        check_tasks(self._consumer)
        batch = await self._consumer.getmany(timeout_ms=_WAIT_MS, max_records=most)
        self._at = {partition: await self._consumer.position(partition) for partition in positions}
        return [record for partition in sorted(batch) for record in batch[partition]], dict(self._at)

    async def _partitions(self, topics: Iterable[str]) -> list[TopicPartition]:
        found: list[TopicPartition] = []
        for topic in sorted(topics):
            numbers = await self._consumer._client._wait_on_metadata(topic)
            found += [TopicPartition(topic, number) for number in sorted(numbers)]
        return found


async def ends(bootstrap: str, client: str, topics: Iterable[str], *, within: float = 10.0) -> Positions:
    """Where topics end, asked on a connection of its own. Raises KafkaError, and OSError, also when there is no answer in so many seconds."""
    async with asyncio.timeout(within), TopicReader(bootstrap, client) as history:
        return await history.ends(topics)


async def committed(bootstrap: str, group: str) -> dict[TopicPartition, int]:
    """The offsets of a group, for the partitions in which it has any."""
    admin = clients.admin(bootstrap)
    try:
        await admin.start()
        found = await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()
    return {at: kept.offset for at, kept in found.items()}
