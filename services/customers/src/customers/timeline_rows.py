"""The rows of timelines, and how a batch of events becomes some: a handful of statements, however many events it has.

What a document is by now is worked out here, so that a row is written once, and again only where something new is said of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Row, Text, Uuid, and_, any_, bindparam, cast, column, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from customers.models import Base
from tailrace.db.database import Tx
from tailrace.db.keys import tenant_index
from tailrace.db.models import TenantRow

State = dict[str, Any]
"""Columns of a TimelineSubject but its key."""


class TimelineSubject(TenantRow, Base):
    """A document, or the customer itself: whose it is, what it is called, and who looks after it by now."""

    __tablename__ = "timeline_subject"
    __table_args__ = (tenant_index("parent_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    parent_id: Mapped[UUID | None]
    """The document that says whose this one is."""
    customer_id: Mapped[UUID | None]
    owner_id: Mapped[UUID | None]
    title: Mapped[str | None]


class TimelineEntry(TenantRow, Base):
    """One thing that happened, under the id of the event that told it."""

    __tablename__ = "timeline_entry"
    __table_args__ = (tenant_index("customer_id", "occurred_at", "id"), tenant_index("subject_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    subject_id: Mapped[UUID]
    customer_id: Mapped[UUID | None]
    kind: Mapped[str]
    type: Mapped[str]
    occurred_at: Mapped[datetime]
    details: Mapped[dict[str, Any]]
    subject: Mapped[TimelineSubject] = relationship(
        primaryjoin=lambda: and_(
            foreign(TimelineEntry.tenant_id) == TimelineSubject.tenant_id,
            foreign(TimelineEntry.subject_id) == TimelineSubject.id,
        ),
        viewonly=True,
    )

    @property
    def title(self) -> str | None:
        return self.subject.title

    @property
    def owner_id(self) -> UUID | None:
        return self.subject.owner_id


@dataclass
class Batch:
    """What some events say: of which documents, and what happened with them, in the columns of TimelineEntry."""

    subjects: dict[UUID, State] = field(default_factory=dict)
    """By document, what is said of it, and nothing of what is not."""
    entries: list[dict[str, Any]] = field(default_factory=list)

    def parents(self) -> set[UUID]:
        return {parent for said in self.subjects.values() if (parent := said.get("parent_id")) is not None}


async def write(tx: Tx, batch: Batch) -> None:
    """Write what is new in `batch`. The entries of a document whose customer changed go with it, those of its children too."""
    ids = sorted({*batch.parents(), *batch.subjects}, key=_IN_ORDER)
    # A plan that was made while the tables were small, as they are when a rebuild begins, would go on reading them whole.
    await tx.execute(_PLAN_EACH_TIME)
    seen = {row.id: _state(row) for row in await tx.execute(_READ, {"ids": ids})}
    states = _learned(batch, seen)
    written: dict[UUID, State] = {}
    if missing := [id for id in ids if id not in seen]:
        made = await tx.scalars(_INSERT, {"tenant": tx.tenant_id, **_columns(missing, states)})
        written = {id: states[id] for id in made}
    held = await _lock(tx, batch, [id for id in ids if id not in written])
    # What was read without a lock, or could not be written since another writer was first, may say something else by now.
    if held != seen:
        states = _learned(batch, {**written, **held})
    written |= held
    if changed := [id for id in ids if states[id] != written[id]]:
        await tx.execute(_UPDATE, _columns(changed, states))
    moved = [id for id in changed if id in held and states[id]["customer_id"] != held[id]["customer_id"]]
    if moved:
        children = (await tx.scalars(_INHERIT, {"ids": moved})).all()
        await tx.execute(_MOVE, {"ids": [*moved, *children]})
    if batch.entries:
        entries = {name: [entry[name] for entry in batch.entries] for name in _ENTRY}
        whose = [states[entry["subject_id"]]["customer_id"] for entry in batch.entries]
        await tx.execute(_ENTER, {"tenant": tx.tenant_id, **entries, "customer_id": whose})


async def _lock(tx: Tx, batch: Batch, ids: list[UUID]) -> dict[UUID, State]:
    """Documents before those that hang on them, so that nobody waits for one while holding the other the wrong way round."""
    held: dict[UUID, State] = {}
    hanging = {id for id, said in batch.subjects.items() if said.get("parent_id") is not None}
    for some in ([id for id in ids if id not in hanging], [id for id in ids if id in hanging]):
        if some:
            held |= {row.id: _state(row) for row in await tx.execute(_LOCK, {"ids": some})}
    return held


def _learned(batch: Batch, known: Mapping[UUID, State]) -> dict[UUID, State]:
    """What each document of the batch is, and each parent: what is known of it, and what is said. Whose a child is its parent decides."""
    states = {id: dict(state) for id, state in known.items()}
    for id, said in batch.subjects.items():
        states[id] = {**states.get(id, _NOTHING), **said}
    for id in batch.parents() - states.keys():
        states[id] = dict(_NOTHING)
    for state in states.values():
        if (parent := states.get(state["parent_id"])) is not None:
            state["customer_id"] = parent["customer_id"]
    return states


def _state(row: Row[Any]) -> State:
    return dict(zip(_SAID, row[1:], strict=True))


def _columns(ids: list[UUID], states: Mapping[UUID, State]) -> dict[str, Any]:
    return {"ids": ids, **{name: [states[id][name] for id in ids] for name in _SAID}}


def _arrays(names: Iterable[tuple[str, Any]], alias: str) -> Any:
    """Rows of which each column is a parameter, an array."""
    pairs = list(names)
    arrays = (bindparam(name, type_=ARRAY(kind)) for name, kind in pairs)
    return func.unnest(*arrays).table_valued(*(column(name, kind) for name, kind in pairs), name=alias).render_derived()


_IN_ORDER = attrgetter("int")
"""Of UUIDs, one order for all writers; they themselves are compared slowly."""
_SAID = {"parent_id": Uuid, "customer_id": Uuid, "owner_id": Uuid, "title": Text}
_NOTHING: State = dict.fromkeys(_SAID)
_ENTRY = {"id": Uuid, "subject_id": Uuid, "kind": Text, "type": Text, "occurred_at": DateTime(True), "details": Text}
_PLAN_EACH_TIME = text("SET LOCAL plan_cache_mode = force_custom_plan")
_subject: Any = TimelineSubject.__table__
_entry: Any = TimelineEntry.__table__
_parent: Any = _subject.alias("parent")
_ids = any_(bindparam("ids", type_=ARRAY(Uuid)))
_said = _arrays([("ids", Uuid), *_SAID.items()], "said")
_READ = select(_subject.c.id, *(_subject.c[name] for name in _SAID)).where(_subject.c.id == _ids)
_LOCK = _READ.order_by(_subject.c.id).with_for_update()
_INSERT = (
    insert(_subject)
    .from_select(
        ["tenant_id", "id", *_SAID],
        select(bindparam("tenant", type_=Uuid), _said.c.ids, *(_said.c[name] for name in _SAID)),
    )
    .on_conflict_do_nothing()
    .returning(_subject.c.id)
)
_UPDATE = update(_subject).where(_subject.c.id == _said.c.ids).values({name: _said.c[name] for name in _SAID})
_INHERIT = (
    update(_subject)
    .where(
        _subject.c.parent_id == _parent.c.id,
        _parent.c.id == _ids,
        _subject.c.customer_id.is_distinct_from(_parent.c.customer_id),
    )
    .values(customer_id=_parent.c.customer_id)
    .returning(_subject.c.id)
)
_MOVE = (
    update(_entry)
    .where(
        _entry.c.subject_id == _subject.c.id,
        _subject.c.id == _ids,
        _entry.c.customer_id.is_distinct_from(_subject.c.customer_id),
    )
    .values(customer_id=_subject.c.customer_id)
)
_rows = _arrays([*_ENTRY.items(), ("customer_id", Uuid)], "rows")
_ENTER = (
    insert(_entry)
    .from_select(
        ["tenant_id", *_ENTRY, "customer_id"],
        select(
            bindparam("tenant", type_=Uuid),
            *(cast(_rows.c[name], JSONB) if name == "details" else _rows.c[name] for name in _ENTRY),
            _rows.c.customer_id,
        ),
    )
    .on_conflict_do_nothing()
)
