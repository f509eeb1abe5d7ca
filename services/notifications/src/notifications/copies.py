"""What notifications keep of others: whom there is, with which roles and scopes, customers by name, and where the company is."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from notifications.base import Base
from tailrace.db.models import TenantRow
from tailrace.messaging.replica import Replica


class UserCopy(Replica, Base):
    """A user, who may be told something."""

    __tablename__ = "user_copy"

    name: Mapped[str]
    email: Mapped[str]
    roles: Mapped[list[Any]]


class CustomerCopy(Replica, Base):
    """A customer, by the name that news calls it."""

    __tablename__ = "customer_copy"

    name: Mapped[str]


class DocumentCopy(TenantRow, Base):
    """That there is a document: of what nobody knows, nobody asks to hear. Of orders and shipments also what their later events leave out."""

    __tablename__ = "document_copy"

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    number: Mapped[str | None]
    customer_id: Mapped[UUID | None]
    owner_id: Mapped[UUID | None]
    """The user who sells it, of an order."""
    order_id: Mapped[UUID | None]
    """What it is a shipment of."""


class RoleCopy(TenantRow, Base):
    """A role, and what it allows; nothing, once it is gone."""

    __tablename__ = "role_copy"

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    name: Mapped[str]
    scopes: Mapped[list[Any]]


class CompanyCopy(TenantRow, Base):
    """The company: by its country its people are spoken to, unless they say otherwise themselves."""

    __tablename__ = "company_copy"

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    country: Mapped[str | None]
    time_zone: Mapped[str]
