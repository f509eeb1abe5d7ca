"""What analytics keep of others: users who may be measured, and what items and warehouses are called, for readers of the lake."""

from sqlalchemy.orm import Mapped

from analytics.base import Base
from tailrace.messaging.replica import Replica


class UserCopy(Replica, Base):
    """A user, of whom something may be measured."""

    __tablename__ = "user_copy"


class ItemCopy(Replica, Base):
    """An item, whose goods are counted."""

    __tablename__ = "item_copy"

    sku: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    unit: Mapped[str]


class WarehouseCopy(Replica, Base):
    """A warehouse, that goods come into and leave."""

    __tablename__ = "warehouse_copy"

    code: Mapped[str]
    name: Mapped[str]
    country: Mapped[str | None]
