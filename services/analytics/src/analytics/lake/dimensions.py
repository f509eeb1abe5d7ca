"""What a reader of the movements needs besides: who was in which team, when the company's days began, and what items and warehouses are called.

Small tables, written whole when they changed. `teams`: of several teams of one person the lowest id counts, as in reports. `days`: from the day of
the first movement to two years after the last, so that a reader without our calendar cuts days where reports cut them. `items` and `warehouses`:
as catalog said last, those that are out of use or deleted among them. There may be many, so the database says whether any is different now.
"""

import asyncio
from datetime import date, timedelta
from hashlib import blake2b
from typing import Any

from arro3.core import RecordBatch
from sqlalchemy import Text, cast, func, select

from analytics.copies import ItemCopy, WarehouseCopy
from analytics.lake.columns import Columns
from analytics.lake.tables import Lake
from analytics.memberships import Membership
from analytics.movements import Movement
from analytics.projections import days
from tailrace.core.values.days import Calendar
from tailrace.db.database import Tx
from tailrace.messaging.replica import Replica

TEAMS = Columns(team_id="id", user_id="id", since="time", until="time or nothing")
DAYS = Columns(day="day", begins_at="time", ends_at="time")
ITEMS = Columns(id="id", sku="text", name="text", kind="text", unit="text", active="flag")
WAREHOUSES = Columns(id="id", code="text", name="text", country="text or nothing", active="flag")
_AFTER = timedelta(days=730)
_ONE_DAY = timedelta(days=1)
_MOST = 2**62


async def write(tx: Tx, lake: Lake) -> None:
    """Write the tables of the tenant that are not as they are in the lake."""
    one: Any = Membership.__table__.c
    columns = [one[name] for name in TEAMS.names]
    members = (await tx.execute(select(*columns).order_by(one.team_id, one.user_id, one.since))).all()
    await _put(lake, tx, "teams", TEAMS.batch(members))
    await _put_copies(lake, tx, "items", ITEMS, ItemCopy)
    await _put_copies(lake, tx, "warehouses", WAREHOUSES, WarehouseCopy)
    first, last = (await tx.execute(select(func.min(Movement.at), func.max(Movement.at)))).one()
    if first is not None:
        calendar = await days.calendar(tx)
        # Whole years: the table is not written again each day.
        begin, end = calendar.day_of(first), date((calendar.day_of(last) + _AFTER).year, 12, 31)
        await _put(lake, tx, "days", DAYS.batch(_days(calendar, begin, end)))


def _days(calendar: Calendar, day: date, end: date) -> list[tuple[Any, ...]]:
    found = []
    begins_at = calendar.first_moment(day)
    while day <= end:
        day_after = day + _ONE_DAY
        ends_at = calendar.first_moment(day_after)
        found.append((day, begins_at, ends_at))
        day, begins_at = day_after, ends_at
    return found


async def _put(lake: Lake, tx: Tx, name: str, rows: RecordBatch) -> None:
    digest = blake2b(digest_size=8)
    for column in rows.columns:
        digest.update(repr(column.to_pylist()).encode())
    # A commit holds a number that is not below zero.
    content = int.from_bytes(digest.digest(), "big") >> 1
    await asyncio.to_thread(lake.replace, tx.tenant_id, name, rows, content)


async def _put_copies(lake: Lake, tx: Tx, name: str, columns: Columns, copies: type[Replica]) -> None:
    told: Any = copies
    said = [getattr(told, column) for column in columns.names]
    hashed = func.hashtextextended(cast(func.jsonb_build_array(*said), Text), 0)
    # Of the sum of all rows, which is the same in any order. 0 is what a table holds that is not there.
    content = int(await tx.scalar(select(func.coalesce(func.sum(hashed), 0)).select_from(told)) or 0) % _MOST + 1
    if await asyncio.to_thread(lake.holds, tx.tenant_id, name, content):
        return
    rows = columns.batch((await tx.execute(select(*said).order_by(told.id))).all())
    await asyncio.to_thread(lake.replace, tx.tenant_id, name, rows, content)
