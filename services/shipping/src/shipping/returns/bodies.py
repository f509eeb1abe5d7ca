"""What clients say of goods that came back. Quantities are in the item's base unit."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from contracts.return_shipments import Verdict
from tailrace.core.values.fields import Code, MomentOrDay, Note, Text
from tailrace.core.values.money import Quantity
from tailrace.core.values.wire import WrongFields
from tailrace.http.routing import Body

MOST_LINES = 500


class ReceivedBody(Body):
    """How much of a line came."""

    return_line_id: UUID
    """Which line of the return it belongs to, of those that are expected."""
    quantity: Quantity
    """How much came now, no more than is still expected."""


class UnexpectedBody(Body):
    """Something that came along and is no line of the return: another item, or more than was agreed."""

    description: Text
    """What it is, as far as anybody can tell."""
    quantity: Quantity
    """How many of it."""
    note: Note | None = None


class ReceiptBody(Body):
    """What came, of what is expected and besides."""

    lines: Annotated[list[ReceivedBody], Field(max_length=MOST_LINES)] = []
    """What was expected, each line once."""
    unexpected: Annotated[list[UnexpectedBody], Field(max_length=MOST_LINES)] = []
    """What was not. It is noted, and nothing follows from it by itself."""
    received_at: MomentOrDay | None = None
    """When it came, a plain day from its first moment on, or on the day that it left, as it left: not in the future, and not over a year ago;
    now when left out."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.lines and not self.unexpected:
            raise WrongFields("Say what came, under lines or unexpected.", "lines", "unexpected")
        return self


class ReturnedLotBody(Body):
    """So much of a lot, or a piece by its serial number."""

    number: Code
    """What the lot is called on the goods, in any spelling that is the same."""
    quantity: Quantity
    """How much of it, in the item's base unit; of a serial number, one."""


class VerdictBody(Body):
    """What becomes of so much of a line."""

    return_line_id: UUID
    """Which line of the return it belongs to, of those that are expected."""
    verdict: Verdict
    """Whether it is sold again, thrown away, or goes back to the customer, who gets nothing for it."""
    quantity: Quantity
    """How much of it, no more than has come and was not looked at."""
    note: Note | None = None
    """What was seen."""
    lots: Annotated[list[ReturnedLotBody], Field(min_length=1, max_length=MOST_LINES)] | None = None
    """Of a tracked item, which lots it is of those that left with the shipment; they add up to `quantity`. Left out, they come back in the order in
    which they left, but for pieces with serial numbers: these are named, unless all of them are kept."""


class InspectionBody(Body):
    """What was found."""

    lines: Annotated[list[VerdictBody], Field(min_length=1, max_length=MOST_LINES)]
    """Each line once for each verdict."""
