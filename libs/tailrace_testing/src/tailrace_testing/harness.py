"""One service in the test's process, on a database of its own: called over ASGI, fed with events, watched at its outbox."""

import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from tempfile import TemporaryDirectory
from typing import Any, Generic, TypeVar, overload
from uuid import UUID

import asyncpg
import httpx2
from aiokafka import ConsumerRecord
from fastapi import FastAPI

from tailrace.core.context import Context
from tailrace.core.events import Event, by_type, publisher_of_topic, source_of
from tailrace.core.ids import uuid7
from tailrace.core.stand_ins import cause_read
from tailrace.core.values.days import DEFAULT_ZONE
from tailrace.db.database import Database, Tx
from tailrace.errands.runner import ErrandRunner
from tailrace.http.auth import Verifier
from tailrace.jobs.runner import JobRunner
from tailrace.messaging.days import Days
from tailrace.messaging.dispatcher import Dispatcher
from tailrace.messaging.timers import TimerRunner
from tailrace.observability import tracing
from tailrace.redrive.redriver import Redriver
from tailrace.runtime.app import Application, build_app, equip
from tailrace.service import Service
from tailrace.settings import Settings
from tailrace.verify.replay import Outcome, prove
from tailrace_testing.databases import Databases
from tailrace_testing.tokens import EitherVerifier, TestIssuer

# httpx2 looks for it with every request, along the whole path, which is a twelfth of a request's work here; it is not installed.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]


AnyEvent = TypeVar("AnyEvent", bound=Event, covariant=True)


@dataclass(frozen=True, slots=True)
class Published(Generic[AnyEvent]):
    """A row of the outbox, read back as the event it stands for."""

    id: UUID
    type: str
    aggregate_id: UUID
    sequence: int
    event: AnyEvent
    tenant_id: UUID
    correlation_id: UUID
    causation_id: UUID | None
    actor_id: str | None


_free: dict[str, list[Application]] = {}
"""By service, applications of harnesses that have stopped. For each application FastAPI works out every route again when the first request
comes, which is half of what a short test would take."""


def _take(service: Service, settings: Settings, verifier: Verifier) -> FastAPI:
    """With nothing of an earlier test but its routes. While requests are traced an application is its test's own."""
    free = _free[service.name] = [app for app in _free.get(service.name, ()) if app.service is service]
    if not free or tracing.is_on():
        return build_app(service, settings, verifier=verifier)
    app = free.pop()
    equip(app, settings, verifier)
    return app


def _put_back(app: FastAPI) -> None:
    if isinstance(app, Application):
        _free[app.service.name].append(app)


class Harness:
    """See the attributes; everything acts for `tenant` unless told otherwise. It and `other_tenant` are known, with days of UTC."""

    def __init__(self, service: Service, databases: Databases, issuer: TestIssuer, name: str) -> None:
        self.service = service
        self.tenant = uuid7()
        self.other_tenant = uuid7()
        self.user = uuid7()
        self.issuer = issuer
        self.database_name = name
        self.admin_url = databases.admin_url(name)
        self._files = TemporaryDirectory(prefix="tailrace-files-")
        own = {"database_url": databases.app_url(service.name, name), "storage": self._files.name}
        self.settings = databases.settings.model_copy(update=own)
        self._verifier = issuer.verifier_for(service.name)
        self._traced = tracing.is_on()
        self.app = _take(service, self.settings, self._verifier)
        self._stack = AsyncExitStack()
        self._sequences: dict[UUID, int] = defaultdict(int)
        self._records: list[ConsumerRecord] = []
        self._pumped: set[UUID] = set()
        self._held: list[ConsumerRecord] | None = None

    async def start(self) -> None:
        await self._stack.enter_async_context(self.app.router.lifespan_context(self.app))
        self.database: Database = self.app.state.database
        own = self.app.state.verifier
        if own is not self._verifier:
            self.app.state.verifier = EitherVerifier(self._verifier, own)
        self.dispatcher = Dispatcher(self.service.name, self.database, self.service.subscribers)
        self.redriver = Redriver(self.service.name, self.service.subscribers, self.database, self.read_record)
        self.client = self.client_as()
        self.admin = await asyncpg.connect(self.admin_url)
        for tenant in (self.tenant, self.other_tenant):
            await self.count_days_in(DEFAULT_ZONE, tenant=tenant)

    async def stop(self) -> None:
        await self.admin.close()
        await self._stack.aclose()
        self._files.cleanup()
        if not self._traced:
            _put_back(self.app)

    def token(self, scopes: str = "*", *, tenant: UUID | None = None, user: UUID | None = None, **claims: Any) -> str:
        return self.issuer.token(tenant=tenant or self.tenant, user=user or self.user, scopes=scopes, **claims)

    def client_as(
        self, scopes: str = "*", *, tenant: UUID | None = None, user: UUID | None = None
    ) -> httpx2.AsyncClient:
        """A client with a token of its own; it sends a fresh Idempotency-Key with each POST that brings none."""
        return self._client({"Authorization": f"Bearer {self.token(scopes, tenant=tenant, user=user)}"})

    def anonymous(self) -> httpx2.AsyncClient:
        return self._client({})

    def _client(self, headers: dict[str, str]) -> httpx2.AsyncClient:
        client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(self.app, raise_app_exceptions=False),
            base_url="http://service",
            headers=headers,
            event_hooks={"request": [_add_key]},
        )
        self._stack.push_async_callback(client.aclose)
        return client

    @asynccontextmanager
    async def tx(self, tenant: UUID | None = None) -> AsyncIterator[Tx]:
        async with self.database.transaction(Context(tenant_id=tenant or self.tenant, user_id=self.user)) as tx:
            yield tx

    async def count_days_in(self, zone: str, *, tenant: UUID | None = None) -> None:
        """Let the service know which zone the company has always counted its days in; nothing for one that keeps no days."""
        for subscriber in self.service.subscribers:
            if isinstance(subscriber, Days):
                async with self.tx(tenant) as tx:
                    await subscriber.note(tx, zone)

    async def deliver(
        self,
        event: Event,
        *,
        aggregate_id: UUID,
        tenant: UUID | None = None,
        sequence: int | None = None,
        time: datetime | None = None,
        event_id: UUID | None = None,
        may_dead_letter: bool = False,
    ) -> ConsumerRecord:
        """Hand an event to the subscribers. Returns the record, which `redeliver` takes again.

        Raises AssertionError with the reason when the event became a dead letter, unless `may_dead_letter`.
        """
        self._sequences[aggregate_id] = sequence or self._sequences[aggregate_id] + 1
        record = self._record(
            event,
            aggregate_id,
            self._sequences[aggregate_id],
            tenant or self.tenant,
            time or datetime.now(UTC),
            event_id,
        )
        if self._held is None:
            await self.redeliver(record, may_dead_letter=may_dead_letter)
        else:
            self._held.append(record)
        return record

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """What is delivered inside is handed over as one batch at the end, as a consumer hands it over that has fallen behind: so a test that
        begins with many events begins sooner.
        """
        held: list[ConsumerRecord] = []
        self._held = held
        try:
            yield
        finally:
            self._held = None
        await self.redeliver(*held)

    async def redeliver(self, *records: ConsumerRecord, may_dead_letter: bool = False) -> None:
        """Hand records over, as one batch."""
        before = await self.admin.fetchval("SELECT count(*) FROM dead_letter")
        await self.dispatcher.deliver(records)
        fresh = await self.admin.fetch(
            "SELECT subscriber, kind, reason FROM dead_letter ORDER BY dead_lettered_at OFFSET $1", before
        )
        assert may_dead_letter or not fresh, f"dead letters: {[tuple(row) for row in fresh]}"

    @overload
    async def published(self, type: type[AnyEvent], *, tenant: UUID | None = None) -> list[Published[AnyEvent]]: ...

    @overload
    async def published(self, type: str | None = None, *, tenant: UUID | None = None) -> list[Published[Event]]: ...

    async def published(
        self, type: type[Event] | str | None = None, *, tenant: UUID | None = None
    ) -> Sequence[Published[Event]]:
        """What the outbox holds of a tenant, in the order it was recorded: of one type, by its name or by its class, or all."""
        name = type if type is None or isinstance(type, str) else type.type
        rows = await self.admin.fetch(
            "SELECT * FROM outbox WHERE tenant_id = $1 AND ($2::text IS NULL OR type = $2) AND topic = $3 ORDER BY id",
            tenant or self.tenant,
            name,
            self.service.topic,
        )
        return [self._read(row) for row in rows]

    async def pump(self) -> int:
        """Deliver what the service published and itself listens to, until nothing new comes. Returns how many events that were."""
        moved = 0
        while True:
            rows = await self.admin.fetch(
                "SELECT * FROM outbox WHERE topic = ANY($1) ORDER BY id", list(self.dispatcher.topics)
            )
            fresh = [row for row in rows if row["id"] not in self._pumped]
            if not fresh:
                return moved
            for row in fresh:
                self._pumped.add(row["id"])
                published = self._read(row)
                await self.deliver(
                    published.event,
                    aggregate_id=published.aggregate_id,
                    tenant=published.tenant_id,
                    sequence=published.sequence,
                    time=row["recorded_at"],
                    event_id=published.id,
                )
                moved += 1

    async def prove(self) -> Outcome:
        """Compare what the tenant's lists read with what follows from its events."""
        assert self.service.proof is not None, f"{self.service.name} is not event-sourced"
        return await prove(self.database, self.service.proof, self.tenant)

    async def fire_timers(self) -> int:
        """Fire the timers that are due; how many."""
        return await TimerRunner(self.database, self.service.all_timers).fire_due()

    async def run_errands(self) -> int:
        """Run the errands that are due, to where `settings.errands_allow` and the guard let them; how many turns were taken."""
        return await ErrandRunner(self.database, self.service.errands, self.settings).run_due()

    async def make_errands_due(self) -> None:
        """Let the time come of every errand that was put off."""
        await self.admin.execute("UPDATE errand_turn SET due_at = now()")

    async def run_jobs(self) -> int:
        """Go on with the jobs until none is due; how many chunks that took."""
        return await JobRunner(self.database, self.service.all_jobs).drain()

    async def import_rows(self, path: str, text: str, **query: Any) -> dict[str, Any]:
        """Send a CSV file and let the job go on to its end: the job as it is shown. Raises AssertionError when the file is refused."""
        answer = await self.client.post(path, content=text.encode(), headers={"Content-Type": "text/csv"}, params=query)
        assert answer.status_code == 202, answer.text
        await self.run_jobs()
        return dict((await self.client.get(answer.headers["location"])).json())

    async def make_timers_due(self) -> None:
        """Let the time of every timer come."""
        await self.admin.execute("UPDATE timer SET due_at = now() - interval '1 second'")

    @asynccontextmanager
    async def database_down(self) -> AsyncIterator[None]:
        """For a while, nobody gets a connection to the database."""
        name = self.database_name
        await self.admin.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT 0')
        await self.admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()",
            name,
        )
        try:
            yield
        finally:
            await self.admin.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT -1')

    def _read(self, row: Any) -> Published[Event]:
        event = by_type(self.service.publishes)[row["type"]]
        return Published(
            row["id"],
            row["type"],
            row["aggregate_id"],
            row["sequence"],
            event.model_validate_json(row["payload"]),
            row["tenant_id"],
            row["correlation_id"],
            cause_read(row["causation_id"], row["correlation_id"]),
            row["actor_id"],
        )

    def _record(
        self, event: Event, aggregate_id: UUID, sequence: int, tenant: UUID, time: datetime, event_id: UUID | None
    ) -> ConsumerRecord:
        headers = {
            "ce_id": str(event_id or uuid7()),
            "ce_type": event.type,
            "ce_source": source_of(publisher_of_topic(event.topic) or "test"),
            "ce_subject": str(aggregate_id),
            "ce_time": time.isoformat(),
            "ce_dataschema": event.schema_uri(),
            "ce_specversion": "1.0",
            "content-type": "application/json",
            "ce_tenantid": str(tenant),
            "ce_sequence": str(sequence),
            "ce_sequencetype": "Integer",
            "ce_epoch": "1",
            "ce_correlationid": str(uuid7()),
            "ce_actorid": str(self.user),
        }
        return self.record(event.topic, str(aggregate_id).encode(), event.model_dump_json().encode(), headers)

    def record(self, topic: str, key: bytes | None, value: bytes | None, headers: dict[str, str]) -> ConsumerRecord:
        """Any record at all, for what should not happen."""
        pairs = [(name, text.encode()) for name, text in headers.items()]
        size, offset = len(value or b""), len(self._records) + 1
        record = ConsumerRecord(topic, 0, offset, 0, 0, key, value, None, len(key or b""), size, pairs)
        self._records.append(record)
        return record

    async def read_record(self, topic: str, partition: int, offset: int) -> ConsumerRecord | None:
        """A record that was made here, as Kafka would hand it out again."""
        record = self._records[offset - 1] if offset <= len(self._records) else None
        return record if record is not None and (record.topic, record.partition) == (topic, partition) else None


async def _add_key(request: httpx2.Request) -> None:
    if request.method == "POST" and "idempotency-key" not in request.headers:
        request.headers["Idempotency-Key"] = str(uuid7())


MakeHarness = Callable[[Service], Awaitable[Harness]]
SetClock = Callable[[str], None]
