"""Wide questions: the lake says what it holds, PostgreSQL what the lake does not hold yet, and both are added up.

Rows have a sign and are only ever added, so it makes no difference where a row is added up, and the answer is what PostgreSQL alone would have said,
to the unit, at any moment. Who sees only some people's rows is answered by PostgreSQL, which keeps them apart; so is everybody while the lake
cannot be read, or holds what is gone, or is not of this database.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence, Sized
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select

from analytics.lake.engine import Engine, Question
from analytics.lake.queue import STATE, waiting
from analytics.lake.tables import Snapshot
from analytics.measures import Measure
from analytics.memberships import teams_at
from analytics.refusals import TooManyRows
from tailrace.db.database import Tx
from tailrace.observability.logs import log

_TRIES = 3
MOST_SUMS = 40_000
"""How many figures a report has at most: what is more is no page, in this process's memory or a client's."""
_KEYS: Mapping[str, Any] = {
    "person": "owner_id",
    "team": "owner_id",
    "customer": "customer_id",
    "segment": "segment",
    "item": "item_id",
    "warehouse": "warehouse_id",
    "kind": "label",
    "status": "label",
    "priority": "label",
}
_IDS = {"person", "team", "customer", "item", "warehouse"}
Place = tuple[int, UUID | str | None, str | None, Any]
"""Part, key, currency, measure."""
Totals = dict[Place, tuple[int, int, int, int]]
"""Count, amount, seconds and millionths of a quantity."""
_NOTHING = (0, 0, 0, 0)


def ensure_few(sums: Sized) -> None:
    """Raises TooManyRows."""
    if len(sums) > MOST_SUMS:
        raise TooManyRows(MOST_SUMS)


async def totals(
    tx: Tx,
    engine: Engine | None,
    measures: Collection[Measure],
    asked: Any,
    *,
    money: bool,
    known: datetime | None,
    bounds: Sequence[datetime] = (),
    due: datetime | None = None,
    rest: Callable[[ColumnElement[bool]], Awaitable[Totals]],
) -> Totals | None:
    """What the lake and the `rest`, on a condition, come to; None where PostgreSQL is to be asked alone. `asked` is a `reports.Asked`.
    Raises TooManyRows."""
    # Whose delivery it was, the documents say, which the lake does not hold.
    of_supplier = asked.by == "supplier" or asked.supplier_id is not None
    if engine is None or tx.owners is not None or of_supplier:
        return None
    for tried in range(_TRIES):
        seen = await _seen(tx, engine, bounds, newest=tried > 0)
        if seen is None:
            return None
        teams = await _teams(tx, asked)
        question = Question(
            measures=measures,
            bounds=bounds,
            known=known,
            due=due,
            owners=_owners(asked, teams),
            customer_id=asked.customer_id,
            item_id=asked.item_id,
            warehouse_id=asked.warehouse_id,
            currency=asked.currency,
            key=_KEYS.get(asked.by),
            by_currency=money,
        )
        try:
            added = await engine.ask(seen, question, MOST_SUMS + 1)
        except Exception as error:
            log.error("the lake not asked", exc_info=error)
            return None
        ensure_few(added)
        # First the rows, then how far the lake has come: had it come further, rows might be in neither.
        found = await rest(waiting(tx.tenant_id, seen.exported))
        state = (await tx.execute(STATE, {"tenant": tx.tenant_id})).one()
        if state.spoilt or seen.exported > state.numbered:
            return None
        if state.exported > seen.exported:
            continue
        for part, key, currency, measure, *sums in added:
            place = part, _key(asked.by, key, teams), currency, measure
            count, amount, seconds, quantity = found.get(place, _NOTHING)
            found[place] = count + sums[0], amount + sums[1], seconds + sums[2], quantity + sums[3]
        ensure_few(found)
        return found
    return None


async def _seen(tx: Tx, engine: Engine, bounds: Sequence[datetime], *, newest: bool) -> Snapshot | None:
    """The state of the lake to ask, where enough is asked for."""
    try:
        seen = await engine.snapshot(tx.tenant_id, newest=newest)
    except Exception as error:
        log.error("the lake not read", exc_info=error)
        return None
    if seen is None:
        return None
    rows = seen.rows_within(bounds[0], bounds[-1]) if bounds else seen.rows
    return seen if rows >= engine.wide else None


async def _teams(tx: Tx, asked: Any) -> Mapping[UUID, UUID]:
    """The team of each person, where teams are asked for."""
    if asked.by != "team" and asked.team_id is None:
        return {}
    teams = teams_at(asked.as_of)
    rows = await tx.execute(select(teams.c.user_id, teams.c.team_id))
    return {row.user_id: row.team_id for row in rows}


def _owners(asked: Any, teams: Mapping[UUID, UUID]) -> set[UUID] | None:
    if asked.owner_id is None and asked.team_id is None:
        return None
    members = {user_id for user_id, team_id in teams.items() if team_id == asked.team_id}
    if asked.owner_id is None:
        return members
    return {asked.owner_id} if asked.team_id is None else members & {asked.owner_id}


def _key(by: str, key: str | None, teams: Mapping[UUID, UUID]) -> UUID | str | None:
    if key is None or by not in _IDS:
        return key
    return teams.get(UUID(key)) if by == "team" else UUID(key)
