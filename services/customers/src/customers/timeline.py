"""What happened with a customer, in one line of time: whatever any context tells of it, each entry for those who may see that context's rows.

Which events are told is declared in `sources`. An entry belongs to the customer that its document belongs to now: where a document moves to another
customer, or learns of its own only later, as a shipment does by its order, its entries move with it. What two partitions tell about one document may
come in either order, and side by side; the rows are the same, since the writer holds the row of the document.

A batch of events is written by `timeline_rows`.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Uuid,
    and_,
    column,
    false,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.orm import contains_eager

from customers.timeline_rows import Batch, TimelineEntry, TimelineSubject, write
from tailrace.core.context import Principal, Reach
from tailrace.core.events import Event
from tailrace.db.database import Tx
from tailrace.http.auth import Colleagues
from tailrace.http.lists.pagination import PageRequest, rows_of
from tailrace.messaging.subscribers import Delivery, Projection


@dataclass(frozen=True)
class Told:
    """An event that makes an entry, with the fields that the entry shows besides."""

    event: type[Event]
    details: tuple[str, ...] = ()
    moment: str | None = None
    """The field that says when it happened; when it was recorded, without one."""
    scope: str | None = None
    """What it takes to see it, where that is another scope than its source's."""
    titled: bool = True
    """Whether it calls the document what it is called. What only a part of it bears, such as a number, is no title of the document's."""


@dataclass(frozen=True)
class Source:
    """A kind of document: its events, and the fields of theirs that say what it is. Raises TypeError for an event without its key or a detail."""

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
    """The field with the document that says whose this one is, instead of `customer`."""
    tells: tuple[Told, ...] = ()
    describes: tuple[type[Event], ...] = ()
    """Events that make no entry, and say something new of the document."""

    def __post_init__(self) -> None:
        if self.parent is not None and self.customer is not None:
            raise TypeError(f"{self.kind}: whose it is, its parent says")
        wanted = [(told.event, (self.key, *told.details, told.moment)) for told in self.tells]
        wanted += [(event, (self.key,)) for event in self.describes]
        for event, names in wanted:
            if missing := [name for name in names if name and name not in event.model_fields]:
                raise TypeError(f"{event.type} does not say {', '.join(missing)}")

    @property
    def events(self) -> tuple[type[Event], ...]:
        return (*(told.event for told in self.tells), *self.describes)

    def columns(self, event: type[Event]) -> tuple[tuple[str, str], ...]:
        """What an event says of its document: each column, and the field that fills it."""
        named = (("parent_id", self.parent), ("customer_id", self.customer), ("owner_id", self.owner))
        return tuple((filled, name) for filled, name in named if name is not None and name in event.model_fields)

    def titles(self, event: type[Event]) -> str | None:
        """The format of the title, if the event has all that it names."""
        names = {name for _, name, _, _ in Formatter().parse(self.title or "") if name}
        return self.title if names and names <= event.model_fields.keys() else None


class Timeline(Projection):
    """The projection that keeps the timelines of all customers."""

    def __init__(self, name: str, sources: Sequence[Source]) -> None:
        super().__init__(name, tables=[TimelineSubject, TimelineEntry])
        self.sources = sources
        self.kinds = sorted({source.kind for source in sources})
        self._of = {event.type: source for source in sources for event in source.events}
        told = {told.event.type: told for source in sources for told in source.tells}
        self._scopes = {type: each.scope or self._of[type].scope for type, each in told.items()}
        self._tells = {
            type: (self._of[type].kind, each.moment, set(each.details) or None) for type, each in told.items()
        }
        untitled = {told.event for source in sources for told in source.tells if not told.titled}
        self._says = {
            event.type: (source.key, source.columns(event), source.titles(event) if event not in untitled else None)
            for source in sources
            for event in source.events
        }
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
        batch = Batch()
        for delivery in deliveries:
            self._take(batch, delivery)
        await write(tx, batch)

    def _take(self, batch: Batch, delivery: Delivery) -> None:
        event, meta = delivery.event, delivery.meta
        key, columns, title = self._says[event.type]
        fields = vars(event)
        id = fields[key]
        said = batch.subjects.setdefault(id, {})
        for filled, name in columns:
            said[filled] = fields[name]
        if title is not None:
            said["title"] = title.format_map(fields)
        told = self._tells.get(event.type)
        if told is not None:
            kind, moment, details = told
            batch.entries.append(
                {
                    "id": meta.event_id,
                    "subject_id": id,
                    "kind": kind,
                    "type": event.type,
                    "occurred_at": meta.time if moment is None else fields[moment],
                    "details": event.model_dump_json(include=details) if details else "{}",
                }
            )
