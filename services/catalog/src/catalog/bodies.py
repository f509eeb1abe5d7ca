"""What clients send: master data as it is to be, whole."""

from decimal import Decimal
from typing import Annotated, Literal, Self, TypeVar
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from catalog.models import ANY_QUANTITY
from contracts.catalog import NegativeStock, Tracking
from contracts.templates import TemplateLevel, TemplateSettings
from tailrace.core.values.custom_fields import CustomValues
from tailrace.core.values.fields import Code, Country, Day, Name, UnitCode
from tailrace.core.values.money import Currency, Quantity, Rate, RoundingMode, UnitPrice
from tailrace.core.values.taxes import TaxLevel
from tailrace.core.values.wire import WrongFields
from tailrace.http.routing import Body

Kind = Literal["stock", "service"]
Valuation = Literal["fifo", "moving_average"]

MOST_PRICES = 5000
"""A list travels whole in one event, which must stay below Kafka's megabyte."""
MOST_DATES = 200
"""Of a tax code's rates, or of roundings."""


class ConversionBody(Body):
    """One `unit` of the item is `factor` of its base unit."""

    unit: UnitCode
    """A further unit of the item, such as `box`."""
    factor: Quantity
    """How many base units one of it is."""


class ItemBody(Body):
    """An item as it is to be. `kind`, `unit`, `valuation`, `tracking` and `expires` never change afterwards.

    It is taxed at `tax_rate`, or as a tax code says: one of the two is given.
    `negative_stock`: whether more may leave than the books have, at a provisional cost. It may where the item or the warehouse allows it.
    """

    sku: Code
    """What the item is known by; unique among those in use."""
    name: Name
    """What people call the item."""
    kind: Kind = "stock"
    """`stock` is counted in warehouses, a `service` is not."""
    unit: UnitCode = "pcs"
    """The base unit, which its stock is counted in."""
    conversions: Annotated[list[ConversionBody], Field(max_length=50)] = []
    """Further units that it may be ordered or received in."""
    tax_rate: Rate | None = None
    """The share of a net amount that is due as tax when it is sold: 0.2 is twenty per cent; null with a `tax_code_id`."""
    tax_code_id: UUID | None = None
    """What it is taxed by instead, with rates that change on a day; null with a `tax_rate`."""
    valuation: Valuation = "fifo"
    """What its stock costs when it leaves: the oldest first, or the average."""
    active: bool = True
    """Whether it may be used in new documents."""
    negative_stock: NegativeStock = "refused"
    """Whether more of it may leave than the books have, at a provisional cost."""
    custom_fields: CustomValues = {}
    """Values of the fields that the company's template adds to items, by their keys."""
    tracking: Tracking | None = None
    """How its pieces are told apart: `lot` by what they came in with, `serial` each by a number of its own. When it is left out, an item that is
    there keeps it; what is new and stocked is tracked by `lot` where the company's template says `lots`, and else it is `none`."""
    expires: bool = False
    """Whether each lot has a last day on which it may be used."""
    shelf_life_days: Annotated[int, Field(ge=1, le=36500)] | None = None
    """How long a lot is good from the day it comes in, where its own last day is not said; null when that has to be said."""

    @property
    def units(self) -> list[str]:
        """The base unit and those that convert to it."""
        return [self.unit, *(conversion.unit for conversion in self.conversions)]

    @model_validator(mode="after")
    def _each_unit_once(self) -> Self:
        if len(self.units) != len(set(self.units)):
            raise WrongFields("a unit may stand once among the base unit and the conversions", "conversions")
        return self

    @model_validator(mode="after")
    def _tracked_where_that_means_something(self) -> Self:
        if self.tracking in {"lot", "serial"} and (self.kind != "stock" or self.negative_stock != "refused"):
            raise WrongFields(
                "only what is stocked is tracked, and not below zero: nobody knows the lots of what is not there",
                "tracking",
            )
        if self.expires and self.tracking == "none":
            raise WrongFields("only what is tracked expires, lot by lot", "expires")
        if self.shelf_life_days is not None and not self.expires:
            raise WrongFields("only what expires has a shelf life", "shelf_life_days")
        return self


class UnitBody(Body):
    """A unit as it is to be. `code`, `dimension` and `factor` never change afterwards."""

    code: UnitCode
    """What the unit is known by, such as `kg`."""
    name: Name
    """What people call the unit, such as Kilogram."""
    dimension: Annotated[Code, Field(max_length=40)]
    """What it measures, such as `mass`: units of one dimension convert into one another."""
    factor: Quantity = Decimal(1)
    """How much of the dimension's reference unit one of it is: 0.001 for grams beside kilograms."""
    decimals: Annotated[int, Field(ge=0, le=6)] = 6
    """How fine a quantity in it may be: 0 for pieces."""


class Conversion(Body):
    """A quantity, the unit it is in and the unit it is wanted in; with `item_id`, that item's own units count too."""

    quantity: Quantity
    """How much there is, in the unit `from`."""
    source: Annotated[UnitCode, Field(alias="from")]
    """The unit that the quantity is in."""
    target: Annotated[UnitCode, Field(alias="to")]
    """The unit that it is wanted in."""
    item_id: UUID | None = None
    """Whose own units count too; null for the tenant's units alone."""


class WarehouseBody(Body):
    """A warehouse as it is to be.

    `negative_stock`: whether more may leave it than the books have, at a provisional cost, whatever the item says.
    """

    code: Code
    """What the warehouse is known by; unique among those in use."""
    name: Name
    """What people call the warehouse."""
    country: Country | None = None
    """Where it stands, an ISO 3166-1 alpha-2 code."""
    active: bool = True
    """Whether it may be used in new documents."""
    negative_stock: NegativeStock = "refused"
    """Whether more may leave it than the books have, at a provisional cost."""


class PriceBody(Body):
    """Price of one base unit, in minor units of the list's currency, from `min_quantity` on, which is no finer than the unit.

    The least of all quantities, which stands there when nothing is said, is for any.
    """

    item_id: UUID
    """What the price is of."""
    unit_price: UnitPrice
    """Price of one base unit, in minor units of the list's currency."""
    min_quantity: Quantity = ANY_QUANTITY
    """From how much on it holds, in base units."""


class PriceListBody(Body):
    """A price list as it is to be, all its prices included; both days of validity, which are the company's, count."""

    code: Code
    """What the list is known by; unique among those in use."""
    name: Name
    """What people call the list."""
    currency: Currency
    """What its prices are in, an ISO 4217 code."""
    valid_from: Day | None = None
    """The first day on which it holds; null for ever since."""
    valid_until: Day | None = None
    """The last day on which it holds; null for ever after."""
    prices: Annotated[list[PriceBody], Field(max_length=MOST_PRICES)] = []
    """One for each item and quantity from which it holds."""
    active: bool = True
    """Whether it may be used in new documents."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise WrongFields("valid_until lies before valid_from", "valid_until")
        known: set[tuple[UUID, Decimal]] = set()
        for at, price in enumerate(self.prices):
            if (price.item_id, price.min_quantity) in known:
                raise WrongFields("an item has two prices from the same min_quantity on", f"prices/{at}/min_quantity")
            known.add((price.item_id, price.min_quantity))
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
    """Whether tax is rounded once for each rate of a document, or for each line."""
    mode: RoundingMode = "half_up"
    """Which way halves go."""


AnyDated = TypeVar("AnyDated", DatedRateBody, DatedRoundingBody)


def _on_days_of_their_own(dated: list[AnyDated]) -> list[AnyDated]:
    if len({one.valid_from for one in dated}) != len(dated):
        raise ValueError("two of them begin on the same day")
    return dated


Rates = Annotated[
    list[DatedRateBody], Field(min_length=1, max_length=MOST_DATES), AfterValidator(_on_days_of_their_own)
]
Roundings = Annotated[list[DatedRoundingBody], Field(max_length=MOST_DATES), AfterValidator(_on_days_of_their_own)]


class TaxCodeBody(Body):
    """A tax code as it is to be, all its rates included. From the first of its `roundings` on, they hold in place of the tenant's own."""

    code: Code
    name: Name
    rates: Rates
    """Its rates, each with the first day on which it holds."""
    roundings: Roundings = []
    """How its tax is rounded, from the first of these days on; empty for as the tenant rounds."""


class TaxPolicyBody(Body):
    """How the tenant rounds tax. Before the first of the days, and without any: once for each rate of a document, half up."""

    roundings: Roundings
    """How tax is rounded, each with the first day on which that holds."""


class TemplateBody(Body):
    """A template as it is to be. `level` and `parent_id` never change afterwards."""

    code: Code
    """What the template is known by; unique among those in use."""
    name: Name
    """What people call the template."""
    level: TemplateLevel = "customer"
    """Of whom it is. A standard one has no parent; another's is of a more general level."""
    parent_id: UUID | None = None
    """Whose settings hold where it says nothing; null for a standard one."""
    settings: TemplateSettings = TemplateSettings()
    """What it says itself."""


class TemplateChoiceBody(Body):
    """Which template is the company's."""

    template_id: UUID | None
    """The template that holds where no other is named; null for none."""
