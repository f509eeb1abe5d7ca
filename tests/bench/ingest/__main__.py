"""Builds the rows of reports on a PostgreSQL of its own, of so many events: `python -m ingest 60000`. Kafka is left out, as in `timelines`."""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from timelines.handing import build, records

from analytics.freshness import topics_heard
from analytics.projections import movements
from analytics.service import service
from tailrace.core.ids import uuid7
from tailrace.observability.logs import configure
from tailrace.stack.embedded import Stack
from tailrace_testing.databases import Databases
from tailrace_testing.harness import Harness
from tailrace_testing.tokens import TestIssuer

ROUNDS = 3


async def _measure(many: int) -> None:
    configure("ingest", "ERROR")
    folder = Path(tempfile.mkdtemp(prefix="tailrace-ingest-"))
    stack = Stack(folder / "data", only="postgres")
    try:
        stack.start()
        databases = Databases(stack.postgres_url, stack.supervisor.credentials.secret)
        harness = Harness(service, databases, TestIssuer(), await databases.clone(service))
        await harness.start()
        customers = [uuid7() for _ in range(1000)]
        for _ in range(ROUNDS):
            print(f"load {os.getloadavg()[0]:.1f}", flush=True)
            given = records(harness, customers, many // ROUNDS)
            await build(harness, service, movements, [each for each in given if each.topic in topics_heard()])
        rows = await harness.admin.fetchval("SELECT count(*) FROM movement")
        print(f"{rows} rows")
        await harness.stop()
    finally:
        stack.discard()


if __name__ == "__main__":
    asyncio.run(_measure(int(sys.argv[1]) if len(sys.argv) > 1 else 60_000))
