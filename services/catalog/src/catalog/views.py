"""What clients are shown of master data."""

from datetime import date
from uuid import UUID

from catalog.bodies import Kind, Valuation
from contracts.catalog import DatedRate, DatedRounding, NegativeStock, Tracking, UnitConversion
from contracts.templates import TemplateLevel, TemplateSettings
from tailrace.core.values.money import Exact, Quantity, Rate, UnitPrice
from tailrace.http.routing import ResourceView, View


class MasterDataView(ResourceView):
    """The fields that every master data view carries."""

    name: str
    """What people call it."""


class ItemView(MasterDataView):
    sku: str
    """What the item is known by; unique among those in use."""
    kind: Kind
    """`stock` is counted in warehouses, a `service` is not."""
    unit: str
    """The base unit, which its stock is counted in."""
    conversions: list[UnitConversion]
    """Further units that it may be ordered or received in."""
    tax_rate: Rate | None
    """The share of a net amount that is due as tax when it is sold: 0.2 is twenty per cent; null with a tax code."""
    tax_code_id: UUID | None
    """What it is taxed by, with rates that change on a day; null with a rate of its own."""
    valuation: Valuation
    """What its stock costs when it leaves: the oldest first, or the average."""
    active: bool
    """Whether it may be used in new documents."""
    negative_stock: NegativeStock
    """Whether more of it may leave than the books have, at a provisional cost."""
    custom_fields: dict[str, bool | str]
    """Values of the fields that the company adds, by their keys; a number is a string."""
    tracking: Tracking
    """How its pieces are told apart: not at all, by lot, or each by a serial number."""
    expires: bool
    """Whether each lot has a last day on which it may be used."""
    shelf_life_days: int | None
    """How long a lot is good from the day it comes in, where its own last day is not said."""


class UnitView(MasterDataView):
    code: str
    """What the unit is known by, such as `kg`."""
    dimension: str
    """What it measures, such as `mass`: units of one dimension convert into one another."""
    factor: Quantity
    """How much of the dimension's reference unit one of it is: 0.001 for grams beside kilograms."""
    decimals: int
    """How fine a quantity in it may be: 0 for pieces."""


class Converted(View):
    quantity: Exact
    """How much it is, in `unit`: exact, or the conversion is refused."""
    unit: str
    """The unit that was asked for."""


class WarehouseView(MasterDataView):
    code: str
    """What the warehouse is known by; unique among those in use."""
    country: str | None
    """Where it stands, an ISO 3166-1 alpha-2 code."""
    active: bool
    """Whether it may be used in new documents."""
    negative_stock: NegativeStock
    """Whether more may leave it than the books have, at a provisional cost."""


class PriceView(View):
    item_id: UUID
    """What the price is of."""
    unit_price: UnitPrice
    """Price of one base unit, in minor units of the list's currency."""
    min_quantity: Quantity
    """From how much on it holds, in base units."""


class PriceListSummary(MasterDataView):
    """A price list without its prices."""

    code: str
    """What the list is known by; unique among those in use."""
    currency: str
    """What its prices are in, an ISO 4217 code."""
    valid_from: date | None
    """The first day on which it holds; null for ever since."""
    valid_until: date | None
    """The last day on which it holds; null for ever after."""
    active: bool
    """Whether it may be used in new documents."""


class PriceListView(PriceListSummary):
    prices: list[PriceView]
    """One for each item and quantity from which it holds."""


class PriceFound(PriceView):
    """The price that holds for a quantity on a day."""

    price_list_id: UUID
    """Whose price it is."""
    currency: str
    """What the price is in, an ISO 4217 code."""
    on: date
    """The day that the price was asked for."""


class TaxCodeView(MasterDataView):
    code: str
    """What the tax code is known by; unique among those in use."""
    rates: list[DatedRate]
    """Its rates, each with the first day on which it holds."""
    roundings: list[DatedRounding]
    """How its tax is rounded, from the first of these days on; empty for as the tenant rounds."""


class TaxPolicyView(View):
    """How the tenant rounds tax. Version 0, before the first change: once for each rate of a document, half up."""

    version: int = 0
    """Raised by each change; the ETag."""
    roundings: list[DatedRounding] = []
    """How tax is rounded, each with the first day on which that holds."""


class TemplateSummary(MasterDataView):
    """A template without what it says."""

    code: str
    """What the template is known by; unique among those in use."""
    level: TemplateLevel
    """Of whom it is, from the most general to the most particular."""
    parent_id: UUID | None
    """Whose settings hold where it says nothing; null for a standard one."""


class TemplateView(TemplateSummary):
    settings: TemplateSettings
    """What it says itself."""
    effective: TemplateSettings
    """What holds: its own settings, and its parent's where it says nothing."""


class TemplateChoiceView(View):
    """Which template is the company's. Version 0, before the first choice: none."""

    version: int = 0
    """Raised by each change; the ETag."""
    template_id: UUID | None = None
    """The template that holds where no other is named; null for none."""
