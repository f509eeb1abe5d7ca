"""What activities keep of their own: meetings, tasks, calendar feeds, and who is gone. The copies of others' are in `copies`."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Mapped, mapped_column

from activities.base import Base
from activities.copies import CustomerCopy, MergeCopy, UserCopy
from activities.feeds import CalendarFeed
from activities.meetings import Meeting
from activities.recurring import Series
from activities.tasks import LeadTime, Task
from tailrace.db.database import Tx
from tailrace.db.models import TenantRow

__all__ = [
    "Base",
    "CalendarFeed",
    "CustomerCopy",
    "LeadTime",
    "Leaver",
    "Meeting",
    "MergeCopy",
    "Series",
    "Task",
    "UserCopy",
    "heir_of",
]


class Leaver(TenantRow, Base):
    """A user who is gone, and who takes over: nobody, when `successor_id` is None."""

    __tablename__ = "leaver"

    user_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    successor_id: Mapped[UUID | None]
    left_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When that was heard of here."""


async def heir_of(tx: Tx, user_id: UUID) -> UUID | None:
    """The user, or who took over, or who took over from that one."""
    seen: set[UUID] = set()
    heir: UUID | None = user_id
    while heir is not None and heir not in seen:
        seen.add(heir)
        leaver = await tx.scalar(select(Leaver).where(Leaver.user_id == heir))
        if leaver is None:
            return heir
        heir = leaver.successor_id
    return None
