"""Events leave in the transaction that made them true: what was recorded becomes outbox rows at flush, or the flush is refused.

Debezium reads the outbox table and nothing else. A savepoint that is rolled back takes its events with it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Table, TextClause, UpdateBase, event, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction

from tailrace.core.context import Context
from tailrace.core.errors import Invalid
from tailrace.core.events import Event, publisher_of_topic, source_of
from tailrace.core.ids import uuid7
from tailrace.core.stand_ins import cause_told, trace_told
from tailrace.db.tables import outbox
from tailrace.db.unique import refusal_of, refuse_taken

_INSERT = insert(outbox)
_INTO_OUTBOX = re.compile(r"\binto\s+(?:public\.)?\"?outbox\b", re.IGNORECASE)
LARGEST = 900_000
"""Bytes of an event's payload: Kafka takes messages of 1 MB, headers included."""


class UnrecordedChange(Exception):
    """An aggregate, or a part of one, changed and recorded nothing: the rest of the company would never hear of it."""


class RecordsNothing(Exception):
    """A projection recorded an event: replayed or rebuilt, it would publish it once more. What publishes is a Reaction."""


class ForeignEvent(Exception):
    """An event was recorded on a topic that belongs to another service: readers would refuse it."""


class Publisher(Protocol):
    """Anything with an identity and a gap-free sequence: an aggregate or an event-sourced stream."""

    id: Any
    version: Any


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event on its way out, with the transactions, innermost first, that must all commit for it to have happened."""

    event_id: UUID
    publisher: Publisher
    sequence: int
    event: Event
    context: Context
    within: tuple[SessionTransaction, ...]
    extra: dict[str, Any]

    def outbox_row(self, source: str) -> dict[str, Any]:
        """Raises Invalid when the event would not fit into a Kafka message: the connector would stop at it, for good."""
        payload = self.event.model_dump_json()
        if len(payload) * 4 > LARGEST and len(payload.encode()) > LARGEST:
            # Of no one field: all that was said is too much together.
            raise Invalid.field("", f"Too much at once: {self.event.type} would be larger than {LARGEST} bytes.")
        return {
            "id": self.event_id,
            "tenant_id": self.context.tenant_id,
            "topic": self.event.topic,
            "aggregate_id": self.publisher.id,
            "sequence": self.sequence,
            "type": self.event.type,
            "schema_version": self.event.version,
            "dataschema": self.event.schema_uri(),
            "source": source,
            "correlation_id": self.context.correlation_id,
            "causation_id": cause_told(self.context.causation_id, self.context.correlation_id),
            "actor_id": self.context.actor_id or f"service:{source.rpartition('/')[2]}",
            "traceparent": trace_told(self.context.traceparent, self.context.correlation_id, self.event_id),
            "payload": payload,
        }

    @property
    def mark(self) -> str:
        """`<topic>/<aggregate>@<sequence>`, the form of the Tailrace-Event header."""
        return f"{self.event.topic}/{self.publisher.id}@{self.sequence}"


class Recorder:
    """The events of one session: pending until flushed, written until the transaction ends."""

    def __init__(self, session: "UnitOfWork") -> None:
        self._session = session
        self.pending: list[Recorded] = []
        self.written: list[Recorded] = []
        self._silent: str | None = None

    @contextmanager
    def silence(self, who: str) -> Iterator[None]:
        """Refuse events from `who`, recorded or written into the outbox by a statement, while this lasts."""

        def refuse(execution: ORMExecuteState) -> None:
            if _writes_outbox(execution.statement):
                raise RecordsNothing(f"{who} is a projection and wrote into the outbox; only a Reaction publishes")

        self._silent = who
        event.listen(self._session, "do_orm_execute", refuse)
        try:
            yield
        finally:
            event.remove(self._session, "do_orm_execute", refuse)
            self._silent = None

    def ensure_recording(self, what: str) -> None:
        """Raises RecordsNothing while somebody is silenced."""
        if self._silent is not None:
            raise RecordsNothing(f"{self._silent} is a projection and {what}; only a Reaction publishes")

    def note(self, publisher: Publisher, sequence: int, event: Event, **extra: Any) -> None:
        self.ensure_recording(f"recorded {event.type}")
        session = self._session
        owner = publisher_of_topic(event.topic)
        if owner not in (None, session.service):
            raise ForeignEvent(f"{session.service} recorded {event.type}, and {event.topic} belongs to {owner}")
        self.pending.append(Recorded(uuid7(), publisher, sequence, event, session.context, enclosing(session), extra))

    @staticmethod
    def hold(publisher: Publisher, sequence: int, event: Event) -> None:
        """Keep an event with an object that belongs to no session yet; `adopt` takes it over."""
        publisher.__dict__.setdefault("_unattached", []).append((sequence, event))

    def adopt(self, publisher: Any) -> None:
        for sequence, recorded in publisher.__dict__.pop("_unattached", ()):
            self.note(publisher, sequence, recorded)

    def discard(self, transactions: Set[SessionTransaction]) -> list[Publisher]:
        """Forget the events of transactions that were rolled back; returns who had recorded them."""
        gone = [r.publisher for r in (*self.pending, *self.written) if not transactions.isdisjoint(r.within)]
        self.pending = [r for r in self.pending if transactions.isdisjoint(r.within)]
        self.written = [r for r in self.written if transactions.isdisjoint(r.within)]
        return gone

    def drain(self) -> None:
        """Write what is pending: one outbox row each, and for a stream its event row."""
        if not self.pending:
            return
        ready, self.pending = self.pending, []
        connection = self._session.connection()
        for table, rows in _stream_rows(ready):
            connection.execute(insert(table), rows)
        source = source_of(self._session.service)
        connection.execute(_INSERT, [r.outbox_row(source) for r in ready])
        self.written += ready


class UnitOfWork(Session):
    """The kit's session. `context` says who acts and why; it may change between events of one transaction."""

    def __init__(self, *args: Any, context: Context, service: str, reads_only: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        self.context = context
        self.service = service
        self.reads_only = reads_only
        self.recorder = Recorder(self)
        self.owners: frozenset[UUID] | None = None
        """Whose rows are seen, of those that have an owner (`tailrace.db.visibility`); everybody's when None."""
        self.streams: dict[UUID, Any] = {}
        self.locked: dict[UUID, Any] = {}
        """The aggregates that nobody else can change before this ends: those that were locked, and those that were made here."""
        self.writes_together = False

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        """Write what is pending. Raises the refusal of a unique value that is taken, before or by another who was quicker."""
        if self.writes_together:
            return
        refuse_taken(self, [*self.new, *self.dirty])
        try:
            super().flush(objects)
        except IntegrityError as error:
            refusal = refusal_of(error)
            if refusal is None:
                raise
            raise refusal from error

    def in_use(self) -> bool:
        """Whether it has a connection."""
        transaction = self.get_transaction()
        return transaction is not None and bool(transaction.connections)

    def begin_nested(self) -> SessionTransaction:
        """Begin a savepoint. What was recorded before it is written before it, so that its rollback takes only its own."""
        self.flush()
        self.recorder.drain()
        return super().begin_nested()


def _writes_outbox(statement: Any) -> bool:
    if isinstance(statement, TextClause):
        return _INTO_OUTBOX.search(statement.text) is not None
    return isinstance(statement, UpdateBase) and statement.table is outbox


def enclosing(session: Session) -> tuple[SessionTransaction, ...]:
    """The transactions, innermost first, that must all commit for what is done now to last."""
    chain: list[SessionTransaction] = []
    current = session.get_nested_transaction() or session.get_transaction()
    while current is not None:
        chain.append(current)
        current = current.parent
    return tuple(chain)


def _stream_rows(ready: Iterable[Recorded]) -> Iterable[tuple[Table, list[dict[str, Any]]]]:
    """By table; those whose record time the database is to fill in apart from the others."""
    rows: dict[tuple[Table, bool], list[dict[str, Any]]] = {}
    for recorded in ready:
        table = recorded.extra.get("table")
        if table is not None:
            at = recorded.extra.get("recorded_at")
            rows.setdefault((table, at is None), []).append(
                ({} if at is None else {"recorded_at": at})
                | {
                    "tenant_id": recorded.context.tenant_id,
                    "stream_id": recorded.publisher.id,
                    "seq": recorded.sequence,
                    "event_id": recorded.event_id,
                    "type": recorded.event.type,
                    "schema_version": recorded.event.version,
                    "payload": recorded.event.model_dump(mode="json"),
                    "effective_at": recorded.extra["effective_at"],
                }
            )
    return [(table, entries) for (table, _), entries in rows.items()]


@event.listens_for(UnitOfWork, "after_attach")
def _adopt(session: UnitOfWork, instance: Any) -> None:
    if getattr(instance, "tenant_id", session) is None:
        instance.tenant_id = session.context.tenant_id
    session.recorder.adopt(instance)


@event.listens_for(UnitOfWork, "before_flush")
def _refuse_unrecorded(session: UnitOfWork, *_: Any) -> None:
    recorded = {id(r.publisher) for r in session.recorder.pending}
    for instance in [*session.new, *session.dirty, *session.deleted]:
        root = _root_of(instance)
        if root is None:
            if hasattr(instance, "__root__") and instance in session.new:
                raise UnrecordedChange(f"{type(instance).__name__} {instance.id} is part of nothing")
            continue
        if id(root) in recorded:
            continue
        if instance in session.new or instance in session.deleted or session.is_modified(instance):
            raise UnrecordedChange(
                f"{type(instance).__name__} {instance.id} changed and {type(root).__name__} recorded nothing"
            )


def _root_of(instance: Any) -> Any:
    """The aggregate that must speak for this row: itself, the root of a part or of a part's part, or nobody for a read model's row."""
    path = getattr(instance, "__root__", None)
    if path is not None:
        return _root_of(getattr(instance, path))
    return instance if hasattr(instance, "record") else None


@event.listens_for(UnitOfWork, "after_flush")
def _drain(session: UnitOfWork, *_: Any) -> None:
    # After, so that the version check has refused a stale writer before its events are written.
    session.recorder.drain()
    session.locked.update({made.id: made for made in session.new if hasattr(made, "record")})


@event.listens_for(UnitOfWork, "before_commit")
def _settle(session: UnitOfWork) -> None:
    session.flush()
    session.recorder.drain()


def _rolled_back_with(transaction: SessionTransaction) -> set[SessionTransaction]:
    """It, and what encloses it up to the next savepoint: a flush that fails takes those with it, and they tell nobody."""
    lost = {transaction}
    while not transaction.nested and transaction.parent is not None:
        transaction = transaction.parent
        lost.add(transaction)
    return lost


@event.listens_for(UnitOfWork, "after_soft_rollback")
def _discard(session: UnitOfWork, previous: SessionTransaction) -> None:
    lost = _rolled_back_with(previous)
    gone = session.recorder.discard(lost)
    session.locked.clear()
    for stream in list(session.streams.values()):
        # Its state has seen what did not happen, or its lock went with the savepoint: it has to be loaded again.
        if not lost.isdisjoint(stream.within) or stream in gone:
            stream.close()
            del session.streams[stream.id]
