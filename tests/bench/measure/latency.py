"""From commit to Kafka and to the read model: plain commits into one service whose connector has the project's settings and Debezium's own in turns.

Times are exact where they begin and end in PostgreSQL: with `track_commit_timestamp` it tells when the outbox row was committed, and when the
subscriber's mark, which commits with the read model. Arrival in Kafka is when a consumer of ours was handed the record, by the same clock.
"""

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID, uuid4

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from measure.arithmetic import summary
from measure.installation import Installation
from measure.usage import Figures, above_idle, difference
from tailrace.capture.connect_api import Rest
from tailrace.codegen.scaffold import Names
from tailrace.kafka import clients

PROJECT, DEFAULTS = "project", "Debezium's defaults"
RATES = (10, 200)
_TUNED = (
    "poll.interval.ms",
    "max.batch.size",
    "heartbeat.interval.ms",
    "heartbeat.action.query",
    "retriable.restart.connector.wait.ms",
)
"""What the defaults are taken for. The settings that keep events from being lost stay."""
_WRITERS, _TURN, _FIRST, _TIMEOUT = 8, 15.0, 20, 120.0
_COMMIT = """
WITH fresh AS (
  INSERT INTO {one} (tenant_id, id, code, name, version) VALUES ($1, $2, $3, 'Measured', 1)
)
INSERT INTO outbox (id, tenant_id, topic, aggregate_id, sequence, type, schema_version, dataschema, source, correlation_id, payload)
VALUES ($4, $1, '{one}.events', $2, 1, '{one}.created', 1, 'urn:tailrace:schema:{one}.created:v1', '/tailrace/{service}', $4, $5)
"""
_COMMITTED = "SELECT aggregate_id, pg_xact_commit_timestamp(xmin) FROM outbox WHERE aggregate_id = ANY($1)"
_READER = "SELECT active_pid FROM pg_replication_slots WHERE slot_name = $1"
_APPLIED = (
    "SELECT aggregate_id, pg_xact_commit_timestamp(xmin) FROM inbox WHERE aggregate_id = ANY($1) AND subscriber = $2"
)


@dataclass
class Sample:
    """The events of one rate and one way, and what they cost."""

    aggregates: list[UUID] = field(default_factory=list)
    seconds: float = 0.0
    used: Figures = field(default_factory=dict)

    def add(self, used: Figures, seconds: float) -> None:
        self.seconds += seconds
        self.used = {part: self.used.get(part, 0.0) + value for part, value in used.items()}


class Way:
    """A service's outbox as one that writes to it sees it, its connector and its read model."""

    def __init__(self, names: Names, installation: Installation) -> None:
        self.names = names
        self._installation = installation
        self._tenant = uuid4()

    async def __aenter__(self) -> "Way":
        settings, service = self._installation.settings, self.names.service
        # The tenant for all of the session: each commit is one statement, and its time the commit's alone.
        self._pool = await asyncpg.create_pool(
            settings.database(service, "app", "postgresql"),
            min_size=_WRITERS,
            max_size=_WRITERS,
            server_settings={"app.tenant_id": str(self._tenant)},
            reset=_leave_alone,  # there is nothing to reset, and it would be one more round trip for each commit
        )
        self._admin = await asyncpg.connect(self._installation.postgres.rsplit("/", 1)[0] + f"/{service}")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pool.close()
        await self._admin.close()

    async def commit(self) -> UUID:
        """One new aggregate with its event."""
        id = uuid4()
        payload = json.dumps({f"{self.names.one}_id": str(id), "code": id.hex, "name": "Measured"})
        statement = _COMMIT.format(one=self.names.one, service=self.names.service)
        await self._pool.execute(statement, self._tenant, id, id.hex, uuid4(), payload)
        return id

    async def committed(self, ids: Sequence[UUID]) -> dict[UUID, float]:
        return await self._times(_COMMITTED, ids)

    async def applied(self, ids: Sequence[UUID]) -> dict[UUID, float]:
        """When each had its effect, in seconds of the epoch; those that had none are missing."""
        return await self._times(_APPLIED, ids, f"{self.names.service}.tally")

    async def reader(self) -> int | None:
        """The process that serves the connector."""
        pid: int | None = await self._admin.fetchval(_READER, f"{self.names.service}_outbox")
        return pid

    async def _times(self, query: str, *arguments: Any) -> dict[UUID, float]:
        return {row[0]: row[1].timestamp() for row in await self._admin.fetch(query, *arguments)}


async def _leave_alone(connection: Any) -> None:
    return


class Arrivals:
    """Notes when each aggregate's first record came out of Kafka."""

    def __init__(self, bootstrap: str, topics: Sequence[str]) -> None:
        self._topics = topics
        self._consumer = AIOKafkaConsumer(**clients.connection(bootstrap), enable_auto_commit=False)
        self.seen: dict[UUID, float] = {}

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        try:
            places = [TopicPartition(topic, part) for topic in self._topics for part in await self._partitions(topic)]
            self._consumer.assign(places)
            await self._consumer.seek_to_end(*places)
        except BaseException:
            await self._consumer.stop()
            raise
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._reading.cancel()
        await asyncio.wait([self._reading])
        await self._consumer.stop()

    async def _partitions(self, topic: str) -> set[int]:
        await self._consumer._client.force_metadata_update()
        found: set[int] = self._consumer.partitions_for_topic(topic) or set()
        assert found, f"{topic} has no partitions"
        return found

    async def _read(self) -> None:
        while True:
            batch = await self._consumer.getmany(timeout_ms=1000)
            now = time.time()
            for record in (record for records in batch.values() for record in records):
                self.seen.setdefault(UUID(record.key.decode()), now)


async def measure(
    installation: Installation, seconds: float, idle: Figures, seed: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """By rate and settings: both latencies, and CPU milliseconds for each event; an error in their place when one did not arrive."""
    names = installation.workspace.generated[0]
    found: dict[str, Any] = {"poll.interval.ms": {PROJECT: installation.settings.poll_interval_ms, DEFAULTS: 500}}
    async with AsyncExitStack() as stack:
        way = await stack.enter_async_context(Way(names, installation))
        arrivals = await stack.enter_async_context(Arrivals(installation.settings.kafka, [names.topic]))
        connector = await stack.enter_async_context(_Connector(installation, way))
        for rate in RATES:
            turns = Turns(installation, way, arrivals, connector, rate, seconds, say)
            try:
                samples = await turns.run(random.Random(f"{seed}/{rate}"))
                found[f"{rate}/s"] = {how: await _told(way, arrivals, sample, idle) for how, sample in samples.items()}
            except TimeoutError as error:
                found[f"{rate}/s"] = {"error": str(error)}
    return found


@dataclass(frozen=True)
class Turns:
    """Commits at one rate with either settings in turns, so that whatever else happens on the machine meets both."""

    installation: Installation
    way: Way
    arrivals: Arrivals
    connector: "_Connector"
    rate: int
    seconds: float
    say: Callable[[str], None]

    async def run(self, dice: random.Random) -> dict[str, Sample]:
        turns = max(2, round(self.seconds / _TURN))
        samples = {PROJECT: Sample(), DEFAULTS: Sample()}
        for turn in range(turns):
            self.say(f"{self.rate} commits/s, turn {turn + 1} of {turns}")
            for how in [*samples][:: 1 if turn % 2 == 0 else -1]:
                await self.connector.use(how)
                # The first ones are slower than any after them, and no part of the sample.
                await self._settle([await self.way.commit() for _ in range(_FIRST)], how)
                await self._turn(how, samples[how], self.seconds / turns, dice)
        return samples

    async def _turn(self, how: str, sample: Sample, seconds: float, dice: random.Random) -> None:
        before, began = self.installation.processes.cpu(), time.monotonic()
        ids = await _commit_at(self.way.commit, self.rate, seconds, dice)
        await self._settle(ids, how)
        sample.aggregates += ids
        sample.add(difference(before, self.installation.processes.cpu()), time.monotonic() - began)

    async def _settle(self, ids: Sequence[UUID], how: str) -> None:
        """Returns when all of these events have arrived everywhere. Raises TimeoutError."""
        deadline = time.monotonic() + _TIMEOUT
        while True:
            idle = len(ids) - len(await self.way.applied(ids))
            absent = len([id for id in ids if id not in self.arrivals.seen])
            if not idle and not absent:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"{how}: of {len(ids)} events, {idle} had no effect and {absent} are not in Kafka")
            await asyncio.sleep(0.2)


async def _commit_at(
    commit: Callable[[], Awaitable[UUID]], rate: int, seconds: float, dice: random.Random
) -> list[UUID]:
    """Commits that come like strangers (Poisson), so that they are never in step with whoever polls. None waits for the one before."""
    under_way: list[asyncio.Task[UUID]] = []
    began, due = time.monotonic(), 0.0
    for _ in range(max(round(rate * seconds), 1)):
        due += dice.expovariate(rate)
        await asyncio.sleep(max(began + due - time.monotonic(), 0))
        under_way.append(asyncio.ensure_future(commit()))
    return list(await asyncio.gather(*under_way))


async def _told(way: Way, arrivals: Arrivals, sample: Sample, idle: Figures) -> dict[str, Any]:
    committed, applied = await way.committed(sample.aggregates), await way.applied(sample.aggregates)
    return {
        "Kafka": summary([arrivals.seen[id] - committed[id] for id in sample.aggregates]),
        "read model": summary([applied[id] - committed[id] for id in sample.aggregates]),
        "cores": {part: round(value / sample.seconds, 3) for part, value in sample.used.items()},
        "CPU ms per event": above_idle(sample.used, idle, sample.seconds, len(sample.aggregates)),
    }


class _Connector:
    """One service's connector, with the project's settings or with Debezium's own; in the end with the project's again."""

    def __init__(self, installation: Installation, way: "Way") -> None:
        self._url, self._way = installation.connect, way
        self._now = PROJECT

    async def __aenter__(self) -> "_Connector":
        async with Rest(self._url) as rest:
            tuned = await rest._current(self._way.names.service)
        assert tuned is not None, f"{self._way.names.service} has no connector"
        self._configs = {PROJECT: tuned, DEFAULTS: {key: text for key, text in tuned.items() if key not in _TUNED}}
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.use(PROJECT)

    async def use(self, how: str) -> None:
        """Returns when a new task reads the slot."""
        if how == self._now:
            return
        before = await self._way.reader()
        async with Rest(self._url) as rest:
            await rest.put(self._way.names.service, self._configs[how])
        self._now = how
        deadline = time.monotonic() + _TIMEOUT
        while await self._way.reader() in {None, before}:
            assert time.monotonic() < deadline, f"the connector of {self._way.names.service} does not come back"
            await asyncio.sleep(0.1)
