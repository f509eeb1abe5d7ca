"""Events of the catalog, on `catalog.events`: items, units of measure, warehouses, price lists, taxes and templates (ERP design, master data).

Each created or updated event carries the whole of what it describes, so that a reader keeps its copy by the newest one alone.
"""

from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict

from contracts.templates import TemplateLevel, TemplateSettings
from tailrace.core.events import Described, Event
from tailrace.core.values.money import Currency, Quantity, Rate, RoundingMode, UnitPrice
from tailrace.core.values.taxes import TaxLevel
from tailrace.core.values.text import plain


class CatalogEvent(Event):
    topic: ClassVar[str] = "catalog.events"
    publisher: ClassVar[str] = "catalog"


UnitName = Annotated[str, BeforeValidator(plain)]
"""The code of a unit, in NFKC also where an event from before says it otherwise, so that a reader that begins again finds the same unit."""


class UnitConversion(BaseModel):
    """One `unit` of the item is `factor` of its base unit: a box of 12 has factor 12."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    unit: UnitName
    """A further unit of the item, such as `box`."""
    factor: Quantity
    """How many base units one of it is."""


NegativeStock = Literal["refused", "provisional"]
"""Whether more may leave than the books have: never, or at a provisional cost. Allowed where the item or the warehouse allows it."""


Tracking = Literal["none", "lot", "serial"]
"""How its pieces are told apart: not at all, by the lot that they came in, or each by a number of its own."""


class ItemDescription(CatalogEvent):
    """What both item events say. An item is taxed at its own `tax_rate`, or as the tax code says that `tax_code_id` names."""

    item_id: UUID
    sku: str
    name: str
    kind: Literal["stock", "service"] = "stock"
    unit: UnitName
    conversions: list[UnitConversion] = []
    tax_rate: Rate | None = None
    tax_code_id: UUID | None = None
    valuation: Literal["fifo", "moving_average"] = "fifo"
    active: bool = True
    negative_stock: NegativeStock = "refused"
    custom_fields: dict[str, bool | str] = {}
    """Fields that the company adds, by their keys; a number is a string."""
    tracking: Tracking = "none"
    expires: bool = False
    """Whether each lot has a last day on which it may be used."""
    shelf_life_days: int | None = None
    """How long a lot is good from the day it comes in, where its own last day is not known."""


class ItemCreated(ItemDescription):
    """There is a new item."""

    type: ClassVar[str] = "catalog.item.created"


class ItemUpdated(ItemDescription):
    """The item is different now; carries the whole of it."""

    type: ClassVar[str] = "catalog.item.updated"


class ItemRestored(ItemDescription):
    """The item was deleted and is back, as it was; carries the whole of it."""

    type: ClassVar[str] = "catalog.item.restored"


class ItemDeleted(CatalogEvent):
    """The item is gone; what was made with it keeps it."""

    type: ClassVar[str] = "catalog.item.deleted"

    item_id: UUID
    sku: str


class UnitDescription(CatalogEvent):
    """`factor` leads to the reference unit of the dimension: for mass in kg, g has 0.001."""

    unit_id: UUID
    code: UnitName
    name: str
    dimension: UnitName
    factor: Quantity
    decimals: int


class UnitCreated(UnitDescription):
    """There is a new unit of measure."""

    type: ClassVar[str] = "catalog.unit.created"


class UnitUpdated(UnitDescription):
    """The unit of measure is different now; carries the whole of it."""

    type: ClassVar[str] = "catalog.unit.updated"


class UnitRestored(UnitDescription):
    """The unit of measure was deleted and is back, as it was; carries the whole of it."""

    type: ClassVar[str] = "catalog.unit.restored"


class UnitDeleted(CatalogEvent):
    """The unit of measure is gone; what was made with it keeps it."""

    type: ClassVar[str] = "catalog.unit.deleted"

    unit_id: UUID
    code: str


class WarehouseDescription(CatalogEvent):
    warehouse_id: UUID
    code: str
    name: str
    country: str | None = None
    active: bool = True
    negative_stock: NegativeStock = "refused"


class WarehouseCreated(WarehouseDescription):
    """There is a new warehouse."""

    type: ClassVar[str] = "catalog.warehouse.created"


class WarehouseUpdated(WarehouseDescription):
    """The warehouse is different now; carries the whole of it."""

    type: ClassVar[str] = "catalog.warehouse.updated"


class WarehouseRestored(WarehouseDescription):
    """The warehouse was deleted and is back, as it was; carries the whole of it."""

    type: ClassVar[str] = "catalog.warehouse.restored"


class WarehouseDeleted(CatalogEvent):
    """The warehouse is gone; what was made with it keeps it."""

    type: ClassVar[str] = "catalog.warehouse.deleted"

    warehouse_id: UUID
    code: str


class Price(BaseModel):
    """The price of one base unit of an item, in minor units of the list's currency, from `min_quantity` on."""

    model_config = ConfigDict(frozen=True)

    item_id: UUID
    unit_price: UnitPrice
    min_quantity: Quantity


class PriceListDescription(CatalogEvent):
    price_list_id: UUID
    code: str
    name: str
    currency: Currency
    valid_from: date | None = None
    valid_until: date | None = None
    prices: list[Price]
    active: bool = True


class PriceListCreated(PriceListDescription):
    """There is a new price list."""

    type: ClassVar[str] = "catalog.price_list.created"


class PriceListUpdated(PriceListDescription):
    """The price list is different now; carries the whole of it."""

    type: ClassVar[str] = "catalog.price_list.updated"


class PriceListRestored(PriceListDescription):
    """The price list was deleted and is back, as it was; carries the whole of it."""

    type: ClassVar[str] = "catalog.price_list.restored"


class PriceListDeleted(CatalogEvent):
    """The price list is gone; what was made with it keeps it."""

    type: ClassVar[str] = "catalog.price_list.deleted"

    price_list_id: UUID
    code: str


class DatedRate(BaseModel):
    """A rate of tax, from that day on until a later one begins."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    valid_from: date
    """The first day on which it holds."""
    rate: Rate


class DatedRounding(BaseModel):
    """How tax is rounded, from that day on until a later one begins."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    valid_from: date
    """The first day on which it holds."""
    level: TaxLevel
    """Whether tax is rounded once for each rate of a document, or for each line."""
    mode: RoundingMode
    """Which way halves go."""


class TaxCodeDescription(CatalogEvent):
    """`roundings` hold in place of the tenant's own, from the first of them on."""

    tax_code_id: UUID
    code: str
    name: str
    rates: list[DatedRate]
    roundings: list[DatedRounding] = []


class TaxCodeCreated(TaxCodeDescription):
    """There is a new tax code."""

    type: ClassVar[str] = "catalog.tax_code.created"


class TaxCodeUpdated(TaxCodeDescription):
    """The tax code is different now; carries the whole of it."""

    type: ClassVar[str] = "catalog.tax_code.updated"


class TaxCodeRestored(TaxCodeDescription):
    """The tax code was deleted, and is back in use as it was; carries the whole of it."""

    type: ClassVar[str] = "catalog.tax_code.restored"


class TaxCodeDeleted(CatalogEvent):
    """The tax code is gone; what was made with it keeps it."""

    type: ClassVar[str] = "catalog.tax_code.deleted"

    tax_code_id: UUID
    code: str


class TaxPolicyUpdated(CatalogEvent):
    """How the tenant rounds tax; carries the whole of it. Before the first of the days, and without any: once for the document, half up."""

    type: ClassVar[str] = "catalog.tax_policy.updated"

    tax_policy_id: UUID
    roundings: list[DatedRounding]


class TemplateDescription(CatalogEvent):
    """`settings` are its own; `effective` is what holds, its parents' settings included."""

    template_id: UUID
    code: str
    name: str
    level: TemplateLevel
    parent_id: UUID | None
    settings: TemplateSettings
    effective: TemplateSettings


class TemplateCreated(TemplateDescription):
    """There is a new template."""

    type: ClassVar[str] = "catalog.template.created"


class TemplateUpdated(TemplateDescription):
    """The template, or one above it, is different now; carries the whole of it."""

    type: ClassVar[str] = "catalog.template.updated"


class TemplateRestored(TemplateDescription):
    """The template was deleted, and is back in use with its own settings; carries the whole of it."""

    type: ClassVar[str] = "catalog.template.restored"


class TemplateDeleted(CatalogEvent):
    """The template is gone; what was made by it keeps what it has."""

    type: ClassVar[str] = "catalog.template.deleted"

    template_id: UUID
    code: str


class TemplateChoiceUpdated(CatalogEvent):
    """Which template holds for the company where no other is named; null for none."""

    type: ClassVar[str] = "catalog.template_choice.updated"

    template_choice_id: UUID
    template_id: UUID | None


ITEM = Described("item_id", (ItemCreated, ItemUpdated, ItemRestored), ItemDeleted)
UNIT = Described("unit_id", (UnitCreated, UnitUpdated, UnitRestored), UnitDeleted)
WAREHOUSE = Described("warehouse_id", (WarehouseCreated, WarehouseUpdated, WarehouseRestored), WarehouseDeleted)
PRICE_LIST = Described("price_list_id", (PriceListCreated, PriceListUpdated, PriceListRestored), PriceListDeleted)
TAX_CODE = Described("tax_code_id", (TaxCodeCreated, TaxCodeUpdated, TaxCodeRestored), TaxCodeDeleted)
TAX_POLICY = Described("tax_policy_id", (TaxPolicyUpdated,))
TEMPLATE = Described("template_id", (TemplateCreated, TemplateUpdated, TemplateRestored), TemplateDeleted)
TEMPLATE_CHOICE = Described("template_choice_id", (TemplateChoiceUpdated,))

PUBLISHED: tuple[type[CatalogEvent], ...] = (
    ItemCreated,
    ItemUpdated,
    ItemDeleted,
    ItemRestored,
    UnitCreated,
    UnitUpdated,
    UnitDeleted,
    UnitRestored,
    WarehouseCreated,
    WarehouseUpdated,
    WarehouseDeleted,
    WarehouseRestored,
    PriceListCreated,
    PriceListUpdated,
    PriceListDeleted,
    PriceListRestored,
    TaxCodeCreated,
    TaxCodeUpdated,
    TaxCodeDeleted,
    TaxCodeRestored,
    TaxPolicyUpdated,
    TemplateCreated,
    TemplateUpdated,
    TemplateDeleted,
    TemplateRestored,
    TemplateChoiceUpdated,
)
