"""What activities keep of others: customers, for whom one stands, and who may be given something to do."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from activities.base import Base
from tailrace.messaging.replica import Replica


class CustomerCopy(Replica, Base):
    """A customer, and the people there."""

    __tablename__ = "customer_copy"

    number: Mapped[str]
    name: Mapped[str]
    status: Mapped[str]
    people: Mapped[list[dict[str, Any]]]


class MergeCopy(Replica, Base):
    """That a customer stands for another; inactive once that was undone."""

    __tablename__ = "merge_copy"

    into_customer_id: Mapped[UUID]


class UserCopy(Replica, Base):
    """A user, who may be given something to do."""

    __tablename__ = "user_copy"

    name: Mapped[str]
    email: Mapped[str]
