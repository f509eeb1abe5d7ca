"""What opportunities keep of others: customers and what they are known by, merges, users, teams, items and their units, the company's days,
and how far dates may lie."""

from collections.abc import Sequence

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from contracts import catalog, customers, users
from opportunities import copies
from opportunities.base import Base
from tailrace.core.events import Event, Meta
from tailrace.db.database import Tx
from tailrace.db.text_search.matching import marks_of, match_keys
from tailrace.messaging.date_policy import DatePolicy
from tailrace.messaging.days import Days
from tailrace.messaging.replica import Source, replica
from tailrace.messaging.subscribers import Projection
from tailrace.messaging.teams import Teams

days = Days("opportunities.days", Base.metadata, users.TenantCreated, users.TenantTimeZoneChanged)
dates = DatePolicy("opportunities.dates", Base.metadata, users.TenantDatePolicyChanged, days)
teams = Teams("opportunities.teams", Base.metadata, users.TEAM)
people = replica(
    "opportunities.users",
    Source(copies.UserCopy, *users.USER),
)
items = replica(
    "opportunities.items",
    Source(copies.ItemCopy, *catalog.ITEM),
    Source(copies.UnitCopy, *catalog.UNIT),
)
buyers = replica(
    "opportunities.customers",
    Source(copies.CustomerCopy, *customers.CUSTOMER),
    Source(copies.MergeCopy, *customers.MERGE),
)
marks = Projection("opportunities.customer_marks", tables=[copies.CustomerMark])


@marks.on(customers.CustomerCreated, customers.CustomerUpdated, customers.CustomerRestored)
async def told(tx: Tx, event: customers.CustomerDescription, meta: Meta) -> None:
    """A merged customer is found no more: the other one is."""
    await _forget(tx, event)
    if event.status == "merged":
        return
    addresses = [each.address for each in event.emails]
    addresses += [each.address for person in event.people for each in person.emails]
    tax_ids = [{"country": each.country, "number": each.number} for each in event.tax_ids]
    keys = match_keys(event.name, tax_ids, addresses, [each.number for each in event.phones])
    rows: Sequence[dict[str, object]] = [
        {"tenant_id": tx.tenant_id, "customer_id": event.customer_id, "mark": mark, "what": what}
        for mark, what in sorted(marks_of(tx.tenant_id, keys).items())
    ]
    if rows:
        await tx.execute(insert(copies.CustomerMark), rows)


@marks.on(customers.CustomerDeleted)
async def ended(tx: Tx, event: customers.CustomerDeleted, meta: Meta) -> None:
    await _forget(tx, event)


async def _forget(tx: Tx, event: Event) -> None:
    mark = copies.CustomerMark
    await tx.execute(delete(mark).where(mark.customer_id == event.customer_id))  # type: ignore[attr-defined]
