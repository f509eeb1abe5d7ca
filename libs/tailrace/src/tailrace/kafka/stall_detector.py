"""A stalled consumer raises nothing: it only gets no records any more. Its tasks are checked, and when no answer comes, the ends of its topics.

aiokafka (0.14) lets the tasks that fetch and that refresh the metadata end without an error to the caller that waits for records, while the
heartbeats of the group go on: the partitions are held, and no consumer reads them.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

SILENCE = 30.0
"""Seconds without an answer to a fetch, even an empty one, after which the ends of the topics are asked for. One comes about twice a second."""

Ends = Callable[[set[str]], Awaitable[Mapping[TopicPartition, int]]]
"""Tells, on a connection of its own, the offset that the next record of each partition of some topics will have."""


class Stalled(KafkaError):  # type: ignore[misc]
    """There may be more records, and this consumer would never get them."""


def check_tasks(consumer: AIOKafkaConsumer) -> None:
    """Raises Stalled when a task has ended without which a started consumer gets no records."""
    for what, task in {
        "fetches": consumer._fetcher.error_future,
        "knows the brokers": consumer._client._sync_task,
    }.items():
        if task.done():
            raise Stalled(f"the task that {what} has ended")


class StallDetector:
    """`await check(batch)` after each poll of a started `consumer`."""

    def __init__(self, consumer: AIOKafkaConsumer, ends: Ends) -> None:
        self._consumer = consumer
        self._ends = ends
        self._answered: int | None = None
        self._since = time.monotonic()

    async def check(self, batch: Mapping[TopicPartition, Sequence[Any]]) -> None:
        """Costs next to nothing while records or answers come. Raises Stalled when Kafka answers others, and has more than came here."""
        check_tasks(self._consumer)
        if batch:
            self._since = time.monotonic()
            return
        places = self._consumer.assignment()
        answered = min((self._consumer.last_poll_timestamp(at) or 0 for at in places), default=None)
        if answered is None or answered != self._answered:
            self._answered, self._since = answered, time.monotonic()
        elif time.monotonic() - self._since >= SILENCE:
            await self._look_into_it(places)
            self._since = time.monotonic()

    async def _look_into_it(self, places: set[TopicPartition]) -> None:
        try:
            ends = await self._ends({at.topic for at in places})
        except (KafkaError, OSError):
            return  # Kafka is away for every client
        missed = {at: end for at in places if (end := ends.get(at, 0)) > await self._position(at)}
        if missed:
            at = min(missed)
            raise Stalled(f"{at.topic}/{at.partition} goes on to {missed[at]}, and nothing came for {SILENCE:g} s")

    async def _position(self, at: TopicPartition) -> int:
        """0 where none is known."""
        try:
            return int(await asyncio.wait_for(self._consumer.position(at), 1))
        except (TimeoutError, KafkaError):
            return 0
