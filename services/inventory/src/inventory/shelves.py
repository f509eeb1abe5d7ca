"""What may be promised of some stocks, and given away line by line: of a tracked item the lot that expires first, or else the one that came first.

A company whose template says so gives away what came first, whenever it expires. Only what quality has released and what is still good lies on a
shelf, either way.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from contracts.inventory import ReservedLine
from contracts.lots import LotQuantity
from inventory.by_lot import NOTHING
from inventory.holding import Wanted
from inventory.lots import standing, unusable
from inventory.projections import days, settings
from inventory.stock import Place, StockItem
from tailrace.core.values.text import folded
from tailrace.db.database import Tx


@dataclass(slots=True)
class Choice:
    """What is left to give of a lot."""

    lot_id: UUID
    number: str
    expires_on: date | None
    free: Decimal

    def suits(self, wanted: Wanted, today: date | None, *, exactly: bool) -> bool:
        """Whether it is the lot that is asked for, if one is, and good for long enough. What does not expire is good for ever.

        `exactly`: one that is spelled like that lies here, so that no other one is meant.
        """
        asked = wanted.lot
        if asked is not None and asked != self.number and (exactly or folded(asked) != folded(self.number)):
            return False
        if wanted.remaining_days is None or self.expires_on is None:
            return True
        assert today is not None, "something expires, so the day was asked for"
        return self.expires_on >= today + timedelta(days=wanted.remaining_days)


@dataclass(slots=True)
class Shelf:
    """What is free, by place: of an untracked item so much, of a tracked one these lots, in the order in which they are to leave."""

    free: dict[Place, Decimal]
    choices: dict[Place, list[Choice]]
    today: date | None = None
    numbers: Mapping[Place, Collection[str]] = field(default_factory=dict)
    """Those of all lots that lie here, free or not: lots from before may differ in spelling alone."""

    def take(self, wanted: Wanted) -> ReservedLine:
        """Give as much of it as there is."""
        lots: list[LotQuantity] = []
        choices = self.choices.get(wanted.place)
        if choices is None:
            # An untracked item has no lots, so that none of them can be asked for.
            there = self.free.get(wanted.place, NOTHING) if wanted.lot is None else NOTHING
            part = min(wanted.quantity, there)
        else:
            part, exactly = NOTHING, wanted.lot in self.numbers.get(wanted.place, ())
            for choice in choices:
                suits = choice.suits(wanted, self.today, exactly=exactly)
                some = min(choice.free, wanted.quantity - part) if suits else NOTHING
                if some:
                    choice.free -= some
                    part += some
                    said = {"lot_id": choice.lot_id, "number": choice.number, "expires_on": choice.expires_on}
                    lots.append(LotQuantity(quantity=some, **said))
        if part:
            self.free[wanted.place] -= part
        return ReservedLine(
            line_id=wanted.line_id,
            item_id=wanted.place.item_id,
            warehouse_id=wanted.place.warehouse_id,
            requested=wanted.quantity,
            reserved=part,
            lots=lots,
        )

    def copy(self) -> "Shelf":
        return Shelf(dict(self.free), deepcopy(self.choices), self.today, self.numbers)


async def shelf_of(tx: Tx, stocks: Iterable[StockItem]) -> Shelf:
    """What lies on the shelf of these stocks, which are locked. What quality says of the lots stays so until the transaction ends."""
    stocks = list(stocks)
    free = {stock.place: stock.state.free for stock in stocks}
    ids = {lot.lot_id for stock in stocks for lot in stock.state.lots if lot.free > 0}
    rows = {row.id: row for row in await standing(tx, ids)} if ids else {}
    today = await days.today(tx) if any(row.expires_on for row in rows.values()) else None
    usable = {id: row for id, row in rows.items() if unusable(row.status, row.expires_on, today) is None}
    choices = {stock.place: _choices(stock, usable) for stock in stocks if stock.state.lots}
    if any(_by_day(found) != found for found in choices.values()) and await _first_expired_first(tx):
        choices = {place: _by_day(found) for place, found in choices.items()}
    numbers = {stock.place: {lot.number for lot in stock.state.lots} for stock in stocks}
    return Shelf(free, choices, today, numbers)


def _choices(stock: StockItem, usable: Mapping[UUID, object]) -> list[Choice]:
    """What came first is first."""
    return [
        Choice(lot.lot_id, lot.number, getattr(usable[lot.lot_id], "expires_on"), lot.free)  # noqa: B009
        for lot in stock.state.lots
        if lot.lot_id in usable and lot.free > 0
    ]


def _by_day(choices: Sequence[Choice]) -> list[Choice]:
    """What expires first is first; of what expires on one day, or never, what came first."""
    return sorted(choices, key=lambda choice: choice.expires_on or date.max)


async def _first_expired_first(tx: Tx) -> bool:
    """Unless the company's template says otherwise. Asked where the two orders differ, so never for what does not expire."""
    return (await settings.effective(tx)).shipping.first_expired_first is not False
