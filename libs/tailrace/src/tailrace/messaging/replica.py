"""What a service keeps of another context: rows that follow that context's events, so that a command can look things up without asking.

A replica is declared: a table whose columns are fields of the events that describe a thing, each of which carries the whole of it. The newest
description is the row; parts are replaced as a whole; what was deleted there stays here, inactive, so that it is told from what has not arrived::

    class ItemCopy(Replica, Base):
        __tablename__ = "item_copy"
        sku: Mapped[str]

    ITEM = Described("item_id", (ItemCreated, ItemUpdated), ItemDeleted)  # beside the events

    catalog = replica("orders.catalog", Source(ItemCopy, *ITEM))
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Integer, Table, Uuid, bindparam, delete, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import InstrumentedAttribute, Mapped, declared_attr, mapped_column
from sqlalchemy.schema import SchemaItem

from tailrace.core.errors import Invalid, NotYetKnown, Problem
from tailrace.core.events import Event
from tailrace.core.ids import is_recent
from tailrace.core.values.text import folded, plain
from tailrace.db.database import Tx
from tailrace.db.keys import tenant_index
from tailrace.db.models import TenantRow
from tailrace.messaging.subscribers import Delivery, Projection

__all__ = ["Coded", "Known", "Parts", "Replica", "Source", "absent", "by_code", "by_ids", "followed", "replica"]


class Replica(TenantRow):
    """A row that follows something of another context's. `active` is false once that was deleted, or says that it is out of use."""

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    active: Mapped[bool]


class Coded(Replica):
    """A copy that is found by its code in whatever spelling: NFKC and case folding make one of them all, as where the code is given.

    Where case counts, as with units of measure, it is a Replica with a `code`.
    """

    code_field: ClassVar[str] = "code"

    code_key: Mapped[str] = mapped_column(sort_order=89)
    """What the code has in common with every other spelling of it."""

    @declared_attr.directive
    def __table_args__(cls) -> tuple[SchemaItem, ...]:  # noqa: N805  (SQLAlchemy calls it with the class)
        return (tenant_index("code_key"),)


@dataclass(frozen=True)
class Parts:
    """Rows below a copy (a price list's prices), replaced as a whole. `field` of the event lists them, `parent` is the column of the copy's id."""

    table: type[TenantRow]
    field: str
    parent: str


@dataclass(frozen=True)
class Source:
    """Where a copy comes from: events that describe the whole thing, each with its id in the field `key`, and the one that ends it.

    Raises TypeError when an event has no field for one of the columns.
    """

    table: type[Replica]
    key: str
    told_by: tuple[type[Event], ...]
    ended_by: type[Event] | None = None
    parts: Parts | None = None

    def __post_init__(self) -> None:
        for event in self.told_by:
            missing = [name for name in self._columns if name not in event.model_fields and name not in _MADE]
            missing += [
                name for name in (self.key, self.parts and self.parts.field) if name and name not in event.model_fields
            ]
            if missing:
                raise TypeError(f"{event.type} does not say {', '.join(missing)} of {self.table.__name__}")

    @property
    def events(self) -> tuple[type[Event], ...]:
        return (*self.told_by, *((self.ended_by,) if self.ended_by is not None else ()))

    @cached_property
    def _columns(self) -> Sequence[str]:
        return [column.name for column in _table(self.table).c if column.name not in {"tenant_id", "id"}]

    @cached_property
    def _part_columns(self) -> Sequence[str]:
        assert self.parts is not None
        return [
            column.name for column in _table(self.parts.table).c if column.name not in {"tenant_id", self.parts.parent}
        ]

    @cached_property
    def _upsert(self) -> Any:
        fresh = insert(_table(self.table))
        return fresh.on_conflict_do_update(
            index_elements=["tenant_id", "id"], set_={name: fresh.excluded[name] for name in self._columns}
        )

    async def apply(self, tx: Tx, deliveries: Sequence[Delivery]) -> None:
        """Write what these events, in their order, lead to: a few statements, however many they are."""
        told: dict[UUID, Event] = {}
        ended: dict[UUID, bool] = {}
        for delivery in deliveries:
            id = getattr(delivery.event, self.key)
            ended[id] = delivery.event.type == (self.ended_by and self.ended_by.type)
            if not ended[id]:
                told[id] = delivery.event
        if told:
            rows = [{**self._row(event), "tenant_id": tx.tenant_id, "id": id} for id, event in told.items()]
            await tx.execute(self._upsert, rows)
            if self.parts is not None:
                await self._replace_parts(tx, self.parts, told)
        gone = [id for id, is_over in ended.items() if is_over]
        if gone:
            await tx.execute(
                update(_table(self.table)).where(_of_these(self.table)).values(active=False), {"ids": gone}
            )

    def _row(self, event: Event) -> dict[str, Any]:
        row = {"active": True, **_columns_of(event, _table(self.table), self._columns)}
        return {**row, "code_key": folded(row[self.table.code_field])} if issubclass(self.table, Coded) else row

    async def _replace_parts(self, tx: Tx, parts: Parts, told: Mapping[UUID, Event]) -> None:
        table = _table(parts.table)
        of_these = table.c[parts.parent].in_(bindparam("ids", expanding=True))
        await tx.execute(delete(table).where(of_these), {"ids": list(told)})
        same = {"tenant_id": tx.tenant_id}
        rows = [
            {**same, parts.parent: id, **_columns_of(part, table, self._part_columns)}
            for id, event in told.items()
            for part in getattr(event, parts.field)
        ]
        key = [column.name for column in table.primary_key]
        # The same part twice in one event: the later one counts.
        once = {tuple(row[name] for name in key): row for row in rows}
        if once:
            await tx.execute(insert(table), list(once.values()))


def replica(name: str, *sources: Source) -> Projection:
    """The projection that keeps these copies, under a name that is never changed. Rebuilt, it comes out the same.

    Of two sources of one table, the later says what else ends its rows.
    """
    tables = [source.table for source in sources] + [source.parts.table for source in sources if source.parts]
    projection = Projection(name, tables=list(dict.fromkeys(tables)))
    by_type = {event.type: source for source in sources for event in source.events}

    @projection.batch(*(event for source in sources for event in source.events))
    async def keep(tx: Tx, deliveries: Sequence[Delivery]) -> None:
        for source in sources:
            mine = [delivery for delivery in deliveries if by_type[delivery.event.type] is source]
            if mine:
                await source.apply(tx, mine)

    return projection


_MADE = {"active", "code_key"}
"""Columns that are no fields of an event, or need not be."""
_LONGEST_CHAIN = 20
"""Nobody merges in a circle; if they did, a query would not go on for ever."""

AnyReplica = TypeVar("AnyReplica", bound=Replica)


class Known(dict[UUID, AnyReplica], Generic[AnyReplica]):
    """Copies by their ids, and what to say of an id that is not among them."""

    def __init__(self, kind: type[AnyReplica], rows: Collection[AnyReplica]) -> None:
        super().__init__({row.id: row for row in rows})
        self._noun = kind.__tablename__.removesuffix("_copy").replace("_", " ")  # type: ignore[attr-defined]

    def known(self, id: UUID, field: str) -> AnyReplica:
        """The copy, in use or not. Raises what `absent` says."""
        row = self.get(id)
        if row is None:
            raise absent(id, field, f"There is no {self._noun} {id} here.")
        return row

    def in_use(self, id: UUID, field: str) -> AnyReplica:
        """The copy of what is in use. Raises what `absent` says, and Invalid for one that was deleted or is out of use."""
        row = self.known(id, field)
        if not row.active:
            raise Invalid.field(field, f"The {self._noun} {id} is no longer in use.")
        return row


async def followed(tx: Tx, into: InstrumentedAttribute[UUID], id: UUID) -> UUID:
    """What a thing stands for by now that may have been merged into another, and that into a third: itself, as long as it was not.

    `into` is the column of a copy that says so, one row for each thing that was merged, inactive once that was undone. One query.
    """
    merge = into.class_
    chain = select(literal(id, Uuid).label("id"), literal(0, Integer).label("step")).cte(recursive=True)
    further = select(into, chain.c.step + 1).join(chain, chain.c.id == merge.id)
    chain = chain.union_all(further.where(merge.active, chain.c.step < _LONGEST_CHAIN))
    last: UUID = (await tx.scalars(select(chain.c.id).order_by(chain.c.step.desc()).limit(1))).one()
    return last


def absent(id: UUID, field: str, detail: str) -> Problem:
    """How to refuse an id that nothing here has: NotYetKnown (409, try again) within a minute of its making, Invalid (422) ever after.

    An id tells when it was made (UUIDv7). One that is no such id was never given out here.
    """
    return NotYetKnown(field, detail) if is_recent(id) else Invalid.field(field, detail)


async def by_ids(tx: Tx, kind: type[AnyReplica], ids: Collection[UUID]) -> Known[AnyReplica]:
    """The copies with these ids, in one query; none when there are none."""
    if not ids:
        return Known(kind, ())
    return Known(kind, (await tx.scalars(select(kind).where(kind.id.in_(set(ids))))).all())


async def by_code(tx: Tx, kind: type[AnyReplica], codes: Collection[str]) -> dict[str, AnyReplica]:
    """The copies with these codes, as they were asked for, in one query; none when there are none.

    A code is found in any spelling that is the same. Of those that share one, it is the copy in use, else one of those that were; of several, the
    one that is spelled like that, else the newest.
    """
    column, said = ("code_key", kind.code_field) if issubclass(kind, Coded) else ("code", "code")
    keys = {code: folded(plain(code)) if issubclass(kind, Coded) else plain(code) for code in codes}
    if not keys:
        return {}
    query = select(kind).where(getattr(kind, column).in_(set(keys.values()))).order_by(kind.active, kind.id)
    alike: dict[str, AnyReplica] = {}
    exactly: dict[tuple[str, bool], AnyReplica] = {}
    for row in await tx.scalars(query):
        alike[getattr(row, column)] = row
        exactly[getattr(row, said), row.active] = row
    found = {code: alike[key] for code, key in keys.items() if key in alike}
    return {code: exactly.get((plain(code), row.active), row) for code, row in found.items()}


def _columns_of(source: BaseModel, table: Table, names: Collection[str]) -> dict[str, Any]:
    """These columns as the event, or the part, has them; what goes into a JSONB column in the form of JSON."""
    as_json = {name for name in names if isinstance(table.c[name].type, JSONB)}
    return {
        **source.model_dump(include=set(names) - as_json),
        **source.model_dump(include=as_json, mode="json"),
    }


def _of_these(kind: type[Replica]) -> Any:
    return kind.id.in_(bindparam("ids", expanding=True))


def _table(kind: type[TenantRow]) -> Table:
    table: Table = kind.__table__  # type: ignore[attr-defined]
    return table
