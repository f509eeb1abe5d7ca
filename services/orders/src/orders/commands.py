"""What people may do with an order. What it leads to elsewhere follows from the events that this records."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from orders.bodies import Confirmation, NewOrder, OrderTerms, Performance, PerformedQuantity
from orders.credit import commands as credit
from orders.customers import buyer, by_now, list_of
from orders.lines import OrderLine
from orders.models import Order
from orders.pricing import differences, price_lines, quote
from orders.projections import CustomerCopy, dates, days, settings
from orders.refusals import BoundByQuote, MoreThanOrdered, NothingToPerform, PriceChanged
from orders.templates import completed
from orders.timers import handover
from tailrace.core import clock
from tailrace.core.errors import Invalid
from tailrace.core.values.money import plain_decimal
from tailrace.core.values.plausible import Bounds, checked_day
from tailrace.core.values.postal import stated_address
from tailrace.core.values.units import check_decimals
from tailrace.db.database import Tx
from tailrace.db.numbers import Numbers

NUMBERS = Numbers("order", "SO-{number:06}")
ORDERED = Bounds.of_years(50)
"""Orders are taken over from other systems, and nothing is booked on the day that they carry."""
PERFORMED = Bounds.of_years(1)
"""As with goods, which leave on the day that they are booked on."""
_LATEST_WISH = timedelta(days=3653)
"""How long after the order goods may be wanted."""


async def create(tx: Tx, asked: NewOrder) -> Order:
    """Draft an order, and confirm it at once when asked to, or hold it for credit. Raises Invalid (422), NotYetKnown (409), PriceChanged (409)."""
    customer = None if asked.customer_id is None else await buyer(tx, asked.customer_id)
    terms, day = await _terms(tx, asked, customer, clock.now())
    if asked.confirm:
        # Whenever it was ordered, it binds today.
        day = await days.today(tx)
    rep = None if customer is None else customer.sales_rep_id
    owner = await handover.owner_of_new(tx, asked.owner_id, rep, tx.context.user_id, field="/owner_id")
    terms |= {"owner_id": owner.id, "owner_name": owner.name}
    lines = await price_lines(tx, asked.lines, asked.currency, list_of(customer, asked.currency), day)
    order = Order.drafted(await next_number(tx), lines, terms)
    if asked.expected_total not in {None, order.total}:
        raise PriceChanged(order.net, order.tax, expected=asked.expected_total)
    if asked.confirm:
        await credit.confirm_new(tx, order)
    tx.add(order)
    return order


async def replace(tx: Tx, order_id: UUID, match: int | None, asked: OrderTerms) -> Order:
    """Replace a draft, or what is held for credit, which is a draft then. Raises NotADraft (409), Invalid (422), NotYetKnown (409)."""
    order = await tx.load(Order, order_id, match)
    order.after("changed")
    if order.quote_id is not None:
        raise BoundByQuote(order.number, order.quote_number)
    customer = None if asked.customer_id is None else await buyer(tx, asked.customer_id)
    terms, day = await _terms(tx, asked, customer, order.ordered_at)
    if asked.owner_id is not None and asked.owner_id != order.owner_id:
        owner = await handover.owner_of_new(tx, asked.owner_id, field="/owner_id")
        terms |= {"owner_id": owner.id, "owner_name": owner.name}
    lines = await price_lines(tx, asked.lines, asked.currency, list_of(customer, asked.currency), day)
    order.end_credit_hold("It was changed.")
    order.change(lines, terms)
    return order


async def confirm(tx: Tx, order_id: UUID, match: int | None, asked: Confirmation) -> Order:
    """Make a draft, or what is held for credit, binding at what it costs today; its fulfilment begins. Beyond the customer's credit, it is held.

    What was quoted costs what was quoted, since its lines name no list; it is taxed at the rates of today all the same.

    Raises NotADraft, PriceChanged unless it may be repriced, and comes to the total that was expected, NotYetKnown, and Invalid for what went out of
    use since it was drafted.
    """
    order = await credit.load(tx, order_id, match)
    order.after("confirmed")
    # It binds the customer that the drafted one was merged into since.
    order.belong_to(await by_now(tx, order.customer_id))
    quotes = await quote(tx, order.lines, order.currency, await days.today(tx))
    changes = differences(order.lines, quotes)
    net, tax = sum(one.net for one in quotes), sum(one.tax for one in quotes)
    if (changes and not asked.reprice) or asked.expected_total not in {None, net + tax}:
        raise PriceChanged(net, tax, changes, expected=asked.expected_total)
    if changes:
        order.end_credit_hold("Its price changed.")
        order.reprice(quotes)
    await credit.confirm(tx, order)
    return order


async def hold(tx: Tx, order_id: UUID, match: int | None, reason: str) -> Order:
    """Let nothing of a confirmed order be allocated or shipped until it is resumed. Raises NotConfirmed, AlreadyShipped."""
    order = await tx.load(Order, order_id, match)
    order.hold(reason)
    return order


async def resume(tx: Tx, order_id: UUID, match: int | None) -> Order:
    """Go on with an order on hold. Raises NotOnHold."""
    order = await tx.load(Order, order_id, match)
    order.resume()
    return order


async def cancel(tx: Tx, order_id: UUID, match: int | None, reason: str) -> Order:
    """Cancel what has not left; where that is services alone, and something was supplied, the order stands.

    Raises AlreadyCancelled, AlreadyShipped.
    """
    order = await tx.load(Order, order_id, match)
    order.after("cancelled")
    order.end_credit_hold("It was cancelled.")
    order.cancel(reason)
    return order


async def delete(tx: Tx, order_id: UUID, match: int | None) -> None:
    """Drop a draft: it is kept, cancelled. Raises NotADraft."""
    order = await tx.load(Order, order_id, match)
    order.after("deleted")
    order.cancel("The draft was deleted.")


async def reopen(tx: Tx, order_id: UUID, match: int | None, reason: str) -> Order:
    """Take a confirmed order back, to change it. Raises NotConfirmed, PartlyShipped, OrderInvoiced, BoundByQuote."""
    order = await tx.load(Order, order_id, match)
    if order.quote_id is not None:
        raise BoundByQuote(order.number, order.quote_number)
    order.reopen(reason)
    return order


async def allocate(tx: Tx, order_id: UUID, match: int | None) -> Order:
    """Try once more to reserve what is open. Raises NotConfirmed, AllocationUnderWay, NothingToAllocate."""
    order = await tx.load(Order, order_id, match)
    order.allocate()
    return order


async def perform(tx: Tx, order_id: UUID, match: int | None, asked: Performance) -> Order:
    """Note that services were performed: those that are said, or all that are open.

    Raises NotConfirmed, NothingToPerform, MoreThanOrdered, Invalid, Inexact, Implausible.
    """
    order = await tx.load(Order, order_id, match)
    order.after("performed")
    at = await dates.moment(tx, "movement", PERFORMED, asked.performed_at, "/performed_at")
    ordered_on = await days.day_of(tx, order.ordered_at)
    if await days.day_of(tx, at) < ordered_on:
        raise Invalid.field("/performed_at", f"This is before {ordered_on}, the day of order {order.number}.")
    wanted = [(line, line.unperformed) for line in order.open_services()]
    if not wanted:
        raise NothingToPerform(order.number)
    order.perform(wanted if asked.lines is None else _performed(order, asked.lines), at)
    return order


def _performed(order: Order, asked: Sequence[PerformedQuantity]) -> list[tuple[OrderLine, Decimal]]:
    """The lines that are named, each once and a service, with no more than is open of it."""
    lines, found = {line.id: line for line in order.lines}, dict[UUID, tuple[OrderLine, Decimal]]()
    for place, each in enumerate(asked):
        at, line = f"/lines/{place}", lines.get(each.line_id)
        if line is None:
            raise Invalid.field(f"{at}/line_id", f"Order {order.number} has no line {each.line_id}.")
        if line.ships:
            raise Invalid.field(f"{at}/line_id", f"{line.sku} is no service: it ships.")
        if line.id in found:
            raise Invalid.field(f"{at}/line_id", "This line is named twice.")
        check_decimals(each.quantity, line.unit, line.decimals, f"{at}/quantity")
        if each.quantity > line.unperformed:
            left = plain_decimal(line.unperformed)
            raise MoreThanOrdered(f"{left} of {line.sku} is still to be performed.", field=f"{at}/quantity")
        found[line.id] = line, each.quantity
    return list(found.values())


async def next_number(tx: Tx) -> str:
    """The next one in the company's form; all forms count on in one series. One that another form has written is passed over."""

    async def taken(written: Collection[str]) -> Collection[str]:
        with tx.seeing_all():
            return list(await tx.scalars(select(Order.number).where(Order.number.in_(written))))

    return await NUMBERS.written_as((await settings.effective(tx)).numbering.get("order")).next_free(tx, "", taken)


async def _terms(
    tx: Tx, asked: OrderTerms, customer: CustomerCopy | None, ordered_at: datetime
) -> tuple[dict[str, Any], date]:
    """The order's columns as the client gave them, completed by what is agreed with the customer, and the company's day of `ordered_at`, which
    counts when it gave none. Raises Implausible."""
    if asked.ordered_at is not None:
        ordered_at = await dates.moment(tx, "order", ORDERED, asked.ordered_at, "/ordered_at")
    day = await days.day_of(tx, ordered_at)
    if asked.requested_date is not None:
        bounds = await dates.days(tx, "requested_date", day, day, day + _LATEST_WISH)
        checked_day(asked.requested_date, *bounds, "/requested_date")
    terms = {**asked.model_dump(exclude={"lines", "confirm", "expected_total", "owner_id"}), "ordered_at": ordered_at}
    terms |= completed(await settings.effective(tx), asked)
    if customer is not None:
        terms |= {"customer_id": customer.id, "customer_name": asked.customer_name or customer.name}
        terms["ship_to"] = terms["ship_to"] or stated_address(customer.addresses, "shipping")
    return terms, day
