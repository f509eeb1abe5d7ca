"""Who did how much of what, by day: for those who have to show that somebody looks."""

from datetime import date, datetime, timedelta

from sqlalchemy import ARRAY, DateTime, bindparam, func, select

from audit.models import Record
from audit.views import ReportRow, ReportView
from tailrace.core.values.days import Calendar
from tailrace.db.database import Tx
from tailrace.http.files import csv_text

MOST = 10_000


async def report(tx: Tx, calendar: Calendar, begin: datetime | date, end: datetime | date) -> ReportView:
    """Counts by day of the calendar, actor, type and service, `begin` included and `end` not."""
    asked = (Record.occurred_at >= calendar.begin_of(begin), Record.occurred_at < calendar.begin_of(end))
    first, last = (
        await tx.execute(select(func.min(Record.occurred_at), func.max(Record.occurred_at)).where(*asked))
    ).one()
    if first is None:
        return ReportView(items=[], records=0, complete=True)
    days = _days(calendar, first, last)
    begins = bindparam("begins", [calendar.first_moment(day) for day in days], ARRAY(DateTime(timezone=True)))
    number = func.width_bucket(Record.occurred_at, begins).label("number")
    by = (number, Record.actor_id, Record.type, Record.service)
    query = select(*by, func.count().label("records")).where(*asked).group_by(*by).order_by(*by).limit(MOST + 1)
    rows = (await tx.execute(query)).all()
    items = [
        ReportRow(day=days[number - 1], actor_id=actor_id, type=type, service=service, records=records)
        for number, actor_id, type, service, records in rows[:MOST]
    ]
    return ReportView(items=items, records=sum(item.records for item in items), complete=len(rows) <= MOST)


def _days(calendar: Calendar, first: datetime, last: datetime) -> list[date]:
    """From the day of one moment to that of another."""
    day, end = calendar.day_of(first), calendar.day_of(last)
    return [day + timedelta(days=after) for after in range((end - day).days + 1)]


def as_csv(view: ReportView) -> str:
    """The same as CSV, with a head."""
    rows = ([item.day, item.actor_id, item.type, item.service, item.records] for item in view.items)
    return "".join(csv_text.line(cells) for cells in (ReportRow.model_fields, *rows))
