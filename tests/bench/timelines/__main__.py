"""Builds timelines on a PostgreSQL of its own and reads them: `python -m timelines 60000`, of so many events.

A sixth of the events is one customer's and a sixth another's, who is merged into the first at the end; the rest is spread over a thousand.
Kafka is left out: records are handed over in batches as a rebuild hands them, with marks, tenants and row-level security. Of time that passes and
of time on a processor both are printed, the latter of PostgreSQL and of this process.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import UUID

from processor import on_processor

from customers.projections import timeline
from customers.service import service
from tailrace.core.ids import uuid7
from tailrace.observability.logs import configure
from tailrace.stack.embedded import Stack
from tailrace_testing.databases import Databases
from tailrace_testing.harness import Harness
from tailrace_testing.tokens import TestIssuer
from timelines.handing import build, records

ROUNDS = 100


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
        await build(harness, service, timeline, records(harness, customers, many))
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
