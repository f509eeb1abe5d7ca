"""One run: traffic and faults by the plan, the wait for the end, the evidence. What a fault costs is told by an order placed after it."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import aiohttp

from mix import quiet, trade
from mix.client import RequestLog, Session
from mix.databases import Databases, DeadLetter
from mix.evidence import Evidence, look, outside
from mix.faults import Nemesis
from mix.nemeses import Fault, schedule
from mix.plans import Firm, Job, firms, jobs, probes
from mix.setup import Shop, found
from mix.topics import Topics
from tailrace.stack.embedded import Stack
from tailrace.stack.plan import service_names

WITHOUT_DATABASE = {"gateway", "stubs"}
WITHOUT_GROUP = {"gateway", "identity", "stubs"}
_UNDER_WAY = 0.3
"""The part of a fault's share of jobs that is done when the fault comes."""


@dataclass(frozen=True)
class Plan:
    """The size of a run. Everything random in it follows from the seed; when exactly a fault meets a request does not."""

    seed: int
    events: int
    faults: int
    companies: int = 3
    workers: int = 8
    """Jobs of one company that are under way at once."""


SHORT = tuple(Plan(seed, 700, 9, companies=2, workers=6) for seed in (3, 9, 11))
"""Mixes of a minute or so. Each has every sort of fault, and together they strike Connect, Kafka and PostgreSQL."""


@dataclass
class Outcome:
    """What a run came to. Times in seconds."""

    plan: Plan
    evidence: Evidence
    events: int = 0
    jobs: int = 0
    requests: int = 0
    trading: float = 0.0
    settling: float = 0.0
    faults: list[Fault] = field(default_factory=list)
    recoveries: list[float] = field(default_factory=list)
    """By fault: until an order that was placed after it had been reserved, shipped, issued and booked."""
    versions: dict[str, str] = field(default_factory=dict)


Say = Callable[[str], None]
Breaker = Callable[[Stack, Topics, list[str]], Nemesis]


async def run(
    stack: Stack,
    plan: Plan,
    log: RequestLog,
    say: Say,
    faults: Sequence[Fault] | None = None,
    breaker: Breaker = Nemesis,
) -> Outcome:
    """`faults` instead of those that the plan's seed chooses, and `breaker` inflicts them.

    Raises AssertionError, RefusedError or TimeoutError when it does not come to an end that could be judged."""
    planned = firms(plan.seed, plan.companies)
    work = jobs(plan.seed, planned, plan.events)
    services = service_names()
    consumers = [name for name in services if name not in WITHOUT_GROUP]
    faults = schedule(plan.seed, plan.faults, services, consumers) if faults is None else list(faults)
    async with Session(stack.gateway_url, log) as session:
        shops = await _open(session, stack, planned)
        tenants = [shop.tenant_id for shop in shops]
        topics = Topics(stack.kafka, set(tenants))
        nemesis = breaker(stack, topics, tenants)
        owners = [name for name in services if name not in WITHOUT_DATABASE]
        databases = Databases(stack.postgres_url, owners, tenants)
        say(f"{len(work):,} jobs of {len(shops)} companies, {len(faults)} faults")
        began = time.monotonic()
        workers = plan.workers * len(shops)
        recoveries = await _Mix(shops, work, faults, nemesis, probes(plan.seed, planned), workers, say).run()
        await nemesis.heal()
        trading = time.monotonic() - began
        say(f"Traffic ended after {trading:.0f} s; waiting until it is quiet …")
        settling = await quiet.wait(topics, databases, stack.kafka, consumers, nemesis.done, say, within=600)
        evidence = await _collect(stack, shops, log, topics, databases, nemesis, say)
        versions = {"PostgreSQL": await databases.version(), **await _connect_versions(stack.connect_url)}
    events = len(evidence.outbox)
    requests = log.counts["answered"]
    return Outcome(plan, evidence, events, len(work), requests, trading, settling, faults, recoveries, versions)


async def _connect_versions(url: str) -> dict[str, str]:
    """Kafka's, which is Connect's own, and the connector's."""
    async with aiohttp.ClientSession() as http:
        async with http.get(url) as answer:
            kafka = (await answer.json())["version"]
        async with http.get(f"{url}/connector-plugins") as answer:
            plugins = {plugin["class"]: plugin["version"] for plugin in await answer.json()}
    return {"Kafka": kafka, "Debezium": plugins["io.debezium.connector.postgresql.PostgresConnector"]}


async def _open(session: Session, stack: Stack, planned: list[Firm]) -> list[Shop]:
    operator = await session.user("platform", "operator@platform.local", stack.supervisor.credentials.operator)
    return await asyncio.gather(*[found(session, operator, firm, number) for number, firm in enumerate(planned)])


async def _collect(
    stack: Stack, shops: list[Shop], log: RequestLog, topics: Topics, databases: Databases, nemesis: Nemesis, say: Say
) -> Evidence:
    done = nemesis.done
    forged = set(done.forged)
    dead_letters = await databases.dead_letters(forged)
    say(f"Quiet. {len(dead_letters)} forged events are dead letters; dropping them …")
    await _drop(nemesis, dead_letters)
    say("Asking for the end …")
    found = {shop.firm.slug: await look(shop) for shop in shops}
    return Evidence(
        log=log,
        found=found,
        tenants={shop.firm.slug: shop.tenant_id for shop in shops},
        dead_letters=dead_letters,
        forged=done.forged,
        republished=done.republished,
        read_again=done.counts["read again"],
        counts=log.counts + done.counts,
        **await outside(topics, databases, forged),
    )


async def _drop(nemesis: Nemesis, dead_letters: list[DeadLetter]) -> None:
    """As an operator would, each by a command of its own; no two are of one aggregate, so their order does not matter."""
    some = asyncio.Semaphore(4)

    async def drop(each: DeadLetter) -> None:
        async with some:
            place = (each.service, each.subscriber, *each.where)
            code, said = await nemesis.command("dlq", "drop", *place, "--reason", "forged by the mix")
            assert code == 0, said

    await asyncio.gather(*[drop(each) for each in dead_letters])


class _Mix:
    """Jobs are let go in shares, one share for each fault, so that every fault has traffic to meet."""

    def __init__(
        self,
        shops: list[Shop],
        work: list[Job],
        faults: list[Fault],
        nemesis: Nemesis,
        probes: Iterator[Job],
        workers: int,
        say: Say,
    ) -> None:
        self._shops, self._faults, self._nemesis, self._probes, self._say = shops, faults, nemesis, probes, say
        self._work, self._workers = work, workers
        self._free = asyncio.Condition()
        self._allowed = self._next = self._done = 0

    async def run(self) -> list[float]:
        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(self._worker())
            return await group.create_task(self._trouble())
        raise AssertionError

    async def _worker(self) -> None:
        while (job := await self._take()) is not None:
            await trade.carry_out(self._shops[job.firm], job)
            async with self._free:
                self._done += 1
                self._free.notify_all()

    async def _take(self) -> Job | None:
        async with self._free:
            await self._free.wait_for(lambda: self._next < self._allowed or self._next == len(self._work))
            if self._next == len(self._work):
                return None
            self._next += 1
            return self._work[self._next - 1]

    async def _trouble(self) -> list[float]:
        recoveries: list[float] = []
        share = len(self._work) / max(len(self._faults), 1)
        for fault in self._faults:
            await self._let_go(round((fault.number + 1) * share))
            target = round((fault.number + _UNDER_WAY) * share)
            async with self._free:
                await self._free.wait_for(lambda target=target: self._done >= target)  # type: ignore[misc]
            recoveries.append(await self._inflict(fault))
        await self._let_go(len(self._work))
        return recoveries

    async def _let_go(self, jobs: int) -> None:
        async with self._free:
            self._allowed = jobs
            self._free.notify_all()

    async def _inflict(self, fault: Fault) -> float:
        """Returns after how many seconds an order went all the way."""
        began = time.monotonic()
        await self._nemesis.inflict(fault)
        job = next(self._probes)
        await trade.probe(self._shops[job.firm], job)
        took = time.monotonic() - began
        self._say(f"{self._done:>7,}/{len(self._work):,} jobs  {fault!s:<24} {took:6.1f} s")
        return took
