"""What analytics keep of others: the company's days and teams, who was in them, how far dates may lie, what goods are called, and what every document
amounts to."""

from datetime import UTC
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from analytics.base import Base
from analytics.copies import ItemCopy, UserCopy, WarehouseCopy
from analytics.memberships import Membership
from analytics.movements import Movements
from analytics.standings.accounting import CREDIT_NOTES, INVOICES, PAYMENTS
from analytics.standings.activities import MEETINGS, TASKS
from analytics.standings.approvals import APPROVALS
from analytics.standings.customers import CUSTOMERS
from analytics.standings.goods import DELIVERIES, ISSUES, RECEIPTS
from analytics.standings.opportunities import LEADS, OPPORTUNITIES
from analytics.standings.orders import ORDERS
from analytics.standings.quotes import QUOTES
from contracts import catalog, users
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.date_policy import DatePolicy
from tailrace.messaging.days import Days
from tailrace.messaging.replica import Source, replica
from tailrace.messaging.subscribers import Projection
from tailrace.messaging.teams import Teams

SOURCES = (
    ORDERS,
    QUOTES,
    CUSTOMERS,
    APPROVALS,
    TASKS,
    MEETINGS,
    LEADS,
    OPPORTUNITIES,
    INVOICES,
    CREDIT_NOTES,
    PAYMENTS,
    RECEIPTS,
    ISSUES,
    DELIVERIES,
)
days = Days("analytics.days", Base.metadata, users.TenantCreated, users.TenantTimeZoneChanged)
dates = DatePolicy("analytics.dates", Base.metadata, users.TenantDatePolicyChanged, days)
teams = Teams("analytics.teams", Base.metadata, users.TEAM)
people = replica("analytics.users", Source(UserCopy, *users.USER))
goods = replica("analytics.goods", Source(ItemCopy, *catalog.ITEM), Source(WarehouseCopy, *catalog.WAREHOUSE))
movements = Movements("analytics.movements", SOURCES)
memberships = Projection("analytics.memberships", tables=[Membership])
_table: Any = Membership.__table__


@memberships.on(*users.TEAM.told_by)
async def told(tx: Tx, event: users.TeamDescription, meta: Meta) -> None:
    people = {*event.member_ids, event.lead_id, event.deputy_id} - {None}
    known = select(_table.c.user_id).where(_table.c.team_id == event.team_id, _table.c.until.is_(None))
    before = set(await tx.scalars(known))
    await _end(tx, event.team_id, meta, before - people)
    rows = [
        {"tenant_id": tx.tenant_id, "team_id": event.team_id, "user_id": one, "since": meta.time, "until": None}
        for one in sorted(people - before, key=str)
    ]
    if rows:
        fresh = insert(_table)
        # Out and in again at one moment: never out.
        again = fresh.on_conflict_do_update(index_elements=list(_table.primary_key), set_={"until": None})
        await tx.execute(again, rows)


@memberships.on(users.TeamDeleted)
async def ended(tx: Tx, event: users.TeamDeleted, meta: Meta) -> None:
    await _end(tx, event.team_id, meta, None)


async def _end(tx: Tx, team_id: UUID, meta: Meta, people: set[UUID] | None) -> None:
    which = [_table.c.team_id == team_id, _table.c.until.is_(None)]
    if people is not None:
        which.append(_table.c.user_id.in_(people))
    await tx.execute(update(_table).where(*which).values(until=meta.time.astimezone(UTC)))
