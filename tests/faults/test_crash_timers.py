"""Due timers fire once: two processes race for them, and one dies with a timer in its hands."""

from functools import partial
from typing import Any

import pytest
from crash_toy import reminder
from failpoints import Failpoint

from tailrace.core.ids import uuid7
from tailrace_testing import Harness
from tailrace_testing.gateway import eventually

TIMERS = 12
DEATHS = {
    "taken": Failpoint("tailrace.messaging.timers:TimerRunner._take", "after", nth=3),
    "fired, its row still there": Failpoint("tailrace.messaging.timers:Timer.fire", "after", nth=3),
    "fired, not committed": Failpoint("tailrace.messaging.timers:_Firing.consume", "after", nth=3),
    "committed": Failpoint("tailrace.messaging.timers:TimerRunner._fire_one", "after", nth=3),
}


async def _set(toy: Harness) -> list[str]:
    keys = [uuid7() for _ in range(TIMERS)]
    async with toy.tx() as tx:
        for key in keys:
            await reminder.set(tx, key, await toy.admin.fetchval("SELECT now() - interval '1 second'"))
    return sorted(f"remember {key}" for key in keys)


async def _fired(toy: Harness) -> list[str]:
    rows = await toy.admin.fetch("SELECT payload::json ->> 'text' AS text FROM outbox WHERE type = 'note.written'")
    return sorted(row["text"] for row in rows)


async def _left(toy: Harness) -> int:
    return int(await toy.admin.fetchval("SELECT count(*) FROM timer"))


@pytest.mark.parametrize("where", DEATHS)
async def test_two_race_and_one_dies(where: str, toy: Harness, running: Any) -> None:
    due = await _set(toy)
    async with running(DEATHS[where]) as (life, _), running():
        await life.struck()
        await eventually(lambda: _left(toy), lambda left: left == 0, what="no timer left")
        assert await _fired(toy) == due


async def test_what_one_holds_the_other_passes_over_and_fires_when_the_first_is_dead(
    toy: Harness, running: Any
) -> None:
    due = await _set(toy)
    async with running(Failpoint("tailrace.messaging.timers:Timer.fire", "after", does="hang")) as (life, _):
        # Nobody else fires until this one holds its timer.
        await _held(toy)
        async with running():
            await eventually(lambda: _fired(toy), lambda fired: len(fired) == TIMERS - 1, what="all but the one held")
            assert await _left(toy) == 1
            await life.kill()
            await eventually(lambda: _left(toy), lambda left: left == 0, what="no timer left")
    assert await _fired(toy) == due


async def _held(toy: Harness) -> None:
    query = "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database WHERE locktype = 'advisory' AND datname = $1"
    locks = partial(toy.admin.fetchval, query, toy.database_name)
    await eventually(locks, lambda count: count == 1, what="one timer in hand")
