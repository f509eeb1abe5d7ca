"""A consumer that has gone deaf does not say so: it only gets nothing any more. Its tasks are looked at, and when no answer comes, another is asked.

aiokafka (0.14) lets the tasks that fetch and that keep the metadata fresh end without telling whoever waits for records, while the heartbeats of
the group go on: the partitions are held, and nobody reads them.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

SILENCE = 30.0
"""Seconds without any answer to a fetch, an empty one included, after which it is looked into. An answer comes about twice a second."""

Ends = Callable[[set[str]], Awaitable[Mapping[TopicPartition, int]]]
"""Tells, on a connection of its own, the offset that the next record of each partition of some topics will have."""


class Deaf(KafkaError):  # type: ignore[misc]
    """There may be more, and it would not come."""


def check_tasks(consumer: AIOKafkaConsumer) -> None:
    """Raises Deaf when a task has ended that a started consumer hears nothing without."""
    for what, task in {
        "fetches": consumer._fetcher.error_future,
        "knows the brokers": consumer._client._sync_task,
    }.items():
        if task.done():
            raise Deaf(f"the task that {what} has ended")


class Hearing:
    """`await check(batch)` after each poll of a started `consumer`."""

    def __init__(self, consumer: AIOKafkaConsumer, ends: Ends) -> None:
        self._consumer = consumer
        self._ends = ends
        self._answered: int | None = None
        self._since = time.monotonic()

    async def check(self, batch: Mapping[TopicPartition, Sequence[Any]]) -> None:
        """Costs next to nothing while records or answers come. Raises Deaf when Kafka answers others, and has more than came here."""
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
            return  # Kafka is away for everybody
        missed = {at: end for at in places if (end := ends.get(at, 0)) > await self._position(at)}
        if missed:
            at = min(missed)
            raise Deaf(f"{at.topic}/{at.partition} goes on to {missed[at]}, and nothing came for {SILENCE:g} s")

    async def _position(self, at: TopicPartition) -> int:
        """0 where none is known."""
        try:
            return int(await asyncio.wait_for(self._consumer.position(at), 1))
        except (TimeoutError, KafkaError):
            return 0
