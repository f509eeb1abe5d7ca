"""When something comes again: rules of RFC 5545, read on the clocks of a zone, so that nine o'clock stays nine o'clock when these are moved.

A time that the clocks leave out comes as much later as they were moved on; one that comes twice counts once, the first (RFC 5545, 3.3.5). A rule is
found by days, weeks, months or years, since nobody meets by the minute. Its first time has to be its own, so that a rule that never comes is refused
without a search for it.
"""

import re
from calendar import isleap, monthrange
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

HORIZON = timedelta(days=3660)
MOST_TIMES = 1000
LONGEST = 300
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAY = r"(MO|TU|WE|TH|FR|SA|SU)"
_LISTS = {
    "BYDAY": rf"[+-]?\d{{0,2}}{_DAY}",
    "BYMONTHDAY": r"[+-]?\d{1,2}",
    "BYYEARDAY": r"[+-]?\d{1,3}",
    "BYMONTH": r"\d{1,2}",
    "BYSETPOS": r"[+-]?\d{1,3}",
}
_ONES = {
    "FREQ": "|".join(_FREQUENCIES),
    "INTERVAL": r"[1-9]\d{0,2}",
    "COUNT": r"[1-9]\d{0,3}",
    "UNTIL": r"\d{8}(T\d{6}Z?)?",
    "WKST": _DAY,
}
_END_OF_DAY = time(23, 59, 59)


class Rule:
    """A rule, with the first occurrence as the clocks of its zone show it."""

    def __init__(self, text: str, begin: datetime, zone: str, exceptions: Collection[date] = ()) -> None:
        """`begin` is a moment, of which whole seconds count (RFC 5545 knows no others). Raises ValueError for what is no such rule, or one that
        `begin` is no occurrence of."""
        self._zone, self._exceptions = zone, frozenset(exceptions)
        self._begin = local(begin.replace(microsecond=0), zone)
        parts = _parts(text)
        self._count = int(parts.pop("COUNT", "0")) or None
        if self._count is not None and self._count > MOST_TIMES:
            raise ValueError(f"COUNT is at most {MOST_TIMES}")
        if not _holds(parts, self._begin):
            raise ValueError("the first time is no time of its own rule")
        until = parts.pop("UNTIL", None)
        if until is not None and self._count is not None:
            raise ValueError("COUNT and UNTIL do not go together")
        self._until = None if until is None else _until(until, zone)
        try:
            read = rrulestr(";".join(f"{name}={value}" for name, value in parts.items()), dtstart=self._begin)
        except (ValueError, TypeError, IndexError, KeyError) as error:
            raise ValueError(f"is no rule: {error}") from None
        assert isinstance(read, rrule)
        self._rule = read
        if next(self._times(self._begin), None) != self._begin:
            raise ValueError("the first time is no time of its own rule")

    def following(self, current: datetime, now: datetime) -> datetime | None:
        """The first occurrence after the `current` one that has not come yet; None when there is none. Moments, in UTC."""
        last = local(current, self._zone)
        for each in self._times(max(last, local(now, self._zone))):
            if each > last and each.date() not in self._exceptions and (moment := moment_of(each, self._zone)) > now:
                return moment
        return None

    def between(self, begin: datetime, end: datetime) -> list[datetime]:
        """The occurrences from one moment on and before another, in UTC."""
        moments = (
            moment_of(each, self._zone)
            for each in self._times(local(end, self._zone), timedelta())
            if each.date() not in self._exceptions
        )
        return [moment for moment in moments if begin <= moment < end]

    def until_utc(self) -> datetime:
        """The last moment that the rule reaches; of a rule without an end, HORIZON from its beginning on."""
        return moment_of(self._until or self._begin + HORIZON, self._zone)

    def _times(self, near: datetime, ahead: timedelta = HORIZON) -> Iterator[datetime]:
        """Occurrences from the first on, and so far behind `near`, as clocks show them."""
        end = max(near, self._begin) + ahead
        end = end if self._until is None else min(end, self._until)
        found = iter(self._rule.replace(until=end))
        return islice(found, self._count)


def local(moment: datetime, zone: str) -> datetime:
    """What the clocks of a zone show, without the zone."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def moment_of(shown: datetime, zone: str) -> datetime:
    """When the clocks of a zone show this, in UTC."""
    return shown.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)


def _parts(text: str) -> dict[str, str]:
    if len(text) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters")
    parts: dict[str, str] = {}
    for part in text.upper().removeprefix("RRULE:").split(";"):
        name, equals, value = part.partition("=")
        one = _ONES.get(name) or (f"{_LISTS[name]}(,{_LISTS[name]})*" if name in _LISTS else None)
        if not equals or one is None or name in parts:
            raise ValueError(f"{part[:40]!r} is no part of a rule, or stands there twice")
        if not re.fullmatch(one, value):
            raise ValueError(f"{part[:40]!r} is no value of {name} that is taken here")
        parts[name] = value
    _check_counted(parts)
    if "FREQ" not in parts:
        raise ValueError(f"it needs a FREQ of {', '.join(_FREQUENCIES)}")
    return parts


def _check_counted(parts: Mapping[str, str]) -> None:
    """Whatever counts has something to count, each time: dateutil looks for what never comes until the year 9999."""
    ordinals = [int(each[:-2]) for each in parts.get("BYDAY", "").split(",") if len(each) > len("MO")]
    most = {"MONTHLY": 5, "YEARLY": 53}.get(parts.get("FREQ", ""), 0)
    if any(not 1 <= abs(each) <= most for each in ordinals):
        raise ValueError("a BYDAY that is counted is the first to the fifth of a month, or to the 53rd of a year")
    if "BYSETPOS" in parts:
        alone = parts.get("FREQ") == "MONTHLY" and "BYDAY" in parts and not {"BYMONTHDAY", "BYYEARDAY"} & parts.keys()
        least = 4 * (parts.get("BYDAY", "").count(",") + 1)
        if not alone or ordinals or any(not 1 <= abs(int(each)) <= least for each in parts["BYSETPOS"].split(",")):
            raise ValueError(
                "BYSETPOS goes with FREQ=MONTHLY and plain days of BYDAY, and with no more than every month has"
            )


def _holds(parts: Mapping[str, str], begin: datetime) -> bool:
    """Whether the first time has what each part asks for, as far as each by itself tells."""
    month_end, year_end = monthrange(begin.year, begin.month)[1], 366 if isleap(begin.year) else 365
    year_day = begin.timetuple().tm_yday
    said = {
        "BYMONTH": {begin.month},
        "BYMONTHDAY": {begin.day, begin.day - month_end - 1},
        "BYYEARDAY": {year_day, year_day - year_end - 1},
    }
    days = {each[-2:] for each in parts.get("BYDAY", "").split(",")}
    return (not parts.get("BYDAY") or _DAYS[begin.weekday()] in days) and all(
        name not in parts or not said[name].isdisjoint(map(int, parts[name].split(","))) for name in said
    )


def canonical(text: str) -> str:
    """The one spelling of a rule. Raises ValueError."""
    return ";".join(f"{name}={value}" for name, value in _parts(text).items())


def _until(text: str, zone: str) -> datetime:
    """The last moment as the clocks show it; of a plain day, its end."""
    day = date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    if "T" not in text:
        return datetime.combine(day, _END_OF_DAY)
    shown = datetime.combine(day, time(int(text[9:11]), int(text[11:13]), int(text[13:15])))
    return local(shown.replace(tzinfo=UTC), zone) if text.endswith("Z") else shown
