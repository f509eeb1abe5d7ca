"""Master data: what is sold, how it is measured, where it lies and what it costs. Every change is one event that carries the whole of it.

Nothing is ever removed: a deleted row keeps its id for those who refer to it and gives its sku or code free.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Index, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from contracts import catalog as events
from contracts.catalog import NegativeStock
from tailrace.core.errors import Fixed, InUse
from tailrace.core.ids import uuid7
from tailrace.db.database import Tx
from tailrace.db.keys import refers_to, tenant_index
from tailrace.db.master_data import MasterData
from tailrace.db.models import Part, Tables


class Base(Tables, DeclarativeBase):
    """The tables of the catalog."""


class Item(MasterData, Base):
    """Something that is bought, made, stocked or sold, counted in its base unit."""

    __tablename__ = "item"
    created, updated, deleted = events.ItemCreated, events.ItemUpdated, events.ItemDeleted
    code_field = "sku"
    fixed = ("kind", "unit", "valuation")
    listed_by = ("unit",)

    sku: Mapped[str]
    kind: Mapped[str]
    unit: Mapped[str]
    conversions: Mapped[list[dict[str, Any]]]
    """`{"unit": …, "factor": "…"}`: one such unit is `factor` of the base unit."""
    tax_rate: Mapped[Decimal]
    valuation: Mapped[str]
    active: Mapped[bool]
    negative_stock: Mapped[NegativeStock] = mapped_column(server_default=text("'refused'"))


class Unit(MasterData, Base):
    """A unit of measure: `factor` leads to the reference unit of its dimension (g is 0.001 of a kg)."""

    __tablename__ = "unit"
    created, updated, deleted = events.UnitCreated, events.UnitUpdated, events.UnitDeleted
    case_folded = False  # mm and Mm
    fixed = ("code", "dimension", "factor")
    listed_by = ("dimension",)

    code: Mapped[str]
    dimension: Mapped[str]
    factor: Mapped[Decimal]
    decimals: Mapped[int]

    def replace(self, values: Mapping[str, Any]) -> None:
        """Raises Fixed, for fewer `decimals` too: what is counted in finer parts already would have no place any more."""
        if values["decimals"] < self.decimals:
            raise Fixed(
                f"Quantities in {self.code} may have {self.decimals} decimals already; make a new unit.",
                field="/decimals",
            )
        super().replace(values)

    async def ensure_unused(self, tx: Tx) -> None:
        """Raises InUse when live items are counted in it."""
        used_by = select(Item.sku).where(Item.unit == self.code, Item.deleted_at.is_(None)).limit(1)
        if (sku := await tx.scalar(used_by)) is not None:
            raise InUse(f"Item {sku} is counted in {self.code}.")


class Warehouse(MasterData, Base):
    """A place where stock lies."""

    __tablename__ = "warehouse"
    created, updated, deleted = events.WarehouseCreated, events.WarehouseUpdated, events.WarehouseDeleted

    code: Mapped[str]
    country: Mapped[str | None]
    active: Mapped[bool]
    negative_stock: Mapped[NegativeStock] = mapped_column(server_default=text("'refused'"))


class PriceList(MasterData, Base):
    """Prices in one currency, for as long as the list is valid (both days included)."""

    __tablename__ = "price_list"
    created, updated, deleted = events.PriceListCreated, events.PriceListUpdated, events.PriceListDeleted

    code: Mapped[str]
    currency: Mapped[str]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    active: Mapped[bool]
    prices: Mapped[list["Price"]] = relationship(
        back_populates="price_list", cascade="all, delete-orphan", lazy="selectin", order_by="Price.id"
    )

    def assign(self, values: Mapping[str, Any]) -> None:
        super().assign({name: value for name, value in values.items() if name != "prices"})
        self._set_prices(values["prices"])

    def _set_prices(self, prices: Iterable[Mapping[str, Any]]) -> None:
        """Keep the row of a price that stays: the database sees new rows before it sees the old ones go."""
        known = {(price.item_id, price.min_quantity): price for price in self.prices}
        self.prices = [
            known.get((wanted["item_id"], wanted["min_quantity"])) or Price(id=uuid7(), **wanted) for wanted in prices
        ]
        for row, wanted in zip(self.prices, prices, strict=True):
            row.unit_price = wanted["unit_price"]

    def valid_on(self, day: date) -> bool:
        begun = self.valid_from is None or self.valid_from <= day
        over = self.valid_until is not None and self.valid_until < day
        return self.active and begun and not over


class Price(Part, Base):
    """The price of one base unit of an item, in minor units of the list's currency, from `min_quantity` on."""

    __tablename__ = "price"
    __root__ = "price_list"
    __table_args__ = (
        refers_to("price_list", "price_list_id"),
        refers_to("item", "item_id"),
        Index(None, "tenant_id", "price_list_id", "item_id", "min_quantity", unique=True),
        tenant_index("item_id"),
    )

    price_list_id: Mapped[UUID]
    item_id: Mapped[UUID]
    min_quantity: Mapped[Decimal]
    unit_price: Mapped[Decimal]
    price_list: Mapped[PriceList] = relationship(back_populates="prices")
