"""How far from now a moment of the business may lie: a policy with defaults, one for each thing that is dated."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from tailrace.core import clock
from tailrace.core.errors import Invalid

CLOCK_SKEW: Final = timedelta(minutes=5)
"""A client's clock may be a little ahead of ours."""
_YEAR: Final = timedelta(days=366)


class Implausible(Invalid):
    """422: a date so far from today that it is taken for a slip."""

    slug, title = "implausible-date", "The date is not plausible"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a moment may be: at most so many years ago, and at most `ahead` of now. What took place is ahead of now by the clocks' skew at most."""

    years: int = 1
    ahead: timedelta = CLOCK_SKEW

    def checked(self, moment: datetime, field: str) -> datetime:
        """The moment. Raises Implausible, which names the field."""
        now = clock.now()
        if moment > now + self.ahead:
            raise Implausible("This moment is still to come.", field=field)
        if moment < (earliest := now - self.years * _YEAR):
            raise Implausible(
                f"This is longer ago than is taken here: {earliest:%Y-%m-%d} at the earliest.", field=field
            )
        return moment


def checked_day(day: date, earliest: date, latest: date, field: str) -> date:
    """The day, which lies from `earliest` to `latest`, both included. Raises Implausible, which names the field."""
    if not earliest <= day <= latest:
        raise Implausible(f"{day} does not lie between {earliest} and {latest}.", field=field)
    return day
