"""Lots: what came in together, or one piece under a serial number. Whatever moves goods that are tracked so says how much of which."""

from datetime import date
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from tailrace.core.values.money import Quantity


class LotQuantity(BaseModel):
    """So much of a lot, in the item's base unit; of a serial number, one."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    lot_id: UUID
    """The lot, of inventory."""
    number: str
    """What the lot is called on the goods."""
    quantity: Quantity
    """How much of it."""
    expires_on: date | None = None
    """The last day, of the company's, on which it may be used; null for what does not expire."""
