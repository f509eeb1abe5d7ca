"""What people do to the chart of accounts and to periods. Each takes the books first, so nothing is posted while it decides."""

from datetime import date
from uuid import UUID

from sqlalchemy import func, select

from accounting.books import hold, mark_closed_days, next_open_day
from accounting.days import check_period, days
from accounting.models import Account, Period
from accounting.refusals import DaysClosed, PeriodsOverlap
from accounting.streams import PeriodStream
from contracts.accounting import AccountKind
from tailrace.core.errors import Invalid, Stale, Unknown
from tailrace.core.ids import uuid7
from tailrace.db import master_data
from tailrace.db.database import Tx


async def create_account(tx: Tx, code: str, name: str, kind: AccountKind) -> Account:
    """Raises CodeTaken."""
    await hold(tx)
    return await master_data.create(tx, Account, {"code": code, "name": name, "kind": kind, "active": True})


async def describe_account(tx: Tx, id: UUID, name: str, active: bool, match: int | None) -> Account:
    """Raises Unknown, Stale, AccountNeeded."""
    if not active:
        await hold(tx)
        await (await tx.load(Account, id, match)).ensure_without_role(tx, "be inactive")
    return await master_data.replace(tx, Account, id, match, {"name": name, "active": active})


async def delete_account(tx: Tx, id: UUID, match: int | None) -> None:
    """Raises Unknown, Stale, AccountNeeded."""
    await hold(tx)
    await master_data.delete(tx, Account, id, match)


async def restore_account(tx: Tx, id: UUID, match: int | None) -> Account:
    """Raises Unknown, Stale, NotDeleted, CodeTaken."""
    await hold(tx)
    return await master_data.restore(tx, Account, id, match)


async def open_period(tx: Tx, name: str, first_day: date, last_day: date) -> Period:
    """Raises Invalid, Implausible, PeriodsOverlap, DaysClosed."""
    if last_day < first_day:
        raise Invalid.field("/last_day", "The last day is before the first.")
    await check_period(tx, first_day, last_day, await days.today(tx))
    closed = await hold(tx)
    other = await tx.scalar(
        select(Period.name).where(Period.first_day <= last_day, Period.last_day >= first_day).limit(1)
    )
    if other is not None:
        raise PeriodsOverlap(other)
    if (day := next_open_day(first_day, closed)) != first_day:
        raise DaysClosed(day)
    stream = tx.new_stream(PeriodStream, uuid7())
    stream.begin(name, first_day, last_day)
    period = Period(
        id=stream.id,
        name=name,
        first_day=first_day,
        last_day=last_day,
        locked=False,
        closed=False,
        year_end=False,
        version=stream.version,
    )
    tx.add(period)
    return period


async def lock_period(tx: Tx, id: UUID, match: int | None) -> Period:
    """Let nothing take effect in the period any more. Raises Unknown, Stale, NotInThisState."""
    await hold(tx)
    stream = await load_period(tx, id, match)
    stream.lock()
    return await show_period(tx, stream)


async def unlock_period(tx: Tx, id: UUID, reason: str, match: int | None) -> Period:
    """Raises Unknown, Stale, NotInThisState."""
    await hold(tx)
    stream = await load_period(tx, id, match)
    stream.unlock(reason)
    return await show_period(tx, stream)


async def load_period(tx: Tx, id: UUID, match: int | None) -> PeriodStream:
    """The period, locked for a change. Raises Unknown, Stale."""
    stream = await tx.load_stream(PeriodStream, id)
    if stream.version == 0:
        raise Unknown("Period", id)
    if match is not None and match != stream.version:
        raise Stale(match, stream.version)
    return stream


async def show_period(tx: Tx, stream: PeriodStream) -> Period:
    """Bring the period's row and the books' closed days up to date with its stream."""
    period, state = await tx.find(Period, stream.id), stream.state
    period.locked, period.closed, period.year_end = state.locked, state.closed, state.year_end
    period.version, period.updated_at = stream.version, func.now()
    # The books' closed days are counted from the rows.
    await tx.flush()
    await mark_closed_days(tx)
    return period
