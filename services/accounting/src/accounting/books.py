"""The tenant's books: one row that every posting and every closing takes in turn.

Holding it gives a journal the next number without gaps, a record time later than any before, and the days that are locked right now. So what
was recorded up to a moment that some journal already carries can never change afterwards.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Table, Uuid, bindparam, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import Range, insert

from accounting.chart import GENERAL, Chart, unfit
from accounting.days import days
from accounting.models import Account, Book, Journal
from accounting.roles import RoleMap
from accounting.streams import ChartStream
from tailrace.core.ids import derived_id
from tailrace.db.database import Tx

Days = Range[date]

# Built once: it runs with every journal. Its clock is not now(), which tells when the transaction began, perhaps long before its turn came.
_book = cast(Table, Book.__table__)
_TAKE = (
    update(_book)
    .where(
        _book.c.tenant_id == bindparam("tenant", type_=Uuid),
        ~exists().where(
            Journal.tenant_id == bindparam("tenant", type_=Uuid), Journal.id == bindparam("journal", type_=Uuid)
        ),
    )
    .values(
        last_number=_book.c.last_number + 1,
        recorded_at=func.greatest(func.clock_timestamp(), _book.c.recorded_at + text("interval '1 microsecond'")),
    )
    .returning(_book.c.last_number, _book.c.recorded_at, _book.c.closed, _book.c.roles)
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the next journal stands: its number, when it is recorded, the days it must not take effect on, and the accounts of the roles."""

    number: int
    recorded_at: datetime
    closed: tuple[Days, ...]
    roles: RoleMap


def next_open_day(day: date, closed: Iterable[Days]) -> date:
    """The day itself, or the first after it that is not locked. PostgreSQL joins adjacent ranges, so one step is enough."""
    for locked in closed:
        if locked.contains(day):
            assert locked.upper is not None
            return locked.upper
    return day


async def open_books(tx: Tx, chart: Chart = GENERAL) -> bool:
    """Begin the tenant's books with a chart, unless they exist; returns whether they did not. Of two at once, one makes them and the other waits."""
    made = insert(Book).values(tenant_id=tx.tenant_id).on_conflict_do_nothing().returning(Book.tenant_id)
    if await tx.scalar(made) is None:
        return False
    for row in chart.rows:
        id = derived_id(tx.tenant_id, "account", row.code)
        tx.add(Account.create({"code": row.code, "name": row.name, "kind": row.kind, "active": True}, id))
    # What is posted next looks for its accounts in the database.
    await tx.flush()
    stream = tx.new_stream(ChartStream, chart_id(tx))
    stream.choose(chart.name, chart.roles)
    await keep_roles(tx, stream)
    return True


def chart_id(tx: Tx) -> UUID:
    """The stream of the tenant's chart."""
    return derived_id(tx.tenant_id, "chart")


async def role_map(tx: Tx) -> RoleMap:
    """Which account has which role; nobody changes that while the books are held."""
    return RoleMap.read(await tx.scalar(select(Book.roles).where(Book.tenant_id == tx.tenant_id)) or ())


async def keep_roles(tx: Tx, stream: ChartStream) -> None:
    """Bring the roles in the books' row up to date with the chart's stream."""
    stored = RoleMap(stream.state.steps).stored()
    await tx.execute(update(_book).where(_book.c.tenant_id == tx.tenant_id).values(roles=stored))


async def hold(tx: Tx) -> tuple[Days, ...]:
    """Keep everybody else from posting or closing until this transaction ends. Returns the locked days."""
    query = select(Book.closed, Book.roles).where(Book.tenant_id == tx.tenant_id).with_for_update()
    book = (await tx.execute(query)).one_or_none()
    if book is None:
        await _open_unasked(tx)
        book = (await tx.execute(query)).one()
    if not book.roles:
        await _adopt_roles(tx)
    return tuple(book.closed)


async def take_place(tx: Tx, journal_id: UUID) -> Place | None:
    """The place of a journal that is about to be posted, the books held; None when it was posted before."""
    place = await _take(tx, journal_id)
    if place is None:
        # Either there are no books yet, or the journal is there: rare enough to ask twice.
        await _open_unasked(tx)
        place = await _take(tx, journal_id)
    if place is not None and not place.roles.steps:
        place = replace(place, roles=await _adopt_roles(tx))
    return place


async def _open_unasked(tx: Tx) -> None:
    """Begin books that nobody has chosen a chart for. Raises NotYet while the company is unknown here: with it comes its chart."""
    if await tx.scalar(select(Book.tenant_id).where(Book.tenant_id == tx.tenant_id)) is None:
        await days.calendar(tx)
        await open_books(tx)


async def _adopt_roles(tx: Tx) -> RoleMap:
    """Give books that began before accounts had roles those of the accounts that rules posted to then; the books are held.

    An account that they lack is made. Where a code was used for another kind of account, its role stays without one, until somebody maps it.
    """
    found = await tx.scalars(select(Account).where(Account.deleted_at.is_(None)))
    kinds = {account.code: account.kind for account in found}
    for row in GENERAL.rows:
        if row.role and row.code not in kinds:
            kinds[row.code] = row.kind
            tx.add(Account.create({"code": row.code, "name": row.name, "kind": row.kind, "active": True}))
    # What is posted next looks for its accounts in the database.
    await tx.flush()
    stream = await tx.load_stream(ChartStream, chart_id(tx))
    roles = {role: code for role, code in GENERAL.roles.items() if unfit(role, kinds[code]) is None}
    stream.choose(GENERAL.name, roles)
    await keep_roles(tx, stream)
    return RoleMap(stream.state.steps)


async def mark_closed_days(tx: Tx) -> None:
    """Bring `closed` up to date with the periods: the days of the locked ones, and everything up to the last day of a closed one."""
    await tx.execute(_MARK_CLOSED, {"tenant": tx.tenant_id})


_MARK_CLOSED = text(
    """
    UPDATE book SET closed =
        coalesce((SELECT range_agg(daterange(first_day, last_day, '[]')) FROM period
                  WHERE tenant_id = :tenant AND locked), '{}')
        + coalesce((SELECT datemultirange(daterange(NULL, max(last_day), '[]')) FROM period
                    WHERE tenant_id = :tenant AND closed HAVING count(*) > 0), '{}')
    WHERE tenant_id = :tenant
    """
)


async def _take(tx: Tx, journal_id: UUID) -> Place | None:
    row = (await tx.execute(_TAKE, {"tenant": tx.tenant_id, "journal": journal_id})).one_or_none()
    return Place(row.last_number, row.recorded_at, tuple(row.closed), RoleMap.read(row.roles)) if row else None
