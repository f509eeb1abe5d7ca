"""Time on a processor, which a busy machine disturbs less than time that passes."""

import time
from pathlib import Path

from tailrace_testing.harness import Harness


async def on_processor(harness: Harness) -> tuple[float, float]:
    """How long PostgreSQL's processes for the service, and this process, have been on a processor, in ms."""
    query = "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE 'tailrace-%'"
    pids = [row["pid"] for row in await harness.admin.fetch(query, harness.database_name)]
    return sum(map(_of, pids)), time.process_time() * 1000


def _of(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6
