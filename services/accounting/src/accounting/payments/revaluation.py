"""What is owed in other currencies, valued at the rates of a day in the company's own: booked at its end, undone as the next day begins.

Between the two days nothing is changed for good: what is really gained or lost is booked when it is paid.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Mapped

from accounting.books import hold, next_open_day
from accounting.days import dates, days
from accounting.invoices.commands import ensure_roles
from accounting.invoices.models import Invoice
from accounting.invoices.refusals import CompanyNotYetKnown
from accounting.models import Base
from accounting.payments.rates import company_currency, exactly, rate_on
from accounting.payments.refusals import AlreadyRevalued, NoRate, OpenItemsBehind
from accounting.posting import MOST_LINES
from accounting.receivables.models import ReceivableEntry
from accounting.refusals import DayLocked
from contracts.payments import RevaluationPosted, RevaluationReversed, Revalued
from tailrace.core.errors import Invalid
from tailrace.core.ids import uuid7
from tailrace.core.values.money import LARGEST_AMOUNT, round_minor
from tailrace.core.values.plausible import checked_day
from tailrace.db.database import Tx
from tailrace.db.models import Aggregate
from tailrace.db.unique import unique_value

_MOST = LARGEST_AMOUNT * (MOST_LINES // 2)
"""What a journal of two accounts holds."""
_COUNTS_FROM = func.coalesce(Invoice.taken_over_on, Invoice.dated)
"""From which day an invoice is worth something here, as `Invoice.counts_from` has it."""
_ONE_DAY, _BACK = timedelta(days=1), timedelta(days=3653)


class Revaluation(Aggregate, Base):
    """One of a day. `lines` say what was open in each currency, and by how much it is worth more."""

    __tablename__ = "revaluation"
    __table_args__ = (unique_value("day", refusal=AlreadyRevalued),)

    day: Mapped[date]
    currency: Mapped[str]
    difference: Mapped[int]
    lines: Mapped[list[dict[str, Any]]]


async def revalue(tx: Tx, day: date) -> Revaluation:
    """Of a day that is over.

    Raises Implausible, AlreadyRevalued, DayLocked, NoRate, OpenItemsBehind, RoleUnmapped, CompanyNotYetKnown, Invalid.
    """
    today = await days.today(tx)
    first, _ = await dates.days(tx, "journal", today, today - _BACK, today)
    checked_day(day, first, today - _ONE_DAY, "/day")
    own = await company_currency(tx)
    if own is None:
        raise CompanyNotYetKnown
    closed = await hold(tx)
    for each in (day, day + _ONE_DAY):
        if (free := next_open_day(each, closed)) != each:
            raise DayLocked(each, free, field="/day")
    await ensure_roles(tx, day, ("exchange_clearing", "exchange_differences"))
    await _ensure_all_is_here(tx, day, own)
    lines = await _lines(tx, day, own)
    if max((abs(line.difference) for line in lines), default=0) > _MOST or abs(_sum(lines)) > _MOST:
        raise Invalid.field("/day", "By the rates of that day, the difference is more than a journal holds.")
    made = Revaluation(
        id=uuid7(),
        day=day,
        currency=own,
        difference=_sum(lines),
        lines=[line.model_dump(mode="json") for line in lines],
    )
    said: dict[str, Any] = {"revaluation_id": made.id, "day": day, "currency": own, "difference": made.difference}
    made.record(RevaluationPosted(**said, lines=lines, effective_at=await days.end_of(tx, day)))
    made.record(RevaluationReversed(**said, effective_at=await days.begin_of(tx, day + _ONE_DAY)))
    tx.add(made)
    return made


def _sum(lines: Sequence[Revalued]) -> int:
    return sum(line.difference for line in lines)


async def _ensure_all_is_here(tx: Tx, day: date, own: str) -> None:
    """A day is valued once, from items that follow the invoices' events: not before these have arrived. Raises OpenItemsBehind.

    Of each invoice that the day may value, apart: what was asked for, and what was paid. Two that lag make up for one another in no sum.
    """
    paid = ReceivableEntry.kind == "allocation"
    kept = (
        select(
            ReceivableEntry.invoice_id,
            func.coalesce(func.sum(ReceivableEntry.amount).filter(~paid), 0).label("asked"),
            func.coalesce(-func.sum(ReceivableEntry.amount).filter(paid), 0).label("paid"),
        )
        .where(ReceivableEntry.currency != own, ReceivableEntry.invoice_id.is_not(None))
        .group_by(ReceivableEntry.invoice_id)
        .subquery()
    )
    asked = Invoice.net + Invoice.tax - Invoice.prepaid - Invoice.credited
    behind = (
        select(Invoice.number)
        .outerjoin(kept, kept.c.invoice_id == Invoice.id)
        .where(Invoice.currency != own, day >= _COUNTS_FROM)
        .where(or_(asked != func.coalesce(kept.c.asked, 0), Invoice.paid != func.coalesce(kept.c.paid, 0)))
        .order_by(Invoice.number)
        .limit(1)
    )
    if (number := await tx.scalar(behind)) is not None:
        raise OpenItemsBehind(number)


async def _lines(tx: Tx, day: date, own: str) -> list[Revalued]:
    """By currency, what was open of each invoice at the end of the day, at its rate and at that of the invoice's day. Rounded once a currency."""
    amount = func.sum(ReceivableEntry.amount)
    query = (
        select(ReceivableEntry.currency, amount, _COUNTS_FROM)
        .join(Invoice, Invoice.id == ReceivableEntry.invoice_id)
        .where(ReceivableEntry.day <= day, ReceivableEntry.currency != own)
        .group_by(ReceivableEntry.currency, ReceivableEntry.invoice_id, _COUNTS_FROM)
        .having(amount != 0)
    )
    open_: dict[str, int] = defaultdict(int)
    gained: dict[str, Fraction] = defaultdict(Fraction)
    for currency, left, since in await tx.execute(query):
        assert since is not None, "what is owed was issued"
        now = await _rate(tx, currency, own, day)
        then = await _rate(tx, currency, own, since)
        open_[currency] += int(left)
        gained[currency] += exactly(int(left), now - then, currency, own)
    return [
        Revalued(currency=currency, open=open_[currency], difference=round_minor(gained[currency]))
        for currency in sorted(open_)
    ]


async def _rate(tx: Tx, currency: str, own: str, day: date) -> Fraction:
    rate = await rate_on(tx, currency, own, day)
    if rate is None:
        raise NoRate(currency, own, day)
    return rate
