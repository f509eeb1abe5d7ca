"""Valuation layers: what is issued costs what it came in for, oldest first, to the minor unit.

A part of a layer costs its share of what the layer is still worth, rounded half up; the last part takes the remainder, so that no value is
lost or made. Under the moving average a stock has one layer, which every receipt joins.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.inventory import ConsumedLayer
from tailrace.core.values.money import portion


class UnitCost(BaseModel):
    """What so much cost, in minor units: a unit cost that nothing has rounded."""

    model_config = ConfigDict(frozen=True)

    quantity: Decimal
    value: int


class Layer(BaseModel):
    """What is left of a receipt: a quantity in base units and its value in minor units."""

    model_config = ConfigDict(frozen=True)

    layer_id: UUID
    quantity: Decimal
    value: int

    def cost(self, quantity: Decimal) -> int:
        """What so much of it costs, in minor units."""
        if quantity == self.quantity:
            return self.value
        return portion(self.value, quantity, self.quantity)

    def less(self, taken: ConsumedLayer | None) -> "Layer":
        if taken is None:
            return self
        return self.resized(-taken.quantity, -taken.value)

    def resized(self, quantity: Decimal, value: int) -> "Layer":
        return Layer(layer_id=self.layer_id, quantity=self.quantity + quantity, value=self.value + value)


def pick(layers: Sequence[Layer], quantity: Decimal) -> list[ConsumedLayer]:
    """What an issue of `quantity` takes, oldest layer first; nothing is changed. Raises ValueError when there is not that much."""
    picked: list[ConsumedLayer] = []
    for layer in layers:
        if not quantity:
            break
        part = min(quantity, layer.quantity)
        picked.append(ConsumedLayer(layer_id=layer.layer_id, quantity=part, value=layer.cost(part)))
        quantity -= part
    if quantity:
        raise ValueError(f"the layers lack {quantity}")
    return picked


def after_taking(layers: Sequence[Layer], taken: Iterable[ConsumedLayer]) -> list[Layer]:
    """The layers that are left, empty ones dropped."""
    by_id = {one.layer_id: one for one in taken}
    left = (layer.less(by_id.get(layer.layer_id)) for layer in layers)
    return [layer for layer in left if layer.quantity]


def after_adding(layers: Sequence[Layer], layer_id: UUID, quantity: Decimal, value: int) -> list[Layer]:
    """With a new youngest layer, or with more in the one of that id."""
    if any(layer.layer_id == layer_id for layer in layers):
        return [layer.resized(quantity, value) if layer.layer_id == layer_id else layer for layer in layers]
    return [*layers, Layer(layer_id=layer_id, quantity=quantity, value=value)]
