"""What left without being in the books: each part of an issue that no layer covered stays open, at an estimated cost, until goods come in for it.

The estimate is the last cost known here; the oldest shortfall is covered first. What is covered bit by bit takes its share of the estimate, rounded
half up, and the last bit takes the remainder, as layers do: estimates and corrections add up to what the goods cost.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.inventory import Provisional, StockCostSettled, StockIssued
from inventory.layers import UnitCost
from tailrace.core.ids import uuid7
from tailrace.core.values.money import portion


class Shortfall(BaseModel):
    """What is still uncovered of an issue, in base units, its estimate in minor units, and what the issue was for."""

    model_config = ConfigDict(frozen=True)

    shortfall_id: UUID
    quantity: Decimal
    value: int
    reason: Literal["shipment", "consumption", "scrap"]
    line_id: UUID | None = None
    order_id: UUID | None = None
    shipment_id: UUID | None = None
    reference: str | None = None
    effective_at: datetime

    def estimate(self, quantity: Decimal) -> int:
        """What was booked for so much of it."""
        return self.value if quantity == self.quantity else portion(self.value, quantity, self.quantity)


def estimated(quantity: Decimal, last_cost: UnitCost | None) -> Provisional:
    """The provisional part of an issue: at the last cost, or at zero where nothing ever came in."""
    if last_cost is None:
        return Provisional(shortfall_id=uuid7(), quantity=quantity, value=0, basis="unknown")
    value = portion(last_cost.value, quantity, last_cost.quantity)
    return Provisional(shortfall_id=uuid7(), quantity=quantity, value=value, basis="last_cost")


def opened(event: StockIssued, part: Provisional) -> Shortfall:
    """What an issue leaves to be covered."""
    story = event.model_dump(include={"reason", "line_id", "order_id", "shipment_id", "reference", "effective_at"})
    return Shortfall(shortfall_id=part.shortfall_id, quantity=part.quantity, value=part.value, **story)


def after_covering(shortfalls: Sequence[Shortfall], settled: StockCostSettled) -> list[Shortfall]:
    """What is still open, the covered ones dropped."""
    return [left for one in shortfalls if (left := _less(one, settled)).quantity]


def _less(one: Shortfall, settled: StockCostSettled) -> Shortfall:
    if one.shortfall_id != settled.shortfall_id:
        return one
    return one.model_copy(
        update={"quantity": one.quantity - settled.quantity, "value": one.value - settled.provisional}
    )
