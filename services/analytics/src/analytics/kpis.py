"""What the company measures itself by. A definition is data; what it comes to in a period is worked out from the same rows as every report.

What was found is recorded (`epm.kpi.updated`) when the value of a period, or how it stands to the target, is different from what was recorded before:
each night for the day that ended, and whenever somebody asks. Rows and dated targets decide it alone, so the same give the same events.

Who sees only some people's rows sees the KPIs of these people and of their teams, and each as it was recorded: a team's is not cut down to one's own.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Numeric, Select, and_, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from analytics import targets
from analytics.base import Base
from analytics.copies import UserCopy
from analytics.figures import average, share_of
from analytics.measures import Measure
from analytics.memberships import teams_at
from analytics.movements import Movement
from analytics.periods import Part, asked_part, moments, part_of
from analytics.projections import dates, days, teams
from analytics.reports import (
    Asked,
    Sum,
    Sums,
    adding_up,
    conditions,
    day_after,
    days_of,
    happened,
    part_before,
    records_link,
    within,
)
from analytics.targets import KpiTarget
from contracts import analytics as events
from contracts.analytics import Direction, KpiMeasure, KpiPeriod, KpiState, KpiSubject
from tailrace.core import clock
from tailrace.core.errors import Invalid
from tailrace.core.ids import derived_id
from tailrace.core.values.days import Calendar
from tailrace.db.database import Tx
from tailrace.db.keys import tenant_index
from tailrace.db.master_data import MasterData
from tailrace.db.models import Aggregate
from tailrace.db.visibility import Narrowed
from tailrace.messaging.replica import absent, by_ids

MOST = 120
"""How many periods a scorecard has at most."""


@dataclass(frozen=True, slots=True)
class Formula:
    """How a value is made: a count or an amount of `of`; or a share of `of`, or the average time of `of`, over all of `over`."""

    what: Literal["count", "amount", "share", "average"]
    of: tuple[Measure, ...]
    over: tuple[Measure, ...] = ()

    @property
    def measures(self) -> tuple[Measure, ...]:
        return tuple(dict.fromkeys((*self.of, *self.over)))


FORMULAS: dict[KpiMeasure, Formula] = {
    "orders_confirmed": Formula("count", ("order_confirmed",)),
    "orders_cancelled": Formula("count", ("order_cancelled",)),
    "order_net_confirmed": Formula("amount", ("order_confirmed",)),
    "order_net_shipped": Formula("amount", ("order_shipped",)),
    "order_amount_invoiced": Formula("amount", ("order_invoiced",)),
    "order_amount_paid": Formula("amount", ("order_paid",)),
    "quotes_sent": Formula("count", ("quote_sent",)),
    "quotes_accepted": Formula("count", ("quote_accepted",)),
    "quote_acceptance": Formula("share", ("quote_accepted",), ("quote_accepted", "quote_declined", "quote_expired")),
    "opportunities_won": Formula("count", ("opportunity_won",)),
    "opportunity_amount_won": Formula("amount", ("opportunity_won",)),
    "opportunity_win_rate": Formula("share", ("opportunity_won",), ("opportunity_won", "opportunity_lost")),
    "customers_added": Formula("count", ("customer_added",)),
    "meetings_held": Formula("count", ("meeting_held",)),
    "tasks_completed": Formula("count", ("task_completed",)),
    "tasks_on_time_rate": Formula("share", ("task_on_time",), ("task_on_time", "task_late")),
    "approvals_answered": Formula("count", ("approval_approved", "approval_rejected")),
    "approval_average_seconds": Formula("average", ("approval_approved", "approval_rejected")),
}


class Kpi(MasterData, Narrowed, Base):
    """A measure, whose it is, how long it is measured each time, and what it is to come to: what was said last, which `KpiTarget` dates."""

    __tablename__ = "kpi"
    created, updated = events.KpiCreated, events.KpiChanged
    deleted, restored = events.KpiDeleted, events.KpiRestored
    fixed = ("measure", "period", "subject", "subject_id")

    code: Mapped[str]
    measure: Mapped[KpiMeasure]
    currency: Mapped[str | None]
    period: Mapped[KpiPeriod]
    subject: Mapped[KpiSubject]
    subject_id: Mapped[UUID | None]
    target: Mapped[Decimal] = mapped_column(Numeric(24, 6))
    near: Mapped[Decimal] = mapped_column(Numeric(24, 6))
    direction: Mapped[Direction]
    valid_from: ClassVar[date | None] = None
    """From which day on a request says that the target holds; no column, as each target keeps its own."""

    @classmethod
    def owned_within(cls, owners: frozenset[UUID]) -> ColumnElement[bool]:
        """Those of these people; of one person also those of every team of that person's, of several those of teams that have nobody else."""
        one, other = teams.members.alias(), teams.members.alias()
        theirs = select(one.c.team_id).where(one.c.user_id.in_(owners))
        if len(owners) > 1:
            theirs = theirs.where(one.c.team_id.not_in(select(other.c.team_id).where(other.c.user_id.not_in(owners))))
        return or_(
            and_(cls.subject == "person", cls.subject_id.in_(owners)),
            and_(cls.subject == "team", cls.subject_id.in_(theirs)),
        )

    async def ensure_references(self, tx: Tx) -> None:
        """Raises Invalid where the currency, the subject or the values do not fit, or nobody has the subject's id."""
        has_amounts = FORMULAS[self.measure].what == "amount"
        if has_amounts != (self.currency is not None):
            says = "Say which currency is counted." if has_amounts else "What is measured has no currency."
            raise Invalid.field("/currency", says)
        if (self.subject == "company") != (self.subject_id is None):
            raise Invalid.field("/subject_id", "A person or a team has an id, the company has none.")
        if self.near > self.target if self.direction == "up" else self.near < self.target:
            raise Invalid.field("/near", "What is near lies before the target.")
        if self.subject == "person" and self.subject_id is not None:
            (await by_ids(tx, UserCopy, [self.subject_id])).in_use(self.subject_id, "/subject_id")
        if self.subject == "team" and self.subject_id is not None:
            known = select(teams.teams.c.id).where(teams.teams.c.id == self.subject_id)
            if await tx.scalar(known) is None:
                raise absent(self.subject_id, "/subject_id", f"There is no team {self.subject_id} here.")
        await self._set_target(tx)

    async def _set_target(self, tx: Tx) -> None:
        """Date the target, where it is another one or is to hold from another day. Raises Invalid for a day of a period that is over, Implausible."""
        calendar = await days.calendar(tx)
        running = part_of(calendar.day_of(clock.now()), self.period).begins_on
        said = (self.target, self.near, self.direction)
        before = await targets.every(tx, self.id)
        if before:
            last = before[-1]
            is_same = said == (last.target, last.near, last.direction)
            if is_same and self.valid_from in {None, last.valid_from}:
                return
            if self.valid_from is not None and self.valid_from < running:
                raise Invalid.field(
                    "/valid_from", f"Periods that are over keep their target; this one began on {running}."
                )
        await dates.check_validity(tx, "target", self.valid_from)
        target, near, direction = said
        tx.add(
            KpiTarget(
                kpi_id=self.id,
                number=len(before) + 1,
                valid_from=self.valid_from or running,
                set_at=clock.now(),
                target=target,
                near=near,
                direction=direction,
            )
        )


class KpiResult(Aggregate, Base):
    """What was recorded of a period, under an id that the KPI and the period make."""

    __tablename__ = "kpi_result"
    __table_args__ = (tenant_index("kpi_id", "begins_on", "id"),)

    kpi_id: Mapped[UUID]
    begins_on: Mapped[date]
    ends_on: Mapped[date]
    value: Mapped[Decimal | None] = mapped_column(Numeric(24, 6))
    target: Mapped[Decimal] = mapped_column(Numeric(24, 6))
    state: Mapped[KpiState]
    over: Mapped[bool]
    as_of: Mapped[datetime]

    def note(self, kpi: Kpi, score: "Score", as_of: datetime) -> bool:
        """Record what was found, where it differs from what was recorded and is not of before that; whether it does."""
        if self.version and as_of < self.as_of:
            return False
        said = {"value": score.value, "target": score.target, "state": score.state, "over": score.over}
        previous: KpiState | None = self.state if self.version else None
        if not self.update_from(said) and self.version:
            return False
        self.as_of = as_of
        told = {name: getattr(kpi, name) for name in ("code", "measure", "currency", "subject", "subject_id")}
        self.record_as(events.KpiUpdated, previous_state=previous, **told)
        return True


@dataclass(frozen=True, slots=True)
class Score:
    """What a KPI came to in a period."""

    begins_on: date
    ends_on: date
    value: Decimal | None
    target: Decimal
    state: KpiState
    over: bool

    @property
    def part(self) -> Part:
        return Part(self.begins_on, self.ends_on)


async def scores(tx: Tx, kpi: Kpi, parts: Sequence[Part], calendar: Calendar, as_of: datetime) -> list[Score]:
    """What the KPI came to in each of these periods, which follow one another, as it was known at a moment, each by the target of its time."""
    formula = FORMULAS[kpi.measure]
    asked = _asked(kpi, parts, as_of)
    bounds = moments(calendar, parts)
    judges = await targets.known(tx, kpi.id, as_of, calendar.day_of(as_of))
    sums = await happened(tx, formula.measures, asked, bounds, money=False)
    found = []
    for number, part in enumerate(parts):
        value = value_in(formula, sums, number)
        is_over = bounds[number + 1] <= as_of + timedelta(microseconds=1)
        judge = judges.of(part)
        found.append(Score(part.begins_on, part.ends_on, value, judge.target, judge.state_of(value), is_over))
    return found


def _asked(kpi: Kpi, parts: Sequence[Part], as_of: datetime) -> Asked:
    return Asked(
        begin=parts[0].begins_on,
        until=day_after(parts[-1].ends_on),
        as_of=as_of,
        owner_id=kpi.subject_id if kpi.subject == "person" else None,
        team_id=kpi.subject_id if kpi.subject == "team" else None,
        currency=kpi.currency,
    )


def value_in(formula: Formula, sums: Sums, part: int) -> Decimal | None:
    """What a formula comes to in a part of the sums of a company, a person or a team; None where nothing of its kind ended."""
    of, over = (
        [sums.get((part, None, None, measure)) or Sum(0, 0, 0) for measure in measures]
        for measures in (formula.of, formula.over)
    )
    return _value(formula, of, over)


def _value(formula: Formula, of: Sequence[Sum], over: Sequence[Sum]) -> Decimal | None:
    count = sum(each.count for each in of)
    if formula.what == "count":
        return Decimal(count)
    if formula.what == "amount":
        return Decimal(sum(each.amount for each in of))
    if formula.what == "share":
        return share_of(count, sum(each.count for each in over))
    seconds = average(sum(each.seconds for each in of), count)
    return None if seconds is None else Decimal(seconds)


def periods(kpi: Kpi, begin: date, until: date) -> list[Part]:
    """The whole periods that days lie in, `until` excluded. Raises Invalid."""
    if until <= begin:
        raise Invalid.field("until", "It has to lie after `from`.")
    found = [part_of(begin, kpi.period)]
    while (following := day_after(found[-1].ends_on)) < until:
        if len(found) == MOST:
            raise Invalid.field("from", f"That would be more than {MOST} periods.")
        found.append(part_of(following, kpi.period))
    return found


async def scorecard(
    tx: Tx, kpi: Kpi, begin: date | None, until: date | None, given: datetime | date | None
) -> dict[str, Any]:
    """Period by period, of the last twelve unless days are given. Raises Invalid."""
    calendar = await days.calendar(tx)
    as_of = clock.now() if given is None else calendar.end_of(given)
    until = until or day_after(calendar.day_of(as_of))
    if begin is None:
        first = part_of(part_before(until), kpi.period)
        for _ in range(11):
            first = part_of(part_before(first.begins_on), kpi.period)
        begin = first.begins_on
    with tx.seeing_all():
        found = await scores(tx, kpi, periods(kpi, begin, until), calendar, as_of)
    path = f"/v1/kpis/{kpi.id}/records" if await _sees_all_of(tx, kpi, as_of) else None
    return {
        "kpi": kpi,
        "as_of": as_of,
        "scores": [
            {
                **asdict(score),
                "records": None if path is None else records_link(path, as_of, **days_of(score.part)),
            }
            for score in found
        ],
    }


async def _sees_all_of(tx: Tx, kpi: Kpi, as_of: datetime) -> bool:
    """Whether who asks sees every row that the KPI adds up: of a team, those of all who were in it."""
    if tx.owners is None or kpi.subject == "person":
        return True
    people = teams_at(as_of).c
    others = select(people.user_id).where(people.team_id == kpi.subject_id, people.user_id.not_in(tx.owners))
    return await tx.scalar(others.limit(1)) is None


async def records(
    tx: Tx, kpi: Kpi, begin: date | None, until: date | None, given: datetime | date | None
) -> Select[Movement]:
    """The rows that the KPI adds up in some days, of the running period unless days are given: those that who asks may see. Raises Invalid."""
    calendar = await days.calendar(tx)
    as_of = clock.now() if given is None else calendar.end_of(given)
    parts = [asked_part(begin, until, calendar.day_of(as_of), kpi.period)]
    bounds = within(moments(calendar, parts))
    return adding_up(conditions(_asked(kpi, parts, as_of), FORMULAS[kpi.measure].measures, as_of, bounds))


async def measure(tx: Tx, kpi: Kpi, as_of: datetime) -> KpiResult:
    """Record what is known at a moment of the period that it lies in, and of the one before, of which something may have become known late."""
    for score in await _latest(tx, kpi, as_of):
        result = await _known(tx, kpi, score) or _begun(tx, kpi, score)
        result.note(kpi, score, as_of)
    return result


async def _close(tx: Tx, kpi: Kpi, as_of: datetime) -> None:
    """Record what became known late of periods that are measured already. No further one begins."""
    for score in await _latest(tx, kpi, as_of):
        if (kept := await _known(tx, kpi, score)) is not None:
            kept.note(kpi, score, as_of)


async def _latest(tx: Tx, kpi: Kpi, as_of: datetime) -> list[Score]:
    calendar = await days.calendar(tx)
    now = part_of(calendar.day_of(as_of), kpi.period)
    before = part_of(part_before(now.begins_on), kpi.period)
    return await scores(tx, kpi, [before, now], calendar, as_of)


def _id_of(tx: Tx, kpi: Kpi, score: Score) -> UUID:
    return derived_id("analytics.kpi_result", tx.tenant_id, kpi.id, score.begins_on)


async def _known(tx: Tx, kpi: Kpi, score: Score) -> KpiResult | None:
    """What is kept of the period, locked; None before anything is."""
    id = _id_of(tx, kpi, score)
    kept = await tx.get(KpiResult, (tx.tenant_id, id))
    return None if kept is None else await tx.load(KpiResult, id)


def _begun(tx: Tx, kpi: Kpi, score: Score) -> KpiResult:
    id = _id_of(tx, kpi, score)
    result = KpiResult(id=id, kpi_id=kpi.id, begins_on=score.begins_on, ends_on=score.ends_on)
    result.version = 0
    for name in ("value", "target", "state", "over"):
        setattr(result, name, getattr(score, name))
    tx.add(result)
    return result


async def measure_all(tx: Tx, day: date) -> None:
    """Record what a day that ended brought, of every KPI; somebody who is gone is measured no further."""
    as_of = (await days.calendar(tx)).last_moment(day)
    gone = set(await tx.scalars(select(UserCopy.id).where(~UserCopy.active)))
    for kpi in (await tx.scalars(select(Kpi).where(Kpi.deleted_at.is_(None)).order_by(Kpi.id))).all():
        await (_close if kpi.subject == "person" and kpi.subject_id in gone else measure)(tx, kpi, as_of)
