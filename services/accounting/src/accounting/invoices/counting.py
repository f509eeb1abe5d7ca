"""How finely lines are counted: what was ordered as it was then, what the invoice itself sells as its unit is, where the company has that unit."""

from collections.abc import Collection, Sequence

from accounting.invoices.bodies import CreditLine, NewInvoiceLine
from accounting.invoices.copies import OrderCopy, UnitCopy
from accounting.invoices.lines import InvoiceLine
from accounting.invoices.models import Invoice
from tailrace.core.values.money import plain_decimal
from tailrace.core.values.units import MOST_DECIMALS, check_decimals
from tailrace.db.database import Tx
from tailrace.messaging.replica import by_code, by_ids


async def check_own(tx: Tx, asked: Sequence[NewInvoiceLine]) -> None:
    """What the invoice itself sells can be counted in its unit. Raises Inexact, which names the line.

    A unit that the company has not is a word, and counts as finely as any quantity.
    """
    decimals = await _decimals(tx, {each.unit for each in asked if each.unit is not None})
    for at, each in enumerate(asked):
        if each.unit is not None:
            check_decimals(each.quantity, each.unit, decimals.get(each.unit, MOST_DECIMALS), f"/lines/{at}/quantity")


async def check_credited(tx: Tx, invoice: Invoice, asked: Sequence[CreditLine]) -> None:
    """What comes back can be counted in its unit, as finely as it was when it was sold. Raises Inexact, which names the line."""
    lines = {line.id: line for line in invoice.lines}
    orders = await by_ids(tx, OrderCopy, {line.order_id for line in invoice.lines if line.order_id is not None})
    ordered = {
        each["line_id"]: each.get("decimals", MOST_DECIMALS) for order in orders.values() for each in order.lines
    }
    units = await _decimals(tx, {line.unit for line in invoice.lines if line.own and line.unit is not None})
    for at, each in enumerate(asked):
        line = lines.get(each.line_id)
        if each.quantity is None or line is None:
            continue
        if line.order_line_id is not None:
            finest = ordered.get(str(line.order_line_id), MOST_DECIMALS)
        else:
            # The unit may be a coarser one by now.
            finest = max(units.get(line.unit or "", MOST_DECIMALS), _decimals_of(line))
        check_decimals(each.quantity, line.unit or line.name, finest, f"/lines/{at}/quantity")


async def _decimals(tx: Tx, codes: Collection[str]) -> dict[str, int]:
    """By code, of the units in use."""
    return {code: unit.decimals for code, unit in (await by_code(tx, UnitCopy, codes)).items() if unit.active}


def _decimals_of(line: InvoiceLine) -> int:
    return len(plain_decimal(line.quantity).partition(".")[2])
