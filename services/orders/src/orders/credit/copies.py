"""What orders keep of others to know how a customer stands: what they may owe, what they owe and paid ahead, and what currencies are worth."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Numeric
from sqlalchemy.orm import Mapped, mapped_column

from orders.base import Base
from tailrace.db.keys import tenant_index
from tailrace.db.models import TenantRow
from tailrace.messaging.replica import Replica


class CreditLimitCopy(Replica, Base):
    """What a customer may owe, in minor units; without limit when that is None. There is none for one of whom nobody ever said."""

    __tablename__ = "credit_limit_copy"

    credit_limit: Mapped[int | None]
    currency: Mapped[str]


class BuyerCopy(Replica, Base):
    """Whether anything is sold to a customer at present."""

    __tablename__ = "buyer_copy"

    status: Mapped[str]


class RateCopy(Replica, Base):
    """One unit of `currency` is worth `rate` of `against`, both major units, from the day on."""

    __tablename__ = "rate_copy"
    __table_args__ = (tenant_index("currency", "against", "day"),)

    currency: Mapped[str]
    against: Mapped[str]
    day: Mapped[date]
    rate: Mapped[Decimal] = mapped_column(Numeric(24, 12))


class OpenInvoice(TenantRow, Base):
    """What is to be paid of an invoice, by the movements that were heard so far, in whatever order."""

    __tablename__ = "open_invoice"
    __table_args__ = (tenant_index("customer_id", where="open <> 0"),)

    invoice_id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID | None]
    currency: Mapped[str]
    due_on: Mapped[date | None]
    """None until it was heard that the invoice was issued."""
    open: Mapped[int]


class PaidAhead(TenantRow, Base):
    """What a customer paid that is for no invoice, in one currency."""

    __tablename__ = "paid_ahead"

    customer_id: Mapped[UUID] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    amount: Mapped[int]


class OrderBilled(TenantRow, Base):
    """What of an order is asked for no more, tax included: what was ever invoiced, and what came back before it was. A credit note takes nothing off:
    what it gives back is not ordered again.
    """

    __tablename__ = "order_billed"

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    amount: Mapped[int]
