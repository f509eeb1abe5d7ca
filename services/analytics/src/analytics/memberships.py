"""Who was in which team, and when: a report by team, as of a past day, has the teams of that day.

Of several teams of one person the oldest counts, by id, as everywhere.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Subquery, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Mapped, mapped_column

from analytics.base import Base
from tailrace.db.keys import tenant_index
from tailrace.db.models import TenantRow


class Membership(TenantRow, Base):
    """That somebody belonged to a team, from `since` on, included, until `until`, excluded; None for what holds now."""

    __tablename__ = "membership"
    __table_args__ = (tenant_index("since", "user_id"),)

    team_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    user_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-9)
    since: Mapped[datetime] = mapped_column(primary_key=True, sort_order=-8)
    until: Mapped[datetime | None]


def teams_at(moment: datetime | None) -> Subquery:
    """The team of each person (`user_id`, `team_id`), at a moment; None is now."""
    one = Membership
    holds: list[ColumnElement[bool]] = [one.until.is_(None)]
    if moment is not None:
        holds = [one.since <= moment, or_(one.until.is_(None), one.until > moment)]
    return (
        select(one.user_id, one.team_id)
        .where(*holds)
        .ext(distinct_on(one.user_id))
        .order_by(one.user_id, one.team_id)
        .subquery("teams")
    )
