"""What opportunities keep of others: who buys and is known already, who sells, and what can be sold."""

from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from opportunities.base import Base
from tailrace.db.keys import tenant_index
from tailrace.db.models import TenantRow
from tailrace.messaging.handover import LeaverRow
from tailrace.messaging.replica import Replica


class CustomerCopy(Replica, Base):
    """A customer, who may be the subject of an opportunity."""

    __tablename__ = "customer_copy"

    number: Mapped[str]
    currency: Mapped[str]
    sales_rep_id: Mapped[UUID | None]


class CustomerMark(TenantRow, Base):
    """Something that tells who a customer is, as a number without a meaning (`tailrace.db.text_search.matching`)."""

    __tablename__ = "customer_mark"
    __table_args__ = (tenant_index("mark"),)

    customer_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    mark: Mapped[int] = mapped_column(BigInteger, primary_key=True, sort_order=-9)
    what: Mapped[str]
    """What it is: `mail`, `phone`, `name` or `tax`."""


class MergeCopy(Replica, Base):
    """That a customer stands for another; inactive once that was undone."""

    __tablename__ = "merge_copy"

    into_customer_id: Mapped[UUID]


class UserCopy(Replica, Base):
    """A user, who may look after leads and opportunities."""

    __tablename__ = "user_copy"


class ItemCopy(Replica, Base):
    """An item of the catalog."""

    __tablename__ = "item_copy"

    name: Mapped[str]
    unit: Mapped[str | None]
    """The code of its base unit; None of one that was told of before this was kept."""


class UnitCopy(Replica, Base):
    """A unit of measure. Of those that share a code at most one is active."""

    __tablename__ = "unit_copy"
    __table_args__ = (tenant_index("code"),)

    code: Mapped[str]
    decimals: Mapped[int]


class Leaver(LeaverRow, Base):
    """A user who is gone, and who takes over."""

    __tablename__ = "leaver"
