"""What a forecast adds up, kept: by who looks after it, team, pipeline, stage, how sure it is, currency and month, and for each day of the past.

Whatever changes an opportunity leaves what that adds and takes away in `forecast_change`, in the same flush, so that writers wait for nobody. A timer
folds those into `forecast_sum`. A reader adds both in one statement, and so is exact whether or not anything was folded. Of the day that a past
moment lies in, the history itself is read up to that moment. All of it can be counted again from the history (`recount`).
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Subquery, UniqueConstraint, bindparam, delete, func, select, text, true, union_all
from sqlalchemy.orm import Mapped, mapped_column

from contracts.users import TenantCreated, TenantTimeZoneChanged
from opportunities.base import Base
from opportunities.history import (
    ALIKE,
    COLUMNS,
    SUMMED,
    Amounts,
    ForecastChange,
    OpportunityMoment,
    changes_of,
    month_of,
    signed,
)
from opportunities.projections import days
from tailrace.db.database import Tx
from tailrace.db.keys import tenant_index
from tailrace.db.models import TenantRow
from tailrace.messaging.schedules import Schedule
from tailrace.messaging.timers import Timer

AT_ONCE = 5_000
"""How many changes are folded in one transaction."""

folding = Timer("opportunities.forecast_folding")
often = Schedule("opportunities.forecast_changes", "*/10 * * * *", days, TenantCreated, TenantTimeZoneChanged)


class ForecastSum(TenantRow, Amounts, Base):
    """What it came to at the end of each day, in UTC, from `since` until the day before `until`; None for what holds now."""

    __tablename__ = "forecast_sum"
    __table_args__ = (
        UniqueConstraint("tenant_id", "bucket", "since"),
        tenant_index("month", where="until IS NULL"),
        tenant_index("month", "until"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    bucket: Mapped[UUID]
    """A hash of what is alike in it."""
    since: Mapped[date]
    until: Mapped[date | None]


_LOCK = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("lock"), 0)))
_FIRST = select(func.min(ForecastChange.at))
_KEY = " || ' ' || ".join(f"coalesce({name}::text, '')" for name in ALIKE)
# All parts see the rows as they were before: what covers the day is split at it, and what lies later moves along.
_FOLD = text(f"""
WITH taken AS (
  DELETE FROM forecast_change WHERE id IN (SELECT id FROM forecast_change WHERE at < :ends_at ORDER BY at, id LIMIT :most) RETURNING *
), delta AS (
  SELECT md5({_KEY})::uuid AS bucket, {", ".join(ALIKE)}, {", ".join(f"sum({name}) AS {name}" for name in SUMMED)}
  FROM taken GROUP BY {", ".join(ALIKE)} HAVING {" OR ".join(f"sum({name}) <> 0" for name in SUMMED)}
), covering AS (
  SELECT s.* FROM forecast_sum s JOIN delta USING (bucket)
  WHERE s.since < CAST(:day AS date) AND (s.until IS NULL OR s.until > CAST(:day AS date))
), ended AS (
  UPDATE forecast_sum s SET until = CAST(:day AS date) FROM covering WHERE s.bucket = covering.bucket AND s.since = covering.since
), later AS (
  UPDATE forecast_sum s SET {", ".join(f"{name} = s.{name} + delta.{name}" for name in SUMMED)}
  FROM delta WHERE s.bucket = delta.bucket AND s.since >= CAST(:day AS date)
)
INSERT INTO forecast_sum (tenant_id, id, bucket, since, until, {", ".join(COLUMNS)})
SELECT CAST(:tenant AS uuid), gen_random_uuid(), bucket, CAST(:day AS date),
  coalesce(covering.until, (SELECT min(n.since) FROM forecast_sum n WHERE n.bucket = delta.bucket AND n.since > CAST(:day AS date))),
  {", ".join(f"delta.{name}" for name in ALIKE)}, {", ".join(f"coalesce(covering.{name}, 0) + delta.{name}" for name in SUMMED)}
FROM delta LEFT JOIN covering USING (bucket)
WHERE NOT EXISTS (SELECT FROM forecast_sum n WHERE n.bucket = delta.bucket AND n.since = CAST(:day AS date))
""")


@often.run
async def begin(tx: Tx, at: datetime) -> None:
    """Fold what was left since the last time."""
    if await tx.scalar(_FIRST) is not None:
        await folding.set(tx, tx.tenant_id, datetime.now(UTC))


@folding.due
async def fold(tx: Tx, tenant_id: UUID) -> None:
    """Put some changes into the sums, those of the first day that there are any of; and come again when more are left."""
    await _alone(tx)
    first = await tx.scalar(_FIRST)
    if first is None:
        return
    day = first.astimezone(UTC).date()
    which = {"tenant": tenant_id, "day": day, "ends_at": _begins(day + timedelta(days=1)), "most": AT_ONCE}
    await tx.execute(_FOLD, which)
    if await tx.scalar(_FIRST) is not None:
        await folding.set(tx, tenant_id, datetime.now(UTC))


async def recount(tx: Tx) -> None:
    """Count all of it again from the history."""
    await _alone(tx)
    await tx.execute(delete(ForecastSum))
    # In one statement with what it reads: what is committed meanwhile is left in neither, or in both.
    gone = delete(ForecastChange).returning(ForecastChange.id).cte("gone")
    await tx.execute(changes_of(true(), true()).add_cte(gone))
    await folding.set(tx, tx.tenant_id, datetime.now(UTC))


def held(first_month: date, last_month: date, as_of: datetime | None) -> Subquery:
    """Rows to add up of months from the first to the last: what held at a moment, or holds now, with the columns of `ForecastSum`."""
    one, change, moment = ForecastSum, ForecastChange, OpportunityMoment
    months = [each.month.between(first_month, last_month) for each in (one, change)]
    sums, changes = _of(one).where(months[0]), _of(change).where(months[1])
    if as_of is None:
        return union_all(sums.where(one.until.is_(None)), changes).subquery("held")
    day = as_of.astimezone(UTC).date()
    begins = _begins(day)
    month = month_of(moment)
    return union_all(
        # Apart, so that each has an index of its own.
        sums.where(one.since < day, one.until.is_(None)),
        sums.where(one.since < day, one.until >= day),
        changes.where(change.at < begins),
        signed(1).where(moment.since >= begins, moment.since <= as_of, month.between(first_month, last_month)),
        signed(-1).where(moment.until >= begins, moment.until <= as_of, month.between(first_month, last_month)),
    ).subquery("held")


def current(pipeline_id: UUID) -> Subquery:
    """Rows to add up of all that a pipeline holds now."""
    one, change = ForecastSum, ForecastChange
    return union_all(
        _of(one).where(one.until.is_(None), one.pipeline_id == pipeline_id),
        _of(change).where(change.pipeline_id == pipeline_id),
    ).subquery("current")


def _of(kind: type[ForecastSum] | type[ForecastChange]) -> Select[Any]:
    return select(*(getattr(kind, name).label(name) for name in COLUMNS))


def _begins(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


async def _alone(tx: Tx) -> None:
    """Until this is committed, nobody else folds or counts for this tenant."""
    await tx.execute(_LOCK, {"lock": f"opportunities.forecast/{tx.tenant_id}"})
