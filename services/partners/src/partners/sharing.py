"""The processes of the service share the partners: each is filled by one of them, and none by many more than the others.

A filler is alive for some seconds, and says so again before they are over. It takes what nobody holds who is alive, up to its share, and gives back
what is over it once it has stopped filling that. This keeps two from filling one partner in turn; that nothing is doubled is Kafka's fence.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from partners.models import Filler, Filling
from tailrace.core.context import Context
from tailrace.core.ids import uuid7
from tailrace.db.bells import Bell
from tailrace.db.database import Database, Tx

ALIVE = 6.0
"""Seconds. What a process held that was killed is taken up after that."""
EVERY = 2.0
"""Seconds, between two looks while no bell rings."""
bell = Bell("fillings")
ABOUT = "all"
_NOBODY = Context(tenant_id=None)


@dataclass(frozen=True)
class Said:
    """What a filler says of one partner: how far it is behind, if it knows; how many events it gave since it last said so; and in the last minute."""

    behind: int | None
    told: int
    lately: int


@dataclass
class Share:
    """Of one process."""

    database: Database
    id: UUID = field(default_factory=uuid7)

    async def take(self, said: Mapping[UUID, Said]) -> list[Filling]:
        """What this process is to fill, and nobody else does while it is alive. Notes what is said of what it fills."""
        async with self.database.transaction(_NOBODY) as tx:
            await self._live(tx)
            for partner_id in sorted(said):
                await self._note(tx, partner_id, said[partner_id])
            most = await self._fair(tx)
            held = await self._held(tx)
            if len(held) < most and await self._claim(tx, most - len(held)):
                held = await self._held(tx)
            return held[:most]

    async def give_back(self, filled: Collection[UUID]) -> None:
        """All that it holds but this, which it goes on filling."""
        async with self.database.transaction(_NOBODY) as tx:
            left = update(Filling).where(Filling.holder == self.id, Filling.partner_id.not_in(filled))
            if (await tx.scalars(left.values(holder=None).returning(Filling.partner_id))).all():
                await bell.ring(tx, ABOUT)

    async def leave(self) -> None:
        """It fills nothing any more."""
        async with self.database.transaction(_NOBODY) as tx:
            await tx.execute(update(Filling).where(Filling.holder == self.id).values(holder=None))
            await tx.execute(delete(Filler).where(Filler.id == self.id))
            await bell.ring(tx, ABOUT)

    async def _live(self, tx: Tx) -> None:
        until = func.now() + timedelta(seconds=ALIVE)
        row = insert(Filler).values(id=self.id, until=until)
        await tx.execute(row.on_conflict_do_update(index_elements=["id"], set_={"until": until}))
        gone = delete(Filler).where(Filler.until < func.now() - timedelta(seconds=10 * ALIVE))
        await tx.execute(gone)

    async def _note(self, tx: Tx, partner_id: UUID, said: Said) -> None:
        mine = update(Filling).where(Filling.partner_id == partner_id, Filling.holder == self.id)
        await tx.execute(
            mine.values(behind=said.behind, told=Filling.told + said.told, lately=said.lately, looked_at=func.now())
        )

    async def _fair(self, tx: Tx) -> int:
        """How many partners come to each that is alive, rounded up."""
        alive = select(func.count()).select_from(Filler).where(Filler.until > func.now()).scalar_subquery()
        every = select(func.count()).select_from(Filling).scalar_subquery()
        return int((await tx.scalars(select((every + alive - 1) / alive))).one())

    async def _held(self, tx: Tx) -> list[Filling]:
        return list(await tx.scalars(select(Filling).where(Filling.holder == self.id).order_by(Filling.partner_id)))

    async def _claim(self, tx: Tx, most: int) -> bool:
        """Whether it got any."""
        free = select(Filling.partner_id).where(~_is_held()).order_by(Filling.partner_id).limit(most)
        taken = update(Filling).where(Filling.partner_id.in_(free.with_for_update(skip_locked=True)))
        return bool((await tx.scalars(taken.values(holder=self.id).returning(Filling.partner_id))).all())


def _is_held() -> ColumnElement[bool]:
    return select(Filler.id).where(Filler.id == Filling.holder, Filler.until > func.now()).exists()
