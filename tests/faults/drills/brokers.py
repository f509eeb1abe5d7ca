"""`make drill DRILL=brokers`: several of each, of which one is killed again and again while companies trade.

Three brokers with three copies of everything, two Connect workers in one group, a PostgreSQL with a standby that each commit waits for. Thirty
times a broker, a worker or the primary is killed; a primary is gone for good, and its standby takes its place. The traffic and the checks are
those of `make faults`: at the end every figure is what the log of requests says, and outboxes and topics are equal.
"""

import argparse
import asyncio
import random
import statistics
import time
from collections import defaultdict
from pathlib import Path

from mix import report
from mix.checks import judge
from mix.client import RequestLog
from mix.faults import Nemesis
from mix.nemeses import Fault
from mix.run import Outcome, Plan, run
from mix.topics import Topics
from rich.console import Console

from drills.cluster import BROKERS, SETTINGS, WORKERS, Cluster
from drills.stage import Figures, folder_of_its_own, stack_in
from tailrace.stack.embedded import Stack

PRIMARY = "primary"
_EACH = {**{f"kafka-{number}": 4 for number in BROKERS}, **{f"connect-{number}": 5 for number in WORKERS}, PRIMARY: 8}
"""How often each is killed."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=1, help="decides everything that is random")
    options.add_argument("--events", type=int, default=4000, help="events that must come about, at the least")
    options.add_argument("--kills", type=int, help="so many of them alone")
    chosen, figures = options.parse_args(), Figures()
    faults = kills(chosen.seed)[: chosen.kills]
    plan = Plan(chosen.seed, chosen.events, len(faults), companies=2, workers=4)
    with folder_of_its_own("brokers") as folder:
        outcome = asyncio.run(_drill(folder, plan, faults, figures))
        checks = judge(outcome.evidence)
        report.show(Console(), outcome, checks)
        _tell(outcome, figures)
        if not all(check.holds for check in checks):
            raise SystemExit("something is lost or doubled")
    figures.say("It came right.")


def kills(seed: int) -> list[Fault]:
    """Thirty, in an order that the seed decides."""
    victims = [name for name, times in _EACH.items() for _ in range(times)]
    random.Random(f"{seed}/kills").shuffle(victims)
    return [Fault(number, "kill", victim, 0, False, "") for number, victim in enumerate(victims)]


class Strikes(Nemesis):
    """Kills parts of a cluster, and does what keeps it one: promotes the standby, and copies another."""

    def __init__(self, cluster: Cluster, figures: Figures, stack: Stack, topics: Topics, tenants: list[str]) -> None:
        super().__init__(stack, topics, tenants)
        self._cluster, self._figures = cluster, figures
        self._copying: asyncio.Task[None] | None = None

    async def inflict(self, fault: Fault) -> None:
        if fault.victim == PRIMARY:
            await self._fail_over()
        else:
            await self._cluster.kill(fault.victim)
        self.done.counts[str(fault)] += 1

    async def heal(self) -> None:
        await self._copied()

    async def _fail_over(self) -> None:
        await self._copied()
        began = time.monotonic()
        await self._cluster.postgres.in_step()
        waited = time.monotonic() - began
        await self._cluster.postgres.lose_primary()
        await self._cluster.postgres.promote()
        took = time.monotonic() - began - waited
        self._figures.say(
            f"after {waited:.1f} s the slots were on the standby; promoted and there {took:.1f} s after the kill"
        )
        self._copying = asyncio.create_task(self._cluster.postgres.follow())

    async def _copied(self) -> None:
        if self._copying is not None:
            await self._copying


async def _drill(folder: Path, plan: Plan, faults: list[Fault], figures: Figures) -> Outcome:
    async with Cluster(folder) as cluster:
        figures.say("three brokers, two workers, a PostgreSQL and its standby run")
        async with stack_in(folder, cluster.external, **SETTINGS) as stack:
            figures.say("a fleet runs on them")

            def breaker(stack: Stack, topics: Topics, tenants: list[str]) -> Nemesis:
                return Strikes(cluster, figures, stack, topics, tenants)

            return await run(stack, plan, RequestLog(folder / "requests.jsonl"), figures.say, faults, breaker)


def _tell(outcome: Outcome, figures: Figures) -> None:
    """How long each sort of kill was felt: until an order that was placed after it had gone all the way."""
    by_sort = defaultdict[str, list[float]](list)
    for fault, took in zip(outcome.faults, outcome.recoveries, strict=True):
        by_sort[fault.victim.partition("-")[0]].append(took)
    for sort, times in sorted(by_sort.items()):
        figures.say(f"{sort}: {len(times)} kills, p50 {statistics.median(times):.1f} s, longest {max(times):.1f} s")


if __name__ == "__main__":
    main()
