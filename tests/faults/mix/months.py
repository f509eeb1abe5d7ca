"""The month of two companies (`tests/support/month`) while processes die: services, the fleet, Kafka, Connect and PostgreSQL are killed and paused
meanwhile, and it ends as its requests say, as if nothing had been.
"""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from company import dead_letters_of
from month.checks import check, ensure_all_of_it
from month.firms import found_both
from month.trading import Trading
from quiescence import quiescent

from mix.faults import Nemesis
from mix.nemeses import INFRASTRUCTURE, Fault, schedule
from mix.topics import Topics
from tailrace.stack.embedded import Stack
from tailrace.stack.layout import HOST
from tailrace.stack.plan import service_names
from tailrace_testing.gateway import Gateway, eventually

KINDS = ("kill", "strike", "pause")
BETWEEN = 6
"""Accepted requests between two faults, so that each has traffic to meet."""
CALLBACKS = "PARTNER_SECRET_CARRIER_CALLBACKS"
_LONG = 3600.0
_SPARED = {"stubs"}
"""What stands for the carrier: what it was told by the month is no state of the product."""


@dataclass
class MonthOutcome:
    """What a month came to. Times in seconds."""

    seed: int
    days: int
    requests: int = 0
    """Accepted, of which the reckoning knows."""
    figures: int = 0
    """That agree."""
    trading: float = 0.0
    faults: list[Fault] = field(default_factory=list)

    def __str__(self) -> str:
        kinds = Counter(fault.victim if fault.kind == "strike" else fault.kind for fault in self.faults)
        struck = ", ".join(f"{name} {many}" for name, many in sorted(kinds.items()))
        return (
            f"Seed {self.seed}, a month of {self.days} days: {self.requests:,} requests in {self.trading:.0f} s, "
            f"{len(self.faults)} faults ({struck}); {self.figures:,} figures agree."
        )


def planned(seed: int) -> Iterator[Fault]:
    """One fault after another, without end; the seed alone decides which."""
    services = [name for name in service_names() if name not in _SPARED]
    for round_ in range(seed, 10**9, 1_000):
        yield from (each for each in schedule(round_, 900, services, services) if each.kind in KINDS)


async def run(stack: Stack, seed: int, days: int, folder: Path, say: Callable[[str], None]) -> MonthOutcome:
    """The log of each company's requests is written to a folder. Raises AssertionError with the first figure that is wrong."""
    outcome = MonthOutcome(seed, days)
    async with Gateway(stack.gateway_url, stack.supervisor.credentials.operator) as gateway:
        firms = await found_both(
            gateway, f"http://{HOST}:{stack.plan.ports.services['stubs']}", stack.environment[CALLBACKS]
        )
        for firm in firms:
            await quiescent(stack, firm.member.tenant_id)
        months = [Trading(firm, random.Random(at)) for at, firm in enumerate(firms, seed)]
        began = time.monotonic()
        trading = asyncio.gather(*[month.run(days) for month in months])
        nemesis = Nemesis(stack, Topics(stack.kafka, set()), [firm.member.tenant_id for firm in firms])
        trouble = asyncio.create_task(_trouble(nemesis, months, outcome, say))
        try:
            await trading
        finally:
            trouble.cancel()
            await asyncio.wait([trouble])
            for month in months:
                lines = [json.dumps(each) + "\n" for each in month.log]
                (folder / f"requests-{month.firm.kind.country}.jsonl").write_text("".join(lines))
        if not trouble.cancelled():
            trouble.result()
        outcome.trading = time.monotonic() - began
        outcome.requests = _accepted(months)
        ensure_all_of_it(months)
        say(f"Trade ended after {outcome.trading:.0f} s; waiting until it is quiet …")
        for name in (*INFRASTRUCTURE, *service_names()):
            await nemesis.pid(name)
        for month in months:
            await quiescent(stack, month.firm.member.tenant_id)
            outcome.figures += await check(month, days)
            assert await dead_letters_of(stack, month.firm.member.tenant_id) == []
    return outcome


def _accepted(months: list[Trading]) -> int:
    return sum(len(month.log) for month in months)


def _counted(months: list[Trading]) -> Callable[[], Awaitable[int]]:
    async def count() -> int:
        return _accepted(months)

    return count


async def _trouble(nemesis: Nemesis, months: list[Trading], outcome: MonthOutcome, say: Callable[[str], None]) -> None:
    """The next fault comes when the companies have gone on after the last one."""
    for fault in planned(outcome.seed):
        enough = _accepted(months) + BETWEEN
        await eventually(_counted(months), enough.__le__, within=_LONG, what="traffic")
        outcome.faults.append(fault)
        say(f"{enough:>7,} requests  {fault}")
        await nemesis.inflict(fault)
