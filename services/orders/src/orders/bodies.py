"""What a client may say about an order. Quantities and prices are decimal strings or numbers; amounts are whole minor units of the currency."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from contracts.orders import Address
from orders.progress import Short
from tailrace.core.personal_data import Personal
from tailrace.core.values.custom_fields import CustomValues
from tailrace.core.values.fields import Amount, Code, Country, Day, MomentOrDay, Text, UnitCode
from tailrace.core.values.money import Currency, Quantity, UnitPrice
from tailrace.core.values.wire import WrongFields
from tailrace.http.routing import Body

MOST_LINES = 500
_YEAR = 365 * 24 * 3600


class NewOrderLine(Body):
    """A line, priced in one of three ways: by `unit_price`, of one of the line's `unit`; by its `net` amount; or by a price list, per base unit.

    One that says none of these is priced by the customer's list.
    """

    item_id: UUID
    """What is ordered, of the catalog."""
    warehouse_id: UUID
    """Where it is to leave from; of a service, which never leaves, where it is sold from."""
    quantity: Quantity
    """How much, in `unit`; above zero, and no finer than that unit allows."""
    unit: UnitCode | None = Field(
        None, description="The unit that `quantity` is in; the item's base unit when left out."
    )
    unit_price: UnitPrice | None = Field(
        None,
        description="Price of one `unit` as the line names it, in minor units: 2 boxes at 1,200 are 2,400."
        " net = quantity × unit_price, rounded half up.",
    )
    net: Amount | None = Field(
        None, description="Amount of the line before tax, in minor units; the unit price is derived from it."
    )
    price_list_id: UUID | None = Field(
        None,
        description="Price by this list, as valid on the company's day of `ordered_at`, or today with `confirm`, for the quantity in base units:"
        " a list prices one base unit. When no price is said either, the customer's list, in the currency that was agreed with them.",
    )
    lot: Code | None = Field(None, description="The only lot that will do, by its number; any when left out.")
    remaining_days: Annotated[int, Field(ge=0, le=36500)] | None = Field(
        None, description="For how many days more a lot has to be good when it is held; any when left out."
    )

    @model_validator(mode="after")
    def _priced_once(self) -> Self:
        said = [name for name in ("unit_price", "net", "price_list_id") if getattr(self, name) is not None]
        if len(said) > 1:
            raise WrongFields("Give one of unit_price, net and price_list_id alone.", *said)
        return self


class ShipTo(Address, Body):
    """Where the goods go."""

    lines: Personal[list[Text]] = Field([], max_length=10)
    """Street and number, and whatever else stands above the town, line by line."""
    city: Personal[Text | None] = None
    """The town that the goods go to."""
    postal_code: Personal[Annotated[Text, Field(max_length=20)] | None] = None
    """As the post of that country writes it."""
    country: Country | None = None


class OrderTerms(Body):
    """All that a client says about an order; replaces the whole of a draft."""

    customer_reference: Text
    """What the customer calls the order, such as the number of their own purchase order."""
    customer_id: UUID | None = None
    """Who ordered, of the customers that are kept; one that was merged is followed to the one that it stands for."""
    customer_name: Personal[Text] | None = Field(
        None, description="Who ordered, as papers that go with the goods name them; the customer's name when left out."
    )
    owner_id: UUID | None = Field(
        None,
        description="The user who sells; when left out, the one who looks after the customer, or the caller, and when replacing, as it was.",
    )
    currency: Currency
    """What every amount of the order is in, an ISO 4217 code."""
    ordered_at: MomentOrDay | None = Field(
        None,
        description="When the customer ordered, a plain day from its first moment on: not in the future; now when left out.",
    )
    requested_date: Day | None = Field(
        None, description="When the customer wants it: on the company's day of `ordered_at`, or up to ten years later."
    )
    partial_allowed: bool | None = Field(
        None,
        description="Whether what there is may be reserved and shipped when not everything is in stock. What the company's template says of shipping"
        " in parts when left out, or else false; where the template says that no order is, true is refused.",
    )
    when_short: Short | None = Field(
        None,
        description="What becomes of what is not in stock: `wait` for goods, as a back-order; `cancel`, and so all of the order when none of it"
        " can leave; or `stop` until somebody asks to allocate it again. What the company's template says when left out, or else `stop`.",
    )
    priority: Annotated[int, Field(ge=1, le=9)] = Field(
        5, description="Whose turn it is when goods come in: 1 comes first, then the earlier requested date."
    )
    reservation_expires_in_seconds: Annotated[int, Field(gt=0, le=_YEAR)] | None = Field(
        None, description="How long stock is held for the order; without limit when left out."
    )
    ship_to: ShipTo | None = Field(
        None,
        description="Where the goods go; the customer's address for goods when left out, or null where there is none.",
    )
    payment_terms_days: Annotated[int, Field(ge=0, le=365)] | None = Field(
        None, description="How many days after an invoice it is due; what was agreed with the customer when left out."
    )
    custom_fields: CustomValues = {}
    """Values of the fields that the company's template adds to orders, by their keys."""
    lines: list[NewOrderLine] = Field(min_length=1, max_length=MOST_LINES)
    """What is ordered, in the order in which it is shown."""

    @model_validator(mode="after")
    def _of_somebody(self) -> Self:
        if self.customer_id is None and self.customer_name is None:
            raise WrongFields("Say customer_id or customer_name.", "customer_id", "customer_name")
        return self


class NewOrder(OrderTerms):
    """An order to create as a draft, or at once as a confirmed order."""

    confirm: bool = Field(
        False, description="Create and confirm in one step, at the prices and tax rates of today: it binds today."
    )
    expected_total: Amount | None = Field(
        None,
        description="What the client takes the order to cost, tax included; refused (`price-changed`) at another total.",
    )


class PerformedQuantity(Body):
    """How much of a line was performed."""

    line_id: UUID
    """A line of the order that is of a service."""
    quantity: Quantity
    """How much of it, in the item's base unit: no more than is still to be performed."""


class Performance(Body):
    """Services that were performed for an order, and when. They are sold by that, and can be invoiced."""

    performed_at: MomentOrDay | None = Field(
        None,
        description="When they were performed, which is when they are supplied, a plain day from its first moment on: not in the future,"
        " and not before the day of the order; now when left out.",
    )
    lines: Annotated[list[PerformedQuantity], Field(min_length=1, max_length=MOST_LINES)] | None = Field(
        None, description="What was performed, each line once; all that is still to be performed when left out."
    )


class Confirmation(Body):
    """What happens when prices or tax rates have changed since the order was drafted."""

    reprice: bool = Field(
        False,
        description="Confirm at the prices of the line's price list and the tax rates of today; refused (`price-changed`) when false and one"
        " of them has changed. A price that the client gave stays.",
    )
    expected_total: Amount | None = Field(
        None,
        description="The total that the person saw, tax included, in minor units; refused (`price-changed`) at another total,"
        " with `reprice` too.",
    )
