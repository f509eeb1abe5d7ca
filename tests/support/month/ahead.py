"""What was asked for ahead, by rate: how much came in, how much invoices deducted, and which tax is due on that.

In the European Union tax is due on what is received (Directive 2006/112/EC, article 65), so the tax in it is; in Japan it is due when goods are
handed over, and on nothing before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from request_ledger import half_up

from month.sums import largest


@dataclass
class Line:
    """Of one rate. All amounts hold their tax."""

    rate: str
    gross: int
    tax: int
    received: int = 0
    deducted: int = 0
    credited: int = 0

    def tax_in(self, amount: int) -> int:
        return half_up(Fraction(self.tax * amount, self.gross))


class Prepayment:
    """What an order was asked for ahead."""

    def __init__(self, order: str, lines: Sequence[tuple[str, int, int]], taxes_receipts: bool) -> None:
        self.order = order
        self.lines = [Line(*each) for each in lines]
        self._taxes_receipts = taxes_receipts

    @property
    def deducted(self) -> int:
        return sum(line.deducted for line in self.lines)

    @property
    def tax_due(self) -> int:
        """On what came in and was not deducted."""
        if not self._taxes_receipts:
            return 0
        return sum(line.tax_in(line.received) - line.tax_in(line.deducted) for line in self.lines)

    def keep(self, paid: int) -> None:
        """So much is paid of it by now. What was deducted stays received: its tax is owed for the goods by then."""
        more = max(paid, self.deducted) - sum(line.received for line in self.lines)
        rooms = [
            line.gross - line.credited - line.received if more > 0 else line.received - line.deducted
            for line in self.lines
        ]
        for line, part in zip(self.lines, _spread(abs(more), rooms), strict=True):
            line.received += part if more > 0 else -part


def divided(amount: int, rooms: Mapping[str, int]) -> list[tuple[str, int, int]]:
    """An amount, tax included, by rate as there is room: the rate, the part, and the tax in it."""
    parts = _spread(amount, list(rooms.values()))
    return [
        (rate, part, half_up(part * Fraction(rate) / (1 + Fraction(rate))))
        for rate, part in zip(rooms, parts, strict=True)
        if part
    ]


def _spread(amount: int, rooms: Sequence[int]) -> list[int]:
    whole = sum(rooms)
    return largest(amount, [Fraction(amount * room, whole) for room in rooms]) if whole else [0] * len(rooms)
