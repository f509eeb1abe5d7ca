"""What each opportunity was, at any time: a row for each stretch in which nothing changed that a forecast is made of.

Rows are written at the flush that changes the opportunity, whichever way it was changed, so that none is forgotten. They follow one another without
gap: `since` included, `until` excluded, and None for what holds now. What a change adds to a forecast and takes away from it is written
beside them, for `sums` to fold.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Date,
    Insert,
    Numeric,
    Select,
    and_,
    case,
    cast,
    event,
    func,
    insert,
    inspect,
    literal,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import Mapped, Mapper, declared_attr, mapped_column

from contracts.opportunities import Category
from opportunities.base import Base
from opportunities.models import Opportunity
from tailrace.core.ids import uuid7
from tailrace.db.keys import tenant_index
from tailrace.db.models import TenantRow
from tailrace.db.visibility import Owned

Standing = Literal["won", "omitted", "pipeline", "best", "committed"]
_COPIED = ("owner_id", "team_id", "pipeline_id", "stage", "amount", "currency", "probability", "category")
_WATCHED = (*_COPIED, "status", "expected_close_on", "closed_on", "deleted_at")


class OpportunityMoment(TenantRow, Owned, Base):
    """What an opportunity was from `since` on."""

    __tablename__ = "opportunity_moment"
    __table_args__ = (
        tenant_index("opportunity_id", "since"),
        tenant_index("since"),
        tenant_index("until"),
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


class Amounts(Owned):
    """What is alike in all that a forecast tells apart, and what that comes to."""

    owned_by = "owner_id"

    owner_id: Mapped[UUID | None]
    team_id: Mapped[UUID | None]
    pipeline_id: Mapped[UUID]
    stage: Mapped[str]
    standing: Mapped[Standing]
    """How sure it is, while it is open; else that it was won."""
    currency: Mapped[str]
    month: Mapped[date]
    """The first day of the month that it closes in."""
    opportunities: Mapped[int]
    amount: Mapped[int]
    staged: Mapped[int]
    """Of the amount of what is open, that for which the probability of its stage holds."""

    @declared_attr
    def likely(self) -> Mapped[Decimal]:
        """Of what is open with a probability of its own: the sum of each amount times that, exact."""
        return mapped_column(Numeric(30, 6))


class ForecastChange(TenantRow, Amounts, Base):
    """What a change adds, or takes away, that is in no sum yet."""

    __tablename__ = "forecast_change"
    __table_args__ = (tenant_index("at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    at: Mapped[datetime]


ALIKE = ("owner_id", "team_id", "pipeline_id", "stage", "standing", "currency", "month")
SUMMED = ("opportunities", "amount", "staged", "likely")
COLUMNS = (*ALIKE, *SUMMED)


def month_of(moment: type[OpportunityMoment]) -> ColumnElement[date]:
    """The first day of the month that it closes in."""
    return cast(func.date_trunc("month", moment.close_on), Date)


def signed(sign: Literal[1, -1]) -> Select[Any]:
    """What stretches add to a forecast as they begin, or take away as they end: the COLUMNS of each."""
    one = OpportunityMoment
    is_open = one.status == "open"
    amount = one.amount * sign
    said = {
        **{name: getattr(one, name) for name in ALIKE if name not in {"standing", "month"}},
        "standing": case((is_open, one.category), else_=literal("won")),
        "month": month_of(one),
        "opportunities": literal(sign, BigInteger),
        "amount": amount,
        "staged": case((and_(is_open, one.probability.is_(None)), amount), else_=0),
        "likely": case((is_open, func.coalesce(amount * one.probability, 0)), else_=0),
    }
    return select(*(said[name].label(name) for name in COLUMNS)).where(one.status.in_(("open", "won")))


def changes_of(begun: ColumnElement[bool], ended: ColumnElement[bool]) -> Insert:
    """Write what the stretches that began add, and those that ended take away."""
    one = OpportunityMoment
    both = union_all(
        signed(1).add_columns(one.tenant_id, one.since.label("at")).where(begun),
        signed(-1).add_columns(one.tenant_id, one.until.label("at")).where(one.until.is_not(None), ended),
    ).subquery("both")
    columns = [both.c[name] for name in (*COLUMNS, "tenant_id", "at")]
    rows = select(*columns, func.gen_random_uuid())
    return insert(ForecastChange).from_select([*COLUMNS, "tenant_id", "at", "id"], rows)


@event.listens_for(Opportunity, "after_insert")
def _begin(_: Mapper[Opportunity], connection: Connection, row: Opportunity) -> None:
    _write(connection, row)


@event.listens_for(Opportunity, "after_update")
def _go_on(_: Mapper[Opportunity], connection: Connection, row: Opportunity) -> None:
    attributes: Any = inspect(row).attrs
    if any(attributes[name].history.has_changes() for name in _WATCHED):
        table: Any = OpportunityMoment.__table__
        last = (table.c.tenant_id == row.tenant_id, table.c.opportunity_id == row.id, table.c.until.is_(None))
        ended = connection.scalar(update(table).where(*last).values(until=row.changed_at).returning(table.c.id))
        _write(connection, row, ended)


def _write(connection: Connection, row: Opportunity, ended: UUID | None = None) -> None:
    table: Any = OpportunityMoment.__table__
    id = uuid7()
    connection.execute(
        insert(table),
        {
            "tenant_id": row.tenant_id,
            "id": id,
            "opportunity_id": row.id,
            "since": row.changed_at,
            "until": None,
            "status": row.status if row.deleted_at is None else "deleted",
            "close_on": row.close_on,
            **{name: getattr(row, name) for name in _COPIED},
        },
    )
    connection.execute(changes_of(OpportunityMoment.id == id, OpportunityMoment.id == ended))
