"""A process of activities announces what is due and makes the next of each series, and dies at it; another goes on: each is said, and made, once."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asking import free_port, listens
from failpoints import Failpoint
from forkserver import ForkServer, Life

from activities.service import service
from tailrace_testing import Harness, MakeHarness
from tailrace_testing.gateway import eventually

TASKS = 6
DEATHS = {
    "announced, its row still there": Failpoint("tailrace.messaging.timers:Timer.fire", "after", nth=3),
    "announced, not committed": Failpoint("tailrace.messaging.timers:_Firing.consume", "after", nth=3),
    "committed": Failpoint("tailrace.messaging.timers:TimerRunner._fire_one", "after", nth=3),
}


async def _counts(h: Harness) -> dict[str, list[int]]:
    """How often each was announced, and how many there are of each series."""
    said = "SELECT count(*) FROM outbox WHERE type = 'task.due_soon' GROUP BY aggregate_id"
    made = "SELECT count(*) FROM task WHERE series_id IS NOT NULL GROUP BY series_id"
    return {
        name: [row["count"] for row in await h.admin.fetch(query)] for name, query in (("said", said), ("made", made))
    }


@pytest.mark.parametrize("where", DEATHS)
async def test_each_is_announced_once_and_followed_once(
    where: str, make_harness: MakeHarness, forkserver: ForkServer, keys_url: str
) -> None:
    h = await make_harness(service)
    # Week by week: of a day later the next one would be due soon as well.
    due = datetime.now(UTC) + timedelta(hours=1)
    for number in range(TASKS):
        body = {"title": f"Task {number}", "due_at": due.isoformat(), "recurrence": {"rule": "FREQ=WEEKLY"}}
        assert (await h.client.post("/v1/tasks", json=body)).status_code == 201
    # The hour has passed, while nothing ran.
    await h.admin.execute("UPDATE task SET due_by = due_by - interval '2 hours', due_at = due_at - interval '2 hours'")
    await h.admin.execute("UPDATE task SET series_began_at = due_at")
    await h.make_timers_due()
    settings: dict[str, Any] = {"database_url": h.settings.database_url, "jwks_url": keys_url, "log_level": "ERROR"}
    settings["storage"] = h.settings.storage
    async with AsyncExitStack() as stack:

        async def start(*points: Failpoint) -> Life:
            port = free_port()
            life = forkserver.start("serve", points, service="activities", settings=settings, port=port)
            stack.push_async_callback(life.kill)
            await listens(port)
            return life

        dying = await start(DEATHS[where])
        await dying.struck()
        # Not beside it: it might leave the first fewer than it dies at.
        await start()
        wanted = {"said": [1] * TASKS, "made": [2] * TASKS}
        assert await eventually(lambda: _counts(h), lambda counts: counts == wanted, what="all said and made") == wanted
        due_now = "SELECT count(*) FROM timer WHERE due_at <= now()"
        await eventually(lambda: h.admin.fetchval(due_now), lambda left: left == 0, what="nothing left to fire")
        assert await _counts(h) == wanted
