"""The ledger as it was, or is, at any (effective, recorded) pair: what held in the business by then, as far as it was written down by then.

Every report names the pair it was made for, and the same pair gives the same report for ever: records are written in the order of their record
times, so nothing can appear behind the newest one.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    SQLColumnExpression,
    and_,
    func,
    literal,
    or_,
    select,
    text,
    union_all,
)
from sqlalchemy.orm import joinedload

from accounting.books import role_map
from accounting.chart import CONTROL
from accounting.days import days
from accounting.models import Account, Book, Entry, Journal, SubLedgerEntry
from accounting.posting import CLOSING
from contracts.accounting import AccountRole
from tailrace.core import clock
from tailrace.core.errors import Unknown
from tailrace.db.database import Tx
from tailrace.http.files import exports
from tailrace.http.lists.pagination import OF_EXPORT, PageRequest, paginate


@dataclass(frozen=True, slots=True)
class AsOf:
    """Both times included."""

    effective: datetime
    recorded: datetime


@dataclass(frozen=True, slots=True)
class CurrencyTotal:
    """Minor units; `difference` is debits minus credits, zero for books that balance."""

    currency: str
    debit: int
    credit: int

    @property
    def difference(self) -> int:
        return self.debit - self.credit


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """Sums by account and currency, by account code; `balance` of a row is debits minus credits."""

    effective: datetime
    recorded: datetime
    rows: Sequence[Row[Any]]
    totals: Sequence[CurrencyTotal]


@dataclass(frozen=True, slots=True)
class Balance:
    """Debits minus credits of one currency, in minor units."""

    currency: str
    balance: int


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """An entry with its journal's number and text, and the account's balance in its currency after it."""

    journal_id: UUID
    number: str
    line: int
    text: str
    currency: str
    debit: int
    credit: int
    balance: int
    effective_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Ledger:
    """Some entries of one account in order of effect, with the balances before the first of them."""

    account: str
    name: str
    kind: str
    effective: datetime
    recorded: datetime
    opening: Sequence[Balance]
    items: Sequence[LedgerLine]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class ControlBalance:
    """A role's accounts in one currency, debits less credits: what they hold, what their sub-ledger says, what people adjusted with a reason."""

    role: AccountRole
    accounts: Sequence[str]
    currency: str
    balance: int
    sub_ledger: int
    adjusted: int

    @property
    def difference(self) -> int:
        return self.balance - self.sub_ledger - self.adjusted


@dataclass(frozen=True, slots=True)
class Integrity:
    """`differences`: currencies whose debits and credits differ. `mismatches`: journals whose events and entries differ, a hundred at most.

    `control`: each role that a sub-ledger explains, in each currency that either knows.
    """

    recorded: datetime
    journals: int
    differences: Sequence[CurrencyTotal]
    mismatches: Sequence[UUID]
    control: Sequence[ControlBalance]

    @property
    def intact(self) -> bool:
        explained = all(not each.difference for each in self.control)
        return explained and not self.differences and not self.mismatches


async def as_of(tx: Tx, effective: datetime | date | None, recorded: datetime | date | None) -> AsOf:
    """The pair a report is made for. Left out: effective now, recorded up to the newest record. A day of the company's counts to its end.

    A record time beyond the newest record is taken back to it, since what comes in between is not known yet.
    """
    now = clock.now()
    newest = await tx.scalar(select(Book.recorded_at).where(Book.tenant_id == tx.tenant_id)) or now
    return AsOf(
        await days.end_of(tx, effective) if effective else now,
        min(await days.end_of(tx, recorded), newest) if recorded else newest,
    )


async def trial_balance(tx: Tx, at: AsOf, currency: str | None, *, closing: bool = True) -> TrialBalance:
    """All accounts with entries, at `at`; of one currency when it is given, and as before any year was closed unless `closing`."""
    sums = (
        select(
            Entry.account,
            Entry.currency,
            _sum(Entry.debit).label("debit"),
            _sum(Entry.credit).label("credit"),
            _sum(Entry.debit - Entry.credit).label("balance"),
        )
        .where(_seen(at))
        .group_by(Entry.account, Entry.currency)
    )
    if currency is not None:
        sums = sums.where(Entry.currency == currency)
    if not closing:
        sums = sums.where(Entry.journal_id.not_in(select(Journal.id).where(Journal.rule.in_(CLOSING))))
    found = sums.subquery()
    named = (
        select(found, Account.name, Account.kind)
        .join(Account, and_(Account.code == found.c.account, Account.deleted_at.is_(None)))
        .order_by(found.c.account, found.c.currency)
    )
    rows = (await tx.execute(named)).all()
    return TrialBalance(at.effective, at.recorded, rows, _totals(rows))


async def ledger(tx: Tx, code: str, at: AsOf, since: datetime | date | None, limit: int, cursor: str | None) -> Ledger:
    """A page of the account's entries from `since` (a day: its beginning) to `at`. Raises Unknown, BadRequest (the cursor); Exporting."""
    account = (
        await tx.scalars(select(Account).where(Account.code == code, Account.deleted_at.is_(None)))
    ).one_or_none()
    if account is None:
        raise Unknown("Account", code)
    start = await days.begin_of(tx, since) if since else None
    about = (account.code, account.name, account.kind)
    if exports.is_wanted():
        raise exports.Exporting(exports.pages_of(partial(_page, about, at, start, OF_EXPORT), cursor))
    return await _page(about, at, start, limit, tx, cursor)


async def _page(
    about: tuple[str, str, str], at: AsOf, start: datetime | None, limit: int, tx: Tx, cursor: str | None
) -> Ledger:
    code = about[0]
    query = select(Entry).where(Entry.account == code, _seen(at)).options(joinedload(Entry.journal))
    if start is not None:
        query = query.where(Entry.effective_at >= start)
    order = {"id": Entry.position, "effective_at": Entry.effective_at}
    page = await paginate(tx, query, PageRequest(order, "effective_at", limit, cursor))
    opening = await _opening(tx, code, at, _before(page.items[0] if page.items else None, start))
    return Ledger(*about, at.effective, at.recorded, opening, _running(opening, page.items), page.next_cursor)


async def integrity(tx: Tx) -> Integrity:
    """Add up all entries, and compare them with the events that they are the projection of, and control accounts with their sub-ledgers."""
    at = await as_of(tx, None, None)
    sums = select(Entry.currency, _sum(Entry.debit), _sum(Entry.credit)).group_by(Entry.currency)
    totals = [CurrencyTotal(currency, int(debit), int(credit)) for currency, debit, credit in await tx.execute(sums)]
    journals = await tx.scalar(text("SELECT count(*) FROM accounting_event WHERE type = 'accounting.journal.posted'"))
    mismatches = list(await tx.scalars(_MISMATCHES))
    differences = [total for total in totals if total.difference]
    return Integrity(at.recorded, int(journals or 0), differences, mismatches, await _control(tx))


async def _control(tx: Tx) -> Sequence[ControlBalance]:
    """In one statement: ledger and sub-ledger are written in one transaction, and read at one moment."""
    roles = await role_map(tx)
    amount, adjusted = Entry.debit - Entry.credit, Journal.adjustment_reason.is_not(None)
    held = (
        select(
            literal(None).label("role"),
            Entry.account,
            Entry.currency,
            _sum(amount).label("amount"),
            func.coalesce(func.sum(amount).filter(adjusted), 0).label("adjusted"),
        )
        .join(Entry.journal)
        .where(Entry.account.in_(roles.control.keys()))
        .group_by(Entry.account, Entry.currency)
    )
    told = select(
        SubLedgerEntry.role,
        literal(None).label("account"),
        SubLedgerEntry.currency,
        _sum(SubLedgerEntry.amount),
        literal(0),
    ).group_by(SubLedgerEntry.role, SubLedgerEntry.currency)
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    both: Select[Any] = select(union_all(held, told).subquery())
    for role, account, currency, found, by_people in await tx.execute(both):
        sum = sums[role or roles.control[account], currency]
        if role is None:
            sum[0] += int(found)
            sum[2] += int(by_people)
        else:
            sum[1] += int(found)
    return [
        ControlBalance(role, sorted(roles.accounts(role)), currency, *sums[role, currency])
        for role in sorted(CONTROL)
        for currency in sorted({currency for known, currency in sums if known == role})
    ]


# Set-based on purpose: reading every journal into Python would take minutes where this takes seconds.
_MISMATCHES = text(
    """
    WITH replayed AS (
        SELECT stream_id AS journal_id, line.number AS line, line.said->>'account' AS account,
               line.said->>'currency' AS currency, (line.said->>'debit')::bigint AS debit,
               (line.said->>'credit')::bigint AS credit, line.said->>'text' AS text,
               (payload->>'effective_at')::timestamptz AS effective_at,
               (payload->>'recorded_at')::timestamptz AS recorded_at
        FROM accounting_event, jsonb_array_elements(payload->'lines') WITH ORDINALITY AS line (said, number)
        WHERE type = 'accounting.journal.posted'
    ), kept AS (
        SELECT journal_id, line, account, currency, debit, credit, text, effective_at, recorded_at FROM gl_entry
    )
    SELECT journal_id
    FROM ((TABLE replayed EXCEPT TABLE kept) UNION ALL (TABLE kept EXCEPT TABLE replayed)) AS differing
    GROUP BY journal_id ORDER BY journal_id LIMIT 100
    """
)


def _seen(at: AsOf) -> ColumnElement[bool]:
    return and_(Entry.effective_at <= at.effective, Entry.recorded_at <= at.recorded)


def _before(first: Entry | None, start: datetime | None) -> ColumnElement[bool] | None:
    """What comes before a page: before its first entry, or before the time asked for when the page is empty."""
    if first is not None:
        same = and_(Entry.effective_at == first.effective_at, Entry.position < first.position)
        return or_(Entry.effective_at < first.effective_at, same)
    return Entry.effective_at < start if start is not None else None


async def _opening(tx: Tx, code: str, at: AsOf, before: ColumnElement[bool] | None) -> list[Balance]:
    query = (
        select(Entry.currency, _sum(Entry.debit - Entry.credit))
        .where(Entry.account == code, _seen(at))
        .group_by(Entry.currency)
        .order_by(Entry.currency)
    )
    if before is not None:
        query = query.where(before)
    return [Balance(currency, int(balance)) for currency, balance in await tx.execute(query)]


def _running(opening: Sequence[Balance], entries: Sequence[Entry]) -> list[LedgerLine]:
    balances = {balance.currency: balance.balance for balance in opening}
    lines = []
    for entry in entries:
        after = balances[entry.currency] = balances.get(entry.currency, 0) + entry.debit - entry.credit
        lines.append(_line(entry, after))
    return lines


def _line(entry: Entry, balance: int) -> LedgerLine:
    return LedgerLine(
        journal_id=entry.journal_id,
        number=entry.journal.number,
        line=entry.line,
        text=entry.text or entry.journal.text,
        currency=entry.currency,
        debit=entry.debit,
        credit=entry.credit,
        balance=balance,
        effective_at=entry.effective_at,
        recorded_at=entry.recorded_at,
    )


def _totals(rows: Sequence[Row[Any]]) -> list[CurrencyTotal]:
    sums: dict[str, tuple[int, int]] = {}
    for row in rows:
        debit, credit = sums.get(row.currency, (0, 0))
        sums[row.currency] = (debit + int(row.debit), credit + int(row.credit))
    return [CurrencyTotal(currency, debit, credit) for currency, (debit, credit) in sorted(sums.items())]


def _sum(amount: SQLColumnExpression[int]) -> ColumnElement[int]:
    return func.coalesce(func.sum(amount), 0)
