"""A company's days: which day a moment belongs to, and when a day begins, in the zones that the company has counted its days in.

Zones are those of the IANA time zone database (RFC 6557), with all that they went through: hours that are skipped or come twice, midnights that do
not exist, days that were left out (Pacific/Apia, 2011-12-30). Days follow one another without gap or overlap whatever the zone does: a day lasts from
its first moment to the first moment of the next, and has none when both are the same.

A company changes its zone from a day on. That day begins when it does in the new zone, and the day before lasts until then.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, StringConstraints

ALWAYS = date.min
"""The `since` of a company's first zone."""
DEFAULT_ZONE = "Etc/UTC"
_END = datetime.max.replace(tzinfo=UTC)
_ONE_DAY, _ONE_SECOND, _SMALLEST = timedelta(days=1), timedelta(seconds=1), timedelta(microseconds=1)


@cache
def known_zones() -> frozenset[str]:
    """The names that are taken: `Area/Location` of the database that is installed. Short ones, such as `CET`, are no company's place."""
    return frozenset(name for name in available_timezones() if "/" in name)


def _is_known(name: str) -> str:
    if name not in known_zones():
        raise ValueError("is no zone of the IANA time zone database; write it as Europe/Berlin or Etc/UTC")
    return name


TimeZone = Annotated[
    str,
    StringConstraints(min_length=3, max_length=64),
    AfterValidator(_is_known),
    Field(examples=["Asia/Tokyo"], description="A zone of the IANA time zone database."),
]
"""The name of a zone in which days are counted."""


@dataclass(frozen=True, slots=True)
class Span:
    """A day's moments: from `begin`, included, to `end`, excluded; both the same for a day that was left out. In UTC."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Since:
    """The zone that counts from a day on."""

    day: date
    zone: str


class Calendar:
    """The days of one company. The same moment is of the same day for ever, since zones are only added for days to come."""

    def __init__(self, zones: Iterable[Since]) -> None:
        """`zones` in any order; of two since the same day the later one counts. Raises ValueError unless one is there since ALWAYS."""
        by_day = {each.day: each.zone for each in zones}
        if ALWAYS not in by_day:
            raise ValueError("a calendar needs a zone since ALWAYS")
        self._since = sorted(by_day)
        self._zones = [by_day[day] for day in self._since]

    def zone_of(self, day: date) -> str:
        """The zone that the day is counted in."""
        return self._zones[bisect_right(self._since, day) - 1]

    def day_of(self, moment: datetime) -> date:
        """The day that a moment belongs to."""
        day = self._near(moment)
        while self.first_moment(day) > moment:
            day -= _ONE_DAY
        while self.first_moment(day + _ONE_DAY) <= moment:
            day += _ONE_DAY
        return day

    def first_moment(self, day: date) -> datetime:
        """When a day begins, in UTC: midnight, or the first moment after it where the clocks leave midnight out."""
        later = zip(self._since, self._zones, strict=True)
        # A zone far ahead may begin its first day before the day before that has begun here, which then has no moments.
        return min(
            _first_moment(day, self.zone_of(day)), *(_first_moment(*each) for each in later if each[0] > day), _END
        )

    def last_moment(self, day: date) -> datetime:
        """The last microsecond before the next day, in UTC; of a day that was left out, the last of the day before."""
        return self.first_moment(day + _ONE_DAY) - _SMALLEST

    def days_later(self, moment: datetime, days: int) -> datetime:
        """When the clocks show the same time so many days later, in UTC; where they do not, the nearest moment of that day or after it."""
        if not days:
            return moment
        today = self.day_of(moment)
        shown = moment.astimezone(ZoneInfo(self.zone_of(today)))
        day = today + timedelta(days=days)
        there = shown.replace(tzinfo=None) + timedelta(days=days)
        return max(self.first_moment(day), there.replace(tzinfo=ZoneInfo(self.zone_of(day))).astimezone(UTC))

    def span(self, day: date) -> Span:
        """All moments of a day."""
        return Span(self.first_moment(day), self.first_moment(day + _ONE_DAY))

    def begin_of(self, given: datetime | date) -> datetime:
        """A moment as it is, a day by its first moment."""
        return given if isinstance(given, datetime) else self.first_moment(given)

    def end_of(self, given: datetime | date) -> datetime:
        """A moment as it is, a day by its last moment."""
        return given if isinstance(given, datetime) else self.last_moment(given)

    def _near(self, moment: datetime) -> date:
        """A day that is at most a few days off."""
        for since, zone in zip(reversed(self._since), reversed(self._zones), strict=True):
            if since == ALWAYS or _first_moment(since, zone) <= moment:
                return moment.astimezone(ZoneInfo(zone)).date()
        raise AssertionError("the first zone counts from the first day on")


def _first_moment(day: date, zone: str) -> datetime:
    """The first moment at which a clock in `zone` shows `day`, or a later one where that day was left out."""
    there, midnight = ZoneInfo(zone), datetime.combine(day, time.min)
    begin = midnight.replace(tzinfo=there).astimezone(UTC)
    if begin.astimezone(there).replace(tzinfo=None) == midnight:
        return begin
    # The clocks jumped over midnight. They did so between the two readings of it: as before the jump, and as after.
    late, early = begin, midnight.replace(tzinfo=there, fold=1).astimezone(UTC)
    while late - early > _ONE_SECOND:
        middle = early + (late - early) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(there).date() >= day:
            late = middle
        else:
            early = middle
    return late
