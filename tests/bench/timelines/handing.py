"""Events of orders, shipments, tasks and opportunities, handed over in batches as a rebuild does: with marks, tenants, row-level security."""

import gc
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from aiokafka import ConsumerRecord
from processor import on_processor

from contracts import activities, opportunities, orders, shipments
from tailrace.core.events import Event
from tailrace.core.ids import uuid7
from tailrace.messaging.dispatcher import Dispatcher
from tailrace.messaging.subscribers import Projection
from tailrace.rebuild.builder import collecting_seldom
from tailrace.service import Service
from tailrace_testing.harness import Harness

BATCH = 2_000
BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def documents(customers: list[UUID]) -> Iterator[list[tuple[UUID, Event]]]:
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


def records(harness: Harness, customers: list[UUID], many: int) -> list[ConsumerRecord]:
    """So many of them, as a consumer has them."""
    found: list[ConsumerRecord] = []
    for document in documents(customers):
        for sequence, (id, event) in enumerate(document, 1):
            found.append(harness._record(event, id, sequence, harness.tenant, datetime.now(UTC), None))
        if len(found) >= many:
            return found
    raise AssertionError("documents never end")


async def build(
    harness: Harness, service: Service, projection: Projection, given: list[ConsumerRecord]
) -> dict[str, float]:
    """Hand them over, say what that took, and return it."""
    dispatcher = Dispatcher(service.name, harness.database, [projection])
    # As in a process that has nothing else to do: what the bench itself has made is not looked through with every batch.
    gc.collect()
    gc.freeze()
    began, before = time.monotonic(), await on_processor(harness)
    with collecting_seldom():
        for first in range(0, len(given), BATCH):
            await dispatcher.deliver(given[first : first + BATCH])
    took = time.monotonic() - began
    server, own = [(now - then) / 1000 for now, then in zip(await on_processor(harness), before, strict=True)]
    told = f"{len(given) / took:,.0f} events/s; on processor {server:.1f} + {own:.1f} s"
    print(
        f"{len(given)} events in batches of {BATCH}: {took:.1f} s, {told}, {len(given) / (server + own):,.0f} a core's second",
        flush=True,
    )
    return {
        "events": len(given),
        "per second": round(len(given) / took, 1),
        "per second of a core": round(len(given) / (server + own), 1),
    }
