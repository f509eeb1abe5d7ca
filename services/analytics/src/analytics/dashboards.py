"""Dashboards are data: tiles, each a measure of KPIs over the last periods, on top of what the parent's tiles are.

A tile is worked out from the same rows as every report, for who asks: who sees only some people's rows is shown what these come to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Mapped

from analytics.base import Base
from analytics.kpis import FORMULAS, value_in
from analytics.lake.engine import Engine
from analytics.movements import Movement
from analytics.periods import Part, moments, part_of
from analytics.projections import days
from analytics.reports import Asked, adding_up, conditions, day_after, happened, part_before, within
from contracts import analytics as events
from contracts.analytics import Tile
from tailrace.core import clock
from tailrace.core.errors import InUse, Invalid
from tailrace.db.database import Tx
from tailrace.db.master_data import MasterData
from tailrace.messaging.replica import absent

MOST_LEVELS = 5
"""How many dashboards stand on one another at most."""


class Dashboard(MasterData, Base):
    """Tiles of its own, on top of its parent's."""

    __tablename__ = "dashboard"
    created, updated = events.DashboardCreated, events.DashboardUpdated
    deleted, restored = events.DashboardDeleted, events.DashboardRestored
    fixed = ("parent_id",)
    listed_by = ("parent_id",)

    code: Mapped[str]
    parent_id: Mapped[UUID | None]
    tiles: Mapped[list[Any]]
    """As `contracts.analytics.Tile`."""

    async def ensure_references(self, tx: Tx) -> None:
        """Raises Invalid where tiles have one key, or a currency where there is none to count; or where there is no such parent."""
        keys: set[str] = set()
        for number, tile in enumerate(self.own):
            if tile.key in keys:
                raise Invalid.field(f"/tiles/{number}/key", f"There are two tiles of the key {tile.key}.")
            keys.add(tile.key)
            has_amounts = FORMULAS[tile.measure].what == "amount"
            if has_amounts != (tile.currency is not None):
                says = "Say which currency is counted." if has_amounts else "What is measured has no currency."
                raise Invalid.field(f"/tiles/{number}/currency", says)
        if self.parent_id is not None and len(await ancestors(tx, self)) >= MOST_LEVELS:
            raise Invalid.field("/parent_id", f"Dashboards stand on one another at most {MOST_LEVELS} deep.")

    async def ensure_unused(self, tx: Tx) -> None:
        """Raises InUse when others stand on it."""
        below = select(Dashboard.code).where(Dashboard.parent_id == self.id, Dashboard.deleted_at.is_(None)).limit(1)
        if (code := await tx.scalar(below)) is not None:
            raise InUse(f"Dashboard {code} stands on {self.code}.")

    @property
    def own(self) -> list[Tile]:
        return [Tile.model_validate(tile) for tile in self.tiles]


async def ancestors(tx: Tx, dashboard: Dashboard) -> list[Dashboard]:
    """Its parent, the parent of that, and so on. Raises Invalid where one is not there."""
    found: list[Dashboard] = []
    following = dashboard.parent_id
    while following is not None and len(found) < MOST_LEVELS:
        parent = await tx.get(Dashboard, (tx.tenant_id, following))
        if parent is None or parent.deleted_at is not None:
            raise absent(following, "/parent_id", f"There is no dashboard {following} here.")
        found.append(parent)
        following = parent.parent_id
    return found


async def tiles_of(tx: Tx, dashboard: Dashboard) -> list[Tile]:
    """What is shown: the parent's tiles in their order, each as the nearest that has its key says, then those that are new."""
    found: dict[str, Tile] = {}
    for one in [*reversed(await ancestors(tx, dashboard)), dashboard]:
        found |= {tile.key: tile for tile in one.own}
    return [tile for tile in found.values() if not tile.hidden]


@dataclass(frozen=True, slots=True)
class Shown:
    """A tile, its parts, and what it came to in each, as it was known at a moment."""

    tile: Tile
    parts: Sequence[Part]
    values: Sequence[Decimal | None]
    as_of: datetime


async def moment_of(tx: Tx, as_of: datetime | date | None) -> datetime:
    """The moment as of which a dashboard is shown: now, unless another is asked for."""
    return clock.now() if as_of is None else (await days.calendar(tx)).end_of(as_of)


async def show(tx: Tx, tile: Tile, as_of: datetime, engine: Engine | None) -> Shown:
    """One statement, and perhaps one of the engine's."""
    calendar = await days.calendar(tx)
    parts = [part_of(calendar.day_of(as_of), tile.period)]
    while len(parts) < tile.periods:
        parts.insert(0, part_of(part_before(parts[0].begins_on), tile.period))
    formula = FORMULAS[tile.measure]
    asked = _asked(tile, Part(parts[0].begins_on, parts[-1].ends_on), as_of)
    sums = await happened(tx, formula.measures, asked, moments(calendar, parts), False, engine)
    return Shown(tile, parts, [value_in(formula, sums, number) for number in range(len(parts))], as_of)


async def records(tx: Tx, tile: Tile, part: Part, as_of: datetime) -> Select[Movement]:
    """The rows that a tile adds up in some days."""
    bounds = within(moments(await days.calendar(tx), [part]))
    return adding_up(conditions(_asked(tile, part, as_of), FORMULAS[tile.measure].measures, as_of, bounds))


def _asked(tile: Tile, part: Part, as_of: datetime) -> Asked:
    return Asked(begin=part.begins_on, until=day_after(part.ends_on), as_of=as_of, currency=tile.currency)
