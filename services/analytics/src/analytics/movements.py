"""What every document amounts to, in rows that are only ever added: each adds something to a measure, or takes it away again.

A row has two times. `at` is the day that it counts in: when the order was placed, when the task was done. `known_at` is when the event happened that
said so. A report of some days adds up the rows whose `at` lies in them; as of a past moment it leaves out what was `known_at` later, and so says what
it would have said then. An event that arrives late brings both times with it.

An event changes where its document stands; the rows are the difference of what that amounted to before and after. Rows of different documents have
nothing to do with one another, so the order in which topics are read makes no difference.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, DateTime, Text, Uuid, bindparam, cast, column, func, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship
from sqlalchemy.sql import and_

from analytics.base import Base
from analytics.measures import PATHS, Kind, Measure
from analytics.standings.standing import Dimensions, Entry, Source, Standing
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.db.keys import tenant_index
from tailrace.db.models import TenantRow
from tailrace.db.visibility import Owned
from tailrace.messaging.subscribers import Delivery, Projection

_LOW = (1 << 62) - 1
_SUMS = ("count", "amount", "seconds", "quantity")
_ADDED_UP = (
    *("known_at", "owner_id", "customer_id", "currency", "label", "segment", "item_id", "warehouse_id"),
    *_SUMS,
)
"""What reports ask of a row besides its measure and its time: the index holds it, so that they read no table."""


class Document(TenantRow, Base):
    """Where a document stands: what is needed to tell what its next event changes."""

    __tablename__ = "document"
    # Whose deliveries there are is asked of few documents among many.
    __table_args__ = (tenant_index("id", where="kind = 'delivery'"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    kind: Mapped[Kind] = mapped_column(primary_key=True, sort_order=-9)
    number: Mapped[str | None]
    last_at: Mapped[datetime]
    """When its newest event happened."""
    standing: Mapped[dict[str, Any]]


class Movement(TenantRow, Owned, Base):
    """What an event added to a measure, or took away."""

    __tablename__ = "movement"
    __table_args__ = (
        tenant_index("measure", "at", include=_ADDED_UP),
        tenant_index("document_id"),
        tenant_index("owner_id", "id"),
    )
    owned_by = "owner_id"

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    measure: Mapped[Measure]
    at: Mapped[datetime]
    known_at: Mapped[datetime]
    document_id: Mapped[UUID]
    kind: Mapped[Kind]
    owner_id: Mapped[UUID | None]
    customer_id: Mapped[UUID | None]
    currency: Mapped[str | None]
    label: Mapped[str | None]
    segment: Mapped[str | None]
    came_of_id: Mapped[UUID | None]
    """The document that its document came of."""
    count: Mapped[int]
    """How many documents, or steps of one, it adds."""
    amount: Mapped[int]
    seconds: Mapped[int]
    item_id: Mapped[UUID | None]
    warehouse_id: Mapped[UUID | None]
    millionths: Mapped[int] = mapped_column("quantity")
    """How much of the item it adds, in millionths of its base unit."""
    event_id: Mapped[UUID]
    document: Mapped[Document] = relationship(
        primaryjoin=lambda: and_(
            foreign(Movement.tenant_id) == Document.tenant_id,
            foreign(Movement.document_id) == Document.id,
            foreign(Movement.kind) == Document.kind,
        ),
        viewonly=True,
    )

    @property
    def document_number(self) -> str | None:
        return self.document.number

    @property
    def quantity(self) -> Decimal:
        return Decimal(self.millionths).scaleb(-6)

    @property
    def path(self) -> str:
        if self.item_id is None:
            return f"{PATHS[self.kind]}/{self.document_id}"
        # The ledger's entries are read as a list: this item's, here, of that very moment.
        moments = (self.at, self.at + timedelta(microseconds=1))
        begin, until = (each.astimezone(UTC).isoformat().replace("+00:00", "Z") for each in moments)
        place = {"item_id": self.item_id, "warehouse_id": self.warehouse_id}
        return f"{PATHS[self.kind]}?{urlencode({**place, 'effective_from': begin, 'effective_until': until})}"


class Heard(TenantRow, Base):
    """The newest event of the tenant that was applied, of each partition of a topic."""

    __tablename__ = "heard"

    topic: Mapped[str] = mapped_column(primary_key=True, sort_order=-10)
    partition: Mapped[int] = mapped_column(primary_key=True, sort_order=-9)
    offset: Mapped[int]
    event_id: Mapped[UUID]
    type: Mapped[str]
    recorded_at: Mapped[datetime]
    """When it was recorded by the service that published it."""


def row_id(event_id: UUID, place: int) -> UUID:
    """The id of an event's row: as young as the event, and the same however often it is built again."""
    low = int.from_bytes(blake2b(event_id.bytes + place.to_bytes(4, "big"), digest_size=8).digest(), "big") & _LOW
    return UUID(int=(event_id.int & ~_LOW) | low)


class Movements(Projection):
    """The projection that keeps the rows of all sources."""

    def __init__(self, name: str, sources: Sequence[Source[Any]]) -> None:
        super().__init__(name, tables=[Document, Movement, Heard])
        self._of = {event.type: source for source in sources for event in source.events}
        self.batch(*(event for source in sources for event in source.events))(self._keep)

    async def _keep(self, tx: Tx, deliveries: Sequence[Delivery]) -> None:
        ids = {self._of[each.event.type].id_of(each.event, each.meta) for each in deliveries}
        known: dict[tuple[UUID, Kind], _Known] = {
            (row.id, row.kind): _Known(row.last_at, row.standing)
            for row in await tx.execute(_READ, {"ids": sorted(ids)})
        }
        rows: list[dict[str, Any]] = []
        for each in deliveries:
            source = self._of[each.event.type]
            id = source.id_of(each.event, each.meta)
            document = known.setdefault((id, source.kind), _Known(each.meta.time, None))
            rows += document.apply(source, id, each)
        told = [{"id": id, "kind": kind, **one.columns()} for (id, kind), one in sorted(known.items()) if one.changed]
        # A statement for all rows, not one for each: a trigger of the table works for every statement.
        if told:
            await tx.execute(_PUT, {"tenant": tx.tenant_id, **_by_column(_DOCUMENTS, told)})
        if rows:
            await tx.execute(_ADD, {"tenant": tx.tenant_id, **_by_column(_MOVEMENTS, rows)})
        await tx.execute(_HEAR, [{"tenant_id": tx.tenant_id, **row} for row in _newest(deliveries)])


class _Known:
    """A document within a batch."""

    def __init__(self, last_at: datetime, standing: dict[str, Any] | None) -> None:
        self._last_at, self._kept = last_at, standing
        self._standing: Standing | None = None
        self.changed = False

    def apply(self, source: Source[Any], id: UUID, delivery: Delivery) -> Iterator[dict[str, Any]]:
        """The rows that the event makes."""
        if self._standing is None and self._kept is not None:
            self._standing = source.standing.model_validate(self._kept)
        # Two transactions that waited for one another may bear times in the other order than their events have.
        at = self._last_at = max(self._last_at, delivery.meta.time.astimezone(UTC))
        before = source.told(self._standing)
        standing = source.fold(self._standing, delivery.event, at)
        if standing is None:
            return
        self._standing, self.changed = standing, True
        after = source.told(standing)
        for place, (sign, (entry, dimensions)) in enumerate(_differences(before, after)):
            yield {
                "id": row_id(delivery.meta.event_id, place),
                "measure": entry.measure,
                "at": entry.at,
                "known_at": at,
                "document_id": id,
                "kind": source.kind,
                **dimensions._asdict(),
                **{name: sign * getattr(entry, name) for name in _SUMS},
                "event_id": delivery.meta.event_id,
            }

    def columns(self) -> dict[str, Any]:
        assert self._standing is not None
        standing = self._standing.model_dump_json(exclude_defaults=True)
        return {"number": self._standing.number, "last_at": self._last_at, "standing": standing}


_Told = Mapping[tuple[str, str], tuple[Entry, Dimensions]]


def _differences(before: _Told, after: _Told) -> Iterator[tuple[int, tuple[Entry, Dimensions]]]:
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key), after.get(key)
        if old != new:
            if old is not None:
                yield -1, old
            if new is not None:
                yield 1, new


def _newest(deliveries: Sequence[Delivery]) -> list[dict[str, Any]]:
    last: dict[tuple[str, int], Meta] = {}
    for each in deliveries:
        place = (each.meta.topic, each.meta.partition)
        if place not in last or last[place].offset < each.meta.offset:
            last[place] = each.meta
    return [
        {
            "topic": topic,
            "partition": partition,
            "offset": meta.offset,
            "event_id": meta.event_id,
            "type": meta.type,
            "recorded_at": meta.time,
        }
        for (topic, partition), meta in sorted(last.items())
    ]


def _by_column(columns: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in columns}


def _given(columns: Mapping[str, Any]) -> Any:
    """Rows of which each column is a parameter, an array."""
    arrays = (bindparam(name, type_=ARRAY(kind)) for name, kind in columns.items())
    named = (column(name, kind) for name, kind in columns.items())
    return func.unnest(*arrays).table_valued(*named, name="given").render_derived().c


_MOMENT = DateTime(timezone=True)
_DOCUMENTS = {"id": Uuid, "kind": Text, "number": Text, "last_at": _MOMENT, "standing": Text}
_MOVEMENTS = {
    "id": Uuid,
    "measure": Text,
    "at": _MOMENT,
    "known_at": _MOMENT,
    "document_id": Uuid,
    "kind": Text,
    **dict.fromkeys(("owner_id", "customer_id"), Uuid),
    **dict.fromkeys(("currency", "label", "segment"), Text),
    "came_of_id": Uuid,
    **dict.fromkeys(("item_id", "warehouse_id"), Uuid),
    **dict.fromkeys(_SUMS, BigInteger),
    "event_id": Uuid,
}
_document: Any = Document.__table__
_movement: Any = Movement.__table__
_heard: Any = Heard.__table__
_READ = select(_document.c.id, _document.c.kind, _document.c.last_at, _document.c.standing).where(
    _document.c.id.in_(bindparam("ids", expanding=True))
)
_tenant: Any = bindparam("tenant", type_=Uuid)
_documents, _movements = _given(_DOCUMENTS), _given(_MOVEMENTS)
_told = [cast(_documents[name], JSONB) if name == "standing" else _documents[name] for name in _DOCUMENTS]
_put = insert(_document).from_select(["tenant_id", *_DOCUMENTS], select(_tenant, *_told))
_ADD = insert(_movement).from_select(
    ["tenant_id", *_MOVEMENTS], select(_tenant, *(_movements[name] for name in _MOVEMENTS))
)
_PUT = _put.on_conflict_do_update(
    index_elements=["tenant_id", "id", "kind"],
    set_={name: _put.excluded[name] for name in ("number", "last_at", "standing")},
)
_hear = insert(_heard)
_HEAR = _hear.on_conflict_do_update(
    index_elements=["tenant_id", "topic", "partition"],
    set_={name: _hear.excluded[name] for name in ("offset", "event_id", "type", "recorded_at")},
    where=_heard.c.offset < _hear.excluded.offset,
)
