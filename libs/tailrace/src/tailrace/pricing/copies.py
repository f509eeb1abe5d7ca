"""The columns that pricing needs of what another service keeps. A service that prices declares its own tables of them:

    class ItemCopy(PricedItem, Base):
        __tablename__ = "item_copy"

and keeps them by a `replica`. A column of its own stands in its own class.
"""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, Numeric
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from tailrace.core.values.units import Packaging, Unit
from tailrace.db.models import TenantRow
from tailrace.messaging.replica import Replica

__all__ = ["ListPrice", "PriceList", "PricedItem", "PricedUnit", "TaxCode", "TaxPolicy"]


class PricedItem(Replica):
    """What can be sold, how it is measured, and what it is taxed at."""

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


class PricedUnit(Replica):
    """A unit of measure; `factor` leads to the reference unit of its dimension. Of those that share a code at most one is active."""

    @declared_attr.directive
    def __table_args__(cls) -> Any:  # noqa: N805  (SQLAlchemy calls it with the class)
        return (Index(None, "tenant_id", "code"),)

    code: Mapped[str]
    dimension: Mapped[str]
    factor: Mapped[Decimal]
    decimals: Mapped[int]

    @property
    def measure(self) -> Unit:
        return Unit(self.code, self.dimension, self.factor, self.decimals)


class PriceList(Replica):
    """A price list; its validity dates are inclusive."""

    code: Mapped[str]
    currency: Mapped[str]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]

    def is_valid(self, on: date) -> bool:
        """Whether it prices anything on this day."""
        return (self.valid_from is None or self.valid_from <= on) and (
            self.valid_until is None or on <= self.valid_until
        )


class ListPrice(TenantRow):
    """The price of one base unit of an item from `min_quantity` base units on. Its lists are in the table `price_list_copy`."""

    @declared_attr.directive
    def __table_args__(cls) -> Any:  # noqa: N805  (SQLAlchemy calls it with the class)
        listed = ["price_list_copy.tenant_id", "price_list_copy.id"]
        return (ForeignKeyConstraint(["tenant_id", "price_list_id"], listed),)

    price_list_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    item_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-9)
    min_quantity: Mapped[Decimal] = mapped_column(primary_key=True, sort_order=-8)
    unit_price: Mapped[Decimal]


class TaxCode(Replica):
    """A tax code. From the first of its `roundings` on, they hold in place of the tenant's own."""

    code: Mapped[str]
    rates: Mapped[list[dict[str, Any]]]
    """`{"valid_from", "rate"}`"""
    roundings: Mapped[list[dict[str, Any]]]
    """`{"valid_from", "level", "mode"}`"""


class TaxPolicy(Replica):
    """How the tenant rounds tax; there is one, or none yet."""

    roundings: Mapped[list[dict[str, Any]]]
    """`{"valid_from", "level", "mode"}`"""
