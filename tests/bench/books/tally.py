"""What the turns of both sides come to: medians, cost of an order, and how many times one the other is."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from measure.arithmetic import summary

OURS, PEER = "Tailrace", "Tryton"
TAKEN = "cores taken by our idle fleet"
"""What a turn of the peer's says `more` of, besides."""
AGAIN, REFUSED = "carried out again", "refused, and asked for again"
"""The peer's requests that met another transaction, in its turns."""


@dataclass(frozen=True)
class Turn:
    """`booked` orders reached the books in `seconds`. `cpu` are CPU seconds by part, and `cpu_orders` the orders that those were spent on: also the
    ones that came before `seconds` began or after they ended. `behind` are the seconds that each order's books were behind."""

    side: str
    booked: int
    seconds: float
    cpu: Mapping[str, float]
    cpu_orders: int
    behind: Sequence[float] = ()
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Orders per second."""
        return self.booked / self.seconds

    @property
    def cost(self) -> dict[str, float]:
        """CPU milliseconds for each order, by part and `together`. Raises ValueError when nothing was sold."""
        if not self.cpu_orders:
            raise ValueError(f"{self.side} sold nothing")
        each = {part: seconds * 1000 / self.cpu_orders for part, seconds in self.cpu.items()}
        return {**each, "together": sum(each.values())}


def undisturbed(rate: float, cores: int, taken: float) -> float:
    """What a rate would have been, had nobody taken `taken` of the cores meanwhile. Raises ValueError when they were all taken."""
    if not 0 <= taken < cores:
        raise ValueError(f"{taken} of {cores} cores cannot have been taken")
    return rate * cores / (cores - taken)


def result(turns: Sequence[Turn], cores: int) -> dict[str, Any]:
    """The medians of each side over its turns, and, when there are both, how many times one the other is. The peer's rate is then what it would have
    been without our idle fleet beside it."""
    sides = {side: own for side in (OURS, PEER) if (own := [turn for turn in turns if turn.side == side])}
    told = {side: _medians(own) for side, own in sides.items()}
    if len(sides) < 2:
        return told
    alone = [undisturbed(turn.rate, cores, turn.more[TAKEN]) for turn in sides[PEER]]
    told[PEER]["orders per second, alone"] = round(statistics.median(alone), 3)
    ours = [turn.rate for turn in sides[OURS]]
    costs = {side: statistics.median(turn.cost["together"] for turn in own) for side, own in sides.items()}
    told["times"] = {
        "orders per second": round(statistics.median(ours) / statistics.median(alone), 1),
        "orders per second, by round": [round(one / other, 1) for one, other in zip(ours, alone, strict=False)],
        "CPU for an order": round(costs[PEER] / costs[OURS], 1),
    }
    return told


def _medians(turns: Sequence[Turn]) -> dict[str, Any]:
    parts = turns[0].cost
    told: dict[str, Any] = {
        "turns": len(turns),
        "orders": sum(turn.booked for turn in turns),
        "orders per second": round(statistics.median(turn.rate for turn in turns), 3),
        "by round": [round(turn.rate, 2) for turn in turns],
        "CPU ms per order": {part: round(statistics.median(turn.cost[part] for turn in turns), 2) for part in parts},
        **{kind: sum(turn.more[kind] for turn in turns) for kind in (AGAIN, REFUSED) if kind in turns[0].more},
    }
    if behind := [seconds for turn in turns for seconds in turn.behind]:
        told["books behind"] = summary(behind)
    return told
