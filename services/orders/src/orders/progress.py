"""How far an order has got, in goods or in money."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from contracts.orders import Progress

Short = Literal["stop", "wait", "cancel"]
"""What becomes of what is not in stock: it stops until somebody asks again, waits for goods as a back-order, or is given up."""


def progress(pairs: Iterable[tuple[Decimal, Decimal]]) -> Progress:
    """How far (done, wanted) pairs have got in all."""
    known = list(pairs)
    if all(done >= wanted for done, wanted in known):
        return "full"
    return "partial" if any(done > 0 for done, _ in known) else "none"


def progress_of(done: int, wanted: int) -> Progress:
    """How far an amount has got; nothing is done of nothing."""
    if done <= 0:
        return "none"
    return "full" if done >= wanted else "partial"
