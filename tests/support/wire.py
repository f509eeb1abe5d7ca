"""Kafka's part between real services in one process: events reach those who listen in order per key, and otherwise as chance has it."""

import random
from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from aiokafka import ConsumerRecord

from tailrace.db.error_classes import is_transient
from tailrace.messaging.dead_letters import NOT_YET
from tailrace_testing import Harness

Queue = deque[ConsumerRecord]


class Wire:
    """Shuttles the outboxes of `services` between them. Late, doubled, batched and interleaved, but never out of order within a key."""

    def __init__(self, services: Mapping[str, Harness], dice: random.Random) -> None:
        self.services = services
        self.dice = dice
        self.waiting: dict[str, dict[tuple[str, UUID], Queue]] = {name: defaultdict(deque) for name in services}
        self.delivered: dict[str, list[ConsumerRecord]] = {name: [] for name in services}
        self.seen: set[UUID] = set()

    async def collect(self) -> None:
        """Capture what was committed since the last time, as Debezium would."""
        for service in self.services.values():
            rows = await service.admin.fetch(
                "SELECT * FROM outbox WHERE tenant_id = $1 AND NOT id = ANY($2) ORDER BY aggregate_id, sequence",
                service.tenant,
                list(self.seen),
            )
            for row in rows:
                self.seen.add(row["id"])
                for name, reader in self.services.items():
                    if row["topic"] in reader.dispatcher.topics:
                        self.waiting[name][row["topic"], row["aggregate_id"]].append(_record(reader, row))

    async def deliver_some(self, name: str) -> bool:
        """Hand a batch to one service: the next events of some keys, and perhaps some that it has had before."""
        queues = [queue for queue in self.waiting[name].values() if queue]
        if not queues:
            return False
        taken = [
            (queue, [queue[i] for i in range(self.dice.randint(1, len(queue)))])
            for queue in self.dice.sample(queues, self.dice.randint(1, min(4, len(queues))))
        ]
        batch = [record for _, records in taken for record in records]
        past = self.delivered[name]
        if past and self.dice.random() < 0.3:
            batch[:0] = self.dice.sample(past, min(3, len(past)))
        try:
            await self.services[name].dispatcher.deliver(batch)
        except Exception as error:
            # Kafka would hand the same records over again.
            if is_transient(error):
                return True
            raise
        for queue, records in taken:
            for record in records:
                # Two may have held the same key at once, as in a rebalance.
                if queue and queue[0] is record:
                    past.append(queue.popleft())
        return True

    async def settle(self) -> None:
        """Deliver until nobody has anything left to say, and what came too early is applied that can be by then."""
        await self.collect()
        while await self._deliver_all() or await self.redrive():
            await self.collect()

    async def _deliver_all(self) -> bool:
        began = any(queue for queues in self.waiting.values() for queue in queues.values())
        while any(queue for queues in self.waiting.values() for queue in queues.values()):
            await self.deliver_some(self.dice.choice(list(self.services)))
            await self.collect()
        return began

    async def redrive(self) -> bool:
        """Try again what came before that which it needs, as the redriver does by itself, without its pauses; whether any was applied."""
        applied = 0
        for service in self.services.values():
            early = await service.admin.fetch(
                "SELECT DISTINCT subscriber, aggregate_id FROM dead_letter WHERE tenant_id = $1 AND kind = $2",
                service.tenant,
                NOT_YET,
            )
            for subscriber, aggregate_id in early:
                applied += (await service.redriver.redrive((subscriber, aggregate_id))).applied
        return applied > 0

    async def dead_letters(self) -> list[tuple[Any, ...]]:
        query = "SELECT subscriber, type, kind, reason FROM dead_letter WHERE tenant_id = $1"
        return [tuple(row) for s in self.services.values() for row in await s.admin.fetch(query, s.tenant)]


def _record(reader: Harness, row: Any) -> ConsumerRecord:
    headers = {
        "ce_id": row["id"],
        "ce_type": row["type"],
        "ce_source": row["source"],
        "ce_subject": row["aggregate_id"],
        "ce_time": row["recorded_at"].isoformat(),
        "ce_dataschema": row["dataschema"],
        "ce_specversion": "1.0",
        "content-type": "application/json",
        "ce_tenantid": row["tenant_id"],
        "ce_sequence": row["sequence"],
        "ce_epoch": row["epoch"],
        "ce_correlationid": row["correlation_id"],
        "ce_causationid": row["causation_id"],
        "ce_actorid": row["actor_id"],
    }
    told = {name: str(value) for name, value in headers.items() if value is not None}
    return reader.record(row["topic"], str(row["aggregate_id"]).encode(), row["payload"].encode(), told)
