"""Proof: what lists read follows from the events, and from nothing else.

The events of a tenant are replayed into fresh rows, which are compared with the live ones byte by byte in a canonical form; one hash stands for
each side. All of it sees the database at one moment, so traffic does not disturb it. Snapshots, gap-free sequences, and the published copy of
each event are compared on the way.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ARRAY, Table, Uuid, any_, cast, exists, func, or_, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from tailrace.core.events import Event, by_type
from tailrace.db.database import Database
from tailrace.db.event_streams import Stream
from tailrace.db.tables import outbox, snapshot
from tailrace.verify.canonical import canonical

_AT_ONCE = 200
MOST_NAMED = 20

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """An event of a stream, with the state after it. `stored` is its row: seq, event_id, effective_at, recorded_at."""

    tenant_id: UUID
    stream: Any
    event: Event
    stored: Row[Any]


@dataclass(frozen=True, slots=True)
class Derived:
    """A table of rows that follow from streams.

    `key` tells its rows apart within a tenant. `stream` is the column that names the stream; None for a table that sums up all of a tenant's.
    `ignoring` are columns that say nothing of the business: when a row was touched, an id that only pages.
    """

    table: Table
    key: tuple[str, ...]
    stream: str | None
    ignoring: frozenset[str] = frozenset({"created_at", "updated_at"})

    @property
    def columns(self) -> Sequence[str]:
        return [name for name in self.table.c.keys() if name not in self.ignoring]  # noqa: SIM118

    def name_of(self, row: Values) -> str:
        return " ".join(str(row[name]) for name in self.key)


class Sum(Protocol):
    """Adds up the steps of all streams of a tenant to the rows of one table."""

    def add(self, step: Step) -> None: ...
    def rows(self, tenant_id: UUID) -> Iterable[Values]: ...


@dataclass(frozen=True, kw_only=True)
class Proof:
    """How a service's read models follow from its streams.

    `rows` turns the steps of one stream, in order, into the rows that follow from it, each with its table. `sums` makes the tables that need all.
    """

    kinds: Sequence[type[Stream[Any]]]
    rows: Callable[[Iterable[Step]], Iterable[tuple[Table, Values]]]
    tables: Sequence[Derived]
    sums: Mapping[str, Callable[[], Sum]] = field(default_factory=dict)

    @property
    def events(self) -> Table:
        return self.kinds[0].table


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that does not follow: where, what the events say, and what is there; None where a side has nothing."""

    where: str
    key: str
    derived: str | None
    live: str | None


@dataclass(slots=True)
class Side:
    """A table as the events have it beside the table as it is: how many rows, and SHA-256 over their canonical forms in order."""

    rows: int = 0
    derived: Any = field(default_factory=sha256)
    live: Any = field(default_factory=sha256)


@dataclass(slots=True)
class Outcome:
    """What a proof found of one tenant. `differences` holds the first twenty; `count` counts all."""

    tenant_id: UUID
    streams: int = 0
    events: int = 0
    tables: dict[str, Side] = field(default_factory=lambda: defaultdict(Side))
    differences: list[Difference] = field(default_factory=list)
    count: int = 0

    @property
    def proven(self) -> bool:
        return self.count == 0 and all(s.derived.digest() == s.live.digest() for s in self.tables.values())

    def differ(self, where: str, key: str, derived: str | None, live: str | None) -> None:
        self.count += 1
        if len(self.differences) < MOST_NAMED:
            self.differences.append(Difference(where, key, derived, live))


async def prove(database: Database, proof: Proof, tenant_id: UUID) -> Outcome:
    """Replay all events of a tenant, and compare. Raises what reading an event raises: an event that cannot be read cannot be proven."""
    async with _at_one_moment(database, tenant_id) as connection:
        return await _Run(connection, proof, tenant_id).all()


@asynccontextmanager
async def _at_one_moment(database: Database, tenant_id: UUID) -> AsyncIterator[AsyncConnection]:
    async with database.engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        async with connection.begin():
            await connection.execute(select(func.set_config("app.tenant_id", str(tenant_id), True)))
            yield connection


class _Run:
    """One tenant's proof under way."""

    def __init__(self, connection: AsyncConnection, proof: Proof, tenant_id: UUID) -> None:
        self._connection = connection
        self._proof = proof
        self._known = {event.type: event for kind in proof.kinds for event in by_type(kind.events).values()}
        self._kind_of = {event.type: kind for kind in proof.kinds for event in kind.events}
        self._sums = {name: make() for name, make in proof.sums.items()}
        self._result = Outcome(tenant_id)

    async def all(self) -> Outcome:
        ids: Sequence[UUID] = await self._ids_after(UUID(int=0))
        while ids:
            await self._batch(ids)
            ids = await self._ids_after(ids[-1])
        for derived in self._proof.tables:
            if derived.stream is None:
                expected = self._sums[derived.table.name].rows(self._result.tenant_id)
                self._compare(derived, expected, await self._live(derived, None))
            else:
                await self._find_rows_of_nothing(derived, derived.stream)
        await self._compare_published()
        return self._result

    async def _ids_after(self, last: UUID) -> Sequence[UUID]:
        id = self._proof.events.c.stream_id
        query = select(id).where(id > last, self._mine(self._proof.events)).distinct().order_by(id).limit(_AT_ONCE)
        return (await self._connection.execute(query)).scalars().all()

    async def _batch(self, ids: Sequence[UUID]) -> None:
        events = self._proof.events
        query = (
            select(events)
            .where(self._mine(events), events.c.stream_id == any_(cast(ids, ARRAY(Uuid))))
            .order_by(events.c.stream_id, events.c.seq)
        )
        stored: dict[UUID, list[Row[Any]]] = defaultdict(list)
        for row in await self._connection.execute(query):
            stored[row.stream_id].append(row)
        kept = select(snapshot).where(self._mine(snapshot), snapshot.c.stream_id == any_(cast(ids, ARRAY(Uuid))))
        snapshots = {row.stream_id: row for row in await self._connection.execute(kept)}
        expected: dict[str, list[Values]] = defaultdict(list)
        for id in ids:
            for table, values in self._proof.rows(self._steps(id, stored[id], snapshots.get(id))):
                expected[table.name].append(values)
        for derived in (each for each in self._proof.tables if each.stream is not None):
            self._compare(derived, expected[derived.table.name], await self._live(derived, ids))

    def _steps(self, id: UUID, stored: Sequence[Row[Any]], kept: Row[Any] | None) -> Iterator[Step]:
        kind = self._kind_of[stored[0].type]
        stream, restored = kind(id, kind.initial()), None
        self._result.streams += 1
        for number, row in enumerate(stored, 1):
            if row.seq != number:
                self._result.differ(self._proof.events.name, str(id), f"seq {number}", f"seq {row.seq}")
            event = self._known[row.type].read(row.schema_version, row.payload)
            for each in (stream, restored):
                if each is not None:
                    each.apply(event)
                    each.version = row.seq
            if kept is not None and kept.seq == row.seq and (kept.kind, kept.shape) == (kind.__name__, kind.shape):
                restored = kind(id, type(stream.state).model_validate(kept.state), row.seq)
                if _state(restored) != _state(stream):
                    self._result.differ(snapshot.name, str(id), _state(stream), _state(restored))
            step = Step(self._result.tenant_id, stream, event, row)
            for each_sum in self._sums.values():
                each_sum.add(step)
            self._result.events += 1
            yield step
        self._note_state(id, stream, restored)

    def _note_state(self, id: UUID, stream: Stream[Any], restored: Stream[Any] | None) -> None:
        """The state by replay, beside the one by snapshot and tail where there is a snapshot."""
        by_replay = _state(stream)
        by_snapshot = by_replay if restored is None else _state(restored)
        side = self._result.tables["states"]
        side.rows += 1
        side.derived.update(by_replay.encode())
        side.live.update(by_snapshot.encode())
        if by_replay != by_snapshot:
            self._result.differ(snapshot.name, str(id), by_replay, by_snapshot)

    async def _live(self, derived: Derived, ids: Sequence[UUID] | None) -> Iterable[Values]:
        query = select(*[derived.table.c[name] for name in derived.columns]).where(self._mine(derived.table))
        if ids is not None and derived.stream is not None:
            query = query.where(derived.table.c[derived.stream] == any_(cast(ids, ARRAY(Uuid))))
        return [dict(row) for row in (await self._connection.execute(query)).mappings()]

    def _compare(self, derived: Derived, expected: Iterable[Values], live: Iterable[Values]) -> None:
        ours = {derived.name_of(row): canonical({name: row[name] for name in derived.columns}) for row in expected}
        theirs = {derived.name_of(row): canonical(dict(row)) for row in live}
        side = self._result.tables[derived.table.name]
        side.rows += len(theirs)
        for key in sorted(ours.keys() | theirs.keys()):
            one, other = ours.get(key), theirs.get(key)
            side.derived.update((one or "").encode())
            side.live.update((other or "").encode())
            if one != other:
                self._result.differ(derived.table.name, key, one, other)

    async def _find_rows_of_nothing(self, derived: Derived, stream: str) -> None:
        events, table = self._proof.events, derived.table
        told = exists().where(events.c.tenant_id == table.c.tenant_id, events.c.stream_id == table.c[stream])
        query = select(*[table.c[name] for name in derived.columns]).where(self._mine(table), ~told)
        for row in (await self._connection.execute(query.limit(MOST_NAMED))).mappings():
            self._result.differ(table.name, derived.name_of(dict(row)), None, canonical(dict(row)))

    async def _compare_published(self) -> None:
        """The stream's row and the outbox row of an event agree; the outbox may have let go of old ones."""
        events = self._proof.events
        said = cast(outbox.c.payload, JSONB)
        differs = or_(
            outbox.c.aggregate_id != events.c.stream_id,
            outbox.c.sequence != events.c.seq,
            outbox.c.type != events.c.type,
            outbox.c.schema_version != events.c.schema_version,
            said != events.c.payload,
        )
        query = select(events.c.stream_id, events.c.seq, events.c.payload, said.label("said"))
        query = query.join(outbox, outbox.c.id == events.c.event_id).where(self._mine(events), differs)
        for row in await self._connection.execute(query.limit(MOST_NAMED)):
            self._result.differ("outbox", f"{row.stream_id}@{row.seq}", canonical(row.payload), canonical(row.said))

    def _mine(self, table: Table) -> Any:
        return table.c.tenant_id == self._result.tenant_id


def _state(stream: Stream[Any]) -> str:
    return canonical({"id": stream.id, "version": stream.version, "state": stream.state.model_dump(mode="json")})
