"""Closing: after it, nothing takes effect in the period or before. At the end of a year, income and expenses go to retained earnings.

Periods are closed in order and reopened from the last one back, each time with everything that follows from it: what closes a year is posted with
the closing and reversed with the reopening. What comes late is posted on the first open day, and keeps the moment it was meant for.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from accounting.books import hold, role_map
from accounting.commands import load_period, show_period
from accounting.days import days
from accounting.models import Account, Entry, Period
from accounting.moves import in_parts
from accounting.posting import MOST_LINES, post_closing, undo_closing
from accounting.refusals import LaterPeriodClosed, NotInThisState, NotReadyToClose
from accounting.streams import PeriodStream
from contracts.accounting import JournalLine
from tailrace.core.ids import derived_id
from tailrace.core.values.money import LARGEST_AMOUNT
from tailrace.db.database import Tx
from tailrace.redrive.reminder import dead_letters_of

POSTINGS = "accounting.postings"
_RESULT = ("revenue", "expense")


async def close_period(tx: Tx, id: UUID, match: int | None, *, year_end: bool) -> Period:
    """Closing once more, in the same way, changes nothing. Raises Unknown, Stale, NotReadyToClose, RoleUnmapped, NotInThisState."""
    await hold(tx)
    stream = await load_period(tx, id, match)
    if stream.state.closed:
        if stream.state.year_end != year_end:
            raise NotInThisState(f"The period {stream.state.name} is closed in another way: reopen it first.")
        return await tx.find(Period, id)
    await _check_ready(tx, stream)
    journals = await _carry_result(tx, stream) if year_end else []
    stream.seal(journals, year_end=year_end)
    return await show_period(tx, stream)


async def reopen_period(tx: Tx, id: UUID, reason: str, match: int | None) -> Period:
    """Raises Unknown, Stale, NotInThisState, LaterPeriodClosed."""
    await hold(tx)
    stream = await load_period(tx, id, match)
    later = await tx.scalar(select(Period.name).where(Period.closed, Period.first_day > stream.state.last_day).limit(1))
    if later is not None:
        raise LaterPeriodClosed(f"The period {later} is closed: reopen it first.")
    stream.reopen(reason, [await undo_closing(tx, journal, reason) for journal in stream.state.closing_journals])
    return await show_period(tx, stream)


async def _check_ready(tx: Tx, stream: PeriodStream) -> None:
    state = stream.state
    if state.last_day >= await days.today(tx):
        raise NotReadyToClose(f"The period {state.name} runs until {state.last_day}; its last day has to be over.")
    earlier = await tx.scalar(
        select(Period.name)
        .where(Period.last_day < state.first_day, ~Period.closed)
        .order_by(Period.first_day.desc())
        .limit(1)
    )
    if earlier is not None:
        raise NotReadyToClose(f"The period {earlier} is earlier and not closed: close it first.")
    waiting = await dead_letters_of(tx, POSTINGS)
    if waiting:
        raise NotReadyToClose(
            f"Events have arrived that could not be posted yet: {waiting}. An operator has to see to them."
        )


async def _carry_result(tx: Tx, stream: PeriodStream) -> list[UUID]:
    """Bring every account of income and expense to zero at the end of the period, one currency at a time. Returns the journals."""
    end = await days.end_of(tx, stream.state.last_day)
    results = await _results(tx, end)
    if not results:
        return []
    retained_earnings = (await role_map(tx)).account("retained_earnings", stream.state.last_day)
    journals: list[UUID] = []
    for currency, balances in sorted(results.items()):
        # In parts, their sum takes as many lines as they do, at most.
        parts = _parts(balances)
        most = MOST_LINES - 1 if sum(abs(balance) for _, balance in parts) <= LARGEST_AMOUNT else MOST_LINES // 2
        for first in range(0, len(parts), most):
            lines = _lines(parts[first : first + most], currency, retained_earnings)
            id = derived_id(tx.tenant_id, "closing", stream.id, stream.version, currency, first)
            await post_closing(tx, id, f"Result of the year to {stream.state.last_day}", lines, end)
            journals.append(id)
    return journals


async def _results(tx: Tx, end: datetime) -> Mapping[str, Sequence[tuple[str, int]]]:
    """By currency, what each account of income and expense holds (debits minus credits), where that is not zero."""
    balance = func.sum(Entry.debit - Entry.credit)
    query = (
        select(Entry.currency, Entry.account, balance)
        .join(Account, (Account.code == Entry.account) & Account.deleted_at.is_(None))
        .where(Account.kind.in_(_RESULT), Entry.effective_at <= end)
        .group_by(Entry.currency, Entry.account)
        .having(balance != 0)
        .order_by(Entry.currency, Entry.account)
    )
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for currency, account, held in await tx.execute(query):
        found[currency].append((account, int(held)))
    return found


def _lines(balances: Sequence[tuple[str, int]], currency: str, retained_earnings: str) -> list[JournalLine]:
    """The opposite of each balance, and their sum in retained earnings."""
    result = sum(balance for _, balance in balances)
    moves = [*((account, -balance) for account, balance in balances), *_parts([(retained_earnings, result)])]
    return [
        JournalLine(account=account, currency=currency, debit=max(amount, 0), credit=max(-amount, 0))
        for account, amount in moves
        if amount
    ]


def _parts(balances: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """The same, in as many parts as it takes where one is more than a line of a journal holds."""
    return [(account, part) for account, balance in balances for part in in_parts(balance)]
