"""Writes movements of one tenant, of two years, to a lake as the exporter does, and asks the engine: `python -m wide 5000000`.

Printed are, in ms, the median and the 95th percentile by the clock, and the median on a processor, all threads together, which a busy machine
disturbs less. The first question, which opens the engine and the table, stands by itself. An answer that is too long for a report, and refused, is
measured too; the widest question that is answered is the slowest of the others. `make bench ONLY=wide` puts them into the report.
"""

import asyncio
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import duckdb
from arro3.core import RecordBatch, RecordBatchReader
from keeping import keep, options

from analytics.lake.engine import Engine, Question
from analytics.lake.movements import MOVEMENTS
from analytics.lake.tables import Lake, Snapshot
from analytics.measures import STANDING, Measure
from analytics.shown import SALES, TASKS
from analytics.wide import MOST_SUMS
from tailrace.core.ids import uuid7
from tailrace.settings import Settings

ROUNDS, PEOPLE, CUSTOMERS = 15, 50, 10_000
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
_MADE = """
SELECT uuid()::VARCHAR AS id, "measure", "at", "at" AS known_at, 'order' AS kind, uuid()::VARCHAR AS document_id, 'SO-' || n AS document_number,
  md5('p' || n % $people) AS owner_id, md5('c' || n % $customers) AS customer_id, ['EUR', 'USD', 'JPY'][1 + n % 3] AS currency,
  ['low', 'normal', 'high'][1 + n % 3] AS "label", NULL::VARCHAR AS segment, NULL::VARCHAR AS came_of_id, 1::BIGINT AS "count",
  ((n * 7919) % 1000000)::BIGINT AS amount, (n % 86400)::BIGINT AS "seconds",
  md5('i' || n % $people) AS item_id, md5('w' || n % 3) AS warehouse_id, (n % 1000 * 1000)::BIGINT AS quantity, uuid()::VARCHAR AS event_id
FROM (SELECT n, $measures[1 + n % len($measures)] AS "measure", $begin::TIMESTAMPTZ + n * $step::DOUBLE * INTERVAL 1 MICROSECOND AS "at"
      FROM range($rows) made(n))
ORDER BY "measure", "at"
"""


def _fill(lake: Lake, tenant: Any, rows: int) -> None:
    step = timedelta(days=730) / timedelta(microseconds=1) / rows
    values = {"people": PEOPLE, "customers": CUSTOMERS, "measures": sorted(get_args(Measure)), "begin": BEGIN}
    with tempfile.TemporaryDirectory() as room, duckdb.connect(config={"temp_directory": room}) as maker:
        schema: Any = MOVEMENTS.schema
        made: Any = maker.sql(_MADE, params={**values, "step": step, "rows": rows})

        def batches() -> Iterator[RecordBatch]:
            for batch in RecordBatchReader.from_arrow(made):
                yield RecordBatch.from_arrays(
                    [column.cast(field.type) for column, field in zip(batch.columns, schema, strict=True)],
                    schema=schema,
                )

        lake.append(tenant, 1, batches, whole=True)


def _megabytes(seen: Snapshot) -> int:
    return sum(Path(file).stat().st_size for file in seen.files) // 2**20


def _questions() -> dict[str, Question]:
    sales, tasks = sorted(SALES.measures - STANDING), sorted(TASKS.measures - STANDING)
    months = [datetime(2025 + month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in range(25)]
    days, quarters = [BEGIN + timedelta(days=day) for day in range(366)], months[::3]
    every, ends = sorted(get_args(Measure)), [months[0], months[-1]]
    past = datetime(2026, 3, 1, tzinfo=UTC)
    return {
        "sales, two years, company": Question(measures=sales, bounds=ends, by_currency=True),
        "sales, two years by month, company": Question(measures=sales, bounds=months, by_currency=True),
        "sales, two years by quarter, person": Question(
            measures=sales, bounds=quarters, key="owner_id", by_currency=True
        ),
        "sales, two years by month, person": Question(measures=sales, bounds=months, key="owner_id", by_currency=True),
        "sales, a year by day, company": Question(measures=sales, bounds=days, by_currency=True),
        "sales, two years, customer": Question(measures=sales, bounds=ends, key="customer_id", by_currency=True),
        "tasks, two years by month, priority, as of a day": Question(
            measures=tasks, bounds=months, key="label", known=past
        ),
        "everything, two years by month": Question(measures=every, bounds=months, by_currency=True),
        "what stands, all of time": Question(measures=sorted(STANDING), known=past, due=past, by_currency=True),
    }


async def _measure(rows: int) -> dict[str, Any]:
    figures: dict[str, dict[str, float]] = {}
    folder = tempfile.mkdtemp(prefix="tailrace-wide-")
    try:
        lake, tenant = Lake(Settings(storage=folder)), uuid7()
        began = time.monotonic()
        _fill(lake, tenant, rows)
        seen = lake.snapshot(tenant)
        assert seen is not None
        assert seen.rows == rows
        size = _megabytes(seen)
        print(
            f"{rows} movements, {size} MB in {time.monotonic() - began:.0f} s; load {os.getloadavg()[0]:.1f}",
            flush=True,
        )
        engine, load = Engine(lake), os.getloadavg()[0]
        for what, question in _questions().items():
            clock: list[float] = []
            processor: list[float] = []
            for _ in range(ROUNDS + 1):
                began, worked = time.perf_counter(), time.process_time()
                found = await engine.snapshot(tenant, newest=True)
                assert found is not None
                answer = await engine.ask(found, question, MOST_SUMS + 1)
                clock.append((time.perf_counter() - began) * 1000)
                processor.append((time.process_time() - worked) * 1000)
            p95 = statistics.quantiles(clock[1:], n=20)[-1]
            figures[what] = {
                "rows": len(answer),
                "first ms": round(clock[0], 1),
                "p50 ms": round(statistics.median(clock[1:]), 1),
                "p95 ms": round(p95, 1),
                "processor ms": round(statistics.median(processor[1:]), 1),
            }
            print(
                f"{what:50} rows {len(answer):6}  first {clock[0]:6.0f}  median {statistics.median(clock[1:]):6.0f}  "
                f"p95 {p95:6.0f}  on processor {statistics.median(processor[1:]):6.0f}",
                flush=True,
            )
        print(f"load {os.getloadavg()[0]:.1f}")
    finally:
        shutil.rmtree(folder)
    widest = max(each["p50 ms"] for each in figures.values() if each["rows"] <= MOST_SUMS)
    return {"n": rows, "load before": round(load, 1), "MB": size, "figures": figures, "widest ms": widest}


if __name__ == "__main__":
    asked = options(__doc__, 5_000_000)
    keep(asked, asyncio.run(_measure(asked.size)))
