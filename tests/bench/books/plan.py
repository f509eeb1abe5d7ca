"""What is sold, the same by both sides: goods, customers and orders, from a seed alone."""

import random
from dataclasses import asdict, dataclass
from typing import Any

CUSTOMERS = 40
GOODS_EACH = 8
"""Each seller has goods of its own, so that Tryton's, which lock what a good was moved by, do not wait for one another."""
OPENING = 1_000_000
"""Units of each good at the beginning: more than any run ships."""
TAX = "0.1"


@dataclass(frozen=True)
class Good:
    """One unit of it costs `cost` cents, and sells for `price` euros."""

    code: str
    cost: int
    price: str


@dataclass(frozen=True)
class Line:
    """`good` is a position in the plan's goods, `quantity` whole units."""

    good: int
    quantity: int


@dataclass(frozen=True)
class Order:
    """`customer` is a number below `CUSTOMERS`."""

    customer: int
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Plan:
    """`orders` are those of each seller, who begins again after the last."""

    goods: tuple[Good, ...]
    orders: tuple[tuple[Order, ...], ...]

    @classmethod
    def make(cls, seed: int, sellers: int, lines: int, each: int = 500) -> "Plan":
        """`each` orders for every seller, of so many `lines`, each of another good. Raises ValueError for more lines than a seller has goods."""
        if not 1 <= lines <= GOODS_EACH:
            raise ValueError(f"an order has 1 to {GOODS_EACH} lines, not {lines}")
        dice = random.Random(f"{seed}/books")
        goods = tuple(_good(dice, number) for number in range(sellers * GOODS_EACH))
        orders = tuple(tuple(_order(dice, seller, lines) for _ in range(each)) for seller in range(sellers))
        return cls(goods, orders)

    def told(self, seller: int) -> list[dict[str, Any]]:
        """One seller's orders, as JSON."""
        return [asdict(order) for order in self.orders[seller]]


def _good(dice: random.Random, number: int) -> Good:
    cost = dice.randint(300, 9_000)
    return Good(f"GOOD-{number}", cost, f"{cost * 14 // 1000}.{dice.randint(0, 99):02}")


def _order(dice: random.Random, seller: int, lines: int) -> Order:
    first = seller * GOODS_EACH
    goods = dice.sample(range(first, first + GOODS_EACH), lines)
    return Order(dice.randrange(CUSTOMERS), tuple(Line(good, dice.randint(1, 9)) for good in goods))
