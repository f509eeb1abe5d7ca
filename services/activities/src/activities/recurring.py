"""What meetings and tasks that come again have in common: a rule, the first of their series, and one next of each."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column

from activities.base import Base
from activities.recurrence import Rule
from tailrace.core.errors import Invalid
from tailrace.core.ids import uuid7
from tailrace.db.database import Tx
from tailrace.db.models import TenantRow


class Recurring:
    """A row that may be one of a series. `begin` and `zone` of its first one say how its rule is read."""

    id: Mapped[UUID]
    rule: Mapped[str | None]
    exceptions: Mapped[list[Any]]
    """Days, as JSON has them."""
    series_id: Mapped[UUID | None]
    series_began_at: Mapped[datetime | None]
    """When the first one was due or began; a new one since the rule or the time was changed."""

    @property
    def recurrence(self) -> Mapping[str, Any] | None:
        return None if self.rule is None else {"rule": self.rule, "exceptions": self.exceptions}

    def _recur(self, said: Mapping[str, Any] | None, begin: datetime | None, zone: str, moved: bool) -> None:
        """Come again as `said` from `begin` on. Raises Invalid for a rule that is none, or not of this time."""
        if said is None:
            self.rule, self.exceptions, self.series_id, self.series_began_at = None, [], None, None
            return
        if begin is None:
            raise Invalid.field("/recurrence", "Only what is due at some time comes again.")
        moved = moved or said["rule"] != self.rule
        try:
            Rule(said["rule"], begin if moved else self.series_began_at or begin, zone)
        except ValueError as error:
            raise Invalid.field("/recurrence/rule", f"{str(error)[:200].capitalize()}.") from None
        self.rule, self.exceptions = said["rule"], said["exceptions"]
        self.series_id = self.series_id or uuid7()
        if moved or self.series_began_at is None:
            self.series_began_at = begin

    def _rule_in(self, zone: str) -> Rule:
        assert self.rule is not None and self.series_began_at is not None
        return Rule(self.rule, self.series_began_at, zone, [date.fromisoformat(day) for day in self.exceptions])


class Series(TenantRow, Base):
    """Which one of a series is the newest: the next is made of that one, once."""

    __tablename__ = "series"

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    newest_id: Mapped[UUID]


async def is_newest(tx: Tx, row: Recurring) -> Series | None:
    """The series, locked, when this row is its newest; a new one when there is none. None for what has a next one already."""
    assert row.series_id is not None
    series = await tx.scalar(select(Series).where(Series.id == row.series_id).with_for_update())
    if series is None:
        series = Series(tenant_id=tx.tenant_id, id=row.series_id, newest_id=row.id)
        tx.add(series)
    return series if series.newest_id == row.id else None
