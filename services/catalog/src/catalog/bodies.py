"""What clients send: master data as it is to be, whole."""

from decimal import Decimal
from typing import Annotated, Any, Literal, Self, TypeVar
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from contracts.catalog import NegativeStock, TaxLevel
from tailrace.core.fields import Code, Country, Day, Name, Text, UnitCode
from tailrace.core.money import Currency, Quantity, Rate, RoundingMode, UnitPrice
from tailrace.http.routing import Body

Kind = Literal["stock", "service"]
Valuation = Literal["fifo", "moving_average"]

MOST_PRICES = 5000
"""A list travels whole in one event, which must stay below Kafka's megabyte."""
MOST_DATES = 200
"""Of a tax code's rates, or of roundings."""
ANY_QUANTITY = Decimal("0.000001")


class ConversionBody(Body):
    """One `unit` of the item is `factor` of its base unit."""

    unit: UnitCode
    factor: Quantity


class ItemBody(Body):
    """An item as it is to be. `kind`, `unit` and `valuation` never change afterwards.

    It is taxed at `tax_rate`, or as a tax code says: one of the two is given.
    `negative_stock`: whether more may leave than the books have, at a provisional cost. It may where the item or the warehouse allows it.
    """

    sku: Code
    name: Name
    kind: Kind = "stock"
    unit: UnitCode = "pcs"
    conversions: Annotated[list[ConversionBody], Field(max_length=50)] = []
    tax_rate: Rate | None = None
    tax_code_id: UUID | None = None
    valuation: Valuation = "fifo"
    active: bool = True
    negative_stock: NegativeStock = "refused"

    @property
    def units(self) -> list[str]:
        """The base unit and those that convert to it."""
        return [self.unit, *(conversion.unit for conversion in self.conversions)]

    @model_validator(mode="after")
    def _each_unit_once(self) -> Self:
        if len(self.units) != len(set(self.units)):
            raise ValueError("a unit may stand once among the base unit and the conversions")
        return self

    def values(self) -> dict[str, Any]:
        conversions = [conversion.model_dump(mode="json") for conversion in self.conversions]
        return {**self.model_dump(exclude={"conversions"}), "conversions": conversions}


class UnitBody(Body):
    """A unit as it is to be. `code`, `dimension` and `factor` never change afterwards."""

    code: UnitCode
    name: Name
    dimension: Annotated[Text, Field(max_length=40)]
    factor: Quantity = Decimal(1)
    decimals: Annotated[int, Field(ge=0, le=6)] = 6


class Conversion(Body):
    """A quantity, the unit it is in and the unit it is wanted in; with `item_id`, that item's own units count too."""

    quantity: Quantity
    source: Annotated[UnitCode, Field(alias="from")]
    target: Annotated[UnitCode, Field(alias="to")]
    item_id: UUID | None = None


class WarehouseBody(Body):
    """A warehouse as it is to be.

    `negative_stock`: whether more may leave it than the books have, at a provisional cost, whatever the item says.
    """

    code: Code
    name: Name
    country: Country | None = None
    active: bool = True
    negative_stock: NegativeStock = "refused"


class PriceBody(Body):
    """Price of one base unit, in minor units of the list's currency, from `min_quantity` on, which is no finer than the unit.

    The least of all quantities, which stands there when nothing is said, is for any.
    """

    item_id: UUID
    unit_price: UnitPrice
    min_quantity: Quantity = ANY_QUANTITY


class PriceListBody(Body):
    """A price list as it is to be, all its prices included; both days of validity, which are the company's, count."""

    code: Code
    name: Name
    currency: Currency
    valid_from: Day | None = None
    valid_until: Day | None = None
    prices: Annotated[list[PriceBody], Field(max_length=MOST_PRICES)] = []
    active: bool = True

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise ValueError("valid_until lies before valid_from")
        if len({(price.item_id, price.min_quantity) for price in self.prices}) != len(self.prices):
            raise ValueError("an item has two prices from the same min_quantity on")
        return self


class DatedRateBody(Body):
    """A rate of tax, from that day on until a later one begins."""

    valid_from: Day
    rate: Rate


class DatedRoundingBody(Body):
    """How tax is rounded, from that day on until a later one begins.

    `level`: once for each rate of a document, or line by line. `mode`: ties away from zero, ties to the even number, or towards zero.
    """

    valid_from: Day
    level: TaxLevel = "document"
    mode: RoundingMode = "half_up"


AnyDated = TypeVar("AnyDated", DatedRateBody, DatedRoundingBody)


def _by_day(dated: list[AnyDated]) -> list[AnyDated]:
    if len({one.valid_from for one in dated}) != len(dated):
        raise ValueError("two of them begin on the same day")
    return sorted(dated, key=lambda one: one.valid_from)


Rates = Annotated[list[DatedRateBody], Field(min_length=1, max_length=MOST_DATES), AfterValidator(_by_day)]
Roundings = Annotated[list[DatedRoundingBody], Field(max_length=MOST_DATES), AfterValidator(_by_day)]


class TaxCodeBody(Body):
    """A tax code as it is to be, all its rates included. From the first of its `roundings` on, they hold in place of the tenant's own."""

    code: Code
    name: Name
    rates: Rates
    roundings: Roundings = []


class TaxPolicyBody(Body):
    """How the tenant rounds tax. Before the first of the days, and without any: once for each rate of a document, half up."""

    roundings: Roundings
