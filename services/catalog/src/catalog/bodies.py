"""What clients send: master data as it is to be, whole."""

from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from contracts.catalog import NegativeStock
from tailrace.core.fields import Code, Country, Day, Name, Text, UnitCode
from tailrace.core.money import Currency, Quantity, Rate, UnitPrice
from tailrace.http.routing import Body

Kind = Literal["stock", "service"]
Valuation = Literal["fifo", "moving_average"]

MOST_PRICES = 5000
"""A list travels whole in one event, which must stay below Kafka's megabyte."""
ANY_QUANTITY = Decimal("0.000001")


class ConversionBody(Body):
    """One `unit` of the item is `factor` of its base unit."""

    unit: UnitCode
    factor: Quantity


class ItemBody(Body):
    """An item as it is to be. `kind`, `unit` and `valuation` never change afterwards.

    `negative_stock`: whether more may leave than the books have, at a provisional cost. It may where the item or the warehouse allows it.
    """

    sku: Code
    name: Name
    kind: Kind = "stock"
    unit: UnitCode = "pcs"
    conversions: Annotated[list[ConversionBody], Field(max_length=50)] = []
    tax_rate: Rate
    valuation: Valuation = "fifo"
    active: bool = True
    negative_stock: NegativeStock = "refused"

    @model_validator(mode="after")
    def _each_unit_once(self) -> Self:
        units = [self.unit, *(conversion.unit for conversion in self.conversions)]
        if len(units) != len(set(units)):
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
    """Price of one base unit, in minor units of the list's currency, from `min_quantity` on."""

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
