"""What activities keep of their own: meetings, tasks, calendar feeds, and who is gone. The copies of others' are in `copies`."""

from activities.base import Base
from activities.copies import CustomerCopy, MergeCopy, UserCopy
from activities.feeds import CalendarFeed
from activities.meetings import Meeting
from activities.recurring import Series
from activities.tasks import LeadTime, Task
from tailrace.messaging.handover import LeaverRow

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
]


class Leaver(LeaverRow, Base):
    """A user who is gone, and who takes over."""

    __tablename__ = "leaver"
