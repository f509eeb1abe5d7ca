"""Processes that run a schedule race, and one dies at each step, or all were down: each occurrence is run once."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from crash_toy import hourly
from failpoints import Failpoint

from tailrace.messaging.schedules import Settled
from tailrace_testing import Harness
from tailrace_testing.gateway import eventually

DEATHS = {
    "taken": Failpoint("tailrace.messaging.timers:TimerRunner._take", "after"),
    "run, not set again": Failpoint("tailrace.messaging.timers:Timer.set", "before"),
    "set again, not committed": Failpoint("tailrace.messaging.timers:Timer.fire", "after"),
    "committed": Failpoint("tailrace.messaging.timers:TimerRunner._fire_one", "after"),
}


async def _ran(toy: Harness) -> list[str]:
    rows = await toy.admin.fetch("SELECT payload::json ->> 'text' AS text FROM outbox WHERE type = 'note.written'")
    return sorted(row["text"] for row in rows)


@pytest.mark.parametrize("where", DEATHS)
async def test_two_race_and_one_dies_after_everything_was_down(where: str, toy: Harness, running: Any) -> None:
    now = await toy.admin.fetchval("SELECT now()")
    async with toy.tx() as tx:
        # Down since three days, in which its time came seventy-two times.
        await hourly.timer.set(tx, tx.tenant_id, now, Settled(after=now - timedelta(days=3)))
    async with running(DEATHS[where]) as (life, _), running():
        await life.struck()
        await eventually(lambda: _settled(toy), lambda settled: settled > now - timedelta(hours=2), what="settled")
    last = now.replace(minute=5, second=0, microsecond=0)
    last -= timedelta(hours=1) if last > now else timedelta()
    assert await _ran(toy) == [f"hour {last:%H:%M}"]


async def _settled(toy: Harness) -> datetime:
    return datetime.fromisoformat(await toy.admin.fetchval("SELECT payload ->> 'after' FROM timer_payload"))
