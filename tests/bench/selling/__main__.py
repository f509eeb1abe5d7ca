"""Fills a PostgreSQL of its own with opportunities of one tenant, each with a history, and asks the service: `python -m selling 100000`.

Printed are, in ms, the median and the 95th percentile of the answer as a client has it, and the time on a processor of each, PostgreSQL's and this
process's, which a busy machine disturbs less. The machine's load stands at the beginning and at the end.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from processor import on_processor

from contracts.users import TeamCreated, TenantCreated
from opportunities import sums
from opportunities.service import service
from tailrace.core.ids import uuid7
from tailrace.observability.logs import configure
from tailrace.stack.embedded import Stack
from tailrace_testing.databases import Databases
from tailrace_testing.harness import Harness
from tailrace_testing.tokens import TestIssuer

ROUNDS = 40
REPS = 50
PAGES = 1000
_OPPORTUNITIES = """
INSERT INTO opportunity (tenant_id, id, number, name, status, customer_id, own_customer_id, customer_there, owner_id, team_id, pipeline_id, stage,
  stage_since, amount, currency, category, expected_close_on, closed_on, competitors, lines, ended_by_customer, changed_at, search_text, version)
SELECT $1, gen_random_uuid(), 'OP-' || lpad(n::text, 7, '0'), 'Deal ' || n, CASE WHEN n % 5 = 0 THEN 'won' ELSE 'open' END,
  gen_random_uuid(), gen_random_uuid(), true, ($3::uuid[])[1 + n % $4], $5, $2,
  CASE WHEN n % 5 = 0 THEN 'WON' ELSE (ARRAY['PROSPECT','QUALIFY','PROPOSE','NEGOTIATE'])[1 + (n / 5) % 4] END,
  now() - (n % 90) * interval '1 day', (n * 7919) % 1000000, (ARRAY['EUR','USD','JPY'])[1 + n % 3],
  (ARRAY['pipeline','best','committed','omitted'])[1 + n % 4], date '2026-10-01' + (n % 92)::int,
  CASE WHEN n % 5 = 0 THEN date '2026-10-01' + (n % 92)::int END, '[]', '[]', false, now() - interval '1 day', '', 1
FROM generate_series(1, $6::bigint) n
"""
_MOMENTS = """
INSERT INTO opportunity_moment (tenant_id, id, opportunity_id, since, until, status, owner_id, team_id, pipeline_id, stage, amount, currency,
  category, close_on)
SELECT tenant_id, gen_random_uuid(), id, now() - interval '1 day' * (91 - 30 * k) - n.part,
  CASE WHEN k < 3 THEN now() - interval '1 day' * (61 - 30 * k) - n.part END,
  CASE WHEN k < 3 THEN 'open' ELSE status END, owner_id, team_id, pipeline_id, stage, amount + k, currency, category, expected_close_on
FROM opportunity, generate_series(1, 3) k, LATERAL (SELECT interval '1 day' * (abs(hashtext(opportunity.id::text)) % 2900) / 100 AS part) n
"""


async def _fill(harness: Harness, rows: int) -> tuple[Any, Any]:
    tenant, reps, team = harness.tenant, [uuid7() for _ in range(REPS)], uuid7()
    joined = TenantCreated(tenant_id=tenant, slug="acme", name="Acme", currency="EUR")
    await harness.deliver(joined, aggregate_id=tenant)
    led = TeamCreated(team_id=team, name="Sales", lead_id=reps[0], member_ids=reps[:10])
    await harness.deliver(led, aggregate_id=team)
    pipeline = await harness.admin.fetchval("SELECT id FROM pipeline")
    await harness.admin.execute("UPDATE stage_version SET since = now() - interval '1 year'")
    await harness.admin.execute(_OPPORTUNITIES, tenant, pipeline, reps, REPS, team, rows, timeout=600)
    await harness.admin.execute(_MOMENTS, timeout=600)
    await _fold(harness)
    for table in ("opportunity", "opportunity_moment", "forecast_sum", "forecast_change"):
        await harness.admin.execute(f"VACUUM ANALYZE {table}", timeout=600)
    return pipeline, reps


async def _fold(harness: Harness) -> None:
    """Count what was written past the service, and say how long that and folding it took."""
    began, before = time.monotonic(), await on_processor(harness)
    async with harness.tx() as tx:
        await sums.recount(tx)
    waiting = await harness.admin.fetchval("SELECT count(*) FROM forecast_change")
    while await harness.fire_timers():
        pass
    rows = await harness.admin.fetchval("SELECT count(*) FROM forecast_sum")
    now = await harness.admin.fetchval("SELECT count(*) FROM forecast_sum WHERE until IS NULL")
    took, spent = time.monotonic() - began, sum(await on_processor(harness)) - sum(before)
    print(
        f"{waiting} changes folded into {rows} sums, {now} of now, in {took:.0f} s, {spent / 1000:.0f} s of a core",
        flush=True,
    )


async def _ask(harness: Harness, client: Any, what: str, path: str, rounds: int = ROUNDS) -> Any:
    took, answer = [], None
    for number in range(rounds + 5):
        if number == 5:
            before = await on_processor(harness)
        began = time.perf_counter()
        answer = await client.get(path)
        took.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, answer.text
    took = took[5:]
    server, own = [(now - then) / rounds for now, then in zip(await on_processor(harness), before, strict=True)]
    p95 = statistics.quantiles(took, n=20)[-1]
    print(
        f"{what:52} median {statistics.median(took):6.1f}  p95 {p95:6.1f}  on processor {server:5.1f} + {own:4.1f}",
        flush=True,
    )
    return answer


async def _measure(rows: int) -> None:
    configure("selling", "ERROR")
    folder = Path(tempfile.mkdtemp(prefix="tailrace-selling-"))
    stack = Stack(folder / "data", only="postgres")
    try:
        stack.start()
        databases = Databases(stack.postgres_url, stack.supervisor.credentials.secret)
        harness = Harness(service, databases, TestIssuer(), await databases.clone(service))
        await harness.start()
        began = time.monotonic()
        pipeline, reps = await _fill(harness, rows)
        print(f"{rows} opportunities in {time.monotonic() - began:.0f} s; load {os.getloadavg()[0]:.1f}", flush=True)
        everybody = harness.client_as("*")
        past = (await everybody.get("/v1/forecast?period=2026-10")).json()["as_of"][:10]
        for whose, client in (
            ("all", everybody),
            ("team's", harness.client_as("opportunities:read:team", user=reps[0])),
            ("own", harness.client_as("opportunities:read:own", user=reps[1])),
        ):
            for by in ("person", "team", "pipeline"):
                await _ask(
                    harness, client, f"forecast of a quarter by {by}, {whose}", f"/v1/forecast?period=2026-Q4&by={by}"
                )
            await _ask(harness, client, f"forecast of a month, {whose}", "/v1/forecast?period=2026-11")
            await _ask(
                harness,
                client,
                f"forecast of a quarter, of a past date, {whose}",
                f"/v1/forecast?period=2026-Q4&as_of={past[:8]}10",
            )
            await _ask(harness, client, f"board, {whose}", f"/v1/pipelines/{pipeline}/board")
        await _page(harness, everybody, rows)
        print(f"load {os.getloadavg()[0]:.1f}")
        await harness.stop()
    finally:
        stack.discard()


async def _page(harness: Harness, client: Any, rows: int) -> None:
    limit = min(50, max(1, rows // PAGES - 1))
    for sort in ("id", "-amount"):
        first = f"/v1/opportunities?limit={limit}&sort={sort}"
        path = first
        for _ in range(PAGES - 1):
            cursor = (await client.get(path)).json()["next_cursor"]
            path = f"{first}&cursor={cursor}"
        await _ask(harness, client, f"page 1 of {limit} by {sort}", first, 100)
        await _ask(harness, client, f"page {PAGES} of {limit} by {sort}", path, 100)


if __name__ == "__main__":
    asyncio.run(_measure(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
