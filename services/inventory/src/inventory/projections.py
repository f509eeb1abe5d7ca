"""What inventory keeps of the catalog, enough to tell stock from services, to choose the valuation and to convert units; the company's
template; what suppliers delivered; and the company's days."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Index, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, column_property, mapped_column

from contracts import catalog as events
from contracts.asns import AsnLine, AsnReceived
from contracts.templates import TemplateSettings
from contracts.users import TenantCreated, TenantDatePolicyChanged, TenantTimeZoneChanged
from inventory.models import Base, Movement
from tailrace.core.errors import Invalid
from tailrace.core.events import Meta
from tailrace.core.ids import derived_id
from tailrace.core.values.text import folded
from tailrace.core.values.units import Packaging, Unit, to_base_unit
from tailrace.db.database import Tx
from tailrace.db.keys import tenant_index
from tailrace.db.models import TenantRow
from tailrace.messaging.date_policy import DatePolicy
from tailrace.messaging.days import Days
from tailrace.messaging.replica import Coded, Known, Replica, Source, absent, by_code, by_ids, replica
from tailrace.messaging.subscribers import Projection
from tailrace.messaging.templates import CompanySettings, TemplateChoiceRow, TemplateRow


class ItemCopy(Coded, Base):
    __tablename__ = "item_copy"
    code_field = "sku"

    sku: Mapped[str]
    kind: Mapped[str]
    unit: Mapped[str]
    conversions: Mapped[list[dict[str, Any]]]
    """`{"unit", "factor"}`: how many base units one of `unit` is."""
    valuation: Mapped[str]
    negative_stock: Mapped[str] = mapped_column(server_default=text("'refused'"))
    tracking: Mapped[str] = mapped_column(server_default=text("'none'"))
    expires: Mapped[bool] = mapped_column(server_default=text("false"))
    shelf_life_days: Mapped[int | None]

    @property
    def packaging(self) -> Packaging:
        return Packaging.of(self.unit, self.conversions)


class WarehouseCopy(Coded, Base):
    __tablename__ = "warehouse_copy"

    code: Mapped[str]
    negative_stock: Mapped[str] = mapped_column(server_default=text("'refused'"))


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


class TemplateCopy(TemplateRow, Base):
    """A template of the catalog."""

    __tablename__ = "template_copy"


class TemplateChoiceCopy(TemplateChoiceRow, Base):
    """Which template is the company's."""

    __tablename__ = "template_choice_copy"


days = Days("inventory.days", Base.metadata, TenantCreated, TenantTimeZoneChanged)
dates = DatePolicy("inventory.dates", Base.metadata, TenantDatePolicyChanged, days)
catalog = replica(
    "inventory.catalog",
    Source(ItemCopy, *events.ITEM),
    Source(WarehouseCopy, *events.WAREHOUSE),
    Source(UnitCopy, *events.UNIT),
)
settings = CompanySettings(TemplateCopy, TemplateChoiceCopy, TemplateSettings)
templates = replica(
    "inventory.templates",
    Source(TemplateCopy, *events.TEMPLATE),
    Source(TemplateChoiceCopy, *events.TEMPLATE_CHOICE),
)


class DeliveryLine(TenantRow, Base):
    """So much of a supplier's goods, of one lot, that came with one delivery."""

    __tablename__ = "delivery_line"
    __table_args__ = (
        tenant_index("asn_id"),
        tenant_index("received_at", "id"),
        tenant_index("sku", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    asn_id: Mapped[UUID]
    number: Mapped[str]
    """What people call the delivery."""
    reference: Mapped[str]
    """What its supplier calls it."""
    sku: Mapped[str]
    name: Mapped[str | None]
    gtin: Mapped[str | None]
    lot: Mapped[str | None]
    expires_on: Mapped[date | None]
    received: Mapped[Decimal]
    """How much came, as the notice counts, as is `taken_in`."""
    received_at: Mapped[datetime]
    taken_in: Mapped[Decimal] = column_property(
        select(func.coalesce(func.sum(Movement.delivered), 0))
        .where(Movement.delivery_line_id == id)
        .correlate_except(Movement)
        .scalar_subquery()
    )


deliveries = Projection("inventory.deliveries", tables=[DeliveryLine])


@deliveries.on(AsnReceived)
async def note_delivery(tx: Tx, event: AsnReceived, meta: Meta) -> None:
    """Lines of one kind of goods and lot, however they are spelled, from whichever parcels."""
    # An id says where the code ends: both may hold what parts them.
    alike: dict[tuple[str, str], list[AsnLine]] = defaultdict(list)
    for package in event.packages:
        for line in package.lines:
            alike[folded(line.sku), folded(line.lot or "")].append(line)
    found = {(lines[0].sku, lines[0].lot): lines for lines in alike.values()}
    rows = [
        {
            "tenant_id": tx.tenant_id,
            "id": derived_id(tx.tenant_id, "delivery", event.asn_id, len(sku), sku, lot or ""),
            "asn_id": event.asn_id,
            "number": event.number,
            "reference": event.reference,
            "sku": sku,
            "name": next((line.name for line in lines if line.name), None),
            "gtin": next((line.gtin for line in lines if line.gtin), None),
            "lot": lot,
            "expires_on": next((line.expires_on for line in lines if line.expires_on), None),
            "received": sum((line.quantity for line in lines), Decimal(0)),
            "received_at": event.received_at,
        }
        for (sku, lot), lines in sorted(found.items(), key=lambda each: (each[0][0], each[0][1] or ""))
    ]
    if rows:
        await tx.execute(insert(DeliveryLine).on_conflict_do_nothing(), rows)


@dataclass(frozen=True, slots=True)
class Goods:
    """The copies that a command refers to."""

    items: Known[ItemCopy]
    warehouses: Known[WarehouseCopy]
    units: Mapping[str, UnitCopy]

    def stocked(self, id: UUID, field: str = "/item_id", *, incoming: bool = False) -> ItemCopy:
        """The item. Raises NotYetKnown, and Invalid for a service, or for one out of use when goods are to come in or to be promised."""
        item = self.items.in_use(id, field) if incoming else self.items.known(id, field)
        if item.kind != "stock":
            raise Invalid.field(field, f"{item.sku} is a {item.kind}; there is no stock of it.")
        return item

    def warehouse(self, id: UUID, field: str = "/warehouse_id", *, incoming: bool = False) -> WarehouseCopy:
        """The warehouse. Raises NotYetKnown, and Invalid for one out of use when goods are to come in or to be promised."""
        return self.warehouses.in_use(id, field) if incoming else self.warehouses.known(id, field)

    def in_base_unit(self, item: ItemCopy, quantity: Decimal, unit: str | None, at: str = "") -> Decimal:
        """The quantity in the item's base unit, exactly; `at` is where the quantity's object stands. Raises what `to_base_unit` raises."""
        if item.unit not in self.units:
            raise absent(item.id, f"{at}/item_id", f"The unit {item.unit} of {item.sku} is not here.")
        units = {code: copy.measure for code, copy in self.units.items() if copy.active or code == item.unit}
        return to_base_unit(quantity, unit, item.packaging, units, at)


async def look_up(
    tx: Tx, item_ids: Collection[UUID], warehouse_ids: Collection[UUID], units: Collection[str | None]
) -> Goods:
    """What these ids and units name, each kind in one query."""
    items = await by_ids(tx, ItemCopy, item_ids)
    codes = {code for item in items.values() for code in item.packaging.anchors()} | {code for code in units if code}
    return Goods(items, await by_ids(tx, WarehouseCopy, warehouse_ids), await by_code(tx, UnitCopy, codes))


def goes_negative(*policies: ItemCopy | WarehouseCopy) -> bool:
    """Whether more may leave than the books have: where the item or the warehouse allows it. Of a tracked item it is known which, so never."""
    if any(isinstance(copy, ItemCopy) and copy.tracking != "none" for copy in policies):
        return False
    return any(copy.negative_stock == "provisional" for copy in policies)


async def may_go_negative(tx: Tx, item_id: UUID, warehouse_id: UUID) -> bool:
    """The same by their ids; what is not known here allows nothing."""
    items, warehouses = await by_ids(tx, ItemCopy, [item_id]), await by_ids(tx, WarehouseCopy, [warehouse_id])
    return goes_negative(*items.values(), *warehouses.values())
