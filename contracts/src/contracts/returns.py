"""Events of what customers give back, on `order.events`: the authorisation, what came of it, and what it asks of shipping and of accounting.

Quantities are in the item's base unit, amounts are whole minor units of the currency beside them. A line is a part of an order's line that left with
one shipment, or of a service that was performed at once.
"""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.orders import LineQuantity, OrderEvent
from tailrace.core.events import Event
from tailrace.core.personal_data import Personal
from tailrace.core.values.money import Currency, Minor, Quantity, Rate, SignedQuantity

Outcome = Literal["refund", "exchange"]
"""What the customer is to have for goods that are accepted: their price by a credit note, or the same goods once more besides."""
ReturnStatus = Literal["requested", "authorised", "partly_received", "received", "inspected", "closed", "cancelled"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class ReturnFee(_Value):
    """What the company asks for its trouble, once for a return of which something is accepted."""

    net: Minor
    tax_code: str | None = None
    tax_rate: Rate


class ReturnLine(_Value):
    """What may come back of one order line, of one shipment; or so much of a service, of which nothing comes back."""

    return_line_id: UUID
    shipment_id: UUID
    """What it left with; of a service, the performance."""
    performed: bool = False
    """Whether it is of a service: it is taken back by the authorisation alone."""
    line_id: UUID
    """The line of the order."""
    item_id: UUID
    sku: str
    name: str
    warehouse_id: UUID
    """Where it left from, and comes back to."""
    unit: str | None = None
    decimals: int = 6
    """How fine a quantity in `unit` may be."""
    quantity: Quantity
    outcome: Outcome


class ReturnEvent(OrderEvent):
    return_id: UUID


class ReturnDescription(ReturnEvent):
    """The whole of a return, as it was asked for."""

    number: str
    order_number: str
    customer_id: UUID | None = None
    customer_name: Personal[str]
    owner_id: UUID | None = None
    """The user who sells."""
    owner_name: Personal[str | None] = None
    reason_code: str
    reason: str
    note: Personal[str] | None = None
    """What else the customer said."""
    currency: Currency
    fee: ReturnFee | None = None
    lines: list[ReturnLine]


class ReturnRequested(ReturnDescription):
    """A customer wants to give something back. Nobody has agreed yet."""

    type: ClassVar[str] = "order.return_requested"


class ReturnAuthorised(ReturnDescription):
    """It may come back. Asks shipping to expect its goods, as a shipment of this id; the answer is `shipment.return_expected`.

    Where all of its lines were `performed`, nothing comes back: no shipment ever has the id, and nobody answers.
    """

    type: ClassVar[str] = "order.return_authorised"

    return_shipment_id: UUID


class ReturnAssigned(ReturnEvent):
    """Another user looks after it now; nobody, when `owner_id` is null."""

    type: ClassVar[str] = "order.return_assigned"

    number: str
    owner_id: UUID | None
    owner_name: Personal[str | None] = None
    previous_owner_id: UUID | None


class ReturnCancellationRequested(ReturnEvent):
    """Asks shipping to expect nothing more of it. The answer is `shipment.return_cancelled`; what came before that stays."""

    type: ClassVar[str] = "order.return_cancellation_requested"

    return_shipment_id: UUID
    reason: str


class ReturnCancelled(ReturnEvent):
    """Nothing of it came, and nothing is expected any more."""

    type: ClassVar[str] = "order.return_cancelled"

    reason: str


class ReturnedSoFar(_Value):
    """How far a line has got: `quantity` is agreed, `received` has come; of that, `accepted` is kept, and `sent_back` is not."""

    return_line_id: UUID
    quantity: SignedQuantity
    received: SignedQuantity
    accepted: SignedQuantity
    sent_back: SignedQuantity


class ReturnProgressed(ReturnEvent):
    """Goods came, were looked at, or are expected no more: how far the return has got, in all and line by line."""

    type: ClassVar[str] = "order.return_progressed"

    status: ReturnStatus
    lines: list[ReturnedSoFar]


class ReturnToSettle(_Value):
    """What was accepted and is to be credited."""

    shipment_id: UUID
    """What it left with; of a service, the performance."""
    line_id: UUID
    """The line of the order."""
    quantity: Quantity


class ReturnSettlementRequested(ReturnEvent):
    """Asks accounting to take back what these goods and services were sold for, and to ask for the fee. The answer is `accounting.return.settled`."""

    type: ClassVar[str] = "order.return_settlement_requested"

    settlement_id: UUID
    number: str
    reason: str
    currency: Currency
    lines: list[ReturnToSettle]
    fee: ReturnFee | None = None


class ReturnCredited(ReturnEvent):
    """Accounting took something back: how much has been by now, invoiced or not, and what the fee came to, tax included."""

    type: ClassVar[str] = "order.return_credited"

    settlement_id: UUID
    currency: Currency
    credited_net: Minor
    credited_tax: Minor
    fee: Minor


class ReturnClosed(ReturnEvent):
    """Everything that came is settled. `exchange_order_id` is the order of what is sent instead."""

    type: ClassVar[str] = "order.return_closed"

    number: str
    lines: list[LineQuantity]
    """What was accepted, by line of the order."""
    exchange_order_id: UUID | None = None


class ReturnReasonDeleted(Event):
    """The reason is gone; returns keep what it was called."""

    topic: ClassVar[str] = "order.events"
    publisher: ClassVar[str] = "orders"
    type: ClassVar[str] = "order.return_reason.deleted"

    return_reason_id: UUID
    code: str


class ReturnReasonDescription(Event):
    """The whole of it. Created, updated and restored say the same."""

    topic: ClassVar[str] = "order.events"
    publisher: ClassVar[str] = "orders"

    return_reason_id: UUID
    code: str
    name: str
    active: bool = True


class ReturnReasonCreated(ReturnReasonDescription):
    """There is a new reason for which goods come back."""

    type: ClassVar[str] = "order.return_reason.created"


class ReturnReasonUpdated(ReturnReasonDescription):
    """The reason is different now; carries the whole of it."""

    type: ClassVar[str] = "order.return_reason.updated"


class ReturnReasonRestored(ReturnReasonDescription):
    """The reason was deleted and is back, as it was; carries the whole of it."""

    type: ClassVar[str] = "order.return_reason.restored"


PUBLISHED: tuple[type[Event], ...] = (
    ReturnRequested,
    ReturnAuthorised,
    ReturnAssigned,
    ReturnCancellationRequested,
    ReturnCancelled,
    ReturnProgressed,
    ReturnSettlementRequested,
    ReturnCredited,
    ReturnClosed,
    ReturnReasonCreated,
    ReturnReasonUpdated,
    ReturnReasonDeleted,
    ReturnReasonRestored,
)
