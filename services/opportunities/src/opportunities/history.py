"""What each opportunity was, at any time: a row for each stretch in which nothing changed that a forecast is made of.

Rows are written at the flush that changes the opportunity, whichever way it was changed, so that none is forgotten. They follow one another without
gap: `since` included, `until` excluded, and None for what holds now.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection, Numeric, event, insert, inspect, update
from sqlalchemy.orm import Mapped, Mapper, mapped_column

from contracts.opportunities import Category
from opportunities.base import Base
from opportunities.models import Opportunity
from tailrace.core.ids import uuid7
from tailrace.db.keys import tenant_index
from tailrace.db.models import TenantRow
from tailrace.db.visibility import Owned

_COPIED = ("owner_id", "team_id", "pipeline_id", "stage", "amount", "currency", "probability", "category")
_WATCHED = (*_COPIED, "status", "expected_close_on", "closed_on", "deleted_at")


class OpportunityMoment(TenantRow, Owned, Base):
    """What an opportunity was from `since` on."""

    __tablename__ = "opportunity_moment"
    __table_args__ = (
        tenant_index("opportunity_id", "since"),
        tenant_index("close_on", where="until IS NULL AND status <> 'deleted'"),
        tenant_index("close_on", "since"),
    )
    owned_by = "owner_id"

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    opportunity_id: Mapped[UUID]
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    status: Mapped[Literal["open", "won", "lost", "deleted"]]
    owner_id: Mapped[UUID | None]
    team_id: Mapped[UUID | None]
    pipeline_id: Mapped[UUID]
    stage: Mapped[str]
    amount: Mapped[int]
    currency: Mapped[str]
    probability: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    category: Mapped[Category]
    close_on: Mapped[date]


@event.listens_for(Opportunity, "after_insert")
def _begin(_: Mapper[Opportunity], connection: Connection, row: Opportunity) -> None:
    _write(connection, row)


@event.listens_for(Opportunity, "after_update")
def _go_on(_: Mapper[Opportunity], connection: Connection, row: Opportunity) -> None:
    attributes: Any = inspect(row).attrs
    if any(attributes[name].history.has_changes() for name in _WATCHED):
        table: Any = OpportunityMoment.__table__
        last = (table.c.tenant_id == row.tenant_id, table.c.opportunity_id == row.id, table.c.until.is_(None))
        connection.execute(update(table).where(*last).values(until=row.changed_at))
        _write(connection, row)


def _write(connection: Connection, row: Opportunity) -> None:
    table: Any = OpportunityMoment.__table__
    connection.execute(
        insert(table),
        {
            "tenant_id": row.tenant_id,
            "id": uuid7(),
            "opportunity_id": row.id,
            "since": row.changed_at,
            "until": None,
            "status": row.status if row.deleted_at is None else "deleted",
            "close_on": row.close_on,
            **{name: getattr(row, name) for name in _COPIED},
        },
    )
