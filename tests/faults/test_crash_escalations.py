"""Steps of approvals fall due while everything is down: who comes back dies at each step of an escalation, and two go on. Each escalates once."""

from contextlib import AsyncExitStack
from typing import Any

from asking import free_port, listens
from failpoints import Failpoint
from forkserver import ForkServer, Life

from contracts.users import TenantCreated, UserCreated
from tailrace.core.ids import uuid7
from tailrace_testing import Harness, MakeHarness
from tailrace_testing.gateway import eventually
from workflow.service import service

_TIMERS = "tailrace.messaging.timers:"
DEATHS: tuple[tuple[Failpoint, int], ...] = (
    (Failpoint(f"{_TIMERS}TimerRunner._take", "after", nth=2), 1),
    (Failpoint("workflow.timers:meant", "after", nth=2), 2),
    (Failpoint("workflow.models:Approval.escalate", "after", nth=2), 3),
    (Failpoint(f"{_TIMERS}Timer.fire", "after", nth=2), 4),
    (Failpoint(f"{_TIMERS}_Firing.consume", "after", nth=2), 5),
    (Failpoint(f"{_TIMERS}TimerRunner._fire_one", "after", nth=2), 7),
)
"""Where one after the other dies, at its second escalation, and how many are committed by then: taken, looked up whom, changed, recorded, its row
gone, committed."""
APPROVALS = 9


async def _office(h: Harness) -> None:
    """A company with somebody to ask, somebody to escalate to, and approvals that wait."""
    joined = TenantCreated(tenant_id=h.tenant, slug="acme", name="Acme Ltd", currency="EUR")
    await h.deliver(joined, aggregate_id=h.tenant)
    for name, role in (("max", "manager"), ("ada", "admin")):
        id = uuid7()
        told = UserCreated(user_id=id, email=f"{name}@acme.example", name=name.title(), roles=[role])
        await h.deliver(told, aggregate_id=id)


async def _ask(client: Any, number: int) -> None:
    answer = await client.post("/v1/approvals", json={"title": f"Forklift {number}"})
    assert answer.status_code == 201, answer.text


async def _escalations(h: Harness) -> list[int]:
    rows = await h.admin.fetch(
        "SELECT count(*) FROM outbox WHERE type = 'approval.escalated' GROUP BY aggregate_id ORDER BY aggregate_id"
    )
    return [row["count"] for row in rows]


async def _escalated_rows(h: Harness) -> int:
    """By what the approvals' steps say themselves."""
    return int(await h.admin.fetchval("SELECT count(*) FROM task WHERE escalated_at IS NOT NULL"))


async def test_what_fell_due_while_everything_was_down_escalates_once_after_the_start(
    make_harness: MakeHarness, forkserver: ForkServer, keys_url: str
) -> None:
    h = await make_harness(service)
    await _office(h)
    settings: dict[str, Any] = {"database_url": h.settings.database_url, "jwks_url": keys_url, "log_level": "ERROR"}
    async with AsyncExitStack() as stack:

        async def start(*points: Failpoint) -> Life:
            port = free_port()
            life = forkserver.start("serve", points, service="workflow", settings=settings, port=port)
            stack.push_async_callback(life.kill)
            await listens(port)
            return life

        first = await start()
        for number in range(APPROVALS):
            await _ask(h.client, number)
        await first.kill()
        assert await _escalations(h) == []
        # The days pass while nothing runs.
        await h.admin.execute("UPDATE task SET due_at = due_at - interval '30 days'")
        await h.make_timers_due()
        # One at a time: another beside it might leave it fewer than it dies at.
        for point, committed in DEATHS:
            dying = await start(point)
            await dying.struck()
            assert await _escalations(h) == [1] * committed, point
            assert await _escalated_rows(h) == committed, point
        # The two take turns at what they left.
        await start()
        await start()
        wanted = [1] * APPROVALS
        assert await eventually(lambda: _escalations(h), lambda now: now == wanted, what="each escalated") == wanted
        due_now = "SELECT count(*) FROM timer WHERE due_at <= now()"
        await eventually(lambda: h.admin.fetchval(due_now), lambda left: left == 0, what="nothing left to fire")
        assert (await _escalations(h), await _escalated_rows(h)) == (wanted, APPROVALS)
