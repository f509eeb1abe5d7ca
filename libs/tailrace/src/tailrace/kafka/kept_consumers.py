"""Consumers that somebody was done with, for who comes next with the same key: no connection, log-in and list of topics for each short read.

They fetch nothing meanwhile. Nothing is kept before `open` and after `close`: what is kept is to be looked after by somebody, who drops what is idle
and what nobody may read any more.
"""

import asyncio
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from aiokafka import AIOKafkaConsumer

from tailrace.kafka import shutdown
from tailrace.kafka.stall_detector import Stalled, check_tasks

Key = TypeVar("Key", bound=Hashable)
_stopping: set[asyncio.Task[None]] = set()
"""A task that nothing refers to may be collected before it is done."""


@dataclass(frozen=True, eq=False)
class _Idle(Generic[Key]):
    key: Key
    consumer: AIOKafkaConsumer
    since: float


@dataclass
class KeptConsumers(Generic[Key]):
    """Of one process. At most so many, each for so many seconds since it was last read from."""

    most: int
    seconds: float
    _idle: list[_Idle[Key]] = field(default_factory=list)
    """The one that was used last is at the end."""
    _is_open: bool = False

    @contextmanager
    def open(self) -> Iterator[None]:
        """Keeps from now on, until the block ends."""
        self._is_open = True
        try:
            yield
        finally:
            self._is_open = False
            self.drop(*self.held())

    def take(self, key: Key) -> AIOKafkaConsumer | None:
        """One that is nobody else's from now on, and that records still come to."""
        for each in [each for each in reversed(self._idle) if each.key == key]:
            self._idle.remove(each)
            try:
                check_tasks(each.consumer)
                return each.consumer
            except Stalled:
                stop_soon(each.consumer)
        return None

    def put(self, key: Key, consumer: AIOKafkaConsumer) -> bool:
        """Whether it is kept; if not, it is still the caller's to stop."""
        if not self._is_open:
            return False
        consumer.pause(*consumer.assignment())
        self._idle.append(_Idle(key, consumer, time.monotonic()))
        while len(self._idle) > self.most:
            stop_soon(self._idle.pop(0).consumer)
        return True

    def held(self) -> set[Key]:
        return {each.key for each in self._idle}

    def drop(self, *keys: Key) -> None:
        """Stop those of these keys, and those that were idle for too long."""
        until = time.monotonic() - self.seconds
        gone = [each for each in self._idle if each.key in keys or each.since <= until]
        self._idle = [each for each in self._idle if each not in gone]
        for each in gone:
            stop_soon(each.consumer)


def stop_soon(consumer: AIOKafkaConsumer) -> asyncio.Task[None]:
    """Who awaits it may be cancelled, again at each await: the consumer is stopped all the same."""
    stopping = asyncio.create_task(shutdown.stop(consumer))
    _stopping.add(stopping)
    stopping.add_done_callback(_stopping.discard)
    return stopping
