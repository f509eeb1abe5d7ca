"""Master data: what is sold, how it is measured, where it lies and what it costs. Every change is one event that carries the whole of it.

Nothing is ever removed: a deleted row keeps its id for those who refer to it and gives its sku or code free. What is in use is not deleted: here
that is known of the catalog's own rows, and by `projections.uses` of stock, orders and shipments elsewhere.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Index, and_, or_, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from catalog.base import Base
from catalog.dates import dates
from contracts import catalog as events
from contracts.catalog import NegativeStock, Tracking
from contracts.templates import TemplateLevel, TemplateSettings
from tailrace.core.errors import FieldProblem, Fixed, InUse, Invalid, NotYetKnown
from tailrace.core.ids import derived_id, is_recent, uuid7
from tailrace.core.values.custom_fields import checked
from tailrace.core.values.units import check_decimals
from tailrace.db.database import Tx
from tailrace.db.keys import refers_to, tenant_index
from tailrace.db.master_data import MasterData
from tailrace.db.models import Aggregate, Part
from tailrace.messaging.uses import UseRow, refuse_used

ANY_QUANTITY = Decimal("0.000001")
"""From which a price holds that is for any."""


class Use(UseRow, Base):
    """Stock, a reservation, a quote, an order or a shipment that needs an item or a warehouse."""

    __tablename__ = "use"


class Item(MasterData, Base):
    """Something that is bought, made, stocked or sold, counted in its base unit."""

    __tablename__ = "item"
    created, updated = events.ItemCreated, events.ItemUpdated
    deleted, restored = events.ItemDeleted, events.ItemRestored
    code_field = "sku"
    fixed = ("kind", "unit", "valuation", "tracking", "expires")
    may_be_left_out = ("tracking",)
    listed_by = ("unit", "tax_code_id")

    sku: Mapped[str]
    kind: Mapped[str]
    unit: Mapped[str]
    conversions: Mapped[list[dict[str, Any]]]
    """`{"unit": …, "factor": "…"}`: one such unit is `factor` of the base unit."""
    tax_rate: Mapped[Decimal | None]
    tax_code_id: Mapped[UUID | None]
    valuation: Mapped[str]
    active: Mapped[bool]
    negative_stock: Mapped[NegativeStock] = mapped_column(server_default=text("'refused'"))
    custom_fields: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    """Values of the fields that the company adds, by their keys."""
    tracking: Mapped[Tracking] = mapped_column(server_default=text("'none'"))
    expires: Mapped[bool] = mapped_column(server_default=text("false"))
    shelf_life_days: Mapped[int | None]

    @classmethod
    async def kept(cls, tx: Tx, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """With the tracking that the company's template wants of new goods which do not say theirs.

        Raises Invalid that names each custom field that is not as the template says.
        """
        said = await Template.chosen(tx)
        by_lot = values["kind"] == "stock" and said.shipping.lots
        tracking = values["tracking"] or ("lot" if by_lot else "none")
        fields = checked(values["custom_fields"], said.fields.get("item", []))
        return {**values, "tracking": tracking, "custom_fields": fields}

    async def ensure_unused(self, tx: Tx) -> None:
        """Raises InUse while there is stock of it, an opportunity, a quote, an order or a shipment needs it, or a price list prices it."""
        await refuse_used(tx, Use, self.id, f"Item {self.sku}")
        priced = select(PriceList.code).join(PriceList.prices)
        priced_by = priced.where(Price.item_id == self.id, PriceList.deleted_at.is_(None)).limit(1)
        if (code := await tx.scalar(priced_by)) is not None:
            raise InUse(f"Price list {code} has a price for {self.sku}.")

    async def ensure_references(self, tx: Tx) -> None:
        """Raises Invalid unless its base unit is there, and it is taxed in one way: at a rate of its own, or by a code that is there.

        NotYetKnown while the standard units of a tenant just made are still on their way.
        """
        units = [self.unit, *(conversion["unit"] for conversion in self.conversions)]
        if self.unit not in await Unit.hold_codes(tx, units):
            if is_recent(tx.tenant_id) and await tx.scalar(select(Unit.id).limit(1)) is None:
                raise NotYetKnown("/unit", "This tenant has no units yet; the standard ones are on their way.")
            raise Invalid.field("/unit", f"There is no unit {self.unit}.")
        self._ensure_tracked_as_it_can_be()
        if self.tracking == "serial":
            decimals = select(Unit.decimals).where(Unit.code == self.unit, Unit.deleted_at.is_(None))
            if await tx.scalar(decimals) != 0:
                raise Invalid.field("/unit", f"A serial number is of one piece, and {self.unit} can be divided.")
        if (self.tax_rate is None) == (self.tax_code_id is None):
            raise Invalid.field("/tax_rate", "Give one of tax_rate and tax_code_id.")
        if self.tax_code_id is not None and not await TaxCode.hold(tx, [self.tax_code_id]):
            raise Invalid.field("/tax_code_id", f"There is no tax code {self.tax_code_id}.")

    def _ensure_tracked_as_it_can_be(self) -> None:
        """What a request leaves to the template may not fit what it says. Raises Invalid."""
        if self.tracking != "none" and self.negative_stock != "refused":
            raise Invalid.field(
                "/negative_stock", f"{self.sku} is tracked: nobody knows the lots of what is not there."
            )
        if self.tracking == "none" and self.expires:
            raise Invalid.field("/expires", "Only what is tracked expires, lot by lot.")

    @classmethod
    async def decimals(cls, tx: Tx, ids: Collection[UUID]) -> dict[UUID, tuple[str, int]]:
        """The base unit of each of these, and how fine a quantity in it may be."""
        counted = and_(Unit.code == cls.unit, Unit.deleted_at.is_(None))
        units = select(cls.id, Unit.code, Unit.decimals).join(Unit, counted).where(cls.id.in_(ids))
        return {row.id: (row.code, row.decimals) for row in await tx.execute(units)}


class Unit(MasterData, Base):
    """A unit of measure: `factor` leads to the reference unit of its dimension (g is 0.001 of a kg)."""

    __tablename__ = "unit"
    created, updated = events.UnitCreated, events.UnitUpdated
    deleted, restored = events.UnitDeleted, events.UnitRestored
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
        """Raises InUse when live items are counted in it, or convert to it."""
        counted = or_(Item.unit == self.code, Item.conversions.contains([{"unit": self.code}]))
        used_by = select(Item.sku).where(counted, Item.deleted_at.is_(None)).limit(1)
        if (sku := await tx.scalar(used_by)) is not None:
            raise InUse(f"Item {sku} is counted in {self.code}, or converts to it.")

    @classmethod
    async def hold_codes(cls, tx: Tx, codes: Collection[str]) -> set[str]:
        """Which of these are in use; they stay so until the transaction ends."""
        live = select(cls.code).where(cls.code.in_(codes), cls.deleted_at.is_(None)).order_by(cls.id)
        return set(await tx.scalars(live.with_for_update(key_share=True, read=True)))


class Warehouse(MasterData, Base):
    """A place where stock lies."""

    __tablename__ = "warehouse"
    created, updated = events.WarehouseCreated, events.WarehouseUpdated
    deleted, restored = events.WarehouseDeleted, events.WarehouseRestored

    code: Mapped[str]
    country: Mapped[str | None]
    active: Mapped[bool]
    negative_stock: Mapped[NegativeStock] = mapped_column(server_default=text("'refused'"))

    async def ensure_unused(self, tx: Tx) -> None:
        """Raises InUse while stock lies in it, or a quote, an order or a shipment is to leave from it."""
        await refuse_used(tx, Use, self.id, f"Warehouse {self.code}")


class PriceList(MasterData, Base):
    """Prices in one currency, for as long as the list is valid (both days included)."""

    __tablename__ = "price_list"
    created, updated = events.PriceListCreated, events.PriceListUpdated
    deleted, restored = events.PriceListDeleted, events.PriceListRestored

    code: Mapped[str]
    currency: Mapped[str]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    active: Mapped[bool]
    prices: Mapped[list["Price"]] = relationship(
        back_populates="price_list", cascade="all, delete-orphan", lazy="selectin", order_by="Price.id"
    )

    async def ensure_unused(self, tx: Tx) -> None:
        """Raises InUse while a customer has it. Drafts that were priced by it keep their prices."""
        await refuse_used(tx, Use, self.id, f"Price list {self.code}")

    async def ensure_references(self, tx: Tx) -> None:
        """Raises Invalid with each price whose item is not there, Inexact for a `min_quantity` finer than the item's unit, and Implausible."""
        await dates.check_validity(tx, "price_list", self.newly("valid_from"), self.newly("valid_until"))
        known = await Item.hold(tx, {price.item_id for price in self.prices})
        errors = [
            FieldProblem(field=f"/prices/{number}/item_id", detail=f"There is no item {price.item_id}.")
            for number, price in enumerate(self.prices)
            if price.item_id not in known
        ]
        if errors:
            raise Invalid("Some prices are for items that are not there.", errors=errors[:20])
        decimals = await Item.decimals(tx, known)
        for number, price in enumerate(self.prices):
            if price.min_quantity != ANY_QUANTITY and price.item_id in decimals:
                check_decimals(price.min_quantity, *decimals[price.item_id], f"/prices/{number}/min_quantity")

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


Dated = Sequence[dict[str, Any]]


async def by_day(tx: Tx, dated: Dated, field: str, before: Dated = ()) -> list[dict[str, Any]]:
    """What holds from days on, in their order. Raises Implausible for a day that nobody can mean, unless it was there `before`."""
    known = {str(one["valid_from"]) for one in before}
    for number, one in enumerate(dated):
        if (day := str(one["valid_from"])) not in known:
            await dates.check_validity(tx, "tax", date.fromisoformat(day), within=f"{field}/{number}")
    return sorted(dated, key=lambda one: str(one["valid_from"]))


class TaxCode(MasterData, Base):
    """What a kind of sale is taxed at, and since when: a category of EN 16931 with its rate. Both lists are in the order of their days."""

    __tablename__ = "tax_code"
    created, updated = events.TaxCodeCreated, events.TaxCodeUpdated
    deleted, restored = events.TaxCodeDeleted, events.TaxCodeRestored

    code: Mapped[str]
    rates: Mapped[list[dict[str, Any]]]
    """`{"valid_from": …, "rate": "…"}`"""
    roundings: Mapped[list[dict[str, Any]]]
    """`{"valid_from": …, "level": …, "mode": …}`"""

    @classmethod
    async def kept(cls, tx: Tx, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Both lists in the order of their days. Raises Implausible, which names the place in the request."""
        there = select(cls).where(cls.code_key == cls.key_of(values["code"]), cls.deleted_at.is_(None))
        row = await tx.scalar(there)
        in_order = {
            name: await by_day(tx, values[name], f"/{name}", getattr(row, name, ())) for name in ("rates", "roundings")
        }
        return {**values, **in_order}

    async def ensure_unused(self, tx: Tx) -> None:
        """Raises InUse when live items are taxed by it."""
        used_by = select(Item.sku).where(Item.tax_code_id == self.id, Item.deleted_at.is_(None)).limit(1)
        if (sku := await tx.scalar(used_by)) is not None:
            raise InUse(f"Item {sku} is taxed by {self.code}.")


class TaxPolicy(Aggregate, Base):
    """How a tenant rounds tax: the one row of it, which begins with the first change."""

    __tablename__ = "tax_policy"

    roundings: Mapped[list[dict[str, Any]]]
    """`{"valid_from": …, "level": …, "mode": …}`, in the order of their days."""

    @staticmethod
    def id_of(tenant_id: UUID) -> UUID:
        return derived_id(tenant_id, "tax-policy")

    def replace(self, roundings: list[dict[str, Any]]) -> None:
        self.roundings = roundings
        self.record(events.TaxPolicyUpdated(tax_policy_id=self.id, roundings=roundings))


class Template(MasterData, Base):
    """What a standard, an industry or a customer wants things and documents to be like, on top of what its parent wants."""

    __tablename__ = "template"
    created, updated = events.TemplateCreated, events.TemplateUpdated
    deleted, restored = events.TemplateDeleted, events.TemplateRestored
    fixed = ("level", "parent_id")
    listed_by = ("level", "parent_id")

    code: Mapped[str]
    level: Mapped[TemplateLevel]
    parent_id: Mapped[UUID | None]
    settings: Mapped[dict[str, Any]]
    """What it says itself, as `TemplateSettings`."""
    effective: Mapped[dict[str, Any]]
    """What holds: its own settings, and its parent's where it says nothing."""

    @classmethod
    async def chosen(cls, tx: Tx) -> TemplateSettings:
        """What the company's template says; nothing where none is chosen."""
        chosen = select(cls.effective).join(TemplateChoice, TemplateChoice.template_id == cls.id)
        effective = await tx.scalar(chosen.where(TemplateChoice.id == TemplateChoice.id_of(tx.tenant_id)))
        return TemplateSettings.model_validate(effective or {})

    async def ensure_unused(self, tx: Tx) -> None:
        """Raises InUse when it is the company's, or others are below it."""
        if await tx.scalar(select(TemplateChoice.id).where(TemplateChoice.template_id == self.id)) is not None:
            raise InUse(f"Template {self.code} is the company's; choose another one first.")
        below = select(Template.code).where(Template.parent_id == self.id, Template.deleted_at.is_(None)).limit(1)
        if (code := await tx.scalar(below)) is not None:
            raise InUse(f"Template {code} is below {self.code}.")


class TemplateChoice(Aggregate, Base):
    """Which template is the company's: the one row of it, which begins with the first choice."""

    __tablename__ = "template_choice"
    template_id: Mapped[UUID | None]

    @staticmethod
    def id_of(tenant_id: UUID) -> UUID:
        return derived_id(tenant_id, "template-choice")

    def choose(self, template_id: UUID | None) -> None:
        self.template_id = template_id
        self.record(events.TemplateChoiceUpdated(template_choice_id=self.id, template_id=template_id))
