"""What orders keep of the catalog, enough to check, convert, price and tax a line without asking anybody, and of the company's days."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, Numeric
from sqlalchemy.orm import Mapped, mapped_column

from contracts import catalog as events
from contracts.users import TenantCreated, TenantDatePolicyChanged, TenantTimeZoneChanged
from orders.models import Base
from tailrace.core.units import Packaging, Unit
from tailrace.db.models import TenantRow
from tailrace.messaging.date_policy import DatePolicy
from tailrace.messaging.days import Days
from tailrace.messaging.replica import Parts, Replica, Source, replica


class ItemCopy(Replica, Base):
    __tablename__ = "item_copy"

    sku: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    unit: Mapped[str]
    conversions: Mapped[list[dict[str, Any]]]
    """`{"unit", "factor"}`: how many base units one of `unit` is."""
    tax_rate: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    """None when `tax_code_id` says how it is taxed."""
    tax_code_id: Mapped[UUID | None]

    @property
    def packaging(self) -> Packaging:
        return Packaging.of(self.unit, self.conversions)


class UnitCopy(Replica, Base):
    """A unit of measure; `factor` leads to the reference unit of its dimension. Of those that share a code at most one is active."""

    __tablename__ = "unit_copy"
    __table_args__ = (Index(None, "tenant_id", "code"),)

    code: Mapped[str]
    dimension: Mapped[str]
    factor: Mapped[Decimal]
    decimals: Mapped[int]

    @property
    def measure(self) -> Unit:
        return Unit(self.code, self.dimension, self.factor, self.decimals)


class WarehouseCopy(Replica, Base):
    __tablename__ = "warehouse_copy"

    code: Mapped[str]


class PriceListCopy(Replica, Base):
    """A price list; its validity dates are inclusive."""

    __tablename__ = "price_list_copy"

    code: Mapped[str]
    currency: Mapped[str]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]


class PriceCopy(TenantRow, Base):
    """The price of one base unit of an item from `min_quantity` base units on."""

    __tablename__ = "price_copy"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "price_list_id"], ["price_list_copy.tenant_id", "price_list_copy.id"]),
    )

    price_list_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    item_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-9)
    min_quantity: Mapped[Decimal] = mapped_column(primary_key=True, sort_order=-8)
    unit_price: Mapped[Decimal]


class TaxCodeCopy(Replica, Base):
    """A tax code. From the first of its `roundings` on, they hold in place of the tenant's own."""

    __tablename__ = "tax_code_copy"

    code: Mapped[str]
    rates: Mapped[list[dict[str, Any]]]
    """`{"valid_from", "rate"}`"""
    roundings: Mapped[list[dict[str, Any]]]
    """`{"valid_from", "level", "mode"}`"""


class TaxPolicyCopy(Replica, Base):
    """How the tenant rounds tax; there is one, or none yet."""

    __tablename__ = "tax_policy_copy"

    roundings: Mapped[list[dict[str, Any]]]
    """`{"valid_from", "level", "mode"}`"""


days = Days("orders.days", Base.metadata, TenantCreated, TenantTimeZoneChanged)
dates = DatePolicy("orders.dates", Base.metadata, TenantDatePolicyChanged)
catalog = replica(
    "orders.catalog",
    Source(ItemCopy, "item_id", (events.ItemCreated, events.ItemUpdated, events.ItemRestored), events.ItemDeleted),
    Source(UnitCopy, "unit_id", (events.UnitCreated, events.UnitUpdated, events.UnitRestored), events.UnitDeleted),
    Source(
        WarehouseCopy,
        "warehouse_id",
        (events.WarehouseCreated, events.WarehouseUpdated, events.WarehouseRestored),
        events.WarehouseDeleted,
    ),
    Source(
        PriceListCopy,
        "price_list_id",
        (events.PriceListCreated, events.PriceListUpdated, events.PriceListRestored),
        events.PriceListDeleted,
        Parts(PriceCopy, "prices", "price_list_id"),
    ),
    Source(
        TaxCodeCopy,
        "tax_code_id",
        (events.TaxCodeCreated, events.TaxCodeUpdated, events.TaxCodeRestored),
        events.TaxCodeDeleted,
    ),
    Source(TaxPolicyCopy, "tax_policy_id", (events.TaxPolicyUpdated,)),
)
