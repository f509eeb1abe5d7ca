"""Each process dies with requests in flight, and every accepted order still has its effects exactly once."""

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from itertools import count

import pytest
from company import Company, dead_letters

from tailrace.runtime.fleet import load_services
from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import Gateway, eventually

_FLEET = [*(service.name for service in load_services()), "fleet"]
_TRADE = ["gateway", "identity", "catalog", "orders", "inventory", "shipping", "accounting"]
"""What an order passes through dies one after the other; whoever only hears of it, all at once."""
_WORKERS = 5
_MORE = 6
"""Orders accepted and shipped between one death and the next: more than there are workers, so each has seen the one that came back."""


async def test_killed_under_load(fleet: Stack, gateway: Gateway) -> None:
    others = [name for name in _FLEET if name not in {*_TRADE, "fleet"}]
    await _killed_in_turn([*([name] for name in _TRADE), others, ["fleet"]], fleet, gateway)


@pytest.mark.embedded("pauses or kills PostgreSQL, Kafka or Connect")
async def test_what_they_stand_on_is_killed_under_load(fleet: Stack, gateway: Gateway) -> None:
    await _killed_in_turn([["connect"], ["kafka"], ["postgres"]], fleet, gateway)


async def _killed_in_turn(turns: Sequence[Sequence[str]], fleet: Stack, gateway: Gateway) -> None:
    company, shipped = await Company.found(gateway), set[str]()
    numbers, over = count(), asyncio.Event()

    async def work() -> None:
        while not over.is_set():
            order = await company.order(1 + next(numbers) % 7)
            await company.ship(order["id"])
            shipped.add(order["id"])

    async def progress() -> int:
        return len(shipped)

    async def pids() -> dict[str, int]:
        return fleet.pids()

    def at_least(wanted: int) -> Callable[[int], bool]:
        return lambda done: done >= wanted

    def replaced(killed: dict[str, int]) -> Callable[[dict[str, int]], bool]:
        return lambda found: all(found.get(victim, pid) != pid for victim, pid in killed.items())

    async with asyncio.TaskGroup() as trading:
        for _ in range(_WORKERS):
            trading.create_task(work())
        for victims in turns:
            names = " and ".join(victims)
            await eventually(progress, at_least(len(shipped) + _MORE), what=f"trade before {names} dies")
            killed = {victim: fleet.pids()[victim] for victim in victims}
            for pid in killed.values():
                os.kill(pid, signal.SIGKILL)
            await eventually(pids, replaced(killed), what=f"a new {names}")
        await eventually(progress, at_least(len(shipped) + _MORE), what="trade after the last death")
        over.set()
    await company.settled(fleet)
    assert await dead_letters(fleet, company) == []
    await eventually(pids, lambda found: set(found) >= {*_FLEET, *fleet.plan.own}, what="all of them")
