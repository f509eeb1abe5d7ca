"""Master data: what is sold, how it is measured, where it lies and what it costs. Every change is one event that carries the whole of it.

Nothing is ever removed: a deleted row keeps its id for those who refer to it and gives its sku or code free.
"""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Self
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, MetaData, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from catalog.refusals import FixedForGood
from contracts import catalog as events
from tailrace.core.errors import FieldProblem
from tailrace.core.events import Event
from tailrace.core.ids import uuid7
from tailrace.db.models import COLUMN_TYPES, NAMING, Aggregate, Part


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = COLUMN_TYPES


def _lists(table: str, code: str) -> tuple[Index, ...]:
    """What every list sorts by, and the code that only one live row may have."""
    live = text("deleted_at IS NULL")
    return (
        Index(f"uq_{table}_tenant_id_{code}", "tenant_id", code, unique=True, postgresql_where=live),
        Index(f"ix_{table}_tenant_id_name_id", "tenant_id", "name", "id"),
        Index(f"ix_{table}_tenant_id_created_at_id", "tenant_id", "created_at", "id"),
    )


class MasterData(Aggregate):
    """What items, units, warehouses and price lists have in common: a code, a name, and an end that leaves the row."""

    created: ClassVar[type[Event]]
    updated: ClassVar[type[Event]]
    deleted: ClassVar[type[Event]]
    code_field: ClassVar[str] = "code"
    fixed: ClassVar[tuple[str, ...]] = ()
    """Fields that others build on, and that therefore never change."""

    name: Mapped[str]
    deleted_at: Mapped[datetime | None] = mapped_column(sort_order=93)

    @classmethod
    def create(cls, values: Mapping[str, Any]) -> Self:
        """A new row from the fields of a request."""
        row = cls()
        row.id = uuid7()
        row.assign(values)
        row.record(cls.created(**row.description()))
        return row

    def replace(self, values: Mapping[str, Any]) -> None:
        """Put the fields of a request in place of what was. Raises FixedForGood."""
        wrong = [name for name in self.fixed if values[name] != getattr(self, name)]
        if wrong:
            detail = f"{' and '.join(wrong)} cannot change once others build on it; make a new one."
            raise FixedForGood(detail, errors=[FieldProblem(field=f"/{name}", detail=detail) for name in wrong])
        self.assign(values)
        self.record(self.updated(**self.description()))

    def delete(self) -> None:
        """End it. The row stays for rows that refer to its id."""
        self.deleted_at = datetime.now(UTC)
        self.record(self.deleted(**self.description()))

    def assign(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            setattr(self, name, value)

    @abstractmethod
    def description(self) -> dict[str, Any]:
        """The whole of it, by the field names of its events."""


class Item(MasterData, Base):
    """Something that is bought, made, stocked or sold, counted in its base unit."""

    __tablename__ = "item"
    __table_args__ = (*_lists("item", "sku"), Index("ix_item_tenant_id_unit", "tenant_id", "unit"))
    created, updated, deleted = events.ItemCreated, events.ItemUpdated, events.ItemDeleted
    code_field = "sku"
    fixed = ("kind", "unit", "valuation")

    sku: Mapped[str]
    kind: Mapped[str]
    unit: Mapped[str]
    conversions: Mapped[list[dict[str, Any]]]
    """`{"unit": …, "factor": "…"}`: one such unit is `factor` of the base unit."""
    tax_rate: Mapped[Decimal]
    valuation: Mapped[str]
    active: Mapped[bool]
    negative_stock: Mapped[str] = mapped_column(server_default=text("'refused'"))

    def description(self) -> dict[str, Any]:
        return {
            "item_id": self.id,
            "sku": self.sku,
            "name": self.name,
            "kind": self.kind,
            "unit": self.unit,
            "conversions": self.conversions,
            "tax_rate": self.tax_rate,
            "valuation": self.valuation,
            "active": self.active,
            "negative_stock": self.negative_stock,
        }


class Unit(MasterData, Base):
    """A unit of measure: `factor` leads to the reference unit of its dimension (g is 0.001 of a kg)."""

    __tablename__ = "unit"
    __table_args__ = (*_lists("unit", "code"), Index("ix_unit_tenant_id_dimension", "tenant_id", "dimension"))
    created, updated, deleted = events.UnitCreated, events.UnitUpdated, events.UnitDeleted
    fixed = ("code", "dimension", "factor")

    code: Mapped[str]
    dimension: Mapped[str]
    factor: Mapped[Decimal]
    decimals: Mapped[int]

    def replace(self, values: Mapping[str, Any]) -> None:
        """Raises FixedForGood, for fewer `decimals` too: what is counted in finer parts already would have no place any more."""
        if values["decimals"] < self.decimals:
            detail = f"Quantities in {self.code} may have {self.decimals} decimals already; make a new unit."
            raise FixedForGood(detail, errors=[FieldProblem(field="/decimals", detail=detail)])
        super().replace(values)

    def description(self) -> dict[str, Any]:
        return {
            "unit_id": self.id,
            "code": self.code,
            "name": self.name,
            "dimension": self.dimension,
            "factor": self.factor,
            "decimals": self.decimals,
        }


class Warehouse(MasterData, Base):
    """A place where stock lies."""

    __tablename__ = "warehouse"
    __table_args__ = _lists("warehouse", "code")
    created, updated, deleted = events.WarehouseCreated, events.WarehouseUpdated, events.WarehouseDeleted

    code: Mapped[str]
    country: Mapped[str | None]
    active: Mapped[bool]
    negative_stock: Mapped[str] = mapped_column(server_default=text("'refused'"))

    def description(self) -> dict[str, Any]:
        return {
            "warehouse_id": self.id,
            "code": self.code,
            "name": self.name,
            "country": self.country,
            "active": self.active,
            "negative_stock": self.negative_stock,
        }


class PriceList(MasterData, Base):
    """Prices in one currency, for as long as the list is valid (both days included)."""

    __tablename__ = "price_list"
    __table_args__ = _lists("price_list", "code")
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

    def description(self) -> dict[str, Any]:
        return {
            "price_list_id": self.id,
            "code": self.code,
            "name": self.name,
            "currency": self.currency,
            "valid_from": self.valid_from,
            "valid_until": self.valid_until,
            "prices": [
                events.Price(item_id=p.item_id, unit_price=p.unit_price, min_quantity=p.min_quantity)
                for p in self.prices
            ],
            "active": self.active,
        }


class Price(Part, Base):
    """The price of one base unit of an item, in minor units of the list's currency, from `min_quantity` on."""

    __tablename__ = "price"
    __root__ = "price_list"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "price_list_id"], ["price_list.tenant_id", "price_list.id"]),
        ForeignKeyConstraint(["tenant_id", "item_id"], ["item.tenant_id", "item.id"]),
        Index("uq_price_list_item_min_quantity", "tenant_id", "price_list_id", "item_id", "min_quantity", unique=True),
        Index("ix_price_tenant_id_item_id", "tenant_id", "item_id"),
    )

    price_list_id: Mapped[UUID]
    item_id: Mapped[UUID]
    min_quantity: Mapped[Decimal]
    unit_price: Mapped[Decimal]
    price_list: Mapped[PriceList] = relationship(back_populates="prices")
