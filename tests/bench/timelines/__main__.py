"""Builds timelines on a PostgreSQL of its own and reads them: `python -m timelines 60000`, of so many events.

A sixth of the events is one customer's and a sixth another's, who is merged into the first at the end; the rest is spread over a thousand.
Kafka is left out: records are handed over in batches as a rebuild hands them, with marks, tenants and row-level security. Of time that passes and
of time on a processor both are printed, the latter of PostgreSQL and of this process.
"""

import asyncio
import gc
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from aiokafka import ConsumerRecord
from processor import on_processor

from contracts import activities, opportunities, orders, shipments
from customers.projections import timeline
from customers.service import service
from tailrace.core.events import Event
from tailrace.core.ids import uuid7
from tailrace.messaging.dispatcher import Dispatcher
from tailrace.observability.logs import configure
from tailrace.rebuild.builder import collecting_seldom
from tailrace.stack.embedded import Stack
from tailrace_testing.databases import Databases
from tailrace_testing.harness import Harness
from tailrace_testing.tokens import TestIssuer

BATCH, ROUNDS = 2_000, 100
BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def _documents(customers: list[UUID]) -> Iterator[list[tuple[UUID, Event]]]:
    """The events of one document after the other: a sixth of one customer, a sixth of the next, and the rest of all others in turn."""
    number = 0
    while True:
        number += 1
        customer = customers[number % 6] if number % 6 < 2 else customers[2 + number % (len(customers) - 2)]
        id, at = uuid7(), BEGIN + timedelta(minutes=number)
        if number % 3 == 0:
            said: dict[str, Any] = {"number": f"SO-{number}", "customer_name": "Ada", "currency": "EUR", "lines": []}
            order = {"customer_reference": "r", "net": 1, "tax": 0, "ordered_at": at, "customer_id": customer}
            yield [
                (id, orders.OrderCreated(order_id=id, **said, **order)),
                (id, orders.OrderConfirmed(order_id=id, **said, **order)),
            ]
            shipped = uuid7()
            yield [
                (shipped, shipments.ShipmentCreated(shipment_id=shipped, order_id=id, reservation_id=uuid7(), **said))
            ]
        elif number % 3 == 1:
            task = {
                "title": "Call",
                "customer_id": customer,
                "priority": "normal",
                "time_zone": "Etc/UTC",
                "user_id": None,
            }
            made = activities.TaskCreated(task_id=id, status="open", **task)
            yield [
                (id, made),
                (
                    id,
                    activities.TaskCompleted(
                        task_id=id, title="Call", customer_id=customer, user_id=None, completed_at=at
                    ),
                ),
            ]
        else:
            deal = {
                "name": "Deal",
                "customer_id": customer,
                "pipeline_id": id,
                "stage": "A",
                "amount": 1,
                "currency": "EUR",
            }
            deal_made = opportunities.OpportunityCreated(
                opportunity_id=id,
                number="OP-1",
                status="open",
                category="best",
                expected_close_on=date(2026, 12, 1),
                **deal,
            )
            moved = opportunities.OpportunityStageChanged(
                opportunity_id=id, pipeline_id=id, from_stage="A", to_stage="B", entered_at=at
            )
            yield [(id, deal_made), (id, moved)]


def _records(harness: Harness, customers: list[UUID], many: int) -> list[ConsumerRecord]:
    found: list[ConsumerRecord] = []
    for document in _documents(customers):
        for sequence, (id, event) in enumerate(document, 1):
            found.append(harness._record(event, id, sequence, harness.tenant, datetime.now(UTC), None))
        if len(found) >= many:
            return found
    raise AssertionError("documents never end")


async def _build(harness: Harness, records: list[ConsumerRecord]) -> None:
    dispatcher = Dispatcher(service.name, harness.database, [timeline])
    # As in a process that has nothing else to do: what the bench itself has made is not looked through with every batch.
    gc.collect()
    gc.freeze()
    began, before = time.monotonic(), await on_processor(harness)
    with collecting_seldom():
        for first in range(0, len(records), BATCH):
            await dispatcher.deliver(records[first : first + BATCH])
    took = time.monotonic() - began
    server, own = [(now - then) / 1000 for now, then in zip(await on_processor(harness), before, strict=True)]
    told = f"{len(records) / took:,.0f} events/s; on processor {server:.1f} + {own:.1f} s"
    print(
        f"{len(records)} events in batches of {BATCH}: {took:.1f} s, {told}, {len(records) / (server + own):,.0f} a core's second",
        flush=True,
    )


async def _ask(harness: Harness, what: str, path: str) -> Any:
    client, took = harness.client_as("*"), []
    for number in range(ROUNDS + 5):
        if number == 5:
            before = await on_processor(harness)
        began = time.perf_counter()
        answer = await client.get(path)
        took.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, answer.text
    server, own = [(now - then) / ROUNDS for now, then in zip(await on_processor(harness), before, strict=True)]
    median, p95 = statistics.median(took[5:]), statistics.quantiles(took[5:], n=20)[-1]
    print(f"{what:50} median {median:6.1f}  p95 {p95:6.1f}  on processor {server:5.1f} + {own:4.1f}", flush=True)
    return answer.json()


async def _measure(many: int) -> None:
    configure("timelines", "ERROR")
    folder = Path(tempfile.mkdtemp(prefix="tailrace-timelines-"))
    stack = Stack(folder / "data", only="postgres")
    try:
        stack.start()
        databases = Databases(stack.postgres_url, stack.supervisor.credentials.secret)
        harness = Harness(service, databases, TestIssuer(), await databases.clone(service))
        await harness.start()
        print(f"load {os.getloadavg()[0]:.1f}", flush=True)
        made = []
        for number in range(2):
            answer = await harness.client.post("/v1/customers", json={"name": f"Ada {number}", "currency": "EUR"})
            made.append(answer.json()["id"])
        customers = [*map(UUID, made), *(uuid7() for _ in range(1000))]
        await _build(harness, _records(harness, customers, many))
        await harness.admin.execute("ANALYZE timeline_entry, timeline_subject")
        held = await harness.admin.fetchval("SELECT count(*) FROM timeline_entry WHERE customer_id = $1", customers[0])
        at = f"/v1/customers/{made[0]}/timeline?limit=50"
        await _pages(harness, f"of {held} entries", at)
        merged = await harness.client.post(
            f"/v1/customers/{made[1]}/merge", json={"into_customer_id": made[0], "reason": "one"}
        )
        assert merged.status_code == 200, merged.text
        await _pages(harness, f"of {2 * held}, of two merged", at)
        print(f"load {os.getloadavg()[0]:.1f}")
        await harness.stop()
    finally:
        stack.discard()


async def _pages(harness: Harness, what: str, at: str) -> None:
    page = await _ask(harness, f"the first page {what}", at)
    await _ask(harness, f"the first page {what}, one kind", f"{at}&kind=task")
    client = harness.client_as("*")
    path = at
    for _ in range(100):
        if page["next_cursor"] is None:
            break
        path = f"{at}&cursor={page['next_cursor']}"
        page = (await client.get(path)).json()
    await _ask(harness, f"page 100 {what}", path)


if __name__ == "__main__":
    asyncio.run(_measure(int(sys.argv[1]) if len(sys.argv) > 1 else 60_000))
