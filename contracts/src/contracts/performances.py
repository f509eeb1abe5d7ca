"""Events of services that were performed for an order, on `order.events`: what is sold of it and never ships."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.orders import OrderEvent
from tailrace.core.values.money import Currency, Minor, Quantity, SignedQuantity


class PerformedLine(BaseModel):
    """How much of an order's line was performed, with the amounts of the whole line, so that each part is valued exactly."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    line_id: UUID
    """The order's line."""
    item_id: UUID
    """The service, of the catalog."""
    sku: str
    name: str
    quantity: Quantity
    """How much was performed, in the item's base unit."""
    line_quantity: Quantity
    """How much the whole line is of."""
    line_net: Minor
    line_tax: Minor
    performed_before: SignedQuantity
    """How much of the line had been performed already."""


class ServicesPerformed(OrderEvent):
    """Services of the order were performed: that is when they are supplied, and revenue and tax are recognised."""

    type: ClassVar[str] = "order.services_performed"

    performance_id: UUID
    number: str
    """What the performance is called: the order's number, and which one of it this is."""
    currency: Currency
    customer_id: UUID | None = None
    lines: list[PerformedLine]
    performed_at: datetime


PUBLISHED: tuple[type[OrderEvent], ...] = (ServicesPerformed,)
