"""Fills a PostgreSQL of its own with movements of one tenant, of a year, and asks for the four reports: `python -m reports 1000000`.

Printed are, in ms, the median and the 95th percentile of the answer as a client has it, and the time on a processor of each, PostgreSQL's and this
process's, which a busy machine disturbs less. The machine's load stands at the beginning and at the end.
`make bench ONLY=reports` puts them into the report.
"""

import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, get_args

from keeping import keep, options
from processor import on_processor

from analytics.lake.exporter import export_all
from analytics.measures import Measure
from analytics.service import service
from contracts.users import TeamCreated, TenantCreated
from tailrace.core.ids import uuid7
from tailrace.observability.logs import configure
from tailrace.stack.embedded import Stack
from tailrace_testing.databases import Databases
from tailrace_testing.harness import Harness
from tailrace_testing.tokens import TestIssuer

ROUNDS = 20
REPS = 50
REPORTS = ("sales-summary", "customer-statistics", "approval-statistics", "task-completion")
DAYS = {
    "a month": "from=2026-06-01&until=2026-07-01",
    "a year by month": "from=2026-01-01&until=2027-01-01&interval=month",
}
_MOVEMENTS = """
INSERT INTO movement (tenant_id, id, measure, at, known_at, document_id, kind, owner_id, customer_id, currency, item_id, warehouse_id,
  count, amount, seconds, quantity, event_id)
SELECT $1, gen_random_uuid(), measure, at, at, gen_random_uuid(),
  CASE WHEN measure LIKE 'credit_note%' THEN 'credit_note' WHEN measure = 'goods_received' THEN 'goods_receipt'
    WHEN measure LIKE 'goods%' THEN 'goods_issue' ELSE split_part(measure, '_', 1) END, ($2::uuid[])[1 + n % $3], gen_random_uuid(),
  (ARRAY['EUR','USD','JPY'])[1 + n % 3], ($2::uuid[])[1 + n % $3], ($2::uuid[])[1 + n % 3],
  1, (n * 7919) % 1000000, n % 86400, n % 1000 * 1000, gen_random_uuid()
FROM generate_series(1, $4::bigint) n,
  LATERAL (SELECT ($5::text[])[1 + n % $6] AS measure, timestamptz '2026-01-01' + n * (interval '1 year' / $4::float8) AS at) made
"""


async def _fill(harness: Harness, rows: int) -> list[Any]:
    tenant, reps, team = harness.tenant, [uuid7() for _ in range(REPS)], uuid7()
    joined = TenantCreated(tenant_id=tenant, slug="acme", name="Acme", currency="EUR")
    await harness.deliver(joined, aggregate_id=tenant)
    led = TeamCreated(team_id=team, name="Sales", lead_id=reps[0], member_ids=reps[:10])
    await harness.deliver(led, aggregate_id=team)
    measures = list(get_args(Measure))
    await harness.admin.execute(_MOVEMENTS, tenant, reps, REPS, rows, measures, len(measures), timeout=600)
    await harness.admin.execute("VACUUM ANALYZE movement", timeout=600)
    return reps


Figures = dict[str, dict[str, float]]


async def _ask(harness: Harness, client: Any, what: str, path: str) -> dict[str, float]:
    took = []
    for number in range(ROUNDS + 3):
        if number == 3:
            before = await on_processor(harness)
        began = time.perf_counter()
        answer = await client.get(path)
        took.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, answer.text
    server, own = [(now - then) / ROUNDS for now, then in zip(await on_processor(harness), before, strict=True)]
    median, p95 = statistics.median(took[3:]), statistics.quantiles(took[3:], n=20)[-1]
    print(f"{what:56} median {median:6.1f}  p95 {p95:6.1f}  on processor {server:5.1f} + {own:4.1f}", flush=True)
    return {"p50 ms": round(median, 1), "p95 ms": round(p95, 1), "processor ms": round(server + own, 1)}


async def _ask_all(harness: Harness, whose: str, client: Any) -> Figures:
    return {
        what: await _ask(harness, client, what, f"/v1/reports/{report}?{asked}")
        for report in REPORTS
        for days, asked in DAYS.items()
        for what in (f"{report}, {days}, {whose}",)
    }


async def _measure(rows: int) -> dict[str, Any]:
    configure("reports", "ERROR")
    folder = Path(tempfile.mkdtemp(prefix="tailrace-reports-"))
    stack = Stack(folder / "data", only="postgres")
    try:
        stack.start()
        databases = Databases(stack.postgres_url, stack.supervisor.credentials.secret)
        harness = Harness(service, databases, TestIssuer(), await databases.clone(service))
        await harness.start()
        began = time.monotonic()
        reps = await _fill(harness, rows)
        load = os.getloadavg()[0]
        print(f"{rows} movements in {time.monotonic() - began:.0f} s; load {load:.1f}", flush=True)
        found = await _ask_all(harness, "own", harness.client_as("reports:read:own", user=reps[0]))
        found |= await _ask_all(harness, "all", harness.client_as("reports:read"))
        began = time.monotonic()
        await export_all(harness.database, harness.app.state.lake)
        print(f"written to the lake in {time.monotonic() - began:.0f} s", flush=True)
        found |= await _ask_all(harness, "all, with the lake", harness.client_as("reports:read"))
        print(f"load {os.getloadavg()[0]:.1f}")
        await harness.stop()
    finally:
        stack.discard()
    # Without the lake is how it is for the ten seconds until new rows are there.
    answered = {what: each["p95 ms"] for what, each in found.items() if not what.endswith(", all")}
    worst = {days: max(p95 for what, p95 in answered.items() if f", {days}," in what) for days in DAYS}
    return {"n": rows, "load before": round(load, 1), "figures": found, "p95 ms": worst}


if __name__ == "__main__":
    asked = options(__doc__, 1_000_000)
    keep(asked, asyncio.run(_measure(asked.size)))
