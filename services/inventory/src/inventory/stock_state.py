"""What the events of a stock add up to: layers, what is reserved, shortfalls, and for a tracked item the same by lot."""

from decimal import Decimal

from pydantic import BaseModel

from inventory.by_lot import NOTHING, LotState
from inventory.layers import Layer, UnitCost
from inventory.shortfalls import Shortfall


class StockState(BaseModel):
    """Open layers, oldest first, the part of their quantity that is reserved, and the shortfalls, oldest first too.

    `last_cost` is what the youngest layer came in for; under the moving average, what its one layer was worth then.
    """

    currency: str | None = None
    layers: list[Layer] = []
    reserved: Decimal = NOTHING
    shortfalls: list[Shortfall] = []
    last_cost: UnitCost | None = None
    lots: list[LotState] = []
    """Of a tracked item, what lies here by lot: together as much as the layers; empty for any other."""

    @property
    def on_hand(self) -> Decimal:
        """What the books have, below zero while more left than came in."""
        return self.in_layers - self.provisional

    @property
    def provisional(self) -> Decimal:
        return sum((one.quantity for one in self.shortfalls), NOTHING)

    @property
    def value(self) -> int:
        return sum(layer.value for layer in self.layers) - sum(one.value for one in self.shortfalls)

    @property
    def free(self) -> Decimal:
        """What can be promised or taken; nothing while there is a shortfall."""
        return self.in_layers - self.reserved

    @property
    def valued_in(self) -> str | None:
        """The currency, once something came in: until then it is the guess of an issue whose cost is unknown."""
        return self.currency if self.last_cost is not None else None

    @property
    def in_layers(self) -> Decimal:
        return sum((layer.quantity for layer in self.layers), NOTHING)
