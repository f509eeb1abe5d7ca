"""The company's days: which days are locked, when a period is over, and how far from today a journal or a period may lie.

A journal by hand takes effect on a day from `YEARS_BACK` years ago to the end of the next fiscal year, unless the company's date policy says
otherwise; or to the end of the last period that there is.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select

from accounting.models import Base, Period
from contracts.users import TenantCreated, TenantDatePolicyChanged, TenantTimeZoneChanged
from tailrace.core.values.plausible import checked_day
from tailrace.db.database import Tx
from tailrace.messaging.date_policy import DatePolicy
from tailrace.messaging.days import Days

YEARS_BACK = 10
_YEARS_OF_PERIODS = 5

days = Days("accounting.days", Base.metadata, TenantCreated, TenantTimeZoneChanged)
dates = DatePolicy("accounting.dates", Base.metadata, TenantDatePolicyChanged, days)


@dataclass(frozen=True, slots=True)
class Horizon:
    """The days, first and last included, that a person may post on."""

    first: date
    last: date


def fiscal_year_end(today: date, closed_year: date | None, years: int = 0) -> date:
    """The last day of the fiscal year that `today` lies in, or of one so many later. Years end as the last closed one did, else on 31 December."""
    begins = closed_year + timedelta(days=1) if closed_year else date(today.year, 1, 1)
    first = _in_year(begins, today.year)
    next_year = today.year + 1 if first <= today else today.year
    return _in_year(begins, next_year + years) - timedelta(days=1)


async def check_effective(tx: Tx, day: date, today: date) -> None:
    """Raises Implausible when nobody can mean that a journal takes effect on this day."""
    horizon = await _horizon(tx, today)
    checked_day(day, horizon.first, horizon.last, "/effective_at")


async def check_period(tx: Tx, first_day: date, last_day: date, today: date) -> None:
    """Raises Implausible for a period of another age."""
    earliest = _in_year(today, today.year - YEARS_BACK)
    latest = _in_year(today, today.year + _YEARS_OF_PERIODS)
    earliest, latest = await dates.days(tx, "period", today, earliest, latest)
    checked_day(first_day, earliest, latest, "/first_day")
    checked_day(last_day, earliest, latest, "/last_day")


async def _horizon(tx: Tx, today: date) -> Horizon:
    known = select(func.max(Period.last_day), func.max(Period.last_day).filter(Period.year_end))
    last_period, closed_year = (await tx.execute(known)).one()
    next_year = fiscal_year_end(today, closed_year, 1)
    first, last = await dates.days(tx, "journal", today, _in_year(today, today.year - YEARS_BACK), next_year)
    return Horizon(first, max(last, last_period or last))


def _in_year(day: date, year: int) -> date:
    """The same day of another year; 1 March for a 29 February that the year lacks."""
    return date(year, 3, 1) if (day.month, day.day) == (2, 29) and not _is_leap(year) else day.replace(year=year)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
