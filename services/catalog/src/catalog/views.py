"""What clients are shown of master data."""

from datetime import date
from uuid import UUID

from catalog.bodies import Kind, Valuation
from contracts.catalog import DatedRate, DatedRounding, NegativeStock, UnitConversion
from tailrace.core.money import Exact, Quantity, Rate, UnitPrice
from tailrace.http.routing import ResourceView, View


class MasterDataView(ResourceView):
    """The fields that every master data view carries."""

    name: str


class ItemView(MasterDataView):
    sku: str
    kind: Kind
    unit: str
    conversions: list[UnitConversion]
    tax_rate: Rate | None
    tax_code_id: UUID | None
    valuation: Valuation
    active: bool
    negative_stock: NegativeStock


class UnitView(MasterDataView):
    code: str
    dimension: str
    factor: Quantity
    decimals: int


class Converted(View):
    quantity: Exact
    unit: str


class WarehouseView(MasterDataView):
    code: str
    country: str | None
    active: bool
    negative_stock: NegativeStock


class PriceView(View):
    item_id: UUID
    unit_price: UnitPrice
    min_quantity: Quantity


class PriceListSummary(MasterDataView):
    """A price list without its prices."""

    code: str
    currency: str
    valid_from: date | None
    valid_until: date | None
    active: bool


class PriceListView(PriceListSummary):
    prices: list[PriceView]


class PriceFound(PriceView):
    """The price that holds for a quantity on a day."""

    price_list_id: UUID
    currency: str
    on: date


class TaxCodeView(MasterDataView):
    code: str
    rates: list[DatedRate]
    roundings: list[DatedRounding]


class TaxPolicyView(View):
    """How the tenant rounds tax. Version 0, before the first change: once for each rate of a document, half up."""

    version: int = 0
    roundings: list[DatedRounding] = []
