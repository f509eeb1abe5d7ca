"""Event-sourced streams: the events are the state. One append writes the stream's row and the published event, under one sequence.

Loading for a change takes the stream's lock, so writers of one stream queue up and nobody's sequence collides. Replay is deterministic:
`apply` looks at the event and the state and at nothing else.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    DateTime,
    Index,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    any_,
    cast,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import SessionTransaction

from tailrace.core.events import Event, by_type
from tailrace.db.outbox import UnitOfWork, enclosing
from tailrace.db.row_security import INSERT_ONLY
from tailrace.db.tables import snapshot

State = TypeVar("State", bound=BaseModel)
SNAPSHOT_EVERY = 50


def stream_table(name: str, metadata: MetaData) -> Table:
    """An append-only table of stream events; `seq` counts from 1 without gaps within a stream.

    `effective_at` is when the event holds in the business, `recorded_at` when it was written down.
    """
    return Table(
        name,
        metadata,
        Column("tenant_id", Uuid, primary_key=True),
        Column("stream_id", Uuid, primary_key=True),
        Column("seq", BigInteger, primary_key=True),
        Column("event_id", Uuid, nullable=False),
        Column("type", Text, nullable=False),
        Column("schema_version", SmallInteger, nullable=False),
        Column("payload", JSONB, nullable=False),
        Column("effective_at", DateTime(timezone=True), nullable=False),
        Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        UniqueConstraint("tenant_id", "event_id"),
        Index(f"ix_{name}_tenant_id_recorded_at", "tenant_id", "recorded_at"),
        **INSERT_ONLY,
    )


class Stream(ABC, Generic[State]):
    """An entity whose state is what its events add up to. Subclasses name their table, state, events and how each is applied."""

    table: ClassVar[Table]
    events: ClassVar[Sequence[type[Event]]]
    shape: ClassVar[int] = 1
    """Raise it when the state's meaning changes: older snapshots are then left aside and the stream is replayed."""

    def __init__(self, id: UUID, state: State, version: int = 0) -> None:
        self.id = id
        self.state = state
        self.version = version
        self._snapshot_at = version
        self._session: UnitOfWork | None = None
        self.recorded_at: datetime | None = None
        self.within: tuple[SessionTransaction, ...] = ()

    @classmethod
    @abstractmethod
    def initial(cls) -> Any:
        """The state before the first event."""

    @abstractmethod
    def apply(self, event: Any) -> None:
        """Change the state as the event says. Must not fail, ask the clock, or read anything but its arguments."""

    def record(self, event: Event, effective_at: datetime | None = None) -> None:
        """Append an event: it is applied at once, and written and published with the transaction."""
        if self._session is None:
            raise RuntimeError(
                f"{type(self).__name__} {self.id} was loaded for reading only, or its savepoint was rolled back"
            )
        self.apply(event)
        self.version += 1
        self._session.recorder.note(
            self,
            self.version,
            event,
            table=self.table,
            effective_at=effective_at or datetime.now(UTC),
            recorded_at=self.recorded_at,
        )

    def open(self, session: UnitOfWork, since: datetime | None = None) -> None:
        """Take part in the transaction: `record` works from here on.

        `since` is when the lock was got, by the database's clock. It is the record time of what is recorded now, so that these times never fall
        within a stream; for a stream that is new by construction, the database says when its transaction began.
        """
        self._session, self.within, self.recorded_at = session, enclosing(session), since
        session.streams[self.id] = self

    def close(self) -> None:
        self._session = None


AnyStream = TypeVar("AnyStream", bound=Stream[Any])


async def load(session: AsyncSession, kind: type[AnyStream], id: UUID, *, lock: bool) -> AnyStream:
    """The stream as its events left it, new and empty when it has none. With `lock`, other writers of it wait until this transaction ends."""
    unit = session.sync_session
    assert isinstance(unit, UnitOfWork)
    since: datetime | None = None
    if lock:
        if id in unit.streams:
            return unit.streams[id]  # type: ignore[no-any-return]
        locked = select(func.pg_advisory_xact_lock(_lock_number(id)), func.clock_timestamp())
        since = (await session.execute(locked)).one()[1]
    stream = await _restore(session, kind, id)
    await _replay(session, stream)
    if lock:
        stream.open(unit, since)
    return stream


async def load_all(session: AsyncSession, kind: type[AnyStream], ids: Iterable[UUID]) -> Mapping[UUID, AnyStream]:
    """Several streams for a change, in three statements however many they are.

    They are locked in the order of their ids, so that two who want the same ones never wait for each other.
    """
    unit = session.sync_session
    assert isinstance(unit, UnitOfWork)
    wanted = sorted(set(ids), key=lambda id: id.bytes)
    fresh = [id for id in wanted if id not in unit.streams]
    if fresh:
        numbers = func.unnest(cast([_lock_number(id) for id in fresh], ARRAY(BigInteger))).column_valued("number")
        locked = select(func.pg_advisory_xact_lock(numbers), func.clock_timestamp())
        since = max(row[1] for row in await session.execute(locked))
        for stream in await _read_all(session, kind, fresh):
            stream.open(unit, since)
    return {id: unit.streams[id] for id in wanted}


def begin(session: AsyncSession, kind: type[AnyStream], id: UUID) -> AnyStream:
    """A stream that is new by construction: its id was made a moment ago, so nothing is locked and nothing read.

    When it has events after all, the transaction fails with IntegrityError, since no two events share a place in a stream.
    """
    unit = session.sync_session
    assert isinstance(unit, UnitOfWork)
    stream = kind(id, kind.initial())
    stream.open(unit)
    return stream


async def replay(
    session: AsyncSession, kind: type[AnyStream], id: UUID, *, until: datetime | None = None, upto: int | None = None
) -> AnyStream:
    """The stream from its events alone, no snapshot asked; as recorded up to the moment `until`, or as of the version `upto`, when given."""
    stream = kind(id, kind.initial())
    await _replay(session, stream, until, upto)
    return stream


async def save_snapshots(session: AsyncSession) -> None:
    """Keep the state of streams that have grown since their last snapshot, so that loading stays short."""
    unit = session.sync_session
    assert isinstance(unit, UnitOfWork)
    for stream in unit.streams.values():
        if stream.version - stream._snapshot_at >= SNAPSHOT_EVERY:
            row = {
                "tenant_id": unit.context.tenant_id,
                "stream_id": stream.id,
                "kind": type(stream).__name__,
                "shape": stream.shape,
                "seq": stream.version,
                "state": stream.state.model_dump(mode="json"),
            }
            await session.execute(
                insert(snapshot).values(row).on_conflict_do_update(index_elements=["tenant_id", "stream_id"], set_=row)
            )
            stream._snapshot_at = stream.version


async def _restore(session: AsyncSession, kind: type[AnyStream], id: UUID) -> AnyStream:
    query = select(snapshot.c.seq, snapshot.c.state).where(
        snapshot.c.stream_id == id, snapshot.c.kind == kind.__name__, snapshot.c.shape == kind.shape
    )
    row = (await session.execute(query)).one_or_none()
    if row is None:
        return kind(id, kind.initial())
    return kind(id, type(kind.initial()).model_validate(row.state), row.seq)


async def _replay(
    session: AsyncSession, stream: Stream[Any], until: datetime | None = None, upto: int | None = None
) -> None:
    table = stream.table
    query = select(table.c.seq, table.c.type, table.c.schema_version, table.c.payload).where(
        table.c.stream_id == stream.id, table.c.seq > stream.version
    )
    if until is not None:
        query = query.where(table.c.recorded_at <= until)
    if upto is not None:
        query = query.where(table.c.seq <= upto)
    known = by_type(stream.events)
    for row in await session.execute(query.order_by(table.c.seq)):
        stream.apply(known[row.type].read(row.schema_version, row.payload))
        stream.version = row.seq


async def _read_all(session: AsyncSession, kind: type[AnyStream], ids: Sequence[UUID]) -> Iterable[AnyStream]:
    streams = {id: kind(id, kind.initial()) for id in ids}
    asked = cast(ids, ARRAY(Uuid))
    snapshots = select(snapshot.c.stream_id, snapshot.c.seq, snapshot.c.state).where(
        snapshot.c.stream_id == any_(asked), snapshot.c.kind == kind.__name__, snapshot.c.shape == kind.shape
    )
    for kept in await session.execute(snapshots):
        streams[kept.stream_id] = kind(kept.stream_id, type(kind.initial()).model_validate(kept.state), kept.seq)
    table, versions = kind.table, cast([streams[id].version for id in ids], ARRAY(BigInteger))
    so_far = select(func.unnest(asked).label("id"), func.unnest(versions).label("seq")).subquery()
    later = (
        select(table.c.stream_id, table.c.seq, table.c.type, table.c.schema_version, table.c.payload)
        .join(so_far, table.c.stream_id == so_far.c.id)
        .where(table.c.seq > so_far.c.seq)
        .order_by(table.c.stream_id, table.c.seq)
    )
    known = by_type(kind.events)
    for row in await session.execute(later):
        stream = streams[row.stream_id]
        stream.apply(known[row.type].read(row.schema_version, row.payload))
        stream.version = row.seq
    return streams.values()


def _lock_number(id: UUID) -> int:
    return int.from_bytes(id.bytes[8:], "big", signed=True)


__all__ = ["SNAPSHOT_EVERY", "Stream", "begin", "load", "load_all", "replay", "save_snapshots", "stream_table"]
