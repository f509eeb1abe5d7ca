"""A report's answer: its figures by part and key, each with where its records are listed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from analytics.lake.engine import Engine
from analytics.measures import Measure
from analytics.periods import Part, cut, moments
from analytics.refusals import TooManyRows
from analytics.reports import Asked, Key, Sum, Sums, happened, last_moment, link, standing_at, stands
from analytics.shown import CUSTOMERS, Report
from tailrace.core import clock
from tailrace.core.values.days import Calendar
from tailrace.core.values.money import round_minor
from tailrace.db.database import Tx

MOST_ROWS = 5_000
"""How many rows an answer has at most: each has all figures of its report, so this many are twenty megabytes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was asked and what it came to: the parts, when each begins, what happened in each and what stands at the end."""

    asked: Asked
    parts: Sequence[Part]
    bounds: Sequence[datetime]
    happened: Sums
    stands: Sums


async def answer(tx: Tx, report: Report, asked: Asked, calendar: Calendar, engine: Engine | None = None) -> Answer:
    """What happened and what stands are each one statement, and one of the engine's where much is asked for. Raises Invalid, TooManyRows."""
    parts = cut(asked.begin, asked.until, asked.interval)
    bounds = moments(calendar, parts)
    came = await happened(tx, report.happened.values(), asked, bounds, report.money, engine)
    stand = await stands(tx, report.stands.values(), asked, last_moment(bounds), report.money, engine)
    for sums in (came, stand):
        if len({place[:3] for place in sums}) > MOST_ROWS:
            raise TooManyRows(MOST_ROWS)
    return Answer(asked, parts, bounds, came, stand)


def rows_of(report: Report, found: Answer) -> list[dict[str, Any]]:
    """One row for each part, key and currency of which anything happened, in this order."""
    places = sorted({place[:3] for place in found.happened}, key=_order)
    rows = []
    for number, key, currency in places:
        part = found.parts[number]
        figures = {
            field: figure(
                report, measure, found.asked, part, key, currency, found.happened.get((number, key, currency, measure))
            )
            for field, measure in report.happened.items()
        }
        rows.append({**_head(part, key), **({"currency": currency} if report.money else {}), **figures})
    return rows


def standing_rows(report: Report, found: Answer) -> list[dict[str, Any]]:
    """One row for each key and currency of which anything stands."""
    whole = Part(found.parts[0].begins_on, found.parts[-1].ends_on)
    rows = []
    for _, key, currency in sorted({place[:3] for place in found.stands}, key=_order):
        figures = {
            field: figure(
                report, measure, found.asked, whole, key, currency, found.stands.get((0, key, currency, measure))
            )
            for field, measure in report.stands.items()
        }
        rows.append({"key": _text(key), **({"currency": currency} if report.money else {}), **figures})
    return rows


def _order(place: tuple[int, Key, str | None]) -> tuple[int, str, str]:
    return place[0], _text(place[1]) or "", place[2] or ""


def heading(found: Answer) -> dict[str, Any]:
    """What every report says of itself."""
    asked = found.asked
    return {
        "begins_on": found.parts[0].begins_on,
        "ends_on": found.parts[-1].ends_on,
        "interval": asked.interval,
        "by": asked.by,
        "as_of": asked.as_of or clock.now(),
        "standing_at": standing_at(asked, last_moment(found.bounds)),
    }


def _head(part: Part, key: Key) -> dict[str, Any]:
    return {"begins_on": part.begins_on, "ends_on": part.ends_on, "key": _text(key)}


def _text(key: Key) -> str | None:
    return None if key is None else str(key)


def figure(
    report: Report, measure: Measure, asked: Asked, part: Part, key: Key, currency: str | None, total: Sum | None
) -> dict[str, Any]:
    """What a view of a figure shows; nothing of it is a figure of 0."""
    total = total or Sum(0, 0, 0)
    return {
        "count": total.count,
        "amount": total.amount,
        "average_seconds": average(total.seconds, total.count),
        "quantity": Decimal(total.quantity).scaleb(-6),
        "records": link(report, measure, asked, part, key, currency),
    }


def average(seconds: int, count: int) -> int | None:
    """In whole seconds, half up; of nothing there is none."""
    return round_minor(Fraction(seconds, count)) if count > 0 else None


def share_of(part: int, whole: int) -> Decimal | None:
    """A share of one, to six decimals, half up; of nothing there is none."""
    return Decimal(round_minor(Fraction(part * 10**6, whole))).scaleb(-6) if whole > 0 else None


def with_ordering(
    found: Answer, rows: list[dict[str, Any]], told: Mapping[tuple[int, Key], int], *, known: bool
) -> list[dict[str, Any]]:
    """The rows with how many customers ordered, those included in which nothing else happened."""
    numbers = {part.begins_on: number for number, part in enumerate(found.parts)}
    left = {(number, _text(key)): (number, key, customers) for (number, key), customers in told.items()}
    for row in rows:
        told_of = left.pop((numbers[row["begins_on"]], row["key"]), None)
        row["ordering"] = None if not known else 0 if told_of is None else told_of[2]
    for number, key, customers in left.values():
        empty = {
            field: figure(CUSTOMERS, measure, found.asked, found.parts[number], key, None, None)
            for field, measure in CUSTOMERS.happened.items()
        }
        rows.append({**_head(found.parts[number], key), **empty, "ordering": customers})
    return sorted(rows, key=lambda row: (row["begins_on"], row["key"] or ""))


def add_averages(found: Answer, rows: list[dict[str, Any]]) -> None:
    """How long it took until approvals were approved or rejected, both together."""
    numbers = {part.begins_on: number for number, part in enumerate(found.parts)}
    seconds: dict[tuple[int, str | None], tuple[int, int]] = {}
    for (number, key, _, measure), total in found.happened.items():
        if measure in {"approval_approved", "approval_rejected"}:
            took, count = seconds.get((number, _text(key)), (0, 0))
            seconds[number, _text(key)] = (took + total.seconds, count + total.count)
    for row in rows:
        row["average_seconds"] = average(*seconds.get((numbers[row["begins_on"]], row["key"]), (0, 0)))
