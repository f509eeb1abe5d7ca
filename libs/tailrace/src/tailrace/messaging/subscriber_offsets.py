"""Which subscribers of a partition are live, and which have history to read first.

Kafka keeps a text of ours with each committed offset. It names the subscribers that were handed everything before that offset, so the two move
together. A subscriber that is not named (it is new, it began to listen to this topic, or a process that did not know it moved the offset) is left
out of the live delivery of that partition until it has read as far as that has come. Nothing is skipped then; what comes twice meets its mark.

A database that was restored has lost effects of events that the text says it had. So the text names the database's epoch, and one of an earlier
epoch counts for nothing: everybody reads history.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition

from tailrace.messaging.dispatcher import Dispatcher, SubscriberPartition
from tailrace.observability.logs import log

Batch = Mapping[TopicPartition, list[ConsumerRecord]]
Offsets = dict[TopicPartition, tuple[int, str]]
"""What is committed: the offset of the next record, and who was handed everything before it."""


@dataclass(eq=False, slots=True)
class Behind:
    """Those that read the history of a partition together, and the offset of the next record that they read."""

    names: frozenset[str]
    position: int


class SubscriberOffsets(ConsumerRebalanceListener):  # type: ignore[misc]
    """The partitions that one process holds in its group. All of it happens in one event loop, between two awaits or not at all."""

    def __init__(self, dispatcher: Dispatcher, epoch: int = 1) -> None:
        self._dispatcher = dispatcher
        self._epoch = epoch
        self._live: dict[TopicPartition, int] = {}
        self._behind: dict[TopicPartition, Behind] = {}
        self._changed: set[TopicPartition] = set()
        self._revocations = 0
        self.any_behind = asyncio.Event()

    @property
    def behind(self) -> dict[TopicPartition, Behind]:
        return dict(self._behind)

    def progress(self) -> dict[str, tuple[int, int]]:
        """By subscriber that is behind: how many events it has read, and of how many."""
        found: dict[str, tuple[int, int]] = {}
        for name in sorted({name for behind in self._behind.values() for name in behind.names}):
            held = [at for at in self._live if name in self._listeners(at.topic)]
            left = sum(self._live[at] - b.position for at, b in self._behind.items() if name in b.names)
            total = sum(self._live[at] for at in held)
            found[name] = (total - left, total)
        return found

    async def on_partitions_revoked(self, revoked: Any) -> None:
        self._revocations += 1
        self._live.clear()
        self._behind.clear()
        self._changed.clear()
        self.any_behind.clear()

    async def on_partitions_assigned(self, assigned: Any) -> None:
        """Only forgets: aiokafka would swallow a failure here, so `learn` asks before the first record is handed out."""
        for at in self._live.keys() - set(assigned):
            del self._live[at]
            self._behind.pop(at, None)
            self._changed.discard(at)

    async def learn(self, consumer: Any) -> None:
        """Look up which subscribers are live in partitions that are new here. Raises KafkaError, and what the database raises."""
        fresh, revocations = consumer.assignment() - self._live.keys(), self._revocations
        if not fresh:
            return
        # As `consumer.committed` does, which keeps the text for itself.
        committed = await consumer._coordinator.fetch_committed_offsets(list(fresh))
        notes = {at: await self._read_note(at.topic, kept.metadata) for at, kept in committed.items()}
        incomplete = [
            at for at, names in notes.items() if any(names.get(n, 0) is not None for n in self._listeners(at.topic))
        ]
        ends = await consumer.end_offsets(incomplete) if incomplete else {}
        if revocations != self._revocations:
            return
        for at in fresh:
            # Without an offset the group begins at the beginning, and every subscriber with it. An offset beyond the end is void.
            live = min(committed[at].offset, ends.get(at, committed[at].offset)) if at in committed else 0
            self._place(at, live, notes.get(at, {}))
            if at in committed and committed[at].metadata != self._note(at):
                self._changed.add(at)

    def begin(self, batch: Batch) -> tuple[dict[TopicPartition, list[ConsumerRecord]], frozenset[SubscriberPartition]]:
        """What of a batch is delivered now, and which subscribers are excluded. A partition that was taken away is read by its new owner."""
        held = {at: records for at, records in batch.items() if at in self._live}
        for at, records in held.items():
            self._live[at] = records[-1].offset + 1
        excluded = {(name, *at) for at in held if at in self._behind for name in self._behind[at].names}
        return held, frozenset(excluded)

    def delivered(self, batch: Batch) -> Offsets:
        """What to commit after a batch, and for what else has changed."""
        at_once = {at for at in batch if at in self._live} | self._changed
        self._changed = set()
        return {at: (self._live[at], self._note(at)) for at in at_once}

    def have_read(self, reading: Mapping[TopicPartition, Behind], positions: Mapping[TopicPartition, int]) -> None:
        """Those behind have applied everything before `positions`. Those that have come as far as the live delivery join it."""
        for at, behind in reading.items():
            if self._behind.get(at) is not behind:
                continue
            behind.position = positions[at]
            self._changed.add(at)
            if behind.position >= self._live[at]:
                del self._behind[at]
                log.info("backfill done", subscribers=sorted(behind.names), topic=at.topic, partition=at.partition)
        if not self._behind:
            self.any_behind.clear()

    def not_behind(self, reading: Mapping[TopicPartition, Behind]) -> frozenset[SubscriberPartition]:
        """The subscribers that the history is not for."""
        return frozenset(
            (name, *at) for at, behind in reading.items() for name in self._listeners(at.topic) - behind.names
        )

    def _place(self, at: TopicPartition, live: int, note: Mapping[str, int | None]) -> None:
        self._live[at] = live
        reached = {name: note.get(name, 0) for name in self._listeners(at.topic)}
        behind = {name: offset for name, offset in reached.items() if offset is not None and offset < live}
        if behind:
            self._behind[at] = Behind(frozenset(behind), min(behind.values()))
            self.any_behind.set()
            log.info(
                "backfill started", subscribers=sorted(behind), topic=at.topic, partition=at.partition, events=live
            )

    def _listeners(self, topic: str) -> frozenset[str]:
        return frozenset(subscriber.name for subscriber in self._dispatcher.subscribers(topic))

    def _note(self, at: TopicPartition) -> str:
        behind = self._behind.get(at)
        names = behind.names if behind is not None else frozenset()
        note: dict[str, Any] = {"live": sorted(self._listeners(at.topic) - names)}
        if self._epoch > 1:
            note["epoch"] = self._epoch
        if behind is not None:
            note["behind"] = dict.fromkeys(sorted(names), behind.position)
        return json.dumps(note, separators=(",", ":"))

    async def _read_note(self, topic: str, text: str | None) -> dict[str, int | None]:
        """How far each subscriber has come, None for one that is live.

        Where a tool or an older version committed without our text, a subscriber that has marks is live.
        """
        try:
            note = json.loads(text or "")
            if int(note.get("epoch", 1)) < self._epoch:
                return {}
            live: dict[str, int | None] = dict.fromkeys(note["live"])
            return live | {name: int(offset) for name, offset in note.get("behind", {}).items()}
        except (ValueError, TypeError, KeyError, AttributeError):
            if self._epoch > 1:
                return {}
            return dict.fromkeys(await self._dispatcher.have_marks(self._listeners(topic)))
