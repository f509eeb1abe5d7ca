"""How much of a prepayment invoice was received, rate by rate, and which tax is due on that."""

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from tailrace.core.values.taxes import by_largest_remainder

if TYPE_CHECKING:
    from accounting.invoices.models import Invoice


def spread(amount: int, rooms: Sequence[int]) -> list[int]:
    """An amount in whole units, as the rooms are to one another; none takes more than its room, as long as there is room for all."""
    whole = sum(rooms)
    assert 0 <= amount <= whole, "there is room for all of it"
    return (
        by_largest_remainder(amount, [Fraction(amount * room, whole) for room in rooms]) if whole else [0] * len(rooms)
    )


def taxes_due(prepayment: "Invoice") -> int:
    """The tax on what was received and no invoice has deducted; nothing where tax is due when goods leave."""
    if not prepayment.taxed_when_received:
        return 0
    return sum(line.tax_of(line.received) - line.tax_of(line.deducted) for line in prepayment.lines)


def keep_received(prepayment: "Invoice") -> None:
    """Let the lines have received what is paid: more goes to what is left of each, less is taken from what is not deducted.

    What was deducted stays received, also when the bank takes the payment back: the supply owes its tax by then, and the prepayment is open again.
    """
    lines = prepayment.lines
    wanted = max(prepayment.paid, sum(line.deducted for line in lines))
    there = sum(line.received for line in lines)
    if wanted >= there:
        rooms = [line.gross - line.credited_net - line.credited_tax - line.received for line in lines]
        changes = spread(wanted - there, rooms)
    else:
        changes = [-each for each in spread(there - wanted, [line.received - line.deducted for line in lines])]
    for line, change in zip(lines, changes, strict=True):
        line.received += change
