"""What workflow keeps of others: the company's days, who there is, with which roles, and who stands above whom."""

from typing import Any

from sqlalchemy.orm import Mapped

from contracts.users import USER, TeamCreated, TeamDeleted, TeamUpdated, TenantCreated, TenantTimeZoneChanged
from tailrace.messaging.days import Days
from tailrace.messaging.replica import Replica, Source, replica
from tailrace.messaging.teams import Teams
from workflow.base import Base


class UserCopy(Replica, Base):
    __tablename__ = "user_copy"

    roles: Mapped[list[Any]]


days = Days("workflow.days", Base.metadata, TenantCreated, TenantTimeZoneChanged)
users = replica("workflow.users", Source(UserCopy, *USER))
teams = Teams("workflow.teams", Base.metadata, (TeamCreated, TeamUpdated), TeamDeleted)
