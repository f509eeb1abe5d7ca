"""How far from now a moment of the business may lie, one default for each kind of thing that is dated.

Each company may say otherwise (`tailrace.messaging.date_policy`).
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final, Self

from tailrace.core import clock
from tailrace.core.errors import Invalid
from tailrace.core.values.days import Calendar

CLOCK_SKEW: Final = timedelta(minutes=5)
"""A client's clock may be a little ahead of ours."""
_YEAR: Final = timedelta(days=366)
_LONG_OVER, _LONGEST_GOOD = 10 * _YEAR, 100 * _YEAR
FIRST_DAY_AHEAD, LAST_DAY_BACK = 10 * _YEAR, 50 * _YEAR
"""How far what holds from one day to the other may begin ahead, and how long ago it may have ended."""


class Implausible(Invalid):
    """422: a date so far from today that it is taken for a slip."""

    slug, title = "implausible-date", "The date is not plausible"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a moment may be: of a day at most `back` before today, as the company counts its days, and at most `ahead` after now, or of a day at most
    `days_ahead` after today. What took place is ahead of now by the clocks' skew at most."""

    back: timedelta = _YEAR
    ahead: timedelta = CLOCK_SKEW
    days_ahead: int | None = None
    """In place of `ahead`, where a company has said so."""

    @classmethod
    def of_years(cls, years: int) -> Self:
        """Back so many years, and not ahead."""
        return cls(years * _YEAR)

    def as_said(self, said: "Said") -> Self:
        """The same, with what a company has said of them instead."""
        back = self.back if said.days_back is None else timedelta(days=said.days_back)
        return replace(self, back=back, days_ahead=self.days_ahead if said.days_ahead is None else said.days_ahead)

    def takes(self, moment: datetime, calendar: Calendar) -> bool:
        """Whether a moment lies within them."""
        try:
            self.checked(moment, "", calendar)
        except Implausible:
            return False
        return True

    def checked(self, moment: datetime, field: str, calendar: Calendar) -> datetime:
        """The moment. Raises Implausible, which names the field."""
        now = clock.now()
        today = calendar.day_of(now)
        earliest, latest = today - self.back, now + self.ahead
        if self.days_ahead is not None:
            latest = calendar.last_moment(today + timedelta(days=self.days_ahead))
        if moment > latest:
            farther = self.days_ahead is not None or self.ahead > CLOCK_SKEW
            why = (
                f"This is later than is taken here: {calendar.day_of(latest)} at the latest."
                if farther
                else "This moment is still to come."
            )
            raise Implausible(why, field=field)
        if moment < calendar.first_moment(earliest):
            raise Implausible(f"This is longer ago than is taken here: {earliest} at the earliest.", field=field)
        return moment


@dataclass(frozen=True, slots=True)
class Said:
    """What a company has said of one kind of date, in days; None where the default holds."""

    days_back: int | None = None
    days_ahead: int | None = None


def last_days(from_day: date) -> tuple[date, date]:
    """The first and the last day that the goods may be good until which came, or are packed, on `from_day`: what is long over may come to be thrown
    away."""
    return from_day - _LONG_OVER, from_day + _LONGEST_GOOD


def checked_day(day: date, earliest: date, latest: date, field: str) -> date:
    """The day, which lies from `earliest` to `latest`, both included. Raises Implausible, which names the field."""
    if not earliest <= day <= latest:
        raise Implausible(f"{day} does not lie between {earliest} and {latest}.", field=field)
    return day
