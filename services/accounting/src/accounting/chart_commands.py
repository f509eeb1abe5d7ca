"""A company's chart: taken whole before the first journal, and from then on added to, its roles mapped to other accounts from a day on.

The books are held meanwhile, so nothing is posted by half of it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import exists, select

from accounting.books import chart_id, hold, keep_roles, next_open_day, open_books
from accounting.chart import CONTROL, GENERAL, ROLES, Chart, ensure_complete, unfit
from accounting.days import dates, days
from accounting.models import Account, Entry, Journal, banks_on, drafts_on
from accounting.refusals import BooksBegun, DayLocked
from accounting.roles import RoleMap, RolesFrom
from accounting.streams import ChartState, ChartStream
from contracts.accounting import AccountRole
from tailrace.core.errors import FieldProblem, InUse, Invalid, Stale, Unknown
from tailrace.core.values.plausible import checked_day
from tailrace.db.database import Tx

_BACK, _AHEAD = timedelta(days=3660), timedelta(days=5 * 366)


@dataclass(frozen=True, slots=True)
class MappedRole:
    """A role and its account from a day on; without one, from the beginning."""

    role: AccountRole
    account: str
    since: date | None


@dataclass(frozen=True, slots=True)
class ChosenChart:
    """The name of a chart, the accounts of the roles in the order in which they were mapped, and which are control accounts."""

    name: str
    version: int
    roles: Sequence[MappedRole]
    control_accounts: Sequence[str]


async def chosen_chart(tx: Tx) -> ChosenChart:
    """The tenant's own. Raises Unknown when its books have not begun."""
    stream = await tx.view_stream(ChartStream, chart_id(tx))
    if stream.version == 0:
        raise Unknown("Chart", "of this tenant: its books have not begun")
    return _shown(stream)


async def replace_chart(tx: Tx, chart: Chart, match: int | None) -> ChosenChart:
    """Begin the books with this chart; the same once more changes nothing. Raises Invalid (a role without account), Stale, BooksBegun."""
    ensure_complete(chart)
    if await open_books(tx, chart):
        if match is not None:
            raise Stale(match, 0)
        return _shown(await _load(tx, None))
    await hold(tx)
    stream = await _load(tx, match)
    if await _replace_accounts(tx, chart, stream.state):
        stream.choose(chart.name, chart.roles)
        await keep_roles(tx, stream)
    return _shown(stream)


async def found_books(tx: Tx, chart: Chart) -> None:
    """Begin a new company's books with the chart that it was founded with, unless somebody has chosen one since. Raises BooksBegun."""
    if await open_books(tx, chart) or chart.name == GENERAL.name:
        return
    await hold(tx)
    stream = await _load(tx, None)
    if stream.version == 1 and stream.state.name == GENERAL.name and await _replace_accounts(tx, chart, stream.state):
        stream.choose(chart.name, chart.roles)
        await keep_roles(tx, stream)


async def extend_chart(tx: Tx, chart: Chart, since: date, match: int | None) -> ChosenChart:
    """Add the accounts that are not there yet, and map the roles from a day on.

    Raises Stale, DayLocked, and Invalid, which names each account that exists with another kind, and each role that cannot be mapped.
    """
    await hold(tx)
    stream = await _load(tx, match)
    there = {account.code: account.kind for account in await _accounts(tx)}
    _refuse(
        [
            chart.fault(row, "kind", f"account {row.code} exists and is of kind {there[row.code]}.")
            for row in chart.rows
            if there.get(row.code, row.kind) != row.kind
        ]
    )
    _create(tx, chart, without=there.keys())
    # The roles are mapped to accounts that the database knows.
    await tx.flush()
    if chart.roles:
        faults = await _map(tx, stream, since, chart.roles)
        _refuse(
            [chart.fault(row, "role", faults[role]) for row in chart.rows for role in row.role if role in faults],
        )
    return _shown(stream)


async def map_roles(tx: Tx, since: date, wanted: Sequence[tuple[AccountRole, str]], match: int | None) -> ChosenChart:
    """Post what takes effect on `since` or later to these accounts. Raises Stale, DayLocked, and Invalid, which names the roles."""
    named = [role for role, _ in wanted]
    _refuse(
        [
            FieldProblem(field=f"/roles/{place}/role", detail=f"{role} is named twice.")
            for place, role in enumerate(named)
            if role in named[:place]
        ]
    )
    await hold(tx)
    stream = await _load(tx, match)
    faults = await _map(tx, stream, since, dict(wanted))
    _refuse(
        [
            FieldProblem(field=f"/roles/{place}/account", detail=faults[role])
            for place, role in enumerate(named)
            if role in faults
        ]
    )
    return _shown(stream)


async def _map(tx: Tx, stream: ChartStream, since: date, roles: Mapping[AccountRole, str]) -> Mapping[AccountRole, str]:
    """Map the roles, or say of which that cannot be, and why. Raises DayLocked, Implausible."""
    today = await days.today(tx)
    checked_day(since, *await dates.days(tx, "account_roles", today, today - _BACK, today + _AHEAD), "/since")
    if (free := next_open_day(since, await hold(tx))) != since:
        raise DayLocked(since, free, field="/since")
    faults = await _faults(tx, RoleMap(stream.state.steps), RolesFrom(since=since, roles=dict(roles)))
    if not faults:
        stream.map(since, roles)
        await keep_roles(tx, stream)
    return faults


def _refuse(errors: Sequence[FieldProblem]) -> None:
    """Raises Invalid when there are any."""
    if errors:
        raise Invalid(errors[0].detail, errors=errors)


async def _faults(tx: Tx, before: RoleMap, step: RolesFrom) -> Mapping[AccountRole, str]:
    """Why a role cannot have the account that it is to have."""
    kinds = {account.code: account.kind for account in await _accounts(tx) if account.active}
    banks = await banks_on(tx, step.roles.values())
    after = before.with_step(step)
    faults: dict[AccountRole, str] = {}
    for role, code in step.roles.items():
        others = after.roles(code) - {role}
        if code not in kinds:
            faults[role] = f"There is no active account {code}."
        elif why := unfit(role, kinds[code]):
            faults[role] = f"{code}: {why}"
        elif code in banks:
            faults[role] = f"{code} is the account of the bank account {banks[code]}."
        elif others and CONTROL & {role, *others}:
            faults[role] = f"{code} is the account of {' and '.join(sorted(others))}; a control account has one role."
        elif role in CONTROL and code not in before.accounts(role) and await _is_used(tx, code):
            faults[role] = f"There are postings to {code} already; a control account begins empty."
    return faults


async def _replace_accounts(tx: Tx, chart: Chart, state: ChartState) -> bool:
    """Leave exactly the chart's accounts. Returns whether that, or a role, changes anything.

    Raises BooksBegun when it does, after a journal, and InUse for an account that a bank account is on, or a draft under approval names.
    """
    there = {account.code: account for account in await _accounts(tx)}
    wanted = {row.code: row for row in chart.rows}
    same = {code: (row.name, row.kind) for code, row in wanted.items()}
    if same == {code: (account.name, account.kind) for code, account in there.items()} and state == _state_of(chart):
        return False
    if await tx.scalar(select(exists().where(Journal.tenant_id == tx.tenant_id))):
        raise BooksBegun("Say `since`: the accounts are added, and the roles are mapped from that day on.")
    kept = {code for code, account in there.items() if code in wanted and wanted[code].kind == account.kind}
    for code, bank in (await banks_on(tx, {*(there.keys() - kept), *chart.roles.values()})).items():
        raise InUse(f"The bank account {bank} is on {code}, which the chart does not have, or gives a role.")
    for code, draft in (await drafts_on(tx, there.keys() - kept)).items():
        raise InUse(
            f"The journal draft {draft}, which waits for approval, names {code}, which the chart does not have."
        )
    for code in there.keys() - kept:
        there[code].delete()
    # A code is free again only once its account is gone.
    await tx.flush()
    for code in kept:
        there[code].replace({"name": wanted[code].name, "active": True})
    _create(tx, chart, without=kept)
    return True


def _create(tx: Tx, chart: Chart, without: Collection[str]) -> None:
    for row in chart.rows:
        if row.code not in without:
            tx.add(Account.create({"code": row.code, "name": row.name, "kind": row.kind, "active": True}))


def _state_of(chart: Chart) -> ChartState:
    return ChartState(name=chart.name, steps=[RolesFrom(roles=chart.roles)])


async def _load(tx: Tx, match: int | None) -> ChartStream:
    """The chart, for a change; the books are held. Raises Stale."""
    stream = await tx.load_stream(ChartStream, chart_id(tx))
    if match is not None and match != stream.version:
        raise Stale(match, stream.version)
    return stream


async def _accounts(tx: Tx) -> Sequence[Account]:
    query = select(Account).where(Account.deleted_at.is_(None)).order_by(Account.code)
    return (await tx.scalars(query.with_for_update())).all()


async def _is_used(tx: Tx, code: str) -> bool:
    return bool(await tx.scalar(select(exists().where(Entry.account == code))))


def _shown(stream: ChartStream) -> ChosenChart:
    state = stream.state
    # jsonb keeps no order of its keys.
    roles = [
        MappedRole(role, step.roles[role], step.since) for step in state.steps for role in ROLES if role in step.roles
    ]
    return ChosenChart(state.name, stream.version, roles, sorted(RoleMap(state.steps).control))
