"""What evidence and processes cost, on a PostgreSQL of their own: `python -m evidence 20000`.

Printed are events taken into the log in batches as the consumer hands them over, a head over them, a trace of 1,000 nodes, and approvals that begin
their process because a document was submitted. Each with the time on a processor, of PostgreSQL and of the service, which a busy machine disturbs
less than the time on the clock; and the machine's load beside it.
"""

import asyncio
import gc
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import uvloop
from aiokafka import ConsumerRecord

import audit.service
import workflow.service
from contracts.approvals import ApprovalSubject
from contracts.quotes import QuoteSubmitted
from contracts.users import TenantCreated, UserCreated
from tailrace.core.ids import uuid7
from tailrace.observability.logs import configure
from tailrace.service import Service
from tailrace.settings import Settings
from tailrace.stack.embedded import Stack
from tailrace_testing.databases import Databases
from tailrace_testing.harness import Harness
from tailrace_testing.tokens import TestIssuer

BATCH = Settings.model_fields["journal_batch"].default
NODES = 1000
ROUNDS = 20
APPROVALS = 800
SAID = {"order_id": "x" * 36, "lines": [{"item": "y" * 36, "quantity": "12", "price": 1000}] * 3, "note": "z" * 80}


class Clock:
    """Time on a processor, of PostgreSQL's processes for the service and of this one, since it was made."""

    def __init__(self, harness: Harness) -> None:
        self._harness = harness

    async def start(self) -> "Clock":
        self._wall, self._began = time.perf_counter(), await self._now()
        return self

    async def spent(self) -> tuple[float, float, float]:
        """Seconds by the clock, of PostgreSQL and of this process."""
        server, own = [now - then for now, then in zip(await self._now(), self._began, strict=True)]
        return time.perf_counter() - self._wall, server, own

    async def _now(self) -> tuple[float, float]:
        query = "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE 'tailrace-%'"
        pids = [row["pid"] for row in await self._harness.admin.fetch(query, self._harness.database_name)]
        return sum(map(_processor_time, pids)), time.process_time()


def _processor_time(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def _event(h: Harness, document: UUID, sequence: int, correlation: UUID, cause: UUID | None) -> tuple[UUID, Any]:
    id = uuid7()
    headers = {
        "ce_id": str(id),
        "ce_type": "order.noted",
        "ce_source": "/tailrace/orders",
        "ce_subject": str(document),
        "ce_time": datetime.now(UTC).isoformat(),
        "ce_dataschema": "urn:tailrace:schema:order.noted:v1",
        "ce_specversion": "1.0",
        "content-type": "application/json",
        "ce_tenantid": str(h.tenant),
        "ce_sequence": str(sequence),
        "ce_epoch": "1",
        "ce_correlationid": str(correlation),
        "ce_actorid": str(h.user),
    }
    if cause is not None:
        headers["ce_causationid"] = str(cause)
    return id, h.record("order.events", str(document).encode(), json.dumps(SAID).encode(), headers)


def _noted(h: Harness, events: int) -> list[ConsumerRecord]:
    dice, documents = Random(5), [uuid7() for _ in range(max(50, events // 6))]
    sequences = dict.fromkeys(documents, 0)
    made = []
    for _ in range(events):
        document = dice.choice(documents)
        sequences[document] += 1
        made.append(_event(h, document, sequences[document], uuid7(), None)[1])
    return made


def _tree(h: Harness) -> tuple[UUID, list[ConsumerRecord]]:
    """A request with as many events as a trace of so many nodes has, each with three effects; and what it is about."""
    correlation, root = uuid7(), uuid7()
    first, record = _event(h, root, 1, correlation, None)
    records, ahead = [record], [first]
    while len(records) < NODES:
        fresh = [_event(h, uuid7(), 1, correlation, cause) for cause in ahead for _ in range(3)]
        records += [record for _, record in fresh]
        ahead = [id for id, _ in fresh]
    return root, records[:NODES]


async def _log(h: Harness, events: int) -> None:
    records = _noted(h, events)
    await h.dispatcher.deliver(records[:BATCH])
    clock = await Clock(h).start()
    for begin in range(BATCH, events, BATCH):
        await h.dispatcher.deliver(records[begin : begin + BATCH])
    wall, server, own = await clock.spent()
    many = events - BATCH
    _say("into the log", f"{many / wall:8,.0f}/s", server / many, own / many, "µs an event", 1e6)
    clock = await Clock(h).start()
    await h.client.post("/v1/audit/heads")
    wall, server, own = await clock.spent()
    _say(f"a head over {max(50, events // 6):,} documents", f"{wall * 1000:8,.0f} ms", server, own, "ms", 1e3)


async def _trace(h: Harness) -> None:
    root, records = _tree(h)
    await h.dispatcher.deliver(records)
    await h.admin.execute("ANALYZE")
    took, path = [], f"/v1/trace/{root}"
    assert len((await h.client.get(path)).json()["nodes"]) == NODES
    clock = await Clock(h).start()
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await h.client.get(path)
        took.append((time.perf_counter() - began) * 1000)
    _, server, own = await clock.spent()
    said = f"{statistics.median(took):8,.0f} ms"
    _say(f"a trace of {NODES:,} nodes, as JSON", said, server / ROUNDS, own / ROUNDS, "ms", 1e3)


async def _approvals(h: Harness) -> None:
    joined = TenantCreated(tenant_id=h.tenant, slug="acme", name="Acme Ltd", currency="EUR")
    await h.deliver(joined, aggregate_id=h.tenant)
    max_id = uuid7()
    hired = UserCreated(user_id=max_id, email="max@acme.example", name="Max", roles=["manager"])
    await h.deliver(hired, aggregate_id=max_id)
    records = []
    for number in range(APPROVALS + 50):
        quote = uuid7()
        subject = ApprovalSubject(
            kind="quote",
            id=quote,
            number=f"Q-{number}/1",
            sha256="a" * 64,
            amount=5,
            currency="EUR",
            requester_id=quote,
        )
        told = QuoteSubmitted(quote_id=quote, number=f"Q-{number}", revision=1, subject=subject)
        records.append(h._record(told, quote, 1, h.tenant, datetime.now(UTC), None))
    await h.dispatcher.deliver(records[:50])
    clock = await Clock(h).start()
    for begin in range(50, len(records), 50):
        await h.dispatcher.deliver(records[begin : begin + 50])
    wall, server, own = await clock.spent()
    assert await h.admin.fetchval("SELECT count(*) FROM instance WHERE status = 'waiting'") == len(records)
    said = f"{APPROVALS / wall:8,.0f}/s"
    _say("processes begun, with task, timer and events", said, server / APPROVALS, own / APPROVALS, "ms each", 1e3)


def _say(what: str, clocked: str, server: float, own: float, unit: str, scale: float) -> None:
    told = f"{what:45} {clocked}   on processor {server * scale:7.1f} + {own * scale:7.1f} {unit}"
    print(f"{told}   load {os.getloadavg()[0]:.1f}", flush=True)


@asynccontextmanager
async def _running(service: Service, stack: Stack) -> AsyncIterator[Harness]:
    databases = Databases(stack.postgres_url, stack.supervisor.credentials.secret)
    harness = Harness(service, databases, TestIssuer(), await databases.clone(service))
    await harness.start()
    # As a fleet does before it serves: what is alive by now is not looked through again with every few thousand objects that are made.
    gc.collect()
    gc.freeze()
    try:
        yield harness
    finally:
        await harness.stop()


async def _measure(events: int) -> None:
    configure("evidence", "ERROR")
    stack = Stack(Path(tempfile.mkdtemp(prefix="tailrace-evidence-")) / "data", only="postgres")
    try:
        stack.start()
        async with _running(audit.service.service, stack) as h:
            await _log(h, events)
            await _trace(h)
        async with _running(workflow.service.service, stack) as h:
            await _approvals(h)
    finally:
        stack.discard()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_measure(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
