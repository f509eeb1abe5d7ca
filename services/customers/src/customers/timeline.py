"""What happened with a customer, in one line of time: whatever any context tells of it, each entry for those who may see that context's rows.

Which events are told is declared in `sources`. An entry belongs to the customer that its document belongs to now: where a document moves to another
customer, or learns of its own only later, as a shipment does by its order, its entries move with it. What two partitions tell about one document may
come in either order, and side by side; the rows are the same, since the writer holds the row of the document.

A batch is a handful of statements, however many events it has.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    DateTime,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    column,
    false,
    func,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, contains_eager, foreign, mapped_column, relationship

from customers.models import Base
from tailrace.core.context import Principal, Reach
from tailrace.core.events import Event
from tailrace.db.database import Tx
from tailrace.db.keys import tenant_index
from tailrace.db.models import TenantRow
from tailrace.http.auth import Colleagues
from tailrace.http.pagination import PageRequest, rows_of
from tailrace.messaging.subscribers import Delivery, Projection

ABSENT = object()


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


@dataclass(frozen=True)
class Told:
    """An event that makes an entry, with the fields that the entry shows besides."""

    event: type[Event]
    details: tuple[str, ...] = ()
    moment: str | None = None
    """The field that says when it happened; when it was recorded, without one."""
    scope: str | None = None
    """What it takes to see it, where that is another scope than its source's."""


@dataclass(frozen=True)
class Source:
    """A kind of document: its events, and the fields of theirs that say what it is. Raises TypeError for an event without its key, or a detail."""

    kind: str
    scope: str
    """What it takes to see such documents; where it is granted by owner, their `owner` counts."""
    key: str
    """The field with the document's id."""
    title: str | None = None
    """What it is called, as a format over the event's fields."""
    customer: str | None = "customer_id"
    owner: str | None = None
    parent: str | None = None
    tells: tuple[Told, ...] = ()
    describes: tuple[type[Event], ...] = ()
    """Events that make no entry, and say something new of the document."""

    def __post_init__(self) -> None:
        wanted = [(told.event, (self.key, *told.details, told.moment)) for told in self.tells]
        wanted += [(event, (self.key,)) for event in self.describes]
        for event, names in wanted:
            if missing := [name for name in names if name and name not in event.model_fields]:
                raise TypeError(f"{event.type} does not say {', '.join(missing)}")

    @property
    def events(self) -> tuple[type[Event], ...]:
        return (*(told.event for told in self.tells), *self.describes)

    def titled(self, event: Event) -> Any:
        if self.title is None:
            return ABSENT
        try:
            return self.title.format_map(dict(event))
        except KeyError:
            return ABSENT


@dataclass
class _Subject:
    parent_id: Any = ABSENT
    customer_id: Any = ABSENT
    owner_id: Any = ABSENT
    title: Any = ABSENT

    def learn(self, source: Source, event: Event) -> None:
        for name, said in (("parent_id", source.parent), ("customer_id", source.customer), ("owner_id", source.owner)):
            if said is not None and said in type(event).model_fields:
                setattr(self, name, getattr(event, said))
        if (title := source.titled(event)) is not ABSENT:
            self.title = title


@dataclass
class _Batch:
    subjects: dict[UUID, _Subject] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)


class Timeline(Projection):
    """The projection that keeps the timelines of all customers."""

    def __init__(self, name: str, sources: Sequence[Source]) -> None:
        super().__init__(name, tables=[TimelineSubject, TimelineEntry])
        self.sources = sources
        self.kinds = sorted({source.kind for source in sources})
        self._of = {event.type: source for source in sources for event in source.events}
        self._told = {told.event.type: told for source in sources for told in source.tells}
        self._scopes = {type: told.scope or self._of[type].scope for type, told in self._told.items()}
        self.batch(*(event for source in sources for event in source.events))(self._keep)

    def visible_to(self, who: Principal, colleagues: Collection[UUID]) -> ColumnElement[bool]:
        """Which entries somebody may see. A customer's own come with the customer, who was found by then."""
        seen: dict[Reach, list[str]] = {}
        for type, scope in self._scopes.items():
            own = self._of[type].kind == "customer" and scope == self._of[type].scope
            reach = Reach.ALL if own else who.reach(scope)
            if reach is not None:
                seen.setdefault(reach, []).append(type)
        owner = TimelineSubject.owner_id
        whose = {Reach.TEAM: owner.in_(colleagues), Reach.OWN: owner == who.user_id}
        return or_(
            false(),
            *(
                and_(TimelineEntry.type.in_(types), whose[reach]) if reach in whose else TimelineEntry.type.in_(types)
                for reach, types in seen.items()
            ),
        )

    async def shown_to(
        self, tx: Tx, who: Principal, customers: Sequence[UUID], teams: Colleagues
    ) -> Callable[[PageRequest], Select[Any]]:
        """The entries of these customers that somebody may see. Of each customer no more are read than a page shows."""
        reaches = {who.reach(scope) for scope in self._scopes.values()}
        colleagues = await teams.colleagues(tx, who.user_id) if Reach.TEAM in reaches else ()
        visible = self.visible_to(who, colleagues)
        entries = select(TimelineEntry).join(TimelineEntry.subject).options(contains_eager(TimelineEntry.subject))

        def of_page(page: PageRequest) -> Select[Any]:
            if len(customers) == 1:
                return entries.where(TimelineEntry.customer_id == customers[0], visible)
            each = (
                func.unnest(literal(list(customers), ARRAY(Uuid)))
                .table_valued(column("id", Uuid))
                .render_derived(name="each")
            )
            theirs = select(TimelineEntry.id).join(TimelineEntry.subject)
            theirs = theirs.where(TimelineEntry.customer_id == each.c.id, visible)
            first = rows_of(theirs, page).correlate(each).lateral("first")
            return entries.where(TimelineEntry.id.in_(select(first.c.id).select_from(each.join(first, true()))))

        return of_page

    async def _keep(self, tx: Tx, deliveries: Sequence[Delivery]) -> None:
        batch = _Batch()
        for delivery in deliveries:
            self._take(batch, delivery)
        await _write(tx, batch)

    def _take(self, batch: _Batch, delivery: Delivery) -> None:
        event, meta = delivery.event, delivery.meta
        source = self._of[event.type]
        id = getattr(event, source.key)
        batch.subjects.setdefault(id, _Subject()).learn(source, event)
        told = self._told.get(event.type)
        if told is not None:
            batch.entries.append(
                {
                    "id": meta.event_id,
                    "subject_id": id,
                    "kind": source.kind,
                    "type": event.type,
                    "occurred_at": meta.time if told.moment is None else getattr(event, told.moment),
                    "details": _details(event, told.details),
                }
            )


def _details(event: Event, names: tuple[str, ...]) -> str:
    return event.model_dump_json(include=set(names)) if names else "{}"


async def _write(tx: Tx, batch: _Batch) -> None:
    known = batch.subjects
    parents = sorted({each.parent_id for each in known.values() if isinstance(each.parent_id, UUID)})
    children = sorted(id for id, each in known.items() if isinstance(each.parent_id, UUID))
    first = sorted({*parents, *known} - set(children))
    every = sorted({*parents, *known})
    await tx.execute(_INSERT, {"tenant": tx.tenant_id, "ids": every})
    # Documents before those that hang on them, so that nobody waits for one while holding the other the wrong way round.
    for ids in (first, children):
        if ids:
            await tx.execute(_LOCK, {"ids": ids})
    await tx.execute(_LEARN, _columns(known))
    if parents or first:
        await tx.execute(_INHERIT, {"ids": every})
    await tx.execute(_MOVE, {"ids": every})
    if batch.entries:
        rows = {name: [entry[name] for entry in batch.entries] for name in _ENTRY}
        await tx.execute(_ENTER, {"tenant": tx.tenant_id, **rows})


def _columns(known: Mapping[UUID, _Subject]) -> dict[str, Any]:
    said: dict[str, Any] = {"ids": list(known)}
    for name in _SAID:
        values = [getattr(each, name) for each in known.values()]
        said[name] = [None if value is ABSENT else value for value in values]
        said[f"says_{name}"] = [value is not ABSENT for value in values]
    return said


def _arrays(names: Iterable[tuple[str, Any]], alias: str) -> Any:
    """Rows of which each column is a parameter, an array."""
    pairs = list(names)
    arrays = (bindparam(name, type_=ARRAY(kind)) for name, kind in pairs)
    return func.unnest(*arrays).table_valued(*(column(name, kind) for name, kind in pairs), name=alias).render_derived()


_SAID = {"parent_id": Uuid, "customer_id": Uuid, "owner_id": Uuid, "title": Text}
_ENTRY = ("id", "subject_id", "kind", "type", "occurred_at", "details")
_subject: Any = TimelineSubject.__table__
_entry: Any = TimelineEntry.__table__
_parent: Any = _subject.alias("parent")
_ids = any_(bindparam("ids", type_=ARRAY(Uuid)))
_fresh = _arrays([("ids", Uuid)], "fresh")
_INSERT = (
    insert(_subject)
    .from_select(["tenant_id", "id"], select(bindparam("tenant", type_=Uuid), _fresh.c.ids))
    .on_conflict_do_nothing()
)
_LOCK = select(_subject.c.id).where(_subject.c.id == _ids).order_by(_subject.c.id).with_for_update()
_said = _arrays(
    [("ids", Uuid), *_SAID.items(), *((f"says_{name}", Boolean) for name in _SAID)],
    "said",
)
_LEARN = (
    update(_subject)
    .where(_subject.c.id == _said.c.ids)
    .values({name: case((_said.c[f"says_{name}"], _said.c[name]), else_=_subject.c[name]) for name in _SAID})
)
_INHERIT = (
    update(_subject)
    .where(
        _subject.c.parent_id == _parent.c.id,
        or_(_subject.c.id == _ids, _parent.c.id == _ids),
        _subject.c.customer_id.is_distinct_from(_parent.c.customer_id),
    )
    .values(customer_id=_parent.c.customer_id)
)
_MOVE = (
    update(_entry)
    .where(
        _entry.c.subject_id == _subject.c.id,
        or_(_subject.c.id == _ids, _subject.c.parent_id == _ids),
        _entry.c.customer_id.is_distinct_from(_subject.c.customer_id),
    )
    .values(customer_id=_subject.c.customer_id)
)
_rows = _arrays(
    [
        ("id", Uuid),
        ("subject_id", Uuid),
        ("kind", Text),
        ("type", Text),
        ("occurred_at", DateTime(True)),
        ("details", Text),
    ],
    "rows",
)
_ENTER = (
    insert(_entry)
    .from_select(
        ["tenant_id", "id", "subject_id", "customer_id", "kind", "type", "occurred_at", "details"],
        select(
            bindparam("tenant", type_=Uuid),
            _rows.c.id,
            _rows.c.subject_id,
            _subject.c.customer_id,
            _rows.c.kind,
            _rows.c.type,
            _rows.c.occurred_at,
            cast(_rows.c.details, JSONB),
        ).join(_subject, _subject.c.id == _rows.c.subject_id),
    )
    .on_conflict_do_nothing()
)
