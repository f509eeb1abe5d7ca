"""What a reader of the movements needs besides: who was in which team, and when each of the company's days began.

Small tables, written whole when they changed. `teams`: of several teams of one person the lowest id counts, as in reports. `days`: from the day of
the first movement to two years after the last, so that a reader without our calendar cuts days where reports cut them.
"""

import asyncio
from datetime import date, timedelta
from hashlib import blake2b
from typing import Any

from arro3.core import RecordBatch
from sqlalchemy import func, select

from analytics.lake.columns import Columns
from analytics.lake.tables import Lake
from analytics.memberships import Membership
from analytics.movements import Movement
from analytics.projections import days
from tailrace.core.days import Calendar
from tailrace.db.database import Tx

TEAMS = Columns(team_id="id", user_id="id", since="time", until="time or nothing")
DAYS = Columns(day="day", begins_at="time", ends_at="time")
_AFTER = timedelta(days=730)
_ONE_DAY = timedelta(days=1)


async def write(tx: Tx, lake: Lake) -> None:
    """Write the tables of the tenant that are not as they are in the lake."""
    one: Any = Membership.__table__.c
    columns = [one[name] for name in TEAMS.names]
    members = (await tx.execute(select(*columns).order_by(one.team_id, one.user_id, one.since))).all()
    await _put(lake, tx, "teams", TEAMS.batch(members))
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
