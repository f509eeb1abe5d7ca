"""What inventory keeps of the catalog: enough to tell stock from services, to choose the valuation and to convert units.

What was deleted there stays here, inactive, so that it is told from what has not arrived.
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Index, select, text
from sqlalchemy.orm import Mapped, mapped_column

from inventory.models import Base
from tailrace.core.errors import Invalid, NotYetKnown
from tailrace.db.database import Tx
from tailrace.db.models import TenantRow

_STEP = Decimal("0.000001")
MOST_QUANTITY = Decimal(10) ** 12
# Wide enough for any product or quotient of two 18-digit decimals.
_EXACT = Context(prec=60)


class Copy(TenantRow):
    """A copy of something of the catalog's."""

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    active: Mapped[bool]


class ItemCopy(Copy, Base):
    __tablename__ = "item_copy"

    sku: Mapped[str]
    kind: Mapped[str]
    unit: Mapped[str]
    conversions: Mapped[list[dict[str, Any]]]
    """`{"unit", "factor"}`: how many base units one of `unit` is."""
    valuation: Mapped[str]
    negative_stock: Mapped[str] = mapped_column(server_default=text("'refused'"))


class WarehouseCopy(Copy, Base):
    __tablename__ = "warehouse_copy"

    code: Mapped[str]
    negative_stock: Mapped[str] = mapped_column(server_default=text("'refused'"))


class UnitCopy(Copy, Base):
    """A unit of measure; `factor` leads to the reference unit of its dimension. Of those that share a code at most one is active."""

    __tablename__ = "unit_copy"
    __table_args__ = (Index(None, "tenant_id", "code"),)

    code: Mapped[str]
    dimension: Mapped[str]
    factor: Mapped[Decimal]


AnyCopy = TypeVar("AnyCopy", bound=Copy)


async def stocked_item(tx: Tx, id: UUID, field: str = "/item_id", *, incoming: bool = False) -> ItemCopy:
    """The item. Raises NotYetKnown, and Invalid for a service, or for one out of use when goods are to come in."""
    item = await _known(tx, ItemCopy, id, field, "item", incoming=incoming)
    if item.kind != "stock":
        raise Invalid.field(field, f"{item.sku} is a {item.kind}; there is no stock of it.")
    return item


async def check_warehouse(tx: Tx, id: UUID, field: str = "/warehouse_id", *, incoming: bool = False) -> WarehouseCopy:
    """The warehouse. Raises NotYetKnown, and Invalid for one out of use when goods are to come in."""
    return await _known(tx, WarehouseCopy, id, field, "warehouse", incoming=incoming)


def goes_negative(*policies: ItemCopy | WarehouseCopy) -> bool:
    """Whether more may leave than the books have: where the item or the warehouse allows it."""
    return any(copy.negative_stock == "provisional" for copy in policies)


async def may_go_negative(tx: Tx, item_id: UUID, warehouse_id: UUID) -> bool:
    """The same by their ids; what is not known here allows nothing."""
    items = await tx.scalars(select(ItemCopy).where(ItemCopy.id == item_id))
    warehouses = await tx.scalars(select(WarehouseCopy).where(WarehouseCopy.id == warehouse_id))
    return goes_negative(*items, *warehouses)


async def in_base_unit(tx: Tx, item: ItemCopy, quantity: Decimal, unit: str | None, field: str = "") -> Decimal:
    """The quantity in the item's base unit, exactly. `field` is where the quantity's object stands.

    Raises NotYetKnown for a unit that is not known here, Invalid when nothing leads to the base unit or the result has no exact place there.
    """
    if unit is None or unit == item.unit:
        return quantity
    times, over = await _factor(tx, item, unit, field)
    product = _EXACT.multiply(quantity, times)
    base = _EXACT.divide(product, over).quantize(_STEP, rounding=ROUND_HALF_EVEN, context=_EXACT)
    if _EXACT.multiply(base, over) != product or abs(base) >= MOST_QUANTITY:
        raise Invalid.field(f"{field}/quantity", f"{quantity} {unit} has no exact value in {item.unit} (six decimals).")
    return base


async def _factor(tx: Tx, item: ItemCopy, unit: str, field: str) -> tuple[Decimal, Decimal]:
    """How many base units one of `unit` is, as a fraction: by the item's own conversions, else by the dimension that both measure."""
    for conversion in item.conversions:
        if conversion["unit"] == unit:
            return Decimal(conversion["factor"]), Decimal(1)
    query = select(UnitCopy).where(UnitCopy.code.in_((unit, item.unit)), UnitCopy.active)
    units = {copy.code: copy for copy in await tx.scalars(query)}
    source, base = units.get(unit), units.get(item.unit)
    if source is None:
        raise NotYetKnown(f"{field}/unit", f"There is no unit {unit} here, nor does {item.sku} convert from it.")
    if base is None or source.dimension != base.dimension:
        raise Invalid.field(f"{field}/unit", f"{item.sku} is counted in {item.unit}; {unit} does not convert to it.")
    return source.factor, base.factor


async def _known(tx: Tx, kind: type[AnyCopy], id: UUID, field: str, name: str, *, incoming: bool) -> AnyCopy:
    copy = await tx.scalar(select(kind).where(kind.id == id))
    if copy is None:
        raise NotYetKnown(field, f"There is no {name} {id} here.")
    if incoming and not copy.active:
        raise Invalid.field(field, f"The {name} {id} is no longer in use.")
    return copy
