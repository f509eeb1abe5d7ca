"""Builds the rows of reports on a PostgreSQL of its own, of so many events: `python -m ingest 60000`. Kafka is left out, as in `timelines`.

With `--json` it leaves its figures in a file too: `make bench ONLY=ingest` puts them into the report.
"""

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Any

from keeping import keep, options
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


async def _measure(many: int) -> dict[str, Any]:
    configure("ingest", "ERROR")
    rounds: list[dict[str, float]] = []
    load = os.getloadavg()[0]
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
            heard = [each for each in given if each.topic in topics_heard()]
            rounds.append(await build(harness, service, movements, heard))
        rows = await harness.admin.fetchval("SELECT count(*) FROM movement")
        print(f"{rows} rows")
        await harness.stop()
    finally:
        stack.discard()
    best = {name: max(each[name] for each in rounds) for name in ("per second", "per second of a core")}
    return {"n": many, "load before": round(load, 1), "rows": rows, **best}


if __name__ == "__main__":
    asked = options(__doc__, 60_000)
    keep(asked, asyncio.run(_measure(asked.size)))
