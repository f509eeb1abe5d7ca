"""What is in use is not deleted: an owner keeps, from the events of those who use its rows, who needs which, and refuses while anybody does::

    class Use(UseRow, Base):
        __tablename__ = "use"

    uses = Uses("catalog.uses", Use)

    @uses.told_by(OrderCreated, OrderChanged)
    def order(event: OrderCreated | OrderChanged) -> Needs:
        return Needs("order", event.order_id, {line.item_id for line in event.lines}, link=…, name=event.number)

Who uses a row can be heard of after its deletion, having begun before. Then the deletion was a mistake, and `restoring` undoes it: the later truth
corrects the state, by an event that names what it was.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ARRAY, Table, Uuid, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, declared_attr, mapped_column
from sqlalchemy.schema import SchemaItem

from tailrace.core.errors import InUse, Refused
from tailrace.core.events import Event, Meta
from tailrace.db.database import Tx
from tailrace.db.keys import tenant_index
from tailrace.db.master_data import MasterData
from tailrace.db.models import TenantRow
from tailrace.db.text_search.among import among
from tailrace.messaging.subscribers import Delivery, Projection, Reaction, answering
from tailrace.observability.logs import log

__all__ = ["Adds", "Needs", "UseRow", "Uses", "refuse_used", "restoring"]

_NAMED = 5
"""How many of those who need something a refusal names."""


class UseRow(TenantRow):
    """Somebody needs a row of this service. `amount` is one for a document, for a balance what it stands at; at zero the row goes."""

    @declared_attr.directive
    def __table_args__(cls) -> tuple[SchemaItem, ...]:  # noqa: N805  (SQLAlchemy calls it with the class)
        return (tenant_index("user_id", "kind"),)

    used_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    kind: Mapped[str] = mapped_column(primary_key=True, sort_order=-9)
    user_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-8)
    name: Mapped[str | None]
    link: Mapped[str]
    amount: Mapped[Decimal]


@dataclass(frozen=True, slots=True)
class Needs:
    """A document needs exactly `things` from now on: none when it has ended.

    `link` is the path where it can be read. Without a `name` it keeps the one that it had.
    """

    kind: str
    id: UUID
    things: Collection[UUID]
    link: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Adds:
    """A balance has so much more, or less, of each of `things`, and needs them until it is zero."""

    kind: str
    id: UUID
    things: Collection[UUID]
    link: str
    amount: Decimal


Said = Needs | Adds | Iterable[Needs | Adds]
AnyTeller = TypeVar("AnyTeller", bound=Callable[[Any], Said])


class Uses(Projection):
    """The read model of who needs what; `told_by` says what an event means for it."""

    def __init__(self, name: str, table: type[UseRow]) -> None:
        super().__init__(name, tables=[table])
        self.table: Table = table.__table__  # type: ignore[attr-defined]
        self._tellers: dict[str, Callable[[Any], Said]] = {}

    def told_by(self, *events: type[Event]) -> Callable[[AnyTeller], AnyTeller]:
        """Register `def teller(event)`, which returns what the event says: Needs, Adds, several, or none."""

        def register(teller: AnyTeller) -> AnyTeller:
            async def keep(tx: Tx, event: Any, meta: Meta) -> None:
                await self.handle(tx, [Delivery(event, meta)])

            self.on(*events)(keep)
            self._tellers |= dict.fromkeys((event.type for event in events), teller)
            return teller

        return register

    def said_by(self, event: Event) -> Sequence[Needs | Adds]:
        said = self._tellers[event.type](event)
        return [said] if isinstance(said, Needs | Adds) else list(said)

    async def handle(self, tx: Tx, deliveries: Sequence[Delivery]) -> None:
        """Write what all of them lead to: a few statements, however many they are."""
        needs: dict[tuple[str, UUID], Needs] = {}
        sums: dict[tuple[UUID, str, UUID], dict[str, Any]] = {}
        for said in (one for delivery in deliveries for one in self.said_by(delivery.event)):
            if isinstance(said, Needs):
                before = needs.get((said.kind, said.id))
                name = said.name or (before.name if before is not None else None)
                needs[said.kind, said.id] = Needs(said.kind, said.id, said.things, said.link, name)
                continue
            for thing in said.things:
                row = sums.setdefault((thing, said.kind, said.id), _row(tx, said, thing, None, Decimal(0)))
                row["amount"] += said.amount
        await self._state(tx, list(needs.values()))
        await self._add(tx, list(sums.values()))

    async def _state(self, tx: Tx, needs: Sequence[Needs]) -> None:
        if not needs:
            return
        kept = [{"of_kind": one.kind, "of_user": one.id, "things": list(one.things)} for one in needs]
        await tx.execute(self._end_others, kept)
        rows = [_row(tx, one, thing, one.name, Decimal(1)) for one in needs for thing in sorted(set(one.things))]
        if rows:
            await tx.execute(self._keep, rows)

    async def _add(self, tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
        moved = [row for row in rows if row["amount"]]
        if not moved:
            return
        await tx.execute(self._count, moved)
        await tx.execute(self._end_empty, {"users": list({row["user_id"] for row in moved})})

    @cached_property
    def _keep(self) -> Any:
        fresh = insert(self.table)
        name = func.coalesce(fresh.excluded.name, self.table.c.name)
        return fresh.on_conflict_do_update(
            index_elements=_KEY, set_={"name": name, "link": fresh.excluded.link, "amount": fresh.excluded.amount}
        )

    @cached_property
    def _count(self) -> Any:
        fresh = insert(self.table)
        return fresh.on_conflict_do_update(
            index_elements=_KEY, set_={"amount": self.table.c.amount + fresh.excluded.amount}
        )

    @cached_property
    def _end_others(self) -> Any:
        columns, things = self.table.c, bindparam("things", type_=ARRAY(Uuid))
        mine = (columns.kind == bindparam("of_kind"), columns.user_id == bindparam("of_user"))
        return delete(self.table).where(*mine, columns.used_id != func.all(things))

    @cached_property
    def _end_empty(self) -> Any:
        columns, users = self.table.c, bindparam("users", type_=ARRAY(Uuid))
        return delete(self.table).where(columns.user_id == func.any(users), columns.amount == 0)


_KEY = ["tenant_id", "used_id", "kind", "user_id"]


def _row(tx: Tx, said: Needs | Adds, thing: UUID, name: str | None, amount: Decimal) -> dict[str, Any]:
    who = {"kind": said.kind, "user_id": said.id, "name": name, "link": said.link}
    return {"tenant_id": tx.tenant_id, "used_id": thing, "amount": amount, **who}


async def refuse_used(tx: Tx, table: type[UseRow], id: UUID, what: str) -> None:
    """Raises InUse, which names some of those who need the row, when anybody does. The row is locked, so that nobody is heard of meanwhile."""
    query = select(table).where(table.used_id == id).order_by(table.kind, table.name, table.link).limit(_NAMED + 1)
    users = list(await tx.scalars(query))
    if users:
        named = [" ".join(filter(None, (user.kind, user.name, f"({user.link})"))) for user in users[:_NAMED]]
        more = " and more" if len(users) > _NAMED else ""
        raise InUse(f"{what} is still needed by {', '.join(named)}{more}.")


def restoring(
    name: str, uses: Uses, events: Sequence[type[Event]], kinds: Sequence[type[MasterData]], *, since: datetime
) -> Reaction:
    """The reaction that restores rows of `kinds` that `events` need, which were deleted when nobody had heard of it here.

    List it after `uses` in the manifest. A row whose code another one has by now, or that refers to something deleted, stays deleted, and those who
    use it keep their copies.
    """
    reaction = Reaction(name, since=since)

    @reaction.batch(*events)
    async def restore(tx: Tx, deliveries: Sequence[Delivery]) -> None:
        needed = {delivery.meta.event_id: _things(uses.said_by(delivery.event)) for delivery in deliveries}
        deleted = {kind: await _deleted(tx, kind, set().union(*needed.values())) for kind in kinds}
        if not any(deleted.values()):
            return
        for delivery in answering(tx, deliveries):
            for kind, ids in deleted.items():
                for id in sorted(ids & needed[delivery.meta.event_id]):
                    if await _restore(tx, kind, id, delivery.event.type):
                        ids.discard(id)

    return reaction


def _things(said: Iterable[Needs | Adds]) -> set[UUID]:
    return {thing for one in said for thing in one.things if isinstance(one, Needs) or one.amount > 0}


async def _deleted(tx: Tx, kind: type[MasterData], things: Collection[UUID]) -> set[UUID]:
    """Those of these rows that are deleted. The lock makes a deletion under way and this transaction take turns: the later one sees what the
    earlier did."""
    if not things:
        return set()
    locked = select(kind.id, kind.deleted_at).where(among(kind.id, things))
    rows = await tx.execute(locked.order_by(kind.id).with_for_update(key_share=True, read=True))
    return {id for id, deleted_at in rows if deleted_at is not None}


async def _restore(tx: Tx, kind: type[MasterData], id: UUID, because: str) -> bool:
    """Whether it could be."""
    row = await tx.load(kind, id, even_deleted=True)
    if not await _is_restorable(tx, row):
        log.warning("needed and not restored", kind=kind.__name__, id=str(id), because=because)
        return False
    row.restore()
    await tx.flush()
    log.warning("restored", kind=kind.__name__, id=str(id), because=because)
    return True


async def _is_restorable(tx: Tx, row: MasterData) -> bool:
    """Whether nobody has its code by now, and nothing that it refers to is deleted."""
    kind = type(row)
    if await tx.scalar(select(kind.id).where(kind.code_key == row.code_key, kind.deleted_at.is_(None))) is not None:
        return False
    try:
        await row.ensure_restorable(tx)
    except Refused:
        return False
    return True
