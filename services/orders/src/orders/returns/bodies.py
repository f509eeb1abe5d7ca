"""What a client may say of a return. Quantities are in each item's base unit, the fee is in minor units of the order's currency."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from contracts.returns import Outcome
from tailrace.core.values.fields import Amount, Code, Name, Note
from tailrace.core.values.money import PRICE_BOUND, Quantity, Rate
from tailrace.http.routing import Body

MOST_LINES = 500


class ReturnReasonBody(Body):
    """A reason as it is to be."""

    code: Code
    """What the reason is known by; unique among those in use."""
    name: Name
    """What people call it."""
    active: bool = True
    """Whether it may be given for new returns."""


class NewReturnLine(Body):
    """What is to come back of one line of the order, of what left with one shipment; or how much of a service is taken back."""

    shipment_id: UUID
    """What it left with; of a service, the performance."""
    line_id: UUID
    """The line of the order."""
    quantity: Quantity
    """How much, in the item's base unit; no more than left with that shipment, or was performed then, and is in no other return."""
    outcome: Outcome = "refund"
    """What the customer is to have for what is accepted: a credit note, or the same once more besides."""


class FeeBody(Body):
    """What is asked for the trouble, by an invoice, once something of the return is accepted."""

    net: Annotated[Amount, Field(gt=0, lt=PRICE_BOUND)]
    """Before tax, no more than the goods and services were sold for."""
    tax_code: Code | None = None
    """The tax code that it is taxed by, one that the company has; its rate on the day of the fee's invoice counts."""
    tax_rate: Rate | None = Field(
        None,
        description="The share of `net` that is due as tax. May be left out with `tax_code`, and is the same as its rate otherwise.",
    )


class NewReturn(Body):
    """What is to come back of an order, and why."""

    order_id: UUID
    """The order that it was supplied for."""
    return_reason_id: UUID
    """Why, of the reasons that are kept."""
    note: Note | None = None
    """What else the customer said."""
    fee: FeeBody | None = None
    """Null for none."""
    lines: Annotated[list[NewReturnLine], Field(min_length=1, max_length=MOST_LINES)]
    """What is to come back, in the order in which it is shown."""
    authorise: bool = False
    """Whether that is agreed at once."""

    @property
    def exchanges(self) -> bool:
        """Whether something may be ordered instead at once."""
        return self.authorise and any(line.outcome == "exchange" for line in self.lines)
