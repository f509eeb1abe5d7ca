"""One fleet from its cold start to its last stop. Each step stands for itself: what fails is told in its place, and the others go on."""

import asyncio
import json
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from mix.client import Session, User

from measure import attacks, latency, machine, news, use, views
from measure.installation import Installation
from measure.usage import Figures, busiest, difference
from measure.workspace import Workspace
from tailrace.runtime.fleet import load_services

Results = dict[str, Any]
Keep = Callable[[Results], None]
_CALM = 20.0
"""Seconds after a start until what belongs to the start is over."""


@dataclass(frozen=True)
class Plan:
    """Seconds of each rate, and of looking at the idle fleet; everything random in it follows from the seed."""

    services: int
    seconds: float
    idle: float
    seed: int
    trade: bool
    """Whether orders and projections are measured too; they do not depend on the size of the fleet."""
    steps: frozenset[str] = frozenset()
    """Which steps are taken of those that a running fleet is asked for; all, when none is named."""
    rounds: int = 200
    """How often each view is asked for."""


class Run:
    """`keep` is handed the results after each step, so that a run that is cut off leaves what it had."""

    def __init__(self, plan: Plan, folder: Path, say: Callable[[str], None], keep: Keep) -> None:
        self._plan, self._folder, self._say, self._keep = plan, folder, say, keep
        self.results: Results = {"services": plan.services}
        self._idle: Figures = {}

    async def run(self) -> Results:
        """Raises what goes wrong before the fleet is up; it is down afterwards, whatever happened."""
        own = len(load_services())
        self._say(f"{self._plan.services} services, {self._plan.services - own} of them generated")
        workspace = await self._timed("generate", lambda: Workspace(self._folder / "work", self._plan.services - own))
        self.results["generate"]["generated"] = len(workspace.generated)
        installation = Installation(workspace, self._folder / "data")
        try:
            await self._start(installation)
            await self._look(installation)
        finally:
            await self._timed("stop", installation.down)
        return self.results

    async def _start(self, installation: Installation) -> None:
        await self._timed("cold start", installation.up)
        await self._step("commit timestamps", lambda: _keep_commit_times(installation))
        await self._timed("stop after cold start", installation.down)
        await self._timed("warm start", installation.up)

    async def _look(self, installation: Installation) -> None:
        plan, processes = self._plan, installation.processes
        self.results["versions"] = await machine.versions(installation.postgres, installation.connect)
        sized = installation.settings
        names = (
            "poll_interval_ms",
            "heartbeat_ms",
            "consumer_wait_ms",
            "consumer_gather_ms",
            "look_every",
            "redrive_every",
            "database_pool",
        )
        self.results["settings"] = {name: getattr(sized, name) for name in names}
        async with use.session(installation, self._folder) as (asking, operator):
            if plan.steps:
                await self._some(asking, operator, installation)
                return
            await self._step("visit", lambda: use.visit_everyone(asking, operator, installation))
            await self._step("idle", lambda: self._rest(installation))
            idle_memory = processes.memory()
            self.results["memory"] = {"idle MiB": idle_memory}
            await self._step("news", lambda: news.measure(asking, operator, installation, plan.seed, self._say))
            await self._step(
                "latency", lambda: latency.measure(installation, plan.seconds, self._idle, plan.seed, self._say)
            )
            if plan.trade:
                seconds = plan.seconds / 2
                await self._step(
                    "requests", lambda: use.single_requests(asking, operator, installation, seconds / 3, self._idle)
                )
                await self._step(
                    "orders",
                    lambda: use.accepted_orders(
                        asking, operator, installation, seconds, plan.seed, self._idle, self._say
                    ),
                )
                await self._step("views", lambda: views.measure(asking, operator, plan.rounds, plan.seed, self._say))
                await self._step("attacks", lambda: self._attack(asking, operator, installation, seconds))
                await self._step("projections", lambda: _projections(installation, seconds / 4))
        self.results["memory"]["after load MiB"] = processes.memory()
        self.results["started again"] = processes.restarts()
        self._keep(self.results)

    async def _some(self, asking: Session, operator: User, installation: Installation) -> None:
        """The steps that stand by themselves: attacks, news, and views by GraphQL beside REST."""
        plan = self._plan
        known: dict[str, Callable[[], Awaitable[Any]]] = {
            "attacks": lambda: self._attack(asking, operator, installation, plan.seconds),
            "news": lambda: news.measure(asking, operator, installation, plan.seed, self._say),
            "views": lambda: views.measure(asking, operator, plan.rounds, plan.seed, self._say),
        }
        for name in sorted(plan.steps):
            await self._step(name, known[name])
        self.results["started again"] = installation.processes.restarts()
        self._keep(self.results)

    async def _attack(self, asking: Session, operator: User, installation: Installation, seconds: float) -> Results:
        at = f"/v1/{installation.workspace.generated[0].service}"
        victim, viewer = await use.customer(asking, operator), await use.viewer(asking, operator)
        return await attacks.measure(asking, installation.gateway, victim, viewer, at, seconds, self._say)

    async def _rest(self, installation: Installation) -> Results:
        """CPU of a fleet that nobody uses, in cores, by part; and by kind of thread, of the two programs that use most."""
        self._say(f"idle for {_CALM + self._plan.idle:g} s")
        await asyncio.sleep(_CALM)
        processes = installation.processes
        threads, before, began = processes.threads(), processes.cpu(), time.monotonic()
        await asyncio.sleep(self._plan.idle)
        lasted = time.monotonic() - began
        self._idle = difference(before, processes.cpu(), per=lasted)
        return {
            "seconds": round(lasted, 1),
            "cores": self._idle,
            "threads": busiest(threads, processes.threads(), per=lasted),
        }

    async def _timed(self, name: str, work: Callable[[], Any]) -> Any:
        """Work in a thread; what it returns. Raises what it raises."""
        self._say(f"{name} …")
        began = time.monotonic()
        done = await asyncio.to_thread(work)
        self.results[name] = {"seconds": round(time.monotonic() - began, 1)}
        self._say(f"{name}: {self.results[name]['seconds']} s")
        self._keep(self.results)
        return done

    async def _step(self, name: str, work: Callable[[], Awaitable[Any]]) -> None:
        try:
            self.results[name] = await work()
        except Exception as error:
            trace = traceback.format_exc()
            (self._folder / f"{name}.error").write_text(trace)
            self.results[name] = {"error": f"{type(error).__name__}: {error}"[:500]}
            self._say(f"{name} failed: {self.results[name]['error']}")
        self._keep(self.results)


async def _keep_commit_times(installation: Installation) -> Results:
    """PostgreSQL remembers when each transaction was committed; from its next start on."""
    connection = await asyncpg.connect(installation.postgres)
    try:
        await connection.execute("ALTER SYSTEM SET track_commit_timestamp = on")
    finally:
        await connection.close()
    return {"track_commit_timestamp": "on"}


async def _projections(installation: Installation, seconds: float) -> Results:
    sandbox, service = installation.workspace.sandbox, installation.workspace.generated[0].service
    settings = {**installation.environment, "PYTHONPATH": "tests/bench:tests/support"}
    said = await asyncio.to_thread(sandbox.python, "-m", "measure.projections", service, str(seconds), **settings)
    found: Results = json.loads(said.strip().splitlines()[-1])
    return found
