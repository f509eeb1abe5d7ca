"""What a client may send. A quantity may come in any unit that leads to the item's base unit; a value is in minor units of its currency."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from contracts.inventory import LotStatus
from tailrace.core.values.fields import Amount, Code, Day, MomentOrDay, Text, UnitCode
from tailrace.core.values.money import Currency, Quantity, SignedQuantity, UnitPrice
from tailrace.core.values.wire import WrongFields
from tailrace.http.routing import Body

Unit = Annotated[UnitCode | None, Field(description="The unit of `quantity`; the item's base unit when left out.")]
EffectiveAt = Annotated[
    MomentOrDay | None,
    Field(
        description="When it took place, a plain day from its first moment on: not in the future, and not over a year ago; now when left out."
    ),
]
OpenedAt = Annotated[
    MomentOrDay | None,
    Field(
        description="When it took place, a plain day from its first moment on: not in the future, and not over a year ago (opening stock: ten);"
        " now when left out."
    ),
]
UnitCost = Annotated[
    UnitPrice | None,
    Field(description="Cost of one `unit` as named here, in minor units: 2 boxes at 1,200 are worth 2,400."),
]
Reference = Annotated[Text | None, Field(description="A document of yours.")]


class LotPart(Body):
    """So much of a lot, or a piece by its serial number."""

    number: Code
    """What the lot is called on the goods; unique for its item."""
    quantity: Quantity
    """How much of it, in the unit of the whole."""
    expires_on: Day | None = None
    """The last day on which it may be used, as it stands on the goods; needed for what comes in of an item without a shelf life."""
    status: LotStatus | None = None
    """What quality says of what comes in; left out, it is released, but for what comes back, which is on hold."""


Lots = Annotated[list[LotPart], Field(max_length=500)]


class NewReceipt(Body):
    """Goods that came in. What they cost is `value` for all of them, or `unit_cost` for one of `unit`."""

    item_id: UUID
    """What came in, of the catalog."""
    warehouse_id: UUID
    """Where it lies now."""
    quantity: Quantity
    """How much came in, in `unit`."""
    unit: Unit = None
    value: Amount | None = None
    """What all of it cost, in minor units; instead of `unit_cost`."""
    unit_cost: UnitCost = None
    currency: Currency
    """What the cost is in, an ISO 4217 code."""
    reason: Literal["opening", "purchase", "production", "return"]
    """Where it came from."""
    reference: Reference = None
    effective_at: OpenedAt = None
    lots: Lots | None = None
    """Of a tracked item, which lots came in; they add up to `quantity`. Null for any other."""
    delivery_line_id: UUID | None = None
    """The line of a delivery that this is put away of, null for any other: `quantity` counts as its notice does, `unit` says what that is."""

    @model_validator(mode="after")
    def _one_cost(self) -> Self:
        if (self.value is None) == (self.unit_cost is None):
            raise WrongFields("give either value or unit_cost", "value", "unit_cost")
        return self

    @model_validator(mode="after")
    def _bought(self) -> Self:
        if self.delivery_line_id is not None and self.reason != "purchase":
            raise WrongFields("what a supplier delivered is a purchase", "reason")
        return self


class NewIssue(Body):
    """Goods that went out: of what is free, or of what a line of a reservation holds.

    More than is free may go where the item or the warehouse allows negative stock; `currency` is needed then when nothing ever came in.
    What goes back to its supplier has to be there. It is credited at the price that it was received for: that of `receipt_id`, the movement
    it came in with, or where that is not known, `value` for all of it or `unit_cost` for one of `unit`.
    """

    item_id: UUID
    """What went out, of the catalog."""
    warehouse_id: UUID
    """Where it lay."""
    quantity: Quantity
    """How much went out, in `unit`."""
    unit: Unit = None
    reason: Literal["consumption", "scrap", "return_to_supplier"]
    """What became of it."""
    reservation_id: UUID | None = None
    """Whose held stock it was; null for what is free."""
    line_id: UUID | None = None
    """The line of that reservation; goes together with `reservation_id`."""
    receipt_id: UUID | None = None
    """The movement that the goods came in with, when they go back to their supplier."""
    value: Amount | None = None
    """What all of it was received for, in minor units, when it goes back; instead of `receipt_id` or `unit_cost`."""
    unit_cost: UnitCost = None
    currency: Currency | None = None
    """What the cost is in, an ISO 4217 code; needed only when nothing ever came in."""
    reference: Reference = None
    effective_at: EffectiveAt = None
    lots: Lots | None = None
    """Of a tracked item, which lots went out; they add up to `quantity`. Null for any other."""

    @model_validator(mode="after")
    def _line_of_reservation(self) -> Self:
        if (self.reservation_id is None) != (self.line_id is None):
            raise WrongFields("reservation_id and line_id go together", "reservation_id", "line_id")
        return self

    @model_validator(mode="after")
    def _one_price_of_a_return(self) -> Self:
        given = sum(price is not None for price in (self.receipt_id, self.value, self.unit_cost))
        if given != (1 if self.reason == "return_to_supplier" else 0):
            raise WrongFields(
                "return_to_supplier takes one of receipt_id, value and unit_cost; other reasons take none",
                "receipt_id",
                "value",
                "unit_cost",
            )
        return self


class NewAdjustment(Body):
    """What a count found, as a difference to the books.

    More is worth `value` or `unit_cost`, or the present average when neither is given; less costs what the oldest layers say.
    """

    item_id: UUID
    """What was counted, of the catalog."""
    warehouse_id: UUID
    """Where it was counted."""
    quantity: SignedQuantity
    """How much more there is than in the books; below zero for less."""
    unit: Unit = None
    value: Amount | None = None
    """What all that was found is worth, in minor units; instead of `unit_cost`."""
    unit_cost: UnitCost = None
    currency: Annotated[Currency | None, Field(description="Needed for the first stock of an item in a warehouse.")] = (
        None
    )
    reason: Text
    """Why the books and the shelf differed."""
    reference: Reference = None
    effective_at: EffectiveAt = None
    lots: Lots | None = None
    """Of a tracked item, of which lots there is more or less, each above zero; they add up to the difference. Null for any other."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.quantity:
            raise WrongFields("a difference of nothing is no adjustment", "quantity")
        given = [cost for cost in (self.value, self.unit_cost) if cost is not None]
        if len(given) > 1 or (given and self.quantity < 0):
            raise WrongFields("give at most one of value and unit_cost, and none for a loss", "value", "unit_cost")
        return self


class NewTransfer(Body):
    """Goods that go from one warehouse to another, at the value they have."""

    item_id: UUID
    """What is moved, of the catalog."""
    from_warehouse_id: UUID
    """Where it lay."""
    to_warehouse_id: UUID
    """Where it lies now."""
    quantity: Quantity
    """How much is moved, in `unit`."""
    unit: Unit = None
    reference: Reference = None
    effective_at: EffectiveAt = None
    lots: Lots | None = None
    """Of a tracked item, which lots are moved; they add up to `quantity`. Null for any other."""

    @model_validator(mode="after")
    def _two_places(self) -> Self:
        if self.from_warehouse_id == self.to_warehouse_id:
            raise WrongFields("the two warehouses are one and the same", "to_warehouse_id")
        return self


class NewReservationLine(Body):
    item_id: UUID
    """What is to be held, of the catalog."""
    warehouse_id: UUID
    """Where it lies."""
    quantity: Quantity
    """How much is to be held, in `unit`."""
    unit: Unit = None
    lot: Code | None = None
    """The only lot that will do, by its number; null for any, the one that expires or came first coming first."""
    remaining_days: Annotated[int, Field(ge=0, le=36500)] | None = None
    """For how many days more a lot has to be good; null for any."""


class NewReservation(Body):
    """Stock to be held: all of it, or with `partial_allowed` as much as there is."""

    lines: Annotated[list[NewReservationLine], Field(min_length=1, max_length=500)]
    """What is to be held."""
    partial_allowed: bool = False
    """Whether as much as there is will do."""
    expires_in_seconds: Annotated[int, Field(ge=1, le=365 * 86400)] | None = None
    """After how long it ends by itself; null for never."""


class NewRelease(Body):
    reason: Text = "given back"
    """Why it is not needed any more."""


class NewStatus(Body):
    """What quality says of a lot."""

    status: LotStatus
    """Whether it may be promised and used; what is on hold waits for a decision, what is blocked has been refused."""
    reason: Text
    """Why; it is shown with the lot."""
