"""Events of goods that customers send back, on `shipment.events`: expected, received, looked at. Quantities are in the item's base unit."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.lots import LotQuantity
from contracts.shipments import ShipmentTopic
from tailrace.core.personal_data import Personal
from tailrace.core.values.money import Quantity, SignedQuantity

Verdict = Literal["restock", "scrap", "send_back"]
"""What becomes of goods that were looked at: they are sold again, thrown away, or go back to the customer, who gets nothing for them."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class ReturnShipmentEvent(ShipmentTopic):
    """Of one return, which `number` is the number of."""

    return_shipment_id: UUID
    return_id: UUID
    order_id: UUID
    number: str


class ExpectedLine(_Value):
    return_line_id: UUID
    quantity: Quantity


class ReturnExpected(ReturnShipmentEvent):
    """Goods may come back; answers `order.return_authorised`."""

    type: ClassVar[str] = "shipment.return_expected"

    lines: list[ExpectedLine]


class ReceivedLine(_Value):
    return_line_id: UUID
    quantity: Quantity
    """How much came now."""


class UnexpectedGoods(_Value):
    """Something that came along and is no line of the return. It is noted, and nothing follows from it by itself."""

    description: str
    quantity: Quantity
    note: Personal[str] | None = None


class ShipmentReturned(ReturnShipmentEvent):
    """Goods came back. They are no stock before somebody has looked at them. `complete`: nothing more is expected."""

    type: ClassVar[str] = "shipment.returned"

    lines: list[ReceivedLine]
    unexpected: list[UnexpectedGoods] = []
    complete: bool
    received_at: datetime


class InspectedLine(_Value):
    """So much of what came, and what becomes of it."""

    return_line_id: UUID
    shipment_id: UUID
    """What it left with."""
    line_id: UUID
    """The line of the order."""
    item_id: UUID
    warehouse_id: UUID
    verdict: Verdict
    quantity: Quantity
    note: Personal[str] | None = None
    lots: list[LotQuantity] = []
    """Of a tracked item, which lots or serial numbers it is; of what goes back to the customer, as far as somebody said."""


class ReturnInspected(ReturnShipmentEvent):
    """Goods that came back were looked at: inventory takes in what is kept, and the order has it credited. `complete`: everything was."""

    type: ClassVar[str] = "shipment.return_inspected"

    lines: list[InspectedLine]
    complete: bool
    inspected_at: datetime


class ReceivedInAll(_Value):
    return_line_id: UUID
    quantity: SignedQuantity
    """How much has come; zero is possible."""


class ReturnExpectationEnded(ReturnShipmentEvent):
    """Answers `order.return_cancellation_requested`: nothing more is taken in. `lines` are all, with what had come before."""

    type: ClassVar[str] = "shipment.return_cancelled"

    reason: str
    lines: list[ReceivedInAll]


PUBLISHED: tuple[type[ShipmentTopic], ...] = (
    ReturnExpected,
    ShipmentReturned,
    ReturnInspected,
    ReturnExpectationEnded,
)
