"""The forecast of a period, as of any time: what was closed in it, and what is still to come, by person, team or pipeline and by currency.

It is added up from kept sums in one statement, and a past date shows what was known then, to the minor unit. `sums` says how that stays so.
"""

import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, and_, case, cast, func, or_, select
from sqlalchemy.orm import Mapped

from contracts.opportunities import QuotaSet
from opportunities import policies
from opportunities.base import Base
from opportunities.bodies.policies import QuotaBody
from opportunities.commands import ensure_user
from opportunities.history import OpportunityMoment
from opportunities.models import Opportunity
from opportunities.pipelines import Pipeline, StageVersion
from opportunities.projections import days
from opportunities.sums import current, held
from tailrace.core import clock
from tailrace.core.errors import Invalid, Stale
from tailrace.core.ids import derived_id
from tailrace.db.database import Tx
from tailrace.db.keys import tenant_index
from tailrace.db.models import Aggregate
from tailrace.db.visibility import Owned

By = Literal["person", "team", "pipeline"]
_MONTH, _QUARTER, _YEAR = (re.compile(text) for text in ("([0-9]{4})-([0-9]{2})", "([0-9]{4})-Q([1-4])", "([0-9]{4})"))
_AMOUNTS = ("closed", "committed", "best", "pipeline", "weighted")


class Quota(Aggregate, Owned, Base):
    """What somebody is to sell in a period, under an id that the three make."""

    __tablename__ = "quota"
    __table_args__ = (tenant_index("period", "id"), tenant_index("owner_id", "id"))
    owned_by = "owner_id"

    owner_id: Mapped[UUID | None]
    period: Mapped[str]
    currency: Mapped[str]
    amount: Mapped[int]

    def set(self, amount: int) -> None:
        self.amount = amount
        self.record_as(QuotaSet)


@dataclass(frozen=True, slots=True)
class Period:
    """The first and the last day of a period, and the months in it as quotas name them."""

    name: str
    begins_on: date
    ends_on: date
    months: Sequence[str]


async def set_quota(tx: Tx, asked: QuotaBody, match: int | None = None) -> Quota:
    """Raises what is said of a user that is not there, and Stale for another version than `match`; 0 is that of what is not there."""
    await ensure_user(tx, asked.owner_id)
    id = derived_id("opportunities.quota", tx.tenant_id, asked.owner_id, asked.period, asked.currency)
    if await tx.get(Quota, (tx.tenant_id, id)) is None:
        if match:
            raise Stale(match, 0)
        quota = Quota(id=id, owner_id=asked.owner_id, period=asked.period, currency=asked.currency)
        tx.add(quota)
    else:
        quota = await tx.load(Quota, id, match)
    quota.set(asked.amount)
    return quota


def period_of(name: str, first_month: int = 1) -> Period:
    """A month `2026-11`, a quarter `2026-Q4` or a year `2026`, of a year that begins in `first_month`. Raises Invalid."""
    if found := _MONTH.fullmatch(name):
        year, month, length = int(found[1]), int(found[2]), 1
    elif found := _QUARTER.fullmatch(name):
        year, month, length = int(found[1]), first_month + 3 * (int(found[2]) - 1), 3
    elif found := _YEAR.fullmatch(name):
        year, month, length = int(found[1]), first_month, 12
    else:
        raise Invalid.field("period", "Write a month as 2026-11, a quarter as 2026-Q4, a year as 2026.")
    if not 1900 <= year < 2200 or (length == 1 and not 1 <= month <= 12):
        raise Invalid.field("period", "There is no such period.")
    all_ = [(year + (month - 1 + n) // 12, (month - 1 + n) % 12 + 1) for n in range(length)]
    (first_year, first), (last_year, last) = all_[0], all_[-1]
    ends_on = date(last_year, last, monthrange(last_year, last)[1])
    return Period(name, date(first_year, first, 1), ends_on, [f"{y:04}-{m:02}" for y, m in all_])


async def forecast(tx: Tx, name: str, by: By, given: datetime | date | None) -> dict[str, Any]:
    """What `views.ForecastView` shows. A day is meant as of its end. Raises Invalid."""
    first_month = (await policies.closing(tx)).first_month
    period = period_of(name, first_month)
    as_of = clock.now() if given is None else await days.end_of(tx, given)
    rows = await _sums(tx, period, by, None if as_of >= clock.now() else as_of)
    quotas = await _quotas(tx, period, first_month) if by == "person" else {}
    for row in rows:
        row["quota"] = quotas.pop((row["id"], row["currency"]), None)
    nothing: dict[str, Any] = dict.fromkeys(("opportunities", *_AMOUNTS), 0)
    rows += [
        {"id": owner, "currency": currency, "quota": amount, **nothing} for (owner, currency), amount in quotas.items()
    ]
    rows.sort(key=lambda row: (row["currency"], str(row["id"] or "")))
    span = {"period": period.name, "begins_on": period.begins_on, "ends_on": period.ends_on}
    return {**span, "as_of": as_of, "by": by, "rows": rows}


def _total(of: Any, amount: Any) -> Any:
    return func.coalesce(func.sum(case((of, amount), else_=0)), 0)


async def _sums(tx: Tx, period: Period, by: By, as_of: datetime | None) -> list[dict[str, Any]]:
    """One row for each of `by` and currency. `as_of` None is now."""
    rows, version = held(period.begins_on, period.ends_on, as_of).c, StageVersion
    key = {"person": rows.owner_id, "team": rows.team_id, "pipeline": rows.pipeline_id}[by]
    in_force: ColumnElement[bool] = version.until.is_(None)
    if as_of is not None:
        in_force = and_(version.since <= as_of, or_(version.until.is_(None), version.until > as_of))
    is_open = rows.standing.in_(("pipeline", "best", "committed"))
    counted = or_(is_open, rows.standing == "won")
    # Exact until all of a row is added up.
    weighted = func.round(_total(is_open, rows.likely + rows.staged * func.coalesce(version.probability, 0)))
    statement = (
        select(
            key.label("id"),
            rows.currency.label("currency"),
            cast(_total(counted, rows.opportunities), BigInteger).label("opportunities"),
            *(
                cast(_total(of, rows.amount), BigInteger).label(name)
                for name, of in (
                    ("closed", rows.standing == "won"),
                    ("committed", rows.standing == "committed"),
                    ("best", rows.standing.in_(("best", "committed"))),
                    ("pipeline", is_open),
                )
            ),
            cast(weighted, BigInteger).label("weighted"),
        )
        .outerjoin(version, and_(version.pipeline_id == rows.pipeline_id, version.stage == rows.stage, in_force))
        .group_by(key, rows.currency)
        .having(_total(counted, rows.opportunities) > 0)
    )
    return [dict(row) for row in (await tx.execute(statement)).mappings()]


async def _quotas(tx: Tx, period: Period, first_month: int) -> dict[tuple[UUID | None, str], int]:
    """What each is to sell in the period, by currency: what was said of the very period, else of its quarters, else of its months."""
    quarters = [f"{period.name}-Q{number}" for number in range(1, 5)] if _YEAR.fullmatch(period.name) else []
    levels = [[period.name], quarters, list(period.months)]
    names = {name for level in levels for name in level}
    kept = (await tx.scalars(select(Quota).where(Quota.period.in_(names)))).all()
    by_period = {(each.owner_id, each.currency, each.period): each.amount for each in kept}
    found: dict[tuple[UUID | None, str], int] = {}
    for owner, currency, _ in by_period:
        for level in levels:
            said = [by_period[owner, currency, name] for name in level if (owner, currency, name) in by_period]
            if said:
                found[owner, currency] = sum(said)
                break
    return found


async def board(tx: Tx, pipeline: Pipeline) -> list[dict[str, Any]]:
    """Of each stage of a pipeline: how many open opportunities are in it, what they come to, and since when the oldest is."""
    one, held_now = Opportunity, current(pipeline.id).c
    oldest_of = (
        select(func.min(one.stage_since))
        .where(
            one.pipeline_id == pipeline.id, one.stage == held_now.stage, one.status == "open", one.deleted_at.is_(None)
        )
        .correlate(held_now.stage.table)
        .scalar_subquery()
    )
    statement = (
        select(
            held_now.stage,
            held_now.currency,
            cast(func.sum(held_now.opportunities), BigInteger).label("opportunities"),
            cast(func.sum(held_now.amount), BigInteger).label("amount"),
            oldest_of.label("oldest_since"),
        )
        .where(held_now.standing != "won")
        .group_by(held_now.stage, held_now.currency)
        .having(func.sum(held_now.opportunities) > 0)
        .order_by(held_now.stage, held_now.currency)
    )
    rows = (await tx.execute(statement)).mappings().all()
    calendar = await days.calendar(tx)
    today = calendar.day_of(clock.now())
    shown = []
    for stage in (each for each in pipeline.steps if each.kind == "open"):
        mine = [row for row in rows if row["stage"] == stage.code]
        oldest = min((row["oldest_since"] for row in mine), default=None)
        shown.append(
            {
                **stage.model_dump(include={"code", "name", "probability"}),
                "opportunities": sum(row["opportunities"] for row in mine),
                "amounts": [{name: row[name] for name in ("currency", "opportunities", "amount")} for row in mine],
                "oldest_since": oldest,
                "oldest_days": None if oldest is None else (today - calendar.day_of(oldest)).days,
            }
        )
    return shown


async def stages_of(tx: Tx, opportunity: Opportunity) -> list[dict[str, Any]]:
    """Each stay of an opportunity in a stage, the first one first, with its age in the company's days: the days from when it came to when it went."""
    moment = OpportunityMoment
    query = select(moment).where(moment.opportunity_id == opportunity.id).order_by(moment.since, moment.id)
    with tx.seeing_all():
        # The rows of those who looked after it before are its history too.
        rows = (await tx.scalars(query)).all()
    calendar, now = await days.calendar(tx), clock.now()
    stays: list[dict[str, Any]] = []
    for row in rows:
        last = stays[-1] if stays else None
        if last is not None and (last["pipeline_id"], last["stage"]) == (row.pipeline_id, row.stage):
            last["left_at"] = row.until
        else:
            where = {"pipeline_id": row.pipeline_id, "stage": row.stage}
            stays.append({**where, "entered_at": row.since, "left_at": row.until})
    for stay in stays:
        came, went = (calendar.day_of(each) for each in (stay["entered_at"], stay["left_at"] or now))
        stay["days"] = (went - came).days
    return stays
