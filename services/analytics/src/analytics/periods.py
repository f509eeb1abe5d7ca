"""The days of a report, cut into days, weeks (from Monday), months or quarters of the calendar, each with its moments in the company's zone."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from tailrace.core.errors import Invalid
from tailrace.core.values.days import Calendar

Interval = Literal["whole", "day", "week", "month", "quarter"]
MOST = 400
"""How many parts a report has at most."""
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Part:
    """From the first day to the last, both included."""

    begins_on: date
    ends_on: date


def part_of(day: date, interval: Interval) -> Part:
    """The whole day, week, month or quarter that a day lies in."""
    if interval == "week":
        first = day - timedelta(days=day.weekday())
        return Part(first, first + timedelta(days=6))
    if interval in {"month", "quarter"}:
        length = 1 if interval == "month" else 3
        month = (day.month - 1) // length * length + 1
        following = date(day.year + (month + length - 1) // 12, (month + length - 1) % 12 + 1, 1)
        return Part(date(day.year, month, 1), following - _ONE_DAY)
    return Part(day, day)


def month_of(day: date) -> tuple[date, date]:
    """The first day of its month, and the first after it."""
    month = part_of(day, "month")
    return month.begins_on, month.ends_on + _ONE_DAY


def asked_part(begin: date | None, until: date | None, today: date, interval: Interval) -> Part:
    """The days from `begin` on, before `until`; where one is left out, as far as the day, week, month or quarter of the other goes; where both are,
    that of today. Raises Invalid."""
    whole = part_of(begin or (until - _ONE_DAY if until else today), interval)
    (part,) = cut(begin or whole.begins_on, until or whole.ends_on + _ONE_DAY, "whole")
    return part


def cut(begin: date, until: date, interval: Interval) -> Sequence[Part]:
    """The parts of the days from `begin` on, before `until`; the first and the last may be cut off. Raises Invalid."""
    if until <= begin:
        raise Invalid.field("until", "It has to lie after `from`.")
    if interval == "whole":
        return [Part(begin, until - _ONE_DAY)]
    parts: list[Part] = []
    day = begin
    while day < until:
        if len(parts) == MOST:
            raise Invalid.field(
                "interval", f"That would be more than {MOST} parts; ask for fewer days or longer parts."
            )
        whole = part_of(day, interval)
        parts.append(Part(day, min(whole.ends_on, until - _ONE_DAY)))
        day = whole.ends_on + _ONE_DAY
    return parts


def moments(calendar: Calendar, parts: Sequence[Part]) -> list[datetime]:
    """When each part begins, and when the last one ends: one more than there are parts."""
    return [calendar.first_moment(part.begins_on) for part in parts] + [
        calendar.first_moment(parts[-1].ends_on + _ONE_DAY)
    ]


def part_at(moment: datetime, bounds: Sequence[datetime]) -> int:
    """Which part a moment lies in."""
    return bisect_right(bounds, moment) - 1
