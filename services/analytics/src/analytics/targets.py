"""What a KPI is to come to, dated: a new target is a row more, so that a period that is over stays judged by the one that held on its last day.

Rows know when they were set too. As of a past moment, those count that were set by then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Numeric, select
from sqlalchemy.orm import Mapped, mapped_column

from analytics.base import Base
from analytics.periods import Part
from contracts.analytics import Direction, KpiState
from tailrace.db.database import Tx
from tailrace.db.models import TenantRow


class KpiTarget(TenantRow, Base):
    """What a KPI is to come to from a day on. Written once."""

    __tablename__ = "kpi_target"

    kpi_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    number: Mapped[int] = mapped_column(primary_key=True, sort_order=-9)
    """Which of the KPI's targets, in the order in which they were set: 1 is the first."""
    valid_from: Mapped[date]
    set_at: Mapped[datetime]
    target: Mapped[Decimal] = mapped_column(Numeric(24, 6))
    near: Mapped[Decimal] = mapped_column(Numeric(24, 6))
    direction: Mapped[Direction]

    def state_of(self, value: Decimal | None) -> KpiState:
        """How a value stands to the target."""
        if value is None:
            return "none"
        sign = 1 if self.direction == "up" else -1
        if sign * value >= sign * self.target:
            return "met"
        return "near" if sign * value >= sign * self.near else "missed"


@dataclass(frozen=True, slots=True)
class Targets:
    """Those of a KPI that were set by a moment, in the order in which they were set; `today` is the day of that moment."""

    known: Sequence[KpiTarget]
    today: date

    def of(self, part: Part) -> KpiTarget:
        """The one that held on its last day, if it was over; what holds today of the running one, and of one to come what holds as it begins.

        Days before the first one are judged by the first, as nothing else was ever said of them.
        """
        day = max(part.begins_on, min(part.ends_on, self.today))
        holding = [one for one in self.known if one.valid_from <= day]
        return max(holding, key=lambda one: (one.valid_from, one.number), default=self.known[0])


async def every(tx: Tx, kpi_id: UUID) -> Sequence[KpiTarget]:
    """In the order in which they were set."""
    found = select(KpiTarget).where(KpiTarget.kpi_id == kpi_id).order_by(KpiTarget.number)
    return (await tx.scalars(found)).all()


async def known(tx: Tx, kpi_id: UUID, as_of: datetime, today: date) -> Targets:
    """What was set by a moment, which lies on `today`; the first one even if it was set later."""
    first, *later = await every(tx, kpi_id)
    return Targets([first, *(one for one in later if one.set_at <= as_of)], today)
