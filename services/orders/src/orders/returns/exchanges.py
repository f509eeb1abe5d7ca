"""What is supplied for what was taken back: an order of the same goods and services at the price that was agreed, once for each return."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from orders.commands import next_number
from orders.credit import commands as credit
from orders.customers import by_now
from orders.lines import OrderLine
from orders.models import NOTHING, Order
from orders.pricing import taxed_as_today
from orders.projections import ItemCopy, TaxCodeCopy, TaxPolicyCopy, WarehouseCopy, days, settings
from orders.returns.lines import ReturnLine
from orders.returns.models import Return
from tailrace.core import clock
from tailrace.core.ids import uuid7
from tailrace.core.values.money import portion
from tailrace.core.values.taxes import Levy, in_force, tax_lines
from tailrace.db.database import Tx
from tailrace.messaging.replica import Replica, by_code, by_ids

_TERMS = (
    "customer_reference",
    "customer_name",
    "customer_id",
    "owner_id",
    "owner_name",
    "currency",
    "ship_to",
    "payment_terms_days",
    "custom_fields",
)


async def finish(tx: Tx, of: Return) -> None:
    """Order what is to be sent instead, when everything was looked at; and close the return when nothing is left to do.

    The order is confirmed where all of it can still leave, is taxed today as it was, and the customer may owe it; it is a draft for somebody to look
    at, or waits, where not.
    """
    if of.to_exchange:
        order, may_leave = await _drafted(tx, of)
        # Before anything is written: the return's last event stands for this, too.
        of.exchange_order_id, of.exchange_order_number = order.id, order.number
        tx.add(order)
        if may_leave and await taxed_as_today(tx, order.lines):
            await credit.confirm_new(tx, order)
    if of.settled:
        of.close()


async def _drafted(tx: Tx, of: Return) -> tuple[Order, bool]:
    """The new order, and whether all of it can still leave."""
    # The return is in reach of the one who acts; its order may have stayed with one who sold it and left.
    with tx.seeing_all():
        before = await tx.find(Order, of.order_id)
    lines = await _lines(tx, before, of.to_exchange)
    terms = {name: getattr(before, name) for name in _TERMS}
    terms["customer_id"] = await by_now(tx, before.customer_id)
    may = (await settings.effective(tx)).shipping.in_parts
    terms["partial_allowed"] = before.partial_allowed and may is not False
    terms |= {"owner_id": of.owner_id, "owner_name": of.owner_name, "ordered_at": clock.now(), "requested_date": None}
    terms |= {"quote_id": None, "quote_number": None, "quote_revision": None, "reservation_expires_in_seconds": None}
    order = Order.drafted(await next_number(tx), lines, terms)
    items = await by_ids(tx, ItemCopy, {line.item_id for line in lines})
    warehouses = await by_ids(tx, WarehouseCopy, {line.warehouse_id for line in lines})
    copies: list[Replica] = [*items.values(), *warehouses.values()]
    return order, all(each.active for each in copies)


async def _lines(tx: Tx, before: Order, wanted: Sequence[ReturnLine]) -> list[OrderLine]:
    """So much of the former lines, each once, at their price and rate; the tax is rounded as the company does today."""
    quantities: dict[UUID, Decimal] = {}
    for each in wanted:
        quantities[each.line_id] = quantities.get(each.line_id, NOTHING) + each.accepted
    old = [line for line in before.lines if line.id in quantities]
    nets = [portion(line.net, quantities[line.id], line.quantity) for line in old]
    levies = await _levies(tx, old)
    taxes = tax_lines(list(zip(nets, levies, strict=True)))
    same = ("item_id", "sku", "name", "kind", "warehouse_id", "unit", "decimals", "unit_price", "tax_code", "tax_rate")
    return [
        OrderLine(
            id=uuid7(),
            position=position,
            quantity=quantities[line.id],
            price_list_id=None,
            net=net,
            tax=tax,
            allocated=NOTHING,
            shipped=NOTHING,
            backordered=NOTHING,
            cancelled=NOTHING,
            **{name: getattr(line, name) for name in same},
        )
        for position, (line, net, tax) in enumerate(zip(old, nets, taxes, strict=True), 1)
    ]


async def _levies(tx: Tx, lines: Sequence[OrderLine]) -> list[Levy]:
    """The rates that were agreed, each rounded as its tax code says by now, or the company."""
    today = await days.today(tx)
    codes = await by_code(tx, TaxCodeCopy, {line.tax_code for line in lines if line.tax_code is not None})
    policy = await tx.scalar(select(TaxPolicyCopy))
    company = None if policy is None else in_force(policy.roundings, today)
    levies = []
    for line in lines:
        own = in_force(codes[line.tax_code].roundings, today) if line.tax_code in codes else None
        said = own or company
        rounding = {} if said is None else {"level": said["level"], "mode": said["mode"]}
        levies.append(Levy(line.tax_code, line.tax_rate, **rounding))
    return levies
