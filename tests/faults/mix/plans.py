"""What the companies are going to do, from the seed alone: the same seed and size give the same jobs, whatever happens to them."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

OPENING = 1_000_000
"""Units of each good that each warehouse begins with: more than any run ships, so that nothing falls short unless it is meant to."""


@dataclass(frozen=True)
class Good:
    """An item: what one unit costs and sells for in minor units. One cost for ever, so that a stock's value follows from its quantity."""

    sku: str
    cost: int
    price: str
    tax: str
    valuation: str


@dataclass(frozen=True)
class Firm:
    slug: str
    currency: str
    goods: tuple[Good, ...]
    warehouses: tuple[str, ...] = ("NORTH", "SOUTH")
    people: tuple[str, ...] = ("ada", "ben", "cleo")


@dataclass(frozen=True)
class Line:
    """Positions of a good and a warehouse in the firm's own lists, and whole units."""

    good: int
    warehouse: int
    quantity: int


@dataclass(frozen=True)
class Job:
    """One thing that somebody of a firm does from its beginning to its end. `number` names it in every key it sends."""

    number: int
    firm: int
    fate: str
    lines: tuple[Line, ...]
    chance: float
    """Between 0 and 1, for whatever the fate still leaves open."""

    @property
    def least(self) -> int:
        """How many events it leads to, at the least."""
        base, each = _FACTS[self.fate]
        return base + each * len(self.lines)


# Fate: how often, and how many events it makes at the least, as a base and for each line.
_FATES: dict[str, tuple[int, int, int]] = {
    "whole": (46, 12, 3),
    "parts": (11, 16, 3),
    "rest stays": (4, 14, 1),
    "rest cancelled": (3, 16, 1),
    "held for a while": (5, 14, 3),
    "left on hold": (2, 8, 1),
    "cancelled at once": (4, 3, 0),
    "cancelled late": (3, 10, 2),
    "cancelled while leaving": (3, 10, 2),
    "draft": (2, 1, 0),
    "dropped": (1, 2, 0),
    "changed": (4, 13, 3),
    "picked": (3, 14, 3),
    "novelty": (2, 20, 0),
    "short": (1, 6, 0),
    "receipt": (6, 2, 0),
    "adjustment": (5, 2, 0),
    "transfer": (4, 2, 0),
    "given back": (2, 4, 0),
    "expiring": (2, 4, 0),
    "renamed": (2, 1, 0),
}
_FACTS = {fate: (base, each) for fate, (_, base, each) in _FATES.items()} | {"probe": (12, 3)}
PROBES = 1_000_000
"""The numbers of jobs that look whether everything works again begin here."""


def firms(seed: int, count: int) -> list[Firm]:
    dice = random.Random(f"{seed}/firms")
    return [_firm(dice, f"mix-{seed}-{number}", ("EUR", "JPY", "USD")[number % 3]) for number in range(count)]


def jobs(seed: int, firms: Sequence[Firm], events: int) -> list[Job]:
    """Enough of them that at least so many events follow."""
    dice = random.Random(f"{seed}/jobs")
    planned: list[Job] = []
    while events > 0:
        planned.append(job := _job(dice, firms, len(planned)))
        events -= job.least
    return planned


def probes(seed: int, firms: Sequence[Firm]) -> Iterator[Job]:
    """Small orders without end."""
    dice = random.Random(f"{seed}/probes")
    number = PROBES
    while True:
        firm = number % len(firms)
        yield Job(number, firm, "probe", _lines(dice, firms[firm], 1), dice.random())
        number += 1


def _firm(dice: random.Random, slug: str, currency: str) -> Firm:
    goods = tuple(
        Good(
            sku=f"GOOD-{number}",
            cost=(cost := dice.randint(3, 9_000)),
            price=f"{cost * 1.4 + dice.randint(0, 999) / 1000:.3f}",
            tax=dice.choice(["0", "0.04", "0.1", "0.19"]),
            valuation=dice.choice(["fifo", "moving_average"]),
        )
        for number in range(6)
    )
    return Firm(slug, currency, goods)


def _job(dice: random.Random, firms: Sequence[Firm], number: int) -> Job:
    fate = dice.choices(list(_FATES), [often for often, _, _ in _FATES.values()])[0]
    firm = dice.randrange(len(firms))
    return Job(number, firm, fate, _lines(dice, firms[firm], dice.choice([1, 1, 2, 2, 3, 4])), dice.random())


def _lines(dice: random.Random, firm: Firm, count: int) -> tuple[Line, ...]:
    """Each of another place, so that a line and a movement of stock are the same thing."""
    places = [(good, warehouse) for good in range(len(firm.goods)) for warehouse in range(len(firm.warehouses))]
    return tuple(Line(good, warehouse, dice.randint(2, 40)) for good, warehouse in dice.sample(places, count))
