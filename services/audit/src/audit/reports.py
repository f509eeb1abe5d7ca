"""Who did how much of what, by day: for those who have to show that somebody looks."""

import csv
import io
from datetime import datetime

from sqlalchemy import Date, cast, func, select

from audit.models import Record
from audit.views import ReportRow, ReportView
from tailrace.db.database import Tx

MOST = 10_000


async def report(tx: Tx, begin: datetime, end: datetime) -> ReportView:
    """Counts by day (UTC), actor, type and service, `begin` included and `end` not."""
    day = cast(func.timezone("UTC", Record.occurred_at), Date).label("day")
    by = (day, Record.actor_id, Record.type, Record.service)
    query = (
        select(*by, func.count().label("records"))
        .where(Record.occurred_at >= begin, Record.occurred_at < end)
        .group_by(*by)
        .order_by(*by)
        .limit(MOST + 1)
    )
    rows = (await tx.execute(query)).all()
    items = [ReportRow(**row._mapping) for row in rows[:MOST]]
    return ReportView(items=items, records=sum(item.records for item in items), complete=len(rows) <= MOST)


def as_csv(view: ReportView) -> str:
    """The same as CSV, with a head."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(ReportRow.model_fields)
    for item in view.items:
        writer.writerow([item.day, _harmless(item.actor_id or ""), item.type, item.service, item.records])
    return text.getvalue()


def _harmless(text: str) -> str:
    """No spreadsheet takes it for a formula."""
    return f"'{text}" if text[:1] in "=+-@" and text else text
