"""What of an order can still be asked for ahead: what is to leave, less what invoices and prepayments ask for."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from sqlalchemy import Select, case, func, select

from accounting.invoices.copies import OrderCopy, OrderRestCopy
from accounting.invoices.lines import InvoiceLine
from accounting.invoices.models import Invoice
from accounting.invoices.prepaid import spread
from accounting.settlements.models import ReturnSettlement, UnbilledReturn
from tailrace.core.values.money import share
from tailrace.db.database import Tx
from tailrace.messaging.replica import by_ids
from tailrace.pricing.tax_codes import Rate


async def rooms_of(tx: Tx, order: OrderCopy) -> Mapping[Rate, int]:
    """By rate, what is neither asked for ahead nor invoiced, tax included; of the order, which is locked."""
    rooms = await _balance(tx, order)
    left, open_ = max(sum(rooms.values()), 0), {key: room for key, room in rooms.items() if room > 0}
    # At a rate that the order has no more, since it was changed, more may be asked for than there is: so much less is left of the others.
    return dict(zip(open_, spread(left, list(open_.values())), strict=True)) if left < sum(open_.values()) else open_


async def left_of(tx: Tx, order: OrderCopy) -> int:
    """The same in all; below zero, more is asked for than is to leave."""
    return sum((await _balance(tx, order)).values())


async def _balance(tx: Tx, order: OrderCopy) -> dict[Rate, int]:
    """By rate, what is to leave less what is asked for. What an invoice deducted counts once, and what came back is not sold again by the order."""
    rooms: dict[Rate, int] = defaultdict(int)
    rates = {each["line_id"]: (Decimal(each["tax_rate"]), each.get("tax_code")) for each in order.lines}
    given_up = await _given_up(tx, order)
    for each in order.lines:
        quantity = Decimal(each["quantity"])
        wanted = quantity - given_up.get(each["line_id"], Decimal(0))
        rooms[rates[each["line_id"]]] += sum(share(each[name], Decimal(0), wanted, quantity) for name in ("net", "tax"))
    for rate, code, amount in await tx.execute(_asked_for(order)):
        rooms[rate, code] -= int(amount)
    back = (
        select(UnbilledReturn.line_id, func.sum(UnbilledReturn.net + UnbilledReturn.tax))
        .join(ReturnSettlement, ReturnSettlement.id == UnbilledReturn.settlement_id)
        .where(ReturnSettlement.order_id == order.id)
        .group_by(UnbilledReturn.line_id)
    )
    for line_id, amount in await tx.execute(back):
        if str(line_id) in rates:
            rooms[rates[str(line_id)]] -= int(amount)
    return rooms


def _asked_for(order: OrderCopy) -> Select[Decimal, str | None, int]:
    """By rate, what prepayments ask for and no invoice deducted, and what invoices of goods ask for, whether they were credited or not."""
    asked = InvoiceLine.net + InvoiceLine.tax - InvoiceLine.deducted
    taken_back = InvoiceLine.credited_net + InvoiceLine.credited_tax
    amount = func.sum(asked - case((Invoice.kind == "prepayment", taken_back), else_=0))
    return (
        select(InvoiceLine.tax_rate, InvoiceLine.tax_code, amount)
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where(Invoice.status != "cancelled", (InvoiceLine.order_id == order.id) | (Invoice.order_id == order.id))
        .group_by(InvoiceLine.tax_rate, InvoiceLine.tax_code)
    )


async def _given_up(tx: Tx, order: OrderCopy) -> Mapping[str, Decimal]:
    """By line, how much of it is not wanted any more."""
    rest = (await by_ids(tx, OrderRestCopy, [order.id])).get(order.id)
    if rest is None or not rest.active:
        return {}
    return {each["line_id"]: Decimal(each["quantity"]) for each in rest.lines}
