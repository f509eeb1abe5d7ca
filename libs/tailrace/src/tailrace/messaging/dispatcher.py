"""From records to effects: a batch of many events in one transaction per tenant, and one by one as soon as one of them fails.

A failure that passes (see `error_classes`) goes to the caller, who waits and hands in the same records again; so does one that may pass, a
few times. Any other is the fault of one event for one subscriber: that one becomes a dead letter, alone.
"""

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

from aiokafka import ConsumerRecord
from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from tailrace.core.context import Context
from tailrace.core.events import Meta, UnknownVersion
from tailrace.db.database import Database, Tx
from tailrace.db.error_classes import NotYet, is_transient, is_uncertain, sqlstate
from tailrace.db.tables import database_history
from tailrace.kafka.cloudevents import Malformed, read_meta
from tailrace.messaging.dead_letters import BEHIND, GAP, NOT_YET, gap_reason, waiting, write_dead_letter
from tailrace.messaging.inbox import START, Mark, MarkMoved, Pair, Verdict, hold, judge, marks, move, with_marks
from tailrace.messaging.retry_budget import TRIES, RetryBudget, TryAgain
from tailrace.messaging.subscribers import Delivery, Journal, Subscriber
from tailrace.observability import metrics, tracing
from tailrace.observability.logs import log

_EPOCH = select(func.max(database_history.c.epoch)).where(database_history.c.accepted_at.is_not(None))
SubscriberPartition = tuple[str, str, int]
"""A subscriber, and the partition of a topic that it listens to."""


class Arrived(NamedTuple):
    """A record whose envelope could be read, and the subscribers that it is for."""

    record: ConsumerRecord
    meta: Meta
    listeners: Sequence[Subscriber]


class Dispatcher:
    """Delivers a service's records to its subscribers."""

    def __init__(self, service: str, database: Database, subscribers: Sequence[Subscriber]) -> None:
        self._service = service
        self._database = database
        self._all = subscribers
        self._retry_budget = RetryBudget()
        self._by_topic: dict[str, list[Subscriber]] = {}
        for subscriber in subscribers:
            for topic in subscriber.topics:
                self._by_topic.setdefault(topic, []).append(subscriber)

    def copy(self) -> "Dispatcher":
        """Another one for the same subscribers, for a delivery beside this one: each counts its own tries."""
        return Dispatcher(self._service, self._database, self._all)

    @property
    def topics(self) -> frozenset[str]:
        return frozenset(self._by_topic)

    @property
    def reacts(self) -> bool:
        """Whether any subscriber may record events, and so lock what it changes."""
        return any(subscriber.records for subscribers in self._by_topic.values() for subscriber in subscribers)

    @property
    def keeps(self) -> bool:
        """Whether any subscriber keeps all it hears, as a Journal does."""
        return any(isinstance(each, Journal) for subscribers in self._by_topic.values() for each in subscribers)

    def subscribers(self, topic: str) -> Sequence[Subscriber]:
        """Those that listen to a topic."""
        return self._by_topic.get(topic, ())

    async def epoch(self) -> int:
        """The epoch that the database is in: it rises when it was restored behind Kafka."""
        async with self._database.engine.connect() as connection:
            return await connection.scalar(_EPOCH) or 1

    async def have_marks(self, names: Collection[str]) -> set[str]:
        """Which of these subscribers have ever applied anything."""
        async with self._database.engine.connect() as connection:
            return await with_marks(connection, names)

    async def deliver(
        self, records: Iterable[ConsumerRecord], excluded: Collection[SubscriberPartition] = frozenset()
    ) -> None:
        """Apply records, in order per partition. When this returns, each has had its effect, was a duplicate, or is a dead letter.

        Nothing is handed to those in `excluded`. Raises only transient failures; whatever was not applied then can be handed in again.
        """
        # Tenant by tenant: a transaction belongs to one.
        arrived: dict[UUID, list[Arrived]] = {}
        listening: dict[tuple[str, int], Sequence[Subscriber]] = {}
        for record in records:
            at = (record.topic, record.partition)
            listeners = listening.get(at)
            if listeners is None:
                listeners = [each for each in self._by_topic[record.topic] if (each.name, *at) not in excluded]
                listening[at] = listeners
            try:
                meta = read_meta(record)
            except Malformed as fault:
                await self._dead_letter_unreadable(record, listeners, str(fault))
            else:
                arrived.setdefault(meta.tenant_id, []).append(Arrived(record, meta, listeners))
        uncertain: list[Exception] = []
        for tenant_id in sorted(arrived, key=lambda id: id.bytes):
            uncertain += await self._deliver_tenant(tenant_id, arrived[tenant_id])
        if uncertain:
            raise TryAgain(f"{len(uncertain)} not applied: {reason_of(uncertain[0])}") from uncertain[0]
        self._retry_budget.forget()

    async def _deliver_tenant(self, tenant_id: UUID, arrived: list[Arrived]) -> list[Exception]:
        """What failed in a way that may pass, once for each event that is to be tried again."""
        try:
            async with self._database.transaction(Context(tenant_id=tenant_id)) as tx:
                await self._apply(tx, arrived, self._pairs(arrived))
        except Exception as error:
            if is_transient(error):
                self._retry_budget.forget()
                raise
            log.info("batch isolated", size=len(arrived), error=type(error).__name__)
            return await self._one_by_one(tenant_id, arrived)
        return []

    async def _one_by_one(self, tenant_id: UUID, arrived: list[Arrived]) -> list[Exception]:
        uncertain: dict[Pair, Exception] = {}
        for one in arrived:
            for subscriber in one.listeners:
                pair = (subscriber.name, one.meta.aggregate_id)
                if pair in uncertain:
                    continue
                try:
                    async with self._database.transaction(Context(tenant_id=tenant_id)) as tx:
                        await self._apply(tx, [one], {pair}, only=subscriber)
                except Exception as error:
                    record = one.record
                    if self._retry_budget.allows(
                        (subscriber.name, record.topic, record.partition, record.offset), error
                    ):
                        uncertain[pair] = error
                    else:
                        tries = f"tried {TRIES} times; " if is_uncertain(error) else ""
                        await self._dead_letter(subscriber, one, kind_of(error), tries + reason_of(error))
        return list(uncertain.values())

    async def _apply(self, tx: Tx, arrived: list[Arrived], pairs: set[Pair], only: Subscriber | None = None) -> None:
        before = await marks(tx, pairs)
        blocked = await waiting(tx, pairs)
        while unheld := blocked - before.keys():
            # Written by another consumer since: only under the mark's lock does it stay true that there are dead letters.
            before |= await hold(tx, unheld)
            blocked = await waiting(tx, pairs)
        now: dict[Pair, Mark] = {}
        for subscriber in [only] if only else self._subscribers(arrived):
            due: list[Any] = []
            for one in arrived:
                if subscriber not in one.listeners:
                    continue
                pair = (subscriber.name, one.meta.aggregate_id)
                verdict = judge(now.get(pair, before.get(pair, START)), one.meta)
                if verdict is Verdict.DUPLICATE:
                    continue
                if pair in blocked or verdict is Verdict.GAP:
                    await self._dead_letter_in(tx, subscriber, one, pair in blocked, before)
                    blocked.add(pair)
                    continue
                now[pair] = (one.meta.epoch, one.meta.sequence)
                if subscriber.wants(one.meta):
                    due.append(subscriber.open(one.meta, one.record))
            await take_effect(tx, subscriber, due)
        await move(tx, now, now.keys() - before.keys())

    async def _dead_letter_in(
        self, tx: Tx, subscriber: Subscriber, one: Arrived, blocked: bool, before: dict[Pair, Mark]
    ) -> None:
        pair = (subscriber.name, one.meta.aggregate_id)
        if pair not in before:
            before |= await hold(tx, {pair})
            if before[pair] != START:
                raise MarkMoved("another consumer applied an event of this aggregate")
        kind, reason = (
            (BEHIND, "an earlier event of this aggregate is a dead letter")
            if blocked
            else (GAP, gap_reason(one.meta.sequence))
        )
        await write_dead_letter(tx, self._service, subscriber.name, one.record, one.meta, kind, reason)

    async def _dead_letter(self, subscriber: Subscriber, one: Arrived, kind: str, reason: str) -> None:
        pair = (subscriber.name, one.meta.aggregate_id)
        async with self._database.transaction(Context.because_of(one.meta)) as tx:
            if judge((await hold(tx, {pair}))[pair], one.meta) is Verdict.DUPLICATE:
                return
            await write_dead_letter(tx, self._service, subscriber.name, one.record, one.meta, kind, reason)

    async def _dead_letter_unreadable(
        self, record: ConsumerRecord, listeners: Sequence[Subscriber], reason: str
    ) -> None:
        for subscriber in listeners:
            async with self._database.transaction(Context(tenant_id=None)) as tx:
                await write_dead_letter(tx, self._service, subscriber.name, record, None, "malformed", reason)

    def _subscribers(self, arrived: list[Arrived]) -> list[Subscriber]:
        return list({s.name: s for one in arrived for s in one.listeners}.values())

    def _pairs(self, arrived: list[Arrived]) -> set[Pair]:
        return {(s.name, one.meta.aggregate_id) for one in arrived for s in one.listeners}


async def take_effect(tx: Tx, subscriber: Subscriber, due: Sequence[Any]) -> None:
    """Hand events to their subscriber, in order, and write what that leads to."""
    if not due:
        return
    began = time.perf_counter()
    if not subscriber.records:
        with (
            tracing.applied(subscriber.name, [delivery.meta for delivery in due]),
            tx.recording_nothing(subscriber.name),
        ):
            await subscriber.handle(tx, due)
            await tx.settle()
    else:
        for together in subscriber.runs(due):
            await _react(tx, subscriber, together)
    metrics.events_applied(subscriber.name, len(due), time.perf_counter() - began)


async def _react(tx: Tx, subscriber: Subscriber, together: Sequence[Delivery]) -> None:
    """One at a time, so that what a reaction records names the very event that caused it; or several that its handler goes through so itself."""
    metas = [delivery.meta for delivery in together]
    with tracing.applied(subscriber.name, metas) as traceparent:
        tx.context = replace(Context.because_of(metas[0]), traceparent=traceparent)
        await subscriber.handle(tx, together)
        await tx.settle()


def kind_of(error: Exception) -> str:
    """The kind of dead letter that an event becomes which failed like this."""
    if isinstance(error, Malformed | ValidationError):
        return "malformed"
    if isinstance(error, UnknownVersion):
        return "unknown_version"
    return NOT_YET if isinstance(error, NotYet) else "failed"


def reason_of(error: BaseException) -> str:
    """What to say about it; never the values themselves, which may be a person's name."""
    if isinstance(error, DBAPIError):
        notes = getattr(error, "__notes__", ())
        return "\n".join([_database_reason(error), *notes, *([error.statement] if error.statement else [])])
    if isinstance(error, ValidationError):
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        return "; ".join(f"{'/'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)
    return f"{type(error).__name__}: {error}"


def _database_reason(error: DBAPIError) -> str:
    """PostgreSQL's own words, but where they quote what was sent (a detail; SQLSTATE class 22, data exceptions), only what the fault is called."""
    origin = error.orig.__cause__ or error.orig if error.orig else error
    state = sqlstate(error)
    named = f"{type(origin).__name__} ({state})" if state else type(origin).__name__
    words = "" if state.startswith("22") else str(origin).partition("\nDETAIL:")[0]
    return f"{named}: {words}" if words else named
