"""What lies where and what it cost, first in first out: for the reckoning, which imports nothing of the product."""

from collections import defaultdict
from fractions import Fraction
from typing import Any

from request_ledger import half_up

Place = tuple[str, str]
"""An item and a warehouse."""


class Shelves:
    """Goods by place, in layers as they came."""

    def __init__(self) -> None:
        self._layers: dict[Place, list[list[Any]]] = defaultdict(list)
        self._moved: list[tuple[str, Place, Fraction, int]] = []

    def put(self, place: Place, quantity: Fraction, value: int) -> None:
        """As the youngest there is."""
        self._layers[place].append([quantity, value])

    def take(self, place: Place, wanted: Fraction) -> int:
        """What so much costs, oldest first; the last of a layer takes what is left of its value."""
        cost, layers = 0, self._layers[place]
        while wanted:
            quantity, value = layers[0]
            part = min(wanted, quantity)
            portion = value if part == quantity else half_up(value * part / quantity)
            layers[0] = [quantity - part, value - portion]
            if part == quantity:
                layers.pop(0)
            cost, wanted = cost + portion, wanted - part
        return cost

    def note(self, day: str, place: Place, quantity: Fraction, value: int) -> None:
        """So much more is there from that day on; less, below zero."""
        self._moved.append((day, place, quantity, value))

    def held(self, day: str) -> dict[Place, tuple[Fraction, int]]:
        """Quantity and value by place at the end of a day; what is not there any more is left out."""
        found: dict[Place, tuple[Fraction, int]] = {}
        for at, place, quantity, value in self._moved:
            if at <= day:
                before = found.get(place, (Fraction(0), 0))
                found[place] = (before[0] + quantity, before[1] + value)
        return {place: held for place, held in found.items() if held[0]}
