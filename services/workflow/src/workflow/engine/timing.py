"""ISO 8601 moments, durations and cycles, as BPMN's timers have them; the clock is always given, never read.

A text that begins as ISO does is taken as it is; anything else is an expression over the data that gives one.
"""

import calendar
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from workflow.engine import expressions
from workflow.engine.findings import Unevaluable

_DURATION = re.compile(
    r"P(?=.)(?:(N)Y)?(?:(N)M)?(?:(N)W)?(?:(N)D)?(?:T(?=\d)(?:(N)H)?(?:(N)M)?(?:(N(?:[.,]N)?)S)?)?".replace(
        "N", r"\d{1,15}"
    ),
    re.I | re.ASCII,
)
_CYCLE = re.compile(r"R\d{0,15}", re.I | re.ASCII)
_ISO = re.compile(r"^(P[\dT]|R\d*/|\d{4}-\d{2}-\d{2})", re.I)
_LONGEST = timedelta(days=36_600)
UTC_ZONE = "Etc/UTC"


def later(start: datetime, duration: str, zone: str = UTC_ZONE) -> datetime:
    """This moment and this ISO 8601 duration; a month after 31 January is the last day of February.

    Years, months, weeks and days go by the calendar of `zone`, whose clocks show the same time then; hours, minutes and seconds are exact.
    """
    match = _DURATION.fullmatch(duration.strip())
    if not match:
        raise Unevaluable(f"{duration!r} is no ISO 8601 duration, such as P3D or PT12H")
    years, months, weeks, days, hours, minutes = (int(part or 0) for part in match.groups()[:6])
    seconds = float((match.group(7) or "0").replace(",", "."))
    there = start.astimezone(ZoneInfo(zone))
    total = there.year * 12 + there.month - 1 + years * 12 + months
    if total // 12 > 9000:
        raise Unevaluable(f"{duration!r} is too long")
    year, month = divmod(total, 12)
    try:
        by_day, exact = timedelta(weeks=weeks, days=days), timedelta(hours=hours, minutes=minutes, seconds=seconds)
        if by_day + exact > _LONGEST:
            raise OverflowError
        if by_day or years or months:
            last = calendar.monthrange(year, month + 1)[1]
            moved = there.replace(year=year, month=month + 1, day=min(there.day, last), fold=0)
            start = (moved + by_day).astimezone(UTC)
        return start + exact
    except OverflowError as error:
        raise Unevaluable(f"{duration!r} is too long") from error


def _said(text: str, data: Mapping[str, Any]) -> Any:
    return text if _ISO.match(text) else expressions.evaluate(text.removeprefix("="), data)


def date(value: Any, zone: str = UTC_ZONE) -> datetime:
    """This ISO 8601 date or moment, on the clocks of `zone` where it names none: of a day its first moment."""
    try:
        made = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError as error:
        raise Unevaluable(f"{value!r} is no ISO 8601 date or moment") from error
    return made if made.tzinfo else made.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def due(
    timer: Mapping[str, Any], data: Mapping[str, Any], now: datetime, zone: str = UTC_ZONE
) -> tuple[datetime, str | None, int]:
    """When this timer is due first, and for a cycle its period and how often (-1: for ever). Days are counted in `zone`."""
    value = _said(timer["text"], data)
    if isinstance(value, timedelta):
        if abs(value) > _LONGEST:
            raise Unevaluable(f"{timer['text']!r} is too long")
        return now + value, None, 1
    if timer["timer"] == "at":
        return date(value, zone), None, 1
    if timer["timer"] == "after":
        return (date(value, zone) if isinstance(value, datetime) else later(now, str(value), zone)), None, 1
    return _cycle(str(value), now, zone)


def check(timer: Mapping[str, Any]) -> None:
    """Raises Unevaluable when this timer can never be due: a time that is none, or no expression."""
    if _ISO.match(timer["text"]):
        due(timer, {}, datetime(2026, 1, 1, tzinfo=UTC))
    else:
        expressions.check(timer["text"].removeprefix("="))


def _cycle(text: str, now: datetime, zone: str) -> tuple[datetime, str | None, int]:
    parts = text.split("/")
    if len(parts) not in (2, 3) or not _CYCLE.fullmatch(parts[0]):
        raise Unevaluable(f"{text!r} is no ISO 8601 cycle, such as R3/PT1H")
    times = int(parts[0][1:]) if parts[0][1:] else -1
    period = parts[-1]
    if later(now, period, zone) <= now + timedelta(seconds=1):
        raise Unevaluable(f"{text!r} repeats too fast")
    first = date(parts[1], zone) if len(parts) == 3 else later(now, period, zone)
    return first, period, times


def following(
    last: datetime, period: str, times: int, now: datetime, zone: str = UTC_ZONE
) -> tuple[datetime, int] | None:
    """The next moment of a cycle after now, and how often still; None when it is over. Missed rounds are not made up for."""
    left = times - 1 if times > 0 else times
    moment = later(last, period, zone)
    while moment <= now and left != 0:
        if times < 0:
            moment = _caught_up(last, moment, now, zone if _by_days(period) else UTC_ZONE)
        last, moment = moment, later(moment, period, zone)
        left = left - 1 if left > 0 else left
    return None if left == 0 else (moment, left)


def _by_days(period: str) -> bool:
    """Whether it counts days, or what is longer, and no time of day."""
    return "T" not in period.upper()


def _caught_up(last: datetime, moment: datetime, now: datetime, zone: str) -> datetime:
    """The moment, or where more than a thousand rounds are behind, one shortly before now; a round is as long on the clocks of `zone` as the last."""
    there = ZoneInfo(zone)
    began, ended, reads = (each.astimezone(there).replace(tzinfo=None) for each in (last, moment, now))
    length = max(ended - began, timedelta(seconds=1))
    rounds = (reads - ended) // length - 1
    return (ended + rounds * length).replace(tzinfo=there).astimezone(UTC) if rounds > 1000 else moment
