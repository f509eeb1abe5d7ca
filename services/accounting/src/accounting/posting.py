"""Posting: the one way into the ledger. Event, journal and entries are written together, in the place that the books give.

Events are posted by rule and move on to the next open day when theirs is locked; journals of people are refused there instead.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import date, datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Table, insert, select

from accounting.books import Days, Place, hold, next_open_day, role_map, take_place
from accounting.days import check_effective, days
from accounting.models import Account, Entry, Journal
from accounting.moves import Rulebook
from accounting.refusals import BelongsToPeriod, ControlAccount, DayLocked
from accounting.rules import RULEBOOK, effective_at
from accounting.streams import JournalStream, mirrored
from contracts.accounting import JournalLine, JournalPosted
from tailrace.core import clock
from tailrace.core.errors import FieldProblem, Invalid, Stale, Unknown
from tailrace.core.events import Event, Meta
from tailrace.core.ids import derived_id, uuid7
from tailrace.core.values.days import Calendar
from tailrace.db.database import Tx

MOST_LINES = 1000
YEAR_END, REOPENED = "year-end@1", "year-reopened@1"
CLOSING = frozenset({YEAR_END, REOPENED})
"""The rules of journals that close a year, or undo that."""

_When = tuple[datetime, str, datetime | None]
"""When a journal takes effect, its text, and when it was to take effect, where that day is locked."""
_POSITIONS = 10_000
_INSERT_JOURNAL = insert(cast(Table, Journal.__table__))
_INSERT_ENTRIES = insert(cast(Table, Entry.__table__))


async def post_event(tx: Tx, event: Event, meta: Meta, rulebook: Rulebook = RULEBOOK) -> UUID | None:
    """Post an event by the rule that holds for it. Returns the journal's id; None when nothing is to post, or it was posted before.

    Raises RoleUnmapped, and NotYet where days are locked, or roles are dated, and the company's time zone is not known here.

    The id is derived from the event's own, so one event makes one journal however often it comes.
    """
    wanted = effective_at(event)
    rule = rulebook.choose(event, wanted)
    posting = rule.post(event) if rule else None
    if rule is None or posting is None or not posting.moves:
        return None
    id = derived_id(tx.tenant_id, "journal", meta.event_id)
    place = await take_place(tx, id)
    if place is None:
        return None
    # Where nothing is locked, and no role has changed its account, it does not matter whose days these are.
    calendar = await days.calendar(tx) if place.closed or place.roles.dated else None
    at, text, origin = _moved(wanted, posting.text, place, calendar) if calendar else (wanted, posting.text, None)
    posted = JournalPosted(
        journal_id=id,
        number=_number(place),
        lines=posting.lines(place.roles.on(calendar.day_of(at) if calendar else at.date())),
        text=text,
        rule=rule.label,
        source_topic=meta.topic,
        source_event_id=meta.event_id,
        source_id=meta.aggregate_id,
        effective_at=at,
        recorded_at=place.recorded_at,
        source_effective_at=origin,
        order_id=getattr(event, "order_id", None),
    )
    await _write(tx, posted)
    return id


async def post_closing(tx: Tx, id: UUID, text: str, lines: Sequence[JournalLine], at: datetime) -> None:
    """Post what closes a year, also on a day that is locked. The books are held."""
    place = await take_place(tx, id)
    assert place is not None, "closing journals bear ids of their own"
    posted = JournalPosted(
        journal_id=id,
        number=_number(place),
        lines=list(lines),
        text=text,
        rule=YEAR_END,
        effective_at=at,
        recorded_at=place.recorded_at,
    )
    await _write(tx, posted)


async def undo_closing(tx: Tx, id: UUID, reason: str) -> UUID:
    """Undo what closed a year, when it took effect, also on a day that is locked. The books are held."""
    journal = await tx.load_stream(JournalStream, id)
    at = journal.state.effective_at
    assert at is not None
    text = f"Reversal of {journal.state.number}: {reason}"

    async def then(place: Place) -> _When:
        return at, text, None

    return await _mirror(tx, journal, reason, at, then, rule=REOPENED)


async def post_manual(
    tx: Tx, text: str, lines: Sequence[JournalLine], at: datetime | None, *, adjustment_reason: str | None = None
) -> UUID:
    """Post a person's journal, now or at `at`. With a reason it is an adjustment, which posts to at least one control account.

    Raises Unbalanced, Invalid (a line), Implausible, DayLocked, and ControlAccount, which names the lines, unless there is a reason.
    """
    await check_manual(tx, lines, adjustment_reason)
    calendar = await days.calendar(tx)
    id = uuid7()
    place = await take_place(tx, id)
    assert place is not None
    posted = JournalPosted(
        journal_id=id,
        number=_number(place),
        lines=list(lines),
        text=text,
        effective_at=await _open_or_refused(tx, at or place.recorded_at, place, calendar),
        recorded_at=place.recorded_at,
        adjustment_reason=adjustment_reason,
    )
    await _write(tx, posted)
    return id


async def check_manual(tx: Tx, lines: Sequence[JournalLine], adjustment_reason: str | None = None) -> None:
    """Whether a person may post to these accounts at all. Raises Invalid and ControlAccount, which name the lines."""
    await _check_lines(tx, lines)
    await _check_control(tx, lines, adjustment_reason)


async def check_day(tx: Tx, at: datetime) -> None:
    """Whether a person's journal may take effect then, as things are now. Raises Implausible, DayLocked."""
    await _ensure_open(tx, at, await hold(tx), await days.calendar(tx))


async def reverse(
    tx: Tx, id: UUID, reason: str, on: datetime | date | None, match: int | None, *, adjusts: bool = False
) -> UUID:
    """Undo a journal by its mirror image; returns the new journal's id.

    It takes effect when the journal did, or on the first open day after; `on` a moment or a day when that is given, on the journal's own day when it
    did. What a rule posted, or what moves a control account, is undone as an adjustment alone (`adjusts`), whose reason is the reversal's. Raises
    Unknown, Stale, AlreadyReversed, DayLocked, BelongsToPeriod, Implausible, ControlAccount, and Invalid when `on` is before the journal took effect.
    """
    await hold(tx)
    journal = await tx.load_stream(JournalStream, id)
    original = journal.state.effective_at
    if original is None:
        raise Unknown("Journal", id)
    if match is not None and match != journal.version:
        raise Stale(match, journal.version)
    at = None if on is None else await days.begin_of(tx, on, original)
    if at is not None and at < original:
        raise Invalid.field("/effective_at", f"The journal took effect at {original.isoformat()}; not before that.")
    rule = (await tx.find(Journal, id)).rule
    if rule in CLOSING:
        raise BelongsToPeriod(f"Journal {journal.state.number} belongs to the end of a year: reopen its last period.")
    controlled = (await role_map(tx)).control.keys() & {line.account for line in journal.state.lines}
    if not adjusts and (rule is not None or controlled):
        why = f"was posted by the rule {rule}" if rule else f"posts to {', '.join(sorted(controlled))}"
        raise ControlAccount(
            f"Journal {journal.state.number} {why}: correct what it follows from, or make an adjustment."
        )
    text = f"Reversal of {journal.state.number}: {reason}"

    calendar = await days.calendar(tx)

    async def when(place: Place) -> _When:
        if at is None:
            return _moved(original, text, place, calendar)
        return await _open_or_refused(tx, at, place, calendar), text, None

    adjustment_reason = reason if controlled else None
    return await _mirror(tx, journal, reason, at or original, when, adjustment_reason=adjustment_reason)


async def _mirror(
    tx: Tx,
    journal: JournalStream,
    reason: str,
    at: datetime,
    when: Callable[[Place], Awaitable[_When]],
    rule: str | None = None,
    adjustment_reason: str | None = None,
) -> UUID:
    """Post the mirror image of a journal, and note in the journal that it is undone. Raises AlreadyReversed, and what `when` raises."""
    by = derived_id(tx.tenant_id, "reversal", journal.id)
    journal.reverse(by, reason, at)
    place = await take_place(tx, by)
    assert place is not None
    effective, text, origin = await when(place)
    posted = JournalPosted(
        journal_id=by,
        number=_number(place),
        lines=mirrored(journal.state.lines),
        text=text,
        rule=rule,
        reverses=journal.id,
        effective_at=effective,
        recorded_at=place.recorded_at,
        source_effective_at=origin,
        adjustment_reason=adjustment_reason,
        order_id=journal.state.order_id,
    )
    await _write(tx, posted)
    row = await tx.find(Journal, journal.id)
    row.reversed_by, row.version = by, journal.version
    return by


async def _write(tx: Tx, posted: JournalPosted) -> None:
    tx.new_stream(JournalStream, posted.journal_id).post(posted)
    header = posted.model_dump(exclude={"journal_id", "lines"})
    await tx.execute(_INSERT_JOURNAL, {"tenant_id": tx.tenant_id, "id": posted.journal_id, "version": 1, **header})
    await tx.execute(_INSERT_ENTRIES, entry_rows(tx.tenant_id, posted))


def entry_rows(tenant_id: UUID, posted: JournalPosted) -> list[dict[str, object]]:
    """The ledger entries that a posted journal stands for: all of them follow from the event."""
    first = number_of(posted) * _POSITIONS
    return [
        {
            "tenant_id": tenant_id,
            "journal_id": posted.journal_id,
            "line": number,
            "position": first + number,
            "account": line.account,
            "currency": line.currency,
            "debit": line.debit,
            "credit": line.credit,
            "text": line.text,
            "effective_at": posted.effective_at,
            "recorded_at": posted.recorded_at,
        }
        for number, line in enumerate(posted.lines, 1)
    ]


async def _check_lines(tx: Tx, lines: Sequence[JournalLine]) -> None:
    codes = {line.account for line in lines}
    query = select(Account.code).where(Account.code.in_(codes), Account.active, Account.deleted_at.is_(None))
    # The books are held first, so that no account is deleted between this look and the commit.
    await hold(tx)
    known = set(await tx.scalars(query))
    problems = [
        FieldProblem(field=f"/lines/{i}/account", detail=f"There is no active account {line.account}.")
        for i, line in enumerate(lines)
        if line.account not in known
    ]
    if problems:
        raise Invalid(problems[0].detail, errors=problems)


async def _check_control(tx: Tx, lines: Sequence[JournalLine], adjustment_reason: str | None) -> None:
    control = (await role_map(tx)).control
    named = [(i, line.account) for i, line in enumerate(lines) if line.account in control]
    if adjustment_reason is None and named:
        problems = [
            FieldProblem(field=f"/lines/{i}/account", detail=f"{account} is the control account of {control[account]}.")
            for i, account in named
        ]
        raise ControlAccount(
            "What a control account holds follows from stock and shipments: correct it there, or make an adjustment.",
            errors=problems,
        )
    if adjustment_reason is not None and not named:
        raise Invalid.field("/lines", "No line posts to a control account: this is a journal and no adjustment.")


def _moved(wanted: datetime, text: str, place: Place, calendar: Calendar) -> _When:
    """The moment itself, or the beginning of the next open day, a text that says so, and the moment."""
    day = calendar.day_of(wanted)
    free = next_open_day(day, place.closed)
    if free == day:
        return wanted, text, None
    return calendar.first_moment(free), f"{text} [of {wanted.isoformat()}, in a locked period]", wanted


async def _open_or_refused(tx: Tx, at: datetime, place: Place, calendar: Calendar) -> datetime:
    await _ensure_open(tx, at, place.closed, calendar)
    return at


async def _ensure_open(tx: Tx, at: datetime, closed: Iterable[Days], calendar: Calendar) -> None:
    day = calendar.day_of(at)
    await check_effective(tx, day, calendar.day_of(clock.now()))
    free = next_open_day(day, closed)
    if free != day:
        raise DayLocked(day, free)


def number_of(posted: JournalPosted) -> int:
    """The place of a journal among all of the tenant's, from 1."""
    return int(posted.number.removeprefix("J-"))


def _number(place: Place) -> str:
    return f"J-{place.number:08d}"
