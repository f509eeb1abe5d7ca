"""What analytics keep of users: who may be measured."""

from analytics.base import Base
from tailrace.messaging.replica import Replica


class UserCopy(Replica, Base):
    """A user, of whom something may be measured."""

    __tablename__ = "user_copy"
