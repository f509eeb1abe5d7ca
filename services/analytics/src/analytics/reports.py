"""Reports: sums of movements over days of the company's, by person, team, customer or kind, as of any moment, never two currencies in one.

`analytics.shown` says what each shows. The rows behind a figure are those that the same conditions find, so that they add up to it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    Select,
    Text,
    and_,
    cast,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import aliased, contains_eager

from analytics import wide
from analytics.lake.engine import Engine
from analytics.measures import STANDING, Measure
from analytics.memberships import teams_at
from analytics.movements import Document, Movement
from analytics.periods import Interval, Part, month_of
from analytics.projections import days
from analytics.shown import Report
from tailrace.core import clock
from tailrace.core.errors import Invalid
from tailrace.core.values.days import Calendar
from tailrace.db.database import Tx

By = Literal[
    "company",
    "person",
    "team",
    "customer",
    "kind",
    "status",
    "segment",
    "priority",
    "item",
    "warehouse",
    "supplier",
]
NOBODY = "none"
"""The key of what has no person, team, customer or segment, as a parameter."""
_LABELS = {"kind", "status", "priority"}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked of a report. `begin` and `until` are the company's days, `until` excluded; `as_of` None is now."""

    begin: date
    until: date
    interval: Interval = "whole"
    by: By = "company"
    as_of: datetime | None = None
    owner_id: UUID | None = None
    team_id: UUID | None = None
    customer_id: UUID | None = None
    item_id: UUID | None = None
    warehouse_id: UUID | None = None
    supplier_id: UUID | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Sum:
    """What the rows of one measure, part, key and currency add up to."""

    count: int
    amount: int
    seconds: int
    quantity: int = 0
    """In millionths of a base unit; means something where all is of one item."""


Key = UUID | str | None
Sums = dict[tuple[int, Key, str | None, Measure], Sum]


async def asked_of(
    tx: Tx, begin: date | None, until: date | None, as_of: datetime | date | None, **said: Any
) -> tuple[Asked, Calendar]:
    """What is asked, and the company's days: of this month, unless days are given. Raises Invalid."""
    calendar = await days.calendar(tx)
    first, following = month_of(begin or (until and part_before(until)) or calendar.day_of(clock.now()))
    moment = None if as_of is None else calendar.end_of(as_of)
    return Asked(begin=begin or first, until=until or following, as_of=moment, **said), calendar


def part_before(day: date) -> date:
    """The day before."""
    return date.fromordinal(day.toordinal() - 1)


async def happened(
    tx: Tx,
    measures: Iterable[Measure],
    asked: Asked,
    bounds: Sequence[datetime],
    money: bool,
    engine: Engine | None = None,
) -> Sums:
    """What happened in each part, the parts numbered from 0. The engine answers where much is asked for. Raises TooManyRows."""
    measures = [*measures]
    array = literal(list(bounds), ARRAY(DateTime(timezone=True)))
    part = (func.width_bucket(Movement.at, array) - 1).label("part")
    where = conditions(asked, measures, asked.as_of, within(bounds))

    async def rest(*more: ColumnElement[bool]) -> wide.Totals:
        return await _added_up(tx, [*where, *more], asked, part, money)

    said: Any = {"money": money, "known": asked.as_of, "bounds": bounds, "rest": rest}
    found = await wide.totals(tx, engine, measures, asked, **said)
    return _sums(await rest() if found is None else found)


async def stands(
    tx: Tx, measures: Iterable[Measure], asked: Asked, end: datetime, money: bool, engine: Engine | None = None
) -> Sums:
    """What stands at the end of the days, or at `as_of` or now where that is earlier. All of it is of part 0. Raises TooManyRows."""
    measures = [*measures]
    moment = standing_at(asked, end)
    where = conditions(asked, measures, moment, _due(moment))

    async def rest(*more: ColumnElement[bool]) -> wide.Totals:
        return await _added_up(tx, [*where, *more], asked, literal(0).label("part"), money)

    said: Any = {"money": money, "known": moment, "due": moment, "rest": rest}
    found = await wide.totals(tx, engine, measures, asked, **said)
    return _sums(await rest() if found is None else found)


def _sums(totals: wide.Totals) -> Sums:
    return {place: Sum(*total) for place, total in totals.items() if any(total)}


def standing_at(asked: Asked, end: datetime) -> datetime:
    """The moment at which what stands is counted: the last one of the days that has come by then."""
    return min(asked.as_of or clock.now(), end)


def _due(moment: datetime) -> ColumnElement[bool]:
    """What was due counts from its day on; what else stands, from when it was known."""
    return or_(Movement.measure != "task_due", Movement.at <= moment)


def conditions(
    asked: Asked, measures: Iterable[Measure], known: datetime | None, *more: ColumnElement[bool]
) -> list[ColumnElement[bool]]:
    """Which rows are meant: of these measures, known by then, and of whom it was asked."""
    found = [Movement.measure.in_(sorted(measures)), *more]
    if known is not None:
        found.append(Movement.known_at <= known)
    for column, value in (
        (Movement.owner_id, asked.owner_id),
        (Movement.customer_id, asked.customer_id),
        (Movement.item_id, asked.item_id),
        (Movement.warehouse_id, asked.warehouse_id),
        (Movement.currency, asked.currency),
    ):
        if value is not None:
            found.append(column == value)
    if asked.team_id is not None:
        found.append(_in_team(asked, asked.team_id))
    if asked.supplier_id is not None:
        found.append(_of_supplier(asked.supplier_id))
    return found


def _of_supplier(supplier_id: UUID | None) -> ColumnElement[bool]:
    """Whether it came of a delivery of the supplier's; with None, of nobody's who is known."""
    its = select(Document.id).where(Document.kind == "delivery")
    if supplier_id is None:
        return or_(Movement.came_of_id.is_(None), Movement.came_of_id.not_in(its))
    return Movement.came_of_id.in_(its.where(Document.standing["supplier_id"].astext == str(supplier_id)))


def _in_team(asked: Asked, team_id: UUID | None) -> ColumnElement[bool]:
    """Whether its owner was in the team; with None, in no team."""
    teams = teams_at(asked.as_of)
    if team_id is None:
        return or_(Movement.owner_id.is_(None), Movement.owner_id.not_in(select(teams.c.user_id)))
    return Movement.owner_id.in_(select(teams.c.user_id).where(teams.c.team_id == team_id))


async def _added_up(
    tx: Tx, conditions: Sequence[ColumnElement[bool]], asked: Asked, part: Any, money: bool
) -> wide.Totals:
    one = Movement
    key, joined = _key(asked)
    currency: Any = one.currency if money else cast(literal(None), Text)
    found = select(
        part.label("part"),
        key.label("key"),
        currency.label("currency"),
        one.measure,
        one.count,
        one.amount,
        one.seconds,
        one.millionths.label("quantity"),
    ).where(*conditions)
    if joined is not None:
        found = found.outerjoin(*joined)
    each = found.subquery("found").c
    told_apart = (each.part, each.key, each.currency, each.measure)
    query = select(
        *told_apart,
        cast(func.sum(each["count"]), BigInteger).label("documents"),
        func.sum(each.amount).label("amount"),
        cast(func.sum(each.seconds), BigInteger).label("seconds"),
        func.sum(each.quantity).label("quantity"),
    ).group_by(*told_apart)
    rows = (await tx.execute(query.limit(wide.MOST_SUMS + 1))).all()
    wide.ensure_few(rows)
    return {
        (row.part, row.key, row.currency, row.measure): (row.documents, int(row.amount), row.seconds, int(row.quantity))
        for row in rows
    }


async def customers_who(
    tx: Tx, measure: Measure, asked: Asked, bounds: Sequence[datetime]
) -> dict[tuple[int, Key], int]:
    """How many different customers have anything of a measure in each part, taken together."""
    one = Movement
    key, joined = _key(asked)
    part = func.width_bucket(one.at, literal(list(bounds), ARRAY(DateTime(timezone=True)))) - 1
    found = select(part.label("part"), key.label("key"), one.customer_id, one.count).where(
        *conditions(asked, [measure], asked.as_of, within(bounds), one.customer_id.is_not(None))
    )
    if joined is not None:
        found = found.outerjoin(*joined)
    each = found.subquery("found").c
    told_apart = (each.part, each.key, each.customer_id)
    some = select(*told_apart).group_by(*told_apart).having(func.sum(each["count"]) > 0).subquery("some").c
    rows = await tx.execute(select(some.part, some.key, func.count().label("customers")).group_by(some.part, some.key))
    return {(row.part, row.key): row.customers for row in rows}


def _key(asked: Asked) -> tuple[Any, Any]:
    """By what rows are told apart, and what is to be joined for that, and how."""
    one = Movement
    if asked.by == "team":
        teams = teams_at(asked.as_of)
        return teams.c.team_id, (teams, teams.c.user_id == one.owner_id)
    if asked.by == "supplier":
        its = aliased(Document)
        return its.standing["supplier_id"].astext, (its, and_(its.kind == "delivery", its.id == one.came_of_id))
    if asked.by in _LABELS:
        return one.label, None
    columns: dict[str, Any] = {
        "person": one.owner_id,
        "customer": one.customer_id,
        "segment": one.segment,
        "item": one.item_id,
        "warehouse": one.warehouse_id,
    }
    return columns.get(asked.by, cast(literal(None), Text)), None


def records(
    report: Report, measure: Measure | None, asked: Asked, bounds: Sequence[datetime], key: str | None
) -> Select[Movement]:
    """The rows behind a figure, which add up to it; without a measure, those of everything that happened.

    Documents of which nothing is left are not among them. Raises Invalid for a key that is none.
    """
    if measure in STANDING:
        moment = standing_at(asked, last_moment(bounds))
        found = conditions(asked, [measure], moment, _due(moment))
    else:
        measures = report.happened.values() if measure is None else [measure]
        found = conditions(asked, measures, asked.as_of, within(bounds))
    if key is not None:
        found.append(_of_key(asked, key))
    return adding_up(found)


def adding_up(conditions: Sequence[ColumnElement[bool]]) -> Select[Movement]:
    """The rows of these conditions, but for documents of which nothing is left."""
    place = (Movement.document_id, Movement.measure)
    added = (Movement.count, Movement.amount, Movement.seconds, Movement.millionths)
    sums = [func.sum(column) != 0 for column in added]
    left = select(*place).where(*conditions).group_by(*place).having(or_(*sums))
    return (
        select(Movement)
        .join(Movement.document)
        .options(contains_eager(Movement.document))
        .where(*conditions, tuple_(*place).in_(left))
    )


def within(bounds: Sequence[datetime]) -> ColumnElement[bool]:
    """Whether a row counts between the first of these moments and the last."""
    return and_(Movement.at >= bounds[0], Movement.at < bounds[-1])


def last_moment(bounds: Sequence[datetime]) -> datetime:
    """The last one of the days."""
    return bounds[-1] - timedelta(microseconds=1)


def _of_key(asked: Asked, key: str) -> ColumnElement[bool]:
    column: Any = _key(asked)[0]
    if asked.by == "company":
        raise Invalid.field("key", "Say with `by` what it is the key of.")
    if asked.by in _LABELS or asked.by == "segment":
        value: Any = None if key == NOBODY else key
    else:
        try:
            value = None if key == NOBODY else UUID(key)
        except ValueError:
            raise Invalid.field("key", "An id, or `none`.") from None
    if asked.by == "team":
        return _in_team(asked, value)
    if asked.by == "supplier":
        return _of_supplier(value)
    condition: ColumnElement[bool] = column.is_(None) if value is None else column == value
    return condition


def link(report: Report, measure: Measure, asked: Asked, part: Part, key: Key, currency: str | None) -> str:
    """Where the rows behind a figure are listed."""
    said: dict[str, Any] = {"measure": measure, **days_of(part)}
    if asked.by != "company":
        said |= {"by": asked.by, "key": NOBODY if key is None else key}
    filters = ("owner_id", "team_id", "customer_id", "item_id", "warehouse_id", "supplier_id")
    said |= {name: getattr(asked, name) for name in filters}
    said |= {"currency": currency or asked.currency}
    return records_link(f"{report.path}/records", asked.as_of, **said)


def records_link(path: str, as_of: datetime | None, **said: Any) -> str:
    """The path of a list of records with what is asked of it, `from` and `until` among that; what is None is left out."""
    said["as_of"] = None if as_of is None else as_of.isoformat().replace("+00:00", "Z")
    return f"{path}?{urlencode({name: value for name, value in said.items() if value is not None})}"


def days_of(part: Part) -> dict[str, date]:
    """The days of a part as lists of records take them."""
    return {"from": part.begins_on, "until": day_after(part.ends_on)}


def day_after(day: date) -> date:
    """The day after."""
    return day + timedelta(days=1)
