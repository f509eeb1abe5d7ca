"""What books and shelves must say at the end of any day, from the log of accepted requests alone: it imports nothing of the product.

Beside receivables, revenue, tax and cash (`request_ledger`) it reckons what orders cost, from quantities, prices and rates, and what stock is worth,
first in first out.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import floor
from typing import Any

from request_ledger import Log, RequestLedger, half_up

Place = tuple[str, str]
"""An item and a warehouse."""


class MonthLedger(RequestLedger):
    """Reads the log of one company from its beginning to its end."""

    def __init__(self, log: Log) -> None:
        self._layers: dict[Place, list[list[Any]]] = defaultdict(list)
        self._moved: list[tuple[str, Place, Fraction, int]] = []
        super().__init__(log)

    def stock(self, day: str) -> dict[Place, tuple[Fraction, int]]:
        """Quantity and value by place at the end of a day; what is not there any more is left out."""
        found: dict[Place, tuple[Fraction, int]] = {}
        for at, place, quantity, value in self._moved:
            if at <= day:
                before = found.get(place, (Fraction(0), 0))
                found[place] = (before[0] + quantity, before[1] + value)
        return {place: held for place, held in found.items() if held[0]}

    def _ordered(self, said: Mapping[str, Any]) -> None:
        """`lines` as they were asked for: quantity, price of one in minor units, rate of tax."""
        nets = [half_up(Fraction(line["quantity"]) * Fraction(line["unit_price"])) for line in said["lines"]]
        taxes = taxed(nets, [Fraction(line["rate"]) for line in said["lines"]])
        lines = [{**line, "net": net, "tax": tax} for line, net, tax in zip(said["lines"], nets, taxes, strict=True)]
        super()._ordered({**said, "lines": lines})

    def total(self, order: str) -> tuple[int, int]:
        """Net and tax of an order."""
        lines = self._orders[order]["lines"]
        return sum(line["net"] for line in lines), sum(line["tax"] for line in lines)

    def _cancelled(self, said: Mapping[str, Any]) -> None:
        """Nothing of it had left."""

    def _received(self, said: Mapping[str, Any]) -> None:
        place, quantity = (said["item"], said["warehouse"]), Fraction(said["quantity"])
        self._layers[place].append([quantity, said["value"]])
        owed = {"opening": "equity", "purchase": "supplied"}[said["reason"]]
        self._stock(said, place, quantity, said["value"], owed)

    def _counted(self, said: Mapping[str, Any]) -> None:
        """Less was there than in the books."""
        place, quantity = (said["item"], said["warehouse"]), Fraction(said["missing"])
        self._stock(said, place, -quantity, -self._take(place, quantity), "differences")

    def _used(self, said: Mapping[str, Any]) -> None:
        place, quantity = (said["item"], said["warehouse"]), Fraction(said["quantity"])
        self._stock(said, place, -quantity, -self._take(place, quantity), "usage")

    def _shipped(self, said: Mapping[str, Any]) -> None:
        super()._shipped(said)
        for line, part in zip(self._orders[said["order"]]["lines"], said["quantities"], strict=True):
            place, quantity = (line["item"], line["warehouse"]), Fraction(part)
            if quantity:
                self._stock(said, place, -quantity, -self._take(place, quantity), "cost")

    def _stock(self, said: Mapping[str, Any], place: Place, quantity: Fraction, value: int, against: str) -> None:
        self._moved.append((said["day"], place, quantity, value))
        self._move(said["day"], said["currency"], stock=value, **{against: -value})

    def _take(self, place: Place, wanted: Fraction) -> int:
        """What so much costs, oldest first; the last of a layer takes what is left of its value."""
        cost, layers = 0, self._layers[place]
        while wanted:
            quantity, value = layers[0]
            part = min(wanted, quantity)
            share = value if part == quantity else half_up(value * part / quantity)
            layers[0] = [quantity - part, value - share]
            if part == quantity:
                layers.pop(0)
            cost, wanted = cost + share, wanted - part
        return cost


def taxed(nets: Sequence[int], rates: Sequence[Fraction]) -> list[int]:
    """The tax of each line: of a rate, rounded once, half up; what the whole numbers leave goes to the largest fractions first."""
    taxes = [floor(net * rate) for net, rate in zip(nets, rates, strict=True)]
    for rate in set(rates):
        alike = [at for at, each in enumerate(rates) if each == rate]
        left = half_up(rate * sum(nets[at] for at in alike)) - sum(taxes[at] for at in alike)
        by_fraction = sorted(alike, key=lambda at: (taxes[at] - nets[at] * rate, at))
        for at in by_fraction[:left]:
            taxes[at] += 1
    return taxes
