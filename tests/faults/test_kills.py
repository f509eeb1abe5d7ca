"""Any one process dies with requests in flight, and every accepted order still has its effects exactly once."""

import asyncio
import os
import signal

import pytest
from company import Company, dead_letters, trade

from tailrace.runtime.fleet import load_services
from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import Gateway, eventually

_FLEET = [*(service.name for service in load_services()), "fleet"]
_EMBEDDED = pytest.mark.embedded("pauses or kills PostgreSQL, Kafka or Connect")
_PARTS = [pytest.param(name, marks=_EMBEDDED) for name in ("connect", "kafka", "postgres")]


@pytest.mark.parametrize("victim", [*_FLEET, *_PARTS])
async def test_killed_under_load(victim: str, fleet: Stack, gateway: Gateway) -> None:
    company = await Company.found(gateway)
    busy = asyncio.Event()
    trading = asyncio.create_task(trade(company, orders=30, workers=5, halfway=busy))
    await asyncio.wait([asyncio.create_task(busy.wait()), trading], return_when=asyncio.FIRST_COMPLETED)
    if not busy.is_set():
        await trading
        pytest.fail("the trade ended before it was half way")
    pid = fleet.pids()[victim]
    os.kill(pid, signal.SIGKILL)
    await trading
    await company.settled(fleet)
    assert await dead_letters(fleet, company) == []

    async def pids() -> dict[str, int]:
        return fleet.pids()

    now = await eventually(pids, lambda found: found.get(victim, pid) != pid, what=f"a new {victim}")
    assert set(now) >= {*_FLEET, *fleet.plan.own}
