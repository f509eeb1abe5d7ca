"""Stock as it was, or is, at any (effective, recorded) pair: what had taken place by then, as far as it was written down by then.

Movements are added up, so a correction with an effective date in the past changes what is said of that date from its recording on, and never what
was said before. Nothing is valued again: goods go out in the order in which things were recorded, at the cost that they had then.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select, text

from inventory.models import Movement, StockLevel
from inventory.projections import days
from tailrace.core import clock
from tailrace.db.database import Tx
from tailrace.http.files import exports
from tailrace.http.lists.pagination import OF_EXPORT, Listing, PageRequest, paginate

# A transaction notes its record time when it has the stock's lock, so after it began: what began later cannot record anything earlier.
_SETTLED = text(
    "SELECT coalesce(min(xact_start), statement_timestamp()) AS settled, statement_timestamp() AS now FROM pg_stat_activity"
    " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
    " AND xact_start < statement_timestamp()"
)
_TIMEOUT, _PAUSE = 1.0, 0.02
"""Seconds: how long what is under way is waited for, so that a reader finds what it has just written; and between two looks."""


@dataclass(frozen=True, slots=True)
class Valued:
    """An item in a warehouse: base units and minor units. Both are below zero where more had left by then than was in the books."""

    stock_id: UUID
    item_id: UUID
    warehouse_id: UUID
    quantity: Decimal
    value: int
    currency: str


@dataclass(frozen=True, slots=True)
class Total:
    """Minor units of one currency."""

    currency: str
    value: int


@dataclass(frozen=True, slots=True)
class Valuation:
    """A page of stocks with what they were worth, and what all of them were, those of other pages included."""

    effective: datetime
    recorded: datetime
    items: Sequence[Valued]
    totals: Sequence[Total]
    next_cursor: str | None


async def value_stock(
    tx: Tx, page: PageRequest, effective: datetime | date | None, recorded: datetime | date | None
) -> Valuation:
    """The stocks that `page` asks for, as of the pair; a day counts to its end.

    Left out: effective now, recorded as far as nothing earlier can still be written down.

    What was committed before the request is in it, unless a transaction that began earlier is still open after a second.

    The answer names the pair, and the same pair gives the same answer for ever. Raises BadRequest (the cursor); Exporting.
    """
    settled = await _settled(tx)
    by = await days.end_of(tx, effective) if effective else clock.now()
    up_to = min(await days.end_of(tx, recorded), settled) if recorded else settled
    seen = and_(Movement.effective_at <= by, Movement.recorded_at <= up_to)
    if exports.is_wanted():
        raise exports.Exporting(exports.pages_of(partial(_page, replace(page, limit=OF_EXPORT), seen), page.cursor))
    found = await _page(page, seen, tx, page.cursor)
    totals = await _totals(tx, seen, page.narrowed(select(StockLevel)))
    return Valuation(by, up_to, found.items, totals, found.next_cursor)


async def _page(page: PageRequest, seen: ColumnElement[bool], tx: Tx, cursor: str | None) -> Listing[Valued]:
    listing = await paginate(tx, select(StockLevel), replace(page, cursor=cursor))
    sums = await _sums(tx, seen, [level.id for level in listing.items])
    items = [_valued(level, *sums.get(level.id, (Decimal(0), 0))) for level in listing.items]
    return Listing(items, listing.next_cursor)


async def _settled(tx: Tx) -> datetime:
    """Up to when all that was written down is committed, and nothing more can be."""
    looks = round(_TIMEOUT / _PAUSE)
    settled, asked = await _look(tx)
    while settled < asked and (looks := looks - 1):
        await asyncio.sleep(_PAUSE)
        settled, _ = await _look(tx)
    return settled


async def _look(tx: Tx) -> tuple[datetime, datetime]:
    """Since when the oldest other transaction is open, and now; twice now when there is none."""
    # Within a transaction, the view would be read once and kept.
    await tx.execute(text("SELECT pg_stat_clear_snapshot()"))
    settled, now = (await tx.execute(_SETTLED)).one()
    return settled, now


async def _sums(tx: Tx, seen: ColumnElement[bool], ids: Sequence[UUID]) -> Mapping[UUID, tuple[Decimal, int]]:
    query = (
        select(Movement.stock_id, func.sum(Movement.quantity), func.sum(Movement.value))
        .where(seen, Movement.stock_id.in_(ids))
        .group_by(Movement.stock_id)
    )
    return {stock: (quantity, int(value)) for stock, quantity, value in await tx.execute(query)}


async def _totals(tx: Tx, seen: ColumnElement[bool], levels: Select[StockLevel]) -> list[Total]:
    chosen = levels.subquery()
    query = (
        select(chosen.c.currency, func.sum(Movement.value))
        .join(Movement, Movement.stock_id == chosen.c.id)
        .where(seen)
        .group_by(chosen.c.currency)
        .order_by(chosen.c.currency)
    )
    return [Total(currency, int(value)) for currency, value in await tx.execute(query)]


def _valued(level: StockLevel, quantity: Decimal, value: int) -> Valued:
    return Valued(level.id, level.item_id, level.warehouse_id, quantity, value, level.currency)
