"""Consumers look like routers: a named subscriber, and a handler for each event it listens to.

A `Projection` keeps read-model tables and can be rebuilt; it records nothing. A `Reaction` may record events of its own and is never replayed into
the past. A `Journal` keeps whatever it hears of one topic, as it was published. The name is the key of what has been applied, so it is never changed:
under another name it would be a new subscriber, without marks, to which every aggregate's history is still to come.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final, NamedTuple, TypeVar

from aiokafka import ConsumerRecord
from pydantic import ValidationError
from sqlalchemy import Table

from tailrace.core.context import Context
from tailrace.core.events import Event, Meta
from tailrace.db.database import Tx
from tailrace.kafka.cloudevents import publisher_of, read_payload

Handler = Callable[[Tx, Any, Meta], Awaitable[None]]
BatchHandler = Callable[[Tx, Sequence["Delivery"]], Awaitable[None]]
JournalHandler = Callable[[Tx, Sequence["Heard"]], Awaitable[None]]
EVER: Final = datetime.min.replace(tzinfo=UTC)
"""The `since` of a reaction that answers to all of history."""
AnyHandler = TypeVar("AnyHandler", bound=Handler)
AnyBatchHandler = TypeVar("AnyBatchHandler", bound=BatchHandler)


class Delivery(NamedTuple):
    """An event as it reaches a handler."""

    event: Event
    meta: Meta


class Heard(NamedTuple):
    """An event as it was published: the name of the service that did, and its value, byte for byte."""

    meta: Meta
    service: str
    data: bytes


class Subscriber:
    """What projections and reactions share: the events they listen to, by name."""

    records = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.handlers: dict[str, tuple[type[Event], Handler]] = {}

    @property
    def topics(self) -> frozenset[str]:
        return frozenset(event.topic for event in self.events)

    @property
    def events(self) -> Sequence[type[Event]]:
        return [event for event, _ in self.handlers.values()]

    def on(self, *events: type[Event]) -> Callable[[AnyHandler], AnyHandler]:
        """Register `async def handler(tx, event, meta)`. Raises ValueError when one of the events has a handler already."""

        def register(handler: AnyHandler) -> AnyHandler:
            for event in events:
                if event.type in self.handlers:
                    raise ValueError(f"{self.name} already handles {event.type}")
                self.handlers[event.type] = (event, handler)
            return handler

        return register

    def wants(self, meta: Meta) -> bool:
        """Whether the event is to have an effect; when not, only the mark moves."""
        return meta.type in self.handlers

    def open(self, meta: Meta, record: ConsumerRecord) -> Any:
        """What `handle` is given of a record. Raises Malformed, UnknownVersion, pydantic.ValidationError."""
        event, _ = self.handlers[meta.type]
        if meta.version == event.version:
            # In one step, without the objects between. What fails is read again step by step, which says what is wrong.
            with suppress(ValidationError):
                return Delivery(event.model_validate_json(record.value or b""), meta)
        return Delivery(event.read(meta.version, read_payload(record)), meta)

    def runs(self, deliveries: Sequence[Any]) -> Iterator[Sequence[Any]]:
        """What a subscriber that records events takes at once: one at a time, unless it says otherwise."""
        return ([each] for each in deliveries)

    async def handle(self, tx: Tx, deliveries: Sequence[Any]) -> None:
        """Apply the deliveries in order."""
        for delivery in deliveries:
            _, handler = self.handlers[delivery.meta.type]
            await handler(tx, delivery.event, delivery.meta)


class Projection(Subscriber):
    """A read model: writes its own tables, and no others, records nothing, and comes out the same however often it is rebuilt.

    `tables` are the mapped classes, or tables, that it owns; a rebuild fills them again from the topics.
    """

    def __init__(self, name: str, *, tables: Sequence[type[Any] | Table] = ()) -> None:
        super().__init__(name)
        self.tables = [each if isinstance(each, Table) else each.__table__ for each in tables]
        self._batch: BatchHandler | None = None

    def batch(self, *events: type[Event]) -> Callable[[AnyBatchHandler], AnyBatchHandler]:
        """Register one `async def handler(tx, deliveries)` that takes all these events, many at a time and in order."""

        def register(handler: AnyBatchHandler) -> AnyBatchHandler:
            async def one(tx: Tx, event: Any, meta: Meta) -> None:
                await handler(tx, [Delivery(event, meta)])

            self.on(*events)(one)
            self._batch = handler
            return handler

        return register

    async def handle(self, tx: Tx, deliveries: Sequence[Delivery]) -> None:
        if self._batch is None:
            await super().handle(tx, deliveries)
        else:
            await self._batch(tx, deliveries)


class Reaction(Subscriber):
    """Does something because of an event, once, from `since` on; what came before moves its mark and has no effect.

    Every service's reactions state it: the time at which a running fleet got them, or EVER.
    """

    records = True

    def __init__(self, name: str, *, since: datetime | None = None) -> None:
        super().__init__(name)
        self.since = since
        self._batch: BatchHandler | None = None
        self._together: frozenset[str] = frozenset()

    def wants(self, meta: Meta) -> bool:
        return super().wants(meta) and (self.since is None or meta.time >= self.since)

    def batch(self, *events: type[Event]) -> Callable[[AnyBatchHandler], AnyBatchHandler]:
        """Register one `async def handler(tx, deliveries)` that answers all these events, many at a time and in order.

        It goes through them by `answering`, so that what it records names the very event that caused it.
        """

        def register(handler: AnyBatchHandler) -> AnyBatchHandler:
            async def one(tx: Tx, event: Any, meta: Meta) -> None:
                await handler(tx, [Delivery(event, meta)])

            self.on(*events)(one)
            self._batch, self._together = handler, frozenset(event.type for event in events)
            return handler

        return register

    def runs(self, deliveries: Sequence[Delivery]) -> Iterator[Sequence[Delivery]]:
        """What is answered at once: those in a row that a batch handler takes, and each other one alone."""
        for together, group in groupby(deliveries, lambda delivery: delivery.meta.type in self._together):
            some = list(group)
            yield from [some] if together else [[each] for each in some]

    async def handle(self, tx: Tx, deliveries: Sequence[Delivery]) -> None:
        if self._batch is not None and self._together.issuperset(each.meta.type for each in deliveries):
            await self._batch(tx, deliveries)
        else:
            await super().handle(tx, deliveries)


def answering(tx: Tx, deliveries: Sequence[Delivery]) -> Iterator[Delivery]:
    """One after the other; what the transaction does meanwhile is because of that one."""
    for delivery in deliveries:
        if tx.context.causation_id != delivery.meta.event_id:
            tx.context = Context.because_of(delivery.meta)
        yield delivery


class Journal(Subscriber):
    """Keeps every event of one topic, also of types and versions that nobody here knows, many at a time and in order.

    It records nothing. It is no Projection: what it keeps says in which order things were heard, which no rebuild would repeat.
    """

    def __init__(self, name: str, topic: str, keep: JournalHandler, *, known: Sequence[type[Event]] = ()) -> None:
        """`known`: of the events that no service publishes, those that are expected; whatever else comes is kept too."""
        super().__init__(name)
        self._topic, self._keep, self._known = topic, keep, tuple(known)

    @property
    def events(self) -> Sequence[type[Event]]:
        return self._known

    @property
    def topics(self) -> frozenset[str]:
        return frozenset({self._topic})

    def wants(self, meta: Meta) -> bool:
        return True

    def open(self, meta: Meta, record: ConsumerRecord) -> Heard:
        return Heard(meta, publisher_of(record), record.value or b"")

    async def handle(self, tx: Tx, deliveries: Sequence[Heard]) -> None:
        await self._keep(tx, deliveries)
